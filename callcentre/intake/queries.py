"""Every read of the intake: list files, the fate of their rows, and the people as they stand, for export."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from callcentre.bulk import in_parts
from callcentre.callqueue.models import QueueEntry
from callcentre.directory.models import Programme as ProgrammeRow
from callcentre.directory.models import School, Territory
from callcentre.errors import NotFound
from callcentre.intake.current import people_on_newest
from callcentre.intake.kinds import Fate, ListState
from callcentre.intake.mapping import SheetMapping
from callcentre.intake.models import ListFile, ListRow
from callcentre.intake.preparing import cell_keys, sheet_mapping
from callcentre.intake.reasons import Reason, ReasonCode, from_json
from callcentre.people.kinds import SET_ASIDE, IdKind
from callcentre.people.models import (
    NationalId,
    Opposition,
    OptOut,
    PersonNumber,
    PhoneNumber,
    YoungPerson,
)


@dataclass(frozen=True, slots=True)
class ListFileView:
    """A list file: what it is, how far its import has come, what became of its rows."""

    id: int
    programme_id: int
    programme_code: str
    name: str
    list_date: date
    state: ListState
    rows_total: int
    rows_done: int
    counts: dict[str, int]
    problem: str | None
    uploaded_by: int | None
    uploaded_at: datetime
    finished_at: datetime | None
    mapping: dict[str, Any]
    source: str = "page"

    @property
    def left_out(self) -> tuple[str, ...]:
        """The headers that were not read, of all sheets."""
        return tuple(header for sheet in self.mapping.get("sheets", []) for header in sheet["left_out"])

    @property
    def unread_sheets(self) -> tuple[str, ...]:
        """Sheets that were not read: hidden ones and those without a header."""
        return (*self.mapping.get("unread_sheets", ()), *self.mapping.get("hidden_sheets", ()))


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell of a quarantined row; `key` names it in a correction."""

    key: str
    header: str
    value: str


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of a list file with its fate; `cells` only while it is quarantined."""

    id: int
    list_file_id: int
    sheet: str
    number: int
    fate: Fate
    reasons: tuple[Reason, ...]
    person_id: int | None
    person_name: str | None
    cells: tuple[CellView, ...]
    raw: tuple[str, ...]
    purge_on: date | None
    settled_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it still waits in quarantine."""
        return self.fate is Fate.QUARANTINED and self.settled_at is None

    @property
    def is_correctable(self) -> bool:
        """Whether its cells are still there to be put right: in quarantine, or let in with a remark."""
        return bool(self.raw) and (self.is_open or self.person_id is not None)


# ---- list files


def list_files(session: Session, programme_id: int | None = None) -> tuple[ListFileView, ...]:
    """The list files, newest first, of one programme or of all."""
    query = _files().order_by(ListFile.uploaded_at.desc(), ListFile.id.desc())
    if programme_id is not None:
        query = query.where(ListFile.programme_id == programme_id)
    return tuple(_file_view(file, code) for file, code in session.execute(query))


def list_file(session: Session, list_file_id: int) -> ListFileView:
    """One list file; raises NotFound."""
    found = session.execute(_files().where(ListFile.id == list_file_id)).first()
    if found is None:
        raise NotFound("Cette liste n’existe pas.")
    return _file_view(*found)


def _files() -> Select[ListFile, str]:
    return (
        select(ListFile, ProgrammeRow.code)
        .join(ProgrammeRow, ProgrammeRow.id == ListFile.programme_id)
        .execution_options(populate_existing=True)
    )


def _file_view(row: ListFile, code: str) -> ListFileView:
    return ListFileView(
        id=row.id,
        programme_id=row.programme_id,
        programme_code=code,
        name=row.name,
        list_date=row.list_date,
        state=ListState(row.state),
        rows_total=row.rows_total,
        rows_done=row.rows_done,
        counts={str(fate): int(row.counts.get(fate, 0)) for fate in Fate},
        problem=row.problem,
        uploaded_by=row.uploaded_by,
        uploaded_at=row.uploaded_at,
        finished_at=row.finished_at,
        mapping=row.mapping,
        source=row.source,
    )


# ---- rows


