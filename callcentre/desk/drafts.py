"""What an officer has typed and not sent: kept on the server so that a closed tab loses nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete
from sqlalchemy.orm import Session

from callcentre.desk.models import Draft
from callcentre.desk.outcomes import NOTE_LENGTH
from callcentre.errors import InvalidInput
from callcentre.statements import Prepared

_DISCARD = Prepared(
    delete(Draft).where(Draft.officer_id == bindparam("officer"), Draft.person_id == bindparam("person"))
)


def save(session: Session, *, officer_id: int, person_id: int, body: str, now: datetime) -> None:
    """Keep what is typed about a person; an empty text keeps nothing."""
    if len(body) > NOTE_LENGTH:
        raise InvalidInput("La note dépasse %(length)s caractères.", field="note", length=NOTE_LENGTH)
    if not body:
        discard(session, officer_id=officer_id, person_id=person_id)
        return
    session.merge(Draft(officer_id=officer_id, person_id=person_id, body=body, updated_at=now))
    session.flush()


def discard(session: Session, *, officer_id: int, person_id: int) -> None:
    """Forget the draft, because its outcome was accepted or it was emptied."""
    _DISCARD.run(session, {"officer": officer_id, "person": person_id})


def of(session: Session, *, officer_id: int, person_id: int) -> Draft | None:
    """Return the draft, if there is one."""
    return session.get(Draft, (officer_id, person_id))
