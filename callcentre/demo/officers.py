"""An officer's day in the demonstration: sittings of a few calls, promises kept at their time, pauses, absences."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from sqlalchemy import select

from callcentre.accounts import presence
from callcentre.accounts.kinds import PauseReason
from callcentre.audit import looks
from callcentre.audit.kinds import Place
from callcentre.callqueue.lease import Lease
from callcentre.demo.calls import Call
from callcentre.demo.stage import Actor, Stage
from callcentre.desk import serving
from callcentre.outreach.models import Callback, CallbackState
from callcentre.retry.windows import Block

SITTING_CALLS = 5
"""Calls that an officer makes in a row, about."""
SICK = 0.04
HOLIDAY_EVERY_WEEKS = 9
"""Each officer takes a week off once in so many weeks."""
HEEDS_PROMISES = 0.92
PAUSES = (PauseReason.PAPERWORK, PauseReason.PAPERWORK, PauseReason.MEETING, PauseReason.BREAK)


@dataclass(frozen=True, slots=True, order=True)
class Sitting:
    """A stretch of work: from when, and how many calls."""

    start: datetime
    calls: int


def day_at_work(stage: Stage, officer_id: int, day: date) -> Actor:
    """Play an officer's day: sign in, sittings, pauses between them, sign out."""
    yield datetime.combine(day, time(9), stage.desk.programme.tz)
    random = stage.random("officer", officer_id, day)
    if _is_away(stage, officer_id, day):
        return
    sittings = sorted(_sittings(stage, random, day))
    heeded: set[int] = set()
    while (sitting := _next_sitting(stage, officer_id, sittings, heeded)) is not None:
        if sitting.start < stage.now - timedelta(minutes=30):
            continue  # the playing began in the middle of this day
        if sitting.start > stage.now:
            yield sitting.start
        with stage.writing() as session:
            presence.resume(session, officer_id, now=stage.now)
        left = yield from _sit(stage, officer_id, sitting.calls, random)
        if left:
            return
        with stage.writing() as session:
            why = PauseReason.LUNCH if _is_noon(stage) else random.choice(PAUSES)
            presence.pause(session, officer_id, why, now=stage.now)
    with stage.writing() as session:
        presence.leave(session, officer_id)


def _is_away(stage: Stage, officer_id: int, day: date) -> bool:
    on_holiday = (day.isocalendar().week + officer_id) % HOLIDAY_EVERY_WEEKS == 0
    return on_holiday or stage.random("sick", officer_id, day).random() < SICK


def _sittings(stage: Stage, random: Random, day: date) -> list[Sitting]:
    """Spread an officer's part of the day's calls over the hours at which the team sits down to call."""
    part = stage.calls_per_day / max(1, len(stage.team.officers)) * 1.15  # some are away on any day
    left = max(1, round(random.gauss(part, part / 5)))
    sittings, hours = [], _hours_of_calling(stage, day)
    while hours and left > 0:
        calls = min(left, max(1, round(random.gauss(SITTING_CALLS, 1.5))))
        start = random.choice(hours) + timedelta(seconds=round(random.uniform(0, 2400)))
        sittings.append(Sitting(start, calls))
        left -= calls
    return sittings


def _hours_of_calling(stage: Stage, day: date) -> list[datetime]:
    """When the team sits down to call on a day: more often the more it calls, in longer blocks before shorter ones."""
    random, blocks = stage.random("hours", day), stage.blocks(day)
    often = max(2, round(stage.calls_per_day / 20))
    chosen = random.choices(blocks, [_length(block) for block in blocks], k=often)
    return [
        block.start + timedelta(seconds=round(random.uniform(30, max(60.0, _length(block) - 4500))))
        for block in chosen
    ]


def _length(block: Block) -> float:
    return (block.end - block.start).total_seconds()


def _next_sitting(stage: Stage, officer_id: int, sittings: list[Sitting], heeded: set[int]) -> Sitting | None:
    """Take the next sitting, or the officer's next promise if its time comes first."""
    promise = _next_promise(stage, officer_id, heeded)
    if promise is not None and (not sittings or promise[1] < sittings[0].start):
        heeded.add(promise[0])
        return Sitting(max(promise[1], stage.now), 1)
    return sittings.pop(0) if sittings else None


def _next_promise(stage: Stage, officer_id: int, heeded: set[int]) -> tuple[int, datetime] | None:
    """Return an officer's next promise of today: their own, an absent colleague's, a part of the team's."""
    day = stage.now.astimezone(stage.desk.programme.tz).date()
    officers = stage.team.officers
    stand_in_for = officers[officers.index(officer_id) - 1]
    owners = [officer_id, *([stand_in_for] if _is_away(stage, stand_in_for, day) else [])]
    part = Callback.officer_id.is_(None) & (Callback.id % len(officers) == officers.index(officer_id))
    with stage.reading() as session:
        rows = session.execute(
            select(Callback.id, Callback.promised_at)
            .where(
                Callback.officer_id.in_(owners) | part,
                Callback.state == CallbackState.PROMISED,
                Callback.settled_at.is_(None),
                Callback.promised_at > stage.now - timedelta(minutes=5),
                Callback.promised_at < stage.now + timedelta(hours=11),
            )
            .order_by(Callback.promised_at, Callback.id)
        ).all()
    for callback_id, promised_at in rows:
        if callback_id not in heeded and stage.random("heed", callback_id).random() < HEEDS_PROMISES:
            return callback_id, promised_at
    return None


def _sit(stage: Stage, officer_id: int, calls: int, random: Random) -> Generator[datetime, None, bool]:
    """Make a few calls; tell at the end whether the laptop was closed on an open one."""
    waits = 0
    while calls > 0 and waits < 2:
        with stage.writing() as session:
            found = serving.serve_next(session, stage.desk, officer_id=officer_id, now=stage.now)
            if isinstance(found, Lease):
                looks.record(session, [found.person_id], Place.CARD, by=officer_id, now=stage.now)
        if not isinstance(found, Lease):
            waits += 1
            yield stage.later(random, 120, 420)
            continue
        calls -= 1
        call = Call.of(stage, officer_id, found)
        yield from call.make()
        if call.left:
            return True
        yield stage.later(random, 5, 120)
    return False


def _is_noon(stage: Stage) -> bool:
    return stage.now.astimezone(stage.desk.programme.tz).hour in (12, 13)