def rows(
    session: Session,
    list_file_id: int,
    *,
    fates: Collection[Fate] = (),
    flagged_only: bool = False,
    reason: ReasonCode | None = None,
    person_ids: Collection[int] = (),
    limit: int | None = None,
    offset: int = 0,
) -> tuple[RowView, ...]:
    """The rows of a list file in order, of some fates only if asked, `flagged_only` those with a remark.

    `reason` keeps the rows that carry it.
    """
    query = (
        select(ListRow, YoungPerson.family_name, YoungPerson.first_name)
        .outerjoin(YoungPerson, YoungPerson.id == ListRow.person_id)
        .where(ListRow.list_file_id == list_file_id)
        .order_by(ListRow.id)
    )
    if fates:
        query = query.where(ListRow.fate.in_([str(fate) for fate in fates]))
    if person_ids:
        query = query.where(ListRow.person_id.in_(person_ids))
    by_reason = flagged_only or reason is not None
    if not by_reason:
        query = query.limit(limit).offset(offset)
    mappings = _mappings(session, list_file_id)
    found = [
        _row_view(row, _name(family, first), mappings)
        for row, family, first in session.execute(query)
        if not by_reason or _carries(row, reason)
    ]
    if by_reason:
        found = found[offset : None if limit is None else offset + limit]
    return tuple(found)


def _carries(stored: ListRow, reason: ReasonCode | None) -> bool:
    """Whether a row carries a reason, or any when none is asked for."""
    return any(reason is None or part.get("code") == reason for part in stored.reasons)


def count_reasons(session: Session, list_file_id: int) -> dict[ReasonCode, int]:
    """How many rows of a list file carry each reason, most frequent first."""
    counted: Counter[str] = Counter()
    query = select(ListRow.reasons).where(ListRow.list_file_id == list_file_id)
    for reasons in session.scalars(query):
        counted.update({part.get("code", "") for part in reasons})
    known = ReasonCode._value2member_map_
    return {ReasonCode(code): number for code, number in counted.most_common() if code in known}


