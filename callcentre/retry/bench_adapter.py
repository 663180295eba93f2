"""The product's rule as a scheduler of single people, so that simulators outside of it can drive and measure it.

`make(world)` gets the limits, the capacity and whether Saturday is open, nothing else of the world. The scheduler takes
plain objects by their attributes (a contact with its attempts, options with the days of waiting) and decides with
`worth`, `profiles` and `learning`: the same functions, constants and refit as the product.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from callcentre.retry.ahead import SATURDAY
from callcentre.retry.learning import Group, SecondTally, refit
from callcentre.retry.profiles import NONE, SLOTS, History, first_fit
from callcentre.retry.worth import (
    WEEKDAYS,
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
SLOT_NAMES = ("wd_morning", "wd_midday", "wd_afternoon", "wd_evening", "sat_morning")
PLACES = {name: place for place, name in enumerate(SLOT_NAMES)}
OWN, SECOND = 1, 2
"""The young person's own number, and another one that reaches them."""
PLANNED_SECOND = frozenset({3, 6, 8})
"""Calls that go to the second number when the constants say so (`second_number = "plan"`)."""
COMES_BACK_WITHIN = 9
"""Days after which somebody whose guardian answered has either been reached or is in the queue again."""
DEFAULTS = Path(__file__).resolve().parents[2] / "config" / "default.toml"


@dataclass(frozen=True, slots=True)
class Choice:
    """The slot taken, its worth for ordering people who are due at once, why, and which number (1 own, 2 second)."""

    slot: str
    value: float
    reason: str = ""
    number: int | None = None


GroupKey = tuple[str, tuple[int, ...], tuple[int, ...]]
_Prices = dict[tuple[tuple[float, ...], bool], Worths]
"""What calls are worth, by the days of queue in front of each slot, and by whether Saturday is open."""


@dataclass(slots=True)
class _Awaited:
    """Somebody whose guardian answered: either they are reached through them, or they come back to the queue."""

    since: date
    place: int
    weight: float
    came_back: bool = False


@dataclass(slots=True)
class _Person:
    """What the scheduler remembers of one person; calls are counted by slot, `tried` are the slots of this cycle."""

    segment: str
    has_second: bool
    seen: int = 0
    unanswered: tuple[int, ...] = NONE
    answered: tuple[int, ...] = NONE
    second_unanswered: int = 0
    second_calls: int = 0
    tried: frozenset[int] = frozenset()
    has_own: bool = True
    last: datetime | None = None
    faded_unanswered: list[float] = field(default_factory=lambda: [0.0] * len(SLOTS))
    faded_answered: list[float] = field(default_factory=lambda: [0.0] * len(SLOTS))
    grouped: GroupKey | None = None
    prices: _Prices | None = None

    def take(self, attempt: Any, *, coverage: bool, tuning: RetryTuning) -> None:
        """One more call."""
        place, answered = PLACES[attempt.slot], attempt.outcome == "answered"
        self.seen += 1
        self.last = attempt.when
        self.prices = None
        if coverage:
            tried = self.tried | {place}
            self.tried = frozenset() if tried.issuperset(WEEKDAYS) else tried
        if attempt.number == SECOND:
            self.second_calls += 1
            self.second_unanswered += not answered
        elif attempt.outcome == "invalid":
            self.has_own = False
        elif not answered:
            self.unanswered = _one_more(self.unanswered, place)
        else:
            self.answered = _one_more(self.answered, place)

    def key(self) -> tuple[Any, ...]:
        """Everything on which a price depends."""
        return (
            *(self.segment, self.unanswered, self.answered, self.seen, self.has_own, self.has_second),
            *(self.second_calls, self.second_unanswered, self.tried),
        )

    def situation(self, max_attempts: int, queues: tuple[float, ...], *, saturday: bool) -> Situation:
        """What the rules leave open, and the days of the queue in front of each slot."""
        return Situation(
            calls=self.seen,
            has_own=self.has_own,
            has_second=self.has_second,
            second_calls=self.second_calls,
            plan_says_second=self.seen + 1 in PLANNED_SECOND,
            left=max_attempts - self.seen,
            untried=tuple([place for place in WEEKDAYS if place not in self.tried]),
            saturday=saturday,
            queues=queues,
        )


@dataclass(slots=True)
class _Sums:
    """People with one history, and their faded calls by slot."""

    people: int = 0
    unanswered: list[float] = field(default_factory=lambda: [0.0] * len(SLOTS))
    answered: list[float] = field(default_factory=lambda: [0.0] * len(SLOTS))

    def add(self, person: _Person, sign: int) -> None:
        """One person more, or one less."""
        self.people += sign
        for place in range(len(SLOTS)):
            self.unanswered[place] += sign * person.faded_unanswered[place]
            self.answered[place] += sign * person.faded_answered[place]

    def group(self, key: GroupKey, weight: float) -> Group:
        """The group as the refit wants it, calls weighed against today's."""
        return Group(
            *key,
            people=self.people,
            faded_unanswered=tuple(max(0.0, value / weight) for value in self.unanswered),
            faded_answered=tuple(max(0.0, value / weight) for value in self.answered),
        )


def _one_more(counts: tuple[int, ...], place: int) -> tuple[int, ...]:
    return (*counts[:place], counts[place] + 1, *counts[place + 1 :])


