"""One person, call or result that waits for a supervisor's decision, with what is needed to decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcentre.accounts.models import User
from callcentre.callqueue.kinds import EntryState
from callcentre.callqueue.models import QueueEntry, Turn
from callcentre.desk import decisions, undo
from callcentre.desk.decisions import DecisionView
from callcentre.desk.models import OutcomeConflict
from callcentre.outreach.models import Attempt
from callcentre.people.kinds import SET_ASIDE
from callcentre.people.models import Opposition, OptOut, PersonNumber, PhoneNumber, YoungPerson
from callcentre.supervision.queries import names


@dataclass(frozen=True)
class PersonCase:
    """A person as a supervisor decides about them: are they in the queue, did they object."""

    person_id: int
    name: str
    entry_id: int
    is_closed: bool
    closed_reason: str | None
    closed_at: datetime | None
    opposition_id: int | None
    opposed_at: datetime | None


@dataclass(frozen=True)
class CallCase:
    """A call without a result: who made it, when, and whether its officer still gives a sign of life."""

    person_id: int
    name: str
    officer: str
    started_at: datetime
    renewed_at: datetime


@dataclass(frozen=True)
class ConflictCase:
    """A result that came after the person had been given to somebody else, as it was sent."""

    id: int
    person_id: int | None
    name: str
    officer: str
    at: datetime
    outcome: dict[str, Any]
    is_settled: bool


@dataclass(frozen=True)
class HeldCase:
    """A card that an officer holds without having called."""

    officer_id: int
    officer: str
    person_id: int
    name: str
    granted_at: datetime


@dataclass(frozen=True)
class RefusalCase:
    """A guardian who refused: on which number, when, said to whom, and what follows for the young person now."""

    opt_out_id: int
    person_id: int | None
    name: str
    at: datetime
    officer: str | None
    note: str | None
    number: str
    other_numbers: int
    """Numbers of the young person that may still be called."""
    is_open: bool
    is_lifted: bool
    decided: DecisionView | None


@dataclass(frozen=True)
class ResultCase:
    """The result of a call as a supervisor takes it back: who said what, when, and whether it can still be undone."""

    attempt_id: int
    person_id: int
    name: str
    officer: str
    started_at: datetime
    disposition: str | None
    note: str | None
    is_corrected: bool
    can_be_undone: bool
    later_calls: int
    """Calls that came after: what rests on their results stays."""


def result_case(session: Session, programme_id: int, attempt_id: int) -> ResultCase | None:
    """The result of a call of a programme, or None."""
    row = session.execute(
        select(Attempt, User.display_name)
        .join(User, User.id == Attempt.officer_id)
        .where(Attempt.id == attempt_id, Attempt.programme_id == programme_id)
    ).one_or_none()
    if row is None:
        return None
    attempt, officer = row
    later = session.scalar(
        select(func.count())
        .select_from(Attempt)
        .where(Attempt.entry_id == attempt.entry_id, Attempt.id > attempt.id)
    )
    return ResultCase(
        attempt_id=attempt.id,
        person_id=attempt.person_id,
        name=names(session, [attempt.person_id]).get(attempt.person_id, ""),
        officer=officer,
        started_at=attempt.started_at,
        disposition=attempt.disposition,
        note=attempt.note,
        is_corrected=attempt.corrected_at is not None,
        can_be_undone=bool(undo.undoable(session, [attempt.id])),
        later_calls=later or 0,
    )


def refusal_case(session: Session, programme_id: int, opt_out_id: int) -> RefusalCase | None:
    """A guardian's refusal, or None."""
    row = session.execute(
        select(OptOut, PhoneNumber.e164, User.display_name, Attempt.note, QueueEntry.state)
        .join(PhoneNumber, PhoneNumber.id == OptOut.number_id)
        .outerjoin(User, User.id == OptOut.recorded_by)
        .outerjoin(Attempt, Attempt.id == OptOut.attempt_id)
        .outerjoin(
            QueueEntry,
            (QueueEntry.person_id == OptOut.person_id) & (QueueEntry.programme_id == programme_id),
        )
        .where(OptOut.id == opt_out_id, OptOut.source == "guardian")
    ).one_or_none()
    if row is None:
        return None
    opt_out, number, officer, note, state = row
    person_id = opt_out.person_id
    return RefusalCase(
        opt_out_id=opt_out.id,
        person_id=person_id,
        name=names(session, [person_id]).get(person_id, "") if person_id is not None else "",
        at=opt_out.at,
        officer=officer,
        note=note,
        number=number,
        other_numbers=_callable(session, person_id) if person_id is not None else 0,
        is_open=state == EntryState.OPEN,
        is_lifted=opt_out.revoked_at is not None,
        decided=decisions.of_refusal(session, programme_id, opt_out_id),
    )


