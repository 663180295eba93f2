"""Turns that do not come from the plan: promises, people who call, cards opened by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from callcentre.callqueue.models import Lane, QueueEntry, Turn


def put(
    session: Session,
    entry: QueueEntry,
    lane: Lane,
    *,
    due_at: datetime,
    due_until: datetime,
    reason: dict[str, Any],
    number_id: int | None = None,
    callback_id: int | None = None,
    reserved_for: int | None = None,
    team_from: datetime | None = None,
) -> int | None:
    """Give a person a turn in a lane, in place of one that nobody holds; None when a colleague holds them."""
    session.execute(delete(Turn).where(Turn.person_id == entry.person_id, Turn.token.is_(None)))
    if session.scalar(select(Turn.id).where(Turn.person_id == entry.person_id)) is not None:
        return None
    turn = Turn(
        entry_id=entry.id,
        person_id=entry.person_id,
        programme_id=entry.programme_id,
        territory_id=entry.territory_id,
        lane=int(lane),
        priority=entry.priority,
        due_at=due_at,
        due_until=due_until,
        number_id=number_id if number_id is not None else entry.number_id,
        reason=reason,
        callback_id=callback_id,
        reserved_for=reserved_for,
        team_from=team_from,
        shares_number=True,
    )
    session.add(turn)
    session.flush()
    return turn.id


def withdraw(session: Session, person_id: int, *, callback_id: int | None = None) -> None:
    """Take away a person's turn if nobody holds it; with `callback_id`, only the turn of that promise."""
    query = delete(Turn).where(Turn.person_id == person_id, Turn.token.is_(None))
    if callback_id is not None:
        query = query.where(Turn.callback_id == callback_id)
    session.execute(query)
