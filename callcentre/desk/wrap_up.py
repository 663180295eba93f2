"""Wrapping a call up: one transaction closes the attempt, keeps every promise made in it and plans what follows.

An outcome counts once, whatever is sent twice. One that comes with a token that a colleague's lease has superseded is
kept as a conflict; the person is not called again because of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.audit import trail
from callcentre.callqueue import entries, turns
from callcentre.callqueue import lease as leases
from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import EntryState, Lane, LeaseEnding, QueueEntry
from callcentre.desk.context import Desk
from callcentre.desk.drafts import discard
from callcentre.desk.models import OutcomeConflict, OutcomeSubmission
from callcentre.desk.outcomes import NOTE_LENGTH, Outcome
from callcentre.desk.serving import owner_of
from callcentre.dispositions import Disposition, Need, RetryKind
from callcentre.errors import IdempotencyMismatch, InvalidInput, NotFound
from callcentre.funnel import changes
from callcentre.funnel.stages import Refused, Stage, entering
from callcentre.outreach import attempts, callbacks
from callcentre.outreach.models import Attempt, Callback
from callcentre.people import numbers, opt_outs
from callcentre.people.households import households
from callcentre.people.models import NumberVerdict
from callcentre.planning.blocks import next_window
from callcentre.planning.eligibility import reconsider
from callcentre.planning.states import states_of
from callcentre.retry.plan import CallAgain, NextStep
from callcentre.retry.reasons import ReasonCode, reason
from callcentre.retry.state import PersonState
from callcentre.support import appointments

_UNANSWERED = frozenset({RetryKind.NO_ANSWER, RetryKind.BUSY, RetryKind.TECHNICAL, RetryKind.THIRD_PARTY})
PROMISE_AHEAD = timedelta(days=90)
"""How far ahead a call may be promised."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What an outcome did: `kept` True when it came too late and waits for a supervisor; `replayed` on a second send.

    `next_at` and `why` say when the person comes back and why; `why` is a reason as JSON.
    """

    attempt_id: int | None
    next_at: datetime | None
    why: dict[str, Any]
    kept: bool = False
    replayed: bool = False
    undone: bool = False
    submission_id: int | None = None


@dataclass
class _Done:
    """What an undo would put back, gathered on the way."""

    entry: dict[str, Any]
    verdicts: dict[str, str] = field(default_factory=dict)
    number_added: int | None = None
    opt_out: int | None = None
    opposition: int | None = None
    callback: int | None = None
    callbacks_cancelled: list[int] = field(default_factory=list)
    stages: list[int] = field(default_factory=list)
    appointment: int | None = None
    solution: int | None = None


def wrap_up(
    session: Session, desk: Desk, token: str, outcome: Outcome, *, officer_id: int, key: str, now: datetime
) -> Wrapped:
    """Record the result of a call under an idempotency key (1 to 80 characters).

    Raises InvalidInput for a field to correct and IdempotencyMismatch for a key used with another outcome.
    """
    if not 1 <= len(key) <= 80:
        raise InvalidInput("La clé d'idempotence a de 1 à 80 caractères.", field="Idempotency-Key")
    before = _submission(session, officer_id, key)
    if before is not None:
        return replay(before, outcome)
    disposition = check(session, desk, outcome, now=now)
    lease = leases.renew(session, token, officer_id=officer_id, now=now, lifetime=desk.lifetime)
    if lease is None:
        return _keep(session, token, outcome, officer_id=officer_id, key=key, now=now)
    return settle(session, desk, lease, outcome, disposition, officer_id=officer_id, key=key, now=now)


def check(session: Session, desk: Desk, outcome: Outcome, *, now: datetime) -> Disposition:
    """Return the outcome's entry of the code book; raises InvalidInput naming the field to correct."""
    disposition = desk.disposition(outcome.disposition)
    if disposition is None:
        raise InvalidInput("Choisissez un résultat de la liste.", field="disposition")
    if len(outcome.note) > NOTE_LENGTH:
        raise InvalidInput(f"La note dépasse {NOTE_LENGTH} caractères.", field="note")
    for need in disposition.needs:
        _require(need, outcome)
    if outcome.callback_at is not None and outcome.callback_at <= now:
        raise InvalidInput("L'heure promise est déjà passée.", field="callback_at")
    if outcome.callback_at is not None and outcome.callback_at > now + PROMISE_AHEAD:
        raise InvalidInput("Une promesse se donne à 90 jours au plus.", field="callback_at")
    return disposition


