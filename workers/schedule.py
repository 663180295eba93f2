"""The background jobs as data: name, when, and the function that does the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from callcentre.runtime import Runtime
from callcentre.settings import Settings
from workers import jobs

NIGHTLY_LOOK = timedelta(minutes=1)
"""How often a nightly job is asked whether its date has come: a demonstration has a clock of its own."""


@dataclass(frozen=True)
class Every:
    """Again and again, this long after the start of the last run."""

    interval: timedelta


@dataclass(frozen=True)
class Nightly:
    """Once for each civil day of the programme's zone, after this local hour; caught up at the next start."""

    at: time

    def date_due(self, now: datetime, zone: ZoneInfo) -> date:
        """Return the newest civil day whose hour has come."""
        local = now.astimezone(zone)
        today = local.date()
        return today if local.time() >= self.at else today - timedelta(days=1)


@dataclass(frozen=True)
class Job:
    """One job; `work` runs in one transaction, `steps` (instead) opens its own, one for each step."""

    name: str
    when: Every | Nightly
    work: Callable[[Session, Runtime, datetime], object] | None = None
    steps: Callable[[Runtime, datetime], object] | None = None
    not_beside: str = ""
    """A job that never runs at the same time; this one then waits for its next turn."""

    def __post_init__(self) -> None:
        if (self.work is None) == (self.steps is None):
            raise ValueError(f"the job {self.name} needs either work or steps")

    @property
    def look_interval(self) -> timedelta:
        """How often the scheduler wakes this job."""
        return self.when.interval if isinstance(self.when, Every) else NIGHTLY_LOOK


def job_table(settings: Settings) -> tuple[Job, ...]:
    """Return every job of the operation, in the order in which they are first run."""
    minute = timedelta(minutes=1)
    return (
        Job(
            "reclaim-leases", Every(timedelta(seconds=settings.lease_sweep_seconds)), work=jobs.reclaim_leases
        ),
        Job("plan-block", Every(minute), work=jobs.plan_block),
        Job("mark-missed-callbacks", Every(minute), work=jobs.mark_missed_callbacks),
        Job("plan-messages", Every(minute), work=jobs.plan_messages),
        Job("send-messages", Every(jobs.SEND_EVERY), steps=jobs.send_messages),
        Job("reconcile-messages", Every(10 * minute), steps=jobs.reconcile_messages),
        Job("reconcile-calls", Every(minute), steps=jobs.reconcile_open_calls),
        Job("forget-events", Nightly(time(3)), work=jobs.forget_events),
        Job("resume-imports", Every(minute), steps=jobs.resume_imports),
        Job("copy-log", Every(minute), steps=jobs.copy_log_back),
        Job("advance-routes", Every(10 * minute), steps=jobs.advance_routes),
        Job("learn-hours", Nightly(time(2, 30)), steps=jobs.learn_hours),
        Job("follow-version", Every(minute), steps=jobs.follow_version, not_beside="learn-hours"),
        Job("watch-folder", Every(minute), steps=jobs.watch_folder),
        Job("forget-lists", Nightly(time(3)), work=jobs.forget_lists),
        Job("purge-quarantine", Nightly(time(3)), work=jobs.purge_quarantine),
        Job("forget-submissions", Nightly(time(3)), work=jobs.forget_submissions),
        Job("forget-audit", Nightly(time(3)), work=jobs.forget_audit),
    )
