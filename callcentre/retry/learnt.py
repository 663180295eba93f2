"""The preference that learns: profiles of availability, a price for waiting, the second number; beside `Rotation`.

    Learnt(fit, tuning, load).choose(person, options, now=now)     the option taken, its worth, why (a sentence's code)
    Learnt(...).compare(person, options, now=now)                  the comparison behind the sentence
    with_learning(policy, fit, tuning, load)                       the policy of a programme with it, or with rotation

It only ever picks one of the options that the hard rules permit. The worth of a choice orders people who are due at
once. A share of people may be kept on rotation (`control_share`), chosen by their id, so that real life can judge.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from zlib import crc32

from callcentre.dispositions import RetryKind
from callcentre.retry.comparison import Comparison, Heard, Rated
from callcentre.retry.policy import Policy
from callcentre.retry.preference import Choice, Option, Rotation
from callcentre.retry.profiles import SLOTS, Fit, History
from callcentre.retry.rules import cycle_slots
from callcentre.retry.slots import Slot
from callcentre.retry.state import YOUNG_PERSON_ANSWERED, NumberState, Owner, PersonState
from callcentre.retry.waiting import Load, queue_days
from callcentre.retry.worth import (
    Situation,
    Turn,
    Worths,
    best,
    freshness,
    idle_days,
    lasting_queues,
    order,
    worths,
    worthwhile,
)
from callcentre.tuning import RetryTuning

_DAY = timedelta(days=1)
SOMEBODY_ELSE = frozenset({RetryKind.THIRD_PARTY, RetryKind.GUARDIAN_REFUSAL})
"""Results of a call that somebody else answered."""
ANSWERED = YOUNG_PERSON_ANSWERED | SOMEBODY_ELSE
"""Results that show somebody of the household at the telephone at that hour."""
SAYS_NOTHING = frozenset({RetryKind.TECHNICAL, RetryKind.WRONG_NUMBER, RetryKind.DEAD_NUMBER})
"""Results that show nothing of the hour."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """A permitted option, its slot's place, what it is worth on which number, days to its block and of queue."""

    option: Option
    place: int
    worths: Worths
    days: float
    queue: float

    @property
    def value(self) -> float:
        return self.worths.values[self.place]

    @property
    def turn(self) -> float:
        """Days until the turn, the queue included."""
        return self.days + self.queue

    @property
    def is_second(self) -> bool:
        return self.worths.second[self.place]


