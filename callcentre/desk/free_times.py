"""Times that an officer may promise: a few usual ones, then every half hour of the days to come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from callcentre.retry.windows import CallingHours

STEP = timedelta(minutes=30)
OPEN_DAYS = 10
"""Days of calling that are offered, closed days not counted."""
SEARCH_DAYS = 40
ROUNDED_TO = timedelta(minutes=5)
"""Times "in an hour" are given to the next five minutes."""


class Usual(StrEnum):
    """The times that are said most often."""

    IN_ONE_HOUR = "in_one_hour"
    IN_TWO_HOURS = "in_two_hours"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


_PARTS = (
    (Usual.MORNING, time(10), time(13)),
    (Usual.AFTERNOON, time(15), time(18)),
    (Usual.EVENING, time(18), time(20)),
)


@dataclass(frozen=True, slots=True)
class UsualTime:
    """A time as one says it; `day` is its local date, `at` the instant (aware UTC)."""

    usual: Usual
    day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class FreeDay:
    """An open day and its half hours (aware UTC), in order."""

    day: date
    times: tuple[datetime, ...]


def usual_times(hours: CallingHours, zone: ZoneInfo, *, now: datetime) -> tuple[UsualTime, ...]:
    """Return the usual times that are open: in one and two hours, later today, and the next open day."""
    found: dict[datetime, UsualTime] = {}
    for usual, ahead in ((Usual.IN_ONE_HOUR, 1), (Usual.IN_TWO_HOURS, 2)):
        at = _rounded(now + timedelta(hours=ahead))
        if hours.is_open(at, zone):
            found[at] = UsualTime(usual, at.astimezone(zone).date(), at)
    today = now.astimezone(zone).date()
    days = [day for day in open_days(hours, zone, now=now) if day.day >= today][:2]
    for free in days:
        for usual, start, end in _PARTS:
            at_best = next((at for at in free.times if start <= at.astimezone(zone).time() < end), None)
            if at_best is not None and at_best > now + STEP:
                found.setdefault(at_best, UsualTime(usual, free.day, at_best))
    return tuple(found[at] for at in sorted(found))[:7]


def open_days(
    hours: CallingHours, zone: ZoneInfo, *, now: datetime, count: int = OPEN_DAYS
) -> tuple[FreeDay, ...]:
    """Return the half hours in which a call may be promised, over the next open days of a person's zone."""
    by_day: dict[date, list[datetime]] = {}
    for at in _half_hours(hours, zone, now):
        day = at.astimezone(zone).date()
        if day not in by_day and len(by_day) == count:
            break
        by_day.setdefault(day, []).append(at)
    return tuple(FreeDay(day, tuple(times)) for day, times in by_day.items())


def _half_hours(hours: CallingHours, zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    last = now
    for block in hours.blocks_from(now, zone, days=SEARCH_DAYS):
        at = max(block.start, _next_half_hour(now))
        while at < block.end:
            if at > last:
                yield at
                last = at
            at += STEP


def _next_half_hour(instant: datetime) -> datetime:
    start = instant.replace(minute=0, second=0, microsecond=0)
    return start + STEP * ((instant - start) // STEP + 1)


def _rounded(instant: datetime) -> datetime:
    step = int(ROUNDED_TO.total_seconds())
    seconds = -(-int(instant.timestamp()) // step) * step
    return datetime.fromtimestamp(seconds, tz=UTC)
