"""What somebody asks a simulation: which world, which change, compared with what, how often, and how closely."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from callcentre.programmes import Programme
from callcentre.simulation.arms import Arm, Change, Way, arm, staffed
from callcentre.simulation.refusals import CannotSimulate
from callcentre.simulation.worlds import World

TODAY, TRIED = "today", "tried"
"""Names of the arms of the programme: as it is, and with the change."""
FIRST_SEED = 1


class Resolution(StrEnum):
    """How closely the work is played."""

    LIGHT = "light"
    """The pure rule on people in memory."""
    FULL = "full"
    """Every verb of the program, in a database of its own."""


class Request(BaseModel):
    """A comparison to play; immutable, and kept as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    programme: str
    world: str = "ordinary"
    people: int = Field(default=1000, ge=20, le=20_000)
    days: int | None = Field(default=None, ge=14, le=800)
    seeds: int = Field(default=5, ge=1, le=50)
    first_seed: int = Field(default=FIRST_SEED, ge=0)
    controls: tuple[Way, ...] = (Way.ROTATION, Way.EVENING_FIRST, Way.RECYCLE)
    change: Change = Change()
    resolution: Resolution = Resolution.LIGHT
    advice: bool = True
    """Whether to look for what would reach the target, if it is missed."""

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read a request that was kept; raises CannotSimulate."""
        try:
            return cls.model_validate_json(file.read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            raise CannotSimulate(f"{file.name} is no request of a simulation.") from error


def world_of(request: Request, worlds: Mapping[str, World]) -> World:
    """The world of a request, at the size that is asked; raises CannotSimulate for one that is not there."""
    world = worlds.get(request.world)
    if world is None:
        raise CannotSimulate(f"There is no world {request.world}; known: {', '.join(worlds)}.")
    return world.resized(request.people, days=request.days)


def arms_of(request: Request, programme: Programme, world: World) -> list[Arm]:
    """The arms of a request, the one that the others are compared with first.

    That is the programme of today when a change is tried, else the programme itself; the controls keep its limits.
    """
    home = staffed(programme, world)
    way = way_of(home)
    arms = [arm(home, way, name=TODAY)]
    if request.change.values:
        arms.append(arm(home, way, request.change, name=TRIED))
    arms += [arm(home, control) for control in request.controls if control is not way]
    return arms


def way_of(programme: Programme) -> Way:
    """How a programme chooses today."""
    constants = programme.constants
    return Way.LEARNT if constants is not None and constants.preference == "learnt" else Way.ROTATION


def target_of(programme: Programme) -> float:
    """The part of the people to contact that the programme aims at."""
    stages = programme.stages
    return stages["contacted"].target / max(1, stages["to_contact"].target)


def start_of(programme: Programme) -> date:
    """The first day played."""
    return programme.period.first_day
