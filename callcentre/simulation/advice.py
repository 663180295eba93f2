"""What would reach the target when a policy misses it: one change at a time, then together, each of them really played.

Whatever is said here was simulated at those very settings, so that playing them again says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from callcentre.programmes import Programme
from callcentre.simulation.arms import Arm, Change, Way, arm
from callcentre.simulation.comparing import Field, Report, compare
from callcentre.simulation.figures import Interval

MOST_ATTEMPTS = 10
REPAIRED = 0.5


@dataclass(frozen=True)
class Lever:
    """A change that was tried and what it gives."""

    change: Change
    rate: Interval
    calls: Interval
    calls_per_contact: Interval

    def reaches(self, target: float) -> bool:
        """Whether the mean over the seeds is at the target."""
        return self.rate.mean >= target

    def as_json(self) -> dict[str, Any]:
        """The lever as plain values."""
        return {
            "change": self.change.values,
            "rate": _plain(self.rate),
            "calls": _plain(self.calls),
            "calls_per_contact": _plain(self.calls_per_contact),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The lever that `as_json` wrote."""
        return cls(
            Change.model_validate(data["change"]),
            Interval.from_json(data["rate"]),
            Interval.from_json(data["calls"]),
            Interval.from_json(data["calls_per_contact"]),
        )


def levers(programme: Programme, change: Change, *, repaired: float) -> list[Change]:
    """The changes worth trying beyond `change`: each alone, numbers with calls, then all together.

    `repaired`: the part of the failed numbers that is repaired already.
    """
    tried = change.values
    single: list[dict[str, Any]] = []
    if programme.limits.calls_in_all < MOST_ATTEMPTS:
        single.append({"attempts": MOST_ATTEMPTS})
    if repaired < REPAIRED:
        single.append({"repaired": REPAIRED})
    if not any(end.hour >= 19 for _, end in programme.hours.weekdays):
        single.append({"evening": True})
    if not programme.hours.saturday:
        single.append({"saturday": True})
    if not programme.limits.call_adult_guardians:
        single.append({"adult_guardians": True})
    together = [{**single[0], **single[1]}] if len(single) > 2 and "repaired" in single[1] else []
    everything: dict[str, Any] = {}
    for one in single:
        everything.update(one)
    wanted = [*single, *together, *([everything] if len(single) > 1 else [])]
    return [Change.model_validate({**tried, **one}) for one in wanted]


def look_for(
    field: Field, programme: Programme, way: Way, changes: Sequence[Change], report: Report | None = None
) -> list[Lever]:
    """Play each change; `programme` is the one before any of them."""
    arms: list[Arm] = [arm(programme, way, change, name=str(n)) for n, change in enumerate(changes)]
    if not arms:
        return []
    played = compare(field, arms, report)
    return [
        Lever(
            change,
            Interval.of([year.rate for year in played[str(n)]]),
            Interval.of([year.calls for year in played[str(n)]]),
            Interval.of([year.calls_per_contact for year in played[str(n)]]),
        )
        for n, change in enumerate(changes)
    ]


def cheapest(found: Sequence[Lever], target: float) -> Lever | None:
    """The lever that reaches the target with the fewest changes, then the fewest calls; None when none does."""
    enough = [lever for lever in found if lever.reaches(target)]
    return min(enough, key=lambda lever: (len(lever.change.values), lever.calls.mean), default=None)


def _plain(interval: Interval) -> dict[str, float | None]:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high}
