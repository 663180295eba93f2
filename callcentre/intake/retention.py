"""What of a list may not be kept: cells whose time is up, lists nobody imported, what undoing an import needed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from callcentre.directory.models import Programme as ProgrammeRow
from callcentre.intake.keeping import forget
from callcentre.intake.kinds import ListState
from callcentre.intake.models import ListChange, ListFile, ListRow
from callcentre.intake.reasons import from_json
from callcentre.programmes import Programme

_NEVER_IMPORTED = (ListState.CHECKED, ListState.UNMAPPED)


def purge_quarantine(session: Session, now: datetime) -> int:
    """Empty the rows whose time is up: only row number and reason remain; return how many."""
    query = select(ListRow).where(ListRow.purge_on.is_not(None), ListRow.purge_on <= now.date())
    rows = session.scalars(query).all()
    for row in rows:
        row.cells, row.purge_on, row.settled_at = None, None, row.settled_at or now
        row.reasons = [reason.without_value().as_json() for reason in from_json(row.reasons)]
    session.flush()
    return len(rows)


def forget_lists(session: Session, programmes: Iterable[Programme], now: datetime) -> int:
    """Drop the lists that nobody imported in time, with their bytes; return how many.

    What an import changed is forgotten too, once the import can no longer be undone.
    """
    forgotten = 0
    for programme in programmes:
        programme_id = session.scalar(select(ProgrammeRow.id).where(ProgrammeRow.code == programme.code))
        if programme_id is None:
            continue
        gone = session.scalars(
            select(ListFile.id).where(
                ListFile.programme_id == programme_id,
                ListFile.state.in_(_NEVER_IMPORTED),
                ListFile.uploaded_at <= now - timedelta(days=programme.intake.checked_days),
            )
        ).all()
        forget(session, gone)
        session.execute(delete(ListFile).where(ListFile.id.in_(gone)))
        forgotten += len(gone)
        final = select(ListFile.id).where(
            ListFile.programme_id == programme_id,
            ListFile.finished_at <= now - timedelta(days=programme.intake.undo_days),
        )
        session.execute(delete(ListChange).where(ListChange.list_file_id.in_(final)))
    return forgotten
