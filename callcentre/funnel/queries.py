"""Every read of the stages: counts, first entry dates, one person's path.

A person has at most one entry in force for each stage, so counting entries in force counts people. Counts by
territory join the queue and therefore live in `callcentre.supervision.figures`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Integer, case, column, func, select, values
from sqlalchemy.orm import Session, aliased

from callcentre.database import UtcDateTime
from callcentre.funnel.models import StageChange
from callcentre.funnel.stages import SIDE, Stage

_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
_END = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Entered:
    """A stage that a person is in, since when, and why."""

    id: int
    stage: Stage
    at: datetime
    recorded_at: datetime
    recorded_by: int | None
    cause: str
    attempt_id: int | None


@dataclass(frozen=True)
class Change:
    """A row of a person's path: an entry, or the taking back of one."""

    id: int
    stage: Stage
    at: datetime
    recorded_at: datetime
    recorded_by: int | None
    cause: str
    reverses_id: int | None


@dataclass(frozen=True)
class Timeline:
    """How many people entered each stage, by stretches of time between `bounds`.

    `entered[stage]` has one number more than there are bounds: before the first, between two, from the last
    on.
    """

    bounds: tuple[datetime, ...]
    entered: Mapping[Stage, tuple[int, ...]]

    def total(self, stage: Stage) -> int:
        """People in the stage."""
        return sum(self.entered.get(stage, ()))

    def before(self, stage: Stage, instant: datetime) -> int:
        """People who entered the stage before one of the bounds."""
        return sum(self.entered.get(stage, ())[: bisect_left(self.bounds, instant) + 1])

    def between(self, stage: Stage, start: datetime, end: datetime) -> int:
        """People who entered the stage from one bound on and before another."""
        return self.before(stage, end) - self.before(stage, start)


def in_force(change: type[StageChange] = StageChange) -> ColumnElement[bool]:
    """The condition that a row is an entry that nothing took back."""
    # `IS NULL` would make SQLite read the unique index of `reverses_id`, in which nearly every row is NULL.
    reversal = aliased(StageChange)
    taken_back = select(reversal.id).where(reversal.reverses_id == change.id).exists()
    return (func.coalesce(change.reverses_id, 0) == 0) & ~taken_back


def step() -> ColumnElement[int]:
    """What a row adds to the people of its stage: an entry one, the taking back of one less one.

    Summing it counts people without looking for each entry's reversal; it holds where both fall into the same
    sum.
    """
    return func.sum(case((func.coalesce(StageChange.reverses_id, 0) == 0, 1), else_=-1))


def totals(session: Session, programme_id: int) -> dict[Stage, int]:
    """People in each stage now; stages without anybody are 0."""
    counts = dict.fromkeys(Stage, 0)
    rows = session.execute(
        select(StageChange.stage, step())
        .where(StageChange.programme_id == programme_id)
        .group_by(StageChange.stage)
    )
    return counts | {Stage(stage): int(count) for stage, count in rows}


def timeline(session: Session, programme_id: int, bounds: Iterable[datetime]) -> Timeline:
    """Entries into every stage by stretch of time, in one query that walks an index."""
    marks = tuple(sorted(set(bounds)))
    edges, ends = [_BEGINNING, *marks], [*marks, _END]
    stretches = [
        (number, stage.value, start, until)
        for stage in Stage
        for number, (start, until) in enumerate(zip(edges, ends, strict=True))
    ]
    table = values(
        column("number", Integer),
        column("stage", StageChange.stage.type),
        column("start", UtcDateTime()),
        column("until", UtcDateTime()),
    )
    stretch = table.data(stretches).cte("stretch")
    counted = (
        select(func.count())
        .where(
            StageChange.programme_id == programme_id,
            StageChange.stage == stretch.c.stage,
            StageChange.at >= stretch.c.start,
            StageChange.at < stretch.c.until,
            in_force(),
        )
        .scalar_subquery()
    )
    entered = {stage: [0] * len(edges) for stage in Stage}
    for stage, number, count in session.execute(select(stretch.c.stage, stretch.c.number, counted)):
        entered[Stage(stage)][number] = count
    return Timeline(marks, {stage: tuple(counts) for stage, counts in entered.items()})


def by_officer(session: Session, programme_id: int) -> dict[int | None, dict[Stage, int]]:
    """People whose entry into a stage each officer recorded; None gathers what came from a list."""
    rows = session.execute(
        select(StageChange.recorded_by, StageChange.stage, func.count())
        .where(StageChange.programme_id == programme_id, in_force())
        .group_by(StageChange.recorded_by, StageChange.stage)
    )
    counts: dict[int | None, dict[Stage, int]] = {}
    for officer_id, stage, count in rows:
        counts.setdefault(officer_id, dict.fromkeys(Stage, 0))[Stage(stage)] = count
    return counts


def stages_of(session: Session, programme_id: int, person_id: int) -> tuple[Entered, ...]:
    """The stages a person is in, in the order in which they were recorded."""
    rows = session.scalars(
        select(StageChange)
        .where(StageChange.programme_id == programme_id, StageChange.person_id == person_id, in_force())
        .order_by(StageChange.id)
    )
    return tuple(
        Entered(row.id, Stage(row.stage), row.at, row.recorded_at, row.recorded_by, row.cause, row.attempt_id)
        for row in rows
    )


def path_of(session: Session, programme_id: int, person_id: int) -> tuple[Change, ...]:
    """Every change of a person, those taken back and their reversals included, oldest first."""
    rows = session.scalars(
        select(StageChange)
        .where(StageChange.programme_id == programme_id, StageChange.person_id == person_id)
        .order_by(StageChange.id)
    )
    return tuple(
        Change(row.id, Stage(row.stage), row.at, row.recorded_at, row.recorded_by, row.cause, row.reverses_id)
        for row in rows
    )


def furthest(stages: Sequence[Stage]) -> Stage:
    """The one stage that names where somebody is: the furthest, or the side counter that bars it."""
    order = (Stage.POSITIVE_EXIT, Stage.ACCOMPANIED, *SIDE[1:], Stage.CONTACTED)
    return next((stage for stage in order if stage in stages), Stage.TO_CONTACT)
