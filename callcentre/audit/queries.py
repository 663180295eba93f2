"""Every read of the audit, returning frozen values; names of people and users are for the page to add."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from callcentre.audit.kinds import Place
from callcentre.audit.models import AuditEvent, PersonView

PAGE = 100
"""Lines on a page."""


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody saw a young person, or a list of so many."""

    at: datetime
    user_id: int
    person_id: int | None
    place: Place
    people: int


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody changed or exported something; `details` holds identifiers and codes, or why about nobody."""

    at: datetime
    user_id: int | None
    action: str
    subject: str
    subject_id: int | None
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of lines, newest first, and how many there are in all."""

    lines: tuple[Look | Change, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


def looks(
    session: Session, *, user_id: int | None = None, person_id: int | None = None, page: int = 1
) -> Lines:
    """Return a page of looks, of one user or at one person when they are given."""
    statement = select(PersonView)
    if user_id is not None:
        statement = statement.where(PersonView.user_id == user_id)
    if person_id is not None:
        statement = statement.where(PersonView.person_id == person_id)
    total, page = _counted(session, statement, page)
    rows = session.scalars(
        statement.order_by(PersonView.at.desc(), PersonView.id.desc()).limit(PAGE).offset((page - 1) * PAGE)
    )
    found = tuple(Look(row.at, row.user_id, row.person_id, Place(row.place), row.people) for row in rows)
    return Lines(found, total, page)


def changes(
    session: Session, *, user_id: int | None = None, person_id: int | None = None, page: int = 1
) -> Lines:
    """Return a page of changes, by one user or of one person when they are given."""
    statement = select(AuditEvent)
    if user_id is not None:
        statement = statement.where(AuditEvent.actor_id == user_id)
    if person_id is not None:
        statement = statement.where(AuditEvent.subject == "person", AuditEvent.subject_id == person_id)
    total, page = _counted(session, statement, page)
    rows = session.scalars(
        statement.order_by(AuditEvent.at.desc(), AuditEvent.id.desc()).limit(PAGE).offset((page - 1) * PAGE)
    )
    found = tuple(
        Change(row.at, row.actor_id, row.action, row.subject, row.subject_id, row.details) for row in rows
    )
    return Lines(found, total, page)


def _counted(session: Session, statement: Select[Any], page: int) -> tuple[int, int]:
    total = session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0
    return total, max(1, min(page, -(-total // PAGE)))
