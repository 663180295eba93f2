"""Builders of test data: a programme, a fixed cast, and young people in the queue.

Everything takes only what the test is about; the rest has a value that fits. Numbers are fictitious.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import count
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from callcentre.accounts.kinds import Role
from callcentre.accounts.models import User
from callcentre.accounts.secrets import hash_password
from callcentre.callqueue.entries import open_entries
from callcentre.database import writing
from callcentre.directory.models import Programme as ProgrammeRow
from callcentre.directory.models import Territory
from callcentre.directory.programmes import synchronise
from callcentre.people.kinds import NumberOwner
from callcentre.people.models import Guardian, PersonNumber, YoungPerson
from callcentre.people.names import sort_name
from callcentre.people.numbers import number_row
from callcentre.planning.eligibility import reconsider
from callcentre.programmes import Programme, load_programme

PASSWORD = "Une phrase assez longue 7"
CONFIG = Path(__file__).resolve().parent.parent / "config"
CAST = {"officer": Role.OFFICER, "colleague": Role.OFFICER, "supervisor": Role.SUPERVISOR}
FIRST_NAMES = ("Lina", "Noé", "Inès", "Adam", "Jade", "Yanis", "Élise", "Malo", "Sara", "Théo")
_serial = count(1)


@dataclass(frozen=True)
class World:
    """A programme with its territories, users by login, and the people in its queue."""

    programme: Programme
    programme_id: int
    territories: dict[str, int]
    users: dict[str, int]
    people: tuple[int, ...] = ()


@cache
def the_programme() -> Programme:
    """The example programme of the project, read once for all tests: nothing can change it."""
    return load_programme(CONFIG / "programmes" / "bouches-du-rhone.toml")


def make_world(
    sessions: sessionmaker[Session],
    now: datetime,
    *,
    people: int = 3,
    programme: Programme | None = None,
    cast: dict[str, Role] | None = None,
) -> World:
    """Write a programme, its cast and people who may be called at once, each on a number of their own."""
    with writing(sessions) as session:
        world = a_programme(session, programme)
        world.users.update(
            {login: a_user(session, login, role, now=now) for login, role in (cast or CAST).items()}
        )
        made = tuple(
            a_person(
                session,
                world,
                first_name=FIRST_NAMES[n % len(FIRST_NAMES)],
                family_name=f"Essai{n + 1}",
                territory=world.programme.territories[n % len(world.programme.territories)].code,
                now=now,
            )
            for n in range(people)
        )
    return World(world.programme, world.programme_id, world.territories, world.users, made)


def a_programme(session: Session, programme: Programme | None = None) -> World:
    """The rows of a programme and its territories; a world without people."""
    programme = programme or the_programme()
    synchronise(session, [programme])
    programme_id = session.scalars(select(ProgrammeRow.id).where(ProgrammeRow.code == programme.code)).one()
    places = session.scalars(select(Territory).where(Territory.programme_id == programme_id))
    return World(programme, programme_id, {place.code: place.id for place in places}, {})


def a_user(
    session: Session, login: str, role: Role = Role.OFFICER, *, now: datetime, name: str | None = None
) -> int:
    """An account that can sign in with PASSWORD; the one that has this login already, if there is one."""
    known = session.scalar(select(User.id).where(User.login == login))
    if known is not None:
        return known
    user = User(
        login=login,
        display_name=name or login.title(),
        role=role,
        password_hash=password_hash(),
        created_at=now,
        password_changed_at=now,
    )
    session.add(user)
    session.flush()
    return user.id


@cache
def password_hash() -> str:
    """Hash PASSWORD once for all tests: it is slow on purpose."""
    return hash_password(PASSWORD)


def a_person(
    session: Session,
    world: World,
    *,
    now: datetime,
    first_name: str = "Lina",
    family_name: str = "Essai",
    birth_date: date = date(2009, 5, 17),
    numbers: Sequence[str] | None = None,
    guardian_numbers: Sequence[str] = (),
    territory: str = "marseille-nord",
    zone: str = "Europe/Paris",
    deadline: date | None = None,
    queued: bool = True,
) -> int:
    """A young person with numbers (E.164; a fresh one by default), placed in the queue; return their id."""
    person = YoungPerson(
        family_name=family_name,
        first_name=first_name,
        sort_name=sort_name(family_name, first_name),
        birth_date=birth_date,
        zone=zone,
        postal_code="13013",
        commune="Marseille",
        class_label="2de pro",
        exit_date=date(2026, 10, 2),
        created_at=now,
        updated_at=now,
    )
    session.add(person)
    session.flush()
    own = [a_number()] if numbers is None else list(numbers)
    for position, e164 in enumerate(own):
        _link(session, person.id, e164, position, owner=NumberOwner.YOUNG_PERSON, now=now)
    for rank, e164 in enumerate(guardian_numbers, start=1):
        guardian = Guardian(
            person_id=person.id, rank=rank, family_name=family_name, first_name="Dominique", relation="mère"
        )
        session.add(guardian)
        session.flush()
        _link(
            session,
            person.id,
            e164,
            len(own) + rank,
            owner=NumberOwner.GUARDIAN,
            guardian=guardian.id,
            now=now,
        )
    if queued:
        place = (person.id, world.territories[territory], deadline)
        open_entries(session, [place], programme_id=world.programme_id, list_file_id=None, now=now)
        reconsider(session, world.programme, world.programme_id, [person.id], now=now)
    return person.id


def a_number() -> str:
    """A fictitious mobile number that no other builder gave."""
    return f"+3363998{next(_serial) % 10000:04}"


def _link(
    session: Session,
    person_id: int,
    e164: str,
    position: int,
    *,
    owner: NumberOwner,
    now: datetime,
    guardian: int | None = None,
) -> None:
    session.add(
        PersonNumber(
            person_id=person_id,
            number_id=number_row(session, e164, "mobile").id,
            owner=owner.value,
            guardian_id=guardian,
            position=position,
            added_at=now,
        )
    )
    session.flush()
