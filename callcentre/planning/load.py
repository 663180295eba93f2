"""How full the blocks are: once one is over, how many were called in it and how many who wanted it were left.

What is measured, not what was planned: a slot that nobody staffs soon counts as full, and waiting for it is priced.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcentre.bulk import insert_rows
from callcentre.callqueue.models import EntryState, Lane, LeaseLog, QueueEntry, Turn
from callcentre.planning.models import BlockRecord, SlotLoad
from callcentre.planning.policies import policy_of
from callcentre.programmes import Programme
from callcentre.retry.profiles import SLOTS
from callcentre.retry.waiting import Load, after_block
from callcentre.retry.windows import Block

LOOK_BACK = timedelta(days=4)
"""Blocks that ended longer ago, while nothing ran, teach nothing."""


def record_blocks(session: Session, programme: Programme, programme_id: int, *, now: datetime) -> int:
    """Record the blocks of the programme's zone that ended since the last look; return how many."""
    tuning = programme.constants
    if tuning is None:
        return 0
    last = session.scalar(
        select(func.max(BlockRecord.ends_at)).where(BlockRecord.programme_id == programme_id)
    )
    since = max(last or now - LOOK_BACK, now - LOOK_BACK)
    days = (now.date() - since.date()).days + 2
    blocks = policy_of(programme).hours.blocks_from(since, programme.tz, days=days)
    ended = [block for block in blocks if block.end <= now]
    if not ended or (last is None and not _has_worked(session, programme_id, since)):
        return 0
    rows = {
        row.slot: row
        for row in session.scalars(
            select(SlotLoad).where(SlotLoad.programme_id == programme_id).with_for_update()
        )
    }
    for block in ended:
        row = rows.get(block.slot.value)
        if row is None:
            row = rows[block.slot.value] = SlotLoad(
                programme_id=programme_id, slot=block.slot.value, served_part=1.0, blocks=0, updated_at=now
            )
            session.add(row)
        called, left = _called(session, programme_id, block), _left_over(session, programme_id, block)
        wanted = called + left
        if wanted:  # a block that nobody wanted says nothing of its room
            place = SLOTS.index(block.slot)
            load = Load(tuple(row.served_part if n == place else 1.0 for n in range(len(SLOTS))))
            load = after_block(load, block.slot, capacity=called, wanted=wanted, tuning=tuning)
            row.served_part, row.blocks, row.updated_at = load.served[place], row.blocks + 1, now
        insert_rows(
            session,
            BlockRecord.__table__,
            [
                {
                    "programme_id": programme_id,
                    "slot": block.slot.value,
                    "day": block.date,
                    "starts_at": block.start,
                    "ends_at": block.end,
                    "called": called,
                    "left_over": left,
                    "served_part": row.served_part,
                }
            ],
            skip_known=True,
        )
    session.flush()
    return len(ended)


def _has_worked(session: Session, programme_id: int, since: datetime) -> bool:
    """Whether anybody was served at all: an empty operation has no load."""
    return (
        session.scalar(
            select(LeaseLog.id)
            .where(LeaseLog.programme_id == programme_id, LeaseLog.granted_at >= since)
            .limit(1)
        )
        is not None
    )


def _called(session: Session, programme_id: int, block: Block) -> int:
    """People served in a block in the ordinary way: leases that ended and those still held."""
    counts = [
        session.scalar(
            select(func.count())
            .select_from(table)
            .where(
                table.programme_id == programme_id,
                table.lane == int(Lane.ORDINARY),
                table.granted_at >= block.start,
                table.granted_at < block.end,
                *([LeaseLog.granted_on == block.date] if table is LeaseLog else []),
            )
        )
        for table in (LeaseLog, Turn)
    ]
    return sum(count or 0 for count in counts)


def _left_over(session: Session, programme_id: int, block: Block) -> int:
    """People whose preferred hour was in the block and who were not called in it."""
    return (
        session.scalar(
            select(func.count())
            .select_from(QueueEntry)
            .where(
                QueueEntry.programme_id == programme_id,
                QueueEntry.state == EntryState.OPEN,
                QueueEntry.preferred_at >= block.start,
                QueueEntry.preferred_at < block.end,
                QueueEntry.preferred_until == block.end,
            )
        )
        or 0
    )
