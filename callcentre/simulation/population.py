"""The people of a world and what their telephones do: pure, and the same for every policy that is tried on them.

Everything that chance decides about a person is drawn once from the seed and kept by the number of the call: the third
call to somebody meets the same luck under every policy, so that policies differ by what they do and by nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import exp, log, pi, sin, sqrt
from random import Random

from callcentre.demo.temperaments import Ring, Temperament
from callcentre.retry.slots import Slot
from callcentre.simulation.worlds import SLOTS, Profile, Segment, World

CALLS_DRAWN = 24
"""Calls to one person for which luck is drawn; later ones meet it again from the first."""
_ADULT = 18


class Truth(StrEnum):
    """What the number on the list is in truth."""

    RIGHT = "right"
    DEAD = "dead"
    STRANGER = "stranger"
    SILENT = "silent"
    """It rings, and never reaches the young person."""


class Line(StrEnum):
    """Which number is called."""

    OWN = "own"
    FOUND = "found"
    """The right number that was found after the one on the list had failed."""
    GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True)
class Luck:
    """What chance decides about one call: four numbers from 0 to 1, and the step of a passing absence."""

    answers: float
    talk: float
    promise: float
    rings_back: float
    absence: float


@dataclass(frozen=True, slots=True)
class Someone:
    """A young person of a world; `own` and `guardian` are log odds of an answer in each of `SLOTS`."""

    index: int
    segment: str
    class_label: str
    arrives_on: int
    """Day of the period on which their list comes."""
    birth_date: date
    has_guardian: bool
    number: Truth
    own: tuple[float, ...]
    guardian: tuple[float, ...]
    temperament: Temperament
    alternates: int | None
    """Which weeks are the other ones for somebody on alternating shifts: 0 or 1; None for everybody else."""
    repair: float
    """From 0 to 1: a right number is found for those below the world's `repaired`."""
    luck: tuple[Luck, ...]

    def luck_of(self, ordinal: int) -> Luck:
        """The luck of a call by its number, 0 the first."""
        return self.luck[ordinal % CALLS_DRAWN]


@dataclass(frozen=True)
class Population:
    """Everybody of a world under one seed."""

    world: World
    seed: int
    start: date
    people: tuple[Someone, ...]


def populate(world: World, seed: int, start: date) -> Population:
    """Draw the people of a world; `start` is the first day of the period."""
    random = Random(f"{seed}|people")  # noqa: S311  (nothing here is a secret)
    segments = random.choices(world.segments, [segment.share for segment in world.segments], k=world.people)
    return Population(
        world, seed, start, tuple(_someone(world, seed, start, i, s) for i, s in enumerate(segments))
    )


def _someone(world: World, seed: int, start: date, index: int, segment: Segment) -> Someone:
    random = Random(f"{seed}|{index}")  # noqa: S311
    profile = random.choices(world.profiles, [p.shares[segment.code] for p in world.profiles])[0]
    arrives_on = _arrival(world, random)
    return Someone(
        index=index,
        segment=segment.code,
        class_label=segment.class_label,
        arrives_on=arrives_on,
        birth_date=_birth_date(random, segment, start + timedelta(days=arrives_on)),
        has_guardian=random.random() < segment.guardian,
        number=_number(world, segment, random),
        own=_own_odds(world, profile, random),
        guardian=_guardian_odds(world, random),
        temperament=Temperament({}, random.betavariate(4, 2.5), random.betavariate(5, 2.5)),
        alternates=random.randrange(2) if random.random() < world.habits.shift_workers else None,
        repair=random.random(),
        luck=tuple(_luck(random) for _ in range(CALLS_DRAWN)),
    )


def _luck(random: Random) -> Luck:
    return Luck(random.random(), random.random(), random.random(), random.random(), random.gauss(0, 1))


def _arrival(world: World, random: Random) -> int:
    drawn, passed = random.random(), 0.0
    later = random.randint(0, world.arrivals.until_day)
    for wave in world.arrivals.waves:
        passed += wave.share
        if drawn < passed:
            return wave.day
    return later


def _birth_date(random: Random, segment: Segment, on: date) -> date:
    age = random.randint(*segment.ages)
    return date(on.year - age, on.month, min(on.day, 28)) - timedelta(days=random.randint(1, 360))


def _number(world: World, segment: Segment, random: Random) -> Truth:
    drawn, kind = random.random(), random.random()
    if drawn >= segment.unreachable:
        return Truth.RIGHT
    if kind < world.numbers.dead:
        return Truth.DEAD
    return Truth.STRANGER if kind < world.numbers.dead + world.numbers.stranger else Truth.SILENT


def _own_odds(world: World, profile: Profile, random: Random) -> tuple[float, ...]:
    person = random.gauss(0, profile.spread)
    taste = world.habits.person_by_slot
    return tuple(_logit(profile.odds[slot]) + person + random.gauss(0, taste) for slot in SLOTS)


