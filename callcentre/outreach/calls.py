"""The provider's side of an attempt: the officer's telephone rings first, a key calls the young person.

What the provider tells of a call is a hint that pre-fills the result; the officer's word is the result. Only the leg
to the young person says whether they answered: the officer's leg ends the same way with a voicemail or with nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from callcentre.errors import NotAllowed
from callcentre.outreach.kinds import CALL_RANK, CallChannel
from callcentre.outreach.message_models import OfficerLine, ProviderCall
from callcentre.outreach.models import Attempt
from callcentre.outreach.provider import Receipt
from callcentre.people import opt_outs
from callcentre.people.models import PhoneNumber

ENDED = CALL_RANK["completed"]
SILENT_AFTER = timedelta(minutes=2)
"""A call of which nothing was heard for so long is asked about."""
ASKED_ABOUT_FOR = timedelta(days=1)
"""How long the provider is asked about a call whose end it never told."""


class Hint(StrEnum):
    """What the provider makes of a call: the programme's file says which result it pre-fills."""

    ANSWERED = "answered"
    MACHINE = "machine"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"


_HINTS = {"busy": Hint.BUSY, "no-answer": Hint.NO_ANSWER, "failed": Hint.FAILED, "canceled": None}


@dataclass(frozen=True, slots=True)
class Caps:
    """How many bridged calls the whole team may make; a guard against toll fraud."""

    per_hour: int
    per_day: int


@dataclass(frozen=True, slots=True)
class CallView:
    """A call as its officer sees it; `hint` None while nothing is known that would pre-fill the result."""

    attempt_id: int
    channel: CallChannel
    step: str
    """`asking`, `officer_rings`, `press_key`, `rings`, `talking`, `ended` or `failed`."""
    hint: Hint | None
    seconds: int | None
    error_code: int | None


def identity(officer_id: int) -> str:
    """Return the name under which an officer's browser is known to the provider: never a personal one."""
    return f"officer_{officer_id}"


def set_line(session: Session, user_id: int, e164: str | None, *, now: datetime) -> None:
    """Keep the number of an officer's own telephone, or forget it."""
    row = session.get(OfficerLine, user_id)
    if e164 is None:
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(OfficerLine(user_id=user_id, e164=e164, updated_at=now))
    else:
        row.e164, row.updated_at = e164, now
    session.flush()


def line_of(session: Session, user_id: int) -> str | None:
    """Return the number of an officer's own telephone, E.164, or None."""
    return session.scalar(select(OfficerLine.e164).where(OfficerLine.user_id == user_id))


def open_call(
    session: Session, attempt: Attempt, channel: CallChannel, *, caps: Caps, now: datetime
) -> ProviderCall:
    """Note that an attempt is about to go through the provider.

    Raises NotAllowed while it is under way or the provider is still being asked for it, and above the team's caps. A
    call made again under the same attempt (the browser's telephone failed, the line was busy) begins anew: what is told
    of the earlier one no longer counts.
    """
    call = session.get(ProviderCall, attempt.id, with_for_update=True)
    if call is not None and _is_under_way(call, now):
        raise NotAllowed("Cet appel est déjà en cours : votre téléphone sonne.", reason="call_under_way")
    _guard(session, caps, now)
    if call is not None:
        call.channel, call.uid, call.opened_at = channel, str(uuid4()), now
        call.parent_sid = call.parent_status = call.child_sid = call.child_status = call.error_code = None
        call.parent_rank = call.child_rank = -1
        call.accepted_at = call.answered_at = call.ended_at = call.seconds = call.answered_by = None
    else:
        call = ProviderCall(
            attempt_id=attempt.id,
            uid=str(uuid4()),
            officer_id=attempt.officer_id,
            channel=channel,
            opened_at=now,
            parent_rank=-1,
            child_rank=-1,
        )
        session.add(call)
    session.flush()
    return call


