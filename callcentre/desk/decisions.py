"""What a supervisor decided about somebody, and why: written with what it changes, never altered, shown afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from callcentre.accounts.models import User
from callcentre.audit import trail
from callcentre.desk.kinds import DecisionKind
from callcentre.desk.models import Decision
from callcentre.errors import InvalidInput
from callcentre.people.models import YoungPerson

REASON_LENGTH = 500
"""Longest reason, in characters."""
LATEST = 100
"""Decisions on the supervisor's list."""


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision as it is read again: when, who, what, why, about whom."""

    at: datetime
    kind: DecisionKind
    by: str
    reason: str
    person_id: int | None
    person: str


def record(
    session: Session,
    kind: DecisionKind,
    *,
    programme_id: int,
    person_id: int | None,
    by: int,
    now: datetime,
    reason: str = "",
    attempt_id: int | None = None,
    opt_out_id: int | None = None,
) -> None:
    """Write a decision, and that it was taken into the audit trail, which holds no reason."""
    session.add(
        Decision(
            programme_id=programme_id,
            person_id=person_id,
            kind=kind.value,
            at=now,
            decided_by=by,
            reason=reason.strip(),
            attempt_id=attempt_id,
            opt_out_id=opt_out_id,
        )
    )
    about = {"attempt": attempt_id, "opt_out": opt_out_id}
    trail.record(
        session,
        kind.value,
        "person",
        person_id,
        by=by,
        now=now,
        details={name: value for name, value in about.items() if value is not None},
    )
    session.flush()


def reason_of(text: str) -> str:
    """Return a reason without the spaces around it; raises InvalidInput when there is none or it is too long."""
    said = text.strip()
    if not said:
        raise InvalidInput("Indiquez la raison.", field="reason")
    if len(said) > REASON_LENGTH:
        raise InvalidInput("La raison dépasse %(length)s caractères.", field="reason", length=REASON_LENGTH)
    return said


def latest(session: Session, programme_id: int) -> tuple[DecisionView, ...]:
    """Return the last decisions of a programme, newest first."""
    return _views(session, _all(programme_id).limit(LATEST))


def of_person(session: Session, programme_id: int, person_id: int) -> tuple[DecisionView, ...]:
    """Return every decision about somebody, newest first."""
    return _views(session, _all(programme_id).where(Decision.person_id == person_id))


def of_refusal(session: Session, programme_id: int, opt_out_id: int) -> DecisionView | None:
    """Return what was decided about a guardian's refusal, or None."""
    return next(iter(_views(session, _all(programme_id).where(Decision.opt_out_id == opt_out_id))), None)


def _all(programme_id: int) -> Select[Decision, str, str | None, str | None]:
    return (
        select(Decision, User.display_name, YoungPerson.first_name, YoungPerson.family_name)
        .join(User, User.id == Decision.decided_by)
        .outerjoin(YoungPerson, YoungPerson.id == Decision.person_id)
        .where(Decision.programme_id == programme_id)
        .order_by(Decision.at.desc(), Decision.id.desc())
    )


def _views(
    session: Session, statement: Select[Decision, str, str | None, str | None]
) -> tuple[DecisionView, ...]:
    return tuple(
        DecisionView(
            at=row.at,
            kind=DecisionKind(row.kind),
            by=by,
            reason=row.reason,
            person_id=row.person_id,
            person=f"{first} {(family or '')[:1]}." if first else "",
        )
        for row, by, first, family in session.execute(statement)
    )
