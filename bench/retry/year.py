"""A year of calls in a world, under one policy: promises first, then whom the policy orders, within every hard rule.

The rules are enforced here and broken ones are counted, so a policy that asks for too much is found out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import numpy as np

from bench.retry.people import DRAWS, Absences, Bools, Calls, Floats, Ints, People
from bench.retry.world import SATURDAY, SLOTS, CallBlock, Limits

NOBODY = np.empty(0, int)
FAR = 99
"""Days until a slot that does not come again."""
LONG_AGO = -1e9


class Policy(Protocol):
    """Orders the people whom the rules permit; `obeys_coverage` False may repeat a slot (a dialer's redial)."""

    obeys_coverage: bool

    def begin(self, year: Year) -> None:
        """Before the first day."""

    def new_day(self, day: date) -> None:
        """Before the first block of a day."""

    def order(self, permitted: Ints) -> Ints:
        """Whom to call in the current block, first first; may set `year.second` for them."""

    def told(self, results: Results) -> None:
        """What came of the calls."""


@dataclass(frozen=True)
class Results:
    """Calls of one block: whom, whether to the second number, and what came of each."""

    who: Ints
    second: Bools
    answered: Bools
    useless: Bools
    """The number proved dead or a stranger's."""


@dataclass(frozen=True)
class Outcome:
    """What a year brought."""

    contacts: int
    expected: float
    """Contacts to expect of the very calls that were made: what `contacts` comes to without the luck of each call."""
    calls: int
    days: float
    """Days from the list to the contact, on average."""
    rates: tuple[float, ...]
    """Part of each segment to expect to be contacted by the calls that were made."""
    calls_by_slot: tuple[int, ...]
    broken: int
    """Calls that a hard rule forbids."""

    @property
    def calls_per_contact(self) -> float:
        """Every call counts, also those to people who were never reached."""
        return self.calls / max(1.0, self.expected)

    @property
    def worst_segment(self) -> float:
        """The lowest part of any segment."""
        return min(self.rates)


@dataclass
class Year:
    """Where everybody stands; a policy reads it, and may set `second`."""

    people: People
    limits: Limits
    block: CallBlock = field(init=False)
    waits: Ints = field(init=False)
    """Days to each slot's next block after the current one."""

    def __post_init__(self) -> None:
        count = self.people.count
        self.calls = np.zeros(count, int)
        self.second_calls = np.zeros(count, int)
        self.tried = np.zeros((count, len(SLOTS)), bool)
        self.last = np.full(count, LONG_AGO)
        self.first_bad = np.zeros(count, bool)
        self.second = np.zeros(count, bool)
        self.open = np.ones(count, bool)
        self.contact_day = np.full(count, -1)
        self.promised = np.full(count, -1)
        self.returning = np.full(count, -1)
        self.today = np.zeros(count, int)
        self.month = np.zeros(count, int)
        self.by_day: dict[int, list[Ints]] = {}
        self.expected = np.zeros(self.people.segments)
        self.made = 0
        self.broken = 0
        self.by_slot = np.zeros(len(SLOTS), int)
        self.enabled = np.array([True] * 4 + [bool(self.people.world["saturday"])])

    def play(self, policy: Policy) -> Outcome:
        """The whole year."""
        blocks = self.people.world.blocks()
        waits = _waits(blocks)
        absences = Absences(self.people)
        policy.begin(self)
        day = -1
        for place, block in enumerate(blocks):
            if block.day != day:
                day = block.day
                absences.reach(day)
                self._new_day(day)
                policy.new_day(block.date)
            self.block, self.waits = block, waits[place]
            left = block.calls - self._keep_promises(place, block)
            if left > 0:
                self._call(policy, place, left, absences.now, last=len(blocks) - 1)
        return self._outcome()

    def _new_day(self, day: int) -> None:
        for old in [past for past in self.by_day if past <= day - 30]:
            for who in self.by_day.pop(old):
                np.subtract.at(self.month, who, 1)
        self.today[:] = 0
        back = self.open & (self.returning >= 0) & (self.returning <= day)
        self._contacted(np.flatnonzero(back), day)

    def _keep_promises(self, place: int, block: CallBlock) -> int:
        due = np.flatnonzero(self.open & (self.promised >= 0) & (self.promised <= place))
        due = due[np.argsort(self.promised[due], kind="stable")][: block.calls]
        kept = self.people.turn[due, 20 + self.calls[due] % 20] < self.people.world["promise_p"]
        self._contacted(due[kept], block.day)
        self.promised[due] = -1
        self.made += len(due)
        return len(due)

    def permitted(self, *, coverage: bool) -> Ints:
        """Everybody whom the rules let be called in the current block."""
        limits, block = self.limits, self.block
        may = self.open & (self.people.arrival <= block.day) & (self.promised < 0)
        may &= (self.calls < limits.max_attempts) & (self.today < limits.per_day)
        may &= (self.month < limits.per_30d) & (block.hour - self.last >= limits.min_gap_h)
        if coverage:
            may &= ~self.tried[:, block.slot]
        return np.flatnonzero(may)

    def _call(self, policy: Policy, place: int, left: int, absence: Floats, *, last: int) -> None:
        coverage = self.limits.coverage and policy.obeys_coverage
        permitted = self.permitted(coverage=coverage)
        if not len(permitted):
            return
        people = self.people
        self.second = people.has_second & (np.isin(self.calls, (2, 5, 7)) | self.first_bad)
        wanted = policy.order(permitted)
        allowed = np.isin(wanted, permitted)
        self.broken += int((~allowed).sum())
        who = wanted[allowed][:left]
        if not len(who):
            return
        late = (self.calls >= 2) & (self.second_calls < 3)
        second = (self.second & people.has_second & (late | self.first_bad))[who]
        self._settle(policy, who, second, place, absence, last)

    def _settle(
        self, policy: Policy, who: Ints, second: Bools, place: int, absence: Floats, last: int
    ) -> None:
        people, block, world = self.people, self.block, self.people.world
        ordinal = self.calls[who]
        calls = Calls(who, ordinal, block.hour - self.last[who], second)
        luck, turn = people.luck[who, ordinal], people.turn[who, ordinal]
        chances = people.chances(calls, block, block.slot, absence)
        self._expect(who, second, chances)
        answered = luck < chances
        useless = ~second & (people.dead[who] | people.strange[who] & (luck < 0.25))
        answered &= ~useless
        later = answered & (turn < np.where(second, world["relay"], world["busy"]))
        self._contacted(who[answered & ~second & ~later], block.day)
        self._promise(who[later], place, last)
        self.first_bad[who[useless]] = True
        self.open[who[useless & ~people.has_second[who]]] = False
        missed = ~answered & ~useless & ~second & ~people.never[who]
        returns = missed & (people.return_luck[who, ordinal] < world["inbound"])
        self.returning[who[returns]] = block.day + 1
        self._note(who, second)
        policy.told(Results(who, second, answered, useless))

    def _expect(self, who: Ints, second: Bools, chances: Floats) -> None:
        """Count what these calls lead to by their chances: contacts, kept promises, returned calls."""
        people, world = self.people, self.people.world
        returned = np.where(people.never[who], 0.0, world["inbound"])
        direct = chances * (1 - world["busy"] + world["busy"] * world["promise_p"]) + (1 - chances) * returned
        relayed = chances * world["relay"] * world["promise_p"]
        np.add.at(self.expected, people.segment[who], np.where(second, relayed, direct))

    def _promise(self, who: Ints, place: int, last: int) -> None:
        blocks_later = 4 + (self.people.turn[who, (self.calls[who] + 10) % DRAWS] * 13).astype(int)
        self.promised[who] = np.minimum(place + blocks_later, last)

    def _note(self, who: Ints, second: Bools) -> None:
        block = self.block
        self.calls[who] += 1
        self.second_calls[who[second]] += 1
        self.tried[who, block.slot] = True
        self.tried[who[self.tried[who, :SATURDAY].all(1)]] = False
        self.last[who] = block.hour
        self.today[who] += 1
        self.month[who] += 1
        self.by_day.setdefault(block.day, []).append(who)
        self.by_slot[block.slot] += len(who)
        self.made += len(who)

    def _contacted(self, who: Ints, day: int) -> None:
        self.contact_day[who] = day
        self.open[who] = False

    def _outcome(self) -> Outcome:
        people, reached = self.people, self.contact_day >= 0
        return Outcome(
            contacts=int(reached.sum()),
            expected=float(self.expected.sum()),
            calls=self.made,
            days=float((self.contact_day[reached] - people.arrival[reached]).mean()),
            rates=tuple(
                float(self.expected[one] / max(1, (people.segment == one).sum()))
                for one in range(people.segments)
            ),
            calls_by_slot=tuple(int(count) for count in self.by_slot),
            broken=self.broken,
        )


def _waits(blocks: list[CallBlock]) -> Ints:
    """Days from each block to the next one of every slot."""
    waits = np.full((len(blocks), len(SLOTS)), FAR)
    following: dict[int, int] = {}
    for place in range(len(blocks) - 1, -1, -1):
        for slot, day in following.items():
            waits[place, slot] = day - blocks[place].day
        following[blocks[place].slot] = blocks[place].day
    return waits
