"""An office to play in: one programme, its cast, people in the queue, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy.orm import Session

from callcentre.callqueue.entries import open_entries
from callcentre.callqueue.lease import Lease
from callcentre.clock import ManualClock
from callcentre.database import reading, writing
from callcentre.desk import serving, wrap_up
from callcentre.desk.context import Desk
from callcentre.desk.outcomes import Outcome
from callcentre.desk.submissions import Wrapped
from callcentre.planning.eligibility import reconsider
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import load_settings
from tests.builders import World, a_person, a_programme, make_world

MONDAY_TEN = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""10:00 in Paris, the start of a morning block."""
Result = TypeVar("Result")


class Office:
    """The desk's verbs as an officer would use them, each in its own transaction, under a clock that is moved."""

    def __init__(self, runtime: Runtime, clock: ManualClock, world: World) -> None:
        self.runtime, self.clock, self.world = runtime, clock, world

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def write(self, work: Callable[[Session, Desk], Result]) -> Result:
        with writing(self.runtime.sessions) as session:
            return work(session, self.runtime.desk(session))

    def read(self, work: Callable[[Session, Desk], Result]) -> Result:
        with reading(self.runtime.sessions) as session:
            return work(session, self.runtime.desk(session))

    def user(self, login: str) -> int:
        return self.world.users[login]

    def serve(self, login: str = "officer") -> Lease | serving.Nothing:
        return self.write(lambda s, d: serving.serve_next(s, d, officer_id=self.user(login), now=self.now))

    def take(self, login: str = "officer") -> Lease:
        served = self.serve(login)
        assert isinstance(served, Lease), served
        return served

    def call(self, lease: Lease, number_id: int | None = None) -> int:
        number = number_id if number_id is not None else lease.number_id
        assert number is not None
        return self.write(
            lambda s, d: (
                serving.start_attempt(
                    s, d, lease.token, officer_id=lease.officer_id, number_id=number, now=self.now
                ).id
            )
        )

    def say(self, lease: Lease, disposition: str, *, key: str | None = None, **fields: object) -> Wrapped:
        outcome = Outcome(disposition, **fields)  # type: ignore[arg-type]
        return self.write(
            lambda s, d: wrap_up.wrap_up(
                s, d, lease.token, outcome, officer_id=lease.officer_id, key=key or lease.token, now=self.now
            )
        )

    def add(self, first_name: str, **details: Any) -> int:
        """Put one more person into the queue."""
        return self.write(
            lambda s, _: a_person(s, self.world, now=self.now, first_name=first_name, **details)
        )

    def close_for(self, days: int) -> None:
        """Close the programme from tomorrow on, for so many days."""
        programme, tomorrow = self.runtime.programme, self.now.date() + timedelta(days=1)
        closed = tuple(tomorrow + timedelta(days=n) for n in range(days))
        hours = programme.hours.model_copy(update={"closed_days": closed})
        self.runtime.programmes[programme.code] = programme.model_copy(update={"hours": hours})

    def second_programme(self, people: Sequence[int], **limits: int) -> World:
        """Let another programme of the same installation have a place for these people; its limits may be others."""
        first = self.runtime.programme
        other = first.model_copy(update={"code": "other", "limits": first.limits.model_copy(update=limits)})
        self.runtime.programmes[other.code] = other

        def work(session: Session, _desk: Desk) -> World:
            world = a_programme(session, other)
            places = [(person, world.territories["marseille-nord"], None) for person in people]
            open_entries(session, places, programme_id=world.programme_id, list_file_id=None, now=self.now)
            reconsider(session, other, world.programme_id, people, now=self.now)
            return world

        return self.write(work)

    def later(self, **duration: float) -> datetime:
        return self.clock.advance(timedelta(**duration))


@pytest.fixture
def runtime(database_url: str, tmp_path: object) -> Iterator[Runtime]:
    settings = load_settings({"CALLCENTRE_DATABASE_URL": database_url, "CALLCENTRE_DATA_DIR": str(tmp_path)})
    runtime = build_runtime(settings, clock=ManualClock(MONDAY_TEN))
    yield runtime
    runtime.engine.dispose()


@pytest.fixture
def office(runtime: Runtime) -> Office:
    """Three people who may be called at once, at ten on a Monday."""
    assert isinstance(runtime.clock, ManualClock)
    return Office(runtime, runtime.clock, make_world(runtime.sessions, MONDAY_TEN, people=3))
