"""People in outline: what the retry rule's answer depends on, read for many at once without building their states.

An outline is as fine as a likeness: two people of one outline have one likeness, and so one answer. Whoever has
something that an outline does not hold (a full cap, a call today, messages, a household's number) has none, and is read
whole. What a series of calls comes to is worked out once for each series, by the rule's own functions.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, String, bindparam, case, exists, literal, select, type_coerce
from sqlalchemy.orm import Session, aliased

from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.database import UtcDateTime
from callcentre.dispositions import RetryKind
from callcentre.outreach.message_models import MessageRecipient
from callcentre.outreach.models import Attempt
from callcentre.people.models import Opposition, OptOut, PersonNumber, YoungPerson
from callcentre.planning.states import eighteenth_birthday
from callcentre.programmes import Programme
from callcentre.retry.learnt import Learnt, history_of, is_control
from callcentre.retry.policy import Policy
from callcentre.retry.rules import cycle_slots, tried_slots
from callcentre.retry.slots import Slot
from callcentre.retry.state import NumberState, Owner, PastAttempt, PersonState
from callcentre.retry.worth import idle_days

COMING_OF_AGE = timedelta(days=150)
"""Beyond this no birthday matters to the next call."""
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_OTHERS = aliased(Attempt)
ENTRIES = (
    select(
        QueueEntry.id,
        QueueEntry.person_id,
        QueueEntry.opened_at,
        QueueEntry.deadline,
        QueueEntry.eligible_at,
        QueueEntry.eligible_until,
        QueueEntry.preferred_at,
        QueueEntry.preferred_until,
        QueueEntry.number_id,
        QueueEntry.priority,
        QueueEntry.reason,
        QueueEntry.worth,
        QueueEntry.version,
        QueueEntry.paused_until,
        YoungPerson.birth_date,
        YoungPerson.zone,
        YoungPerson.class_label,
        (
            exists().where(Opposition.person_id == YoungPerson.id)
            | exists().where(MessageRecipient.person_id == YoungPerson.id)
        ).label("is_special"),
    )
    .join(YoungPerson, YoungPerson.id == QueueEntry.person_id)
    .where(
        QueueEntry.programme_id == bindparam("programme"),
        QueueEntry.state == EntryState.OPEN,
        QueueEntry.id > bindparam("after"),
    )
    .order_by(QueueEntry.id)
    .limit(bindparam("at_most"))
)
_NUMBERS = (
    select(
        PersonNumber.person_id,
        PersonNumber.number_id,
        PersonNumber.owner,
        PersonNumber.callable,
        PersonNumber.verdict,
        exists().where(OptOut.number_id == PersonNumber.number_id, OptOut.revoked_at.is_(None)),
        exists().where(
            _OTHERS.number_id == PersonNumber.number_id, _OTHERS.person_id != PersonNumber.person_id
        ),
    )
    .where(PersonNumber.person_id.in_(_IDS))
    .order_by(PersonNumber.person_id, PersonNumber.position, PersonNumber.id)
)
_CALLS = (
    select(
        Attempt.person_id,
        Attempt.number_id,
        type_coerce(Attempt.started_at, String),
        type_coerce(Attempt.local_date, String),
        Attempt.slot,
        case((Attempt.corrected_at.is_(None), Attempt.retry_kind)),
        Attempt.direction,
        Attempt.callback_id.is_not(None),
        case((Attempt.started_at > bindparam("since", type_=UtcDateTime()), 1), else_=literal(0)),
        case((Attempt.started_at >= QueueEntry.opened_at, 1), else_=literal(0)),
    )
    .join(
        QueueEntry,
        (QueueEntry.person_id == Attempt.person_id) & (QueueEntry.programme_id == bindparam("programme")),
    )
    .where(Attempt.person_id.in_(_IDS))
    .order_by(Attempt.person_id, Attempt.started_at)
)


class Outline(NamedTuple):
    """What a person's answer depends on, their numbers in order, and their last call."""

    key: Hashable
    number_ids: tuple[int, ...]
    last_at: datetime | None
    was_called: bool
    """Since the entry was opened."""


@dataclass
class _Person:
    """One person's rows, while they are gathered."""

    number_ids: list[int]
    numbers: list[tuple[Any, ...]]
    calls: list[tuple[Any, ...]]
    recent: int = 0
    is_special: bool = False
    last_call: Any = None
    last_day: Any = None
    was_called: bool = False


