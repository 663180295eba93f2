"""Finding a person by any form of a number, or by name, when they call or come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, literal, or_, select
from sqlalchemy.orm import Session

from callcentre import phone
from callcentre.callqueue.models import QueueEntry
from callcentre.desk.context import Desk
from callcentre.directory.models import Territory
from callcentre.people.models import PersonNumber, PhoneNumber, YoungPerson
from callcentre.people.names import sort_name

FOUND_AT_MOST = 20
"""People shown; more means that the search is too short."""


@dataclass(frozen=True, slots=True)
class Found:
    """A person who fits the search; `number` is the one that fits, when it was searched for."""

    id: int
    first_name: str
    family_name: str
    birth_date: date
    territory: str
    state: str
    number: str | None
    owner: str | None


def search(session: Session, desk: Desk, text: str) -> tuple[Found, ...]:
    """Return the people whom a typed number (any form, or its last four digits) or name finds."""
    keys = phone.search_keys(text)
    query = _by_number(keys) if keys is not None else _by_name(text)
    if query is None:
        return ()
    rows = session.execute(
        query.join(QueueEntry, QueueEntry.person_id == YoungPerson.id)
        .join(Territory, Territory.id == QueueEntry.territory_id)
        .where(QueueEntry.programme_id == desk.programme_id)
        .order_by(YoungPerson.sort_name, YoungPerson.id)
        .limit(FOUND_AT_MOST)
    )
    return tuple(
        Found(
            row.id,
            row.first_name,
            row.family_name,
            row.birth_date,
            row.territory,
            row.state,
            row.number,
            row.owner,
        )
        for row in rows
    )


_SHOWN = (
    YoungPerson.id,
    YoungPerson.first_name,
    YoungPerson.family_name,
    YoungPerson.birth_date,
    Territory.label.label("territory"),
    QueueEntry.state,
)


def _by_number(keys: phone.NumberSearch) -> Select[*tuple[Any, ...]]:
    fits = [PhoneNumber.e164.in_(keys.exact)] if keys.exact else []
    if keys.starts_with:
        fits.append(PhoneNumber.e164.like(f"{keys.starts_with}%"))
    if keys.ends_with:
        fits.append(PhoneNumber.reversed_digits.like(f"{keys.ends_with[::-1]}%"))
    return (
        select(*_SHOWN, PhoneNumber.e164.label("number"), PersonNumber.owner)
        .select_from(YoungPerson)
        .join(PersonNumber, PersonNumber.person_id == YoungPerson.id)
        .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
        .where(or_(*fits))
    )


def _by_name(text: str) -> Select[*tuple[Any, ...]] | None:
    words = sort_name(text, "").split()
    if not words or max(map(len, words)) < 2:
        return None
    query = select(*_SHOWN, literal(None).label("number"), literal(None).label("owner")).select_from(
        YoungPerson
    )
    for word in words:
        query = query.where(YoungPerson.sort_name.like(f"%{word}%"))
    return query
