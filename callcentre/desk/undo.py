"""Undoing a result within five minutes: everything it did is taken back by new events; the call itself stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.callqueue import lease as leases
from callcentre.callqueue import turns
from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import EntryState, Lane, QueueEntry
from callcentre.desk import promises
from callcentre.desk.context import Desk
from callcentre.desk.models import OutcomeSubmission
from callcentre.errors import NotAllowed, NotFound
from callcentre.funnel import changes
from callcentre.outreach import attempts
from callcentre.outreach.models import Attempt, Callback, CallbackState
from callcentre.people import numbers, opt_outs
from callcentre.planning.eligibility import reconsider
from callcentre.support import appointments

UNDONE = "undo"
"""The cause of every event that an undo writes."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did; `lease` is the card given back to its author for the right result, if they had none open."""

    attempt_id: int
    person_id: int
    lease: Lease | None


def undo(session: Session, desk: Desk, submission_id: int, *, officer_id: int, now: datetime) -> Undone:
    """Take back a result; its author's right, for five minutes, while nobody else has the person.

    Undoing twice does nothing more. With another card open, the person's card waits: see `take_up_again`.
    """
    submission = session.get(OutcomeSubmission, submission_id)
    if submission is None or submission.officer_id != officer_id or submission.attempt_id is None:
        raise NotFound("outcome")
    attempt = session.get_one(Attempt, submission.attempt_id)
    if submission.undone_at is None:
        _refuse_if_too_late(session, desk, submission, attempt, now)
        entry = session.get_one(QueueEntry, attempt.entry_id)
        _take_back(session, desk, submission, entry, attempt, officer_id, now)
    lease = leases.of_officer(session, officer_id)
    return Undone(attempt.id, attempt.person_id, lease if lease and lease.attempt_id == attempt.id else None)


def take_up_again(session: Session, desk: Desk, *, officer_id: int, now: datetime) -> Lease | None:
    """Give back the card of a result that its author undid while another card was open; None when none waits."""
    found = session.execute(
        select(OutcomeSubmission, Attempt)
        .join(Attempt, Attempt.id == OutcomeSubmission.attempt_id)
        .where(
            OutcomeSubmission.officer_id == officer_id,
            OutcomeSubmission.undone_at > now - desk.settle_after,
            Attempt.corrected_at.is_not(None),
            Attempt.corrected_by == officer_id,
        )
        .order_by(OutcomeSubmission.id.desc())
        .limit(1)
    ).first()
    if found is None or leases.of_person(session, found[1].person_id) is not None:
        return None
    attempt = found[1]
    _give_back(session, desk, session.get_one(QueueEntry, attempt.entry_id), attempt, officer_id, now)
    lease = leases.of_officer(session, officer_id)
    return lease if lease is not None and lease.attempt_id == attempt.id else None


def submission_of(session: Session, attempt_id: int, *, officer_id: int) -> int | None:
    """Return the id of the last result that an officer gave a call, or None when they gave none."""
    return session.scalar(
        select(OutcomeSubmission.id)
        .where(OutcomeSubmission.attempt_id == attempt_id, OutcomeSubmission.officer_id == officer_id)
        .order_by(OutcomeSubmission.id.desc())
        .limit(1)
    )


def last_undoable(
    session: Session, desk: Desk, *, officer_id: int, now: datetime
) -> OutcomeSubmission | None:
    """Return the officer's last result while it may still be undone."""
    submission = session.scalar(
        select(OutcomeSubmission)
        .where(OutcomeSubmission.officer_id == officer_id, OutcomeSubmission.accepted.is_(True))
        .order_by(OutcomeSubmission.id.desc())
        .limit(1)
    )
    if submission is None or submission.undone_at is not None or submission.attempt_id is None:
        return None
    if now > submission.created_at + desk.undo_within:
        return None
    attempt = session.get_one(Attempt, submission.attempt_id)
    return submission if leases.of_person(session, attempt.person_id) is None else None


