"""Making two records of one person into one, and taking that back whole.

Whatever refers to the record that goes is re-pointed to the one that stays, table by table as the metadata names
them, and a journal remembers each row. What both have (a number, a guardian) is kept once. Nothing is guessed when
a merge is taken back: rows that came from the other record return to it, rows written since stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Date, FromClause, Table, delete, insert, select, update
from sqlalchemy.orm import Session

from callcentre.bulk import in_parts
from callcentre.database import Base, UtcDateTime
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.people.kinds import NumberVerdict, PairState
from callcentre.people.models import (
    DuplicatePair,
    Guardian,
    Merge,
    Opposition,
    PersonNumber,
    YoungPerson,
)
from callcentre.people.names import fold

_OTHERWISE = frozenset({"merges", "duplicate_pairs", "guardians", "person_numbers", "list_changes"})
"""Tables that refer to people and are not simply re-pointed here."""
_BLANKS = (
    "usual_name", "sex", "email", "address", "postal_code", "commune", "language", "school_id", "class_label",
    "training_label", "training_code", "exit_date", "exit_reason",
)  # fmt: skip
_LINK = ("owner", "guardian_id", "label", "callable", "why_not", "verdict", "verdict_at")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moved:
    """Rows of a table whose column was re-pointed."""

    table: str
    column: str
    ids: tuple[int, ...]


def merge(
    session: Session,
    *,
    kept_id: int,
    gone_id: int,
    by: int | None,
    now: datetime,
    apart: Collection[str] = (),
) -> Merge:
    """Make two records one and return the merge; tables named in `apart` are the caller's own business.

    Raises InvalidInput for one record given twice, NotFound for one that is not there, NotAllowed for one that
    was merged already.
    """
    kept, gone = _both(session, kept_id, gone_id)
    journal: Row = {"values": _take_values(kept, gone)}
    session.flush()
    journal["guardians"], same = _take_guardians(session, kept_id, gone_id)
    journal["links"] = _take_links(session, kept_id, gone_id, same)
    journal["guardians"]["dropped"] = _drop_guardians(session, same)
    journal["moved"] = [
        [one.table, one.column, list(one.ids)]
        for one in _move(session, kept_id, gone_id, _OTHERWISE | set(apart))
    ]
    journal["keyed"] = _take_keyed(session, kept_id, gone_id, _OTHERWISE | set(apart))
    row = Merge(kept_id=kept_id, gone_id=gone_id, merged_at=now, merged_by=by, journal=journal)
    session.add(row)
    kept.updated_at = now
    settle_pair(session, kept_id, gone_id, PairState.MERGED, by=by, now=now)
    session.flush()
    return row


def unmerge(session: Session, merge_id: int, *, by: int | None, now: datetime) -> Merge:
    """Take a merge back: each record has what it had, and an opposition said since holds for both.

    Raises NotAllowed when it was taken back already, or when a later merge rests on it.
    """
    row = session.scalar(select(Merge).where(Merge.id == merge_id).with_for_update())
    if row is None:
        raise NotFound("Cette fusion n’existe pas.")
    if row.undone_at is not None:
        raise NotAllowed("Cette fusion a déjà été défaite : rien n’a été changé.", reason="unmerged")
    if kept_of(session, [row.kept_id]) or _later(session, row):
        raise NotAllowed(
            "Une fusion plus récente repose sur celle-ci : défaites d’abord la plus récente.",
            reason="later_merge",
        )
    journal = row.journal
    for table, column, ids in reversed(journal["moved"]):
        point(session, table, column, ids, row.gone_id)
    _give_keyed(session, row.kept_id, row.gone_id, journal.get("keyed", ()))
    _give_guardians(session, row.gone_id, journal["guardians"])
    _give_links(session, row.gone_id, journal["links"])
    _give_values(session, row.kept_id, journal["values"])
    _share_oppositions(session, row)
    row.undone_at, row.undone_by = now, by
    settle_pair(session, row.kept_id, row.gone_id, PairState.DISTINCT, by=by, now=now)
    session.flush()
    return row


def settle_pair(
    session: Session, one_id: int, other_id: int, state: PairState, *, by: int | None, now: datetime
) -> None:
    """Write what was said of two records, whether or not they had been proposed."""
    first, second = sorted((one_id, other_id))
    pair = session.scalar(
        select(DuplicatePair).where(DuplicatePair.one_id == first, DuplicatePair.other_id == second)
    )
    if pair is None:
        pair = DuplicatePair(one_id=first, other_id=second, reason="chosen", found_at=now)
        session.add(pair)
    pair.state, pair.settled_at, pair.settled_by = state, now, by
    session.flush()


def kept_of(session: Session, person_ids: Collection[int]) -> dict[int, int]:
    """For each of these records that was merged into another: the one that stands for it today."""
    found: dict[int, int] = {}
    waiting = {person_id: person_id for person_id in person_ids}
    while waiting:
        step: dict[int, int] = {}
        for part in in_parts(waiting):
            query = select(Merge.gone_id, Merge.kept_id).where(
                Merge.gone_id.in_(part), Merge.undone_at.is_(None)
            )
            step |= dict(session.execute(query).all())
        for gone, kept in step.items():
            found[waiting[gone]] = kept
        waiting = {kept: waiting[gone] for gone, kept in step.items()}
    return found


def references(*, to: str = "young_people") -> Iterator[tuple[Table, Column[Any]]]:
    """Every column of every table that refers to a row of a table by its id."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if any(key.target_fullname == f"{to}.id" for key in column.foreign_keys):
                yield table, column


