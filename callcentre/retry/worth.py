"""What a call is worth in each slot, and which slot to take: the arithmetic of the learnt preference, on plain values.

`worths` prices a call by slot, for the number that is worth more there; `worthwhile` keeps the slots that belong to the
best use of all calls that are left (`ahead`); `best` compares those, each with the days until its turn. The product and
the simulations decide with these functions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from callcentre.retry.ahead import AHEAD, SATURDAY, Prospects, prospects, ways
from callcentre.retry.profiles import NONE, SLOTS, Fit, History, Rates, expected, second_chances, weights
from callcentre.tuning import RetryTuning

WEEKDAYS = tuple(place for place in range(len(SLOTS)) if place != SATURDAY)


@dataclass(frozen=True, slots=True)
class Situation:
    """What counts besides the history: calls made so far, and what the hard rules leave open.

    `second_calls`: calls already made to the second number. `plan_says_second`: what the plain plan would ring next.
    `left`: calls that the total cap leaves. `untried`: of the `weekdays` (places of slots, in order), those that this
    cycle of attempts has still to try. `saturday`: whether it is open. `queues`: days of the queue in front of each
    slot, by `lasting_queues`.
    """

    calls: int = 0
    has_own: bool = True
    has_second: bool = False
    second_calls: int = 0
    plan_says_second: bool = False
    left: int = AHEAD
    weekdays: tuple[int, ...] = WEEKDAYS
    untried: tuple[int, ...] = WEEKDAYS
    saturday: bool = True
    queues: tuple[float, ...] = (0.0,) * len(SLOTS)


@dataclass(frozen=True, slots=True)
class Worths:
    """Contacts to expect of one call, by slot, and in which slots the second number is the better one.

    `prospects`: the chance that all calls that are left reach the person, if the next one is made in a slot.
    """

    values: Rates
    second: tuple[bool, ...]
    prospects: Rates = (1.0,) * len(SLOTS)


def worths(fit: Fit, history: History, situation: Situation, tuning: RetryTuning) -> Worths:
    """What a call is worth in each slot, on the number that makes the best use of all calls that are left."""
    if not tuning.uses_answered_hours:
        history = replace(history, answered=NONE)
    theirs = second_chances(fit, history, tuning)
    by_plan = tuning.second_number == "plan"
    if situation.has_second and (not situation.has_own or (by_plan and situation.plan_says_second)):
        return Worths(theirs, (True,) * len(SLOTS))
    weighed = weights(fit, history)
    own = expected(fit, weighed)
    calls = 0
    if situation.has_second and not by_plan:
        calls = max(0, tuning.second_calls - situation.second_calls)
    may_be_second = calls > 0 and situation.calls + 1 >= tuning.second_from_call
    if not tuning.plans_ahead:
        second = [may_be_second and other > mine for mine, other in zip(own, theirs, strict=True)]
        return Worths(_either(own, theirs, second), tuple(second))
    by_own, by_second = _prospects(fit, weighed, theirs, calls, situation, tuning)
    if not may_be_second:
        return Worths(own, (False,) * len(SLOTS), by_own)
    least = (1 - tuning.plan_tolerance) * max(*by_own, *by_second)
    second = [
        other > mine if min(ours, ahead) >= least else ahead > ours
        for mine, other, ours, ahead in zip(own, theirs, by_own, by_second, strict=True)
    ]
    return Worths(_either(own, theirs, second), tuple(second), _either(by_own, by_second, second))


def _prospects(
    fit: Fit, weighed: Rates, theirs: Rates, calls: int, situation: Situation, tuning: RetryTuning
) -> Prospects:
    """Look ahead; a queue in front of a slot makes each of its calls worth less, since fewer of them will be made."""
    open_ways = ways(
        situation.left, situation.untried, situation.weekdays, saturday=situation.saturday, second=calls
    )
    columns, second = list(fit.columns), list(theirs)
    for slot, queue in enumerate(situation.queues):
        if queue:
            priced = tuning.patience**queue
            columns[slot] = tuple([priced * chance for chance in columns[slot]])
            second[slot] *= priced
    return prospects(weighed, columns, tuple(second), tuning.second_fade, open_ways)


def _either(own: Rates, theirs: Rates, second: Sequence[bool]) -> Rates:
    return tuple([b if take else a for a, b, take in zip(own, theirs, second, strict=True)])


class Turn(NamedTuple):
    """A permitted slot: days until its block (0: now), and days of the queue in front of it."""

    slot: int
    days: float
    queue: float = 0.0


IDLE_STEPS = (0.25, 1.0, 2.0, 3.0, 5.0, 8.0)
"""Days since the last call are told apart in these steps, so that people of one history stay alike."""


def idle_days(days: float) -> float:
    """Days since the last call, in steps from six hours on."""
    place = bisect_right(IDLE_STEPS, days)
    return IDLE_STEPS[place - 1] if place else days


LONG_QUEUES = (1, 2, 4)
"""Long queues are told apart in these multiples of the shortest long one: few cases to work out."""


def lasting_queues(days: Mapping[int, float], tuning: RetryTuning) -> tuple[float, ...]:
    """Days of the queue in front of each slot, as they count when all calls that are left are weighed.

    `days`: of the queue, by place of the slots that are open. Short ones do not count: the call comes all the same.
    Nor do a weekday's while no weekday slot has room: the call that one person forgoes is made to another.
    """
    has_room = any(queue < tuning.room_days for slot, queue in days.items() if slot != SATURDAY)
    queues = [0.0] * len(SLOTS)
    for slot, queue in days.items():
        if slot == SATURDAY:
            queues[slot] = round(queue)
        elif has_room and queue >= tuning.long_queue_days:
            times = LONG_QUEUES[bisect_right(LONG_QUEUES, queue / tuning.long_queue_days) - 1]
            queues[slot] = times * tuning.long_queue_days
    return tuple(queues)


def freshness(days: float, tuning: RetryTuning) -> float:
    """The part of its worth that a call has so many days after one that nobody answered: absences last."""
    part = 1 - tuning.absence * tuning.absence_fade ** max(0.0, days)
    return float(part * tuning.redial_factor if days * 24 < tuning.redial_hours else part)


def best(values: Rates, turns: Iterable[Turn], tuning: RetryTuning, *, idle: float | None = None) -> int:
    """The slot to take: the first given of those worth most once waited for.

    `idle`: days since the last call, by `idle_days`; None before the first.
    """
    chosen, top = -1, -1.0
    for slot, days, queue in turns:
        value = values[slot] * tuning.patience ** (days + queue)
        if idle is not None:
            value *= freshness(idle + days, tuning)
        if value > top:
            chosen, top = slot, value
    return chosen


def worthwhile(prospects: Rates, turns: Sequence[Turn], tuning: RetryTuning) -> list[Turn]:
    """Of the permitted turns, those that belong to a use of the calls that are left as good as the best, or nearly."""
    least = (1 - tuning.plan_tolerance) * max(prospects[turn.slot] for turn in turns)
    return [turn for turn in turns if prospects[turn.slot] >= least]


def order(value: float, days: float, tuning: RetryTuning) -> float:
    """The worth that orders people who are due at once: those who waited longer go first, up to a point."""
    return value * (1 + tuning.age_worth * min(days, tuning.age_days))
