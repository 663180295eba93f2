"""Targets to date, pace and forecast."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from callcentre.funnel import targets

FIRST, LAST = date(2026, 9, 1), date(2027, 8, 31)
HOLIDAYS = {date(2026, 11, 11), date(2026, 12, 25)}


def is_working(day: date) -> bool:
    return day.weekday() < 5 and day not in HOLIDAYS


DAYS = targets.working_days(FIRST, LAST, is_working)
days_of_the_period = st.dates(FIRST, LAST)


def test_working_days_leave_out_week_ends_and_holidays() -> None:
    assert DAYS[:4] == (date(2026, 9, 1), date(2026, 9, 2), date(2026, 9, 3), date(2026, 9, 4))
    assert date(2026, 9, 5) not in DAYS
    assert date(2026, 11, 11) not in DAYS


def test_a_target_asks_for_nothing_on_the_first_day_and_everything_after_the_last() -> None:
    assert targets.target_to_date(1964, DAYS, FIRST) == 0
    assert targets.target_to_date(1964, DAYS, LAST + timedelta(days=1)) == 1964


def test_a_target_does_not_grow_on_a_sunday() -> None:
    sunday = date(2026, 11, 22)
    monday = sunday + timedelta(days=1)
    assert targets.target_to_date(1964, DAYS, sunday) == targets.target_to_date(1964, DAYS, monday)


@given(st.integers(0, 5000), days_of_the_period, days_of_the_period)
def test_a_target_to_date_never_falls(target: int, one: date, other: date) -> None:
    earlier, later = sorted((one, other))
    assert 0 <= targets.target_to_date(target, DAYS, earlier) <= targets.target_to_date(target, DAYS, later)
    assert targets.target_to_date(target, DAYS, later) <= target


@given(st.integers(0, 5000), days_of_the_period)
def test_keeping_each_week_s_pace_meets_the_target(target: int, start: date) -> None:
    count, monday = 0, start - timedelta(days=start.weekday())
    while monday <= LAST:
        count += targets.pace(target=target, before_week=count, done=0, days=DAYS, today=monday).needed
        monday += timedelta(days=7)
    assert count == target or not any(day >= start - timedelta(days=start.weekday()) for day in DAYS)


def test_the_pace_counts_the_working_days_of_the_week() -> None:
    pace = targets.pace(target=100, before_week=100, done=3, days=DAYS, today=date(2026, 11, 13))
    assert (pace.days, pace.days_over, pace.needed, pace.expected) == (4, 3, 0, 0)


def test_the_expected_pace_follows_the_days_that_are_over() -> None:
    pace = targets.Pace(needed=10, done=0, days=5, days_over=2)
    assert pace.expected == 4


def test_there_is_no_forecast_before_five_working_days() -> None:
    early = FIRST + timedelta(days=5)
    assert targets.forecast(before_today=3, now=3, recent=3, days=DAYS, today=early) is None


@given(
    st.integers(0, 2000), st.integers(0, 400), days_of_the_period.filter(lambda day: day > date(2026, 10, 1))
)
def test_a_forecast_lies_between_what_is_and_what_can_be(before: int, recent: int, today: date) -> None:
    forecast = targets.forecast(
        before_today=before, now=before + 2, recent=recent, days=DAYS, today=today, ceiling=before + 500
    )
    assert forecast is not None
    assert before + 2 <= forecast.low <= forecast.middle <= forecast.high <= before + 500


def test_the_interval_holds_the_final_count_about_as_often_as_it_says() -> None:
    draw = random.Random(7)
    today = DAYS[60]
    remaining = sum(day >= today for day in DAYS)
    inside = 0
    for _ in range(400):
        rate = draw.uniform(0.5, 10)
        recent = _poisson(draw, rate * targets.RECENT_DAYS)
        final = _poisson(draw, rate * remaining)
        forecast = targets.forecast(before_today=0, now=0, recent=recent, days=DAYS, today=today)
        assert forecast is not None
        inside += forecast.low <= final <= forecast.high
    assert 0.75 <= inside / 400 <= 0.87


def test_after_the_last_day_the_forecast_is_the_count() -> None:
    forecast = targets.forecast(before_today=42, now=42, recent=7, days=DAYS, today=LAST + timedelta(days=1))
    assert forecast is not None
    assert (forecast.low, forecast.high) == (42, 42)


def _poisson(draw: random.Random, mean: float) -> int:
    total, count = 0.0, -1
    while total < mean:
        total += -math.log(1 - draw.random())
        count += 1
    return count
