"""Undoing a whole import, while none of the people whom it brought or changed was called.

People it created go, people it changed are as they were; row numbers, fates and reasons stay, without their values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete, exists, select, update
from sqlalchemy.orm import Session

from callcentre.bulk import in_parts
from callcentre.callqueue.models import EntryState, NumberLock, QueueEntry, Turn
from callcentre.database import Base
from callcentre.errors import NotAllowed, NotFound
from callcentre.funnel.models import StageChange
from callcentre.intake.importing import lock_imports
from callcentre.intake.keeping import forget
from callcentre.intake.kinds import Fate, ListState
from callcentre.intake.models import ListChange, ListFile, ListRow
from callcentre.intake.reasons import from_json
from callcentre.people import merges
from callcentre.people.models import (
    DuplicatePair,
    Guardian,
    Merge,
    NationalId,
    PersonNumber,
    PhoneNumber,
    YoungPerson,
)
from callcentre.programmes import Programme

CALLED, HELD, LATER_LIST, CHANGED_SINCE = "called", "held", "later_list", "changed_since"
"""Why an import cannot be undone: codes with the number of people concerned."""
_OWN = frozenset(
    {
        "guardians",
        "national_ids",
        "person_numbers",
        "queue_entries",
        "stage_changes",
        "turns",
        "list_rows",
        "list_changes",
        "duplicate_pairs",
        "route_steps",
    }
)
"""What comes about a person by an import alone; a row of any other table means that somebody has worked on them.