class Scheduler:
    """Decides for one person at a time; learns every night from what it observed."""

    def __init__(self, *, max_attempts: int, coverage: bool, tuning: RetryTuning) -> None:
        self.tuning, self.max_attempts, self.coverage = tuning, max_attempts, coverage
        self.fit = first_fit(tuning)
        self.people: dict[int, _Person] = {}
        self.groups: dict[GroupKey, _Sums] = {}
        self.seconds = [[0.0, 0.0, 0.0] for _ in SLOTS]
        self.awaited: dict[int, _Awaited] = {}
        self.prices: dict[tuple[Any, ...], _Prices] = {}
        self.origin: date | None = None

    def choose(self, contact: Any, now: datetime, allowed: Sequence[Any]) -> Choice | None:
        """Now, or the slot that is worth more; None when there is no option."""
        if not allowed:
            return None
        person = self._person(contact)
        if contact.id in self.awaited:
            self.awaited[contact.id].came_back = True
        today, turns = now.date(), []
        ahead: dict[int, float] = {}
        for option in allowed:
            days = (option.start.date() - today).days if not option.is_now else 0
            has_queue = self.tuning.prices_load and not option.is_now
            turn = Turn(PLACES[option.slot], days, option.wait_days - days if has_queue else 0.0)
            turns.append(turn)
            if not option.is_now:
                ahead[turn.slot] = turn.queue
        saturday = any(turn.slot == SATURDAY for turn in turns)
        priced = self._price(person, lasting_queues(ahead, self.tuning), saturday=saturday)
        last = person.last
        idle = None if last is None else idle_days((now - last) / _DAY)
        place = turns[0].slot
        if len(turns) > 1:
            kept = worthwhile(priced.prospects, turns, self.tuning)
            place = best(priced.values, kept, self.tuning, idle=idle)
        waited = (today - (contact.created if last is None else last.date())).days
        value = order(priced.values[place], waited, self.tuning)
        if idle is not None:
            value *= freshness(idle, self.tuning)
        number = SECOND if priced.second[place] else OWN
        return Choice(SLOT_NAMES[place], value, "", number)

    def observe(self, contact: Any, attempt: Any) -> None:
        """One call and what came of it."""
        person = self._person(contact)
        weight = self._weight(attempt.when.date())
        place = PLACES[attempt.slot]
        answered = attempt.outcome == "answered"
        if attempt.number == SECOND:
            self.seconds[place][answered] += weight
            if answered and person.seen < self.max_attempts:
                self.awaited[contact.id] = _Awaited(attempt.when.date(), place, weight)
        elif attempt.outcome != "invalid":
            self._regroup(person, place, weight, answered=answered)

    def nightly(self, today: date) -> None:
        """Refit, if the constants ask for learning."""
        self.origin = self.origin or today
        self._settle(today)
        if self.tuning.learns:
            weight = self._weight(today)
            self.fit = refit(
                self.fit,
                (sums.group(key, weight) for key, sums in self.groups.items()),
                (
                    SecondTally(place, missed / weight, answered / weight, contacts / weight)
                    for place, (missed, answered, contacts) in enumerate(self.seconds)
                ),
                tuning=self.tuning,
                today=today,
            )
        self.prices.clear()
        for person in self.people.values():
            person.prices = None

    def _settle(self, today: date) -> None:
        """Who has not come back since a guardian answered was reached through them."""
        for key, awaited in list(self.awaited.items()):
            if (today - awaited.since).days > COMES_BACK_WITHIN:
                del self.awaited[key]
                if not awaited.came_back:
                    self.seconds[awaited.place][2] += awaited.weight

    def _weight(self, day: date | None) -> float:
        """The weight of a call made on a day: twice that of one a half-life before."""
        if day is None or self.origin is None:
            return 1.0
        return float(2 ** ((day - self.origin).days / self.tuning.half_life_days))

    def _person(self, contact: Any) -> _Person:
        person = self.people.get(contact.id)
        if person is None:
            person = self.people[contact.id] = _Person(str(contact.segment), bool(contact.has_second))
        while person.seen < len(contact.attempts):
            person.take(contact.attempts[person.seen], coverage=self.coverage, tuning=self.tuning)
        return person

    def _price(self, person: _Person, queues: tuple[float, ...], *, saturday: bool) -> Worths:
        """What calls are worth to a person with this history tonight: the same for everybody who has it."""
        prices = person.prices
        if prices is None:
            prices = person.prices = self.prices.setdefault(person.key(), {})
        known = prices.get((queues, saturday))
        if known is None:
            history = History(person.segment, person.unanswered, person.answered, person.second_unanswered)
            situation = person.situation(self.max_attempts, queues, saturday=saturday)
            known = prices[queues, saturday] = worths(self.fit, history, situation, self.tuning)
        return known

    def _regroup(self, person: _Person, place: int, weight: float, *, answered: bool) -> None:
        """Take a person, with their faded calls, from the group of their old history to that of the new one."""
        if person.grouped is not None:
            self.groups[person.grouped].add(person, -1)
        (person.faded_answered if answered else person.faded_unanswered)[place] += weight
        person.grouped = (person.segment, person.unanswered, person.answered)
        self.groups.setdefault(person.grouped, _Sums()).add(person, 1)


def make(world: Mapping[str, Any]) -> Scheduler:
    """A scheduler for these limits, with the constants of `config/default.toml`."""
    return make_with(world, usual_tuning())


def make_with(world: Mapping[str, Any], tuning: RetryTuning) -> Scheduler:
    """A scheduler with other constants, as the ablations need."""
    limits = world["limits"]
    return Scheduler(
        max_attempts=limits["max_attempts"], coverage=bool(limits.get("coverage", True)), tuning=tuning
    )


def usual_tuning() -> RetryTuning:
    """The constants of `config/default.toml`."""
    return RetryTuning.model_validate(tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))["retry"])