def asked(session: Session, attempt_id: int, receipt: Receipt) -> None:
    """The provider took the call; a callback may have told so before."""
    call = session.get_one(ProviderCall, attempt_id, with_for_update=True)
    if call.parent_sid is None:
        call.parent_sid = receipt.sid
    _raise_parent(call, receipt.status)
    session.flush()


def not_ours_yet(session: Session, found: Sequence[Receipt]) -> Receipt | None:
    """Return the first of the provider's calls that belongs to none of ours."""
    known = set(
        session.scalars(
            select(ProviderCall.parent_sid).where(ProviderCall.parent_sid.in_([one.sid for one in found]))
        )
    )
    return next((one for one in found if one.sid not in known), None)


def failed(session: Session, attempt_id: int, code: int | None, *, now: datetime) -> None:
    """The provider did not take it: the officer dials by themselves, under the same attempt."""
    call = session.get_one(ProviderCall, attempt_id, with_for_update=True)
    call.error_code, call.parent_status, call.parent_rank = code or 0, "failed", ENDED
    call.ended_at = now
    session.flush()


def by_uid(session: Session, uid: str) -> ProviderCall | None:
    """Return the call of our own name for it, locked."""
    return session.scalar(select(ProviderCall).where(ProviderCall.uid == uid).with_for_update())


def officer_leg(session: Session, uid: str, *, sid: str, status: str, now: datetime) -> bool:
    """Take in what became of the officer's leg; False when the call is not ours."""
    call = by_uid(session, uid)
    if call is None:
        return False
    if call.parent_sid is None:
        call.parent_sid = sid
    if call.parent_sid == sid:
        _raise_parent(call, status)
        if call.parent_rank >= ENDED and call.ended_at is None:
            call.ended_at = now
    session.flush()
    return True


def accept(session: Session, uid: str, *, now: datetime) -> str | None:
    """The officer pressed the key: return the number to call, or None when it may not, or not any more, be called.

    Pressed twice, it is the same call: only the first one dials. Nor does one that was given up: the officer was told
    to dial by hand. Nor one during which a stop came.
    """
    call = by_uid(session, uid)
    if call is None or call.accepted_at is not None or call.error_code is not None:
        return None
    attempt = session.get_one(Attempt, call.attempt_id)
    if attempt.disposition is not None or attempt.number_id is None:
        return None
    if opt_outs.forbids(session, person_id=attempt.person_id, number_id=attempt.number_id):
        return None
    call.accepted_at = now
    session.flush()
    return session.get_one(PhoneNumber, attempt.number_id).e164


def person_leg(
    session: Session, uid: str, *, sid: str, status: str, seconds: int | None, now: datetime
) -> bool:
    """Take in what became of the young person's leg; False when the call is not ours."""
    call = by_uid(session, uid)
    if call is None:
        return False
    if call.child_sid is None:
        call.child_sid = sid
    rank = CALL_RANK.get(status, -1)
    if call.child_sid == sid and rank > call.child_rank:
        call.child_status, call.child_rank = status, rank
        if rank == CALL_RANK["in-progress"] or (status == "completed" and call.answered_at is None):
            call.answered_at = now - timedelta(seconds=seconds or 0)
        if seconds is not None:
            call.seconds = seconds
        if rank >= ENDED:
            call.ended_at = now
    session.flush()
    return True


def machine(session: Session, uid: str, answered_by: str) -> bool:
    """Keep what the machine detection took it for; it is right nine times in ten, so it is a hint."""
    call = by_uid(session, uid)
    if call is None:
        return False
    call.answered_by = answered_by[:24]
    session.flush()
    return True


def view(session: Session, attempt_id: int) -> CallView | None:
    """Return a call as its officer sees it; None for an attempt that the provider has no part in."""
    call = session.get(ProviderCall, attempt_id)
    if call is None:
        return None
    return CallView(
        attempt_id=attempt_id,
        channel=CallChannel(call.channel),
        step=_step(call),
        hint=_hint(call),
        seconds=call.seconds,
        error_code=call.error_code,
    )


