"""A list file arrives, is queued, called by eight officers for a day, followed up, and shows in the funnel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.clock import ManualClock
from callcentre.database import reading, writing
from callcentre.demo import team
from callcentre.desk import serving
from callcentre.desk.outcomes import AppointmentAsked, Outcome
from callcentre.desk.wrap_up import wrap_up
from callcentre.funnel.stages import Stage
from callcentre.outreach.models import Attempt
from callcentre.planning.blocks import plan_current_block
from callcentre.runtime import Runtime
from callcentre.supervision.reports import funnel_report
from callcentre.support import appointments, solutions
from callcentre.support.kinds import AppointmentState, Evidence, SolutionKind
from callcentre.support.models import Appointment
from tests.journeys.ground import a_demonstration, a_list, import_list

MONDAY_TEN = datetime(2026, 11, 23, 9, tzinfo=UTC)
PEOPLE = 48
DAY = ("no_answer", "appointment", "voicemail", "has_solution", "call_back", "opposition")
"""What becomes of the calls, one after the other."""


@pytest.fixture
def runtime(database_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = a_demonstration(database_url, tmp_path, a_list(PEOPLE), start=MONDAY_TEN)
    yield runtime
    runtime.engine.dispose()


def outcome(disposition: str, now: datetime) -> Outcome:
    tomorrow = now.replace(hour=14, minute=0) + timedelta(days=1)
    match disposition:
        case "appointment":
            return Outcome(disposition, appointment=AppointmentAsked("Mission locale (fictive)", tomorrow))
        case "call_back":
            return Outcome(disposition, callback_at=tomorrow)
        case _:
            return Outcome(disposition)


def call_until_nobody_is_left(runtime: Runtime, clock: ManualClock) -> Counter[int]:
    """Let the officers take turns until each of them is told that nobody is due; calls by officer."""
    with reading(runtime.sessions) as session:
        officers = team.of(session).officers
    calls: Counter[int] = Counter()
    waiting = list(officers)
    while waiting:
        officer_id = waiting.pop(0)
        now = clock.advance(timedelta(seconds=20))
        with writing(runtime.sessions) as session:
            desk = runtime.desk(session)
            lease = serving.serve_next(session, desk, officer_id=officer_id, now=now)
        if not isinstance(lease, Lease):
            continue
        waiting.append(officer_id)
        assert lease.number_id is not None
        with writing(runtime.sessions) as session:
            serving.start_attempt(
                session, desk, lease.token, officer_id=officer_id, number_id=lease.number_id, now=now
            )
        result = outcome(DAY[sum(calls.values()) % len(DAY)], now)
        with writing(runtime.sessions) as session:
            wrap_up(session, desk, lease.token, result, officer_id=officer_id, key=lease.token, now=now)
        calls[officer_id] += 1
    return calls


def test_from_list_file_to_funnel(runtime: Runtime) -> None:
    assert isinstance(runtime.clock, ManualClock)
    clock = runtime.clock
    with writing(runtime.sessions) as session:
        plan_current_block(session, runtime.programmes.values(), clock.now())

    calls = call_until_nobody_is_left(runtime, clock)

    assert max(calls.values()) - min(calls.values()) <= 1
    _follow_up(runtime, MONDAY_TEN + timedelta(days=2), by=min(calls))
    now = MONDAY_TEN + timedelta(days=3)
    with reading(runtime.sessions) as session:
        report = funnel_report(session, runtime.programme, now=now)
        results = Counter(session.scalars(select(Attempt.disposition)))
        open_now = len(
            session.scalars(select(QueueEntry.id).where(QueueEntry.state == EntryState.OPEN)).all()
        )
    assert sum(results.values()) == sum(calls.values()) > PEOPLE * 0.8
    contacts = sum(results[code] for code in ("appointment", "has_solution", "call_back", "opposition"))
    assert report.figures(Stage.TO_CONTACT).count == PEOPLE
    assert report.figures(Stage.CONTACTED).count == contacts
    assert report.figures(Stage.ACCOMPANIED).count == results["appointment"]
    assert report.figures(Stage.POSITIVE_EXIT).count == 1
    assert report.side[Stage.ALREADY_IN_SOLUTION] == results["has_solution"]
    ended = results["appointment"] + results["has_solution"] + results["opposition"]
    assert open_now <= PEOPLE - ended


def test_the_same_list_again_changes_nothing_of_what_was_reached(runtime: Runtime) -> None:
    assert isinstance(runtime.clock, ManualClock)
    call_until_nobody_is_left(runtime, runtime.clock)
    now = runtime.clock.now()
    with reading(runtime.sessions) as session:
        before = funnel_report(session, runtime.programme, now=now)
    import_list(runtime, a_list(PEOPLE), list_date=MONDAY_TEN.date(), now=now)
    with reading(runtime.sessions) as session:
        assert funnel_report(session, runtime.programme, now=now) == before


def _follow_up(runtime: Runtime, now: datetime, *, by: int) -> None:
    """Everybody comes to their appointment; the first finds a job."""
    with reading(runtime.sessions) as session:
        made = session.execute(
            select(Appointment.id, Appointment.person_id).where(Appointment.state == AppointmentState.PLANNED)
        ).all()
    for appointment_id, _ in made:
        with writing(runtime.sessions) as session:
            appointments.keep(session, appointment_id, by=by, now=now)
    with writing(runtime.sessions) as session:
        solutions.record(
            session,
            programme_id=runtime.desk(session).programme_id,
            person_id=made[0].person_id,
            kind=SolutionKind.JOB,
            started_on=now.date(),
            evidence=Evidence.CONFIRMED,
            by=by,
            now=now,
            zone=runtime.programme.tz,
        )
