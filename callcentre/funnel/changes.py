"""Entering a stage and taking it back: rows are only ever added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from callcentre.bulk import insert_rows
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.funnel.models import StageChange
from callcentre.funnel.stages import Refused, Stage, entering, requires, taken_back
from callcentre.people.models import YoungPerson

IMPLIED = "implied"
"""The cause of a stage that another one brought with it."""

_AT_ONCE = 500
"""People read and written together by `advance_many`: well below the bound values of a statement."""


def advance(
    session: Session,
    *,
    programme_id: int,
    person_id: int,
    stage: Stage,
    at: datetime,
    now: datetime,
    cause: str,
    by: int | None = None,
    attempt_id: int | None = None,
    details: dict[str, Any] | None = None,
) -> list[int]:
    """Enter a stage, dating the missing ones below it at the same moment; return the ids of the rows added.

    A stage held already adds nothing. A date before that of a stage below is moved up to it, so that dates
    stay nested. Raises `NotAllowed` for the stages that "already in a solution" or "already accompanied"
    bars, and `InvalidInput` for a date to come.
    """
    if at > now:
        raise InvalidInput("Une étape ne peut pas être datée du futur.", field="at")
    _lock(session, person_id)
    held = held_changes(session, programme_id=programme_id, person_id=person_id)
    added = entering(stage, held)
    if isinstance(added, Refused):
        raise NotAllowed(
            "Ce jeune avait déjà une solution ou un accompagnement ailleurs : il compte comme contacté.",
            reason=added.because,
        )
    at = max([at, *(held[below].at for below in requires(stage) if below in held)])
    rows = [
        StageChange(
            programme_id=programme_id,
            person_id=person_id,
            stage=entered,
            at=at,
            recorded_at=now,
            recorded_by=by,
            cause=cause if entered is stage else IMPLIED,
            attempt_id=attempt_id,
            details=dict(details or {}),
        )
        for entered in added
    ]
    return _append(session, rows)


def advance_many(
    session: Session,
    *,
    programme_id: int,
    person_ids: Sequence[int],
    at: datetime,
    now: datetime,
    cause: str = "list",
    by: int | None = None,
    details: dict[str, Any] | None = None,
    are_new: bool = False,
) -> int:
    """Enter "to contact" for the people of a list who are not there yet; return how many were added.

    `are_new`: the caller has just made these people, so that none of them can be there.
    """
    added, said = 0, dict(details or {})
    for start in range(0, len(person_ids), _AT_ONCE):
        part = sorted(set(person_ids[start : start + _AT_ONCE]))
        reversal = aliased(StageChange)
        query = (
            select(StageChange.person_id)
            .outerjoin(reversal, reversal.reverses_id == StageChange.id)
            .where(
                StageChange.programme_id == programme_id,
                StageChange.person_id.in_(part),
                StageChange.stage == Stage.TO_CONTACT,
                StageChange.reverses_id.is_(None),
                reversal.id.is_(None),
            )
        )
        held = set() if are_new else set(session.scalars(query))
        rows = [
            {
                "programme_id": programme_id,
                "person_id": person_id,
                "stage": Stage.TO_CONTACT,
                "at": at,
                "recorded_at": now,
                "recorded_by": by,
                "cause": cause,
                "attempt_id": None,
                "details": said,
                "reverses_id": None,
            }
            for person_id in part
            if person_id not in held
        ]
        insert_rows(session, StageChange.__table__, rows)
        added += len(rows)
    return added


def reverse(
    session: Session, change_ids: Iterable[int], *, at: datetime, by: int | None, cause: str
) -> list[int]:
    """Take back, at the instant `at` (now), what one event added; return the ids of the reversing rows.

    A stage on which a later event rests stays; a row taken back before is left as it is. Raises `NotFound`
    for an id that is not a row of entry.
    """
    wanted = sorted(set(change_ids))
    rows = list(session.scalars(select(StageChange).where(StageChange.id.in_(wanted)))) if wanted else []
    if len(rows) != len(wanted) or any(row.reverses_id is not None for row in rows):
        raise NotFound("Cette étape n’existe pas.")
    reversing: list[StageChange] = []
    for programme_id, person_id in sorted({(row.programme_id, row.person_id) for row in rows}):
        _lock(session, person_id)
        held = held_changes(session, programme_id=programme_id, person_id=person_id)
        current = {stage for stage, change in held.items() if change.id in wanted}
        deepest_first = sorted(
            taken_back(current, held), key=lambda stage: len(requires(stage)), reverse=True
        )
        reversing += [_reversal(held[stage], at=at, by=by, cause=cause) for stage in deepest_first]
    return _append(session, reversing)


def held_changes(session: Session, *, programme_id: int, person_id: int) -> dict[Stage, StageChange]:
    """The rows by which a person is in each of their stages now."""
    rows = list(
        session.scalars(
            select(StageChange)
            .where(StageChange.programme_id == programme_id, StageChange.person_id == person_id)
            .order_by(StageChange.id)
        )
    )
    reversed_ids = {row.reverses_id for row in rows if row.reverses_id is not None}
    return {Stage(row.stage): row for row in rows if row.reverses_id is None and row.id not in reversed_ids}


def _reversal(change: StageChange, *, at: datetime, by: int | None, cause: str) -> StageChange:
    return StageChange(
        programme_id=change.programme_id,
        person_id=change.person_id,
        stage=change.stage,
        at=at,
        recorded_at=at,
        recorded_by=by,
        cause=cause,
        attempt_id=change.attempt_id,
        reverses_id=change.id,
    )


def _lock(session: Session, person_id: int) -> None:
    # Two transactions that advance the same person would both find the stage missing (PostgreSQL; SQLite has
    # one writer). The key stays readable, so that others can still write rows which refer to the person.
    session.execute(select(YoungPerson.id).where(YoungPerson.id == person_id).with_for_update(key_share=True))


def _append(session: Session, rows: list[StageChange]) -> list[int]:
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]