def _callable(session: Session, person_id: int) -> int:
    """How many of somebody's numbers may still be called, as far as the numbers themselves say."""
    stopped = select(OptOut.number_id).where(OptOut.revoked_at.is_(None))
    count = session.scalar(
        select(func.count())
        .select_from(PersonNumber)
        .where(
            PersonNumber.person_id == person_id,
            PersonNumber.callable.is_(True),
            PersonNumber.verdict.not_in(SET_ASIDE),
            PersonNumber.number_id.not_in(stopped),
        )
    )
    return count or 0


def person_case(session: Session, programme_id: int, person_id: int) -> PersonCase | None:
    """A person of a programme, or None."""
    row = session.execute(
        select(YoungPerson, QueueEntry)
        .join(QueueEntry, QueueEntry.person_id == YoungPerson.id)
        .where(YoungPerson.id == person_id, QueueEntry.programme_id == programme_id)
    ).one_or_none()
    if row is None:
        return None
    person, entry = row
    opposition = session.scalar(
        select(Opposition)
        .where(Opposition.person_id == person_id, Opposition.revoked_at.is_(None))
        .order_by(Opposition.id.desc())
        .limit(1)
    )
    return PersonCase(
        person_id=person.id,
        name=f"{person.first_name} {person.usual_name or person.family_name}",
        entry_id=entry.id,
        is_closed=entry.state == EntryState.CLOSED,
        closed_reason=entry.closed_reason,
        closed_at=entry.closed_at,
        opposition_id=None if opposition is None else opposition.id,
        opposed_at=None if opposition is None else opposition.at,
    )


def call_case(session: Session, person_id: int) -> CallCase | None:
    """The open call of a person, or None when it has its result by now."""
    row = session.execute(
        select(Turn, Attempt, User.display_name)
        .join(Attempt, Attempt.id == Turn.attempt_id)
        .join(User, User.id == Turn.officer_id)
        .where(Turn.person_id == person_id, Turn.token.is_not(None))
    ).one_or_none()
    if row is None:
        return None
    turn, attempt, officer = row
    return CallCase(
        person_id=person_id,
        name=names(session, [person_id]).get(person_id, ""),
        officer=officer,
        started_at=attempt.started_at,
        renewed_at=turn.renewed_at or attempt.started_at,
    )


def conflict_case(session: Session, conflict_id: int) -> ConflictCase | None:
    """A result kept as a conflict, or None."""
    row = session.execute(
        select(OutcomeConflict, User.display_name)
        .join(User, User.id == OutcomeConflict.officer_id)
        .where(OutcomeConflict.id == conflict_id)
    ).one_or_none()
    if row is None:
        return None
    conflict, officer = row
    known = names(session, [conflict.person_id]) if conflict.person_id is not None else {}
    return ConflictCase(
        id=conflict.id,
        person_id=conflict.person_id,
        name=known.get(conflict.person_id or 0, ""),
        officer=officer,
        at=conflict.at,
        outcome=conflict.outcome,
        is_settled=conflict.settled_at is not None,
    )


def held_case(session: Session, officer_id: int) -> HeldCase | None:
    """The card that an officer holds without a call, or None."""
    row = session.execute(
        select(Turn, User.display_name)
        .join(User, User.id == Turn.officer_id)
        .where(Turn.officer_id == officer_id, Turn.attempt_id.is_(None))
    ).one_or_none()
    if row is None:
        return None
    turn, officer = row
    assert turn.granted_at is not None
    return HeldCase(
        officer_id=officer_id,
        officer=officer,
        person_id=turn.person_id,
        name=names(session, [turn.person_id]).get(turn.person_id, ""),
        granted_at=turn.granted_at,
    )
