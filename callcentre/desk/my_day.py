"""An officer's own day: calls made, promises to keep, notes kept, the result that may still be undone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from callcentre.callqueue.models import EntryState, Lane, QueueEntry, Turn
from callcentre.desk import undo
from callcentre.desk.context import Desk
from callcentre.desk.models import Draft, OutcomeSubmission
from callcentre.outreach.models import Attempt, Callback, CallbackState
from callcentre.people.models import YoungPerson
from callcentre.retry.reasons import Reason
from callcentre.retry.windows import local_midnight

PROMISES_SHOWN = 30


@dataclass(frozen=True, slots=True)
class MyPromise:
    """A call that the officer promised and that is still to be made; `zone` is the young person's."""

    callback_id: int
    person_id: int
    first_name: str
    family_name: str
    promised_at: datetime
    zone: str
    is_missed: bool
    note: str | None


@dataclass(frozen=True, slots=True)
class MyDay:
    """What an officer did on the programme's civil day, and what they promised: today, and in all."""

    calls: int
    contacts: int
    promises: tuple[MyPromise, ...]
    promised_later: int


@dataclass(frozen=True, slots=True)
class LastResult:
    """A result that its author may still undo, until `undo_until`; `next_at` and `why` say what it planned."""

    submission_id: int
    person_id: int
    first_name: str
    family_name: str
    disposition: str
    zone: str
    next_at: datetime | None
    why: Reason | None
    undo_until: datetime


@dataclass(frozen=True, slots=True)
class KeptNote:
    """What was typed about somebody and not sent."""

    person_id: int
    first_name: str
    family_name: str
    body: str
    updated_at: datetime


def my_day(session: Session, desk: Desk, *, officer_id: int, now: datetime) -> MyDay:
    """Return an officer's calls and contacts since the day began, and their promises."""
    midnight = local_midnight(desk.day(now), desk.programme.tz)
    contact_codes = [code for code, entry in desk.programme.code_book().items() if entry.is_contact]
    reached = and_(Attempt.disposition.in_(contact_codes), Attempt.corrected_at.is_(None))
    calls, contacts = session.execute(
        select(func.count(), func.count().filter(reached)).where(
            Attempt.officer_id == officer_id,
            Attempt.programme_id == desk.programme_id,
            Attempt.started_at >= midnight,
        )
    ).one()
    tomorrow = local_midnight(desk.day(now) + timedelta(days=1), desk.programme.tz)
    mine = _open_promises(desk, officer_id)
    rows = session.execute(
        select(Callback, YoungPerson)
        .join(YoungPerson, YoungPerson.id == Callback.person_id)
        .where(*mine, Callback.promised_at < tomorrow)
        .order_by(Callback.promised_at, Callback.id)
        .limit(PROMISES_SHOWN)
    ).all()
    later = session.scalar(
        select(func.count()).select_from(Callback).where(*mine, Callback.promised_at >= tomorrow)
    )
    promises = tuple(
        MyPromise(
            callback_id=callback.id,
            person_id=person.id,
            first_name=person.first_name,
            family_name=person.family_name,
            promised_at=callback.promised_at,
            zone=person.zone,
            is_missed=callback.state == CallbackState.MISSED,
            note=callback.note,
        )
        for callback, person in rows
    )
    return MyDay(calls, contacts, promises, later or 0)


def somebody_waits(session: Session, desk: Desk, *, officer_id: int, now: datetime) -> bool:
    """Tell whether pressing *next* would most likely give somebody; the claim itself decides."""
    free = or_(Turn.reserved_for.is_(None), Turn.reserved_for == officer_id, Turn.team_from <= now)
    ready = exists().where(
        Turn.programme_id == desk.programme_id,
        Turn.token.is_(None),
        Turn.due_at <= now,
        Turn.due_until > now,
        or_(Turn.lane == int(Lane.ORDINARY), free),
    )
    # Who missed their block is looked at again by the claim itself.
    is_open = desk.policy.hours.is_open(now, desk.programme.tz)
    eligible = exists().where(
        QueueEntry.programme_id == desk.programme_id,
        QueueEntry.state == EntryState.OPEN,
        QueueEntry.eligible_at <= now,
        or_(QueueEntry.eligible_until > now, literal(is_open)),
        QueueEntry.person_id.not_in(select(Turn.person_id)),
    )
    return bool(session.scalar(select(or_(ready, eligible))))


def last_result(session: Session, desk: Desk, *, officer_id: int, now: datetime) -> LastResult | None:
    """Return the officer's last result while it may be undone, with what it planned."""
    submission = undo.last_undoable(session, desk, officer_id=officer_id, now=now)
    if submission is None:
        return None
    row = session.execute(
        select(Attempt, YoungPerson)
        .join(YoungPerson, YoungPerson.id == Attempt.person_id)
        .where(Attempt.id == submission.attempt_id)
    ).one()
    attempt, person = row
    return LastResult(
        submission_id=submission.id,
        person_id=person.id,
        first_name=person.first_name,
        family_name=person.family_name,
        disposition=attempt.disposition or "",
        zone=person.zone,
        next_at=_next_at(submission),
        why=_why(submission),
        undo_until=submission.created_at + desk.undo_within,
    )


def kept_notes(session: Session, *, officer_id: int) -> tuple[KeptNote, ...]:
    """Return the notes that the officer has typed and not sent, newest first."""
    rows = session.execute(
        select(Draft, YoungPerson)
        .join(YoungPerson, YoungPerson.id == Draft.person_id)
        .where(Draft.officer_id == officer_id)
        .order_by(Draft.updated_at.desc())
    )
    return tuple(
        KeptNote(person.id, person.first_name, person.family_name, draft.body, draft.updated_at)
        for draft, person in rows
    )


def _open_promises(desk: Desk, officer_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Callback.programme_id == desk.programme_id,
        Callback.officer_id == officer_id,
        Callback.state.in_((CallbackState.PROMISED, CallbackState.MISSED)),
        Callback.settled_at.is_(None),
    )


def _next_at(submission: OutcomeSubmission) -> datetime | None:
    text = submission.response.get("next_at")
    return datetime.fromisoformat(text) if text else None


def _why(submission: OutcomeSubmission) -> Reason | None:
    try:
        return Reason.from_json(submission.response.get("why") or {})
    except (KeyError, ValueError):
        return None