def replay(submission: OutcomeSubmission, outcome: Outcome) -> Wrapped:
    """Answer a second sending with the first answer; raises IdempotencyMismatch when the outcome differs."""
    if submission.body_digest != outcome.digest:
        raise IdempotencyMismatch("Cette clé a déjà servi pour un autre résultat.")
    response = submission.response
    when = response.get("next_at")
    return Wrapped(
        attempt_id=submission.attempt_id,
        next_at=datetime.fromisoformat(when) if when else None,
        why=response.get("why", {}),
        kept=not submission.accepted,
        replayed=True,
        undone=submission.undone_at is not None,
        submission_id=submission.id,
    )


def settle(
    session: Session,
    desk: Desk,
    lease: Lease,
    outcome: Outcome,
    disposition: Disposition,
    *,
    officer_id: int,
    key: str,
    now: datetime,
    ending: LeaseEnding = LeaseEnding.CLOSED,
) -> Wrapped:
    """Record an outcome on a lease that is held; `officer_id` is who says it (a supervisor when settling)."""
    entry = session.get_one(QueueEntry, lease.entry_id)
    state = states_of(session, desk.programme, lease.programme_id, [lease.person_id])[lease.person_id]
    done = _Done(entry=_snapshot(entry))
    _check_promise(desk, outcome, state, now)
    attempt = _attempt(session, desk, lease, outcome, state, now)
    attempts.finish(session, attempt, disposition, note=outcome.note.strip() or None, now=now)
    promised = _settle_promise(session, desk, lease, attempt, now)
    _number_effects(session, desk, lease, attempt, outcome, disposition, done, officer_id, now)
    _funnel_effects(session, desk, lease, attempt, outcome, disposition, done, officer_id, now)
    leases.end(session, lease, ending, now=now)
    step = _plan(session, desk, entry, lease, outcome, disposition, attempt, done, state, promised, officer_id, now)
    discard(session, officer_id=officer_id, person_id=lease.person_id)
    return _record(session, entry, attempt, outcome, step, done, officer_id=officer_id, key=key, now=now)


def _require(need: Need, outcome: Outcome) -> None:
    missing = {
        Need.CALLBACK_AT: outcome.callback_at is None,
        Need.NEW_NUMBER: not outcome.new_number.strip(),
        Need.REASON: not outcome.reason.strip(),
        Need.APPOINTMENT: outcome.appointment is None,
        Need.SOLUTION: outcome.solution is None,
    }
    words = {
        Need.CALLBACK_AT: "Indiquez quand rappeler.",
        Need.NEW_NUMBER: "Indiquez le nouveau numéro.",
        Need.REASON: "Indiquez la raison.",
        Need.APPOINTMENT: "Indiquez avec qui et quand est le rendez-vous.",
        Need.SOLUTION: "Indiquez la solution et sa date de début.",
    }
    if missing[need]:
        raise InvalidInput(words[need], field=need.value)


def _check_promise(desk: Desk, outcome: Outcome, state: PersonState, now: datetime) -> None:
    if outcome.callback_at is None or desk.policy.hours.is_open(outcome.callback_at, state.zone):
        return
    nearest = desk.policy.hours.nearest_open(outcome.callback_at, state.zone, not_before=now)
    hint = f" Le plus proche : {nearest.astimezone(state.zone):%d/%m/%Y %H:%M}." if nearest else ""
    raise InvalidInput(f"L'heure promise est hors des heures d'appel.{hint}", field="callback_at")


def _attempt(
    session: Session, desk: Desk, lease: Lease, outcome: Outcome, state: PersonState, now: datetime
) -> Attempt:
    """Return the attempt that this outcome closes; a call that was never announced began when the card was taken."""
    if lease.attempt_id is not None:
        return session.get_one(Attempt, lease.attempt_id)
    number_id = outcome.number_id if outcome.number_id is not None else lease.number_id
    owner = owner_of(session, lease.person_id, number_id) if number_id is not None else None
    return attempts.start(
        session,
        programme_id=lease.programme_id,
        entry_id=lease.entry_id,
        person_id=lease.person_id,
        number_id=number_id,
        owner=owner,
        officer_id=lease.officer_id,
        lease_token=lease.token,
        lane=int(lease.lane),
        callback_id=lease.callback_id,
        zone=state.zone,
        hours=desk.policy.hours,
        now=lease.granted_at,
    )


def _settle_promise(session: Session, desk: Desk, lease: Lease, attempt: Attempt, now: datetime) -> Callback | None:
    if lease.callback_id is None:
        return None
    callback = session.get_one(Callback, lease.callback_id)
    within = timedelta(minutes=desk.programme.limits.promise_missed_minutes)
    callbacks.settle(callback, attempt_id=attempt.id, attempted_at=attempt.started_at, within=within, now=now)
    return callback


