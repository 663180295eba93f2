"""Promised calls in the queue: their officer's first, then the team's, and never lost on the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from callcentre.callqueue import turns
from callcentre.callqueue.models import EntryState, Lane, QueueEntry, Turn
from callcentre.desk.context import Desk
from callcentre.outreach.models import Callback, CallbackState
from callcentre.outreach.segments import fold
from callcentre.people.models import YoungPerson
from callcentre.planning.blocks import next_window
from callcentre.retry.reasons import Reason, ReasonCode, reason
from callcentre.statements import Prepared

_STANDING = Prepared(
    select(func.max(Callback.id)).where(
        Callback.entry_id == bindparam("entry"),
        Callback.state.in_((CallbackState.PROMISED, CallbackState.MISSED)),
        Callback.settled_at.is_(None),
        ~select(Turn.id).where(Turn.entry_id == bindparam("entry")).exists(),
    )
)


def put(session: Session, desk: Desk, entry: QueueEntry, callback: Callback, moment: datetime) -> None:
    """Put a promise into the queue at `moment`, or when calling next opens: its officer's, then the team's."""
    zone = ZoneInfo(session.get_one(YoungPerson, entry.person_id).zone)
    start, end = next_window(desk.programme, zone.key, moment)
    turns.put(
        session,
        entry,
        Lane.PROMISE,
        due_at=start,
        due_until=end,
        reason=why(callback.promised_at, zone).as_json(),
        number_id=callback.number_id,
        callback_id=callback.id,
        reserved_for=callback.officer_id,
        team_from=start + timedelta(minutes=desk.programme.limits.promise_to_team_minutes),
    )


def restore(session: Session, desk: Desk, entry: QueueEntry, *, now: datetime) -> Callback | None:
    """Put a promise that still stands back into the queue, if another call took its place there, and return it."""
    if entry.state != EntryState.OPEN:
        return None
    standing_id = _STANDING.value(session, {"entry": entry.id})
    if standing_id is None:
        return None
    standing = session.get_one(Callback, standing_id)
    put(session, desk, entry, standing, max(standing.promised_at, now))
    return standing


def why(promised_at: datetime, zone: ZoneInfo) -> Reason:
    """The reason that tells of a promise, in the person's own time."""
    local = promised_at.astimezone(zone)
    return reason(ReasonCode.PROMISED, day=local.date().isoformat(), time=f"{local:%H:%M}")


def confirmation(desk: Desk, at: datetime, *, asked: bool, language: str | None) -> str:
    """The text that answers a wish to be called: the hour (local), and whether it is the one that was asked for."""
    spoken = "en" if language == "en" else "fr"
    moment = format_datetime(
        at, "EEEE d MMMM 'à' HH'h'mm" if spoken == "fr" else "EEEE d MMMM 'at' HH:mm", locale=spoken
    )
    words = {
        ("fr", True): f"C'est noté : nous vous appellerons {moment}. STOP pour refuser.",
        (
            "fr",
            False,
        ): f"Nous n'appelons pas à cette heure : ce sera {moment}. Répondez pour en changer, STOP pour refuser.",
        ("en", True): f"Noted: we will call you on {moment}. STOP to refuse.",
        (
            "en",
            False,
        ): f"We do not call at that hour: it will be {moment}. Answer to change it, STOP to refuse.",
    }[spoken, asked]
    return fold(words) if desk.programme.messaging.folds_to_plain else words
