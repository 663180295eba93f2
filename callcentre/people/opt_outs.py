"""Saying stop: an opt-out stops a number, an opposition stops every call to a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.people.models import Opposition, OptOut, PersonNumber
from callcentre.statements import Prepared

_REACHED = Prepared(select(PersonNumber.person_id).where(PersonNumber.number_id == bindparam("number")))


def opt_out(
    session: Session,
    *,
    number_id: int,
    source: str,
    now: datetime,
    person_id: int | None = None,
    attempt_id: int | None = None,
    by: int | None = None,
) -> int:
    """Record that a number must not be reached, whoever uses it; return the row's id, the same if it stands."""
    standing = session.scalar(
        select(OptOut.id).where(OptOut.number_id == number_id, OptOut.revoked_at.is_(None))
    )
    if standing is not None:
        return standing
    row = OptOut(
        number_id=number_id, source=source, person_id=person_id, attempt_id=attempt_id, recorded_by=by, at=now
    )
    session.add(row)
    session.flush()
    return row.id


def oppose(
    session: Session,
    *,
    person_id: int,
    source: str,
    now: datetime,
    attempt_id: int | None = None,
    by: int | None = None,
) -> int:
    """Record a young person's refusal of any contact; return the row's id, the same if it stands already."""
    standing = session.scalar(
        select(Opposition.id).where(Opposition.person_id == person_id, Opposition.revoked_at.is_(None))
    )
    if standing is not None:
        return standing
    row = Opposition(person_id=person_id, source=source, attempt_id=attempt_id, recorded_by=by, at=now)
    session.add(row)
    session.flush()
    return row.id


def recorded_in(
    session: Session, table: type[OptOut] | type[Opposition], row_id: int, attempt_id: int
) -> bool:
    """Tell whether a stop was first said in this call; one that stood before is not this call's to take back."""
    found = select(table.id).where(
        table.id == row_id, table.attempt_id == attempt_id, table.revoked_at.is_(None)
    )
    return session.scalar(found) is not None


def forbids(session: Session, *, person_id: int, number_id: int) -> bool:
    """Tell whether a stop stands that keeps a person from being called on a number: the number's, or their own."""
    of_number = select(OptOut.id).where(OptOut.number_id == number_id, OptOut.revoked_at.is_(None))
    of_person = select(Opposition.id).where(
        Opposition.person_id == person_id, Opposition.revoked_at.is_(None)
    )
    return session.scalar(of_number) is not None or session.scalar(of_person) is not None


def revoke_opposition(session: Session, opposition_id: int, *, by: int, reason: str, now: datetime) -> int:
    """Take back an opposition recorded by mistake; return the person's id."""
    row = session.get(Opposition, opposition_id)
    if row is None or row.revoked_at is not None:
        raise NotFound("opposition")
    _revoke(row, by=by, reason=reason, now=now)
    session.flush()
    return row.person_id


def revoke_opt_out(session: Session, opt_out_id: int, *, by: int, reason: str, now: datetime) -> set[int]:
    """Take back an opt-out recorded by mistake; return the ids of the people whom the number reaches.

    A STOP that the person really sent can only be taken back by that person.
    """
    row = session.get(OptOut, opt_out_id)
    if row is None or row.revoked_at is not None:
        raise NotFound("opt_out")
    if row.source in ("message", "provider"):
        raise NotAllowed(
            "Ce STOP vient de la personne elle-même : elle seule peut le reprendre.", reason="own_stop"
        )
    _revoke(row, by=by, reason=reason, now=now)
    session.flush()
    return people_reached_by(session, row.number_id)


def opt_back_in(session: Session, number_id: int, *, now: datetime) -> bool:
    """Take back the stop that a number sent itself, because it now asks for that; False when there was none."""
    row = session.scalar(
        select(OptOut).where(
            OptOut.number_id == number_id,
            OptOut.revoked_at.is_(None),
            OptOut.source.in_(("message", "provider")),
        )
    )
    if row is None:
        return False
    row.revoked_at, row.revoked_reason = now, "START"
    session.flush()
    return True


def people_reached_by(session: Session, number_id: int) -> set[int]:
    """Return the ids of the people whom a number reaches."""
    return set(_REACHED.values(session, {"number": number_id}))


def _revoke(row: OptOut | Opposition, *, by: int, reason: str, now: datetime) -> None:
    if not reason.strip():
        raise InvalidInput("Indiquez la raison.", field="reason")
    row.revoked_at, row.revoked_by, row.revoked_reason = now, by, reason.strip()
