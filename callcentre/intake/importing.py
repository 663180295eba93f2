"""Receiving a list, and importing it in chunks that can be cut off anywhere and gone on with.

Each chunk is one transaction that takes the file's row first: two imports of one file at once take turns and
never do a row twice, and after a kill the next one begins where the last committed chunk ended.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from callcentre.bulk import insert_rows, with_room
from callcentre.database import reading, writing
from callcentre.directory import queries as directory
from callcentre.directory.models import Programme as ProgrammeRow
from callcentre.directory.programmes import synchronise
from callcentre.errors import CallCentreError, InvalidInput, NotFound, StorageFull
from callcentre.intake import current, duplicates
from callcentre.intake.candidates import ReadRow
from callcentre.intake.checking import (
    ROWS_AT_ONCE,
    counts,
    ground_of,
    planned,
    with_entry,
    zone_name,
)
from callcentre.intake.deciding import Chunk, Decider, Decision
from callcentre.intake.entering import Entered, Entrant, enter
from callcentre.intake.keeping import forget, keep, kept
from callcentre.intake.kinds import ListState, Problem, Source
from callcentre.intake.models import ListChange, ListFile, ListRow
from callcentre.intake.preparing import PreparedList, kept_cells, prepare_again, sheet_mapping
from callcentre.intake.reader import Refusal
from callcentre.intake.reading_ahead import Ahead, ahead_reader, read_ahead
from callcentre.intake.reasons import Effect, Reason, ReasonCode
from callcentre.people.register import Arrival, Change, Registered, register_many
from callcentre.programmes import Programme

CHUNK_ROWS = ROWS_AT_ONCE
"""Rows in a transaction: some fifty milliseconds, so that nobody at the desk waits for the one writer."""
STALE_AFTER = timedelta(minutes=1)
"""An import that has not been heard of for this long is gone on with by the worker."""
_OBJECTS_BETWEEN_COLLECTIONS = 100_000
_TO_CORRECT = frozenset({Effect.QUARANTINE, Effect.WARNING})
"""What of a row can be put right: its cells are kept for a while."""
_NO_REASONS: list[Any] = []
_FULL = ("database or disk is full", "disk i/o error", "no space left", "could not extend file")

Report = Callable[[int, int], None]
"""Told after each chunk: rows done, rows in all."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import has come."""

    list_file_id: int
    state: ListState
    rows_done: int
    rows_total: int
    counts: dict[str, int]

    @property
    def is_running(self) -> bool:
        """Whether rows remain to be imported."""
        return self.state is ListState.IMPORTING


# ---- receiving


def receive(
    session: Session,
    prepared: PreparedList,
    *,
    programme: Programme,
    now: datetime,
    by: int | None = None,
    expected: Mapping[str, int] | None = None,
    source: Source = Source.PAGE,
) -> int:
    """Keep a prepared list, not imported yet, and return its id: the same one if it was received before.

    `expected` are the counts that a check found. A list whose import was undone is received as if for the first time.
    """
    programme_id = programme_row(session, programme)
    list_date = prepared.scope.list_date
    known = session.scalar(
        select(ListFile).where(
            ListFile.programme_id == programme_id,
            ListFile.digest == prepared.digest,
            ListFile.list_date == list_date,
        )
    )
    if known is not None:
        if known.state == ListState.UNDONE:
            _start_over(session, known, prepared.content)
        if known.state == ListState.CHECKED:
            known.mapping = prepared.mapping_json()
            known.rows_total = prepared.rows_total
            known.counts = dict(expected or {})
        session.flush()
        return known.id
    row = ListFile(
        programme_id=programme_id,
        name=prepared.name,
        digest=prepared.digest,
        list_date=list_date,
        state=ListState.CHECKED,
        mapping=prepared.mapping_json(),
        rows_total=prepared.rows_total,
        rows_done=0,
        counts=dict(expected or {}),
        uploaded_by=by,
        uploaded_at=now,
        source=source,
    )
    session.add(row)
    session.flush()
    keep(session, row.id, prepared.content)
    return row.id


