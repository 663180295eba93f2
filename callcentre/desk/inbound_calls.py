"""Calls that come in on the single number: who it may be, who should take it, and that nobody who called is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from callcentre import phone
from callcentre.accounts.kinds import PresenceState
from callcentre.accounts.models import Presence
from callcentre.accounts.presence import PRESENCE_LIFETIME
from callcentre.callqueue import entries
from callcentre.callqueue.models import EntryState, Lane, QueueEntry, Turn
from callcentre.desk import heard
from callcentre.desk.context import Desk
from callcentre.outreach.kinds import InboundOutcome, InboundState
from callcentre.outreach.message_models import InboundCall, OfficerLine
from callcentre.outreach.models import Attempt, Callback, CallbackState
from callcentre.people import numbers, opt_outs
from callcentre.people.models import Opposition
from callcentre.planning.blocks import call_next
from callcentre.planning.states import states_of, zone_of
from callcentre.retry.reasons import ReasonCode, reason

_TOLD = frozenset({InboundOutcome.ANSWERED, InboundOutcome.VOICEMAIL, InboundOutcome.WANTS_CALL})
"""Ends that somebody made; a call that is merely over does not take their place."""
LAST_CALLED = timedelta(days=30)
"""How long the officer who called last is rung first."""
LONGEST_ON_THE_LINE = timedelta(minutes=2)
"""After so long no later caller waits for an earlier one, who leaves a message by then, or whose end was never told."""
RUNG_AT_ONCE = 4
"""Telephones that ring together at most."""


@dataclass(frozen=True, slots=True)
class Route:
    """Whom to ring for a call. `lines`: telephones, E.164, the best placed officer's first; empty: the caller waits."""

    is_open: bool
    lines: tuple[str, ...]
    officers: tuple[int, ...]


def take_in(session: Session, desk: Desk, *, sid: str, caller: str | None, now: datetime) -> InboundCall:
    """Note a call, once for each identifier of the provider; a hidden number is None."""
    known = session.scalar(select(InboundCall).where(InboundCall.provider_sid == sid))
    if known is not None:
        return known
    parsed = phone.parse(caller, desk.programme.region) if caller else None
    number_id = None
    if parsed is not None and parsed.e164 is not None:
        number_id = numbers.number_row(session, parsed.e164, parsed.kind.value).id
        heard.from_number(session, desk, number_id, now=now)
    call = InboundCall(
        provider_sid=sid,
        programme_id=desk.programme_id,
        number_id=number_id,
        caller=caller,
        received_at=now,
        state=InboundState.OPEN,
    )
    session.add(call)
    session.flush()
    return call


def route(session: Session, desk: Desk, call: InboundCall, *, now: datetime, looked: int = 0) -> Route:
    """Say whom to ring: who promised a call or called last, if they are free, else whoever is.

    Who knows the caller is rung alone at the first look only: after `looked` others, with the rest of who is free.
    Nobody, while another caller waits longer. Somebody's own task from the start: what is left of the call is shown to
    who knows the caller first.
    """
    if not desk.policy.hours.is_open(now, desk.programme.tz):
        return Route(False, (), ())
    free = session.execute(
        select(OfficerLine.user_id, OfficerLine.e164)
        .join(Presence, Presence.user_id == OfficerLine.user_id)
        .where(
            Presence.state == PresenceState.AVAILABLE,
            Presence.seen_at > now - PRESENCE_LIFETIME,
            OfficerLine.user_id.not_in(_calling()),
        )
    ).all()
    first = call.officer_id = _whose(session, call.number_id, now)
    if _somebody_waits_longer(session, call, now):
        return Route(True, (), ())
    ordered = sorted(((row[0], row[1]) for row in free), key=lambda line: (line[0] != first, line[0]))
    alone = not looked and ordered and ordered[0][0] == first
    ring = ordered[: 1 if alone else RUNG_AT_ONCE]
    return Route(True, tuple(line for _, line in ring), tuple(user for user, _ in ring))


def _somebody_waits_longer(session: Session, call: InboundCall, now: datetime) -> bool:
    """Whether an earlier caller is on the line whom nobody has taken; one whose end was never told is passed over."""
    earlier = select(InboundCall.id).where(
        InboundCall.programme_id == call.programme_id,
        InboundCall.id < call.id,
        InboundCall.outcome.is_(None),
        InboundCall.ended_at.is_(None),
        InboundCall.received_at > now - LONGEST_ON_THE_LINE,
    )
    return session.scalar(earlier.limit(1)) is not None


