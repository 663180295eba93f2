"""Lists whose columns could not be told: kept with their bytes until somebody names the columns or drops them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcentre.directory import queries as directory
from callcentre.directory.programmes import synchronise
from callcentre.errors import NotFound
from callcentre.intake.keeping import keep as keep_bytes
from callcentre.intake.kinds import ListState
from callcentre.intake.mapping import Choice, ColumnWords, SheetMapping, draft_sheet
from callcentre.intake.models import ListFile
from callcentre.intake.reader import ListContent, Refusal, RefusalCode, Sheet, safe_name
from callcentre.programmes import Programme

NAMEABLE = frozenset({RefusalCode.MISSING_COLUMNS, RefusalCode.NO_HEADER})
"""Refusals that somebody may lift by naming the columns."""
_FEWEST_COLUMNS = 3
"""A name, a first name, a birth date: a table with fewer columns is no list, however it is named."""


def can_be_named(refusal: Refusal, content: ListContent | None) -> bool:
    """Whether somebody may yet name the columns of a list that was refused."""
    if refusal.code not in NAMEABLE or content is None:
        return False
    return any(len(row.cells) >= _FEWEST_COLUMNS for sheet in content.sheets for row in sheet.rows_from(0))


def keep(
    session: Session,
    content: bytes,
    name: str,
    *,
    programme: Programme,
    list_date: date,
    refusal: Refusal,
    now: datetime,
    by: int | None = None,
) -> int:
    """Keep a list until its columns are named, and return its id; the same one if it waits already."""
    programme_id = directory.programme_id(session, programme.code)
    if programme_id is None:
        synchronise(session, [programme])
        programme_id = directory.programme_id(session, programme.code)
    if programme_id is None:
        raise NotFound("programme")
    digest = hashlib.sha256(content).hexdigest()
    known = session.scalar(
        select(ListFile).where(
            ListFile.programme_id == programme_id,
            ListFile.digest == digest,
            ListFile.list_date == list_date,
        )
    )
    if known is not None:
        return known.id
    row = ListFile(
        programme_id=programme_id,
        name=safe_name(name),
        digest=digest,
        list_date=list_date,
        state=ListState.UNMAPPED,
        mapping={"sheets": [], "refusal": {"fr": refusal.fr, "en": refusal.en}},
        counts={},
        uploaded_by=by,
        uploaded_at=now,
    )
    session.add(row)
    session.flush()
    keep_bytes(session, row.id, content)
    return row.id


def named(session: Session, list_file_id: int) -> None:
    """Note that the columns of a list are named: from now on it is one that was checked."""
    session.execute(
        update(ListFile)
        .where(ListFile.id == list_file_id, ListFile.state == ListState.UNMAPPED)
        .values(state=ListState.CHECKED)
    )
    session.expire_all()


def drafts(
    content: ListContent,
    words: ColumnWords,
    *,
    choice: Choice | None = None,
    remembered: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[tuple[Sheet, SheetMapping], ...]:
    """Every sheet that holds a table, with the best guess of its columns, for somebody to put right."""
    found = []
    for sheet in content.sheets:
        mapping = draft_sheet(sheet, words, choice=choice, remembered=remembered)
        if mapping is not None:
            found.append((sheet, mapping))
    return tuple(found)
