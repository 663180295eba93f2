"""What the provider told us, each thing once, and how many of its requests were taken or refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callcentre.bulk import insert_rows
from callcentre.outreach.kinds import EventKind
from callcentre.outreach.message_models import ProviderEvent, WebhookCount

KEPT = timedelta(days=60)
"""How long an event is remembered, so that its repeats are known."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing told. `sid`: the provider's name of the message or call; `subject`: ours, from the address."""

    kind: EventKind
    sid: str
    status: str
    sequence: int = 0
    subject: str | None = None
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The requests of a day by verdict, and when the last of each came."""

    day: date
    numbers: dict[str, int]
    last_at: dict[str, datetime]


def note(session: Session, event: Event, *, now: datetime) -> bool:
    """Write an event down; False when it was known already and nothing must follow from it again."""
    row = ProviderEvent(
        kind=event.kind,
        sid=event.sid[:64],
        status=event.status[:20],
        sequence=event.sequence,
        subject=event.subject,
        error_code=event.error_code,
        received_at=now,
        known=True,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def is_unknown(session: Session, event: Event) -> None:
    """Mark an event as one about something that is not ours."""
    session.execute(update(ProviderEvent).where(_same(event)).values(known=False))


def count(session: Session, verdict: str, *, day: date, now: datetime) -> None:
    """Count a request of the provider: accepted, repeated, forged or malformed."""
    row = {"day": day, "verdict": verdict, "number": 0, "last_at": now}
    insert_rows(session, WebhookCount.__table__, [row], skip_known=True)
    session.execute(
        update(WebhookCount)
        .where(WebhookCount.day == day, WebhookCount.verdict == verdict)
        .values(number=WebhookCount.number + 1, last_at=now)
    )


def health(session: Session, *, since: date) -> list[Health]:
    """Return the requests of each day, the newest first."""
    rows = session.scalars(
        select(WebhookCount).where(WebhookCount.day >= since).order_by(WebhookCount.day.desc())
    ).all()
    days = dict.fromkeys(row.day for row in rows)
    return [
        Health(
            day,
            {row.verdict: row.number for row in rows if row.day == day},
            {row.verdict: row.last_at for row in rows if row.day == day},
        )
        for day in days
    ]


def forget_old(session: Session, *, now: datetime) -> int:
    """Forget events that are too old to be repeated; return how many."""
    old = delete(ProviderEvent).where(ProviderEvent.received_at < now - KEPT).returning(ProviderEvent.id)
    return len(session.execute(old).all())


def _same(event: Event) -> ColumnElement[bool]:
    return and_(
        ProviderEvent.kind == event.kind,
        ProviderEvent.sid == event.sid[:64],
        ProviderEvent.status == event.status[:20],
        ProviderEvent.sequence == event.sequence,
    )
