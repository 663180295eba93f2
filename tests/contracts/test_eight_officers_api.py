"""Eight officers at once, over HTTP, against the real server: nobody twice, nothing lost, everybody in turn.

EIGHT_OFFICERS_ROWS plays more of the sample list than the default (3274 is the whole of it).
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from callcentre.callqueue import balance
from callcentre.callqueue.models import Lane, LeaseLog, NumberLock, Turn
from callcentre.clock import Clock
from callcentre.database import reading
from callcentre.outreach.models import Attempt
from callcentre.runtime import Runtime
from tests.contracts.processes import Officer, a_plant, hire, import_sample

ROWS = int(os.environ.get("EIGHT_OFFICERS_ROWS", "450"))
OFFICERS = 8
DISPOSITIONS = (
    *("no_answer", "no_answer", "no_answer", "voicemail", "voicemail", "third_party", "wrong_number"),
    *("dead_number", "not_now", "has_solution", "opposition", "call_back"),
)
TOMORROW = "2026-11-24T16:00:00+01:00"


@dataclass(frozen=True)
class Held:
    """A stretch during which an officer surely had a person: from the answer that gave them to what ended it."""

    start: datetime
    end: datetime
    officer: int
    person: int
    numbers: tuple[int, ...]


@dataclass
class Day:
    """What one officer did, as their own program saw it."""

    officer: Officer
    clock: Clock
    random: random.Random
    held: list[Held] = field(default_factory=list)
    answered: dict[str, datetime] = field(default_factory=dict)
    """When each lease was received, by token."""
    outcomes: dict[int, str] = field(default_factory=dict)
    """The disposition that was accepted for each attempt."""

    def round(self) -> bool:
        """Take a person, call, say what came of it; False when nobody is due."""
        status, served = self.officer.ask("POST", "/leases")
        start = self.clock.now()
        assert status in {200, 201}, served
        if served["lease"] is None:
            return False
        self.answered[served["lease"]["token"]] = start
        self._work(served, f"/leases/{served['lease']['token']}")
        numbers = tuple(number["id"] for number in served["numbers"])
        self.held.append(Held(start, self._ended, self.officer.number, served["person"]["id"], numbers))
        return True

    def _work(self, served: dict[str, Any], lease: str) -> None:
        chance = self.random.random()
        if chance < 0.04:
            self._end()
            assert self.officer.ask("POST", f"{lease}/skip", {"reason": "check_first"})[0] == 204
            return
        if chance < 0.08:
            self._end()
            assert self.officer.ask("DELETE", lease)[0] == 204
            return
        callable_now = [number["id"] for number in served["numbers"] if number["refused"] is None]
        if chance < 0.6 and callable_now:
            status, started = self.officer.ask("POST", f"{lease}/attempts", {"number_id": callable_now[0]})
            assert status == 201, started
        self._say(served, lease)

    def _say(self, served: dict[str, Any], lease: str) -> None:
        disposition = self.random.choice(DISPOSITIONS)
        body: dict[str, Any] = {"disposition": disposition, "note": served["lease"]["token"]}
        if disposition == "call_back":
            body["callback_at"] = TOMORROW
        self._end()
        key = f"of-{served['lease']['token']}"
        status, done = self.officer.ask("POST", f"{lease}/outcome", body, key)
        assert status == 201, done
        assert done["attempt_id"] not in self.outcomes
        self.outcomes[done["attempt_id"]] = disposition
        if self.random.random() < 0.05:  # a program that did not hear the answer sends it again
            assert self.officer.ask("POST", f"{lease}/outcome", body, key) == (201, done)

    def _end(self) -> None:
        self._ended = self.clock.now()

    @property
    def count(self) -> int:
        """People served so far."""
        return len(self.held)


@pytest.mark.slow
def test_eight_officers_share_a_list(database_url: str, tmp_path: Path) -> None:
    with a_plant(tmp_path, database_url) as plant:
        officers = hire(plant, OFFICERS)
        created = import_sample(plant.runtime, ROWS)
        plant.web.start()
        plant.worker.start()
        days = [Day(officer, plant.clock, random.Random(officer.number)) for officer in officers]
        with ThreadPoolExecutor(OFFICERS) as pool:
            while all(list(pool.map(Day.round, days))):
                counts = [day.count for day in days]
                assert max(counts) - min(counts) <= 1
            while any(list(pool.map(Day.round, days))):
                pass
        assert "rror" not in plant.web.said(), plant.web.said()[-3000:]
        assert "job failed" not in plant.worker.said(), plant.worker.said()[-3000:]
        held = [stretch for day in days for stretch in day.held]
        assert len({stretch.person for stretch in held}) == len(_called(plant.runtime))
        assert len({stretch.person for stretch in held}) >= 0.9 * created
        _nobody_twice(held)
        _nothing_lost(plant.runtime, days)
        furthest = _in_turn(plant.runtime, {token: at for day in days for token, at in day.answered.items()})
        report = (
            f"{plant.runtime.engine.dialect.name}: {len(held)} leases of {created} people, "
            f"{sum(len(day.outcomes) for day in days)} outcomes, by officer {[day.count for day in days]}, "
            f"furthest |served - share| {furthest:.2f}, asked to come again {sum(o.waited for o in officers)}"
        )
        sys.stdout.write(f"\n{report}\n")


def _called(runtime: Runtime) -> set[int]:
    with reading(runtime.sessions) as session:
        return set(session.scalars(select(LeaseLog.person_id)))


def _nobody_twice(held: Iterable[Held]) -> None:
    """No person and no number is held by two officers at the same moment."""
    until: dict[tuple[str, int], Held] = {}
    for stretch in sorted(held, key=lambda one: one.start):
        for what in (("person", stretch.person), *(("number", number) for number in stretch.numbers)):
            before = until.get(what)
            assert before is None or before.end <= stretch.start, (what, before, stretch)
            until[what] = stretch


def _nothing_lost(runtime: Runtime, days: Iterable[Day]) -> None:
    """Every accepted outcome is there once, with its officer's note; nothing else is; nothing stays locked."""
    accepted = {attempt: said for day in days for attempt, said in day.outcomes.items()}
    with reading(runtime.sessions) as session:
        rows = session.scalars(select(Attempt)).all()
        assert {row.id: row.disposition for row in rows} == accepted
        assert Counter(row.note for row in rows).most_common(1)[0][1] == 1
        assert [row.id for row in rows if row.note != row.lease_token] == []
        assert session.scalars(select(Turn.id).where(Turn.token.is_not(None))).all() == []
        assert session.scalars(select(NumberLock.number_id)).all() == []
    assert sum(len(day.outcomes) for day in days) == len(accepted)


