"""A person's place in a programme: opening, closing and re-opening it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from callcentre.bulk import insert_rows
from callcentre.callqueue.models import EntryState, QueueEntry, Turn
from callcentre.errors import NotAllowed


def open_entries(
    session: Session,
    people: Sequence[tuple[int, int, date | None]],
    *,
    programme_id: int,
    list_file_id: int | None,
    now: datetime,
    known: Collection[int] | None = None,
) -> int:
    """Open a place for each (person id, territory id, legal deadline) that has none; say how many.

    They are eligible at once; the next planning gives them their first block. `known` are those who have one,
    when the caller has looked already.
    """
    if known is None:
        known = set(
            session.scalars(
                select(QueueEntry.person_id).where(
                    QueueEntry.programme_id == programme_id,
                    QueueEntry.person_id.in_([person for person, _, _ in people]),
                )
            )
        )
    no_reason: dict[str, object] = {}
    rows: list[dict[str, object]] = [
        {
            "programme_id": programme_id,
            "person_id": person,
            "territory_id": territory,
            "state": EntryState.OPEN.value,
            "opened_at": now,
            "list_file_id": list_file_id,
            "eligible_at": now,
            "eligible_until": now,
            "preferred_at": now,
            "preferred_until": now,
            "priority": 1,
            "deadline": deadline,
            "reason": no_reason,
            "version": 0,
        }
        for person, territory, deadline in people
        if person not in known
    ]
    insert_rows(session, QueueEntry.__table__, rows)
    return len(rows)


def close(session: Session, entry: QueueEntry, *, reason: str, reopened_by: str, now: datetime) -> None:
    """Take a person out of the queue: reason, instant and what would re-open are kept."""
    entry.state, entry.closed_at, entry.closed_reason = EntryState.CLOSED, now, reason
    entry.reopened_by, entry.eligible_at, entry.eligible_until = reopened_by, None, None
    entry.preferred_at, entry.preferred_until = None, None
    session.flush()
    session.execute(delete(Turn).where(Turn.entry_id == entry.id, Turn.token.is_(None)))


def reopen(session: Session, entry: QueueEntry, *, now: datetime) -> None:
    """Bring a person back with a fresh total cap; the 30-day count, pauses, opt-outs and oppositions persist."""
    if entry.state == EntryState.OPEN:
        return
    if entry.closed_reason == "opposition":
        raise NotAllowed("Cette personne a demandé à ne plus être appelée.", reason="opposition")
    entry.state, entry.opened_at, entry.closed_at, entry.closed_reason = EntryState.OPEN, now, None, None
    entry.reopened_by, entry.eligible_at, entry.eligible_until = None, now, now
    entry.preferred_at, entry.preferred_until = now, now
    entry.reason = {}
    session.flush()


def reopen_for(session: Session, person_id: int, news: str, *, now: datetime) -> None:
    """Bring a person back, in every programme that they left until such news: `new_number`, for example."""
    left = select(QueueEntry).where(QueueEntry.person_id == person_id, QueueEntry.state == EntryState.CLOSED)
    for entry in session.scalars(left.order_by(QueueEntry.id)).all():
        if news in (entry.reopened_by or "").split():
            reopen(session, entry, now=now)


def move(session: Session, person_id: int, *, programme_id: int, territory_id: int) -> None:
    """Give a person to another territory."""
    for table in (QueueEntry, Turn):
        session.execute(
            update(table)
            .where(table.person_id == person_id, table.programme_id == programme_id)
            .values(territory_id=territory_id)
        )


def look_again(entry: QueueEntry, *, at: datetime) -> None:
    """Let nobody be planned before an instant, at which the retry rule is asked about them anew."""
    entry.eligible_at = entry.eligible_until = entry.preferred_at = entry.preferred_until = at


def open_ones(session: Session, person_id: int) -> Sequence[QueueEntry]:
    """Return a person's open entries, one for each programme at most."""
    return session.scalars(
        select(QueueEntry)
        .where(QueueEntry.person_id == person_id, QueueEntry.state == EntryState.OPEN)
        .order_by(QueueEntry.id)
    ).all()


def closed_by(session: Session, person_id: int, reason: str) -> Sequence[QueueEntry]:
    """Return a person's entries that were closed for a reason."""
    return session.scalars(
        select(QueueEntry).where(QueueEntry.person_id == person_id, QueueEntry.closed_reason == reason)
    ).all()
