"""Eight officers at once through the verbs, on both databases: nobody twice, nothing lost, every PSAD in turn.

EIGHT_OFFICERS_ROWS plays more of the sample list than the default (3274 is the whole of it).
"""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from threading import Barrier, Lock

import pytest
from sqlalchemy import select

from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import LeaseEnding, LeaseLog, NumberLock, Turn
from callcentre.database import reading, writing
from callcentre.demo import team
from callcentre.desk import serving
from callcentre.desk.outcomes import Outcome
from callcentre.desk.wrap_up import wrap_up
from callcentre.errors import NotAllowed
from callcentre.outreach.models import Attempt
from callcentre.people.models import PersonNumber
from callcentre.runtime import Runtime
from tests.journeys.ground import a_demonstration, a_list

pytestmark = pytest.mark.slow

ROWS = int(os.environ.get("EIGHT_OFFICERS_ROWS", "400"))
MONDAY_TEN = datetime(2026, 11, 23, 9, tzinfo=UTC)
RESULTS = (
    "no_answer",
    "voicemail",
    "third_party",
    "wrong_number",
    "dead_number",
    "not_now",
    "opposition",
    "busy",
)


class Ticks:
    """A clock that every look moves on, so that no two moments are the same."""

    def __init__(self, start: datetime) -> None:
        self._now, self._lock = start, Lock()

    def now(self) -> datetime:
        with self._lock:
            self._now += timedelta(milliseconds=5)
            return self._now


@dataclass(frozen=True)
class Served:
    """A claim: from when it was asked to when it was answered, and until when the person was held."""

    lease: Lease
    asked: datetime
    answered: datetime
    given_up: datetime


@dataclass
class Officer:
    """Somebody at work, with what they did."""

    id: int
    runtime: Runtime
    clock: Ticks
    random: Random
    served: list[Served] = field(default_factory=list)
    results: dict[int, str] = field(default_factory=dict)

    def round(self) -> bool:
        """Take a person and be done with them; False when there is nobody."""
        asked = self.clock.now()
        with writing(self.runtime.sessions) as session:
            desk = self.runtime.desk(session)
            lease = serving.serve_next(session, desk, officer_id=self.id, now=asked)
        answered = self.clock.now()
        if not isinstance(lease, Lease):
            return False
        given_up = self._finish(lease)
        self.served.append(Served(lease, asked, answered, given_up))
        return True

    def _finish(self, lease: Lease) -> datetime:
        """Skip, give back, or call and say the result; return the last moment at which the person was surely held."""
        chance, token = self.random.random(), lease.token
        given_up = self.clock.now()
        with writing(self.runtime.sessions) as session:
            desk = self.runtime.desk(session)
            if chance < 0.03:
                serving.release(session, token, officer_id=self.id, now=given_up)
                return given_up
            if chance < 0.06:
                tomorrow = given_up + timedelta(days=1)
                serving.skip(
                    session,
                    desk,
                    token,
                    officer_id=self.id,
                    reason_code="check_first",
                    not_before=tomorrow,
                    now=given_up,
                )
                return given_up
        return self._call(lease)

    def _call(self, lease: Lease) -> datetime:
        assert lease.number_id is not None
        try:
            with writing(self.runtime.sessions) as session:
                serving.start_attempt(
                    session,
                    self.runtime.desk(session),
                    lease.token,
                    officer_id=self.id,
                    number_id=lease.number_id,
                    now=self.clock.now(),
                )
        except NotAllowed:  # a relative was called on the same number since this person was planned
            given_up = self.clock.now()
            with writing(self.runtime.sessions) as session:
                serving.release(session, lease.token, officer_id=self.id, now=given_up)
            return given_up
        given_up, result = self.clock.now(), self.random.choice(RESULTS)
        for _ in range(2 if self.random.random() < 0.05 else 1):
            with writing(self.runtime.sessions) as session:
                done = wrap_up(
                    session,
                    self.runtime.desk(session),
                    lease.token,
                    Outcome(result, note=lease.token),
                    officer_id=self.id,
                    key=f"of-{lease.token}",
                    now=given_up,
                )
        assert done.attempt_id is not None
        self.results[done.attempt_id] = result
        return given_up


@pytest.fixture
def officers(database_url: str, tmp_path: Path) -> Iterator[list[Officer]]:
    """Eight officers before the beginning of the sample list, at ten on a Monday."""
    runtime = a_demonstration(database_url, tmp_path, a_list(ROWS), start=MONDAY_TEN)
    with reading(runtime.sessions) as session:
        ids = team.of(session).officers
    clock = Ticks(MONDAY_TEN)
    yield [Officer(number, runtime, clock, Random(number)) for number in ids]
    runtime.engine.dispose()


