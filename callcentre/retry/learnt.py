"""The preference that learns: profiles of availability, a price for waiting, the second number; beside `Rotation`.

    Learnt(fit, tuning, load).choose(person, options, now=now)     the option taken, its worth, why (a sentence's code)
    Learnt(...).compare(person, options, now=now)                  the comparison behind the sentence
    with_learning(policy, fit, tuning, load)                       the policy of a programme with it, or with rotation

It only ever picks one of the options that the hard rules permit. The worth of a choice orders people who are due at
once. A share of people may be kept on rotation (`control_share`), chosen by their id, so that real life can judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zlib import crc32

from callcentre.dispositions import RetryKind
from callcentre.retry.comparison import Comparison, Rated
from callcentre.retry.policy import Policy
from callcentre.retry.preference import Choice, Option, Rotation
from callcentre.retry.profiles import SLOTS, Fit, History
from callcentre.retry.slots import Slot
from callcentre.retry.state import NumberState, Owner, PersonState
from callcentre.retry.waiting import Load, queue_days
from callcentre.retry.worth import Situation, Worths, best, worths
from callcentre.tuning import RetryTuning

_DAY = timedelta(days=1)
_ANSWERED = frozenset(
    {RetryKind.CALLBACK, RetryKind.SOFT_REFUSAL, RetryKind.OPPOSITION, RetryKind.DONE, RetryKind.THIRD_PARTY}
)
"""Results that show somebody of the household at the telephone at that hour."""
_SAYS_NOTHING = frozenset({RetryKind.TECHNICAL, RetryKind.WRONG_NUMBER, RetryKind.DEAD_NUMBER})


@dataclass(frozen=True)
class Learnt:
    """Chooses the permitted slot that is worth most once waited for; the same inputs give the same choice."""

    fit: Fit
    tuning: RetryTuning
    load: Load = field(default_factory=Load.idle)
    rotation: Rotation = field(default_factory=Rotation)

    def choose(self, person: PersonState, options: Sequence[Option], *, now: datetime) -> Choice:
        """Pick one of `options` (never empty, in order of time, one per slot)."""
        if is_control(person.person_id, self.tuning):
            return self.rotation.choose(person, options, now=now)
        priced = self._price(person, options)
        chosen = self._pick(priced, options, now)
        place = SLOTS.index(chosen.block.slot)
        value = priced.values[place]
        why = self._compared(person, options, priced, chosen).reason()
        return Choice(chosen, why, value, _number(person, chosen, priced.second[place]))

    def compare(self, person: PersonState, options: Sequence[Option], *, now: datetime) -> Comparison:
        """The comparison that explains `choose`, from the same numbers."""
        priced = self._price(person, options)
        return self._compared(person, options, priced, self._pick(priced, options, now))

    def _price(self, person: PersonState, options: Sequence[Option]) -> Worths:
        return worths(self.fit, history_of(person, self.tuning), _situation(person, options[0]), self.tuning)

    def _pick(self, priced: Worths, options: Sequence[Option], now: datetime) -> Option:
        places = [(SLOTS.index(option.block.slot), option) for option in options]
        waits = [
            (
                place,
                max(timedelta(), option.due_at - now) / _DAY
                + queue_days(self.load, SLOTS[place], self.tuning),
            )
            for place, option in places
        ]
        taken = best(priced.values, waits, self.tuning)
        return next(option for place, option in places if place == taken)

    def _compared(
        self, person: PersonState, options: Sequence[Option], priced: Worths, chosen: Option
    ) -> Comparison:
        rated = [Rated(slot, priced.values[place]) for place, slot in enumerate(SLOTS)]
        mine = next(one for one in rated if one.slot is chosen.block.slot)
        permitted = {option.block.slot for option in options}
        tried = {attempt.slot for attempt in person.attempts if attempt.slot is not None}
        heard = history_of(person, self.tuning).answered
        return Comparison(
            chosen=mine,
            others=tuple(sorted((one for one in rated if one is not mine), key=lambda one: -one.rate)),
            tried=tuple(slot for slot in Slot if slot in tried),
            answered=tuple(slot for slot, count in zip(SLOTS, heard, strict=True) if count),
            forbidden=tuple(slot for slot in Slot if slot not in permitted),
            is_second=priced.second[SLOTS.index(chosen.block.slot)],
        )


def with_learning(policy: Policy, fit: Fit, tuning: RetryTuning, load: Load | None = None) -> Policy:
    """The same policy with the preference that the constants ask for: learnt, or plain rotation."""
    if tuning.preference == "rotation":
        return replace(policy, preference=Rotation())
    return replace(policy, preference=Learnt(fit, tuning, load or Load.idle()))


def is_control(person_id: int, tuning: RetryTuning) -> bool:
    """Whether a person belongs to the share that is kept on rotation."""
    return crc32(f"control {person_id}".encode()) % 10_000 < tuning.control_share * 10_000


def history_of(person: PersonState, tuning: RetryTuning) -> History:
    """What the rule looks at in a person: counts of calls by slot, and the declared segment."""
    owners = {number.number_id: number.owner for number in person.numbers}
    unanswered, answered = [0] * len(SLOTS), [0] * len(SLOTS)
    second = 0
    for attempt in person.attempts:
        if attempt.slot is None or attempt.kind in _SAYS_NOTHING:
            continue
        heard = attempt.kind in _ANSWERED
        if owners.get(attempt.number_id or 0) is Owner.GUARDIAN:
            second += not heard
        elif not heard:
            unanswered[SLOTS.index(attempt.slot)] += 1
        elif tuning.uses_answered_hours:
            answered[SLOTS.index(attempt.slot)] += 1
    if tuning.uses_answered_hours:
        for slot in person.answered_slots:
            answered[SLOTS.index(slot)] += 1
    return History(person.segment, tuple(unanswered), tuple(answered), second)


def _situation(person: PersonState, first: Option) -> Situation:
    permitted = [number for number in person.numbers if number.number_id in first.numbers]
    guardians = {number.number_id for number in person.numbers if number.owner is Owner.GUARDIAN}
    return Situation(
        calls=person.calls_since_opening,
        has_own=any(number.owner is not Owner.GUARDIAN for number in permitted),
        has_second=any(number.owner is Owner.GUARDIAN for number in permitted),
        second_calls=sum(attempt.number_id in guardians for attempt in person.attempts),
        plan_says_second=first.number_id in guardians,
    )


def _number(person: PersonState, chosen: Option, second: bool) -> int:
    """The first permitted number of the wanted kind, in the order of the plan."""
    kinds: dict[int, NumberState] = {number.number_id: number for number in person.numbers}
    for number_id in chosen.numbers:
        if (kinds[number_id].owner is Owner.GUARDIAN) == second:
            return number_id
    return chosen.number_id
