"""What a call is worth in each slot, and which slot to take: the arithmetic of the learnt preference, on plain values.

`worths` prices a call by slot, for the number that is worth more there; `best` compares the slots that the hard rules
permit, each with the days until its turn. The product and the simulations decide with these two functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

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
    return Worths(
        tuple(map(max, own, other)), tuple(theirs > mine for mine, theirs in zip(own, other, strict=True))
    )


def best(values: Rates, waits: Iterable[tuple[int, float]], tuning: RetryTuning) -> int:
    """The slot to take among (slot, days until its turn): the first given of those worth most once waited for."""
    chosen, top = -1, -1.0
    for slot, days in waits:
        value = values[slot] * tuning.patience**days
        if value > top:
            chosen, top = slot, value
    return chosen


def worthwhile(
    values: Rates, queues: Sequence[tuple[int, float]], situation: Situation, tuning: RetryTuning
) -> frozenset[int]:
    """Of the permitted (slot, days of queue), those that belong to the best use of the calls that are left.

    With fewer calls left than weekday slots to try, only the best of them. Otherwise every weekday slot of the cycle
    comes anyway, in whatever order, and Saturday, which is outside of the cycle, only if it is worth more than the call
    at a better hour that it would take the place of, once the cycle is complete.
    """
    slots = frozenset([slot for slot, _ in queues])
    if not tuning.plans_ahead or len(queues) == 1:
        return slots
    spare = situation.left - situation.untried
    if spare <= 0:
        ranked = sorted((-values[slot] * tuning.patience**days, slot) for slot, days in queues)
        return frozenset([slot for _, slot in ranked[: max(1, situation.left)]])
    if SATURDAY not in slots or spare > len(values):
        return slots
    saturday = next(values[slot] * tuning.patience**days for slot, days in queues if slot == SATURDAY)
    again = sorted(values, reverse=True)[spare - 1] * tuning.repeat_fade
    return slots if saturday >= again else slots - {SATURDAY}


def order(value: float, days: float, tuning: RetryTuning) -> float:
    """The worth that orders people who are due at once: those who waited longer go first, up to a point."""
    return value * (1 + tuning.age_worth * min(days, tuning.age_days))
