"""Times that an officer may promise: always open, always to come, in the young person's own zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from callcentre.desk.free_times import OPEN_DAYS, Usual, open_days, usual_times
from callcentre.retry.windows import CallingHours

PARIS = ZoneInfo("Europe/Paris")
HOURS = CallingHours.of()
MONDAY = datetime(2026, 11, 23, 9, 3, tzinfo=UTC)

moments = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: MONDAY - timedelta(days=300) + timedelta(minutes=minutes)
)
zones = st.sampled_from(["Europe/Paris", "Indian/Reunion", "America/Martinique"]).map(ZoneInfo)


@given(now=moments, zone=zones)
def test_every_time_offered_is_open_and_to_come(now: datetime, zone: ZoneInfo) -> None:
    offered = [at for day in open_days(HOURS, zone, now=now) for at in day.times]
    offered += [time.at for time in usual_times(HOURS, zone, now=now)]
    assert offered
    assert all(at > now and HOURS.is_open(at, zone) for at in offered)


@given(now=moments)
def test_ten_open_days_are_offered_by_half_hours(now: datetime) -> None:
    days = open_days(HOURS, PARIS, now=now)
    assert len(days) == OPEN_DAYS
    assert [day.day for day in days] == sorted({day.day for day in days})
    assert {at.minute for day in days for at in day.times} <= {0, 30}


def test_usual_times_are_what_one_says() -> None:
    said = {
        (time.usual, time.at.astimezone(PARIS).strftime("%d %H:%M"))
        for time in usual_times(HOURS, PARIS, now=MONDAY)
    }
    assert (Usual.IN_ONE_HOUR, "23 11:05") in said
    assert (Usual.IN_TWO_HOURS, "23 12:05") in said
    assert (Usual.EVENING, "23 18:00") in said
    assert (Usual.MORNING, "24 10:00") in said


def test_on_a_friday_evening_the_next_morning_is_mondays() -> None:
    friday = datetime(2026, 11, 27, 18, 40, tzinfo=UTC)
    times = usual_times(HOURS, PARIS, now=friday)
    assert times[0].at.astimezone(PARIS) == datetime(2026, 11, 30, 10, tzinfo=PARIS)
    assert all(time.at - friday > timedelta(hours=1) for time in times)
