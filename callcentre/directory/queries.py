"""Every read of the directory."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.directory.models import Programme, School, Territory


@dataclass(frozen=True, slots=True)
class TerritoryView:
    """A territory; `weight` is a supervisor's figure or None."""

    id: int
    code: str
    label: str
    weight: int | None


@dataclass(frozen=True, slots=True)
class SchoolView:
    """An establishment."""

    id: int
    uai: str | None
    name: str
    commune: str | None


def programme_id(session: Session, code: str) -> int | None:
    """Return the row id of a programme, or None when the database does not know it yet."""
    return session.scalar(select(Programme.id).where(Programme.code == code))


def territories(session: Session, programme_id: int) -> tuple[TerritoryView, ...]:
    """Return a programme's territories in the order of its file."""
    rows = session.scalars(
        select(Territory)
        .where(Territory.programme_id == programme_id)
        .order_by(Territory.position, Territory.id)
    )
    return tuple(TerritoryView(row.id, row.code, row.label, row.weight) for row in rows)


def school(session: Session, school_id: int | None) -> SchoolView | None:
    """Return an establishment."""
    row = session.get(School, school_id) if school_id is not None else None
    return None if row is None else SchoolView(row.id, row.uai, row.name, row.commune)
