"""Rows put right on the page: quarantined ones released or set aside, those let in with a remark corrected in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.intake.candidates import ReadRow, scope_of
from callcentre.intake.deciding import Chunk, Decider, Decision, Group, load_known
from callcentre.intake.duplicates import compare_person
from callcentre.intake.importing import lock_imports, stored_row, write_chunk
from callcentre.intake.kinds import Fate
from callcentre.intake.mapping import SheetMapping
from callcentre.intake.models import ListFile, ListRow
from callcentre.intake.preparing import cell_keys, read_again, sheet_mapping
from callcentre.intake.reasons import Reason, ReasonCode, from_json
from callcentre.people.candidates import Candidate
from callcentre.people.merges import kept_of
from callcentre.programmes import Programme


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a quarantined row; still `quarantined` when its reasons remain."""

    row_id: int
    fate: Fate
    reasons: tuple[Reason, ...]
    person_id: int | None


def release(
    session: Session,
    row_id: int,
    corrections: Mapping[str, str],
    *,
    programme: Programme,
    now: datetime,
    by: int | None = None,
    onto: int | None = None,
    as_new: bool = False,
) -> Settled:
    """Read a quarantined row again with its corrected cells and let it in, if nothing bars it any more.

    `onto` names the known person it is, `as_new` says that it is nobody known; without either the usual
    matching decides. Raises NotAllowed for a row already settled, InvalidInput for a cell that is not there.
    """
    stored, file = _open_row(session, row_id)
    lock_imports(session)
    row = _read(stored, file, corrections, programme)
    chunk = Decider(session, list_file_id=file.id).decide([row])
    if isinstance(row.outcome, Candidate) and (onto is not None or as_new):
        chunk = _told(session, row, row.outcome, onto)
    done = write_chunk(session, file, chunk, programme, now)
    values = stored_row(chunk.decisions[0], done, file, programme, now)
    former = stored.purge_on
    stored.fate, stored.reasons, stored.person_id = values["fate"], values["reasons"], values["person_id"]
    stored.cells, stored.purge_on = values["cells"], values["purge_on"]
    if stored.fate == Fate.QUARANTINED:
        stored.purge_on = min(filter(None, (former, stored.purge_on)), default=None)
    else:
        stored.settled_at, stored.settled_by = now, by
        _recount(file, Fate(stored.fate))
    session.flush()
    if stored.person_id is not None:
        compare_person(session, stored.person_id, now=now)
    return Settled(stored.id, Fate(stored.fate), from_json(stored.reasons), stored.person_id)


def correct(
    session: Session,
    row_id: int,
    corrections: Mapping[str, str],
    *,
    programme: Programme,
    now: datetime,
    by: int | None = None,
) -> Settled:
    """Put right the cells of a row that was let in with a remark: its person gets what the row says now.

    The fate stays what it was. Raises InvalidInput when the corrected row can no longer be read as a person.
    """
    stored, file = _row_and_file(session, row_id)
    if stored.person_id is None or stored.cells is None:
        raise NotAllowed("Cette ligne ne se corrige plus : ses cellules sont effacées.", reason="row_settled")
    lock_imports(session)
    row = _read(stored, file, corrections, programme)
    if not isinstance(row.outcome, Candidate):
        words = " ".join(reason.words() for reason in row.outcome.reasons)
        raise InvalidInput(words, field="cell")
    person_id = kept_of(session, [stored.person_id]).get(stored.person_id, stored.person_id)
    chunk = _told(session, row, row.outcome, person_id)
    done = write_chunk(session, file, chunk, programme, now)
    values = stored_row(chunk.decisions[0], done, file, programme, now)
    stored.reasons, stored.cells, stored.purge_on = values["reasons"], values["cells"], values["purge_on"]
    stored.settled_at, stored.settled_by = now, by
    session.flush()
    return Settled(stored.id, Fate(stored.fate), from_json(stored.reasons), stored.person_id)


def set_aside(
    session: Session, row_id: int, *, now: datetime, by: int | None = None, who: str = ""
) -> Settled:
    """Leave a quarantined row out for good: its cells are erased, its reasons stay without their values."""
    stored, file = _open_row(session, row_id)
    reasons = tuple(reason.without_value() for reason in from_json(stored.reasons))
    reasons = (Reason(ReasonCode.SET_ASIDE, None, who or None), *reasons)
    stored.fate, stored.reasons = Fate.IGNORED, [reason.as_json() for reason in reasons]
    stored.cells, stored.purge_on, stored.settled_at, stored.settled_by = None, None, now, by
    _recount(file, Fate.IGNORED)
    session.flush()
    return Settled(stored.id, Fate.IGNORED, reasons, None)


def _open_row(session: Session, row_id: int) -> tuple[ListRow, ListFile]:
    stored, file = _row_and_file(session, row_id)
    if stored.fate != Fate.QUARANTINED or stored.settled_at is not None or stored.cells is None:
        raise NotAllowed("Cette ligne a déjà son sort : rien n’a été changé.", reason="row_settled")
    return stored, file


def _row_and_file(session: Session, row_id: int) -> tuple[ListRow, ListFile]:
    again = {"populate_existing": True}
    stored = session.scalar(
        select(ListRow).where(ListRow.id == row_id).with_for_update().execution_options(**again)
    )
    if stored is None:
        raise NotFound("Cette ligne n’existe pas.")
    file = session.scalar(
        select(ListFile)
        .where(ListFile.id == stored.list_file_id)
        .with_for_update()
        .execution_options(**again)
    )
    if file is None:
        raise NotFound("Cette liste n’existe pas.")
    return stored, file


def _read(stored: ListRow, file: ListFile, corrections: Mapping[str, str], programme: Programme) -> ReadRow:
    """A row read again with its corrected cells."""
    mapping = _mapping(file, stored.sheet)
    cells = _corrected((stored.cells or {}).get("values", []), corrections, mapping)
    scope = scope_of(programme, file.list_date)
    return read_again(stored.sheet, stored.row_number, tuple(cells), mapping, scope)


def _mapping(file: ListFile, sheet: str) -> SheetMapping:
    return next(sheet_mapping(stored) for stored in file.mapping["sheets"] if stored["sheet"] == sheet)


def _corrected(cells: list[str], corrections: Mapping[str, str], mapping: SheetMapping) -> list[str]:
    places = {key: column.index for key, column in cell_keys(mapping)}
    corrected = [*cells, *[""] * (len(mapping.headers) - len(cells))]
    for key, value in corrections.items():
        if key not in places:
            raise InvalidInput(f"Cette liste n’a pas de colonne « {key[:40]} ».", field=key[:40])
        corrected[places[key]] = value.strip()[:1000]
    return corrected


def _told(session: Session, row: ReadRow, candidate: Candidate, onto: int | None) -> Chunk:
    """The row decided by a person: onto somebody known, or as somebody new who takes nobody's identifier."""
    others = [person for person in load_known(session, [candidate]) if person.ref != onto]
    if candidate.ine and any(candidate.ine in person.ines for person in others):
        candidate = replace(candidate, ine=None)
    if candidate.siei and any(candidate.siei in person.sieis for person in others):
        candidate = replace(candidate, siei=None)
    ref = -1 if onto is None else onto
    return Chunk([Decision(row, ref, None, row.remarks)], {ref: Group(ref, candidate)})


def _recount(file: ListFile, fate: Fate) -> None:
    counts = dict(file.counts)
    counts[Fate.QUARANTINED] = max(0, counts.get(Fate.QUARANTINED, 0) - 1)
    counts[fate] = counts.get(fate, 0) + 1
    file.counts = {str(name): counts.get(name, 0) for name in Fate}