@dataclass(frozen=True)
class Learnt:
    """Chooses the permitted slot that is worth most once waited for; the same inputs give the same choice.

    `calls_in_all`, `weekday_slots`: the programme's, so that all calls that are left can be weighed together.
    """

    fit: Fit
    tuning: RetryTuning
    load: Load = field(default_factory=Load.idle)
    rotation: Rotation = field(default_factory=Rotation)
    calls_in_all: int = 99
    weekday_slots: frozenset[Slot] = frozenset(Slot) - {Slot.SATURDAY}
    _known: dict[tuple[History, Situation], Worths] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def choose(self, person: PersonState, options: Sequence[Option], *, now: datetime) -> Choice:
        """Pick one of `options` (never empty, in order of time, one per slot)."""
        if is_control(person.person_id, self.tuning):
            return self.rotation.choose(person, options, now=now)
        offers = self._offers(person, options, now)
        taken, left_out = self._pick(person, offers, now)
        why = self._compared(person, offers, taken, left_out).reason()
        idle = _idle(person, now)
        fresh = 1.0 if idle is None else freshness(idle + taken.days, self.tuning)
        last = person.attempts[-1].at if person.attempts else person.opened_at
        waited = (taken.option.due_at - last) / _DAY if last is not None else 0.0
        value = min(1.0, order(taken.value * fresh, max(0.0, waited), self.tuning))
        return Choice(taken.option, why, value, _number(person, taken.option, taken.is_second))

    def bring_forward(
        self, person: PersonState, options: Sequence[Option], taken: Option, *, planned: Slot, now: datetime
    ) -> Choice:
        """Take this one of `options` before the slot that was planned: on the number that is worth more in it."""
        offers = self._offers(person, options, now)
        offer = next(one for one in offers if one.option == taken)
        why = self._compared(person, offers, offer, ()).earlier(planned)
        return Choice(taken, why, number_id=_number(person, taken, offer.is_second))

    def compare(self, person: PersonState, options: Sequence[Option], *, now: datetime) -> Comparison:
        """The comparison that explains `choose`, from the same numbers."""
        offers = self._offers(person, options, now)
        return self._compared(person, offers, *self._pick(person, offers, now))

    def _offers(self, person: PersonState, options: Sequence[Option], now: datetime) -> list[_Offer]:
        history = history_of(person)
        saturday = any(option.block.slot is Slot.SATURDAY for option in options)
        known: dict[tuple[int, ...], Worths] = {}
        offers = []
        for option in options:
            numbers = option.numbers or (option.number_id,)
            priced = known.get(numbers)
            if priced is None:
                situation = self._situation(person, numbers, saturday=saturday)
                priced = known[numbers] = self._worths(history, situation)
            queue = queue_days(self.load, option.block.slot, self.tuning)
            days = max(timedelta(), option.due_at - now) / _DAY
            offers.append(_Offer(option, SLOTS.index(option.block.slot), priced, days, queue))
        return offers

    def _pick(
        self, person: PersonState, offers: Sequence[_Offer], now: datetime
    ) -> tuple[_Offer, tuple[Slot, ...]]:
        """The offer taken, and the slots of those that are not worth a call of all that are left, however soon."""
        values, prospects = list(offers[0].worths.values), list(offers[0].worths.prospects)
        for offer in offers:
            values[offer.place] = offer.value
            prospects[offer.place] = offer.worths.prospects[offer.place]
        turns = [Turn(offer.place, offer.days, offer.queue) for offer in offers]
        kept = worthwhile(tuple(prospects), turns, self.tuning)
        place = best(tuple(values), kept, self.tuning, idle=_idle(person, now))
        taken = next(offer for offer in offers if offer.place == place)
        worth_it = {turn.slot for turn in kept}
        left_out = tuple(
            offer.option.block.slot
            for offer in offers
            if offer.place not in worth_it and not self._is_too_late(offer, taken)
        )
        return taken, left_out

    def _is_too_late(self, offer: _Offer, taken: _Offer) -> bool:
        """Whether it is for its queue that an offer, which would come after the one taken, is passed over."""
        return self._queues[offer.place] > 0 and offer.turn > taken.turn

    def _worths(self, history: History, situation: Situation) -> Worths:
        """What calls are worth to everybody with this history in this situation; worked out once."""
        known = self._known.get((history, situation))
        if known is None:
            known = self._known[history, situation] = worths(self.fit, history, situation, self.tuning)
        return known

    def _situation(self, person: PersonState, numbers: tuple[int, ...], *, saturday: bool) -> Situation:
        guardians = {number.number_id for number in person.numbers if number.owner is Owner.GUARDIAN}
        tried = cycle_slots(person.attempts, self.weekday_slots)
        return Situation(
            calls=person.calls_since_opening,
            has_own=any(number_id not in guardians for number_id in numbers),
            has_second=any(number_id in guardians for number_id in numbers),
            second_calls=sum(attempt.number_id in guardians for attempt in person.attempts),
            plan_says_second=bool(numbers) and numbers[0] in guardians,
            left=max(1, self.calls_in_all - person.calls_since_opening),
            weekdays=tuple([SLOTS.index(slot) for slot in SLOTS if slot in self.weekday_slots]),
            untried=tuple([SLOTS.index(slot) for slot in SLOTS if slot in self.weekday_slots - tried]),
            saturday=saturday,
            queues=self._queues,
        )

    @cached_property
    def _queues(self) -> tuple[float, ...]:
        slots = (*self.weekday_slots, Slot.SATURDAY)
        days = {SLOTS.index(one): queue_days(self.load, one, self.tuning) for one in slots}
        return lasting_queues(days, self.tuning)

    def _compared(
        self, person: PersonState, offers: Sequence[_Offer], taken: _Offer, left_out: tuple[Slot, ...]
    ) -> Comparison:
        offered = {offer.place: offer for offer in offers}
        rated = []
        for place, slot in enumerate(SLOTS):
            worths = offered.get(place, taken).worths
            days = offered[place].turn if place in offered else 0.0
            rated.append(Rated(slot, worths.values[place], days, is_second=worths.second[place]))
        others = [one for place, one in enumerate(rated) if place != taken.place]
        tried = {attempt.slot for attempt in person.attempts if attempt.slot is not None}
        heard = heard_in(person) if self.tuning.uses_answered_hours else Heard()
        return Comparison(
            chosen=rated[taken.place],
            others=tuple(sorted(others, key=lambda one: -one.rate)),
            tried=tuple(slot for slot in Slot if slot in tried),
            heard=heard,
            forbidden=tuple(slot for place, slot in enumerate(SLOTS) if place not in offered),
            left_out=left_out,
        )


