"""Figures over several seeds: means with their intervals, and differences between arms that met the same luck; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import mean, stdev
from typing import Any, Self

from callcentre.retry.slots import Slot
from callcentre.simulation.record import Year

_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13)
"""Two-sided 95 % points of Student's distribution for 1, 2, 3… degrees of freedom; 2.0 beyond is close enough."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and where it lies 95 times in 100; `low` and `high` are None when one seed says nothing of chance."""

    mean: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The interval of the mean of these values."""
        middle = mean(values) if values else 0.0
        if len(values) < 2:
            return cls(middle)
        freedom = len(values) - 1
        factor = _STUDENT[freedom - 1] if freedom <= len(_STUDENT) else 2.05
        half = factor * stdev(values) / sqrt(len(values))
        return cls(middle, middle - half, middle + half)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The interval that `asdict` wrote."""
        return cls(data["mean"], data["low"], data["high"])

    def barely_reaches(self, target: float) -> bool:
        """Whether the mean is at the target, while chance alone may miss it."""
        return self.mean >= target and self.low is not None and self.low < target

    @property
    def is_above_nothing(self) -> bool | None:
        """True when surely above 0, False when surely below, None when chance may explain it."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return None
        return self.low > 0


@dataclass(frozen=True)
class ArmFigures:
    """One arm over all seeds; `more_contacts`: its contacts over those of the first arm, seed by seed, less 1."""

    name: str
    seeds: int
    people: int
    rate: Interval
    contacts: Interval
    calls: Interval
    calls_per_contact: Interval
    days: Interval
    worst_segment: Interval
    more_contacts: Interval
    fewer_calls: Interval
    """Calls for one contact over those of the first arm, less 1: below 0 is better."""
    segments: dict[str, Interval]
    load: dict[str, float]
    """Part of the calls that the team could make in a slot which were made; -1 when it is closed."""
    calls_by_slot: dict[str, float]
    violations: dict[str, float]
    ends: dict[str, float]
    """Part of the people by where they stand at the end."""
    months: list[float]
    """Part of the people contacted by the end of each 30 days."""

    def as_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The figures that `as_json` wrote."""
        intervals = {
            name: Interval.from_json(data[name])
            for name in (
                "rate",
                "contacts",
                "calls",
                "calls_per_contact",
                "days",
                "worst_segment",
                "more_contacts",
                "fewer_calls",
            )
        }
        segments = {code: Interval.from_json(one) for code, one in data["segments"].items()}
        return cls(**{**data, **intervals, "segments": segments})


def figures(years: Sequence[Year], reference: Sequence[Year]) -> ArmFigures:
    """The figures of one arm, beside those of the first arm under the same seeds."""
    codes = sorted({code for year in years for code in year.segments})
    people = sum(year.people for year in years)

    def over(value: Callable[[Year], float]) -> Interval:
        return Interval.of([value(year) for year in years])

    return ArmFigures(
        name=years[0].arm,
        seeds=len(years),
        people=round(people / len(years)),
        rate=over(lambda year: year.rate),
        contacts=over(lambda year: year.contacts),
        calls=over(lambda year: year.calls),
        calls_per_contact=over(lambda year: year.calls_per_contact),
        days=over(lambda year: year.days_mean),
        worst_segment=over(lambda year: year.worst_segment),
        more_contacts=_ratio(years, reference, lambda year: year.contacts),
        fewer_calls=_ratio(years, reference, lambda year: year.calls_per_contact),
        segments={code: over(lambda year, code=code: _rate(year, code)) for code in codes},  # type: ignore[misc]
        load={slot.value: _load(years, slot.value) for slot in Slot},
        calls_by_slot={slot.value: mean(year.slots[slot.value] for year in years) for slot in Slot},
        violations={name: mean(year.violations[name] for year in years) for name in years[0].violations},
        ends=_ends(years, people),
        months=_months(years, people),
    )


def _ratio(years: Sequence[Year], reference: Sequence[Year], value: Callable[[Year], float]) -> Interval:
    base = {year.seed: value(year) for year in reference}
    return Interval.of([value(year) / base[year.seed] - 1 for year in years if base.get(year.seed)])


def _rate(year: Year, code: str) -> float:
    people, reached = year.segments.get(code, (0, 0))
    return reached / max(1, people)


def _load(years: Iterable[Year], slot: str) -> float:
    made = room = 0
    for year in years:
        made, room = made + year.slots[slot], room + year.room[slot]
    return made / room if room else -1.0


def _ends(years: Sequence[Year], people: int) -> dict[str, float]:
    names = sorted({name for year in years for name in year.ends})
    return {name: sum(year.ends.get(name, 0) for year in years) / max(1, people) for name in names}


def _months(years: Sequence[Year], people: int) -> list[float]:
    length = max((len(year.months) for year in years), default=0)
    parts, reached = [], 0
    for number in range(length):
        reached += sum(year.months[number] for year in years if number < len(year.months))
        parts.append(reached / max(1, people))
    return parts