def taken(session: Session, call_id: int, *, officer_id: int) -> bool:
    """An officer pressed the key: the call is theirs; False when a colleague was quicker, or nobody calls any more."""
    taken_now = session.execute(
        update(InboundCall)
        .where(InboundCall.id == call_id, InboundCall.outcome.is_(None))
        .values(outcome=InboundOutcome.ANSWERED, officer_id=officer_id)
        .returning(InboundCall.id)
    ).scalar()
    return taken_now is not None


def is_over(session: Session, call: InboundCall, *, now: datetime) -> bool:
    """Note the end of a call that somebody of the team took; False when nobody did."""
    if call.outcome != InboundOutcome.ANSWERED:
        return False
    call.ended_at = call.ended_at or now
    session.flush()
    return True


def left_message(
    session: Session,
    desk: Desk,
    call: InboundCall,
    *,
    recording: str | None,
    seconds: int | None,
    now: datetime,
) -> None:
    """A message was left: it is a task, and the caller is called back next."""
    call.recording_sid, call.recording_seconds = recording, seconds
    lost(session, desk, call, InboundOutcome.VOICEMAIL, now=now)


def lost(session: Session, desk: Desk, call: InboundCall, outcome: InboundOutcome, *, now: datetime) -> None:
    """Nobody took the call: whom it may be from is called back next. What the caller said of it stands.

    On the number that called, unless it may not be called at all. Whoever it proved not to belong to is not called
    back for it: perhaps a stranger asks who called, and an officer sees it in the inbox.
    """
    if call.outcome in _TOLD and outcome not in _TOLD:
        return
    call.outcome, call.ended_at = outcome, call.ended_at or now
    called = _numbers_to_call(session, desk, call, now)
    for entry in _callable(session, desk, list(called), now):
        local = call.received_at.astimezone(zone_of(session, entry.person_id))
        why = reason(ReasonCode.CALLED_US, day=local.date().isoformat(), time=f"{local:%H:%M}")
        number_id = called[entry.person_id]
        call_next(session, desk.programme, entry, Lane.MISSED_INBOUND, why, number_id=number_id, now=now)
    session.flush()


def caller_of(session: Session, call_id: int) -> str | None:
    """Return the number of a call that came in, as the provider gave it; None when it is hidden."""
    return session.scalar(select(InboundCall.caller).where(InboundCall.id == call_id))


def people_of(session: Session, call: InboundCall) -> list[int]:
    """Return everybody whom the caller's number reaches."""
    return [] if call.number_id is None else sorted(opt_outs.people_reached_by(session, call.number_id))


def _numbers_to_call(session: Session, desk: Desk, call: InboundCall, now: datetime) -> dict[int, int]:
    """Whom a call may be from, with the number on which each may be called back."""
    if call.number_id is None:
        return {}
    states = states_of(session, desk.programme, desk.programme_id, people_of(session, call))
    found = {
        person_id: heard.number_to_call(state, desk, call.number_id, now=now)
        for person_id, state in states.items()
    }
    return {person_id: number_id for person_id, number_id in found.items() if number_id is not None}


def _callable(session: Session, desk: Desk, person_ids: Sequence[int], now: datetime) -> list[QueueEntry]:
    """The places of people who may be called back: open ones, and closed ones that a call from them re-opens."""
    opposed = set(
        session.scalars(
            select(Opposition.person_id).where(
                Opposition.person_id.in_(person_ids), Opposition.revoked_at.is_(None)
            )
        )
    )
    found = session.scalars(
        select(QueueEntry).where(
            QueueEntry.programme_id == desk.programme_id, QueueEntry.person_id.in_(person_ids)
        )
    ).all()
    ready: list[QueueEntry] = []
    for entry in found:
        if entry.person_id in opposed:
            continue
        if entry.state != EntryState.OPEN:
            if "inbound" not in (entry.reopened_by or "").split():
                continue
            entries.reopen(session, entry, now=now)
        ready.append(entry)
    return ready


def _calling() -> Select[int | None]:
    """Officers who are on a call."""
    return select(Turn.officer_id).where(Turn.officer_id.is_not(None), Turn.attempt_id.is_not(None))


def _whose(session: Session, number_id: int | None, now: datetime) -> int | None:
    """Return who promised this number a call, else who called it last."""
    if number_id is None:
        return None
    promised = session.scalar(
        select(Callback.officer_id)
        .where(
            Callback.number_id == number_id,
            Callback.settled_at.is_(None),
            Callback.state.in_((CallbackState.PROMISED, CallbackState.MISSED)),
        )
        .order_by(Callback.promised_at)
        .limit(1)
    )
    if promised is not None:
        return promised
    return session.scalar(
        select(Attempt.officer_id)
        .where(Attempt.number_id == number_id, Attempt.started_at > now - LAST_CALLED)
        .order_by(Attempt.started_at.desc())
        .limit(1)
    )
