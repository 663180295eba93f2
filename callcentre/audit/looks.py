"""Who looked at whom: a row for each look, written once for a while, never altered, forgotten after its time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from callcentre.audit.kinds import Place
from callcentre.audit.models import AuditEvent, PersonView

SAME_LOOK = timedelta(minutes=10)
"""Seeing somebody again at the same place within this time is the same look: a page that reloads is not two."""


def unseen(
    session: Session, person_ids: Collection[int], place: Place, *, by: int, now: datetime
) -> list[int]:
    """Return those of these people whom a user has not seen at this place lately: what is still to be written."""
    if not person_ids:
        return []
    seen = set(
        session.scalars(
            select(PersonView.person_id).where(
                PersonView.user_id == by,
                PersonView.at > now - SAME_LOOK,
                PersonView.place == place.value,
                PersonView.person_id.in_(person_ids),
            )
        )
    )
    return sorted(set(person_ids) - seen)


def record(session: Session, person_ids: Collection[int], place: Place, *, by: int, now: datetime) -> None:
    """Note that a user saw these people."""
    session.add_all(
        PersonView(at=now, user_id=by, person_id=person_id, place=place.value, people=1)
        for person_id in sorted(set(person_ids))
    )


def record_list(session: Session, people: int, *, by: int, now: datetime) -> None:
    """Note that a user saw a list of so many people."""
    session.add(PersonView(at=now, user_id=by, person_id=None, place=Place.LIST.value, people=people))


def forget_old(session: Session, *, now: datetime, keep: timedelta) -> int:
    """Delete looks and audit events older than `keep`; return how many. What was decided stays with the person."""
    forgotten = 0
    for table in (PersonView, AuditEvent):
        rows = session.execute(delete(table).where(table.at < now - keep).returning(table.id))
        forgotten += len(rows.all())
    return forgotten