def with_learning(policy: Policy, fit: Fit, tuning: RetryTuning, load: Load | None = None) -> Policy:
    """The same policy with the preference that the constants ask for: learnt, or plain rotation."""
    if tuning.preference == "rotation":
        return replace(policy, preference=Rotation())
    learnt = Learnt(
        fit,
        tuning,
        load or Load.idle(),
        calls_in_all=policy.limits.calls_in_all,
        weekday_slots=policy.hours.weekday_slots,
    )
    return replace(policy, preference=learnt)


def is_control(person_id: int, tuning: RetryTuning) -> bool:
    """Whether a person belongs to the share that is kept on rotation."""
    return crc32(f"control {person_id}".encode()) % 10_000 < tuning.control_share * 10_000


def history_of(person: PersonState) -> History:
    """What the rule looks at in a person: counts of calls by slot, and the declared segment."""
    owners = {number.number_id: number.owner for number in person.numbers}
    unanswered, answered = [0] * len(SLOTS), [0] * len(SLOTS)
    second = 0
    for attempt in person.attempts:
        if attempt.slot is None or attempt.kind in SAYS_NOTHING:
            continue
        heard = attempt.kind in ANSWERED
        if owners.get(attempt.number_id or 0) is Owner.GUARDIAN:
            second += not heard
        elif not heard:
            unanswered[SLOTS.index(attempt.slot)] += 1
        else:
            answered[SLOTS.index(attempt.slot)] += 1
    for slot in (*person.answered_slots, *person.hinted_slots):
        answered[SLOTS.index(slot)] += 1
    return History(person.segment, tuple(unanswered), tuple(answered), second)


def heard_in(person: PersonState) -> Heard:
    """In which slots a call found somebody, or would by what was said: what the history counts as answered, apart."""
    guardians = {number.number_id for number in person.numbers if number.owner is Owner.GUARDIAN}
    own = [attempt for attempt in person.attempts if attempt.number_id not in guardians]
    theirs = {attempt.slot for attempt in own if attempt.kind in YOUNG_PERSON_ANSWERED}
    others = {attempt.slot for attempt in own if attempt.kind in SOMEBODY_ELSE}
    return Heard(
        person=_in_order({*theirs, *person.answered_slots}),
        hinted=_in_order(person.hinted_slots),
        others=_in_order(others),
    )


def _in_order(slots: Collection[Slot | None]) -> tuple[Slot, ...]:
    return tuple(slot for slot in SLOTS if slot in slots)


def _idle(person: PersonState, now: datetime) -> float | None:
    """Days since the last call, None before the first."""
    if not person.attempts:
        return None
    return idle_days(max(0.0, (now - person.attempts[-1].at) / _DAY))


def _number(person: PersonState, chosen: Option, second: bool) -> int:
    """The first permitted number of the wanted kind, in the order of the plan."""
    kinds: dict[int, NumberState] = {number.number_id: number for number in person.numbers}
    for number_id in chosen.numbers or (chosen.number_id,):
        if (kinds[number_id].owner is Owner.GUARDIAN) == second:
            return number_id
    return chosen.number_id