def repoint(session: Session, *, to: str, old: int, new: int, apart: Collection[str] = ()) -> list[Moved]:
    """Make every row that refers to `old` refer to `new`, except where a unique constraint forbids it."""
    return list(_move(session, new, old, apart, to=to))


def point(session: Session, table: str, column: str, ids: Collection[int], to: int) -> None:
    """Make these rows of a table refer to a row."""
    target = Base.metadata.tables[table]
    for part in in_parts(ids):
        session.execute(update(target).where(target.c.id.in_(part)).values({column: to}))


def row_of(held: Base) -> Row:
    """The row of a mapped object as JSON holds it."""
    table = held.__table__
    return as_json(table, {column.name: getattr(held, column.name) for column in table.columns})


def as_json(table: FromClause, row: Any) -> Row:
    """A row of a table as JSON holds it."""
    said = {column.name: row[column.name] for column in table.columns}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in said.items()}


def from_json(table: FromClause, stored: Row) -> Row:
    """A row again, with its dates."""
    return {name: _value(table.c[name], value) for name, value in stored.items() if name in table.c}


def _value(column: ColumnElement[Any], value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(column.type, Date) else value


def _both(session: Session, kept_id: int, gone_id: int) -> tuple[YoungPerson, YoungPerson]:
    if kept_id == gone_id:
        raise InvalidInput("Une fiche ne se fusionne pas avec elle-même.", field="gone")
    query = select(YoungPerson).where(YoungPerson.id.in_((kept_id, gone_id))).order_by(YoungPerson.id)
    found = {
        person.id: person
        for person in session.scalars(query.with_for_update().execution_options(populate_existing=True))
    }
    if len(found) < 2:
        raise NotFound("Une de ces fiches n’existe pas.")
    if kept_of(session, found):
        raise NotAllowed("Une de ces fiches est déjà fusionnée.", reason="merged")
    return found[kept_id], found[gone_id]


def _later(session: Session, row: Merge) -> bool:
    """Whether a merge that stands was made after this one into the same record."""
    return (
        session.scalar(
            select(Merge.id).where(Merge.kept_id == row.kept_id, Merge.undone_at.is_(None), Merge.id > row.id)
        )
        is not None
    )


# ---- values of the person


def _take_values(kept: YoungPerson, gone: YoungPerson) -> Row:
    """Fill the blanks of one record from the other; what an officer verified there counts as said."""
    before: Row = {}
    verified = dict(kept.verified or {})
    for name in _BLANKS:
        mine, theirs = getattr(kept, name), getattr(gone, name)
        theirs_is_better = mine is None or (name in (gone.verified or {}) and name not in verified)
        if theirs is None or mine == theirs or not theirs_is_better:
            continue
        before[name] = [_plain(mine), _plain(theirs)]
        setattr(kept, name, theirs)
        if name in (gone.verified or {}):
            verified[name] = gone.verified[name]
    if "postal_code" in before and kept.zone != gone.zone:
        before["zone"] = [kept.zone, gone.zone]
        kept.zone = gone.zone
    if verified != (kept.verified or {}):
        before["verified"] = [kept.verified or {}, verified]
        kept.verified = verified
    return before


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _give_values(session: Session, kept_id: int, before: Row) -> None:
    """Put back the values that still are what the merge made them."""
    kept = session.get(YoungPerson, kept_id)
    if kept is None:
        return
    for name, (mine, theirs) in before.items():
        if _plain(getattr(kept, name)) == theirs:
            setattr(kept, name, _value(YoungPerson.__table__.c[name], mine))


# ---- guardians and numbers, which both may have


def _take_guardians(session: Session, kept_id: int, gone_id: int) -> tuple[Row, dict[int, int]]:
    """Move the other record's guardians behind one's own; those of one name are one."""
    mine = list(session.scalars(select(Guardian).where(Guardian.person_id == kept_id)))
    known = {_name(one): one.id for one in mine if _name(one)}
    rank = max((one.rank for one in mine), default=0)
    moved: list[list[int]] = []
    same: dict[int, int] = {}
    theirs = select(Guardian).where(Guardian.person_id == gone_id).order_by(Guardian.rank)
    for one in session.scalars(theirs).all():
        if _name(one) in known:
            same[one.id] = known[_name(one)]
            continue
        rank += 1
        moved.append([one.id, one.rank])
        one.person_id, one.rank = kept_id, rank
    session.flush()
    return {"moved": moved, "dropped": []}, same


def _name(guardian: Guardian) -> str:
    return " ".join(fold(part) for part in (guardian.family_name, guardian.first_name) if part)


def _drop_guardians(session: Session, same: dict[int, int]) -> list[Row]:
    """Remove the guardians whom both records name; nothing refers to them any more."""
    table = Guardian.__table__
    rows = [
        as_json(table, row)
        for row in session.execute(select(table).where(table.c.id.in_(list(same)))).mappings()
    ]
    session.execute(delete(Guardian).where(Guardian.id.in_(list(same))))
    return rows


def _give_guardians(session: Session, gone_id: int, journal: Row) -> None:
    for guardian_id, rank in journal["moved"]:
        session.execute(
            update(Guardian).where(Guardian.id == guardian_id).values(person_id=gone_id, rank=rank)
        )
    _insert(session, Guardian.__table__, journal["dropped"])


def _take_links(session: Session, kept_id: int, gone_id: int, same: dict[int, int]) -> Row:
    """Move the other record's numbers behind one's own; a number that both have is kept once, with what is known."""
    mine = {
        link.number_id: link
        for link in session.scalars(select(PersonNumber).where(PersonNumber.person_id == kept_id))
    }
    position = max((link.position for link in mine.values()), default=-1)
    moved: list[Row] = []
    dropped: list[Row] = []
    known: list[Row] = []
    theirs = select(PersonNumber).where(PersonNumber.person_id == gone_id).order_by(PersonNumber.position)
    for link in session.scalars(theirs).all():
        row = row_of(link)
        own = mine.get(link.number_id)
        if own is not None:
            known.append({"id": own.id, **{name: _plain(getattr(own, name)) for name in _LINK}})
            _know_better(own, link)
            dropped.append(row)
            session.delete(link)
            continue
        position += 1
        moved.append(row)
        link.person_id, link.position = kept_id, position
        link.guardian_id = same.get(link.guardian_id or 0, link.guardian_id)
    session.flush()
    return {"moved": moved, "dropped": dropped, "known": known}


def _know_better(own: PersonNumber, other: PersonNumber) -> None:
    """What was learnt of a number under the other record holds; so does a bar."""
    if own.verdict == NumberVerdict.UNVERIFIED and other.verdict != NumberVerdict.UNVERIFIED:
        own.verdict, own.verdict_at = other.verdict, other.verdict_at
    if own.callable and not other.callable:
        own.callable, own.why_not = False, other.why_not


def _give_links(session: Session, gone_id: int, journal: Row) -> None:
    table = PersonNumber.__table__
    for row in journal["moved"]:
        session.execute(
            update(PersonNumber)
            .where(PersonNumber.id == row["id"])
            .values(person_id=gone_id, position=row["position"], guardian_id=row["guardian_id"])
        )
    for row in journal["known"]:
        link = session.get(PersonNumber, row["id"])
        if link is not None and not _judged_since(link, row, journal["dropped"]):
            for name in _LINK:
                setattr(link, name, _value(table.c[name], row[name]))
    _insert(session, table, journal["dropped"])


def _judged_since(link: PersonNumber, before: Row, dropped: list[Row]) -> bool:
    """Whether a call since the merge showed something of this number: what it showed stays."""
    instants = {before["verdict_at"], *(row["verdict_at"] for row in dropped)}
    return _plain(link.verdict_at) not in instants


def _insert(session: Session, table: Any, rows: list[Row]) -> None:
    if rows:
        session.execute(insert(table), [from_json(table, row) for row in rows])


def _share_oppositions(session: Session, row: Merge) -> None:
    """An opposition said while the records were one holds for both: nobody can tell whose it was."""
    came_along = {i for table, _, ids in row.journal["moved"] for i in ids if table == "oppositions"}
    said = session.scalars(
        select(Opposition).where(
            Opposition.person_id == row.kept_id,
            Opposition.revoked_at.is_(None),
            Opposition.at >= row.merged_at,
            Opposition.id.not_in(came_along),
        )
    ).all()
    for one in said:
        session.add(
            Opposition(person_id=row.gone_id, source=one.source, recorded_by=one.recorded_by, at=one.at)
        )


# ---- everything else that refers to a person


def _move(
    session: Session, new: int, old: int, apart: Collection[str], *, to: str = "young_people"
) -> Iterator[Moved]:
    for table, column in references(to=to):
        if table.name in apart or "id" not in table.c:
            continue
        ids = list(session.scalars(select(table.c.id).where(column == old)))
        taken = _taken(session, table, column, ids, new) if ids else set()
        ids = [row_id for row_id in ids if row_id not in taken]
        if ids:
            point(session, table.name, column.name, ids, new)
            yield Moved(table.name, column.name, tuple(ids))


def _take_keyed(session: Session, kept_id: int, gone_id: int, apart: Collection[str]) -> list[Row]:
    """Re-point rows whose key names the person (who received a message, a draft); the like of one's own is dropped."""
    found: list[Row] = []
    for table, column in references():
        if table.name in apart or "id" in table.c:
            continue
        others = [one for one in table.primary_key.columns if one is not column]
        held = {tuple(row) for row in session.execute(select(*others).where(column == kept_id))}
        rows = session.execute(select(table).where(column == gone_id)).mappings().all()
        moved, dropped = list[Row](), list[Row]()
        for row in rows:
            key = {one.name: row[one.name] for one in others}
            if tuple(key.values()) in held:
                dropped.append(as_json(table, row))
                session.execute(delete(table).where(column == gone_id, *_same(table, key)))
            else:
                moved.append(key)
        if rows:
            session.execute(update(table).where(column == gone_id).values({column.name: kept_id}))
            found.append({"table": table.name, "column": column.name, "moved": moved, "dropped": dropped})
    return found


def _give_keyed(session: Session, kept_id: int, gone_id: int, journal: Iterable[Row]) -> None:
    for one in journal:
        table = Base.metadata.tables[one["table"]]
        column = table.c[one["column"]]
        for key in one["moved"]:
            session.execute(
                update(table).where(column == kept_id, *_same(table, key)).values({column.name: gone_id})
            )
        _insert(session, table, one["dropped"])


def _same(table: Table, key: Row) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in key.items()]


def _taken(session: Session, table: Table, column: Column[Any], ids: list[int], new: int) -> set[int]:
    """Rows that cannot be re-pointed, since the other record has the like under a unique constraint."""
    taken: set[int] = set()
    for constraint in table.constraints:
        columns = list(getattr(constraint, "columns", ()))
        if type(constraint).__visit_name__ != "unique_constraint" or column.name not in {
            c.name for c in columns
        }:
            continue
        others = [c for c in columns if c.name != column.name]
        held = {tuple(row) for row in session.execute(select(table.c.id, *others).where(column == new))}
        values = {row[1:] for row in held}
        for row in session.execute(select(table.c.id, *others).where(table.c.id.in_(ids))):
            if tuple(row)[1:] in values:
                taken.add(row[0])
    return taken
