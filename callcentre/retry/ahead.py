"""The best use of all calls that are left to a person: in which slots, and on which number.

Somebody who will get so many more calls in any case loses nothing by the order of them, only by which they are. So
all ways to spend them that the cycle of slots allows are compared by the chance that one of the calls reaches the
person, and a call is worth making now if it belongs to a way that is as good as the best.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations
from operator import mul
from typing import NamedTuple

from callcentre.retry.profiles import NONE, SLOTS, Rates
from callcentre.retry.slots import Slot

SATURDAY = SLOTS.index(Slot.SATURDAY)
AHEAD = 6
"""Calls looked ahead at most; those after them are too far away to matter to the next."""

Counts = tuple[int, ...]
"""Calls in each of `SLOTS`."""


class Way(NamedTuple):
    """A way to spend the calls that are left: how many in each slot, on the own numbers and on a second one."""

    own: Counts
    second: Counts


class Step(NamedTuple):
    """Some calls more than others: those at place `before` of the same list, so many of them, and one in `slot`."""

    before: int
    size: int
    slot: int


class Ways(NamedTuple):
    """Ways to spend calls, and how to come to all of them step by step, from no call at place 0."""

    all: tuple[Way, ...]
    own_steps: tuple[Step, ...]
    second_steps: tuple[Step, ...]
    pairs: tuple[tuple[int, int, tuple[int, ...], tuple[int, ...]], ...]
    """For each way: the place of its own calls, of those to the second number, and the slots of either."""


class Prospects(NamedTuple):
    """The chance to reach somebody by all calls that are left, if the next one is spent in a slot, on a number.

    0 where no way to spend them makes such a call.
    """

    own: Rates
    second: Rates


@lru_cache(maxsize=1024)
def ways(
    left: int, untried: tuple[int, ...], weekdays: tuple[int, ...], *, saturday: bool, second: int
) -> Ways:
    """All ways to spend `left` calls: a weekday slot again only once the `untried` ones of the cycle had their turn.

    `weekdays`: the slots of a cycle. `saturday`: whether it is open; it stands outside of the cycle. `second`: calls
    at most to a second number.
    """
    found = dict.fromkeys(
        Way(tuple(all_ - theirs for all_, theirs in zip(counts, given, strict=True)), given)
        for counts in dict.fromkeys(_slots(min(left, AHEAD), untried, weekdays, saturday))
        for given in _given(counts, second)
    )
    own, seconds = _Series(), _Series()
    pairs = tuple(
        (own.place(way.own), seconds.place(way.second), _used(way.own), _used(way.second)) for way in found
    )
    return Ways(tuple(found), tuple(own.steps), tuple(seconds.steps), pairs)


class _Series:
    """Series of calls, each one call longer than one before it."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._places = {NONE: 0}

    def place(self, counts: Counts) -> int:
        """The place of these calls, with steps to it where there are none yet."""
        if counts not in self._places:
            slot = _used(counts)[0]
            before = self.place((*counts[:slot], counts[slot] - 1, *counts[slot + 1 :]))
            self.steps.append(Step(before, sum(counts) - 1, slot))
            self._places[counts] = len(self.steps)
        return self._places[counts]


def _used(counts: Counts) -> tuple[int, ...]:
    return tuple(slot for slot, count in enumerate(counts) if count)


def _slots(
    left: int, untried: tuple[int, ...], weekdays: tuple[int, ...], saturday: bool
) -> Iterator[Counts]:
    """Calls by slot: some of the slots to try, or all of them and some of another round; Saturdays for the rest."""
    for first in _some(untried, left):
        rounds = _some(weekdays, left - len(first)) if len(first) == len(untried) else [()]
        for again in rounds:
            rest = left - len(first) - len(again)
            if saturday:
                yield _counted((*first, *again, *(SATURDAY,) * rest))
            elif not rest or again == weekdays:  # what a third round would bring is not looked at
                yield _counted((*first, *again))


def _some(slots: Sequence[int], at_most: int) -> Iterator[tuple[int, ...]]:
    for size in range(min(at_most, len(slots)) + 1):
        yield from combinations(slots, size)


def _given(counts: Counts, at_most: int) -> set[Counts]:
    """Which of the calls may go to the second number."""
    calls = [slot for slot, count in enumerate(counts) for _ in range(count)]
    return {_counted(given) for given in _some(calls, at_most)}


def _counted(slots: Sequence[int]) -> Counts:
    return tuple(slots.count(slot) for slot in range(len(SLOTS)))


def prospects(
    shares: Rates, columns: Sequence[Rates], second: Rates, fade: float, open_ways: Ways
) -> Prospects:
    """Compare these ways to spend the calls that are left.

    `shares`: how likely each profile is. `columns`: chances of an answer, by slot and profile. `second`: contacts to
    expect of a call to the second number, by slot, times `fade` for each such call before it.
    """
    missed_by_slot = [[1 - chance for chance in column] for column in columns]
    missed: list[Sequence[float]] = [shares]
    for before, _size, slot in open_ways.own_steps:
        missed.append(list(map(mul, missed[before], missed_by_slot[slot])))
    nobody = [sum(parts) for parts in missed]
    unheard = [1.0]
    for before, size, slot in open_ways.second_steps:
        unheard.append(unheard[before] * (1 - second[slot] * fade**size))
    own_least, second_least = [1.0] * len(SLOTS), [1.0] * len(SLOTS)
    for own, given, own_slots, given_slots in open_ways.pairs:
        chance = nobody[own] * unheard[given]
        for slot in own_slots:
            if chance < own_least[slot]:
                own_least[slot] = chance
        for slot in given_slots:
            if chance < second_least[slot]:
                second_least[slot] = chance
    return Prospects(tuple([1 - least for least in own_least]), tuple([1 - least for least in second_least]))
