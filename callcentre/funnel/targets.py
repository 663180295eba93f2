"""Targets to date, the week's pace and the forecast: pure arithmetic over counts and working days.

A target grows linearly over the working days of the period; a day counts once it is over. The forecast takes
the entries of the last working days as a Poisson count and says what the remaining days would add at the same
rate, with the interval that the small number of entries itself makes uncertain; it knows nothing of plans or
seasons.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

RECENT_DAYS = 20
"""Working days that the forecast looks back on: four weeks."""

FEWEST_DAYS = 5
"""Working days below which there is no forecast."""

CONFIDENCE = 0.8
"""Chance that the interval holds the final count, if the team goes on at the same rate."""

METHOD = "negative binomial of the entries of the last working days (Poisson arrivals, Jeffreys' prior)"
"""How a forecast was computed, for who reads it apart from its page."""


@dataclass(frozen=True)
class Pace:
    """A week against what the target asks of it: people needed over the week's working days, people done."""

    needed: int
    done: int
    days: int
    days_over: int

    @property
    def expected(self) -> int:
        """People needed by the end of the days that are over."""
        return 0 if not self.days else math.ceil(self.needed * self.days_over / self.days)


@dataclass(frozen=True)
class Forecast:
    """The count at the end of the period: its middle and interval, and what they were computed from."""

    low: int
    middle: int
    high: int
    recent: int
    recent_days: int
    remaining_days: int


def working_days(first: date, last: date, is_working: Callable[[date], bool]) -> tuple[date, ...]:
    """The working days from `first` to `last`, both included."""
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return tuple(day for day in days if is_working(day))


def target_to_date(target: int, days: Sequence[date], today: date) -> int:
    """What the target asks for by the end of the last working day that is over."""
    if not days:
        return target
    over = sum(day < today for day in days)
    return round(target * over / len(days))


def pace(*, target: int, before_week: int, done: int, days: Sequence[date], today: date) -> Pace:
    """What this week has to bring for the target to be met by steady work until the end of the period."""
    monday = today - timedelta(days=today.weekday())
    ahead = sum(day >= monday for day in days)
    this_week = [day for day in days if monday <= day < monday + timedelta(days=7)]
    missing = max(0, target - before_week)
    needed = math.ceil(missing * len(this_week) / ahead) if ahead else 0
    return Pace(
        needed=needed, done=done, days=len(this_week), days_over=sum(day < today for day in this_week)
    )


def recent_days(days: Sequence[date], today: date) -> tuple[date, ...]:
    """The last working days that are over, up to `RECENT_DAYS`."""
    return tuple(day for day in days if day < today)[-RECENT_DAYS:]


def forecast(
    *, before_today: int, now: int, recent: int, days: Sequence[date], today: date, ceiling: int | None = None
) -> Forecast | None:
    """The count at the end of the period if entries go on as lately; None when it is too early to say.

    `recent`: entries during `recent_days`. With n entries in d days, those of D more days follow a negative
    binomial of size n + 1/2 and probability d / (d + D): Poisson arrivals whose rate is only known from n
    (Jeffreys' prior).
    """
    looked_at = len(recent_days(days, today))
    remaining = sum(day >= today for day in days)
    if looked_at < FEWEST_DAYS:
        return None
    tail = (1 - CONFIDENCE) / 2
    added = [
        _quantile(part, recent + 0.5, looked_at / (looked_at + remaining)) for part in (tail, 0.5, 1 - tail)
    ]
    low, middle, high = (_within(before_today + more, now, ceiling) for more in added)
    return Forecast(low, middle, high, recent=recent, recent_days=looked_at, remaining_days=remaining)


def _within(count: int, least: int, most: int | None) -> int:
    return max(least, count if most is None else min(count, most))


def _quantile(part: float, size: float, probability: float) -> int:
    """The smallest k whose cumulated chance reaches `part`, for a negative binomial."""
    if probability >= 1:
        return 0
    mean = size * (1 - probability) / probability
    deviation = math.sqrt(mean / probability)
    k = max(0, math.floor(mean - 12 * deviation))
    chance = 0.0
    while True:
        chance += math.exp(
            math.lgamma(k + size)
            - math.lgamma(size)
            - math.lgamma(k + 1)
            + size * math.log(probability)
            + k * math.log1p(-probability)
        )
        if chance >= part or k > mean + 40 * deviation + 40:
            return k
        k += 1
