"""What messages and bridged calls came to: backlog, results, cost by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcentre.outreach.kinds import MessageState
from callcentre.outreach.message_models import Message, ProviderCall
from callcentre.outreach.segments import measure


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is on its way. `oldest_due`: since when the oldest message that could leave has been waiting."""

    by_state: dict[str, int]
    waiting: int
    oldest_due: datetime | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a day came to: parts of messages, minutes of calls, euro cents."""

    day: date
    messages: int
    parts: int
    calls: int
    minutes: int
    cents: float


def traffic(session: Session, programme_id: int, *, now: datetime) -> Traffic:
    """Return the messages of a programme by state, and the backlog."""
    rows = session.execute(
        select(Message.state, func.count())
        .where(Message.programme_id == programme_id)
        .group_by(Message.state)
    )
    due = (Message.programme_id == programme_id, Message.state == MessageState.PLANNED, Message.due_at <= now)
    waiting, oldest = session.execute(select(func.count(), func.min(Message.due_at)).where(*due)).one()
    return Traffic({row[0]: row[1] for row in rows}, waiting, oldest)


def costs(
    session: Session,
    programme_id: int,
    *,
    zone: ZoneInfo,
    now: datetime,
    message_cents: float,
    call_minute_cents: float,
    days: int = 14,
) -> list[Cost]:
    """Return what each of the last days came to, the newest first; a guess, the provider's invoice decides."""
    since = now - timedelta(days=days)
    parts: dict[date, list[int]] = {}
    for body, sent_at in session.execute(
        select(Message.body, Message.sent_at).where(
            Message.programme_id == programme_id,
            Message.sent_at > since,
            Message.provider_status != "recorded",
        )
    ):
        assert sent_at is not None  # the condition above
        parts.setdefault(sent_at.astimezone(zone).date(), []).append(measure(body).parts)
    minutes: dict[date, list[int]] = {}
    for opened_at, seconds in session.execute(
        select(ProviderCall.opened_at, ProviderCall.seconds).where(ProviderCall.opened_at > since)
    ):
        minutes.setdefault(opened_at.astimezone(zone).date(), []).append(-(-(seconds or 0) // 60))
    return [
        Cost(
            day=day,
            messages=len(parts.get(day, ())),
            parts=sum(parts.get(day, ())),
            calls=len(minutes.get(day, ())),
            minutes=sum(minutes.get(day, ())),
            cents=sum(parts.get(day, ())) * message_cents + sum(minutes.get(day, ())) * call_minute_cents,
        )
        for day in sorted({*parts, *minutes}, reverse=True)
    ]
