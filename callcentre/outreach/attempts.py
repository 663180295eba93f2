"""Attempts: one dialling of one number, from the click to its result."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from callcentre.dispositions import Disposition
from callcentre.outreach.models import Attempt
from callcentre.retry.windows import CallingHours
from callcentre.statements import Prepared

_EARLIER = Prepared(
    select(func.count())
    .select_from(Attempt)
    .where(Attempt.lease_token == bindparam("token"), Attempt.number_id == bindparam("number"))
)


def start(
    session: Session,
    *,
    programme_id: int,
    entry_id: int,
    person_id: int,
    number_id: int | None,
    owner: str | None,
    officer_id: int,
    lease_token: str,
    lane: int,
    callback_id: int | None,
    zone: ZoneInfo,
    hours: CallingHours,
    now: datetime,
    direction: str = "outbound",
    why: dict[str, Any] | None = None,
) -> Attempt:
    """Record that a number is being dialled. It counts from here on, whatever becomes of it."""
    block = hours.block_at(now, zone)
    earlier = 0
    if number_id is not None:
        earlier = _EARLIER.value(session, {"token": lease_token, "number": number_id})
    attempt = Attempt(
        programme_id=programme_id,
        entry_id=entry_id,
        person_id=person_id,
        number_id=number_id,
        owner=owner,
        officer_id=officer_id,
        lease_token=lease_token,
        sequence=earlier + 1,
        lane=lane,
        callback_id=callback_id,
        direction=direction,
        started_at=now,
        slot=block.slot.value if block else None,
        local_date=now.astimezone(zone).date(),
        why=why,
    )
    session.add(attempt)
    session.flush()
    return attempt


def hang_up(session: Session, attempt_id: int, *, now: datetime) -> None:
    """Note that the conversation is over while its result is still being written; a second time changes nothing."""
    session.execute(
        update(Attempt)
        .where(Attempt.id == attempt_id, Attempt.disposition.is_(None), Attempt.ended_at.is_(None))
        .values(ended_at=now)
    )


def pick_up(session: Session, attempt: Attempt) -> None:
    """Note that the same number is being called again before any result: the officer is back on the line."""
    if attempt.disposition is None or attempt.corrected_at is not None:
        attempt.ended_at = None
        session.flush()


def finish(
    session: Session, attempt: Attempt, disposition: Disposition, *, note: str | None, now: datetime
) -> None:
    """Close an attempt with its result; a corrected one is open again for its right result."""
    attempt.ended_at, attempt.disposition, attempt.retry_kind = now, disposition.code, disposition.retry.value
    attempt.note, attempt.corrected_at, attempt.corrected_by = note, None, None
    session.flush()


def correct(session: Session, attempt: Attempt, *, by: int, reason: str, now: datetime) -> None:
    """Mark a result as mistaken: the call was made and still counts, its result no longer does."""
    attempt.corrected_at, attempt.corrected_by, attempt.correction_reason = now, by, reason
    session.flush()
