"""What a call is worth in each slot, and which slot to take: the arithmetic of the learnt preference, on plain values.

`worths` prices a call by slot, for the number that is worth more there; `worthwhile` keeps the slots that belong to the
best use of all calls that are left; `best` compares those, each with the days until its turn. The product and the
simulations decide with these functions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from callcentre.retry.profiles import NONE, SLOTS, Fit, History, Rates, chances, second_chances
from callcentre.retry.slots import Slot
from callcentre.tuning import RetryTuning

SATURDAY = SLOTS.index(Slot.SATURDAY)


@dataclass(frozen=True, slots=True)
class Situation:
    """What counts besides the history: calls made so far, and which numbers the hard rules leave open.

    `second_calls`: calls already made to the second number. `plan_says_second`: what the plain plan would ring next.
    `left`: calls that the total cap leaves. `untried`: weekday slots that this cycle of attempts has still to try.
    """

    calls: int = 0
    has_own: bool = True
    has_second: bool = False
    second_calls: int = 0
    plan_says_second: bool = False
    left: int = 99
    untried: int = 4


@dataclass(frozen=True, slots=True)
class Worths:
    """Contacts to expect of one call, by slot, and in which slots the second number is the better one."""

    values: Rates
    second: tuple[bool, ...]


def worths(fit: Fit, history: History, situation: Situation, tuning: RetryTuning) -> Worths:
    """What a call is worth in each slot, on the number that is worth more or that the plan names."""
    if not tuning.uses_answered_hours:
        history = replace(history, answered=NONE)
    if not situation.has_own and situation.has_second:
        return Worths(second_chances(fit, history, tuning), (True,) * len(SLOTS))
    own = chances(fit, history)
    if not situation.has_second:
        return Worths(own, (False,) * len(SLOTS))
    if tuning.second_number == "plan":
        if situation.plan_says_second:
            return Worths(second_chances(fit, history, tuning), (True,) * len(SLOTS))
        return Worths(own, (False,) * len(SLOTS))
    if situation.calls + 1 < tuning.second_from_call or situation.second_calls >= tuning.second_calls:
        return Worths(own, (False,) * len(SLOTS))
    other = second_chances(fit, history, tuning)
    second = tuple([theirs > mine * tuning.second_margin for mine, theirs in zip(own, other, strict=True)])
    return Worths(tuple([b if take else a for a, b, take in zip(own, other, second, strict=True)]), second)


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


def worthwhile(values: Rates, turns: Sequence[Turn], situation: Situation, tuning: RetryTuning) -> list[Turn]:
    """Of the permitted turns, those that belong to the best use of the calls that are left.

    With fewer calls left than weekday slots to try, only the best of them. Otherwise every weekday slot of the cycle
    comes anyway, in whatever order, and Saturday, which is outside of the cycle, only if it is worth more than the call
    at a better hour that it would take the place of, once the cycle is complete.
    """
    if not tuning.plans_ahead or len(turns) == 1:
        return list(turns)
    spare = situation.left - situation.untried
    if spare <= 0:
        ranked = sorted(
            turns, key=lambda turn: (-values[turn.slot] * tuning.plan_patience**turn.queue, turn.slot)
        )
        kept = ranked[: max(1, situation.left)]
        return [turn for turn in turns if turn in kept]
    saturday = next((turn for turn in turns if turn.slot == SATURDAY), None)
    if saturday is None or spare > len(values):
        return list(turns)
    again = sorted(values, reverse=True)[spare - 1] * tuning.repeat_fade
    if values[SATURDAY] * tuning.plan_patience**saturday.queue >= again:
        return list(turns)
    return [turn for turn in turns if turn is not saturday]


def order(value: float, days: float, tuning: RetryTuning) -> float:
    """The worth that orders people who are due at once: those who waited longer go first, up to a point."""
    return value * (1 + tuning.age_worth * min(days, tuning.age_days))
