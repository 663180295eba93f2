"""What a list may not keep: quarantined rows of people who are too young go when their time is up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.intake.models import ListRow
from callcentre.intake.reasons import from_json


def purge_quarantine(session: Session, now: datetime) -> int:
    """Empty the quarantined rows whose time is up: only row number and reason remain; return how many."""
    query = select(ListRow).where(ListRow.purge_on.is_not(None), ListRow.purge_on <= now.date())
    rows = session.scalars(query).all()
    for row in rows:
        row.cells, row.purge_on, row.settled_at = None, None, now
        row.reasons = [reason.without_value().as_json() for reason in from_json(row.reasons)]
    session.flush()
    return len(rows)
