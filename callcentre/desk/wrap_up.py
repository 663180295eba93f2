"""Wrapping a call up: one transaction closes the attempt, keeps every promise made in it and plans what follows.

An outcome counts once, whatever is sent twice. One that comes with a token that a colleague's lease has superseded is
kept as a conflict; the person is not called again because of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callcentre.audit import trail
from callcentre.callqueue import entries, turns
from callcentre.callqueue import lease as leases
from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import EntryState, Lane, LeaseEnding, QueueEntry, Turn
from callcentre.desk import promises
from callcentre.desk.asked import AHEAD_OF_TIME, call_taken
from callcentre.desk.checking import check, check_promise
from callcentre.desk.context import Desk
from callcentre.desk.drafts import discard
from callcentre.desk.models import OutcomeSubmission
from callcentre.desk.outcomes import Outcome
from callcentre.desk.serving import owner_of
from callcentre.desk.submissions import Wrapped, keep_late, replay, sent_before
from callcentre.dispositions import Disposition, RetryKind
from callcentre.errors import InvalidInput
from callcentre.funnel import changes
from callcentre.funnel.stages import Refused, Stage, entering
from callcentre.outreach import attempts, callbacks
from callcentre.outreach.models import Attempt, Callback
from callcentre.people import numbers, opt_outs
from callcentre.people.households import households
from callcentre.people.models import YoungPerson
from callcentre.planning.eligibility import hold_rounds, reconsider
from callcentre.planning.states import calls_made, zone_of
from callcentre.retry.plan import CallAgain, NextStep
from callcentre.retry.reasons import ReasonCode, reason
from callcentre.support import appointments

_UNANSWERED = frozenset({RetryKind.NO_ANSWER, RetryKind.BUSY, RetryKind.TECHNICAL, RetryKind.THIRD_PARTY})
_SPOKE = frozenset(RetryKind) - {
    RetryKind.NO_ANSWER,
    RetryKind.BUSY,
    RetryKind.TECHNICAL,
    RetryKind.DEAD_NUMBER,
    RetryKind.SOFT_REFUSAL,
}
"""Results that whoever rang us may bring; a "not now" stays among our calls, from which its pause is read."""
OPPOSITION = "opposition"
"""The reason with which an entry is closed when the young person objects to any contact."""
SHARED = "shared"
"""Direction of an attempt that records what somebody else's call also settled; it is not a second dialling."""


def wrap_up(
    session: Session, desk: Desk, token: str, outcome: Outcome, *, officer_id: int, key: str, now: datetime
) -> Wrapped:
    """Record the result of a call under an idempotency key (1 to 80 characters).

    Raises InvalidInput for a field to correct and IdempotencyMismatch for a key used with another outcome.
    """
    if not 1 <= len(key) <= 80:
        raise InvalidInput("La clé d'idempotence a de 1 à 80 caractères.", field="Idempotency-Key")
    before = sent_before(session, officer_id, key)
    if before is not None:
        return replay(before, outcome)
    check(desk, outcome, now=now)
    try:
        with session.begin_nested():
            return _once(session, desk, token, outcome, officer_id=officer_id, key=key, now=now)
    except IntegrityError:  # sent twice at once: the other was recorded while this one waited for the lease
        before = sent_before(session, officer_id, key)
        if before is None:
            raise
        return replay(before, outcome)


def _once(
    session: Session, desk: Desk, token: str, outcome: Outcome, *, officer_id: int, key: str, now: datetime
) -> Wrapped:
    lease = leases.renew(session, token, officer_id=officer_id, now=now, lifetime=desk.lifetime)
    if lease is None:
        return keep_late(session, token, outcome, officer_id=officer_id, key=key, now=now)
    return settle(session, desk, lease, outcome, officer_id=officer_id, key=key, now=now)


