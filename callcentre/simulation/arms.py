"""What is compared: a policy of the programme, changed here and there, and the plain policies beside it.

A `Change` is what a supervisor may try on a copy; an `Arm` is a programme with everything changed and the way in which
it chooses among the hours that its rules permit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from callcentre.programmes import Programme, Span
from callcentre.retry.learnt import with_learning
from callcentre.retry.policy import Policy, policy_of
from callcentre.retry.preference import Choice, Option
from callcentre.retry.profiles import Fit, first_fit
from callcentre.retry.reasons import ReasonCode, reason
from callcentre.retry.rules import RULES, in_another_slot, on_another_weekday
from callcentre.retry.slots import Slot
from callcentre.retry.state import PersonState
from callcentre.retry.waiting import Load
from callcentre.simulation.worlds import World

EVENING_BEGINS = time(17, 30)
USUAL_SATURDAY: tuple[Span, ...] = ((time(10), time(13)),)


class Way(StrEnum):
    """How the next hour is chosen."""

    LEARNT = "learnt"
    ROTATION = "rotation"
    EVENING_FIRST = "evening_first"
    """A rotation that begins in the evening, for everybody."""
    RECYCLE = "recycle"
    """The control: whoever may be called is called again, at whatever hour; the rules on hours and weekdays are off."""


class Change(BaseModel):
    """What a supervisor tries; None leaves the programme as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: int | None = Field(default=None, ge=1, le=20)
    """Calls in all to one person."""
    per_day: int | None = Field(default=None, ge=1, le=3)
    per_30_days: int | None = Field(default=None, ge=1, le=20)
    evening: bool | None = None
    """Whether calls are made after 17:30."""
    saturday: bool | None = None
    adult_guardians: bool | None = None
    guardian_attempts: Literal["never", "3-6-8", "2-4-6"] | None = None
    """Which calls to a minor go to a guardian: those of a plan, not those for which a guardian is worth more."""
    control_share: float | None = Field(default=None, ge=0, le=1)
    """Part of the people kept on plain rotation."""
    repaired: float | None = Field(default=None, ge=0, le=1)
    """Part of the people whose number failed for whom a right one is found."""

    @property
    def values(self) -> dict[str, Any]:
        """What is changed, by name."""
        return self.model_dump(exclude_none=True)


@dataclass(frozen=True)
class Arm:
    """One of the things compared, under a name that is unique in a comparison."""

    name: str
    way: Way
    programme: Programme
    change: Change

    def policy(self, fit: Fit | None = None, load: Load | None = None) -> Policy:
        """The policy of the moment; `fit` and `load` are what was learnt so far."""
        base = self._base
        match self.way:
            case Way.RECYCLE:
                return replace(
                    base, preference=FirstHour(), rules=RULES.without(in_another_slot, on_another_weekday)
                )
            case Way.EVENING_FIRST:
                return replace(base, preference=EveningFirst())
            case _:
                tuning = self.programme.constants
                if tuning is None:
                    return base
                return with_learning(base, fit or first_fit(tuning), tuning, load)

    @cached_property
    def _base(self) -> Policy:
        """The programme's own policy: made once, since its calendar is worked out as it is asked about."""
        return policy_of(self.programme)

    @property
    def learns(self) -> bool:
        """Whether the nightly refit changes anything."""
        tuning = self.programme.constants
        return self.way is Way.LEARNT and tuning is not None and tuning.learns

    def world(self, world: World) -> World:
        """The world in which this arm is played."""
        if self.change.repaired is None:
            return world
        numbers = world.numbers.model_copy(update={"repaired": self.change.repaired})
        return world.model_copy(update={"numbers": numbers})


def arm(programme: Programme, way: Way, change: Change | None = None, *, name: str | None = None) -> Arm:
    """The programme with a change, under a way of choosing; named for the way unless told otherwise."""
    change = change or Change()
    return Arm(name or way.value, way, changed(programme, way, change), change)


