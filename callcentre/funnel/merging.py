"""The stages of two records that turn out to be one person: entered once, at the earlier date, and given back.

Rows are only added: what one record entered is taken back there and entered again for the other, dated as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.funnel.changes import held_changes, reverse
from callcentre.funnel.models import StageChange
from callcentre.funnel.stages import Refused, Stage, entering, requires

MERGED, UNMERGED = "merge", "unmerge"


def take_over(
    session: Session, *, kept_id: int, gone_id: int, now: datetime, by: int | None
) -> dict[str, Any]:
    """Let one record hold the stages of both; return what `give_back` needs."""
    journal: dict[str, Any] = {"added": [], "kept": [], "gone": []}
    query = select(StageChange.programme_id).where(StageChange.person_id == gone_id).distinct()
    for programme_id in session.scalars(query.order_by(StageChange.programme_id)).all():
        mine = held_changes(session, programme_id=programme_id, person_id=kept_id)
        theirs = held_changes(session, programme_id=programme_id, person_id=gone_id)
        earlier = {stage for stage, row in theirs.items() if stage not in mine or row.at < mine[stage].at}
        wanted = _permitted(earlier, set(mine))
        journal["kept"] += [row.id for stage, row in mine.items() if stage in wanted]
        journal["gone"] += [row.id for row in theirs.values()]
        _take_back(session, theirs.values(), by=by, now=now, cause=MERGED)
        _take_back(session, [mine[stage] for stage in wanted if stage in mine], by=by, now=now, cause=MERGED)
        rows = [theirs[stage] for stage in sorted(wanted, key=lambda stage: len(requires(stage)))]
        journal["added"] += _enter(session, rows, kept_id, now=now)
    return journal


def give_back(
    session: Session, journal: dict[str, Any], *, kept_id: int, gone_id: int, now: datetime, by: int | None
) -> None:
    """Give both records the stages that they had; one that a later event took back stays taken back."""
    gone_rows = _rows(session, journal["gone"])
    for programme_id in sorted({row.programme_id for row in gone_rows}):
        held = held_changes(session, programme_id=programme_id, person_id=kept_id)
        added = {row.stage: row for row in held.values() if row.id in set(journal["added"])}
        undone = {row.stage for row in _rows(session, journal["added"]) if row.programme_id == programme_id}
        undone -= set(added)
        reversed_ids = reverse(session, [row.id for row in added.values()], at=now, by=by, cause=UNMERGED)
        left = {Stage(row.stage) for row in _rows(session, reversed_ids)}
        mine = [r for r in _rows(session, journal["kept"]) if r.programme_id == programme_id]
        _enter(session, [row for row in mine if Stage(row.stage) in left], kept_id, now=now)
        theirs = [row for row in gone_rows if row.programme_id == programme_id and row.stage not in undone]
        _enter(session, theirs, gone_id, now=now)


def _permitted(wanted: set[Stage], held: set[Stage]) -> set[Stage]:
    """Which stages may be entered besides those held: "already elsewhere" and "accompanied" bar each other."""
    permitted: set[Stage] = set()
    for stage in sorted(wanted, key=lambda stage: len(requires(stage))):
        if stage in held or (
            not isinstance(found := entering(stage, held | permitted), Refused) and stage in found
        ):
            permitted.add(stage)
    return permitted


def _take_back(
    session: Session, rows: Iterable[StageChange], *, by: int | None, now: datetime, cause: str
) -> None:
    session.add_all(
        StageChange(
            programme_id=row.programme_id,
            person_id=row.person_id,
            stage=row.stage,
            at=now,
            recorded_at=now,
            recorded_by=by,
            cause=cause,
            attempt_id=row.attempt_id,
            reverses_id=row.id,
        )
        for row in rows
    )
    session.flush()


def _enter(session: Session, rows: Iterable[StageChange], person_id: int, *, now: datetime) -> list[int]:
    """Enter stages again as they were entered before: same date, same author, same cause."""
    again = [
        StageChange(
            programme_id=row.programme_id,
            person_id=person_id,
            stage=row.stage,
            at=row.at,
            recorded_at=now,
            recorded_by=row.recorded_by,
            cause=row.cause,
            attempt_id=row.attempt_id,
            details={**row.details, "again": row.id},
        )
        for row in rows
    ]
    session.add_all(again)
    session.flush()
    return [row.id for row in again]


def _rows(session: Session, ids: Iterable[int]) -> list[StageChange]:
    wanted = sorted(set(ids))
    if not wanted:
        return []
    return list(
        session.scalars(select(StageChange).where(StageChange.id.in_(wanted)).order_by(StageChange.id))
    )
