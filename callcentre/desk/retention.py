"""What the desk forgets: idempotency keys after a month, drafts that nobody came back to."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from callcentre.desk.models import Draft, OutcomeSubmission


def forget_old(session: Session, *, now: datetime, keep: timedelta) -> int:
    """Delete submissions and drafts older than `keep`; return how many submissions. Attempts and stages stay."""
    session.execute(delete(Draft).where(Draft.updated_at < now - keep))
    forgotten = session.execute(
        delete(OutcomeSubmission)
        .where(OutcomeSubmission.created_at < now - keep)
        .returning(OutcomeSubmission.id)
    )
    return len(forgotten.all())
