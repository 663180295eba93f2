"""On which numbers a call from a card was asked for: such a call ignores plan and caps, never a window or a stop.

A card that an officer opened by hand asks for nothing by itself: whoever was only looked up is called by the rules that
bind everybody. It is asked for by a call of theirs that nobody has dealt with, or by a message that asks for one and
waits in the inbox: somebody who was cut off is rung back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from callcentre.callqueue.kinds import Lane
from callcentre.desk.conversation import LEFT
from callcentre.outreach.kinds import InboundOutcome, InboundState
from callcentre.outreach.message_models import InboundCall, InboundMessage
from callcentre.outreach.models import Attempt
from callcentre.outreach.replies import Meaning
from callcentre.people.kinds import NumberVerdict
from callcentre.people.models import PersonNumber
from callcentre.retry.state import NumberState, PersonState

RUNG_BACK_WITHIN = timedelta(hours=2)
"""How long after somebody called an officer may ring them back by hand; later, what they left is in the queue.

What came from a number that had proved wrong is in no queue: it may be rung back for as long as it waits in the inbox.
"""
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

    All of them for a promise, a missed call or a reply; those that have just called, or wrote for a call, for a card
    opened by hand, also long before a promise; none for an ordinary turn.
    """
    own = frozenset(number.number_id for number in state.numbers)
    if _is_by_hand(held, now):
        wrong = frozenset(number.number_id for number in state.numbers if _seemed_wrong(number))
        called = _have_just_called(session, own, wrong, officer_id=held.officer_id, now=now)
        return own & (called | _have_written(session, own))
    return own if held.lane < Lane.ORDINARY else frozenset()


def _is_by_hand(held: Held, now: datetime) -> bool:
    """Whether it was not the queue that gave the card."""
    is_early = held.lane == Lane.PROMISE and held.due_at - now > AHEAD_OF_TIME
    return held.lane == Lane.LIVE_INBOUND or is_early


def trusting(state: PersonState, held: Held, asked: frozenset[int], *, now: datetime) -> PersonState:
    """The person as an officer who opened their card sees them: a number that asks may be tried though it seemed wrong.

    Nobody but the officer who saw what came decides so; the verdict stands until the call shows another.
    """
    if not _is_by_hand(held, now):
        return state
    numbers = (
        replace(number, usable=True, why_not=None)
        if number.number_id in asked and _seemed_wrong(number)
        else number
        for number in state.numbers
    )
    return replace(state, numbers=tuple(numbers))


def _seemed_wrong(number: NumberState) -> bool:
    return number.why_not == NumberVerdict.WRONG


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
    session: Session,
    number_ids: frozenset[int],
    in_no_queue: frozenset[int],
    *,
    officer_id: int | None,
    now: datetime,
) -> set[int | None]:
    """Those of these numbers that nobody took or this officer did, and of whose people no result was given since."""
    calls = select(InboundCall.number_id).where(
        or_(InboundCall.outcome.in_(LEFT), _taken_by(officer_id)),
        _not_dealt_with(now, in_no_queue),
        InboundCall.number_id.in_(number_ids),
    )
    return set(session.scalars(calls))


def _have_written(session: Session, number_ids: frozenset[int]) -> set[int | None]:
    """Those of these numbers whose message asks for a call, waits in the inbox, and brought no result since."""
    messages = select(InboundMessage.number_id).where(
        InboundMessage.meaning.in_((Meaning.CALLBACK, Meaning.INTEREST)),
        InboundMessage.state == InboundState.OPEN,
        InboundMessage.number_id.in_(number_ids),
        ~_result_since(InboundMessage),
    )
    return set(session.scalars(messages))


def _taken_by(officer_id: int | None) -> ColumnElement[bool]:
    return (InboundCall.outcome == InboundOutcome.ANSWERED) & (InboundCall.officer_id == officer_id)


def _not_dealt_with(now: datetime, in_no_queue: frozenset[int] = frozenset()) -> ColumnElement[bool]:
    """Calls of the last hours that wait in the inbox and of whose people no result was given since."""
    return and_(
        InboundCall.state == InboundState.OPEN,
        or_(InboundCall.received_at > now - RUNG_BACK_WITHIN, InboundCall.number_id.in_(in_no_queue)),
        ~_result_since(InboundCall),
    )


def _result_since(received: type[InboundCall] | type[InboundMessage]) -> ColumnElement[bool]:
    """Whether a call to somebody whom the number reaches has had its result since something came from it."""
    dealt_with = (
        select(Attempt.id)
        .join(PersonNumber, PersonNumber.person_id == Attempt.person_id)
        .where(
            PersonNumber.number_id == received.number_id,
            Attempt.disposition.is_not(None),
            Attempt.corrected_at.is_(None),
            Attempt.ended_at >= received.received_at,
        )
    )
    return dealt_with.exists()