def to_reconcile(session: Session, *, now: datetime, limit: int) -> list[ProviderCall]:
    """Return calls whose end, or whose young person's end, was not told for a while; oldest first."""
    lost_leg = and_(ProviderCall.accepted_at.is_not(None), ProviderCall.child_rank < ENDED)
    return list(
        session.scalars(
            select(ProviderCall)
            .where(
                or_(ProviderCall.ended_at.is_(None), ProviderCall.parent_rank < ENDED, lost_leg),
                ProviderCall.opened_at < now - SILENT_AFTER,
                ProviderCall.opened_at > now - ASKED_ABOUT_FOR,
            )
            .order_by(ProviderCall.opened_at)
            .limit(limit)
        )
    )


def reconciled(
    session: Session, uid: str, officer: Receipt | None, legs: Sequence[Receipt], *, now: datetime
) -> None:
    """Take in what the provider answers when it is asked about a call and the legs that it made.

    `officer` None: it never told its name of the call, so that nobody can ask; the call was not made as far as we know.
    """
    call = by_uid(session, uid)
    if call is None:
        return
    if officer is None:
        failed(session, call.attempt_id, None, now=now)
        return
    for leg in legs:
        person_leg(session, uid, sid=leg.sid, status=leg.status, seconds=leg.seconds, now=now)
        if leg.answered_by and call.answered_by is None:
            machine(session, uid, leg.answered_by)
    officer_leg(session, uid, sid=officer.sid, status=officer.status, now=now)
    if (
        call.parent_rank >= ENDED and call.child_rank < ENDED
    ):  # the officer's leg is over: nobody rings any more
        call.child_status, call.child_rank = "canceled", ENDED
    session.flush()


def _is_under_way(call: ProviderCall, now: datetime) -> bool:
    """Whether the officer's leg goes on, or the provider was asked for it a moment ago; a browser asks for none."""
    if call.parent_rank >= ENDED:
        return False
    asking = call.channel == CallChannel.BRIDGE and call.opened_at > now - SILENT_AFTER
    return call.parent_sid is not None or asking


def _guard(session: Session, caps: Caps, now: datetime) -> None:
    made = [
        session.scalar(
            select(func.count()).select_from(ProviderCall).where(ProviderCall.opened_at > now - span)
        )
        for span in (timedelta(hours=1), timedelta(days=1))
    ]
    if (made[0] or 0) >= caps.per_hour or (made[1] or 0) >= caps.per_day:
        raise NotAllowed(
            "La limite d'appels par la plateforme est atteinte : composez le numéro vous-même.",
            reason="call_cap",
        )


def _raise_parent(call: ProviderCall, status: str) -> None:
    rank = CALL_RANK.get(status, -1)
    if rank > call.parent_rank:
        call.parent_status, call.parent_rank = status, rank


def _step(call: ProviderCall) -> str:
    if call.error_code is not None:
        return "failed"
    if call.child_rank >= ENDED or call.parent_rank >= ENDED:
        return "ended"
    if call.child_rank >= CALL_RANK["in-progress"]:
        return "talking"
    if call.accepted_at is not None:
        return "rings"
    if call.parent_rank >= CALL_RANK["in-progress"]:
        return "press_key"
    return "officer_rings" if call.parent_sid is not None else "asking"


def _hint(call: ProviderCall) -> Hint | None:
    if call.child_rank < ENDED:
        return Hint.MACHINE if _is_machine(call) else None
    if call.child_status == "completed":
        return Hint.MACHINE if _is_machine(call) else Hint.ANSWERED
    return _HINTS.get(call.child_status or "")


def _is_machine(call: ProviderCall) -> bool:
    return (call.answered_by or "").startswith(("machine", "fax"))
