"""What waiting for a slot costs: the queue in front of it, measured block by block, and a price for each day.

load = Load.idle()                                                         nobody waits
load = after_block(load, slot, capacity=…, wanted=…, tuning=tuning)        once a block is over
queue_days(load, slot, tuning)                                             days in front of the next person
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from callcentre.retry.profiles import SLOTS
from callcentre.retry.slots import Slot
from callcentre.tuning import RetryTuning


@dataclass(frozen=True, slots=True)
class Load:
    """The part of those who wanted a slot that its blocks could serve lately, by slot: 1 means that nobody waits."""

    served: tuple[float, ...] = (1.0,) * len(SLOTS)

    @classmethod
    def idle(cls) -> Self:
        """No queue anywhere."""
        return cls()

    def as_json(self) -> list[float]:
        """The load as plain values."""
        return list(self.served)

    @classmethod
    def from_json(cls, data: Sequence[float]) -> Self:
        """The load that `as_json` wrote."""
        return cls(tuple(data))


def after_block(load: Load, slot: Slot, *, capacity: int, wanted: int, tuning: RetryTuning) -> Load:
    """The load once a block is over: `capacity` calls could be made, `wanted` people were due in it."""
    place = SLOTS.index(slot)
    part = min(1.0, capacity / max(1, wanted))
    value = load.served[place] + tuning.load_step * (part - load.served[place])
    return Load((*load.served[:place], max(tuning.load_floor, value), *load.served[place + 1 :]))


def queue_days(load: Load, slot: Slot, tuning: RetryTuning) -> float:
    """Days of queue in front of the next person in a slot; 0 when load is not priced."""
    if not tuning.prices_load:
        return 0.0
    days = tuning.saturday_queue_days if slot is Slot.SATURDAY else 1.0
    return (1 / load.served[SLOTS.index(slot)] - 1) * days