def _in_turn(runtime: Runtime, answered: dict[str, datetime]) -> float:
    """Recount served and share of every territory, claim by claim; return the furthest from each other.

    A claim is in flight from its arrival until its answer was received; among those, no order is known. While every
    territory has somebody to call, one plus the claims in flight at that very moment is the bound. As they run dry a
    claim may find its territory emptied by another one in flight, and nobody is left to make up for it: then the
    bound is one plus the most claims that were in flight at once.
    """
    with reading(runtime.sessions) as session:
        claims = session.execute(
            select(LeaseLog.granted_at, LeaseLog.token, LeaseLog.territory_id, LeaseLog.due_weights)
            .where(LeaseLog.lane == int(Lane.ORDINARY))
            .order_by(LeaseLog.granted_at, LeaseLog.id)
        ).all()
    served: Counter[int] = Counter()
    shares: dict[int, float] = defaultdict(float)
    open_until: list[datetime] = []
    furthest, most = 0.0, 0
    everywhere = max(len(balance.read(claim.due_weights or "")) for claim in claims)
    for granted_at, token, territory, due_weights in claims:
        served[territory] += 1
        balance.add_shares(shares, [due_weights or f"{territory}:1"])
        open_until = [*(end for end in open_until if end >= granted_at), answered[token]]
        most = max(most, len(open_until))
        in_flight = len(open_until) if len(balance.read(due_weights or "")) == everywhere else most
        apart = max(abs(served[place] - shares[place]) for place in shares.keys() | served.keys())
        furthest = max(furthest, apart)
        assert apart <= 1 + in_flight + balance.ROUNDING, (granted_at, apart, in_flight)
    assert most <= OFFICERS
    return furthest