def settle(
    session: Session,
    desk: Desk,
    lease: Lease,
    outcome: Outcome,
    *,
    officer_id: int,
    key: str,
    now: datetime,
    ending: LeaseEnding = LeaseEnding.CLOSED,
) -> Wrapped:
    """Record an outcome on a lease that is held; `officer_id` is who says it (a supervisor when settling)."""
    disposition = check(desk, outcome, now=now)
    zone = zone_of(session, lease.person_id)
    check_promise(desk, outcome, zone, now=now)
    attempt = _attempt(session, desk, lease, outcome, disposition, zone, now=now)
    attempts.finish(session, attempt, disposition, note=_note(outcome), now=now)
    work = _Work(
        session=session,
        desk=desk,
        lease=lease,
        entry=session.get_one(QueueEntry, lease.entry_id),
        outcome=outcome,
        disposition=disposition,
        attempt=attempt,
        by=officer_id,
        now=now,
    )
    work.done.entry = _snapshot(work.entry)
    kept_promise = _settle_promise(work)
    _judge_numbers(work)
    _obey_stop(work)
    _advance(work)
    leases.end(session, lease, ending, now=now)
    step = _what_follows(work, kept_promise)
    for housemate in outcome.also_for:
        _close_also(work, housemate, zone)
    discard(session, officer_id=officer_id, person_id=lease.person_id)
    return _record(work, step, key)


@dataclass
class _Done:
    """What an undo would put back, gathered on the way."""

    entry: dict[str, Any] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    number_added: int | None = None
    opt_out: int | None = None
    opposition: int | None = None
    callback: int | None = None
    callbacks_cancelled: list[int] = field(default_factory=list)
    stages: list[int] = field(default_factory=list)
    appointment: int | None = None
    also: list[dict[str, Any]] = field(default_factory=list)
    """The same for each person of the household whom the call closed besides, with `attempt` and `entry_id`."""


@dataclass(frozen=True)
class _Work:
    """One wrap-up on its way: what was said, of which call, by whom, when, and what it has done so far."""

    session: Session
    desk: Desk
    lease: Lease
    entry: QueueEntry
    outcome: Outcome
    disposition: Disposition
    attempt: Attempt
    by: int
    now: datetime
    done: _Done = field(default_factory=_Done)


def _close_also(work: _Work, person_id: int, zone: ZoneInfo) -> None:
    """Let the same call close another person whom its number reaches; the number was called once."""
    session, attempt = work.session, work.attempt
    entry = session.scalar(
        select(QueueEntry).where(
            QueueEntry.programme_id == work.entry.programme_id,
            QueueEntry.person_id == person_id,
            QueueEntry.state == EntryState.OPEN,
        )
    )
    number_id = attempt.number_id
    if entry is None or number_id is None or person_id not in opt_outs.people_reached_by(session, number_id):
        raise InvalidInput("Cette personne n'est pas jointe par le numéro appelé.", field="also_for")
    shared = attempts.start(
        session,
        programme_id=entry.programme_id,
        entry_id=entry.id,
        person_id=person_id,
        number_id=number_id,
        owner=owner_of(session, person_id, number_id),
        officer_id=attempt.officer_id,
        lease_token=attempt.lease_token,
        lane=attempt.lane,
        callback_id=None,
        zone=zone,
        hours=work.desk.policy.hours,
        now=attempt.started_at,
        direction=SHARED,
    )
    attempts.finish(session, shared, work.disposition, note=attempt.note, now=work.now)
    outcome = replace(work.outcome, appointment=None, new_number="", also_for=())
    also = replace(work, entry=entry, attempt=shared, outcome=outcome, done=_Done(entry=_snapshot(entry)))
    turns.withdraw(session, person_id)
    _judge_numbers(also)
    _obey_stop(also)
    _advance(also)
    _what_follows(also, None)
    entry.version += 1
    work.done.also.append(vars(also.done) | {"attempt": shared.id, "entry_id": entry.id})


def _attempt(
    session: Session,
    desk: Desk,
    lease: Lease,
    outcome: Outcome,
    disposition: Disposition,
    zone: ZoneInfo,
    *,
    now: datetime,
) -> Attempt:
    """Return the attempt that this outcome closes; a call that was never announced began when the card was taken.

    Whoever spoke to this officer because they rang was not called: theirs is a call received, under no cap.
    """
    if lease.attempt_id is not None:
        return session.get_one(Attempt, lease.attempt_id)
    number_id = outcome.number_id if outcome.number_id is not None else lease.number_id
    rang_from = None
    if lease.lane is Lane.LIVE_INBOUND and disposition.retry in _SPOKE:
        rang_from = call_taken(session, lease.person_id, officer_id=lease.officer_id, now=now)
        number_id = rang_from or number_id
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
        zone=zone,
        hours=desk.policy.hours,
        now=lease.granted_at,
        direction="inbound" if rang_from else "outbound",
        why=lease.why,
    )


def _note(outcome: Outcome) -> str | None:
    """Say what is kept in words: the reason that the disposition asked for, then the note."""
    return " – ".join(part for part in (outcome.reason.strip(), outcome.note.strip()) if part) or None


