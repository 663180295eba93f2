"""Kill -9 in the middle of the work: what was accepted is there once, and who was held comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Condition
from typing import Any

import pytest
from sqlalchemy import select

from callcentre.callqueue.models import LeaseEnding, LeaseLog
from callcentre.database import reading
from callcentre.desk.models import OutcomeSubmission
from callcentre.outreach.models import Attempt
from tests.contracts.processes import Officer, Plant, Process, a_plant, hire, import_sample

LEASE, SWEEP = timedelta(seconds=6), timedelta(seconds=2)
GRACE = timedelta(seconds=8)
"""What a busy machine may add to a sweep."""
OFFICERS = 4
OUTCOMES = 30
KILLED_AFTER = (6, 18)
"""Outcomes after which the process is killed and started again."""

pytestmark = pytest.mark.slow


@pytest.fixture
def plant(database_url: str, tmp_path: Path) -> Iterator[Plant]:
    settings = {
        "lease_seconds": f"{LEASE.seconds}",
        "lease_renew_seconds": "2",
        "lease_sweep_seconds": f"{SWEEP.seconds}",
        "settle_minutes": "1",
    }
    with a_plant(tmp_path, database_url, **settings) as plant:
        yield plant


class Progress:
    """Outcomes that were accepted so far, by note; told to whoever waits for more."""

    def __init__(self) -> None:
        self.accepted: dict[str, int] = {}
        self._more = Condition()

    def add(self, note: str, attempt_id: int) -> None:
        with self._more:
            self.accepted[note] = attempt_id
            self._more.notify_all()

    def wait_for(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.accepted) >= count, 240), len(self.accepted)


def work(officer: Officer, progress: Progress) -> None:
    """Call people until enough outcomes were accepted; every request is sent again until it is answered."""
    while len(progress.accepted) < OUTCOMES:
        status, served = officer.ask("POST", "/leases")
        assert status in {200, 201}, served
        if served["lease"] is None:
            return
        token = served["lease"]["token"]
        number = next((n["id"] for n in served["numbers"] if n["refused"] is None), None)
        if number is not None:
            assert officer.ask("POST", f"/leases/{token}/attempts", {"number_id": number})[0] == 201
        note = f"{officer.number}-{token}"
        body = {"disposition": "no_answer", "note": note}
        status, done = officer.ask("POST", f"/leases/{token}/outcome", body, key=note)
        assert status == 201, done
        progress.add(note, done["attempt_id"])


@pytest.mark.parametrize("killed", ["web", "worker"])
def test_every_accepted_outcome_is_there_once(plant: Plant, killed: str) -> None:
    officers, progress = hire(plant, OFFICERS), Progress()
    import_sample(plant.runtime, 60)
    plant.web.start()
    plant.worker.start()
    victim: Process = getattr(plant, killed)
    with ThreadPoolExecutor(OFFICERS) as pool:
        working = [pool.submit(work, officer, progress) for officer in officers]
        for count in KILLED_AFTER:
            progress.wait_for(count)
            victim.kill()
            victim.start()
        for one in working:
            one.result()
    with reading(plant.runtime.sessions) as session:
        attempts = session.execute(select(Attempt.id, Attempt.note, Attempt.disposition)).all()
        keys = session.scalars(select(OutcomeSubmission.idempotency_key)).all()
    assert len(progress.accepted) >= OUTCOMES
    assert {note: number for number, note, _ in attempts} == progress.accepted
    assert {said for _, _, said in attempts} == {"no_answer"}, "a call that was clicked got its result"
    assert len(attempts) == len(progress.accepted)
    assert sorted(keys) == sorted(progress.accepted)


@pytest.mark.parametrize("killed", ["web", "worker"])
def test_whoever_was_held_comes_back_or_is_to_settle(plant: Plant, killed: str) -> None:
    reader, talker, third = hire(plant, 3)
    import_sample(plant.runtime, 40)
    plant.web.start()
    plant.worker.start()
    read = _served(reader)
    called = _served(talker)
    number = next(n["id"] for n in called["numbers"] if n["refused"] is None)
    lease = f"/leases/{called['lease']['token']}"
    status, started = talker.ask("POST", f"{lease}/attempts", {"number_id": number})
    assert status == 201
    victim: Process = getattr(plant, killed)
    victim.kill()
    victim.start()

    ended = _until(plant, lambda: _ended(plant, read["lease"]["token"]), read["lease"]["expires_at"])
    assert ended <= _instant(read["lease"]["expires_at"]) + SWEEP + GRACE
    assert _why(third, read) != "leased"

    plant.later(timedelta(minutes=2))
    assert _why(third, called) == "to_settle"
    taken = {_served(third)["person"]["id"], _served(reader)["person"]["id"]}
    assert called["person"]["id"] not in taken
    status, again = talker.ask("POST", "/leases")
    assert (status, again["lease"]["attempt_id"]) == (200, started["attempt_id"])
    status, done = talker.ask("POST", f"{lease}/outcome", {"disposition": "voicemail"}, key="after-all")
    assert (status, done["attempt_id"]) == (201, started["attempt_id"])


def _served(officer: Officer) -> dict[str, Any]:
    status, served = officer.ask("POST", "/leases")
    assert status == 201, served
    return served


def _why(officer: Officer, served: dict[str, Any]) -> str:
    status, page = officer.ask("GET", f"/people/{served['person']['id']}")
    assert status == 200
    return str(page["why_not_now"]["code"])


def _ended(plant: Plant, token: str) -> datetime | None:
    """When a lease expired."""
    with reading(plant.runtime.sessions) as session:
        return session.scalar(
            select(LeaseLog.ended_at).where(LeaseLog.token == token, LeaseLog.ending == LeaseEnding.EXPIRED)
        )


def _until(plant: Plant, found: Callable[[], datetime | None], expires_at: str) -> datetime:
    """Ask until it is there; no longer than a sweep may take after the lease."""
    while plant.clock.now() <= _instant(expires_at) + SWEEP + 2 * GRACE:
        if (ended := found()) is not None:
            return ended
    raise AssertionError("the lease never came back")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
