"""Playing days of work through the real verbs, under a clock that moves from one step to the next.

Each working day has its actors: the officers, the supervisor, the paperwork and the worker's jobs. The one whose next
step comes first goes on; every verb is one transaction of its own. Nothing is dialled.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select

from callcentre.callqueue.ledger import Ledger
from callcentre.clock import ManualClock
from callcentre.demo import team
from callcentre.demo.calls import finish
from callcentre.demo.office import paperwork, supervisor, worker
from callcentre.demo.officers import day_at_work
from callcentre.demo.refusals import CannotPlay
from callcentre.demo.stage import Actor, Stage
from callcentre.desk.context import Desk
from callcentre.people.models import PhoneNumber
from callcentre.runtime import Runtime

DEFAULT_SEED = 13
CALLS_PER_DAY = 90
"""What the whole team calls on a usual day; the operation's own figures come to 60 to 120."""
CALLS_PER_PLANNED_HOUR = 45
"""The team's calls of a day for each call an hour and officer for which blocks are planned: above what is played, and
no more, since whoever was planned and not called is planned anew."""
Report = Callable[[int, int], None]
"""Told after each day: days played, days in all."""


@dataclass(frozen=True, slots=True)
class Played:
    """What was played: from when to when, on how many working days, how many calls."""

    start: datetime
    end: datetime
    working_days: int
    calls: int


def play(
    runtime: Runtime,
    *,
    start: datetime,
    end: datetime,
    seed: int = DEFAULT_SEED,
    calls_per_day: int = CALLS_PER_DAY,
    report: Report | None = None,
) -> Played:
    """Play the days from `start` to `end`; the same seed on the same database plays the same days."""
    stage = _stage(runtime, start, seed, calls_per_day)
    days = [day for day in _days(stage, start, end) if stage.blocks(day)]
    for number, day in enumerate(days, start=1):
        _play_day(stage, day, end)
        if report is not None:
            report(number, len(days))
    stage.clock.move_to(end)
    for officer_id in stage.team.officers:
        finish(stage, officer_id)
    return Played(start, end, len(days), stage.calls)


def _stage(runtime: Runtime, start: datetime, seed: int, calls_per_day: int) -> Stage:
    clock = ManualClock(start)
    playing = replace(runtime, clock=clock, ledger=Ledger())
    with playing.sessions() as session:
        members = team.of(session)
        desk = _at_this_pace(playing.desk(session), calls_per_day)
        known = set(session.scalars(select(PhoneNumber.e164)))
    if not members.officers:
        raise CannotPlay("No officer works in this database: nobody could play.")
    return Stage(playing, clock, desk, members, seed, calls_per_day, known_numbers=known)


def _at_this_pace(desk: Desk, calls_per_day: int) -> Desk:
    """Plan as many people into a block as a team calls that makes but some calls an hour."""
    per_hour = max(1, -(-calls_per_day // CALLS_PER_PLANNED_HOUR))
    planning = desk.programme.planning.model_copy(update={"calls_per_officer_hour": per_hour})
    return replace(desk, programme=desk.programme.model_copy(update={"planning": planning}))


def _days(stage: Stage, start: datetime, end: datetime) -> Iterator[date]:
    zone = stage.desk.programme.tz
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _play_day(stage: Stage, day: date, end: datetime) -> None:
    """Let everybody work, whoever's next step comes first, until the day or the playing is over."""
    actors: list[Actor] = [
        worker(stage, day),
        paperwork(stage, day),
        supervisor(stage, day),
        *(day_at_work(stage, officer_id, day) for officer_id in stage.team.officers),
    ]
    waiting: list[tuple[datetime, int]] = []
    for number, actor in enumerate(actors):
        _step(actor, number, waiting)
    while waiting and waiting[0][0] <= end:
        at, number = heapq.heappop(waiting)
        stage.clock.move_to(max(at, stage.now))
        _step(actors[number], number, waiting)


def _step(actor: Actor, number: int, waiting: list[tuple[datetime, int]]) -> None:
    at = next(actor, None)
    if at is not None:
        heapq.heappush(waiting, (at, number))