def _settle_promise(work: _Work) -> Callback | None:
    """Settle the promise that this call was made for; one tried ahead of its time, in vain, still stands."""
    if work.lease.callback_id is None:
        return None
    callback = work.session.get_one(Callback, work.lease.callback_id)
    started = work.attempt.started_at
    if started < callback.promised_at - AHEAD_OF_TIME and work.disposition.retry in _UNANSWERED:
        return None
    within = timedelta(minutes=work.desk.programme.limits.promise_missed_minutes)
    callbacks.settle(callback, attempt_id=work.attempt.id, attempted_at=started, within=within, now=work.now)
    return callback


def _judge_numbers(work: _Work) -> None:
    """Keep what the call showed of the number, and a number that was given."""
    sign = work.disposition.shows
    person_id, number_id = work.entry.person_id, work.attempt.number_id
    if sign is not None and number_id is not None:
        work.done.verdicts = numbers.judge(
            work.session, person_id=person_id, number_id=number_id, sign=sign, now=work.now
        )
    if work.outcome.new_number.strip():
        given = numbers.add(
            work.session,
            person_id=person_id,
            text=work.outcome.new_number,
            owner=work.outcome.new_number_owner,
            region=work.desk.programme.region,
            now=work.now,
        )
        if given.is_new:
            work.done.number_added = given.number_id
            entries.reopen_for(work.session, person_id, "new_number", now=work.now)


def _obey_stop(work: _Work) -> None:
    """Record an opposition, or a guardian's refusal of their number, within this transaction."""
    person_id, attempt = work.entry.person_id, work.attempt
    if work.disposition.retry is RetryKind.OPPOSITION:
        work.done.opposition = opt_outs.oppose(
            work.session, person_id=person_id, source="voice", now=work.now, attempt_id=attempt.id, by=work.by
        )
    if work.disposition.retry is RetryKind.GUARDIAN_REFUSAL and attempt.number_id is not None:
        work.done.opt_out = opt_outs.opt_out(
            work.session,
            number_id=attempt.number_id,
            source="guardian",
            now=work.now,
            person_id=person_id,
            attempt_id=attempt.id,
            by=work.by,
        )
        trail.record(work.session, "guardian_refused", "person", person_id, by=work.by, now=work.now)


def _advance(work: _Work) -> None:
    """Enter the funnel stages that the disposition stands for, and note an appointment."""
    programme_id, person_id = work.entry.programme_id, work.entry.person_id
    for stage in stages_of_result(work.disposition):
        if isinstance(
            entering(
                stage, changes.held_changes(work.session, programme_id=programme_id, person_id=person_id)
            ),
            Refused,
        ):
            continue  # said before: the earlier answer stands until a supervisor corrects it
        work.done.stages += changes.advance(
            work.session,
            programme_id=programme_id,
            person_id=person_id,
            stage=stage,
            at=work.attempt.started_at,
            now=work.now,
            cause=work.disposition.code,
            by=work.by,
            attempt_id=work.attempt.id,
        )
    appointment = work.outcome.appointment
    if appointment is not None:
        work.done.appointment = appointments.make(
            work.session,
            programme_id=programme_id,
            person_id=person_id,
            partner=appointment.partner,
            starts_at=appointment.starts_at,
            by=work.by,
            now=work.now,
            attempt_id=work.attempt.id,
        )


def stages_of_result(disposition: Disposition) -> list[Stage]:
    """Return the stages of the funnel that a result stands for."""
    if disposition.stage:
        return [Stage(disposition.stage)]
    if disposition.is_contact:
        return [Stage.CONTACTED]
    return [Stage.GUARDIAN_REACHED] if disposition.reaches_guardian else []


