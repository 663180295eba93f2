"""What a supervisor settles: calls left without a result, late outcomes, cards held too long, refusals."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.callqueue import entries, turns
from callcentre.callqueue import lease as leases
from callcentre.callqueue.models import EntryState, LeaseEnding, QueueEntry
from callcentre.desk import corrections, decisions
from callcentre.desk.context import Desk
from callcentre.desk.kinds import FOR_WANT, REFUSAL_CHOICES, DecisionKind
from callcentre.desk.models import Decision, OutcomeConflict
from callcentre.desk.outcomes import Outcome
from callcentre.desk.submissions import Wrapped
from callcentre.desk.wrap_up import settle
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.outreach import callbacks
from callcentre.people import opt_outs
from callcentre.people.models import OptOut
from callcentre.planning.eligibility import reconsider

GUARDIAN_REFUSED = "guardian_refused"
"""The reason with which an entry is closed when a supervisor decides that a guardian's refusal ends the calls."""


def settle_attempt(
    session: Session, desk: Desk, person_id: int, outcome: Outcome, *, by: int, now: datetime
) -> Wrapped:
    """Give an open attempt that nobody renews its result, in the officer's place."""
    lease = leases.of_person(session, person_id)
    if lease is None:
        raise NotFound("lease")
    if not lease.needs_settling(now, desk.settle_after):
        raise NotAllowed("L'officier est encore sur cette fiche.", reason="still_held")
    decisions.record(
        session,
        DecisionKind.CALL_SETTLED,
        programme_id=lease.programme_id,
        person_id=person_id,
        by=by,
        now=now,
        attempt_id=lease.attempt_id,
    )
    key = f"settle-{lease.token}"
    return settle(
        session,
        desk,
        lease,
        outcome,
        officer_id=by,
        key=key,
        now=now,
        ending=LeaseEnding.SETTLED,
    )


def release_officer(session: Session, officer_id: int, *, by: int, now: datetime) -> None:
    """Take a card without a call back from an officer; raises NotAllowed once a call was made."""
    lease = leases.of_officer(session, officer_id)
    if lease is None:
        return
    leases.release(session, lease, now=now)
    decisions.record(
        session,
        DecisionKind.CARD_FREED,
        programme_id=lease.programme_id,
        person_id=lease.person_id,
        by=by,
        now=now,
    )


def release_all(session: Session, programme_id: int, *, now: datetime) -> int:
    """Give every card without a call back to the queue; say how many."""
    held = leases.without_attempt(session, programme_id)
    for lease in held:
        leases.release(session, lease, now=now)
    return len(held)


def settle_conflict(session: Session, desk: Desk, conflict_id: int, *, by: int, now: datetime) -> None:
    """Put a late outcome aside once it has been read and dealt with."""
    conflict = session.get(OutcomeConflict, conflict_id)
    if conflict is None:
        raise NotFound("conflict")
    if conflict.settled_at is None:
        conflict.settled_at, conflict.settled_by = now, by
        decisions.record(
            session,
            DecisionKind.CONFLICT_READ,
            programme_id=desk.programme_id,
            person_id=conflict.person_id,
            by=by,
            now=now,
        )


def decide_refusal(
    session: Session,
    desk: Desk,
    opt_out_id: int,
    choice: DecisionKind,
    *,
    reason: str,
    by: int,
    now: datetime,
) -> None:
    """Decide what a guardian's refusal means for the young person; once, by whoever is first.

    They go on being called on the other numbers, or leave the queue, or the refusal was a mistake and its stop is
    lifted; the last two need a reason.
    """
    if choice not in REFUSAL_CHOICES:
        raise InvalidInput("Choisissez une décision.", field="choice")
    goes_on = choice is DecisionKind.REFUSAL_GOES_ON
    said = reason.strip()[: decisions.REASON_LENGTH] if goes_on else decisions.reason_of(reason)
    refusal = session.scalar(
        select(OptOut).where(OptOut.id == opt_out_id, OptOut.source == "guardian").with_for_update()
    )
    if refusal is None:
        raise NotFound("refusal")
    if session.scalar(select(Decision.id).where(Decision.opt_out_id == opt_out_id)) is not None:
        raise NotAllowed("Ce refus a déjà reçu sa décision.", reason="decided")
    if choice is DecisionKind.REFUSAL_LIFTED and refusal.revoked_at is None:
        corrections.lift_opt_out(session, desk, opt_out_id, reason=said, by=by, now=now)
    if choice is DecisionKind.REFUSAL_STOPS and refusal.person_id is not None:
        _leave(session, desk, refusal.person_id, now)
    decisions.record(
        session,
        choice,
        programme_id=desk.programme_id,
        person_id=refusal.person_id,
        by=by,
        now=now,
        reason=said,
        opt_out_id=opt_out_id,
    )


def _leave(session: Session, desk: Desk, person_id: int, now: datetime) -> None:
    """End the queue for somebody whose guardian refuses, and the search for them; who is on the line finishes first.

    What a call settled otherwise stays as it is.
    """
    entry = session.scalar(
        select(QueueEntry).where(
            QueueEntry.programme_id == desk.programme_id, QueueEntry.person_id == person_id
        )
    )
    if entry is None or (entry.state == EntryState.CLOSED and entry.closed_reason not in FOR_WANT):
        return
    if leases.of_person(session, person_id) is not None:
        raise NotAllowed(
            "Quelqu’un a cette personne devant soi en ce moment : réessayez après son appel.",
            reason="held_by_colleague",
        )
    callbacks.cancel(session, person_id=person_id, programme_id=desk.programme_id, now=now)
    turns.withdraw(session, person_id)
    entries.close(session, entry, reason=GUARDIAN_REFUSED, reopened_by="new_list inbound supervisor", now=now)


def reopen(session: Session, desk: Desk, entry_id: int, *, reason: str, by: int, now: datetime) -> None:
    """Bring a person back into the queue with a fresh total cap, for a reason that is kept with their history."""
    entry = session.get(QueueEntry, entry_id)
    if entry is None:
        raise NotFound("entry")
    said = decisions.reason_of(reason)
    was_closed = entry.state == EntryState.CLOSED
    entries.reopen(session, entry, now=now)
    if was_closed:
        decisions.record(
            session,
            DecisionKind.REOPENED,
            programme_id=entry.programme_id,
            person_id=entry.person_id,
            by=by,
            now=now,
            reason=said,
        )
    reconsider(session, desk.programme, entry.programme_id, [entry.person_id], now=now)


def revoke_opposition(
    session: Session, desk: Desk, opposition_id: int, *, reason: str, by: int, now: datetime
) -> None:
    """Take back an opposition recorded by mistake, and re-open what it closed."""
    said = decisions.reason_of(reason)
    person_id = opt_outs.revoke_opposition(session, opposition_id, by=by, reason=said, now=now)
    decisions.record(
        session,
        DecisionKind.OPPOSITION_LIFTED,
        programme_id=desk.programme_id,
        person_id=person_id,
        by=by,
        now=now,
        reason=said,
    )
    for entry in entries.closed_by(session, person_id, "opposition"):
        entry.closed_reason = None
        entries.reopen(session, entry, now=now)
    reconsider(session, desk.programme, desk.programme_id, [person_id], now=now)
