"""Serving an officer: the next person, the card they hold, giving it back, skipping, calling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from callcentre.accounts import presence
from callcentre.accounts import queries as accounts
from callcentre.accounts.kinds import PresenceState
from callcentre.callqueue import lease as leases
from callcentre.callqueue import turns
from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import EntryState, Lane, LeaseEnding, QueueEntry, Turn
from callcentre.desk.asked import numbers_asked, trusting
from callcentre.desk.context import Desk
from callcentre.errors import InvalidInput, LeaseLost, NotAllowed, NotFound
from callcentre.outreach import attempts
from callcentre.outreach.models import Attempt
from callcentre.people import opt_outs
from callcentre.people.models import PersonNumber
from callcentre.planning.blocks import is_low, next_window, plan_on_the_spot
from callcentre.planning.eligibility import reconsider
from callcentre.planning.states import states_of
from callcentre.retry.plan import may_call
from callcentre.retry.reasons import ReasonCode, reason, sentence
from callcentre.retry.rules import Refusal
from callcentre.statements import Prepared

_OWNER = Prepared(
    select(PersonNumber.owner).where(
        PersonNumber.person_id == bindparam("person"), PersonNumber.number_id == bindparam("number")
    )
)
SKIP_FOR = timedelta(minutes=30)
"""How long a skipped person waits when the officer names no time."""
FRUITLESS = timedelta(seconds=30)
"""How long after a planning that found nobody the next one waits, while there still is somebody ready."""


class Idle(StrEnum):
    """Why an officer is given nobody."""

    PAUSED = "paused"
    NOTHING_DUE = "nothing_due"
    QUEUE_EMPTY = "queue_empty"


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nobody to call now; `next_due_at` says when the next person is due, None when nobody is."""

    reason: Idle
    next_due_at: datetime | None


def serve_next(session: Session, desk: Desk, *, officer_id: int, now: datetime) -> Lease | Nothing:
    """Give an officer the next person, or again the one they hold."""
    state = presence.seen(session, officer_id, now=now)
    held = leases.of_officer(session, officer_id)
    if held is not None:
        return held
    if state is PresenceState.PAUSED:
        return Nothing(Idle.PAUSED, None)
    _top_up(session, desk, now)
    lease = _claim(session, desk, officer_id, now)
    if lease is None and _plan_on_the_spot(session, desk, now):
        lease = _claim(session, desk, officer_id, now)
    if lease is not None:
        return lease
    when = next_due_at(session, desk, now=now)
    return Nothing(Idle.NOTHING_DUE if when else Idle.QUEUE_EMPTY, when)


def held_by(session: Session, token: str, *, officer_id: int) -> Lease:
    """Return the lease that a token opens; raises LeaseLost when it is no longer the officer's."""
    lease = leases.of_token(session, token)
    if lease is None or lease.officer_id != officer_id:
        raise LeaseLost("Cette fiche n'est plus réservée pour vous.", kept=False)
    return lease


def renew(session: Session, desk: Desk, token: str, *, officer_id: int, now: datetime) -> Lease:
    """Extend a lease; raises LeaseLost when a colleague has the person now."""
    presence.seen(session, officer_id, now=now)
    lease = leases.renew(session, token, officer_id=officer_id, now=now, lifetime=desk.lifetime)
    if lease is None:
        raise LeaseLost("Cette fiche n'est plus réservée pour vous.", kept=False)
    return lease


def release(session: Session, token: str, *, officer_id: int, now: datetime) -> None:
    """Give a person back untouched; giving back what is no longer held does nothing."""
    lease = leases.of_token(session, token)
    if lease is not None and lease.officer_id == officer_id:
        leases.release(session, lease, now=now)


def skip(
    session: Session,
    desk: Desk,
    token: str,
    *,
    officer_id: int,
    reason_code: str,
    not_before: datetime | None,
    now: datetime,
) -> None:
    """Pass over a person with a reason: not an attempt; they come back at `not_before`, half an hour by default."""
    if reason_code not in desk.programme.skip_reasons:
        known = ", ".join(desk.programme.skip_reasons)
        raise InvalidInput("Indiquez pourquoi passer cette fiche (%(known)s).", field="reason", known=known)
    if not_before is not None and not_before <= now:
        raise InvalidInput("Le moment indiqué est déjà passé.", field="not_before")
    lease = held_by(session, token, officer_id=officer_id)
    if lease.attempt_id is not None:
        raise NotAllowed("Un appel a été lancé : indiquez son résultat.", reason="attempt_open")
    until = not_before or now + SKIP_FOR
    leases.end(session, lease, LeaseEnding.SKIPPED, now=now, skip_reason=reason_code)
    entry = session.get_one(QueueEntry, lease.entry_id)
    if lease.lane in (Lane.ORDINARY, Lane.LIVE_INBOUND):  # opened by hand: nobody waits on the line any more
        entry.paused_until = max(until, entry.paused_until or until)
        reconsider(session, desk.programme, desk.programme_id, [lease.person_id], now=now)
        return
    start, end = next_window(desk.programme, _zone(session, desk, lease.person_id), until)
    turns.put(
        session,
        entry,
        lease.lane,
        due_at=start,
        due_until=end,
        reason=lease.reason,
        number_id=lease.number_id,
        callback_id=lease.callback_id,
    )


