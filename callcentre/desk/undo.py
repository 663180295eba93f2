"""Undoing a result: everything it did is taken back by new events; the call itself stays.

Its author may for five minutes, and gets the card back for the right result. Afterwards a supervisor may, for a reason,
as long as what the result had changed is remembered (as long as idempotency keys are kept); what rests on later results
stays.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.callqueue import entries, turns
from callcentre.callqueue import lease as leases
from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import EntryState, Lane, QueueEntry
from callcentre.desk import decisions, promises
from callcentre.desk.context import Desk
from callcentre.desk.kinds import FOR_WANT, DecisionKind
from callcentre.desk.models import OutcomeSubmission
from callcentre.desk.wrap_up import stages_of_result
from callcentre.dispositions import RetryKind
from callcentre.errors import NotAllowed, NotFound
from callcentre.funnel import changes
from callcentre.funnel.stages import Refused, entering
from callcentre.outreach import attempts
from callcentre.outreach.models import Attempt, Callback, CallbackState
from callcentre.people import numbers, opt_outs
from callcentre.people.models import Opposition, OptOut
from callcentre.planning import routes
from callcentre.planning.eligibility import hold_rounds, reconsider
from callcentre.support import appointments
from callcentre.support.kinds import AppointmentState
from callcentre.support.models import Appointment

UNDONE = "undo"
"""The cause of every event that an undo writes."""
_WITHOUT_NUMBER = (routes.DETAILS_TO_FIND, *routes.FINAL)
"""The reasons with which somebody leaves the queue when their last number is lost."""


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
        _take_back(session, desk, submission, entry, attempt, by=officer_id, why=UNDONE, now=now)
        _give_back(session, desk, entry, attempt, officer_id, now)
        promises.restore(session, desk, entry, now=now)
    lease = leases.of_officer(session, officer_id)
    return Undone(attempt.id, attempt.person_id, lease if lease and lease.attempt_id == attempt.id else None)


def undo_for_reason(
    session: Session, desk: Desk, attempt_id: int, *, reason: str, by: int, now: datetime
) -> Undone:
    """Take back a result whenever it was given: a supervisor's right, for a reason that is kept with it.

    Raises NotAllowed while somebody holds the person, and once what the result had changed is no longer remembered.
    """
    said = decisions.reason_of(reason)
    attempt = session.get(Attempt, attempt_id)
    if attempt is None or attempt.programme_id != desk.programme_id:
        raise NotFound("outcome")
    submission = _standing(session, attempt_id)
    if submission is None:
        raise _cannot_be_undone(desk, attempt)
    entry = session.get_one(QueueEntry, attempt.entry_id)
    concerned = [
        entry,
        *(session.get_one(QueueEntry, also["entry_id"]) for also in submission.before["also"]),
    ]
    if any(leases.of_person(session, one.person_id) is not None for one in concerned):
        raise NotAllowed(
            "Quelqu’un a cette personne devant soi en ce moment : réessayez après son appel.",
            reason="held_by_colleague",
        )
    _take_back(session, desk, submission, entry, attempt, by=by, why=said, now=now)
    promises.restore(session, desk, entry, now=now)
    for one in concerned:
        decisions.record(
            session,
            DecisionKind.RESULT_UNDONE,
            programme_id=desk.programme_id,
            person_id=one.person_id,
            by=by,
            now=now,
            reason=said,
            attempt_id=attempt_id,
        )
    return Undone(attempt.id, attempt.person_id, None)


def undoable(session: Session, attempt_ids: Collection[int]) -> frozenset[int]:
    """Return the calls, of these, whose result stands and could be undone by a supervisor."""
    found = session.scalars(
        select(OutcomeSubmission.attempt_id).where(
            OutcomeSubmission.attempt_id.in_(attempt_ids),
            OutcomeSubmission.accepted.is_(True),
            OutcomeSubmission.undone_at.is_(None),
        )
    )
    return frozenset(attempt_id for attempt_id in found if attempt_id is not None)


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


def _standing(session: Session, attempt_id: int) -> OutcomeSubmission | None:
    return session.scalar(
        select(OutcomeSubmission)
        .where(
            OutcomeSubmission.attempt_id == attempt_id,
            OutcomeSubmission.accepted.is_(True),
            OutcomeSubmission.undone_at.is_(None),
        )
        .order_by(OutcomeSubmission.id.desc())
        .limit(1)
    )


def _cannot_be_undone(desk: Desk, attempt: Attempt) -> NotAllowed:
    if attempt.corrected_at is not None:
        return NotAllowed("Ce résultat est déjà annulé.", reason="undone")
    if attempt.disposition is None:
        return NotAllowed("Cet appel attend encore son résultat.", reason="no_result")
    return NotAllowed(
        "Ce que ce résultat avait changé n’est plus gardé (%(days)s jours), ou il a été donné par l’appel d’un "
        "proche : corrigez la fiche elle-même.",
        reason="forgotten",
        days=desk.settings.idempotency_days,
    )


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


@dataclass(frozen=True)
class _Reversal:
    """One result on its way back: of whom, by whom, why, when; `given_at` is when it had been given."""

    session: Session
    desk: Desk
    by: int
    why: str
    given_at: datetime
    now: datetime


def _take_back(
    session: Session,
    desk: Desk,
    submission: OutcomeSubmission,
    entry: QueueEntry,
    attempt: Attempt,
    *,
    by: int,
    why: str,
    now: datetime,
) -> None:
    reversal = _Reversal(session, desk, by, why, submission.created_at, now)
    verdicts = _verdicts(submission.before)
    judged = numbers.restore_verdicts(session, verdicts, judged_at=submission.created_at, now=now)
    for also in submission.before["also"]:
        housemate = session.get_one(QueueEntry, also["entry_id"])
        _reverse(reversal, housemate, session.get_one(Attempt, also["attempt"]), also)
        reconsider(session, desk.programme, entry.programme_id, [housemate.person_id], now=now)
        promises.restore(session, desk, housemate, now=now)
    _reverse(reversal, entry, attempt, submission.before)
    _open_again(reversal, judged, _WITHOUT_NUMBER, or_since=True)
    submission.undone_at = now
    reconsider(session, desk.programme, entry.programme_id, _affected(session, entry, attempt), now=now)


def _verdicts(before: dict[str, Any]) -> dict[str, str]:
    """What was thought of each number before the result, which may have judged one for several of a household."""
    verdicts: dict[str, str] = {}
    for one in (*before["also"], before):
        verdicts |= one["verdicts"]
    return verdicts


def _reverse(reversal: _Reversal, entry: QueueEntry, attempt: Attempt, before: dict[str, Any]) -> None:
    """Take back what one result did to one person; what later results have changed since stays theirs.

    An exit for want of a way to reach them is the retry rule's, which is asked anew: it may rest on this result.
    """
    session, now = reversal.session, reversal.now
    later = _later(session, entry, attempt)
    closed_by_another = (
        entry.closed_at not in (None, reversal.given_at) and entry.closed_reason not in FOR_WANT
    )
    changes.reverse(session, before["stages"], at=now, by=reversal.by, cause=UNDONE)
    _advance_again(reversal, entry, later)
    added = before["number_added"]
    if added is not None and added not in {call.number_id for call in later}:
        numbers.remove_added(session, person_id=entry.person_id, number_id=added)
    _lift_stops(reversal, attempt, before)
    _cancel_appointment(session, before["appointment"], now)
    _take_back_promises(session, before, now, is_last=not later)
    attempts.correct(session, attempt, by=reversal.by, reason=reversal.why, now=now)
    if attempt.retry_kind == RetryKind.SOFT_REFUSAL:
        hold_rounds(session, entry.person_id, until=now)
    turns.withdraw(session, entry.person_id)
    if not later and not closed_by_another:
        values = dict(before["entry"])
        if entry.opened_at != reversal.given_at:
            values.pop("opened_at", None)  # opened by somebody else since, or as long ago as before
        _restore(session, entry, values)


def _later(session: Session, entry: QueueEntry, attempt: Attempt) -> list[Attempt]:
    """The calls that came after this one and whose results stand."""
    return list(
        session.scalars(
            select(Attempt)
            .where(
                Attempt.entry_id == entry.id,
                Attempt.id > attempt.id,
                Attempt.disposition.is_not(None),
                Attempt.corrected_at.is_(None),
            )
            .order_by(Attempt.id)
        )
    )


def _advance_again(reversal: _Reversal, entry: QueueEntry, later: list[Attempt]) -> None:
    """Enter the stages that a later result stands for as well, and had found entered already."""
    session = reversal.session
    book = reversal.desk.programme.code_book()
    for call in later:
        disposition = book.get(call.disposition or "")
        for stage in stages_of_result(disposition) if disposition is not None else ():
            held = changes.held_changes(session, programme_id=entry.programme_id, person_id=entry.person_id)
            if isinstance(entering(stage, held), Refused):
                continue
            changes.advance(
                session,
                programme_id=entry.programme_id,
                person_id=entry.person_id,
                stage=stage,
                at=call.started_at,
                now=reversal.now,
                cause=call.disposition or "",
                by=call.officer_id,
                attempt_id=call.id,
            )


def _lift_stops(reversal: _Reversal, attempt: Attempt, before: dict[str, Any]) -> None:
    """Lift what this very call had recorded; a stop that stood before it, or was lifted since, stays as it is."""
    session, by, why, now = reversal.session, reversal.by, reversal.why, reversal.now
    opposition, opt_out = before["opposition"], before["opt_out"]
    if opposition is not None and opt_outs.recorded_in(session, Opposition, opposition, attempt.id):
        person_id = opt_outs.revoke_opposition(session, opposition, by=by, reason=why, now=now)
        _open_again(reversal, {person_id}, ("opposition",))
    if opt_out is not None and opt_outs.recorded_in(session, OptOut, opt_out, attempt.id):
        reached = opt_outs.revoke_opt_out(session, opt_out, by=by, reason=why, now=now)
        _open_again(reversal, reached, ("opted_out", *_WITHOUT_NUMBER), or_since=True)


def _open_again(
    reversal: _Reversal, people: Collection[int], reasons: Collection[str], *, or_since: bool = False
) -> None:
    """Open what the mistaken result had closed at the same instant, here and elsewhere, as if it had stayed open.

    With `or_since`, also what was closed later: a search that came to its end, or a return that found no number.
    """
    at, given_at = QueueEntry.closed_at, reversal.given_at
    found = reversal.session.scalars(
        select(QueueEntry).where(
            QueueEntry.person_id.in_(people),
            QueueEntry.closed_reason.in_(reasons),
            at >= given_at if or_since else at == given_at,
        )
    ).all()
    for entry in found:
        opened_at, entry.closed_reason = entry.opened_at, None
        entries.reopen(reversal.session, entry, now=reversal.now)
        entry.opened_at = opened_at


def _cancel_appointment(session: Session, appointment_id: int | None, now: datetime) -> None:
    """Cancel an appointment that is still to come; one that was kept, missed or cancelled is settled."""
    made = None if appointment_id is None else session.get(Appointment, appointment_id)
    if made is not None and made.state == AppointmentState.PLANNED:
        appointments.cancel(session, made.id, now=now)


def _take_back_promises(session: Session, before: dict[str, Any], now: datetime, *, is_last: bool) -> None:
    if before["callback"] is not None:
        made = session.get_one(Callback, before["callback"])
        if made.settled_at is None:
            made.state, made.settled_at = CallbackState.CANCELLED, now
    for cancelled in before["callbacks_cancelled"] if is_last else ():
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
