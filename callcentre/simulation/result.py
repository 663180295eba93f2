"""The whole answer to a request: the figures of every arm, and what would reach the target if it is missed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from callcentre.programmes import Programme, Span
from callcentre.settings import Settings
from callcentre.simulation import advice
from callcentre.simulation.advice import Lever
from callcentre.simulation.comparing import Field, Report, compare
from callcentre.simulation.figures import ArmFigures, figures
from callcentre.simulation.request import (
    TRIED,
    Request,
    Resolution,
    arms_of,
    start_of,
    target_of,
    way_of,
    world_of,
)
from callcentre.simulation.worlds import World, load_worlds

LEARNT = "learnt"
"""Stands for the calls that go to a guardian when their number is worth more, however many those are."""
MOST_ADVICE_PEOPLE, MOST_ADVICE_SEEDS = 1000, 8
"""What would reach the target is looked for with the light resolution, on a sample at most so large."""


@dataclass(frozen=True)
class Result:
    """What came of a request; `arms` in the order played, the first being what the others are compared with."""

    request: Request
    world: dict[str, Any]
    """Code, labels, description, days and people of the world as played."""
    segments: dict[str, dict[str, str]]
    """Labels of the world's segments, by code."""
    target: float
    arms: tuple[ArmFigures, ...]
    levers: tuple[Lever, ...] = ()
    lever_seeds: int = 0
    lever_people: int = 0
    rules: dict[str, Any] | None = None
    """The programme's rules on the day it was played; None for a result that was kept without them."""

    @property
    def judged(self) -> ArmFigures:
        """The arm that the question is about: the change that was tried, else the programme as it is."""
        return next((one for one in self.arms if one.name == TRIED), self.arms[0])

    @property
    def is_reached(self) -> bool:
        """Whether the mean over the seeds is at the target."""
        return self.judged.rate.mean >= self.target

    @property
    def best_lever(self) -> Lever | None:
        """The smallest change that reaches the target, among those played."""
        return advice.cheapest(self.levers, self.target)

    def as_json(self) -> dict[str, Any]:
        """The result as plain values."""
        return {
            "request": self.request.model_dump(mode="json"),
            "world": self.world,
            "segments": self.segments,
            "target": self.target,
            "arms": [one.as_json() for one in self.arms],
            "levers": [one.as_json() for one in self.levers],
            "lever_seeds": self.lever_seeds,
            "lever_people": self.lever_people,
            "rules": self.rules,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The result that `as_json` wrote."""
        return cls(
            request=Request.model_validate(data["request"]),
            world=data["world"],
            segments=data["segments"],
            target=data["target"],
            arms=tuple(ArmFigures.from_json(one) for one in data["arms"]),
            levers=tuple(Lever.from_json(one) for one in data["levers"]),
            lever_seeds=data["lever_seeds"],
            lever_people=data["lever_people"],
            rules=data.get("rules"),
        )

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read a result that was kept."""
        return cls.from_json(json.loads(file.read_text(encoding="utf-8")))


def simulate(
    request: Request,
    programme: Programme,
    *,
    live: Settings,
    folder: Path,
    processes: int | None = None,
    report: Report | None = None,
    advising: Callable[[], None] | None = None,
) -> Result:
    """Play a request to its end; databases of a full one live in `folder` meanwhile.

    `live` is only read: its configured database is refused. `advising` is told when the looking for what would reach
    the target begins. Raises CannotSimulate, and Cancelled when told to stop.
    """
    world = world_of(request, load_worlds(live.config_dir / "worlds"))
    arms = arms_of(request, programme, world)
    field = Field(
        world=world,
        seeds=tuple(range(request.first_seed, request.first_seed + request.seeds)),
        start=start_of(programme),
        resolution=request.resolution,
        folder=folder,
        live=live,
        processes=processes if processes is not None else os.cpu_count() or 1,
    )
    played = compare(field, arms, report)
    reference = played[arms[0].name]
    result = Result(
        request=request,
        world={
            "code": world.code,
            "labels": world.labels,
            "description": world.description,
            "days": world.days,
            "people": world.people,
        },
        segments={segment.code: segment.labels for segment in world.segments},
        target=target_of(programme),
        arms=tuple(figures(played[arm.name], reference) for arm in arms),
        rules=rules_of(programme),
    )
    if result.is_reached or not request.advice:
        return result
    if advising is not None:
        advising()
    return _advised(result, field, programme, report)


def rules_of(programme: Programme) -> dict[str, Any]:
    """How often, when and by what rule a programme calls, as plain values; hours as texts such as 10:00."""
    limits, hours, constants = programme.limits, programme.hours, programme.constants
    by_worth = constants is not None and (constants.preference, constants.second_number) == (LEARNT, LEARNT)
    return {
        "attempts": limits.calls_in_all,
        "per_day": limits.calls_per_day,
        "per_30_days": limits.calls_per_30_days,
        "weekdays": _texts(hours.weekdays),
        "saturday": _texts(hours.saturday),
        "guardian_attempts": LEARNT if by_worth else list(limits.guardian_attempts),
        "adult_guardians": limits.call_adult_guardians,
        "way": way_of(programme).value,
    }


def _texts(spans: Sequence[Span]) -> list[list[str]]:
    return [[f"{start:%H:%M}", f"{end:%H:%M}"] for start, end in spans]


def _advised(result: Result, field: Field, programme: Programme, report: Report | None) -> Result:
    request = result.request
    arms = arms_of(request, programme, field.world)
    judged = next((one for one in arms if one.name == TRIED), arms[0])
    world = _smaller(judged.world(field.world))
    smaller = replace(field, world=world, seeds=field.seeds[:MOST_ADVICE_SEEDS], resolution=Resolution.LIGHT)
    changes = advice.levers(judged.programme, request.change, repaired=world.numbers.repaired)
    found = advice.look_for(smaller, arms[0].programme, way_of(arms[0].programme), changes, report)
    return replace(result, levers=tuple(found), lever_seeds=len(smaller.seeds), lever_people=world.people)


def _smaller(world: World) -> World:
    return world if world.people <= MOST_ADVICE_PEOPLE else world.resized(MOST_ADVICE_PEOPLE)
