"""Who is on a programme's newest list, and who is gone from it: a mark to look at, never an exit from the queue."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcentre.bulk import in_parts
from callcentre.intake.kinds import Fate, ListState
from callcentre.intake.models import ListFile, ListRow
from callcentre.people.models import YoungPerson

ON_THE_LIST = (Fate.CREATED, Fate.UPDATED, Fate.UNCHANGED, Fate.DUPLICATE)
_IN_FORCE = (ListState.IMPORTING, ListState.IMPORTED, ListState.FAILED)


@dataclass(frozen=True, slots=True)
class Gone:
    """Somebody whom the newest list named and this one does not."""

    person_id: int
    name: str
    birth_date: date


def newest_date(session: Session, programme_id: int, *, before: date | None = None) -> date | None:
    """The date of the newest list of a programme that was imported, before a date if one is given."""
    query = select(func.max(ListFile.list_date)).where(
        ListFile.programme_id == programme_id, ListFile.state.in_(_IN_FORCE)
    )
    return session.scalar(query if before is None else query.where(ListFile.list_date < before))


def is_older(session: Session, programme_id: int, list_date: date) -> bool:
    """Whether a list of a later date was imported already: an older one then only fills blanks."""
    newest = newest_date(session, programme_id)
    return newest is not None and list_date < newest


def people_on(session: Session, programme_id: int, list_date: date | None) -> set[int]:
    """Everybody whom the lists of a date name; several files of one date are one list."""
    if list_date is None:
        return set()
    query = (
        select(ListRow.person_id)
        .join(ListFile, ListFile.id == ListRow.list_file_id)
        .where(
            ListFile.programme_id == programme_id,
            ListFile.list_date == list_date,
            ListFile.state.in_(_IN_FORCE),
            ListRow.fate.in_([str(fate) for fate in ON_THE_LIST]),
        )
    )
    return {person_id for person_id in session.scalars(query) if person_id is not None}


def people_on_newest(session: Session, programme_id: int) -> set[int]:
    """Everybody on a programme's newest list."""
    return people_on(session, programme_id, newest_date(session, programme_id))


def gone(session: Session, programme_id: int, list_date: date, named: Collection[int]) -> tuple[Gone, ...]:
    """The people of the list before `list_date` who are neither among those named nor on a list of that date."""
    earlier = people_on(session, programme_id, newest_date(session, programme_id, before=list_date))
    left = earlier - set(named) - people_on(session, programme_id, list_date)
    found: list[Gone] = []
    for part in in_parts(left):
        query = select(
            YoungPerson.id, YoungPerson.family_name, YoungPerson.first_name, YoungPerson.birth_date
        ).where(YoungPerson.id.in_(part))
        found += [Gone(i, f"{family} {first}", birth) for i, family, first, birth in session.execute(query)]
    return tuple(sorted(found, key=lambda one: (one.name, one.person_id)))