def _number_effects(
    session: Session,
    desk: Desk,
    lease: Lease,
    attempt: Attempt,
    outcome: Outcome,
    disposition: Disposition,
    done: _Done,
    by: int,
    now: datetime,
) -> None:
    verdicts = {RetryKind.WRONG_NUMBER: NumberVerdict.WRONG, RetryKind.DEAD_NUMBER: NumberVerdict.DEAD}
    verdict = verdicts.get(disposition.retry) or (NumberVerdict.CONFIRMED if disposition.is_contact else None)
    if verdict is not None and attempt.number_id is not None:
        done.verdicts = numbers.judge(
            session, person_id=lease.person_id, number_id=attempt.number_id, verdict=verdict, now=now
        )
    if outcome.new_number.strip():
        done.number_added = numbers.add(
            session,
            person_id=lease.person_id,
            text=outcome.new_number,
            owner=outcome.new_number_owner,
            region=desk.programme.region,
            now=now,
        )
    if disposition.retry is RetryKind.OPPOSITION:
        done.opposition = opt_outs.oppose(
            session, person_id=lease.person_id, source="voice", now=now, attempt_id=attempt.id, by=by
        )
    if disposition.retry is RetryKind.GUARDIAN_REFUSAL and attempt.number_id is not None:
        done.opt_out = opt_outs.opt_out(
            session,
            number_id=attempt.number_id,
            source="guardian",
            now=now,
            person_id=lease.person_id,
            attempt_id=attempt.id,
            by=by,
        )
        trail.record(session, "guardian_refused", "person", lease.person_id, by=by, now=now)


def _funnel_effects(
    session: Session,
    desk: Desk,
    lease: Lease,
    attempt: Attempt,
    outcome: Outcome,
    disposition: Disposition,
    done: _Done,
    by: int,
    now: datetime,
) -> None:
    stages = [Stage(disposition.stage)] if disposition.stage else []
    if disposition.is_contact and not stages:
        stages.append(Stage.CONTACTED)
    if disposition.reaches_guardian:
        stages.append(Stage.GUARDIAN_REACHED)
    for stage in stages:
        held = changes.held_changes(session, programme_id=lease.programme_id, person_id=lease.person_id)
        if isinstance(entering(stage, held), Refused):
            continue  # said before: the earlier answer stands until a supervisor corrects it
        done.stages += changes.advance(
            session,
            programme_id=lease.programme_id,
            person_id=lease.person_id,
            stage=stage,
            at=attempt.started_at,
            now=now,
            cause=disposition.code,
            by=by,
            attempt_id=attempt.id,
        )
    if outcome.appointment is not None:
        done.appointment = appointments.make(
            session,
            programme_id=lease.programme_id,
            person_id=lease.person_id,
            partner=outcome.appointment.partner,
            starts_at=outcome.appointment.starts_at,
            by=by,
            now=now,
            attempt_id=attempt.id,
        )


def _plan(
    session: Session,
    desk: Desk,
    entry: QueueEntry,
    lease: Lease,
    outcome: Outcome,
    disposition: Disposition,
    attempt: Attempt,
    done: _Done,
    state: PersonState,
    promised: Callback | None,
    by: int,
    now: datetime,
) -> NextStep | Callback | None:
    """Decide what follows: a promise, the end, or the retry rule's answer; and look again at the household."""
    step: NextStep | Callback | None = None
    if disposition.retry is RetryKind.OPPOSITION:
        _close_everywhere(session, lease.person_id, now)
    elif disposition.is_final:
        entries.close(
            session, entry, reason=disposition.closes_as or "done", reopened_by="new_list inbound supervisor", now=now
        )
    elif outcome.callback_at is not None:
        done.callbacks_cancelled = callbacks.cancel(
            session, person_id=lease.person_id, programme_id=lease.programme_id, now=now
        )
        step = _promise(session, desk, entry, outcome, attempt, by, now)
        done.callback = step.id
    elif promised is not None and disposition.retry in _UNANSWERED and not promised.retried:
        _retry_promise(session, desk, entry, promised, state, now)
        step = promised
    affected = {lease.person_id, *households(session, [lease.person_id]).get(lease.person_id, ())}
    if attempt.number_id is not None:
        affected |= opt_outs.people_reached_by(session, attempt.number_id)
    steps = reconsider(session, desk.programme, lease.programme_id, affected, now=now)
    return step or steps.get(lease.person_id)


def _close_everywhere(session: Session, person_id: int, now: datetime) -> None:
    """An opposition ends the queue in every programme, and every promise."""
    for entry in session.scalars(select(QueueEntry).where(QueueEntry.person_id == person_id)):
        callbacks.cancel(session, person_id=person_id, programme_id=entry.programme_id, now=now)
        turns.withdraw(session, person_id)
        if entry.state == EntryState.OPEN:
            entries.close(session, entry, reason="opposition", reopened_by="supervisor", now=now)