def open_card(session: Session, desk: Desk, person_id: int, *, officer_id: int, now: datetime) -> Lease:
    """Give an officer a person found by search, who called or came in; raises NotAllowed when a colleague has them.

    The card may be opened whatever the rules say of calling them: what they came for is recorded all the same.
    """
    presence.seen(session, officer_id, now=now)
    held = leases.of_officer(session, officer_id)
    if held is not None:
        if held.person_id == person_id:
            return held
        raise NotAllowed("Terminez d'abord la fiche ouverte.", reason="other_card_open")
    entry = session.scalar(
        select(QueueEntry).where(
            QueueEntry.programme_id == desk.programme_id, QueueEntry.person_id == person_id
        )
    )
    if entry is None:
        raise NotFound("person")
    turn_id = session.scalar(select(Turn.id).where(Turn.person_id == person_id, Turn.token.is_(None)))
    if turn_id is None:
        why = reason(ReasonCode.READY).as_json()
        turn_id = turns.put(
            session, entry, Lane.LIVE_INBOUND, due_at=now, due_until=now + desk.lifetime, reason=why
        )
    lease = turn_id and leases.claim_person(
        session, turn_id=turn_id, officer_id=officer_id, day=desk.day(now), now=now, lifetime=desk.lifetime
    )
    if not lease:
        raise NotAllowed("Un collègue est sur cette personne ou sur son numéro.", reason="held_by_colleague")
    return lease


def start_attempt(
    session: Session, desk: Desk, token: str, *, officer_id: int, number_id: int, now: datetime
) -> Attempt:
    """Record that the officer is calling a number; the same click twice is one attempt.

    Raises NotAllowed, with the rule's own sentence, when the number may not be called now, and when a stop came since
    an attempt began. A card opened by hand is bound like any other unless they asked for a call: see `numbers_asked`.
    """
    lease = renew(session, desk, token, officer_id=officer_id, now=now)
    if lease.attempt_id is not None:
        running = session.get_one(Attempt, lease.attempt_id)
        if running.number_id == number_id or running.corrected_at is not None:
            refuse_after_stop(session, running)
            return running
        raise NotAllowed("Indiquez d'abord le résultat de l'appel en cours.", reason="attempt_open")
    state = states_of(session, desk.programme, desk.programme_id, [lease.person_id])[lease.person_id]
    asked = numbers_asked(session, state, lease, now=now)
    state = trusting(state, lease, asked, now=now)
    answer = may_call(state, desk.policy, now=now, number_id=number_id, promised=number_id in asked)
    if isinstance(answer, Refusal):
        raise NotAllowed(sentence(answer.reason), reason=answer.reason.code.value)
    attempt = attempts.start(
        session,
        programme_id=lease.programme_id,
        entry_id=lease.entry_id,
        person_id=lease.person_id,
        number_id=number_id,
        owner=owner_of(session, lease.person_id, number_id),
        officer_id=officer_id,
        lease_token=token,
        lane=int(lease.lane),
        callback_id=lease.callback_id,
        zone=state.zone,
        hours=desk.policy.hours,
        now=now,
        why=lease.why,
    )
    leases.start_attempt(session, lease, attempt_id=attempt.id, now=now, lifetime=desk.lifetime)
    return attempt


def refuse_after_stop(session: Session, attempt: Attempt) -> None:
    """Raise NotAllowed when a stop that came since an attempt began forbids its number."""
    if attempt.number_id is None:
        return
    if opt_outs.forbids(session, person_id=attempt.person_id, number_id=attempt.number_id):
        raise NotAllowed(
            "Un stop est arrivé pendant cet appel : n’appelez plus. Indiquez son résultat.",
            reason="said_stop",
        )


def owner_of(session: Session, person_id: int, number_id: int) -> str:
    """Return whose number it is for this person; raises NotFound for a number that is not theirs."""
    owner = _OWNER.value(session, {"person": person_id, "number": number_id})
    if owner is None:
        raise InvalidInput("Ce numéro n'est pas celui de cette personne.", field="number_id")
    return str(owner)


def next_due_at(session: Session, desk: Desk, *, now: datetime) -> datetime | None:
    """Return when the next person is due, or None when the queue is empty."""
    turn = session.scalar(
        select(func.min(Turn.due_at)).where(
            Turn.programme_id == desk.programme_id, Turn.token.is_(None), Turn.due_at > now
        )
    )
    entry = session.scalar(
        select(func.min(QueueEntry.eligible_at)).where(
            QueueEntry.programme_id == desk.programme_id,
            QueueEntry.state == EntryState.OPEN,
            QueueEntry.eligible_at > now,
        )
    )
    return min((moment for moment in (turn, entry) if moment is not None), default=None)


def _top_up(session: Session, desk: Desk, now: datetime) -> None:
    """Plan more people before a territory runs dry, so that each keeps its turn; a fruitless try waits a little."""
    if desk.ledger.is_dry(desk.programme_id, now=now):
        return
    if not is_low(session, desk.programme, desk.programme_id, now=now):
        return
    if not _plan_on_the_spot(session, desk, now):
        desk.ledger.dry(desk.programme_id, until=now + FRUITLESS)


def _plan_on_the_spot(session: Session, desk: Desk, now: datetime) -> int:
    planned = plan_on_the_spot(session, desk.programme, desk.programme_id, now=now)
    if planned:
        desk.ledger.forget(desk.programme_id, day=desk.day(now))
    return planned


def _claim(session: Session, desk: Desk, officer_id: int, now: datetime) -> Lease | None:
    return leases.claim_next(
        session,
        desk.ledger,
        programme_id=desk.programme_id,
        officer_id=officer_id,
        day=desk.day(now),
        now=now,
        lifetime=desk.lifetime,
        own=accounts.territories_of(session, officer_id),
    )


def _zone(session: Session, desk: Desk, person_id: int) -> str:
    return states_of(session, desk.programme, desk.programme_id, [person_id])[person_id].zone.key