def _what_follows(work: _Work, kept_promise: Callback | None) -> NextStep | Callback | None:
    """Decide what follows: a promise, the end, or the retry rule's answer; and look again at the household."""
    session, entry, disposition = work.session, work.entry, work.disposition
    step: NextStep | Callback | None = None
    if disposition.retry is RetryKind.OPPOSITION:
        close_everywhere(session, entry.person_id, now=work.now)
    elif disposition.is_final:
        closed_as = disposition.closes_as or disposition.code
        callbacks.cancel(session, person_id=entry.person_id, programme_id=entry.programme_id, now=work.now)
        entries.close(
            session, entry, reason=closed_as, reopened_by="new_list inbound supervisor", now=work.now
        )
    elif work.outcome.callback_at is not None:
        step = _promise(work, work.outcome.callback_at)
    elif disposition.retry is RetryKind.SOFT_REFUSAL:
        hold_rounds(session, entry.person_id, until=work.now + work.desk.policy.limits.soft_refusal)
    elif kept_promise is not None and disposition.retry in _UNANSWERED and not kept_promise.retried:
        kept_promise.retried = True
        later = work.now + timedelta(minutes=work.desk.programme.limits.promise_retry_minutes)
        promises.put(session, work.desk, entry, kept_promise, later)
        step = kept_promise
    _open_anew(work)
    affected = {entry.person_id, *households(session, [entry.person_id]).get(entry.person_id, ())}
    if work.attempt.number_id is not None:
        affected |= opt_outs.people_reached_by(session, work.attempt.number_id)
    steps = reconsider(session, work.desk.programme, entry.programme_id, affected, now=work.now)
    standing = promises.restore(session, work.desk, entry, now=work.now)
    return step or standing or steps.get(entry.person_id)


def _open_anew(work: _Work) -> None:
    """Give a number that the last of all calls brought its own calls, as one that is found a day later has them."""
    entry = work.entry
    if work.done.number_added is None or entry.state != EntryState.OPEN:
        return
    work.session.flush()
    made = calls_made(work.session, entry.person_id, since=entry.opened_at)
    if made >= work.desk.policy.limits.calls_in_all:
        entry.opened_at = work.now


def close_everywhere(session: Session, person_id: int, *, now: datetime) -> None:
    """End the queue for somebody who objects: in every programme, with every promise."""
    for entry in session.scalars(select(QueueEntry).where(QueueEntry.person_id == person_id)):
        callbacks.cancel(session, person_id=person_id, programme_id=entry.programme_id, now=now)
        turns.withdraw(session, person_id)
        if entry.state == EntryState.OPEN or entry.closed_reason != OPPOSITION:
            entries.close(session, entry, reason=OPPOSITION, reopened_by="supervisor", now=now)


def _promise(work: _Work, promised_at: datetime) -> Callback:
    session, entry = work.session, work.entry
    work.done.callbacks_cancelled = callbacks.cancel(
        session, person_id=entry.person_id, programme_id=entry.programme_id, now=work.now
    )
    callback = callbacks.promise(
        session,
        programme_id=entry.programme_id,
        entry_id=entry.id,
        person_id=entry.person_id,
        promised_at=promised_at,
        by=work.by,
        officer_id=None if work.outcome.callback_for_team else work.by,
        number_id=work.attempt.number_id,
        attempt_id=work.attempt.id,
        note=work.outcome.note.strip() or None,
        now=work.now,
    )
    promises.put(session, work.desk, entry, callback, callback.promised_at)
    work.done.callback = callback.id
    return callback


def _record(work: _Work, step: NextStep | Callback | None, key: str) -> Wrapped:
    next_at: datetime | None
    match step:
        case Callback():
            zone = ZoneInfo(work.session.get_one(YoungPerson, work.entry.person_id).zone)
            next_at, why = _served_at(work, step), promises.why(step.promised_at, zone)
        case CallAgain():
            next_at, why = step.due_at, step.why
        case None:
            day = work.now.astimezone(work.desk.programme.tz).date().isoformat()
            next_at, why = None, reason(ReasonCode.CLOSED, closed=work.entry.closed_reason or "", day=day)
        case _:
            next_at, why = None, step.why
    submission = OutcomeSubmission(
        officer_id=work.by,
        idempotency_key=key,
        body_digest=work.outcome.digest,
        attempt_id=work.attempt.id,
        entry_id=work.entry.id,
        accepted=True,
        response={"next_at": next_at.isoformat() if next_at else None, "why": why.as_json()},
        before=vars(work.done),
        created_at=work.now,
    )
    work.session.add(submission)
    work.session.flush()
    return Wrapped(work.attempt.id, next_at, why.as_json(), submission_id=submission.id)


def _served_at(work: _Work, promise: Callback) -> datetime:
    """When a promise is served: at its time, or half an hour after it went unanswered."""
    due_at = work.session.scalar(select(Turn.due_at).where(Turn.callback_id == promise.id))
    return due_at or promise.promised_at


_KEPT_FIELDS = (
    "state",
    "opened_at",
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
