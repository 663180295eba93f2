"""On which numbers a call from a card was asked for: such a call ignores plan and caps, never a window or a stop.

A card that an officer opened by hand asks for nothing by itself: whoever was only looked up is called by the rules that
bind everybody. It is asked for by a call of theirs that nobody has dealt with: somebody who was cut off is rung back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from callcentre.callqueue.kinds import Lane
from callcentre.desk.conversation import LEFT
from callcentre.outreach.kinds import InboundOutcome, InboundState
from callcentre.outreach.message_models import InboundCall
from callcentre.outreach.models import Attempt
from callcentre.people.models import PersonNumber
from callcentre.retry.state import PersonState

RUNG_BACK_WITHIN = timedelta(hours=2)
"""How long after somebody called an officer may ring them back by hand; later, what they left is in the queue."""


AHEAD_OF_TIME = timedelta(minutes=5)
"""A call this long before a promised time is not the one that was promised, and keeps it only by being answered."""


class Held(Protocol):
    """What a lease and a turn have in common."""

    @property
    def lane(self) -> int:
        """Its lane, as `Lane` counts."""

    @property
    def due_at(self) -> datetime:
        """From when they were to be called."""

    @property
    def officer_id(self) -> int | None:
        """Who has it, None while nobody does."""


def numbers_asked(session: Session, state: PersonState, held: Held, *, now: datetime) -> frozenset[int]:
    """Return the ids of a person's numbers on which a call under this lease answers what they asked for.

    All of them for a promise, a missed call or a reply; those that have just called for a card opened by hand, also
    long before a promise; none for an ordinary turn.
    """
    own = frozenset(number.number_id for number in state.numbers)
    is_early = held.lane == Lane.PROMISE and held.due_at - now > AHEAD_OF_TIME
    if held.lane == Lane.LIVE_INBOUND or is_early:
        return own & _have_just_called(session, own, officer_id=held.officer_id, now=now)
    return own if held.lane < Lane.ORDINARY else frozenset()


def call_taken(session: Session, person_id: int, *, officer_id: int, now: datetime) -> int | None:
    """Return the number of this person's from which an officer took a call of which no result was given yet."""
    numbers = select(PersonNumber.number_id).where(PersonNumber.person_id == person_id)
    return session.scalar(
        select(InboundCall.number_id)
        .where(_taken_by(officer_id), _not_dealt_with(now), InboundCall.number_id.in_(numbers))
        .order_by(InboundCall.received_at.desc())
        .limit(1)
    )


def _have_just_called(
    session: Session, number_ids: frozenset[int], *, officer_id: int | None, now: datetime
) -> set[int | None]:
    """Those of these numbers that nobody took or this officer did, and of whose people no result was given since."""
    calls = select(InboundCall.number_id).where(
        or_(InboundCall.outcome.in_(LEFT), _taken_by(officer_id)),
        _not_dealt_with(now),
        InboundCall.number_id.in_(number_ids),
    )
    return set(session.scalars(calls))


def _taken_by(officer_id: int | None) -> ColumnElement[bool]:
    return (InboundCall.outcome == InboundOutcome.ANSWERED) & (InboundCall.officer_id == officer_id)


def _not_dealt_with(now: datetime) -> ColumnElement[bool]:
    """Calls of the last hours that wait in the inbox and of whose people no result was given since."""
    dealt_with = (
        select(Attempt.id)
        .join(PersonNumber, PersonNumber.person_id == Attempt.person_id)
        .where(
            PersonNumber.number_id == InboundCall.number_id,
            Attempt.disposition.is_not(None),
            Attempt.corrected_at.is_(None),
            Attempt.ended_at >= InboundCall.received_at,
        )
    )
    return and_(
        InboundCall.state == InboundState.OPEN,
        InboundCall.received_at > now - RUNG_BACK_WITHIN,
        ~dealt_with.exists(),
    )
