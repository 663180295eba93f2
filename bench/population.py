"""People in bulk for measurements: a whole programme's worth, written straight into the tables."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session, sessionmaker

from callcentre.accounts.models import User
from callcentre.callqueue.models import QueueEntry, Turn
from callcentre.database import Base, writing
from callcentre.directory import queries as directory
from callcentre.directory.programmes import synchronise
from callcentre.people.models import PersonNumber, PhoneNumber, YoungPerson
from callcentre.programmes import Programme

SHARERS = 0.08
"""Part of the people who share a number with somebody before them."""
READY = 0.6
"""Part of the people who are ready to be called at the start."""
AT_ONCE = 5_000


def populate(
    sessions: sessionmaker[Session],
    programme: Programme,
    *,
    people: int,
    officers: int,
    now: datetime,
    seed: int = 0,
) -> int:
    """Fill an empty database: people with numbers and places, most of them ready now; return the programme's id."""
    with writing(sessions) as session:
        synchronise(session, [programme])
        programme_id = directory.programme_id(session, programme.code)
        assert programme_id is not None
        places = [territory.id for territory in directory.territories(session, programme_id)]
        session.execute(insert(User), [_user(number, now) for number in range(1, officers + 1)])
    random_ = random.Random(seed)
    weights = [1 / (rank + 2) for rank in range(len(places))]
    for start in range(0, people, AT_ONCE):
        ids = range(start + 1, min(people, start + AT_ONCE) + 1)
        homes = dict(zip(ids, random_.choices(places, weights, k=len(ids)), strict=True))
        with writing(sessions) as session:
            _write(session, programme_id, homes, random_, now)
    with writing(sessions) as session:
        _renumber(session)
    return programme_id


def _write(
    session: Session, programme_id: int, homes: dict[int, int], random_: random.Random, now: datetime
) -> None:
    ids = list(homes)
    sharing = {person for person in ids if person > 1 and random_.random() < SHARERS}
    ready = [person for person in ids if random_.random() < READY]
    links = [(person, person - 1 if person in sharing else person) for person in ids]
    _insert(session, YoungPerson, (_person(person, random_, now) for person in ids))
    _insert(session, PhoneNumber, (_number(person) for person in ids))
    _insert(session, PersonNumber, (_link(person, number, now) for person, number in links))
    entries = {
        person: _entry(person, number, programme_id, homes[person], random_, now) for person, number in links
    }
    _insert(session, QueueEntry, entries.values())
    shared = sharing | {person - 1 for person in sharing}
    _insert(session, Turn, (_turn(entries[person], person in shared) for person in ready))


def _insert(session: Session, table: type[Base], rows: Iterable[dict[str, Any]]) -> None:
    session.execute(insert(table), list(rows))


def _user(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "login": f"officer{number}",
        "display_name": f"Officer {number}",
        "role": "officer",
        "password_hash": "",
        "must_change_password": False,
        "language": "fr",
        "theme": "auto",
        "density": "normal",
        "single_keys": True,
        "is_active": True,
        "created_at": now,
        "password_changed_at": now,
    }


def _person(person: int, random_: random.Random, now: datetime) -> dict[str, Any]:
    born = date(2002, 1, 1) + timedelta(days=random_.randrange(365 * 8))
    return {
        "id": person,
        "family_name": f"FAMILY{person}",
        "first_name": f"First{person}",
        "sort_name": f"family{person} first{person}",
        "birth_date": born,
        "zone": "Europe/Paris",
        "verified": {},
        "created_at": now,
        "updated_at": now,
    }


def _number(number: int) -> dict[str, Any]:
    # Numbers of the measurements are not French: the fictitious range holds only ten thousand.
    digits = f"999{number:09}"
    return {"id": number, "e164": f"+{digits}", "reversed_digits": digits[::-1], "kind": "mobile"}


def _link(person: int, number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": person,
        "person_id": person,
        "number_id": number,
        "owner": "young_person",
        "position": 1,
        "callable": True,
        "verdict": "unverified",
        "source": "list",
        "added_at": now,
    }


def _entry(
    person: int, number: int, programme_id: int, territory_id: int, random_: random.Random, now: datetime
) -> dict[str, Any]:
    opened = now - timedelta(minutes=random_.randrange(60, 10_000))
    end = now + timedelta(hours=6)
    return {
        "id": person,
        "programme_id": programme_id,
        "person_id": person,
        "territory_id": territory_id,
        "state": "open",
        "opened_at": opened,
        "eligible_at": opened,
        "eligible_until": end,
        "preferred_at": opened,
        "preferred_until": end,
        "priority": random_.choices((0, 1, 2), (1, 6, 3))[0],
        "number_id": number,
        "reason": {"code": "first_call", "params": {}},
        "version": 0,
    }


def _turn(entry: dict[str, Any], shares: bool) -> dict[str, Any]:
    return {
        "entry_id": entry["id"],
        "person_id": entry["person_id"],
        "programme_id": entry["programme_id"],
        "territory_id": entry["territory_id"],
        "lane": 4,
        "priority": entry["priority"],
        "due_at": entry["eligible_at"],
        "due_until": entry["eligible_until"],
        "number_id": entry["number_id"],
        "reason": entry["reason"],
        "shares_number": shares,
    }


def _renumber(session: Session) -> None:
    """Let the sequences of PostgreSQL go on after the ids that were written; bring the planner's figures up to date."""
    if session.get_bind().dialect.name == "postgresql":
        for table in ("users", "young_people", "phone_numbers", "person_numbers", "queue_entries"):
            session.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
            )
    session.execute(text("ANALYZE"))
