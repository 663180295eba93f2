"""The policies that are compared: a dialer, two rotations, an oracle, and the product's rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from bench.retry.people import Calls, Floats, Ints
from bench.retry.world import HOURS, SATURDAY, SLOTS
from bench.retry.year import FAR, Results, Year

QUEUE_DAYS = np.array([1.0, 1.0, 1.0, 1.0, 7.0])
"""Days between two blocks of a slot."""


class Recycle:
    """A dialer: the list from its top, again as soon as the fixed delay has passed; any hour."""

    obeys_coverage = False

    def begin(self, year: Year) -> None:
        """Nothing to prepare."""

    def new_day(self, day: date) -> None:
        """Nothing changes overnight."""

    def order(self, permitted: Ints) -> Ints:
        """As the list has them."""
        return permitted

    def told(self, results: Results) -> None:
        """Nothing is learnt."""


class Rotation(Recycle):
    """Round the weekday slots in a fixed order, each person from a place of their own; Saturday after a first call."""

    obeys_coverage = True
    turns = np.array([0, 3, 1, 2])

    def begin(self, year: Year) -> None:
        """First calls are spread over the slots."""
        self.year = year
        self.place = self._places(year.people.count)

    def _places(self, count: int) -> Ints:
        return np.arange(count)

    def order(self, permitted: Ints) -> Ints:
        """Those whose turn it is; the least called first."""
        year, slot = self.year, self.year.block.slot
        if slot == SATURDAY:
            mine = permitted[year.calls[permitted] >= 1]
        else:
            mine = permitted[self.turns[self.place[permitted] % 4] == slot]
        first = np.lexsort((year.last[mine], year.people.arrival[mine], year.calls[mine]))
        return np.asarray(mine[first])

    def told(self, results: Results) -> None:
        """The next turn."""
        if self.year.block.slot != SATURDAY:
            self.place[results.who] += 1


class EveningFirst(Rotation):
    """A rotation that begins in the evening for everybody."""

    turns = np.array([3, 2, 1, 0])

    def _places(self, count: int) -> Ints:
        return np.zeros(count, int)


class Oracle(Recycle):
    """Knows everybody's own hours, not their luck: now, unless another permitted slot is worth waiting for."""

    obeys_coverage = True

    def begin(self, year: Year) -> None:
        """Nobody waits yet."""
        self.year = year
        self.served = np.ones(len(SLOTS))

    def order(self, permitted: Ints) -> Ints:
        """Those for whom now is best, by how likely they are to answer."""
        year, slot = self.year, self.year.block.slot
        rates = np.maximum(self._rates(permitted), 1e-4)
        days = np.where(year.waits < FAR, year.waits, 30) + (1 / self.served - 1) * QUEUE_DAYS
        open_slots = year.enabled & (~year.tried[permitted] if year.limits.coverage else True)
        later = np.where(open_slots, rates, 0.0) * 0.94**days
        later[:, slot] = 0
        now = rates[:, slot]
        keep = now >= later.max(1)
        part = min(1.0, year.block.calls / max(1, int(keep.sum())))
        self.served[slot] = max(0.02, self.served[slot] + 0.25 * (part - self.served[slot]))
        since = year.block.day - np.maximum(year.people.arrival[permitted], year.last[permitted] // 24)
        worth = now * (1 + 0.1 * since)
        first = np.argsort(-worth[keep], kind="stable")
        return np.asarray(permitted[keep][first])

    def _rates(self, who: Ints) -> Floats:
        year = self.year
        calls = Calls(who, year.calls[who], np.full(len(who), 99.0), year.second[who])
        nobody_away = np.zeros(year.people.count)
        columns = [year.people.chances(calls, year.block, slot, nobody_away) for slot in range(len(SLOTS))]
        return np.stack(columns, 1)


@dataclass(frozen=True)
class Attempt:
    """One call as a scheduler of single people sees it."""

    when: datetime
    slot: str
    number: int
    outcome: str


@dataclass(frozen=True)
class Contact:
    """One person as such a scheduler sees them."""

    id: int
    segment: int
    has_second: bool
    created: date
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class Option:
    """A slot that the rules permit, and the days until its turn with the queue in front of it."""

    slot: str
    start: datetime
    is_now: bool
    wait_days: float


class Scheduler(Protocol):
    """What decides for one person at a time: the product's adapter."""

    def choose(self, contact: Any, now: datetime, allowed: Sequence[Any]) -> Any:
        """A choice with `slot`, `value` and `number`, or None."""

    def observe(self, contact: Any, attempt: Any) -> None:
        """After every call."""

    def nightly(self, today: date) -> None:
        """Before the first call of a day."""


class Product(Recycle):
    """The product's own rule, asked about one person at a time; also measures what a choice takes."""

    obeys_coverage = True

    def __init__(self, make: Callable[[Mapping[str, Any]], Scheduler]) -> None:
        self.make = make
        self.choices, self.seconds, self.refused = 0, 0.0, 0

    def begin(self, year: Year) -> None:
        """A scheduler that knows the limits, the capacity and whether Saturday is open, nothing else."""
        self.year = year
        world = year.people.world
        self.scheduler = self.make({key: world[key] for key in ("limits", "cap", "saturday")})
        self.contacts: dict[int, Contact] = {}
        self.served = np.ones(len(SLOTS))

    def new_day(self, day: date) -> None:
        """The nightly refit."""
        self.scheduler.nightly(day)

    def order(self, permitted: Ints) -> Ints:
        """Those for whom the rule chose now, by the value it gave."""
        year, slot = self.year, self.year.block.slot
        now, options = self._moment(year.block.date, slot), self._options()
        coverage = year.limits.coverage
        wanted: list[tuple[float, int]] = []
        begun = perf_counter()
        for who in map(int, permitted):
            tried = year.tried[who]
            allowed = [one for one in options if one[1].is_now or not (coverage and tried[one[0]])]
            choice = self.scheduler.choose(self._contact(who), now, [option for _, option in allowed])
            if choice is None or choice.slot != SLOTS[slot]:
                self._check(choice, allowed)
                continue
            wanted.append((-choice.value, who))
            if choice.number is not None:
                year.second[who] = choice.number == 2
        self.seconds += perf_counter() - begun
        self.choices += len(permitted)
        part = min(1.0, year.block.calls / max(1, len(wanted)))
        self.served[slot] = max(0.02, self.served[slot] + 0.25 * (part - self.served[slot]))
        return np.array([who for _, who in sorted(wanted)], int)

    def told(self, results: Results) -> None:
        """Each call is added to its person's and shown to the rule."""
        year = self.year
        when, slot = self._moment(year.block.date, year.block.slot), SLOTS[year.block.slot]
        for who, second, answered, useless in zip(
            results.who, results.second, results.answered, results.useless, strict=True
        ):
            outcome = "answered" if answered else "invalid" if useless else "no_answer"
            attempt = Attempt(when, slot, 2 if second else 1, outcome)
            before = self._contact(int(who))
            after = Contact(
                before.id, before.segment, before.has_second, before.created, (*before.attempts, attempt)
            )
            self.contacts[before.id] = after
            self.scheduler.observe(after, attempt)

    def _options(self) -> list[tuple[int, Option]]:
        year, slot = self.year, self.year.block.slot
        queue = (1 / self.served - 1) * QUEUE_DAYS
        options = [(slot, Option(SLOTS[slot], self._moment(year.block.date, slot), True, 0.0))]
        for other in range(len(SLOTS)):
            days = int(year.waits[other])
            if other != slot and year.enabled[other] and days < FAR:
                start = self._moment(year.block.date + timedelta(days), other)
                options.append((other, Option(SLOTS[other], start, False, days + float(queue[other]))))
        return options

    def _check(self, choice: Any, allowed: list[tuple[int, Option]]) -> None:
        if choice is not None and choice.slot not in {option.slot for _, option in allowed}:
            self.refused += 1
            self.year.broken += 1

    def _contact(self, who: int) -> Contact:
        known = self.contacts.get(who)
        if known is None:
            people = self.year.people
            created = people.world.first_day + timedelta(int(people.arrival[who]))
            known = Contact(who, int(people.segment[who]), bool(people.has_second[who]), created, ())
            self.contacts[who] = known
        return known

    @staticmethod
    def _moment(day: date, slot: int) -> datetime:
        hour = HOURS[slot]
        return datetime.combine(day, time(int(hour), int(hour % 1 * 60)))
