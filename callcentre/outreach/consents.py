"""WhatsApp's own consent: who agreed to it, and until when somebody who wrote there may be answered freely.

Who writes to us there opens a window of 24 hours in which they may be answered, and agrees to nothing more. What the
plan sends there needs a standing consent, which an officer notes when it is given; a stop takes it back.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcentre.outreach.kinds import Channel
from callcentre.outreach.message_models import ChannelConsent
from callcentre.outreach.sending import WhatsApp

BY_OFFICER, BY_WRITING = "officer", "inbound"
NOTHING = WhatsApp()


def of_numbers(session: Session, number_ids: Collection[int]) -> dict[int, WhatsApp]:
    """Return what each number agreed to; one that never wrote nor agreed is left out."""
    rows = session.scalars(
        select(ChannelConsent).where(
            ChannelConsent.number_id.in_(list(number_ids)), ChannelConsent.channel == Channel.WHATSAPP
        )
    )
    return {row.number_id: WhatsApp(_standing(row), row.last_inbound_at) for row in rows}


def of_number(session: Session, number_id: int) -> WhatsApp:
    """Return what a number agreed to."""
    return of_numbers(session, [number_id]).get(number_id, NOTHING)


def heard(session: Session, number_id: int, *, now: datetime) -> None:
    """Somebody wrote to us there: the window is open."""
    row = _row(session, number_id, now=now)
    row.last_inbound_at = now
    session.flush()


def give(session: Session, number_id: int, *, by: int, now: datetime) -> None:
    """Note that a number agreed to be written to there, as an officer heard it."""
    row = _row(session, number_id, now=now)
    row.given_at, row.given_how, row.recorded_by, row.withdrawn_at = now, BY_OFFICER, by, None
    session.flush()


def withdraw(session: Session, number_id: int, *, now: datetime) -> None:
    """Take a consent back; the window that was open closes with it."""
    session.execute(
        update(ChannelConsent)
        .where(
            ChannelConsent.number_id == number_id,
            ChannelConsent.channel == Channel.WHATSAPP,
            ChannelConsent.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now, last_inbound_at=None)
    )


def _row(session: Session, number_id: int, *, now: datetime) -> ChannelConsent:
    row = session.get(ChannelConsent, (number_id, Channel.WHATSAPP.value))
    if row is None:
        row = ChannelConsent(
            number_id=number_id, channel=Channel.WHATSAPP, given_at=now, given_how=BY_WRITING
        )
        session.add(row)
    return row


def _standing(row: ChannelConsent) -> datetime | None:
    return row.given_at if row.given_how == BY_OFFICER and row.withdrawn_at is None else None
