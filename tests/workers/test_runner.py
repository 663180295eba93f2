"""A job runs in one transaction, by the leader only, never twice at once; a missed night is caught up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.audit.models import AuditEvent, JobRun
from callcentre.clock import ManualClock
from callcentre.database import reading
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import load_settings
from workers.runner import Runner, make_scheduler
from workers.schedule import Every, Job, Nightly, job_table

MONDAY_NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
"""Noon in Paris."""
OFTEN = Every(timedelta(seconds=10))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MONDAY_NOON)


@pytest.fixture
def runtime(database_url: str, clock: ManualClock) -> Iterator[Runtime]:
    settings = load_settings({"CALLCENTRE_DATABASE_URL": database_url, "CALLCENTRE_SECRET_KEY": "for a test"})
    runtime = build_runtime(settings, clock=clock)
    yield runtime
    runtime.engine.dispose()


@pytest.fixture
def runner(runtime: Runtime) -> Runner:
    runner = Runner(runtime, holder="north:1:a")
    runner.keep_the_lead()
    return runner


def leave_a_trace(session: Session, _runtime: Runtime, now: datetime) -> None:
    session.add(AuditEvent(at=now, action="job-ran", subject="job"))


def break_down(session: Session, runtime: Runtime, now: datetime) -> None:
    leave_a_trace(session, runtime, now)
    session.flush()
    raise ValueError("Amina Benali, 06 39 98 00 01")


def traces(runtime: Runtime) -> list[datetime]:
    with reading(runtime.sessions) as session:
        return list(session.scalars(select(AuditEvent.at).order_by(AuditEvent.id)))


def record(runtime: Runtime, name: str) -> JobRun | None:
    with reading(runtime.sessions) as session:
        run = session.get(JobRun, name)
        if run is not None:
            session.expunge(run)
        return run


def test_a_job_commits_its_work_and_its_record_together(runtime: Runtime, runner: Runner) -> None:
    assert runner.run(Job("trace", OFTEN, work=leave_a_trace))
    assert traces(runtime) == [MONDAY_NOON]
    run = record(runtime, "trace")
    assert run is not None
    assert (run.last_started_at, run.last_ok, run.last_error) == (MONDAY_NOON, True, None)


def test_a_job_that_fails_leaves_nothing_but_a_record_without_personal_data(
    runtime: Runtime, runner: Runner
) -> None:
    runner.run(Job("broken", OFTEN, work=break_down))
    assert traces(runtime) == []
    run = record(runtime, "broken")
    assert run is not None
    assert run.last_ok is False
    assert run.last_error is not None
    assert "ValueError in break_down" in run.last_error
    assert "Amina" not in run.last_error
    assert "06 39" not in run.last_error


def test_a_job_that_failed_in_several_ways_tells_each_and_of_what(runtime: Runtime, runner: Runner) -> None:
    def fail_twice(runtime: Runtime, now: datetime) -> None:
        failures: list[Exception] = []
        for one in ("nord", "sud"):
            try:
                raise ValueError("Amina Benali")
            except ValueError as failure:
                failure.add_note(one)
                failures.append(failure)
        raise ExceptionGroup("some failed", failures)

    runner.run(Job("broken", OFTEN, steps=fail_twice))
    run = record(runtime, "broken")
    assert run is not None
    assert run.last_error is not None
    assert [part.rpartition(" ")[2] for part in run.last_error.split("; ")] == ["(nord)", "(sud)"]
    assert run.last_error.count("ValueError in fail_twice") == 2
    assert "Amina" not in run.last_error


def test_a_job_that_failed_runs_again_and_clears_its_error(runtime: Runtime, runner: Runner) -> None:
    runner.run(Job("job", OFTEN, work=break_down))
    runner.run(Job("job", OFTEN, work=leave_a_trace))
    run = record(runtime, "job")
    assert run is not None
    assert (run.last_ok, run.last_error) == (True, None)


def test_a_job_that_is_not_to_run_beside_another_waits_for_its_next_turn(
    runtime: Runtime, runner: Runner
) -> None:
    follows = Job("follows", OFTEN, work=leave_a_trace, not_beside="night")
    tried = []
    assert runner.run(Job("night", OFTEN, steps=lambda _runtime, _now: tried.append(runner.run(follows))))
    assert (tried, traces(runtime)) == ([False], [])
    assert runner.run(follows)
    assert traces(runtime) == [MONDAY_NOON]


def test_a_scheduler_that_does_not_lead_runs_nothing(runtime: Runtime, runner: Runner) -> None:
    other = Runner(runtime, holder="south:1:b")
    assert not other.keep_the_lead()
    assert not other.run(Job("trace", OFTEN, work=leave_a_trace))
    assert traces(runtime) == []


def test_a_scheduler_whose_term_has_passed_stops_until_it_leads_again(
    runtime: Runtime, runner: Runner, clock: ManualClock
) -> None:
    clock.advance(runner.term)
    job = Job("trace", OFTEN, work=leave_a_trace)
    assert not runner.run(job)
    assert runner.keep_the_lead()
    assert runner.run(job)


def test_a_job_does_not_overlap_itself(runtime: Runtime, runner: Runner) -> None:
    began, may_end = threading.Event(), threading.Event()

    def take_long(_runtime: Runtime, _now: datetime) -> None:
        began.set()
        assert may_end.wait(20)

    job = Job("long", OFTEN, steps=take_long)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(runner.run, job)
        assert began.wait(20)
        assert not runner.run(job)
        may_end.set()
        assert first.result()


def test_a_nightly_job_is_caught_up_at_start_once_and_recorded_for_its_date(
    runtime: Runtime, runner: Runner, clock: ManualClock
) -> None:
    job = Job("nightly", Nightly(time(3)), work=leave_a_trace)
    assert runner.run(job)
    assert not runner.run(job)
    run = record(runtime, "nightly")
    assert run is not None
    assert run.done_for_date == date(2026, 11, 23)
    clock.advance(timedelta(days=3))
    runner.keep_the_lead()
    assert runner.run(job)
    assert not runner.run(job)
    assert len(traces(runtime)) == 2


def test_a_nightly_job_waits_for_its_local_hour(runtime: Runtime, runner: Runner, clock: ManualClock) -> None:
    job = Job("nightly", Nightly(time(3)), work=leave_a_trace)
    runner.run(job)
    for utc_hour, runs in ((1, False), (2, True)):  # 2 h and 3 h in Paris
        clock.move_to(datetime(2026, 11, 24, utc_hour, 0, tzinfo=UTC))
        runner.keep_the_lead()
        assert runner.run(job) is runs


def test_a_nightly_job_that_fails_is_tried_again_for_the_same_date(runtime: Runtime, runner: Runner) -> None:
    runner.run(Job("nightly", Nightly(time(3)), work=break_down))
    assert runner.run(Job("nightly", Nightly(time(3)), work=leave_a_trace))
    assert len(traces(runtime)) == 1


def test_the_scheduler_runs_late_jobs_once_and_looks_at_each_in_time(
    runtime: Runtime, runner: Runner
) -> None:
    jobs = job_table(runtime.settings)
    scheduler = make_scheduler(runner, jobs)
    scheduler.start(paused=True)
    try:
        waiting = {job.id: job for job in scheduler.get_jobs()}
        assert set(waiting) == {"keep-the-lead", *(job.name for job in jobs)}
        assert {(job.misfire_grace_time, job.coalesce) for job in waiting.values()} == {(None, True)}
        assert waiting["keep-the-lead"].trigger.interval < runner.term / 2
    finally:
        scheduler.shutdown()


def test_a_job_needs_either_work_or_steps() -> None:
    with pytest.raises(ValueError, match="either work or steps"):
        Job("empty", OFTEN)
