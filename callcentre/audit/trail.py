"""The audit trail: written with the change it tells of, never altered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from callcentre.audit.models import AuditEvent


def record(
    session: Session,
    action: str,
    subject: str,
    subject_id: int | None,
    *,
    by: int | None,
    now: datetime,
    details: dict[str, Any] | None = None,
) -> None:
    """Note that somebody did something; `details` holds identifiers and codes, never a name or a number.

    Words that somebody typed are kept here only of what concerns nobody, such as why learning was frozen.
    """
    session.add(
        AuditEvent(
            at=now, actor_id=by, action=action, subject=subject, subject_id=subject_id, details=details or {}
        )
    )