def test_eight_officers_who_never_wait_drain_a_list(officers: list[Officer]) -> None:
    def work(officer: Officer) -> None:
        misses = 0
        while misses < 3:
            misses = 0 if officer.round() else misses + 1

    with ThreadPoolExecutor(len(officers)) as pool:
        list(pool.map(work, officers))
    served = [one for officer in officers for one in officer.served]
    assert len({one.lease.person_id for one in served}) >= 0.9 * ROWS
    _nobody_twice(officers, served)
    _nothing_lost(officers)
    furthest, in_flight = _in_turn(officers[0].runtime, served)
    sys.stdout.write(
        f"\n{officers[0].runtime.engine.dialect.name}: {len(served)} leases of {ROWS} people, "
        f"{sum(len(officer.results) for officer in officers)} results, furthest |served - share| {furthest:.2f} "
        f"with up to {in_flight} claims in flight\n"
    )


def test_with_equal_think_times_officers_get_equal_shares(officers: list[Officer]) -> None:
    together = Barrier(len(officers))

    def work(officer: Officer) -> list[int]:
        counts = []
        try:
            for _ in range(ROWS // len(officers) // 4):
                together.wait()
                officer.round()
                counts.append(len(officer.served))
        except BaseException:
            together.abort()  # the others must not wait for somebody who failed
            raise
        return counts

    with ThreadPoolExecutor(len(officers)) as pool:
        rounds = list(zip(*pool.map(work, officers), strict=True))
    assert rounds
    assert all(max(counts) - min(counts) <= 1 for counts in rounds)


def _nobody_twice(officers: list[Officer], served: list[Served]) -> None:
    """No person and no number was held by two officers at the same moment."""
    numbers: dict[int, set[int]] = defaultdict(set)
    with reading(officers[0].runtime.sessions) as session:
        for person, number in session.execute(select(PersonNumber.person_id, PersonNumber.number_id)).all():
            numbers[person].add(number)
    held: dict[tuple[str, int], list[Served]] = defaultdict(list)
    for one in served:
        held["person", one.lease.person_id].append(one)
        for number in numbers[one.lease.person_id]:
            held["number", number].append(one)
    shared = 0
    for what, several in held.items():
        several.sort(key=lambda one: one.answered)
        shared += what[0] == "number" and len({one.lease.person_id for one in several}) > 1
        for before, after in pairwise(several):
            assert before.given_up <= after.answered, (what, before, after)
    assert shared > 10


def _nothing_lost(officers: list[Officer]) -> None:
    """Every accepted result is there once, with its officer's note, and no lease or lock is left over."""
    accepted = {attempt: result for officer in officers for attempt, result in officer.results.items()}
    with reading(officers[0].runtime.sessions) as session:
        attempts = session.scalars(select(Attempt)).all()
        endings = Counter(session.scalars(select(LeaseLog.ending)))
        assert {attempt.id: attempt.disposition for attempt in attempts} == accepted
        assert [attempt.id for attempt in attempts if attempt.note != attempt.lease_token] == []
        assert session.scalars(select(Turn.id).where(Turn.token.is_not(None))).all() == []
        assert session.scalars(select(NumberLock.number_id)).all() == []
    assert endings[LeaseEnding.CLOSED] == len(accepted) == sum(len(officer.results) for officer in officers)
    assert sum(endings.values()) == sum(len(officer.served) for officer in officers)


def _in_turn(runtime: Runtime, served: list[Served]) -> tuple[float, int]:
    """Recount, claim by claim, what each PSAD was served and what it should have been; return the furthest apart.

    Among claims under way at the same moment no order is known: each may put the figures off by one.
    """
    with reading(runtime.sessions) as session:
        weights = dict(session.execute(select(LeaseLog.token, LeaseLog.due_weights)).all())
    share: dict[int, float] = defaultdict(float)
    count: Counter[int] = Counter()
    open_claims: list[Served] = []
    furthest, most = 0.0, 0
    for one in sorted(served, key=lambda one: one.asked):
        due = {
            int(k): float(v)
            for k, v in (pair.split(":") for pair in (weights[one.lease.token] or "").split())
        }
        for territory, weight in due.items():
            share[territory] += weight / sum(due.values())
        count[one.lease.territory_id] += 1
        open_claims = [other for other in open_claims if other.answered > one.asked] + [one]
        most = max(most, len(open_claims))
        for territory, due_to_it in share.items():
            apart = abs(count[territory] - due_to_it)
            furthest = max(furthest, apart)
            assert apart <= 1 + len(open_claims) + 1e-6, (territory, apart, len(open_claims))
    return furthest, most