class Outliner:
    """Reads outlines for one policy at one instant."""

    def __init__(self, programme: Programme, programme_id: int, policy: Policy, now: datetime) -> None:
        self._programme, self._programme_id, self._policy, self._now = programme, programme_id, policy, now
        self._since = now - policy.limits.period
        self._cap = min(policy.limits.calls_in_period, policy.limits.contacts_in_period)
        self._series: dict[Hashable, Hashable] = {}

    def outlines(self, session: Session, part: Sequence[Any]) -> list[Outline | None]:
        """Return the outline of each entry's person, None for one who must be read whole."""
        people = {row.person_id: _Person([], [], [], is_special=row.is_special) for row in part}
        values = {"ids": list(people), "programme": self._programme_id, "since": self._since}
        for person_id, number_id, *rest, others in session.execute(_NUMBERS, {"ids": values["ids"]}):
            person = people[person_id]
            person.number_ids.append(number_id)
            person.numbers.append(tuple(rest))
            person.is_special = person.is_special or others
        for row in session.execute(_CALLS, values):
            self._call(people[row[0]], row)
        return [self._outline(row, people[row.person_id]) for row in part]

    def _call(self, person: _Person, row: Any) -> None:
        _, number_id, started, day, slot, kind, direction, promised, recent, since_opening = row
        place = person.number_ids.index(number_id) if number_id in person.number_ids else -1
        person.calls.append((place, slot, kind, direction, promised, since_opening))
        if direction != "outbound":
            person.is_special = person.is_special or direction == "inbound"
            return
        person.recent += recent
        person.last_call, person.last_day = started, day
        person.was_called = person.was_called or bool(since_opening)
        if kind == RetryKind.SOFT_REFUSAL:
            person.is_special = True

    def _outline(self, row: Any, person: _Person) -> Outline | None:
        if person.is_special or person.recent >= self._cap:
            return None
        zone = _zone(row.zone)
        today = self._now.astimezone(zone).date()
        weekday = 0
        if person.last_day is not None:
            last_day = _day(person.last_day)
            if last_day >= today:
                return None
            weekday = last_day.isoweekday()
        paused = row.paused_until if row.paused_until is not None and row.paused_until > self._now else None
        segment = self._programme.segment_of(row.class_label) if self._programme.segments else ""
        last = None if person.last_call is None else _instant(person.last_call)
        key = (
            row.zone,
            self._series_of(tuple(person.numbers), tuple(person.calls)),
            weekday,
            _age(row.birth_date, today) if any(number[0] != _OWN for number in person.numbers) else None,
            paused,
            segment,
            None if last is None else idle_days((self._now - last) / _DAY),
            self._arm(row.person_id),
        )
        return Outline(key, tuple(person.number_ids), last, person.was_called)

    def _series_of(
        self, numbers: tuple[tuple[Any, ...], ...], calls: tuple[tuple[Any, ...], ...]
    ) -> Hashable:
        known = self._series.get((numbers, calls))
        if known is None:
            known = self._series[numbers, calls] = _series(numbers, calls, self._policy)
        return known

    def _arm(self, person_id: int) -> Hashable:
        preference = self._policy.preference
        if isinstance(preference, Learnt) and not (
            preference.tuning.control_share and is_control(person_id, preference.tuning)
        ):
            return None
        return crc32(str(person_id).encode()) % 4


def _series(
    numbers: tuple[tuple[Any, ...], ...], calls: tuple[tuple[Any, ...], ...], policy: Policy
) -> Hashable:
    """What a series of calls comes to: played on invented days, one call a day, the entry opened where it was."""
    made = [call for call in calls if call[3] == "outbound"]
    opened = next((n for n, call in enumerate(made) if call[5]), len(made))
    attempts = tuple(
        PastAttempt(
            at=_EPOCH + timedelta(days=n),
            number_id=place,
            kind=RetryKind(kind) if kind else None,
            slot=Slot(slot) if slot else None,
            local_date=(_EPOCH + timedelta(days=n)).date(),
            promised=bool(promised),
        )
        for n, (place, slot, kind, _, promised, _) in enumerate(made)
    )
    states = tuple(
        NumberState(
            place, Owner(owner), calls=tuple(a.at for a in attempts if a.number_id == place and a.counts)
        )
        for place, (owner, *_) in enumerate(numbers)
    )
    person = PersonState(
        person_id=0,
        zone=_zone("UTC"),
        numbers=states,
        attempts=attempts,
        opened_at=_EPOCH + timedelta(days=opened),
    )
    cap = policy.limits.calls_in_all
    guardians = {state.number_id for state in states if state.owner is Owner.GUARDIAN}
    preference = policy.preference
    weekday_slots = preference.weekday_slots if isinstance(preference, Learnt) else policy.hours.weekday_slots
    return (
        numbers,
        tuple((len(state.calls), person.since_opening(state.calls) >= cap) for state in states),
        person.calls_since_opening,
        tried_slots(attempts, policy.hours),
        frozenset(cycle_slots(attempts, weekday_slots)),
        history_of(person),
        sum(attempt.number_id in guardians for attempt in attempts),
        frozenset(attempt.slot for attempt in attempts if attempt.slot is not None),
        attempts[-1].is_unanswered if attempts else None,
        next((attempt.slot for attempt in reversed(attempts) if attempt.slot is not None), None),
    )


_OWN = "young_person"
_DAY = timedelta(days=1)
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=20_000)
def _age(birth_date: date, today: date) -> Hashable:
    adult_on = eighteenth_birthday(birth_date)
    if adult_on <= today:
        return "adult"
    return "minor" if adult_on > today + COMING_OF_AGE else adult_on


@lru_cache(maxsize=4096)
def _day(value: date | str) -> date:
    """A date as either database's driver gives it."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _instant(value: datetime | str) -> datetime:
    """An instant as either database's driver gives it."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.astimezone(UTC)