def _guardian_odds(world: World, random: Random) -> tuple[float, ...]:
    person = random.gauss(0, 0.5)
    return tuple(_logit(world.calls.guardian_odds[slot]) + person + random.gauss(0, 0.3) for slot in SLOTS)


def _logit(odds: float) -> float:
    return log(odds / (1 - odds))


# ---- the telephone


@dataclass(frozen=True, slots=True)
class Dial:
    """A call as it is made: on which line, when, in which slot, how many came before, and whether it is expected."""

    line: Line
    at: datetime
    slot: Slot
    day: int
    """Day of the period."""
    ordinal: int
    expected: bool = False


@dataclass(slots=True)
class _Mood:
    """What the last call to somebody left behind."""

    at: datetime | None = None
    absence: float = 0.0
    day: int = 0


@dataclass
class Telephone:
    """The lines of a population under one policy; remembers how absent everybody was at their last call."""

    population: Population
    _moods: dict[int, _Mood] = field(default_factory=dict)

    def ring(self, someone: Someone, dial: Dial) -> Ring:
        """What happens on the line."""
        calls, luck = self.population.world.calls, someone.luck_of(dial.ordinal)
        odds = self.odds(someone, dial)
        self._moods[someone.index].at = dial.at
        if dial.line is Line.OWN and someone.number is not Truth.RIGHT and not dial.expected:
            return self._fails(someone.number, luck)
        if luck.answers < odds:
            return (
                Ring.SOMEBODY_ELSE if dial.line is Line.GUARDIAN and not dial.expected else Ring.YOUNG_PERSON
            )
        rest = (luck.answers - odds) / (1 - odds)  # of those that are not answered, some never rang through
        if rest < calls.technical:
            return Ring.TECHNICAL
        return Ring.BUSY if rest < calls.technical + calls.busy else Ring.NOBODY

    def odds(self, someone: Someone, dial: Dial) -> float:
        """The odds that this call is answered by whoever has the number."""
        world, mood = self.population.world, self._mood(someone, dial)
        if dial.expected:
            return world.calls.expected
        habits, place = world.habits, SLOTS.index(dial.slot)
        value = habits.weekdays[dial.at.weekday()] + _season(habits.season, place, dial.day)
        if habits.drift_day is not None and dial.day >= habits.drift_day:
            value += habits.drift.get(dial.slot, 0.0)
        if mood.at is not None and dial.at - mood.at < timedelta(hours=habits.redial_hours):
            value += habits.redial
        if dial.line is Line.GUARDIAN:
            return _odds(value + someone.guardian[place])
        place = _swapped(place) if self._is_other_week(someone, dial.day) else place
        value += someone.own[place] + mood.absence + habits.fatigue * dial.ordinal
        return _odds(value + (world.calls.message_lift if dial.ordinal == 0 else 0.0))

    def rings_back(self, someone: Someone, dial: Dial) -> bool:
        """Whether somebody who did not answer rings back the next day."""
        is_theirs = dial.line is Line.FOUND or (dial.line is Line.OWN and someone.number is Truth.RIGHT)
        luck = someone.luck_of(dial.ordinal)
        return is_theirs and luck.rings_back < self.population.world.calls.rings_back

    def _fails(self, number: Truth, luck: Luck) -> Ring:
        if number is Truth.DEAD:
            return Ring.DEAD
        answered = luck.answers < self.population.world.numbers.stranger_answers
        return Ring.STRANGER if number is Truth.STRANGER and answered else Ring.NOBODY

    def _mood(self, someone: Someone, dial: Dial) -> _Mood:
        """How absent somebody is at this call: what is left of the last time, and a new step."""
        habits, luck = self.population.world.habits, someone.luck_of(dial.ordinal)
        mood = self._moods.get(someone.index)
        if mood is None:
            self._moods[someone.index] = mood = _Mood(None, habits.absence * luck.absence, dial.day)
            return mood
        if dial.day > mood.day:
            left = habits.absence_lasts ** (dial.day - mood.day)
            mood.absence = left * mood.absence + sqrt(1 - left * left) * habits.absence * luck.absence
            mood.day = dial.day
        return mood

    @staticmethod
    def _is_other_week(someone: Someone, day: int) -> bool:
        return someone.alternates is not None and (day // 7 + someone.alternates) % 2 == 1


def repaired(population: Population, someone: Someone) -> bool:
    """Whether a right number is found for somebody whose number failed."""
    return someone.repair < population.world.numbers.repaired


def _season(swing: float, place: int, day: int) -> float:
    return swing * sin(2 * pi * (day - 70 * place) / 365)


def _swapped(place: int) -> int:
    """Morning and evening, midday and afternoon change places; Saturday stays."""
    return 3 - place if place < 4 else place


def _odds(value: float) -> float:
    return 1 / (1 + exp(-max(-30.0, min(30.0, value))))