def _promise(
    session: Session, desk: Desk, entry: QueueEntry, outcome: Outcome, attempt: Attempt, by: int, now: datetime
) -> Callback:
    assert outcome.callback_at is not None
    callback = callbacks.promise(
        session,
        programme_id=entry.programme_id,
        entry_id=entry.id,
        person_id=entry.person_id,
        promised_at=outcome.callback_at,
        by=by,
        officer_id=None if outcome.callback_for_team else by,
        number_id=attempt.number_id,
        attempt_id=attempt.id,
        note=outcome.note.strip() or None,
        now=now,
    )
    put_promise(session, desk, entry, callback, callback.promised_at)
    return callback


def _retry_promise(
    session: Session, desk: Desk, entry: QueueEntry, callback: Callback, state: PersonState, now: datetime
) -> None:
    callback.retried = True
    later = now + timedelta(minutes=desk.programme.limits.promise_retry_minutes)
    put_promise(session, desk, entry, callback, later)


def put_promise(session: Session, desk: Desk, entry: QueueEntry, callback: Callback, moment: datetime) -> None:
    """Put a promise into the queue: its officer's, then the team's after ten minutes."""
    state = states_of(session, desk.programme, entry.programme_id, [entry.person_id])[entry.person_id]
    start, end = next_window(desk.programme, state.zone.key, moment)
    local = callback.promised_at.astimezone(state.zone)
    turns.put(
        session,
        entry,
        Lane.PROMISE,
        due_at=start,
        due_until=end,
        reason=reason(ReasonCode.PROMISED, day=local.date().isoformat(), time=f"{local:%H:%M}").as_json(),
        number_id=callback.number_id,
        callback_id=callback.id,
        reserved_for=callback.officer_id,
        team_from=start + timedelta(minutes=desk.programme.limits.promise_to_team_minutes),
    )


def _record(
    session: Session,
    entry: QueueEntry,
    attempt: Attempt,
    outcome: Outcome,
    step: NextStep | Callback | None,
    done: _Done,
    *,
    officer_id: int,
    key: str,
    now: datetime,
) -> Wrapped:
    next_at: datetime | None
    match step:
        case Callback():
            next_at = step.promised_at
            why = reason(ReasonCode.PROMISED).as_json()
        case CallAgain():
            next_at, why = step.due_at, step.why.as_json()
        case None:
            next_at, why = None, {"code": "closed", "params": {"closed": entry.closed_reason or ""}}
        case _:
            next_at, why = None, step.why.as_json()
    submission = OutcomeSubmission(
        officer_id=officer_id,
        idempotency_key=key,
        body_digest=outcome.digest,
        attempt_id=attempt.id,
        entry_id=entry.id,
        accepted=True,
        response={"next_at": next_at.isoformat() if next_at else None, "why": why},
        before=vars(done),
        created_at=now,
    )
    session.add(submission)
    session.flush()
    return Wrapped(attempt.id, next_at, why, submission_id=submission.id)


def _keep(session: Session, token: str, outcome: Outcome, *, officer_id: int, key: str, now: datetime) -> Wrapped:
    """Keep an outcome that came too late: nothing is called again, a supervisor settles it."""
    person_id = leases.person_of_ended(session, token, officer_id=officer_id)
    if person_id is None:
        raise NotFound("lease")
    session.add(
        OutcomeConflict(officer_id=officer_id, person_id=person_id, token=token, outcome=outcome.as_json(), at=now)
    )
    submission = OutcomeSubmission(
        officer_id=officer_id,
        idempotency_key=key,
        body_digest=outcome.digest,
        attempt_id=None,
        entry_id=None,
        accepted=False,
        response={"next_at": None, "why": {}},
        created_at=now,
    )
    session.add(submission)
    session.flush()
    return Wrapped(None, None, {}, kept=True, submission_id=submission.id)


def _submission(session: Session, officer_id: int, key: str) -> OutcomeSubmission | None:
    return session.scalar(
        select(OutcomeSubmission).where(
            OutcomeSubmission.officer_id == officer_id, OutcomeSubmission.idempotency_key == key
        )
    )


_KEPT_FIELDS = (
    "state",
    "eligible_at",
    "eligible_until",
    "preferred_at",
    "preferred_until",
    "number_id",
    "paused_until",
    "closed_at",
    "closed_reason",
    "reopened_by",
)


def _snapshot(entry: QueueEntry) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in _KEPT_FIELDS}
    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items()}