def changed(programme: Programme, way: Way, change: Change) -> Programme:
    """A copy of the programme as the change wants it; the one that was given stays as it is."""
    limits = {
        "calls_in_all": change.attempts,
        "calls_per_day": change.per_day,
        "calls_per_30_days": change.per_30_days,
        "call_adult_guardians": change.adult_guardians,
        "guardian_attempts": _guardian_attempts(change),
    }
    kept = {name: value for name, value in limits.items() if value is not None}
    constants = programme.constants
    if constants is not None:
        preference = "learnt" if way is Way.LEARNT else "rotation"
        share = constants.control_share if change.control_share is None else change.control_share
        second = "plan" if _guardian_attempts(change) else constants.second_number
        tried = {"preference": preference, "control_share": share, "second_number": second}
        constants = constants.model_copy(update=tried)
    return programme.model_copy(
        update={
            "limits": programme.limits.model_copy(update=kept),
            "hours": programme.hours.model_copy(update=_hours(programme, change)),
            "constants": constants,
        }
    )


def staffed(programme: Programme, world: World) -> Programme:
    """A copy whose plan expects as many calls as the team of this world makes."""
    lengths = {slot.code: sum(map(_hours_of, slot.spans)) for slot in programme.slots}
    officers = programme.planning.officers
    pace = max(
        (world.capacity[slot] / officers / lengths[slot] for slot in Slot if lengths.get(slot)), default=1.0
    )
    planning = programme.planning.model_copy(update={"calls_per_officer_hour": max(1, round(pace))})
    return programme.model_copy(update={"planning": planning})


def _hours_of(span: Span) -> float:
    start, end = (moment.hour + moment.minute / 60 for moment in span)
    return end - start


def _guardian_attempts(change: Change) -> tuple[int, ...] | None:
    match change.guardian_attempts:
        case "never":
            return ()
        case "3-6-8":
            return (3, 6, 8)
        case "2-4-6":
            return (2, 4, 6)
        case _:
            return None


def _hours(programme: Programme, change: Change) -> dict[str, Any]:
    hours: dict[str, Any] = {}
    if change.saturday is not None:
        usual = programme.hours.saturday or USUAL_SATURDAY
        hours["saturday"] = usual if change.saturday else ()
    if change.evening is False:
        spans = ((start, min(end, EVENING_BEGINS)) for start, end in programme.hours.weekdays)
        hours["weekdays"] = tuple((start, end) for start, end in spans if start < end)
    elif change.evening and not _is_evening_open(programme):
        hours["weekdays"] = (*programme.hours.weekdays, (EVENING_BEGINS, time(20)))
    return hours


def _is_evening_open(programme: Programme) -> bool:
    return any(end > EVENING_BEGINS for _, end in programme.hours.weekdays)


# ---- the plain policies


@dataclass(frozen=True, slots=True)
class EveningFirst:
    """Goes round the slots from the evening backwards, everybody alike; learns nothing and spreads nobody."""

    order: tuple[Slot, ...] = (Slot.EVENING, Slot.AFTERNOON, Slot.MIDDAY, Slot.MORNING)
    patience: timedelta = timedelta(days=7)

    def choose(self, person: PersonState, options: Sequence[Option], *, now: datetime) -> Choice:
        """The first slot of the order that is near enough, else the earliest."""
        by_slot = {option.block.slot: option for option in options}
        earliest = min(options, key=lambda option: option.due_at)
        tried = {attempt.slot for attempt in person.attempts}
        turns = sorted(self.order, key=lambda slot: slot in tried)
        near = (by_slot[slot] for slot in turns if slot in by_slot)
        chosen = next((one for one in near if one.due_at - earliest.due_at <= self.patience), earliest)
        saturday = by_slot.get(Slot.SATURDAY)
        if saturday is not None and person.attempts and saturday.due_at <= chosen.due_at:
            chosen = saturday
        return Choice(chosen, reason(ReasonCode.ANOTHER_HOUR, slot=chosen.block.slot.value, slots=""))


@dataclass(frozen=True, slots=True)
class FirstHour:
    """Takes the first hour that the caps permit: a list that is dialled again and again."""

    def choose(self, person: PersonState, options: Sequence[Option], *, now: datetime) -> Choice:
        """The earliest option."""
        chosen = min(options, key=lambda option: option.due_at)
        return Choice(chosen, reason(ReasonCode.FIRST_CALL, slot=chosen.block.slot.value))
