"""Runs in a process of their own: begun, followed, stopped, interrupted, one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen

import pytest

from callcentre.errors import NotAllowed, NotFound
from callcentre.settings import Settings
from callcentre.simulation import runs
from callcentre.simulation.request import Request
from callcentre.simulation.runs import RunState, Status
from tests.simulation.ground import settings

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SMALL = Request(programme="bouches-du-rhone", people=20, days=14, seeds=1, controls=(), advice=False)
LONG = Request(programme="bouches-du-rhone", people=200, days=800, seeds=50)


@pytest.fixture
def live(tmp_path: Path) -> Settings:
    return settings(tmp_path)


@pytest.fixture
def begun(live: Settings) -> Iterator[tuple[str, Popen[bytes]]]:
    """A run that would take hours; ended at the end of the test."""
    run_id, process = runs.start(live, LONG, by="Sophie Garnier", now=NOW)
    yield run_id, process
    process.kill()
    process.wait()


def test_a_run_is_played_in_a_process_of_its_own(live: Settings) -> None:
    run_id, process = runs.start(live, SMALL, by="Sophie Garnier", now=NOW)
    assert process.wait(timeout=240) == 0
    run = runs.run(live, run_id)
    assert (run.status.state, run.by, run.request) == (RunState.DONE, "Sophie Garnier", SMALL)
    assert run.status.done == run.status.whole > 0
    assert 1 <= runs.result(live, run_id).judged.people <= 20
    assert [one.id for one in runs.runs(live)] == [run_id]
    assert not (live.data_dir / "simulations" / run_id / "work").exists()
    runs.delete(live, run_id)
    assert runs.runs(live) == []


def test_only_one_runs_at_a_time(live: Settings, begun: tuple[str, Popen[bytes]]) -> None:
    assert runs.run(live, begun[0]).is_running
    with pytest.raises(NotAllowed) as refused:
        runs.start(live, SMALL, by="", now=NOW + timedelta(minutes=1))
    assert refused.value.reason == "already_running"
    with pytest.raises(NotAllowed):
        runs.delete(live, begun[0])


def test_a_run_stops_when_it_is_told_to(live: Settings, begun: tuple[str, Popen[bytes]]) -> None:
    run_id, process = begun
    assert runs.cancel(live, run_id)
    assert process.wait(timeout=240) == 1
    assert runs.run(live, run_id).status.state is RunState.CANCELLED
    with pytest.raises(NotFound):
        runs.result(live, run_id)


def test_a_run_whose_process_was_killed_is_interrupted(
    live: Settings, begun: tuple[str, Popen[bytes]]
) -> None:
    run_id, process = begun
    work = live.data_dir / "simulations" / run_id / runs.WORK
    work.mkdir(exist_ok=True)
    (work / "simulation-0.sqlite3").touch()
    process.kill()
    process.wait()
    assert runs.run(live, run_id).status.state is RunState.INTERRUPTED
    assert not work.exists()
    assert not runs.cancel(live, run_id)
    runs.delete(live, run_id)
    assert runs.runs(live) == []


def test_a_request_that_cannot_be_played_says_why(live: Settings) -> None:
    wrong = SMALL.model_copy(update={"world": "nowhere"})
    run_id, process = runs.start(live, wrong, by="", now=NOW)
    assert process.wait(timeout=240) == 1
    status = runs.run(live, run_id).status
    assert status.state is RunState.FAILED
    assert "nowhere" in status.problem


def test_names_of_runs_are_no_way_out_of_their_folder(live: Settings) -> None:
    (live.data_dir / "request.json").write_text("{}", encoding="utf-8")
    for name in ("..", "../..", "20261123-090000/..", "", "x"):
        with pytest.raises(NotFound):
            runs.run(live, name)


def test_old_runs_make_room_and_broken_ones_are_passed_over(live: Settings) -> None:
    home = live.data_dir / runs.FOLDER
    for minute in range(runs.KEPT + 5):
        folder = home / f"20261101-10{minute:02}00"
        folder.mkdir(parents=True)
        kept = {"request": SMALL.model_dump(mode="json"), "by": ""}
        (folder / "request.json").write_text(json.dumps(kept), encoding="utf-8")
        runs.write_status(folder, Status(RunState.DONE, NOW.isoformat()))
    (home / "20261102-100000").mkdir()
    run_id, process = runs.start(live, SMALL, by="", now=NOW)
    process.wait(timeout=240)
    known = runs.runs(live)
    assert known[0].id == run_id
    assert len(known) <= runs.KEPT
