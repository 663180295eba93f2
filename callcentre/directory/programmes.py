"""Programme files meet the database: each programme and territory of `config/` has its row."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.directory.models import Installation, Programme, Territory
from callcentre.programmes import Programme as ProgrammeFile

UNASSIGNED = "unassigned"
"""Code of the territory that every programme has for people whom no postal code places."""


def synchronise(session: Session, programmes: Iterable[ProgrammeFile]) -> None:
    """Create or rename the rows of programmes and territories; none is ever deleted, since people belong to them."""
    for file in programmes:
        row = session.scalar(select(Programme).where(Programme.code == file.code))
        if row is None:
            row = Programme(code=file.code, label=file.labels["fr"])
            session.add(row)
        row.label = file.labels["fr"]
        session.flush()
        known = {
            t.code: t for t in session.scalars(select(Territory).where(Territory.programme_id == row.id))
        }
        wanted = [(t.code, t.label, t.weight) for t in file.territories] + [(UNASSIGNED, "À rattacher", None)]
        for position, (code, label, weight) in enumerate(wanted):
            territory = known.get(code)
            if territory is None:
                session.add(
                    Territory(programme_id=row.id, code=code, label=label, position=position, weight=weight)
                )
            else:
                territory.label, territory.position = label, position
    session.flush()


def mark_as_demo(session: Session) -> None:
    """Mark this database as one whose people are fictitious; only such a one may be played with."""
    if session.get(Installation, "demo") is None:
        session.add(Installation(key="demo", value="true"))
        session.flush()


def is_demo(session: Session) -> bool:
    """Tell whether this database was created with the demo mark."""
    return session.get(Installation, "demo") is not None
