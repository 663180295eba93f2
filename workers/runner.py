"""Runs the jobs: one transaction each, timed and logged, never twice at once, in one scheduler at a time."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.orm import Session

from callcentre.audit.models import JobRun
from callcentre.clock import SystemClock
from callcentre.database import reading, writing
from callcentre.runtime import Runtime
from workers import leader
from workers.schedule import Job, Nightly

log = structlog.get_logger("workers")


class Runner:
    """Runs jobs on behalf of one scheduler process."""

    def __init__(self, runtime: Runtime, *, holder: str | None = None) -> None:
        self.runtime = runtime
        self.holder = holder or leader.this_process()
        # Short enough that another scheduler takes over within one sweep of the leases.
        self.term = timedelta(seconds=max(3, min(30, runtime.settings.lease_sweep_seconds)))
        self._running: dict[str, threading.Lock] = {}
        self._known_leader: bool | None = None

    def keep_the_lead(self) -> bool:
        """Take or renew the lead over the schedulers on this database."""
        with writing(self.runtime.sessions) as session:
            leading = leader.lead(session, self.holder, now=self.runtime.clock.now(), term=self.term)
        if leading != self._known_leader:
            log.info("this scheduler leads" if leading else "another scheduler leads", holder=self.holder)
            self._known_leader = leading
        return leading

    def resign(self) -> None:
        """Leave the lead to another scheduler."""
        with writing(self.runtime.sessions) as session:
            leader.resign(session, self.holder, now=self.runtime.clock.now())

    def run(self, job: Job) -> bool:
        """Run a job if this scheduler leads, it is due and does not run already; tell whether it ran."""
        lock = self._running.setdefault(job.not_beside or job.name, threading.Lock())
        if not lock.acquire(blocking=False):
            return False
        try:
            return self._run_alone(job)
        finally:
            lock.release()

    def _run_alone(self, job: Job) -> bool:
        now = self.runtime.clock.now()
        with reading(self.runtime.sessions) as session:
            if not leader.leads(session, self.holder, now=now):
                return False
            covers = self._date_to_cover(session, job, now)
            if isinstance(job.when, Nightly) and covers is None:
                return False
        started = time.perf_counter()
        try:
            self._do(job, now, covers)
        except Exception as error:
            self._note_failure(job, now, error)
            return True
        log.debug("job done", job=job.name, milliseconds=round((time.perf_counter() - started) * 1000))
        return True

    def _date_to_cover(self, session: Session, job: Job, now: datetime) -> date | None:
        """Return the civil day that a nightly job has not covered yet, or None."""
        if not isinstance(job.when, Nightly):
            return None
        due = job.when.date_due(now, self.runtime.programme.tz)
        row = session.get(JobRun, job.name)
        done = row.done_for_date if row else None
        return due if done is None or done < due else None

    def _do(self, job: Job, now: datetime, covers: date | None) -> None:
        if job.steps is not None:
            job.steps(self.runtime, now)
        with writing(self.runtime.sessions) as session:
            if job.work is not None:
                job.work(session, self.runtime, now)
            self._note(session, job, now, covers=covers, error=None)

    def _note(
        self, session: Session, job: Job, now: datetime, *, covers: date | None, error: str | None
    ) -> None:
        row = session.get(JobRun, job.name)
        if row is None:
            row = JobRun(name=job.name)
            session.add(row)
        row.last_started_at = now
        row.last_finished_at = self.runtime.clock.now()
        row.last_ok = error is None
        row.last_error = error
        if covers is not None:
            row.done_for_date = covers

    def _note_failure(self, job: Job, now: datetime, error: Exception) -> None:
        """Keep where and what kind, never the message: it may quote a row."""
        where = _where(error)
        log.error("job failed", job=job.name, error=where)
        with writing(self.runtime.sessions) as session:
            self._note(session, job, now, covers=None, error=where)


def _where(error: Exception) -> str:
    """Where an error arose and of what kind, each one of a group, with the notes that our own code put on it."""
    if isinstance(error, ExceptionGroup):
        return "; ".join(_where(one) for one in error.exceptions)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__} in {frame.name}, {Path(frame.filename).name}:{frame.lineno}"
    return " ".join((where, *(f"({note})" for note in getattr(error, "__notes__", ()))))


def make_scheduler(runner: Runner, jobs: Sequence[Job]) -> BackgroundScheduler:
    """Return a scheduler, not started, that renews the lead and runs the jobs, at once and then regularly.

    Its grace is unlimited: a job that comes late (a slow machine, a laptop that slept) runs late, once.
    """
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(max_workers=len(jobs) + 1)},
        # Two of a job: one that runs, and the next look at it, which finds it running and leaves at once.
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 2},
    )
    _add(scheduler, runner.keep_the_lead, "keep-the-lead", runner.term / 3)
    for job in jobs:
        _add(scheduler, partial(runner.run, job), job.name, job.look_interval)
    return scheduler


def _add(scheduler: BackgroundScheduler, call: Callable[[], bool], name: str, interval: timedelta) -> None:
    # The scheduler waits on the machine's clock, whatever the clock of the operation shows.
    trigger = IntervalTrigger(seconds=interval.total_seconds(), timezone=UTC)
    scheduler.add_job(call, trigger, id=name, name=name, next_run_time=SystemClock().now())
