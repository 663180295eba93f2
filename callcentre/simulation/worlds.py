"""A world as data: who the young people are, when they answer, which numbers are wrong, how much the team can call.

Everything comes from `config/worlds/<code>.toml`; a wrong file stops a simulation with file, key and remedy. Whatever a
world says is invented: it shows what a policy does to people like these, not what will happen.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from callcentre.errors import ConfigurationError
from callcentre.retry.slots import Slot

SLOTS: tuple[Slot, ...] = tuple(Slot)
"""The order of every list of odds."""
Part = Annotated[float, Field(ge=0, le=1)]
Odds = Annotated[float, Field(gt=0, lt=1)]
Words = dict[str, str]


class _Piece(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Segment(_Piece):
    """A group of young people: their part of the list, their ages, how many have a guardian's number."""

    code: str
    labels: Words
    share: Part
    ages: tuple[int, int]
    """Youngest and oldest age on the day of their list, in years."""
    guardian: Part
    """Part of them with a guardian's number on the list."""
    unreachable: Part
    """Part of them whose own number on the list never reaches them."""
    class_label: str = ""
    """The class they left, by which the programme's file knows its segments."""


class Profile(_Piece):
    """A kind of person: the odds of an answer in each slot, and how common it is in each segment."""

    code: str
    odds: dict[Slot, Odds]
    shares: dict[str, Annotated[float, Field(ge=0)]]
    """Weight of this profile in each segment, by the segment's code."""
    spread: float = Field(default=0.6, ge=0, le=3)
    """How much people of one profile differ: standard deviation of the log odds."""

    @model_validator(mode="after")
    def _every_slot(self) -> Self:
        missing = [slot.value for slot in SLOTS if slot not in self.odds]
        if missing:
            raise ValueError(f"odds: nothing said for {', '.join(missing)}")
        return self


class Wave(_Piece):
    """A list that arrives: on which day of the period, with which part of the people."""

    day: int = Field(ge=0)
    share: Part


class Arrivals(_Piece):
    """When people come: in waves, the rest one by one up to `until_day`."""

    waves: tuple[Wave, ...] = ()
    until_day: int = Field(ge=0)

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if sum(wave.share for wave in self.waves) > 1.000001:
            raise ValueError("waves: their shares exceed 1")
        return self


class Numbers(_Piece):
    """What the unreachable numbers are, the rest of them ringing in vain, and what is done about them."""

    dead: Part
    stranger: Part
    stranger_answers: Part = 0.25
    """Odds that the stranger takes the call."""
    repaired: Part = 0.0
    """Part of the people whose number failed for whom a right one is found."""
    repaired_after_days: int = Field(default=14, ge=1)

    @model_validator(mode="after")
    def _parts_of_one(self) -> Self:
        if self.dead + self.stranger > 1:
            raise ValueError("dead and stranger exceed 1 together")
        return self


class Habits(_Piece):
    """What moves the odds besides the hour; log odds unless said otherwise."""

    person_by_slot: float = Field(default=0.35, ge=0)
    """Spread of a person's own taste for each slot."""
    fatigue: float = -0.08
    """For each call made before."""
    redial: float = -0.7
    """For a call within `redial_hours` of the last one."""
    redial_hours: float = Field(default=2.6, ge=0)
    absence: float = Field(default=0.6, ge=0)
    """Spread of what lasts some days: a phone that is off, no credit, away."""
    absence_lasts: float = Field(default=0.7, ge=0, lt=1)
    """Part of it that is left the day after."""
    weekdays: tuple[float, ...] = (0.0, -0.06, -0.06, 0.0, 0.05, 0.0, 0.0)
    season: float = Field(default=0.15, ge=0)
    """Swing over the year, each slot with its own phase."""
    shift_workers: Part = 0.0
    """Part of the people whose mornings and evenings change places every other week."""
    drift_day: int | None = Field(default=None, ge=0)
    """Day from which habits are others, by `drift`."""
    drift: dict[Slot, float] = Field(default_factory=dict)


class Calls(_Piece):
    """What happens on the line and in the talk."""

    busy: Part = 0.05
    technical: Part = 0.015
    guardian_odds: dict[Slot, Odds]
    """Odds that a guardian takes the call, by slot."""
    guardian_passes_on: Part = 0.5
    """Part of the guardians who tell when the young person can be reached: a promised call."""
    expected: Part = 0.75
    """Odds of an answer at a time that was promised."""
    rings_back: Part = 0.02
    """Odds, after a call that was not answered, that the young person rings back the next day."""
    message_lift: float = 0.0
    """Log odds added to the first call when a message announced it."""


class World(_Piece):
    """Everything that a policy is tried on; immutable."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,40}$")]
    labels: Words
    description: Words
    people: int = Field(ge=20, le=20_000)
    days: int = Field(ge=14, le=800)
    """How long it is played from the first day of the programme's period."""
    capacity: dict[Slot, Annotated[int, Field(ge=0, le=2000)]]
    """Calls that the whole team can make in a slot on one day."""
    arrivals: Arrivals
    segments: tuple[Segment, ...]
    profiles: tuple[Profile, ...]
    numbers: Numbers
    habits: Habits = Habits()
    calls: Calls

    @model_validator(mode="after")
    def _whole(self) -> Self:
        codes = {segment.code for segment in self.segments}
        for profile in self.profiles:
            if set(profile.shares) != codes:
                raise ValueError(
                    f"profiles: {profile.code}: shares must name exactly: {', '.join(sorted(codes))}"
                )
        missing = [slot.value for slot in SLOTS if slot not in self.capacity]
        if missing:
            raise ValueError(f"capacity: nothing said for {', '.join(missing)}")
        if len(self.habits.weekdays) != 7:
            raise ValueError("habits: weekdays has seven numbers, Monday first")
        return self

    def resized(self, people: int, *, days: int | None = None) -> World:
        """The same world with another number of people, and the calls that the team can make in proportion."""
        ratio = people / self.people
        capacity = {
            slot: max(1, round(calls * ratio)) if calls else 0 for slot, calls in self.capacity.items()
        }
        return self.model_copy(update={"people": people, "capacity": capacity, "days": days or self.days})


def load_worlds(folder: Path) -> dict[str, World]:
    """Read every world of a folder, by code; raises ConfigurationError naming file, key and remedy."""
    worlds = [load_world(file) for file in sorted(folder.glob("*.toml"))]
    if not worlds:
        raise ConfigurationError(
            file=str(folder),
            key="*.toml",
            problem="there is no world to simulate.",
            remedy="Put at least one there; ordinary.toml is the example.",
        )
    return {world.code: world for world in worlds}


def load_world(file: Path) -> World:
    """Read and check one world."""
    try:
        data: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return World.model_validate(data)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            file=file.name, key="(file)", problem=f"{error}.", remedy="Correct the file; it is TOML in UTF-8."
        ) from error
    except ValidationError as error:
        first: Any = error.errors()[0]
        raise ConfigurationError(
            file=file.name,
            key=".".join(str(part) for part in first["loc"]) or "(whole file)",
            problem=f"{first['msg']}.",
            remedy="ordinary.toml shows what it looks like.",
        ) from error
