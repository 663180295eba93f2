"""What the tests of funnel and supervision stand on: a programme, territories, officers, people."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from callcentre.accounts.kinds import Role
from callcentre.accounts.models import User
from callcentre.callqueue.models import QueueEntry
from callcentre.directory.models import Programme as ProgrammeRow
from callcentre.directory.models import Territory
from callcentre.people.models import YoungPerson
from callcentre.programmes import Programme
from tests.builders import the_programme

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
"""A Monday, 11 h 30 in Marseille."""


def programme() -> Programme:
    """The example programme."""
    return the_programme()


def add_programme(session: Session, *, territories: int = 2) -> tuple[int, list[int]]:
    """A programme and its first territories; return their ids."""
    known = programme()
    row = ProgrammeRow(code=known.code, label=known.labels["fr"])
    session.add(row)
    session.flush()
    places = [
        Territory(programme_id=row.id, code=t.code, label=t.label, position=position)
        for position, t in enumerate(known.territories[:territories])
    ]
    session.add_all(places)
    session.flush()
    return row.id, [place.id for place in places]


def add_user(
    session: Session, login: str = "lea", *, role: Role = Role.OFFICER, name: str | None = None
) -> int:
    """An account without a usable password; return its id."""
    user = User(
        login=login,
        display_name=name or login.title(),
        role=role,
        password_hash="",
        created_at=NOW,
        password_changed_at=NOW,
    )
    session.add(user)
    session.flush()
    return user.id


def add_people(
    session: Session, count: int, *, programme_id: int | None = None, territory_id: int | None = None
) -> list[int]:
    """Young people, with a place in the queue if a programme and a territory are given; return ids."""
    people = [
        YoungPerson(
            family_name=f"Nom{n:04}",
            first_name="Camille",
            sort_name=f"nom{n:04} camille",
            birth_date=date(2008, 5, 17),
            created_at=NOW,
            updated_at=NOW,
        )
        for n in range(count)
    ]
    session.add_all(people)
    session.flush()
    if programme_id is not None and territory_id is not None:
        session.add_all(
            QueueEntry(
                programme_id=programme_id, person_id=person.id, territory_id=territory_id, opened_at=NOW
            )
            for person in people
        )
        session.flush()
    return [person.id for person in people]