Steps of the other routes come by themselves where no number is usable; one that was done is work all the same.
"""


@dataclass(frozen=True, slots=True)
class Undoable:
    """What undoing would take back, and what stands in its way; nothing does when `obstacles` is empty."""

    created: int
    changed: int
    obstacles: dict[str, int] = field(default_factory=dict)
    too_late: bool = False

    @property
    def is_possible(self) -> bool:
        """Whether the import can be undone now."""
        return not self.obstacles and not self.too_late


@dataclass(frozen=True, slots=True)
class Undone:
    """How many people went, and how many are as they were."""

    removed: int
    restored: int


def look(session: Session, list_file_id: int, *, programme: Programme, now: datetime) -> Undoable:
    """Say what undoing an import would take back, or why it cannot be undone."""
    file = _file(session, list_file_id)
    created, changed = _people(session, list_file_id)
    if file.state != ListState.IMPORTED or not is_in_time(file.finished_at, programme, now):
        return Undoable(len(created), len(changed), too_late=True)
    found = {
        CALLED: _called(session, created | set(changed), file.uploaded_at),
        HELD: _held(session, created | set(changed)),
        LATER_LIST: _on_later_lists(session, file, created, set(changed)),
        CHANGED_SINCE: (
            _worked_on(session, created)
            | _merged(session, created | set(changed))
            | _looked_for(session, created | set(changed), file.uploaded_at)
        ),
    }
    found[CHANGED_SINCE] -= found[CALLED] | found[HELD]
    return Undoable(len(created), len(changed), {code: len(who) for code, who in found.items() if who})


def is_in_time(finished_at: datetime | None, programme: Programme, now: datetime) -> bool:
    """Whether an import that ended then may still be undone, if nothing else is in the way."""
    return finished_at is not None and now <= finished_at + timedelta(days=programme.intake.undo_days)


def undo(
    session: Session, list_file_id: int, *, programme: Programme, now: datetime, by: int | None = None
) -> Undone:
    """Take an import back, all of it or nothing; raises NotAllowed when somebody has been worked on since."""
    lock_imports(session)
    file = _file(session, list_file_id, lock=True)
    possible = look(session, list_file_id, programme=programme, now=now)
    if not possible.is_possible:
        raise NotAllowed(
            "Cet import ne peut plus être défait : rien n’a été changé.",
            reason=next(iter(possible.obstacles), "too_late"),
        )
    created, _ = _people(session, list_file_id)
    changes = session.scalars(
        select(ListChange).where(ListChange.list_file_id == list_file_id).order_by(ListChange.id.desc())
    ).all()
    restored = {change.person_id for change in changes} - created
    for change in changes:
        if change.person_id not in created:
            _restore(session, change.person_id, change.before, now)
    session.execute(delete(ListChange).where(ListChange.list_file_id == list_file_id))
    _forget_rows(session, list_file_id, now, by)
    _remove(session, created)
    file.state, file.problem = ListState.UNDONE, None
    forget(session, [list_file_id])
    session.flush()
    session.expire_all()
    return Undone(len(created), len(restored))


def _file(session: Session, list_file_id: int, *, lock: bool = False) -> ListFile:
    query = select(ListFile).where(ListFile.id == list_file_id)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound("Cette liste n’existe pas.")
    return row


def _people(session: Session, list_file_id: int) -> tuple[set[int], list[int]]:
    """Whom an import created, and whom it changed."""
    created = session.scalars(
        select(ListRow.person_id).where(
            ListRow.list_file_id == list_file_id,
            ListRow.fate == Fate.CREATED,
            ListRow.person_id.is_not(None),
        )
    )
    made = {person_id for person_id in created if person_id is not None}
    changed = session.scalars(
        select(ListChange.person_id).where(ListChange.list_file_id == list_file_id).distinct()
    )
    return made, sorted(set(changed) - made)


# ---- what stands in the way


def _called(session: Session, people: Collection[int], since: datetime) -> set[int]:
    """Whoever was called since the list came: attempts belong to another feature, so their table is asked by name."""
    table = Base.metadata.tables.get("attempts")
    if table is None:
        return set()
    found: set[int] = set()
    for part in in_parts(people):
        query = select(table.c.person_id).where(table.c.person_id.in_(part), table.c.started_at >= since)
        found.update(session.scalars(query.distinct()))
    return found


def _looked_for(session: Session, people: Collection[int], since: datetime) -> set[int]:
    """Whoever was looked for by another route since the list came: a step was done, or a letter prepared."""
    table = Base.metadata.tables.get("route_steps")
    if table is None:
        return set()
    was_done = table.c.done_by.is_not(None) & (table.c.done_at >= since)
    was_prepared = table.c.mailing_id.is_not(None) & (table.c.created_at >= since)
    found: set[int] = set()
    for part in in_parts(people):
        query = select(table.c.person_id).where(table.c.person_id.in_(part), was_done | was_prepared)
        found.update(session.scalars(query.distinct()))
    return found


def _held(session: Session, people: Collection[int]) -> set[int]:
    found: set[int] = set()
    for part in in_parts(people):
        found.update(
            session.scalars(select(Turn.person_id).where(Turn.person_id.in_(part), Turn.token.is_not(None)))
        )
    return found


def _on_later_lists(
    session: Session, file: ListFile, created: Collection[int], changed: Collection[int]
) -> set[int]:
    """People whom another list speaks of since: created ones by a row, changed ones by a later change."""
    found: set[int] = set()
    for part in in_parts(created):
        query = select(ListRow.person_id).where(ListRow.person_id.in_(part), ListRow.list_file_id != file.id)
        found.update(person_id for person_id in session.scalars(query) if person_id is not None)
    last = session.scalar(
        select(ListChange.id)
        .where(ListChange.list_file_id == file.id)
        .order_by(ListChange.id.desc())
        .limit(1)
    )
    for part in in_parts(changed):
        found.update(
            session.scalars(
                select(ListChange.person_id).where(
                    ListChange.person_id.in_(part),
                    ListChange.list_file_id != file.id,
                    ListChange.id > (last or 0),
                )
            )
        )
    return found


def _worked_on(session: Session, created: Collection[int]) -> set[int]:
    """Created people about whom anything else was written: a message, a note, an opposition, a verified field."""
    found: set[int] = set()
    for table, column in merges.references():
        if table.name in _OWN:
            continue
        for part in in_parts(created):
            found.update(session.scalars(select(column).where(column.in_(part)).distinct()))
    for part in in_parts(created):
        found.update(
            session.scalars(
                select(PersonNumber.person_id).where(
                    PersonNumber.person_id.in_(part),
                    (PersonNumber.source != "list") | PersonNumber.verdict_at.is_not(None),
                )
            )
        )
        found.update(
            session.scalars(
                select(StageChange.person_id).where(
                    StageChange.person_id.in_(part), StageChange.cause != "list"
                )
            )
        )
    return found


def _merged(session: Session, people: Collection[int]) -> set[int]:
    """People who are part of a merge, standing or taken back: their journal refers to rows of theirs."""
    found: set[int] = set()
    for part in in_parts(people):
        for column in (Merge.kept_id, Merge.gone_id):
            found.update(session.scalars(select(column).where(column.in_(part))))
    return found


# ---- taking back


def _restore(session: Session, person_id: int, before: dict[str, Any], now: datetime) -> None:
    """Put a person back as they were before the import."""
    columns = YoungPerson.__table__.c
    values = {name: _typed(columns[name], value) for name, value in before.get("values", {}).items()}
    session.execute(update(YoungPerson).where(YoungPerson.id == person_id).values(**values, updated_at=now))
    for kind, value in before.get("ids", ()):
        session.execute(
            delete(NationalId).where(
                NationalId.person_id == person_id, NationalId.kind == kind, NationalId.value == value
            )
        )
    _restore_numbers(session, person_id, before)
    ranks = before.get("new_guardians", ())
    session.execute(delete(Guardian).where(Guardian.person_id == person_id, Guardian.rank.in_(list(ranks))))
    for rank, names in before.get("guardians", {}).items():
        session.execute(
            update(Guardian)
            .where(Guardian.person_id == person_id, Guardian.rank == int(rank))
            .values(**names)
        )
    if before.get("new_place"):
        _remove_places(session, [person_id], before)
    if place := before.get("place"):
        _restore_place(session, place)


def _restore_numbers(session: Session, person_id: int, before: dict[str, Any]) -> None:
    added = before.get("numbers", [])
    if added:
        links = select(PersonNumber.id).join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
        own = links.where(PersonNumber.person_id == person_id, PhoneNumber.e164.in_(added))
        numbers = set(session.scalars(select(PhoneNumber.id).where(PhoneNumber.e164.in_(added))))
        session.execute(delete(PersonNumber).where(PersonNumber.id.in_(list(session.scalars(own)))))
        _remove_numbers(session, numbers)
    barred = before.get("barred", [])
    session.execute(
        update(PersonNumber).where(PersonNumber.id.in_(barred)).values(callable=True, why_not=None)
    )


def _typed(column: Any, value: Any) -> Any:
    is_date = value is not None and column.type.python_type is date
    return date.fromisoformat(value) if is_date else value


def _restore_place(session: Session, place: dict[str, Any]) -> None:
    entry = session.get(QueueEntry, place["entry"], populate_existing=True)
    if entry is None:
        return
    entry.territory_id = place["territory_id"]
    session.execute(update(Turn).where(Turn.entry_id == entry.id).values(territory_id=place["territory_id"]))
    if not place["is_open"]:
        closed_at = place["closed_at"]
        entry.state, entry.closed_reason = EntryState.CLOSED, place["closed_reason"]
        entry.closed_at = datetime.fromisoformat(closed_at) if closed_at else None
        entry.opened_at = datetime.fromisoformat(place["opened_at"])
        entry.reopened_by = place["reopened_by"]
        entry.eligible_at = entry.eligible_until = entry.preferred_at = entry.preferred_until = None
        session.execute(delete(Turn).where(Turn.entry_id == entry.id, Turn.token.is_(None)))
    session.flush()


def _remove_places(session: Session, people: Sequence[int], before: dict[str, Any] | None = None) -> None:
    """Remove the places and stages that an import gave; `before` limits them to the newest place of a person."""
    entries = list(
        session.scalars(select(QueueEntry.id).where(QueueEntry.person_id.in_(people)).order_by(QueueEntry.id))
    )
    if before is not None:
        entries = entries[-1:]
    programmes = set(session.scalars(select(QueueEntry.programme_id).where(QueueEntry.id.in_(entries))))
    turns = select(Turn.id).where(Turn.entry_id.in_(entries))
    session.execute(delete(NumberLock).where(NumberLock.turn_id.in_(turns)))
    session.execute(delete(Turn).where(Turn.entry_id.in_(entries)))
    steps = Base.metadata.tables.get("route_steps")
    if steps is not None:
        session.execute(delete(steps).where(steps.c.entry_id.in_(entries)))
    session.execute(
        delete(StageChange).where(
            StageChange.person_id.in_(people),
            StageChange.programme_id.in_(programmes),
            StageChange.cause == "list",
        )
    )
    session.execute(delete(QueueEntry).where(QueueEntry.id.in_(entries)))


def _forget_rows(session: Session, list_file_id: int, now: datetime, by: int | None) -> None:
    """Keep of the rows their number, fate and reasons only."""
    said = (ListRow.cells.is_not(None)) | (ListRow.person_id.is_not(None))
    rows = session.scalars(select(ListRow).where(ListRow.list_file_id == list_file_id, said))
    for row in rows.all():
        row.cells, row.purge_on, row.person_id = None, None, None
        row.settled_at, row.settled_by = row.settled_at or now, row.settled_by or by
        if row.reasons:
            row.reasons = [reason.without_value().as_json() for reason in from_json(row.reasons)]
    session.flush()


def _remove(session: Session, people: Iterable[int]) -> None:
    """Remove people whom nobody has worked on, with all that is theirs."""
    numbers: set[int] = set()
    for part in in_parts(set(people)):
        numbers.update(
            session.scalars(select(PersonNumber.number_id).where(PersonNumber.person_id.in_(part)))
        )
        _remove_places(session, part)
        for model in (PersonNumber, Guardian, NationalId):
            session.execute(delete(model).where(model.person_id.in_(part)))
        session.execute(
            delete(DuplicatePair).where(DuplicatePair.one_id.in_(part) | DuplicatePair.other_id.in_(part))
        )
        session.execute(delete(ListChange).where(ListChange.person_id.in_(part)))
        session.execute(delete(YoungPerson).where(YoungPerson.id.in_(part)))
    _remove_numbers(session, numbers)


def _remove_numbers(session: Session, numbers: Collection[int]) -> None:
    """Remove numbers that nothing refers to any more; an opt-out keeps its number for ever."""
    own: Table = PhoneNumber.__table__  # type: ignore[assignment]
    used = [
        exists(select(column).where(column == own.c.id))
        for _, column in merges.references(to="phone_numbers")
    ]
    for part in in_parts(numbers):
        statement = delete(own).where(own.c.id.in_(part))
        for condition in used:
            statement = statement.where(~condition)
        session.execute(statement)
