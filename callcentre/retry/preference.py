"""Which of the permitted hours to take: the one thing about the next call that is a choice.

The hard rules hand over at most one option per slot, its earliest; a preference picks one and says what it is
worth. The rule that learns from the attempts (`learnt`) stands behind the same protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zlib import crc32

from callcentre.retry.reasons import Reason, ReasonCode, reason
from callcentre.retry.slots import Slot
from callcentre.retry.state import PersonState
from callcentre.retry.windows import Block


@dataclass(frozen=True, slots=True)
class Option:
    """A permitted call: this number, in this block, in [due_at, due_until) (UTC, inside the block).

    `numbers`: every number that the hard rules permit then, `number_id` and the plan's order first.
    """

    block: Block
    number_id: int
    due_at: datetime
    due_until: datetime
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """The option taken, why, its worth from 0 to 1 for ordering people who are due at once, and which number.

    `number_id` None: the option's own; else another of the option's `numbers`.
    """

    option: Option
    why: Reason
    value: float = 0.0
    number_id: int | None = None


class Preference(Protocol):
    """Chooses among permitted options; the same inputs always give the same choice."""

    def choose(self, person: PersonState, options: Sequence[Option], *, now: datetime) -> Choice:
        """Pick one of `options` (never empty, in order of time, one per slot)."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """Goes round the weekday slots in a fixed order that puts a far-away hour next; learns nothing.

    First calls are spread over the slots by the person's id, so that a new list is not all due at once. A
    slot that is further than `patience` behind the earliest permitted one is passed over. Saturday is an
    extra chance after a first call, taken when it comes before the slot whose turn it is.
    """

    order: tuple[Slot, ...] = (Slot.MORNING, Slot.EVENING, Slot.MIDDAY, Slot.AFTERNOON)
    patience: timedelta = timedelta(days=7)

    def choose(self, person: PersonState, options: Sequence[Option], *, now: datetime) -> Choice:
        """The slot whose turn it is, else the next one that is near enough, else the earliest."""
        by_slot = {option.block.slot: option for option in options}
        earliest = min(options, key=lambda option: option.due_at)
        turns = (by_slot[slot] for slot in self._turns(person) if slot in by_slot)
        chosen = next(
            (option for option in turns if option.due_at - earliest.due_at <= self.patience), earliest
        )
        saturday = by_slot.get(Slot.SATURDAY)
        if saturday is not None and person.attempts and saturday.due_at <= chosen.due_at:
            chosen = saturday
        return Choice(chosen, _why(person, chosen))

    def _turns(self, person: PersonState) -> tuple[Slot, ...]:
        """The order of slots for this person: after the last one tried, or from a start of their own."""
        tried = [attempt.slot for attempt in person.attempts if attempt.slot in self.order]
        if tried and tried[-1] is not None:
            start = self.order.index(tried[-1]) + 1
        else:
            start = crc32(str(person.person_id).encode()) % len(self.order)
        return self.order[start:] + self.order[:start]


def _why(person: PersonState, chosen: Option) -> Reason:
    slot = chosen.block.slot
    tried = {attempt.slot for attempt in person.attempts if attempt.slot is not None}
    if slot is Slot.SATURDAY:
        return reason(ReasonCode.SATURDAY, slot=slot.value)
    if not tried:
        return reason(ReasonCode.FIRST_CALL, slot=slot.value)
    if slot in tried:
        return reason(ReasonCode.NEW_ROUND, slot=slot.value)
    return reason(ReasonCode.ANOTHER_HOUR, slot=slot.value, slots=",".join(s for s in Slot if s in tried))