def _refuse_if_too_late(
    session: Session, desk: Desk, submission: OutcomeSubmission, attempt: Attempt, now: datetime
) -> None:
    if now > submission.created_at + desk.undo_within:
        minutes = desk.settings.undo_minutes
        raise NotAllowed(
            "Un résultat s'annule dans les %(minutes)s minutes ; demandez au superviseur.",
            reason="too_late",
            minutes=minutes,
        )
    if leases.of_person(session, attempt.person_id) is not None:
        raise NotAllowed("Un collègue a déjà repris cette personne.", reason="held_by_colleague")
    later = select(OutcomeSubmission.id).where(
        OutcomeSubmission.entry_id == submission.entry_id,
        OutcomeSubmission.id > submission.id,
        OutcomeSubmission.accepted.is_(True),
        OutcomeSubmission.undone_at.is_(None),
    )
    if session.scalar(later) is not None:
        raise NotAllowed("Un autre résultat a été saisi depuis.", reason="superseded")


def _take_back(
    session: Session,
    desk: Desk,
    submission: OutcomeSubmission,
    entry: QueueEntry,
    attempt: Attempt,
    by: int,
    now: datetime,
) -> None:
    for also in submission.before["also"]:
        housemate = session.get_one(QueueEntry, also["entry_id"])
        _reverse(session, housemate, session.get_one(Attempt, also["attempt"]), also, by, now)
        reconsider(session, desk.programme, entry.programme_id, [housemate.person_id], now=now)
        promises.restore(session, desk, housemate, now=now)
    _reverse(session, entry, attempt, submission.before, by, now)
    submission.undone_at = now
    reconsider(session, desk.programme, entry.programme_id, _affected(session, entry, attempt), now=now)
    _give_back(session, desk, entry, attempt, by, now)
    promises.restore(session, desk, entry, now=now)


def _reverse(
    session: Session, entry: QueueEntry, attempt: Attempt, before: dict[str, Any], by: int, now: datetime
) -> None:
    """Take back what one result did to one person."""
    changes.reverse(session, before["stages"], at=now, by=by, cause=UNDONE)
    numbers.restore_verdicts(session, before["verdicts"], now=now)
    if before["number_added"] is not None:
        numbers.remove_added(session, person_id=entry.person_id, number_id=before["number_added"])
    if before["opposition"] is not None:
        opt_outs.revoke_opposition(session, before["opposition"], by=by, reason=UNDONE, now=now)
    if before["opt_out"] is not None:
        opt_outs.revoke_opt_out(session, before["opt_out"], by=by, reason=UNDONE, now=now)
    if before["appointment"] is not None:
        appointments.cancel(session, before["appointment"], now=now)
    _take_back_promises(session, before, now)
    attempts.correct(session, attempt, by=by, reason=UNDONE, now=now)
    turns.withdraw(session, entry.person_id)
    _restore(session, entry, before["entry"])


def _take_back_promises(session: Session, before: dict[str, Any], now: datetime) -> None:
    if before["callback"] is not None:
        made = session.get_one(Callback, before["callback"])
        made.state, made.settled_at = CallbackState.CANCELLED, now
    for cancelled in before["callbacks_cancelled"]:
        callback = session.get_one(Callback, cancelled)
        callback.state, callback.settled_at = CallbackState.PROMISED, None
    session.flush()


def _restore(session: Session, entry: QueueEntry, values: dict[str, Any]) -> None:
    instants = {name for name in values if name.endswith(("_at", "_until"))}
    for name, value in values.items():
        setattr(entry, name, datetime.fromisoformat(value) if name in instants and value else value)
    entry.version += 1
    session.flush()


def _affected(session: Session, entry: QueueEntry, attempt: Attempt) -> set[int]:
    reached = (
        opt_outs.people_reached_by(session, attempt.number_id) if attempt.number_id is not None else set()
    )
    return {entry.person_id, *reached}


def _give_back(
    session: Session, desk: Desk, entry: QueueEntry, attempt: Attempt, by: int, now: datetime
) -> None:
    """Give the card back to its author with the call still open, unless they have another card by now."""
    if leases.of_officer(session, by) is not None or entry.state != EntryState.OPEN:
        return
    lane = Lane(attempt.lane)
    turn = turns.put(
        session,
        entry,
        lane,
        due_at=now,
        due_until=now + desk.lifetime,
        reason=entry.reason,
        number_id=attempt.number_id,
        callback_id=attempt.callback_id,
    )
    if turn is None:
        return
    lease = leases.claim_person(
        session,
        turn_id=turn,
        officer_id=by,
        day=desk.day(now),
        now=now,
        lifetime=desk.lifetime,
        counted=False,
    )
    if lease is not None:
        leases.start_attempt(session, lease, attempt_id=attempt.id, now=now, lifetime=desk.lifetime)
