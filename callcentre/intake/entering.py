"""From a list into a programme: a place in the queue, a stage in the funnel, a territory, a legal clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.bulk import in_parts
from callcentre.callqueue import entries
from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.directory import queries as directory
from callcentre.directory.programmes import UNASSIGNED
from callcentre.funnel.changes import advance_many
from callcentre.intake.values import age_on
from callcentre.people.candidates import Candidate

ADULT_AGE = 18
NEW_LIST, NEW_NUMBER = "new_list", "new_number"
"""Codes by which a closed entry says what re-opens it."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A person whom a list names, with what it says of them.

    `has_new_number`: one to call, which may re-open their entry.
    `is_new`: they were made just now, and can have no place anywhere.
    """

    person_id: int
    candidate: Candidate
    has_new_number: bool = False
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person stands in a programme's queue."""

    entry_id: int
    territory_id: int
    is_open: bool
    opened_at: datetime
    closed_at: datetime | None
    closed_reason: str | None
    reopened_by: frozenset[str]

    def as_json(self) -> dict[str, Any]:
        """What would put the place back as it is."""
        return {
            "entry": self.entry_id,
            "territory_id": self.territory_id,
            "is_open": self.is_open,
            "opened_at": self.opened_at.isoformat(),
            "closed_at": self.closed_at.isoformat() if self.closed_at else None,
            "closed_reason": self.closed_reason,
            "reopened_by": " ".join(sorted(self.reopened_by)) or None,
        }


@dataclass(frozen=True, slots=True)
class Entered:
    """What entering a programme changed of a person's place, and what would put it back."""

    changed: tuple[str, ...] = ()
    before: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ground:
    """A programme's side of an import: its row, its territories by code, the months of a minor's clock."""

    programme_id: int
    territories: Mapping[str, int]
    clock_months: int

    def territory_id(self, candidate: Candidate) -> int:
        """The territory of a candidate, else the one for people whom nothing places."""
        return self.territories.get(candidate.territory or UNASSIGNED, self.territories[UNASSIGNED])


def load_ground(session: Session, programme_id: int, clock_months: int) -> Ground:
    """Read a programme's side."""
    territories = {t.code: t.id for t in directory.territories(session, programme_id)}
    return Ground(programme_id, territories, clock_months)


def load_places(session: Session, ground: Ground, person_ids: Sequence[int]) -> dict[int, Place]:
    """The places that these people have already."""
    places: dict[int, Place] = {}
    for part in in_parts(person_ids):
        query = select(
            QueueEntry.person_id,
            QueueEntry.id,
            QueueEntry.territory_id,
            QueueEntry.state,
            QueueEntry.opened_at,
            QueueEntry.closed_at,
            QueueEntry.closed_reason,
            QueueEntry.reopened_by,
        ).where(QueueEntry.programme_id == ground.programme_id, QueueEntry.person_id.in_(part))
        for person_id, entry_id, territory_id, state, opened, closed, why, codes in session.execute(query):
            is_open, reopened_by = state == EntryState.OPEN, frozenset((codes or "").split())
            places[person_id] = Place(entry_id, territory_id, is_open, opened, closed, why, reopened_by)
    return places


def expected(entrant: Entrant, place: Place | None, ground: Ground, list_date: date) -> tuple[str, ...]:
    """What entering would change of a person's place: `queue` (placed or re-opened), `territory`."""
    if place is None:
        return ("queue",)
    parts = (("queue", _reopens(entrant, place, list_date)), ("territory", _moves(entrant, place, ground)))
    return tuple(name for name, changes in parts if changes)


def _reopens(entrant: Entrant, place: Place, list_date: date) -> bool:
    """A list made after the exit, or a number that was not known, where the exit says that it re-opens."""
    if place.is_open:
        return False
    is_newer = place.closed_at is None or list_date > place.closed_at.date()
    return (NEW_LIST in place.reopened_by and is_newer) or (
        NEW_NUMBER in place.reopened_by and entrant.has_new_number
    )


def _moves(entrant: Entrant, place: Place, ground: Ground) -> bool:
    """Only a territory that the list tells moves somebody: an empty cell never does."""
    return (
        entrant.candidate.territory is not None
        and ground.territory_id(entrant.candidate) != place.territory_id
    )


def enter(
    session: Session,
    entrants: Sequence[Entrant],
    *,
    ground: Ground,
    list_file_id: int | None,
    list_date: date,
    now: datetime,
) -> dict[int, Entered]:
    """Give people their place and stage, re-open or move those who have one; say what changed, by person."""
    places = load_places(session, ground, [entrant.person_id for entrant in entrants if not entrant.is_new])
    changed = {e.person_id: expected(e, places.get(e.person_id), ground, list_date) for e in entrants}
    new = [e for e in entrants if e.person_id not in places]
    entries.open_entries(
        session,
        [
            (e.person_id, ground.territory_id(e.candidate), legal_deadline(e.candidate, list_date, ground))
            for e in new
        ],
        programme_id=ground.programme_id,
        list_file_id=list_file_id,
        now=now,
        known=places,
    )
    for are_new in (True, False):
        part = [entrant.person_id for entrant in new if entrant.is_new is are_new]
        advance_many(
            session, programme_id=ground.programme_id, person_ids=part, at=now, now=now, are_new=are_new
        )
    for entrant in entrants:
        place = places.get(entrant.person_id)
        if place is None:
            continue
        if _reopens(entrant, place, list_date):
            entry = session.get(QueueEntry, place.entry_id)
            if entry is not None:
                entries.reopen(session, entry, now=now)
        if _moves(entrant, place, ground):
            entries.move(
                session,
                entrant.person_id,
                programme_id=ground.programme_id,
                territory_id=ground.territory_id(entrant.candidate),
            )
    return {
        person_id: Entered(parts, _before(places.get(person_id)) if parts else {})
        for person_id, parts in changed.items()
    }


def _before(place: Place | None) -> dict[str, Any]:
    return {"new_place": True} if place is None else {"place": place.as_json()}


def legal_deadline(candidate: Candidate, signalled: date, ground: Ground) -> date | None:
    """Last day of a minor's legal clock, which the list starts as the school's signal; None for an adult."""
    if age_on(candidate.birth_date, signalled) >= ADULT_AGE:
        return None
    months = signalled.year * 12 + signalled.month - 1 + ground.clock_months
    first_of_next = date((months + 1) // 12, (months + 1) % 12 + 1, 1)
    last_day = (first_of_next - timedelta(days=1)).day
    return date(months // 12, months % 12 + 1, min(signalled.day, last_day))
