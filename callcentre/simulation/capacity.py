"""How many calls a team makes in a block: the world's calls of a slot, shared out over the blocks of a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from callcentre.programmes import Programme, Span
from callcentre.retry.slots import Slot
from callcentre.retry.windows import Block
from callcentre.simulation.worlds import World


class Room:
    """The calls of one year, counted as they are given out; halves are carried over to the slot's next block."""

    def __init__(self, world: World, programme: Programme) -> None:
        self._world = world
        self._usual = {slot.code: sum(map(_seconds, slot.spans)) for slot in programme.slots}
        self.given: dict[Slot, float] = defaultdict(float)

    def calls(self, block: Block, blocks: Sequence[Block]) -> int:
        """Return the calls of a block, one of the `blocks` of its day."""
        open_today = sum(_length(one) for one in blocks if one.slot is block.slot)
        usual = max(self._usual.get(block.slot.value, 0.0), open_today)
        before = round(self.given[block.slot])
        self.given[block.slot] += self._world.capacity[block.slot] * _length(block) / usual
        return round(self.given[block.slot]) - before


def _length(block: Block) -> float:
    return (block.end - block.start).total_seconds()


def _seconds(span: Span) -> float:
    start, end = (datetime.combine(date.min, moment) for moment in span)
    return (end - start).total_seconds()