def row(session: Session, row_id: int) -> RowView:
    """One row; raises NotFound."""
    found = session.execute(
        select(ListRow, YoungPerson.family_name, YoungPerson.first_name)
        .outerjoin(YoungPerson, YoungPerson.id == ListRow.person_id)
        .where(ListRow.id == row_id)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise NotFound("Cette ligne n’existe pas.")
    stored, family, first = found
    return _row_view(stored, _name(family, first), _mappings(session, stored.list_file_id))


def count_rows(session: Session, list_file_id: int) -> dict[str, int]:
    """How many rows of a list file have each fate now."""
    counted = session.execute(
        select(ListRow.fate, func.count()).where(ListRow.list_file_id == list_file_id).group_by(ListRow.fate)
    )
    counts = dict(counted.all())
    return {str(fate): counts.get(fate, 0) for fate in Fate}


def _mappings(session: Session, list_file_id: int) -> dict[str, SheetMapping]:
    stored = session.scalar(select(ListFile.mapping).where(ListFile.id == list_file_id)) or {}
    return {sheet["sheet"]: sheet_mapping(sheet) for sheet in stored.get("sheets", [])}


def _name(family_name: str | None, first_name: str | None) -> str | None:
    return None if family_name is None else f"{family_name} {first_name}"


def _row_view(stored: ListRow, name: str | None, mappings: dict[str, SheetMapping]) -> RowView:
    raw = tuple((stored.cells or {}).get("values", ()))
    mapping = mappings.get(stored.sheet)
    cells: tuple[CellView, ...] = ()
    if raw and mapping is not None:
        cells = tuple(
            CellView(key, mapping.headers[column.index], raw[column.index] if column.index < len(raw) else "")
            for key, column in cell_keys(mapping)
        )
    return RowView(
        id=stored.id,
        list_file_id=stored.list_file_id,
        sheet=stored.sheet,
        number=stored.row_number,
        fate=Fate(stored.fate),
        reasons=from_json(stored.reasons),
        person_id=stored.person_id,
        person_name=name,
        cells=cells,
        raw=raw,
        purge_on=stored.purge_on,
        settled_at=stored.settled_at,
    )


# ---- the people as they stand


@dataclass(frozen=True, slots=True)
class ExportedNumber:
    """A number of an exported person; `why_not` is a code when it may not be called."""

    e164: str
    owner: str
    kind: str
    label: str | None
    callable: bool
    why_not: str | None


@dataclass(frozen=True, slots=True)
class ExportedPerson:
    """A young person as exported: identity, ways to reach them, where they come from, where they stand."""

    id: int
    ines: tuple[str, ...]
    file_numbers: tuple[str, ...]
    family_name: str
    usual_name: str | None
    first_name: str
    birth_date: date
    sex: str | None
    numbers: tuple[ExportedNumber, ...]
    email: str | None
    address: str | None
    postal_code: str | None
    commune: str | None
    uai: str | None
    school: str | None
    class_label: str | None
    training_label: str | None
    psad: str | None
    exit_date: date | None
    exit_reason: str | None
    in_current_list: bool
    opted_out: bool


def people_by_id(
    session: Session, programme_id: int, person_ids: Collection[int]
) -> dict[int, ExportedPerson]:
    """These people as they are exported; those who have no place in the programme are left out."""
    on_list = people_on_newest(session, programme_id)
    found: dict[int, ExportedPerson] = {}
    for part in in_parts(person_ids):
        found |= _exported(session, part, programme_id, on_list)
    return found


def exported_people(session: Session, programme_id: int) -> Iterator[ExportedPerson]:
    """Everybody in a programme, in the order of their names."""
    current = people_on_newest(session, programme_id)
    ordered = list(
        session.scalars(
            select(YoungPerson.id)
            .join(QueueEntry, QueueEntry.person_id == YoungPerson.id)
            .where(QueueEntry.programme_id == programme_id)
            .order_by(YoungPerson.sort_name, YoungPerson.id)
        )
    )
    for start in range(0, len(ordered), 500):
        part = ordered[start : start + 500]
        found = _exported(session, part, programme_id, current)
        yield from (found[person_id] for person_id in part)


def _exported(
    session: Session, ids: list[int], programme_id: int, current: set[int]
) -> dict[int, ExportedPerson]:
    opposed = set(
        session.scalars(
            select(Opposition.person_id).where(Opposition.person_id.in_(ids), Opposition.revoked_at.is_(None))
        )
    )
    identifiers: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for person_id, kind, value in session.execute(
        select(NationalId.person_id, NationalId.kind, NationalId.value)
        .where(NationalId.person_id.in_(ids))
        .order_by(NationalId.id)
    ):
        identifiers[person_id, kind].append(value)
    numbers, stopped = _exported_numbers(session, ids, opposed)
    query = (
        select(YoungPerson, School.uai, School.name, Territory.label)
        .outerjoin(School, School.id == YoungPerson.school_id)
        .join(QueueEntry, QueueEntry.person_id == YoungPerson.id)
        .join(Territory, Territory.id == QueueEntry.territory_id)
        .where(YoungPerson.id.in_(ids), QueueEntry.programme_id == programme_id)
    )
    return {
        person.id: ExportedPerson(
            id=person.id,
            ines=tuple(identifiers[person.id, IdKind.INE]),
            file_numbers=tuple(identifiers[person.id, IdKind.SIEI]),
            family_name=person.family_name,
            usual_name=person.usual_name,
            first_name=person.first_name,
            birth_date=person.birth_date,
            sex=person.sex,
            numbers=tuple(numbers[person.id]),
            email=person.email,
            address=person.address,
            postal_code=person.postal_code,
            commune=person.commune,
            uai=uai,
            school=school,
            class_label=person.class_label,
            training_label=person.training_label,
            psad=psad,
            exit_date=person.exit_date,
            exit_reason=person.exit_reason,
            in_current_list=person.id in current,
            opted_out=person.id in opposed or person.id in stopped,
        )
        for person, uai, school, psad in session.execute(query)
    }


def _exported_numbers(
    session: Session, ids: list[int], opposed: set[int]
) -> tuple[defaultdict[int, list[ExportedNumber]], set[int]]:
    """The numbers by person, and the people whose every callable number has asked to stop."""
    links = session.execute(
        select(PersonNumber, PhoneNumber.e164, PhoneNumber.kind)
        .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
        .where(PersonNumber.person_id.in_(ids))
        .order_by(PersonNumber.position, PersonNumber.id)
    ).all()
    opted_out: set[int] = set()
    for part in in_parts({link.number_id for link, _, _ in links}):
        query = select(OptOut.number_id).where(OptOut.number_id.in_(part), OptOut.revoked_at.is_(None))
        opted_out.update(session.scalars(query))
    found: defaultdict[int, list[ExportedNumber]] = defaultdict(list)
    for link, e164, kind in links:
        why_not = _why_not(link, opted_out=link.number_id in opted_out, opposed=link.person_id in opposed)
        found[link.person_id].append(
            ExportedNumber(e164, link.owner, kind, link.label, why_not is None, why_not)
        )
    stopped = {
        person_id
        for person_id, numbers in found.items()
        if any(n.why_not == "opted_out" for n in numbers) and not any(n.callable for n in numbers)
    }
    return found, stopped


def _why_not(link: PersonNumber, *, opted_out: bool, opposed: bool) -> str | None:
    if opposed:
        return "opposition"
    if opted_out:
        return "opted_out"
    if not link.callable:
        return link.why_not or "barred"
    if link.verdict in SET_ASIDE:
        return str(link.verdict)
    return None
