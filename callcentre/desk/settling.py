"""What a supervisor settles: calls left without a result, outcomes that came too late, cards held too long."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from callcentre.audit import trail
from callcentre.callqueue import entries
from callcentre.callqueue import lease as leases
from callcentre.callqueue.models import LeaseEnding, QueueEntry
from callcentre.desk.context import Desk
from callcentre.desk.models import OutcomeConflict
from callcentre.desk.outcomes import Outcome
from callcentre.desk.wrap_up import Wrapped, settle
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.people import opt_outs
from callcentre.planning.eligibility import reconsider


def settle_attempt(
    session: Session, desk: Desk, person_id: int, outcome: Outcome, *, by: int, now: datetime
) -> Wrapped:
    """Give an open attempt that nobody renews its result, in the officer's place."""
    lease = leases.of_person(session, person_id)
    if lease is None:
        raise NotFound("lease")
    if not lease.needs_settling(now, desk.settle_after):
        raise NotAllowed("L'officier est encore sur cette fiche.", reason="still_held")
    trail.record(session, "attempt_settled", "person", person_id, by=by, now=now)
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
    trail.record(session, "lease_released", "person", lease.person_id, by=by, now=now)


def release_all(session: Session, programme_id: int, *, now: datetime) -> int:
    """Give every card without a call back to the queue; say how many."""
    held = leases.without_attempt(session, programme_id)
    for lease in held:
        leases.release(session, lease, now=now)
    return len(held)


def settle_conflict(session: Session, conflict_id: int, *, by: int, now: datetime) -> None:
    """Put a late outcome aside once it has been read and dealt with."""
    conflict = session.get(OutcomeConflict, conflict_id)
    if conflict is None:
        raise NotFound("conflict")
    if conflict.settled_at is None:
        conflict.settled_at, conflict.settled_by = now, by
        trail.record(session, "conflict_settled", "person", conflict.person_id, by=by, now=now)
        session.flush()


def reopen(session: Session, desk: Desk, entry_id: int, *, reason: str, by: int, now: datetime) -> None:
    """Bring a person back into the queue with a fresh total cap."""
    entry = session.get(QueueEntry, entry_id)
    if entry is None:
        raise NotFound("entry")
    if not reason.strip():
        raise InvalidInput("Indiquez la raison.", field="reason")
    entries.reopen(session, entry, now=now)
    trail.record(session, "entry_reopened", "person", entry.person_id, by=by, now=now)
    reconsider(session, desk.programme, entry.programme_id, [entry.person_id], now=now)


def revoke_opposition(
    session: Session, desk: Desk, opposition_id: int, *, reason: str, by: int, now: datetime
) -> None:
    """Take back an opposition recorded by mistake, and re-open what it closed."""
    person_id = opt_outs.revoke_opposition(session, opposition_id, by=by, reason=reason, now=now)
    trail.record(session, "opposition_revoked", "person", person_id, by=by, now=now)
    for entry in entries.closed_by(session, person_id, "opposition"):
        entry.closed_reason = None
        entries.reopen(session, entry, now=now)
    reconsider(session, desk.programme, desk.programme_id, [person_id], now=now)
