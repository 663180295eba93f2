"""The funnel by territory, and the people behind any figure of the funnel or of the live page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, select, union
from sqlalchemy.orm import Session

from callcentre.bulk import in_parts
from callcentre.callqueue.kinds import Lane
from callcentre.callqueue.models import LeaseLog, QueueEntry, Turn
from callcentre.directory.models import Territory
from callcentre.funnel.models import StageChange
from callcentre.funnel.queries import furthest, in_force, step
from callcentre.funnel.stages import Stage
from callcentre.outreach.models import Attempt, Callback, CallbackState
from callcentre.people.models import YoungPerson
from callcentre.programmes import Programme
from callcentre.retry.windows import local_midnight
from callcentre.supervision.picture import Bucket
from callcentre.supervision.queries import bucket_of, reason_of

PAGE = 50
"""People on a page of a list."""


@dataclass(frozen=True)
class Behind:
    """Which people: those who satisfy everything that is given.

    `week`: a Monday; the entry into `stage` falls into it. `officer_id` recorded that entry, or made the call when
    `called_on` is given. `ready`, `leased`, `promised`, `late`: at this moment. `called_on`: called that day, with a
    contact if `contacts_only`. `served_on`: given to an officer that day in the order of the balance.
    """

    stage: Stage | None = None
    territory_id: int | None = None
    officer_id: int | None = None
    week: date | None = None
    bucket: Bucket | None = None
    reason: str | None = None
    lane: Lane | None = None
    ready: bool = False
    leased: bool = False
    promised: bool = False
    late: bool = False
    called_on: date | None = None
    contacts_only: bool = False
    served_on: date | None = None


@dataclass(frozen=True)
class LastCall:
    """The last attempt to reach somebody."""

    at: datetime
    disposition: str | None


@dataclass(frozen=True)
class Line:
    """A person of a list: who, where, how far, the last call, and which part of the queue they are counted in.

    Why they are not being served, and when they will be, is `callcentre.desk.why_not`'s to say.
    """

    person_id: int
    family_name: str
    first_name: str
    birth_date: date
    territory: str
    stage: Stage
    entered_at: datetime | None
    """When the stage that was asked for was entered; None when none was asked for."""
    last_call: LastCall | None
    bucket: Bucket

    def age_on(self, day: date) -> int:
        """Their age in whole years on a day."""
        return (
            day.year
            - self.birth_date.year
            - ((day.month, day.day) < (self.birth_date.month, self.birth_date.day))
        )


@dataclass(frozen=True)
class Lines:
    """A page of people, and how many there are in all."""

    lines: tuple[Line, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


def lane_of(name: str | None) -> Lane | None:
    """The lane of a name such as `promise`, or None when it is none."""
    return Lane.__members__.get((name or "").upper())


def by_territory(session: Session, programme_id: int) -> dict[int, dict[Stage, int]]:
    """People in each stage by the territory they belong to now."""
    rows = session.execute(
        select(QueueEntry.territory_id, StageChange.stage, step())
        .join(
            QueueEntry,
            (QueueEntry.programme_id == StageChange.programme_id)
            & (QueueEntry.person_id == StageChange.person_id),
        )
        .where(StageChange.programme_id == programme_id)
        .group_by(QueueEntry.territory_id, StageChange.stage)
    )
    counts: dict[int, dict[Stage, int]] = {}
    for territory, stage, count in rows:
        counts.setdefault(territory, dict.fromkeys(Stage, 0))[Stage(stage)] = int(count)
    return counts


def people(
    session: Session, programme: Programme, programme_id: int, behind: Behind, *, now: datetime, page: int = 1
) -> Lines:
    """A page of the people behind a figure, by name."""
    chosen = _chosen(programme, programme_id, behind, now)
    total = session.scalar(select(func.count()).select_from(chosen.order_by(None).subquery())) or 0
    page = max(1, min(page, -(-total // PAGE)))
    ids = session.scalars(chosen.limit(PAGE).offset((page - 1) * PAGE)).all()
    return Lines(_lines(session, programme, programme_id, behind, ids, now), total, page)


def everybody(
    session: Session, programme: Programme, programme_id: int, behind: Behind, *, now: datetime
) -> tuple[Line, ...]:
    """All the people behind a figure, by name, for an export."""
    ids = session.scalars(_chosen(programme, programme_id, behind, now)).all()
    return _lines(session, programme, programme_id, behind, ids, now)


def _chosen(programme: Programme, programme_id: int, behind: Behind, now: datetime) -> Select[int]:
    statement = (
        select(YoungPerson.id)
        .join(QueueEntry, QueueEntry.person_id == YoungPerson.id)
        .where(QueueEntry.programme_id == programme_id)
        .order_by(YoungPerson.sort_name, YoungPerson.birth_date, YoungPerson.id)
    )
    if behind.territory_id is not None:
        statement = statement.where(QueueEntry.territory_id == behind.territory_id)
    if behind.stage is not None:
        statement = statement.where(YoungPerson.id.in_(_entered(programme, programme_id, behind)))
    if behind.bucket is not None:
        statement = statement.where(bucket_of(now, _tomorrow(programme, now)) == behind.bucket.value)
    if behind.reason is not None:
        statement = statement.where(reason_of(now) == behind.reason)
    if behind.promised or behind.late:
        statement = statement.where(YoungPerson.id.in_(_promised(programme_id, now if behind.late else None)))
    if behind.called_on is not None:
        statement = statement.where(
            YoungPerson.id.in_(_called(programme, programme_id, behind, behind.called_on))
        )
    if behind.served_on is not None:
        statement = statement.where(YoungPerson.id.in_(_served(programme_id, behind.served_on)))
    if behind.ready or behind.leased or behind.lane is not None:
        statement = statement.where(YoungPerson.id.in_(_turns(programme_id, behind, now)))
    return statement


def _entered(programme: Programme, programme_id: int, behind: Behind) -> Select[int]:
    conditions: list[ColumnElement[bool]] = [
        StageChange.programme_id == programme_id,
        StageChange.stage == behind.stage,
        in_force(),
    ]
    if behind.officer_id is not None:
        conditions.append(StageChange.recorded_by == behind.officer_id)
    if behind.week is not None:
        conditions.append(StageChange.at >= local_midnight(behind.week, programme.tz))
        conditions.append(StageChange.at < local_midnight(behind.week + timedelta(days=7), programme.tz))
    return select(StageChange.person_id).where(*conditions)


def _promised(programme_id: int, before: datetime | None) -> Select[int]:
    statement = select(Callback.person_id).where(
        Callback.programme_id == programme_id,
        Callback.state.in_((CallbackState.PROMISED, CallbackState.MISSED)),
        Callback.settled_at.is_(None),
    )
    return statement if before is None else statement.where(Callback.promised_at < before)


def _called(programme: Programme, programme_id: int, behind: Behind, day: date) -> Select[int]:
    statement = select(Attempt.person_id).where(
        Attempt.programme_id == programme_id,
        Attempt.started_at >= local_midnight(day, programme.tz),
        Attempt.started_at < local_midnight(day + timedelta(days=1), programme.tz),
    )
    if behind.officer_id is not None:
        statement = statement.where(Attempt.officer_id == behind.officer_id)
    if behind.contacts_only:
        contacts = [code for code, entry in programme.code_book().items() if entry.is_contact]
        statement = statement.where(Attempt.disposition.in_(contacts), Attempt.corrected_at.is_(None))
    return statement


def _served(programme_id: int, day: date) -> CompoundSelect[int]:
    return union(
        *(
            select(table.person_id).where(
                table.programme_id == programme_id,
                table.granted_on == day,
                table.lane == int(Lane.ORDINARY),
            )
            for table in (LeaseLog, Turn)
        )
    )


def _turns(programme_id: int, behind: Behind, now: datetime) -> Select[int]:
    statement = select(Turn.person_id).where(Turn.programme_id == programme_id)
    if behind.lane is not None:
        statement = statement.where(Turn.lane == int(behind.lane))
    if behind.leased:
        return statement.where(Turn.token.is_not(None))
    return statement.where(Turn.token.is_(None), Turn.due_at <= now, Turn.due_until > now)


def _lines(
    session: Session,
    programme: Programme,
    programme_id: int,
    behind: Behind,
    ids: Sequence[int],
    now: datetime,
) -> tuple[Line, ...]:
    lines: dict[int, Line] = {}
    for part in in_parts(ids):
        stages = _stages(session, programme_id, part)
        calls = _last_calls(session, programme_id, part)
        rows = session.execute(
            select(YoungPerson, Territory.label, bucket_of(now, _tomorrow(programme, now)))
            .join(QueueEntry, QueueEntry.person_id == YoungPerson.id)
            .join(Territory, Territory.id == QueueEntry.territory_id)
            .where(QueueEntry.programme_id == programme_id, YoungPerson.id.in_(part))
        )
        for person, territory, bucket in rows:
            entered = stages.get(person.id, {})
            lines[person.id] = Line(
                person_id=person.id,
                family_name=person.usual_name or person.family_name,
                first_name=person.first_name,
                birth_date=person.birth_date,
                territory=territory,
                stage=furthest(list(entered)),
                entered_at=None if behind.stage is None else entered.get(behind.stage),
                last_call=calls.get(person.id),
                bucket=Bucket(bucket),
            )
    return tuple(lines[number] for number in ids if number in lines)


def _stages(session: Session, programme_id: int, ids: list[int]) -> dict[int, dict[Stage, datetime]]:
    rows = session.execute(
        select(StageChange.person_id, StageChange.stage, StageChange.at).where(
            StageChange.programme_id == programme_id, StageChange.person_id.in_(ids), in_force()
        )
    )
    stages: dict[int, dict[Stage, datetime]] = {}
    for person, stage, at in rows:
        stages.setdefault(person, {})[Stage(stage)] = at
    return stages


def _last_calls(session: Session, programme_id: int, ids: list[int]) -> dict[int, LastCall]:
    last = (
        select(Attempt.person_id, func.max(Attempt.started_at).label("at"))
        .where(Attempt.person_id.in_(ids), Attempt.programme_id == programme_id)
        .group_by(Attempt.person_id)
        .subquery()
    )
    rows = session.execute(
        select(Attempt.person_id, Attempt.started_at, Attempt.disposition)
        .join(last, (last.c.person_id == Attempt.person_id) & (last.c.at == Attempt.started_at))
        .order_by(Attempt.id)
    )
    return {person: LastCall(at, disposition) for person, at, disposition in rows}


def _tomorrow(programme: Programme, now: datetime) -> datetime:
    return local_midnight(now.astimezone(programme.tz).date() + timedelta(days=1), programme.tz)
