"""One scheduler at a time leads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from callcentre.database import make_engine, make_session_factory, reading, writing
from workers import leader

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TERM = timedelta(seconds=30)


class Schedulers:
    """Schedulers of other machines on one database."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self.sessions = make_session_factory(self.engine)

    def lead(self, holder: str, now: datetime) -> bool:
        with writing(self.sessions) as session:
            return leader.lead(session, holder, now=now, term=TERM)

    def leads(self, holder: str, now: datetime) -> bool:
        with reading(self.sessions) as session:
            return leader.leads(session, holder, now=now)

    def resign(self, holder: str, now: datetime) -> None:
        with writing(self.sessions) as session:
            leader.resign(session, holder, now=now)


@pytest.fixture
def schedulers(database_url: str) -> Iterator[Schedulers]:
    schedulers = Schedulers(database_url)
    yield schedulers
    schedulers.engine.dispose()


def test_the_first_scheduler_leads_and_a_second_waits(schedulers: Schedulers) -> None:
    assert schedulers.lead("north:1:a", NOON)
    assert not schedulers.lead("south:1:b", NOON + TERM / 2)
    assert schedulers.leads("north:1:a", NOON + TERM / 2)
    assert not schedulers.leads("south:1:b", NOON + TERM / 2)


def test_the_leader_renews_its_term(schedulers: Schedulers) -> None:
    schedulers.lead("north:1:a", NOON)
    assert schedulers.lead("north:1:a", NOON + TERM / 2)
    assert not schedulers.lead("south:1:b", NOON + TERM)
    assert schedulers.leads("north:1:a", NOON + TERM)


def test_another_scheduler_takes_over_when_the_term_has_passed(schedulers: Schedulers) -> None:
    schedulers.lead("north:1:a", NOON)
    later = NOON + TERM
    assert not schedulers.leads("north:1:a", later)
    assert schedulers.lead("south:1:b", later)
    assert not schedulers.lead("north:1:a", later)


def test_a_scheduler_that_resigns_leaves_the_lead_at_once(schedulers: Schedulers) -> None:
    schedulers.lead("north:1:a", NOON)
    schedulers.resign("south:1:b", NOON)
    assert not schedulers.lead("south:1:b", NOON)
    schedulers.resign("north:1:a", NOON)
    assert schedulers.lead("south:1:b", NOON)


def test_a_killed_process_of_this_machine_does_not_keep_the_lead(schedulers: Schedulers) -> None:
    name = "from workers.leader import this_process; print(this_process())"
    gone = subprocess.run([sys.executable, "-c", name], capture_output=True, text=True, check=True)
    schedulers.lead(gone.stdout.strip(), NOON)
    assert schedulers.lead(leader.this_process(), NOON)


def test_a_living_process_of_this_machine_keeps_the_lead(schedulers: Schedulers) -> None:
    schedulers.lead(leader.this_process(), NOON)
    assert not schedulers.lead(leader.this_process(), NOON)


def test_a_clock_that_was_set_back_does_not_lock_the_lead(schedulers: Schedulers) -> None:
    schedulers.lead("north:1:a", NOON + timedelta(days=2))
    assert schedulers.lead("south:1:b", NOON)


def test_of_schedulers_that_start_together_exactly_one_leads(schedulers: Schedulers) -> None:
    holders = [f"machine-{number}:1:x" for number in range(8)]
    with ThreadPoolExecutor(len(holders)) as pool:
        answers = list(pool.map(lambda holder: schedulers.lead(holder, NOON), holders))
    assert answers.count(True) == 1