def _start_over(session: Session, file: ListFile, content: bytes) -> None:
    session.execute(delete(ListRow).where(ListRow.list_file_id == file.id))
    session.execute(delete(ListChange).where(ListChange.list_file_id == file.id))
    keep(session, file.id, content)
    file.state, file.rows_done = ListState.CHECKED, 0
    file.finished_at, file.compared_at, file.problem = None, None, None


def start(session: Session, list_file_id: int) -> Progress:
    """Let a received list be imported (again, after a failure); one that is imported already stays so."""
    row = _locked(session, list_file_id)
    if row.state in {ListState.CHECKED, ListState.FAILED}:
        if row.state == ListState.CHECKED:
            row.counts = {}
        row.state, row.problem, row.worker_seen_at = ListState.IMPORTING, None, None
    session.flush()
    return _progress(row)


def programme_row(session: Session, programme: Programme) -> int:
    """The row id of a programme, made when the database does not know it yet."""
    found = directory.programme_id(session, programme.code)
    if found is None:
        synchronise(session, [programme])
        found = directory.programme_id(session, programme.code)
    if found is None:
        raise NotFound(f"Programme {programme.code} is not in the database.")
    return found


def _locked(session: Session, list_file_id: int) -> ListFile:
    row = session.scalar(
        select(ListFile)
        .where(ListFile.id == list_file_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("Cette liste n’existe pas.")
    return row


def _progress(row: ListFile) -> Progress:
    return Progress(row.id, ListState(row.state), row.rows_done, row.rows_total, dict(row.counts))


# ---- applying


def apply_chunk(
    session: Session,
    list_file_id: int,
    prepared: PreparedList,
    *,
    programme: Programme,
    now: datetime,
    worker: str = "",
    ahead: Ahead | None = None,
) -> Progress:
    """Import the next rows of a list, in the caller's one transaction, and say how far it has come.

    `ahead` holds rows read before the transaction began; they serve if nobody else has imported them since.
    """
    file = _locked(session, list_file_id)
    if file.state != ListState.IMPORTING:
        return _progress(file)
    lock_imports(session)
    if ahead is None or ahead.start != file.rows_done:
        ahead = read_ahead(prepared, file.rows_done, CHUNK_ROWS)
    rows = ahead.rows
    only_blanks = current.is_older(session, file.programme_id, file.list_date)
    chunk = Decider(session, list_file_id=file.id, only_blanks=only_blanks).decide(rows)
    done = write_chunk(session, file, chunk, programme, now)
    stored = [stored_row(decision, done, file, programme, now) for decision in chunk.decisions]
    insert_rows(session, ListRow.__table__, stored)
    file.counts = counts(Counter(file.counts) + Counter(row["fate"] for row in stored))
    file.rows_done += len(rows)
    file.worker, file.worker_seen_at = worker[:80] or None, now
    if file.rows_done >= file.rows_total or not rows:
        file.state, file.finished_at = ListState.IMPORTED, now
        forget(session, [file.id])
    session.flush()
    return _progress(file)


def lock_imports(session: Session) -> None:
    """One import at a time: two lists naming one person would each create them; SQLite has one writer anyway.

    Not a plain FOR UPDATE: that would hold up everything that refers to a programme.
    """
    session.execute(select(ProgrammeRow.id).order_by(ProgrammeRow.id).with_for_update(key_share=True)).all()


def write_chunk(
    session: Session, file: ListFile, chunk: Chunk, programme: Programme, now: datetime
) -> dict[int, Registered]:
    """Write the people of a chunk and their places; return what was done by the groups' references."""
    groups = list(chunk.groups.values())
    arrivals = [
        Arrival(group.candidate, zone_name(group.candidate, programme), group.person_id, group.only_blanks)
        for group in groups
    ]
    results = register_many(session, arrivals, now=now)
    entrants = [
        Entrant(result.person_id, group.candidate, result.gives_number, result.change is Change.CREATED)
        for group, result in zip(groups, results, strict=True)
        if not group.is_repeated
    ]
    entered = enter(
        session,
        entrants,
        ground=ground_of(session, file.programme_id, programme),
        list_file_id=file.id,
        list_date=file.list_date,
        now=now,
    )
    _note_changes(session, file.id, results, entered, now)
    return {
        group.ref: with_entry(
            result, entered[result.person_id].changed if result.person_id in entered else ()
        )
        for group, result in zip(groups, results, strict=True)
    }


def _note_changes(
    session: Session,
    list_file_id: int,
    results: Sequence[Registered],
    entered: Mapping[int, Entered],
    now: datetime,
) -> None:
    """Keep what was before of the people who were known, so that the import can be undone."""
    nothing = Entered()
    rows = []
    for result in results:
        if result.change is Change.CREATED:
            continue
        before = {**result.before, **entered.get(result.person_id, nothing).before}
        if before:
            rows.append(
                {"list_file_id": list_file_id, "person_id": result.person_id, "before": before, "at": now}
            )
    insert_rows(session, ListChange.__table__, rows)


def stored_row(
    decision: Decision, done: Mapping[int, Registered], file: ListFile, programme: Programme, now: datetime
) -> dict[str, Any]:
    """A row as it is stored once its fate is known."""
    row = planned(decision, done)
    keeps_cells = any(reason.effect in _TO_CORRECT for reason in row.reasons)
    return {
        "list_file_id": file.id,
        "sheet": row.sheet,
        "row_number": row.number,
        "fate": str(row.fate),
        "reasons": [reason.as_json() for reason in row.reasons] or _NO_REASONS,
        "person_id": None if decision.ref is None else done[decision.ref].person_id,
        "cells": _cells(decision.row, file) if keeps_cells else None,
        "purge_on": purge_date(row.reasons, programme, now) if keeps_cells else None,
    }


def _cells(row: ReadRow, file: ListFile) -> dict[str, Any]:
    stored = next(sheet for sheet in file.mapping["sheets"] if sheet["sheet"] == row.sheet)
    return {"values": kept_cells(row.cells, sheet_mapping(stored))}


def purge_date(reasons: Sequence[Reason], programme: Programme, now: datetime) -> date:
    """Until when the cells of a row may be kept: somebody too young is not ours to keep."""
    too_young = any(reason.code is ReasonCode.AGE_UNDER for reason in reasons)
    days = programme.intake.quarantine_days if too_young else programme.intake.correction_days
    return now.astimezone(programme.tz).date() + timedelta(days=days)


# ---- the whole import, chunk by chunk: an edge, which opens and ends its own transactions


@dataclass(frozen=True, slots=True)
class Imported:
    """How an import ended; `was_known` when the very same list was imported before: nothing changed."""

    progress: Progress
    was_known: bool


def import_file(
    sessions: sessionmaker[Session],
    prepared: PreparedList,
    *,
    programme: Programme,
    now: datetime,
    by: int | None = None,
    report: Report | None = None,
    worker: str = "command",
    source: Source = Source.COMMAND,
) -> Imported:
    """Receive a list and import it to its end, going on if it was cut off before; see `run`."""
    with writing(sessions) as session:
        list_file_id = receive(session, prepared, programme=programme, now=now, by=by, source=source)
        known = start(session, list_file_id)
    if not known.is_running:
        duplicates.compare_list(
            sessions, list_file_id, now=now
        )  # for one that was cut off after its last row
        return Imported(known, was_known=True)
    programmes = {programme.code: programme}
    done = run(
        sessions,
        list_file_id,
        programmes=programmes,
        now=now,
        prepared=prepared,
        report=report,
        worker=worker,
    )
    return Imported(done, was_known=False)


def run(
    sessions: sessionmaker[Session],
    list_file_id: int,
    *,
    programmes: Mapping[str, Programme],
    now: datetime,
    prepared: PreparedList | None = None,
    report: Report | None = None,
    worker: str = "",
) -> Progress:
    """Import a received list to its end, from wherever it stands.

    Raises StorageFull when the disk is full, InvalidInput when the database refuses, after having marked the
    file as failed; what was committed is kept and the same call goes on from there.
    """
    with writing(sessions) as session:
        progress = start(session, list_file_id)
    if not progress.is_running:
        duplicates.compare_list(sessions, list_file_id, now=now)
        return progress
    programme, content = _material(sessions, list_file_id, programmes, prepared)
    try:
        with ahead_reader(content, CHUNK_ROWS) as reader, _collecting_seldom():
            while True:
                ahead = reader.take(progress.rows_done)
                with writing(sessions) as session:
                    progress = apply_chunk(
                        with_room(session),
                        list_file_id,
                        content,
                        programme=programme,
                        now=now,
                        worker=worker,
                        ahead=ahead,
                    )
                if report is not None:
                    report(progress.rows_done, progress.rows_total)
                if not progress.is_running:
                    break
    except DBAPIError as error:
        raise _failed(sessions, list_file_id, progress, error) from error
    duplicates.compare_list(sessions, list_file_id, now=now)
    return progress


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """A chunk makes many objects and no cycles: looking for cycles after each 700 takes a fifth of an import's time."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _material(
    sessions: sessionmaker[Session],
    list_file_id: int,
    programmes: Mapping[str, Programme],
    prepared: PreparedList | None,
) -> tuple[Programme, PreparedList]:
    with reading(sessions) as session:
        row = session.get(ListFile, list_file_id)
        content = kept(session, list_file_id)
        if row is None or content is None:
            raise NotFound("Cette liste n’existe pas, ou ses lignes ont toutes leur sort.")
        code = session.scalar(select(ProgrammeRow.code).where(ProgrammeRow.id == row.programme_id))
        name, list_date, mapping = row.name, row.list_date, row.mapping
    if code is None or code not in programmes:
        raise NotFound(f"Programme {code} has no file in config/programmes.")
    programme = programmes[code]
    if prepared is not None:
        return programme, prepared
    again = prepare_again(content, name, programme=programme, list_date=list_date, mapping=mapping)
    if isinstance(again, Refusal):
        with writing(sessions) as session:
            _locked(session, list_file_id).state = ListState.FAILED
            _locked(session, list_file_id).problem = Problem.UNREADABLE
        raise InvalidInput(again.fr)
    return programme, again


def _failed(
    sessions: sessionmaker[Session], list_file_id: int, progress: Progress, error: DBAPIError
) -> CallCentreError:
    """Mark the file as failed, if the database still takes that, and return the error with its words."""
    full = any(sign in str(error.orig).lower() for sign in _FULL)
    problem = Problem.STORAGE_FULL if full else Problem.DATABASE_REFUSED
    cause = "La base de données est pleine" if full else "La base de données a refusé d’écrire"
    kept = f"{progress.rows_done} lignes sur {progress.rows_total} sont importées et gardées"
    remedy = "libérez de la place puis relancez le même import" if full else "relancez le même import"
    words = f"{cause} : {kept} ; {remedy}, il reprendra là."
    try:
        with writing(sessions) as session:
            session.execute(
                update(ListFile)
                .where(ListFile.id == list_file_id, ListFile.state == ListState.IMPORTING)
                .values(state=ListState.FAILED, problem=problem)
            )
    except DBAPIError:
        # No room even for the mark: the file stays "importing" and the worker goes on with it later.
        return StorageFull(words)
    return StorageFull(words) if full else InvalidInput(words)


def resume_interrupted(
    sessions: sessionmaker[Session], programmes: Mapping[str, Programme], now: datetime
) -> int:
    """Go on with the imports that were cut off, and with looks for duplicates; return how many there were."""
    with reading(sessions) as session:
        ids = session.scalars(
            select(ListFile.id)
            .where(
                (ListFile.state == ListState.IMPORTING)
                | ((ListFile.state == ListState.IMPORTED) & ListFile.compared_at.is_(None)),
                (ListFile.worker_seen_at.is_(None)) | (ListFile.worker_seen_at <= now - STALE_AFTER),
            )
            .order_by(ListFile.id)
        ).all()
    for list_file_id in ids:
        run(sessions, list_file_id, programmes=programmes, now=now, worker="worker")
    return len(ids)
