"""What the actors of the demonstration share: the database, the virtual clock, the desk, the seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from random import Random

from sqlalchemy.orm import Session

from callcentre.clock import ManualClock
from callcentre.database import reading, writing
from callcentre.demo.team import Team
from callcentre.demo.temperaments import CodeBook, Temperament, temperament
from callcentre.desk.context import Desk
from callcentre.retry.windows import Block
from callcentre.runtime import Runtime

Actor = Iterator[datetime]
"""Somebody at work: does something at each step and says when the next step comes."""


@dataclass
class Stage:
    """A playing: `runtime` runs on `clock`; `calls_per_day` is what the whole team makes on a usual day."""

    runtime: Runtime
    clock: ManualClock
    desk: Desk
    team: Team
    seed: int
    calls_per_day: int
    calls: int = 0
    people: dict[int, Temperament] = field(default_factory=dict)
    known_numbers: set[str] = field(default_factory=set)
    """Every number of the database, in E.164, so that one given in a call is nobody else's."""

    @property
    def now(self) -> datetime:
        """The virtual instant."""
        return self.clock.now()

    @cached_property
    def code_book(self) -> CodeBook:
        """The programme's dispositions."""
        return CodeBook(tuple(self.desk.programme.code_book().values()))

    def writing(self) -> AbstractContextManager[Session]:
        """One transaction for one verb."""
        return writing(self.runtime.sessions)

    def reading(self) -> AbstractContextManager[Session]:
        """One transaction that only looks."""
        return reading(self.runtime.sessions)

    def random(self, *about: object) -> Random:
        """Return the chance that belongs to something: the same in every playing with this seed."""
        return Random("|".join(map(str, (self.seed, *about))))  # noqa: S311  (nothing here is a secret)

    def temperament(self, person_id: int) -> Temperament:
        """Return what a person is like."""
        known = self.people.get(person_id)
        if known is None:
            known = self.people[person_id] = temperament(self.random("person", person_id))
        return known

    def blocks(self, day: date) -> tuple[Block, ...]:
        """Return when calls may be made on a day, in the programme's zone."""
        return self.desk.policy.hours.blocks_on(day, self.desk.programme.tz)

    def new_number(self, random: Random) -> str:
        """Return a fictitious number that nobody has yet (any of them once all are taken)."""
        for _ in range(100):
            number = f"+3363998{random.randrange(10_000):04}"
            if number not in self.known_numbers:
                break
        self.known_numbers.add(number)
        return number

    def later(self, random: Random, least: float, most: float) -> datetime:
        """Return an instant between so many seconds from now."""
        return self.now + timedelta(seconds=round(random.uniform(least, most)))
