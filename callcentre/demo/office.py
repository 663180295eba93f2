"""The rest of the demonstration's office: the worker's jobs, the supervisor's rounds, what follows a contact."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.callqueue.lease import reclaim_expired
from callcentre.callqueue.models import EntryState, QueueEntry, Turn
from callcentre.demo.conversations import PARTNERS
from callcentre.demo.stage import Actor, Stage
from callcentre.desk import corrections, settling
from callcentre.desk.kinds import DecisionKind
from callcentre.desk.models import Decision, OutcomeConflict
from callcentre.desk.outcomes import Outcome
from callcentre.desk.undo import undo_for_reason
from callcentre.errors import NotAllowed
from callcentre.funnel.models import StageChange
from callcentre.funnel.queries import in_force
from callcentre.funnel.stages import ALREADY
from callcentre.funnel.stages import Stage as FunnelStage
from callcentre.outreach.callbacks import mark_missed
from callcentre.outreach.models import Attempt
from callcentre.people.kinds import NumberOwner
from callcentre.people.models import OptOut
from callcentre.planning.blocks import plan_current_block
from callcentre.support import appointments, solutions
from callcentre.support.kinds import AppointmentState, Evidence, SolutionKind
from callcentre.support.models import Appointment, Solution

ROUND = timedelta(minutes=30)
"""How often the worker's jobs run on the virtual clock (each minute in real life)."""
JOINS_SUPPORT = 0.2
"""Part of the contacted who enter support without an appointment of ours, within three weeks."""
BECOMES_EXIT = 0.55
"""Part of the accompanied who find a solution, from one to six weeks later."""
COMES_BACK = 0.4
"""Part of the missed appointments after which the supervisor puts the person back into the queue."""
DECIDES_WITHIN_DAYS = 40
"""A guardian's refusal waits for the supervisor for up to so many days: some are waiting at any time."""
LATE_UNDO = 0.1
"""Part of the results that ended the calls which the supervisor takes back the day after, on an officer's word."""
DETAILS_FOUND = 0.05
"""Odds, each day, that a school gives a number for somebody who has none left."""


def worker(stage: Stage, day: date) -> Actor:
    """Run the worker's jobs through a day, and at the start of each block."""
    blocks = stage.blocks(day)
    if not blocks:
        return
    missed_after = timedelta(minutes=stage.desk.programme.limits.promise_missed_minutes)
    end = blocks[-1].end + missed_after + ROUND
    rounds = (end - blocks[0].start) // ROUND
    starts = {block.start for block in blocks}
    instants = starts | {blocks[0].start + n * ROUND for n in range(rounds + 1)}
    for instant in sorted(instants):
        if instant < stage.now:
            continue
        yield instant
        with stage.writing() as session:
            reclaim_expired(session, now=stage.now)
        if instant in starts or _hour_has_come(stage):
            with stage.writing() as session:
                plan_current_block(session, [stage.desk.programme], stage.now)
        with stage.writing() as session:
            mark_missed(session, [stage.desk.programme], now=stage.now)


def _hour_has_come(stage: Stage) -> bool:
    """Tell whether somebody's hour began since the last round, so that there is something to plan."""
    with stage.reading() as session:
        return (
            session.scalar(
                select(QueueEntry.id)
                .where(
                    QueueEntry.programme_id == stage.desk.programme_id,
                    QueueEntry.state == EntryState.OPEN,
                    QueueEntry.preferred_at > stage.now - ROUND,
                    QueueEntry.preferred_at <= stage.now,
                    QueueEntry.id.not_in(select(Turn.entry_id)),
                )
                .limit(1)
            )
            is not None
        )


def supervisor(stage: Stage, day: date) -> Actor:
    """Make the supervisor's rounds: settle calls left open, bring back those for whom details were found."""
    for hour in (11, 15, 18):
        at = datetime.combine(day, time(hour, 7), stage.desk.programme.tz)
        if at < stage.now:
            continue
        yield at
        _settle_open_calls(stage)
        if hour == 11:
            _decide(stage)
            _undo_late(stage)
        if hour == 15:
            _find_details(stage, day)


def paperwork(stage: Stage, day: date) -> Actor:
    """Note, each morning, what became of appointments, of support and of solutions."""
    at = datetime.combine(day, time(9, 20), stage.desk.programme.tz)
    if at < stage.now:
        return
    yield at
    _settle_appointments(stage)
    _start_support(stage, day)
    _record_solutions(stage, day)
    _strengthen_evidence(stage, day)


# ---- the supervisor


def _settle_open_calls(stage: Stage) -> None:
    silent_since = stage.now - stage.desk.settle_after
    with stage.reading() as session:
        people = session.scalars(
            select(Turn.person_id)
            .where(Turn.attempt_id.is_not(None), Turn.renewed_at <= silent_since)
            .order_by(Turn.id)
        ).all()
    for person_id in people:
        entry = stage.code_book.unanswered(stage.random("settle", person_id, stage.now))
        outcome = Outcome(entry.code, note="Appel resté ouvert, réglé après coup.")
        with stage.writing() as session:
            settling.settle_attempt(
                session, stage.desk, person_id, outcome, by=stage.team.supervisor, now=stage.now
            )


def _decide(stage: Stage) -> None:
    """Answer the guardians' refusals and read the late results that have waited for a day."""
    before = stage.now - timedelta(hours=20)
    with stage.reading() as session:
        waiting = session.execute(
            select(OptOut.id, OptOut.at)
            .outerjoin(Decision, Decision.opt_out_id == OptOut.id)
            .where(OptOut.source == "guardian", OptOut.at < before, Decision.id.is_(None))
            .order_by(OptOut.id)
        ).all()
        late = session.scalars(
            select(OutcomeConflict.id)
            .where(OutcomeConflict.settled_at.is_(None), OutcomeConflict.at < before)
            .order_by(OutcomeConflict.id)
        ).all()
    by = stage.team.supervisor
    for number, refused_at in waiting:
        random = stage.random("refusal", number)
        if refused_at + timedelta(days=random.uniform(1, DECIDES_WITHIN_DAYS)) > stage.now:
            continue
        goes_on = random.random() < 0.8
        choice = DecisionKind.REFUSAL_GOES_ON if goes_on else DecisionKind.REFUSAL_STOPS
        reason = "" if goes_on else "La famille s'occupe elle-même de la suite."
        with suppress(NotAllowed), stage.writing() as session:
            settling.decide_refusal(session, stage.desk, number, choice, reason=reason, by=by, now=stage.now)
    for number in late:
        with stage.writing() as session:
            settling.settle_conflict(session, stage.desk, number, by=by, now=stage.now)


def _undo_late(stage: Stage) -> None:
    """Take back a few results of the day before that closed somebody's place by a mistaken key."""
    with stage.reading() as session:
        closed = session.scalars(
            select(Attempt.id)
            .join(QueueEntry, QueueEntry.id == Attempt.entry_id)
            .where(
                QueueEntry.state == EntryState.CLOSED,
                QueueEntry.closed_at == Attempt.ended_at,
                QueueEntry.closed_reason.in_(("has_solution", "out_of_scope", "supported_elsewhere")),
                Attempt.ended_at > stage.now - timedelta(days=1),
                Attempt.corrected_at.is_(None),
            )
            .order_by(Attempt.id)
        ).all()
    for attempt_id in closed:
        if stage.random("late undo", attempt_id).random() >= LATE_UNDO:
            continue
        with suppress(NotAllowed), stage.writing() as session:
            undo_for_reason(
                session,
                stage.desk,
                attempt_id,
                reason="Mauvaise touche, signalée par son auteur.",
                by=stage.team.supervisor,
                now=stage.now,
            )


def _find_details(stage: Stage, day: date) -> None:
    with stage.reading() as session:
        lost = session.scalars(
            select(QueueEntry.person_id)
            .where(
                QueueEntry.programme_id == stage.desk.programme_id,
                QueueEntry.state == EntryState.CLOSED,
                QueueEntry.closed_reason == "details_to_find",
            )
            .order_by(QueueEntry.id)
        ).all()
    for person_id in lost:
        random = stage.random("details", person_id, day)
        if random.random() < DETAILS_FOUND:
            with stage.writing() as session:
                corrections.add_number(
                    session,
                    stage.desk,
                    person_id,
                    stage.new_number(random),
                    NumberOwner.YOUNG_PERSON,
                    by=stage.team.supervisor,
                    now=stage.now,
                )


def _reopen(session: Session, stage: Stage, entry_id: int, why: str) -> None:
    settling.reopen(session, stage.desk, entry_id, reason=why, by=stage.team.supervisor, now=stage.now)


# ---- what follows a contact


def _settle_appointments(stage: Stage) -> None:
    with stage.reading() as session:
        past = session.execute(
            select(Appointment.id, Appointment.person_id, Appointment.made_by)
            .where(Appointment.state == AppointmentState.PLANNED, Appointment.starts_at <= stage.now)
            .order_by(Appointment.starts_at, Appointment.id)
        ).all()
    for appointment_id, person_id, by in past:
        random = stage.random("appointment", appointment_id)
        came = random.random() < stage.temperament(person_id).punctual
        comes_back = random.random() < COMES_BACK
        with stage.writing() as session:
            if came:
                appointments.keep(session, appointment_id, by=by, now=stage.now)
                continue
            appointments.miss(session, appointment_id, now=stage.now)
            entry_id = session.scalar(
                select(QueueEntry.id).where(
                    QueueEntry.programme_id == stage.desk.programme_id,
                    QueueEntry.person_id == person_id,
                    QueueEntry.closed_reason == "appointment",
                )
            )
            if comes_back and entry_id is not None:
                _reopen(session, stage, entry_id, "Rendez-vous manqué, à rappeler.")


def _start_support(stage: Stage, day: date) -> None:
    """Some of those who were reached enter support with a partner on their own."""
    reached = _holding(stage, FunnelStage.CONTACTED, without={FunnelStage.ACCOMPANIED, *ALREADY})
    for person_id, since, by in reached:
        random = stage.random("support", person_id)
        joins, after = random.random() < JOINS_SUPPORT, timedelta(days=random.randint(5, 21))
        if joins and (since + after).date() <= day:
            with stage.writing() as session:
                appointments.start_support(
                    session,
                    programme_id=stage.desk.programme_id,
                    person_id=person_id,
                    partner=random.choice(PARTNERS),
                    at=stage.now,
                    by=by or stage.team.supervisor,
                    now=stage.now,
                    zone=stage.desk.programme.tz,
                )


def _record_solutions(stage: Stage, day: date) -> None:
    accompanied = _holding(stage, FunnelStage.ACCOMPANIED, without={FunnelStage.POSITIVE_EXIT})
    for person_id, since, by in accompanied:
        random = stage.random("solution", person_id)
        finds, after = random.random() < BECOMES_EXIT, timedelta(days=random.randint(7, 42))
        if finds and (since + after).date() <= day:
            with stage.writing() as session:
                solutions.record(
                    session,
                    programme_id=stage.desk.programme_id,
                    person_id=person_id,
                    kind=random.choice(list(SolutionKind)),
                    started_on=day,
                    evidence=random.choices(list(Evidence), (5, 3, 2))[0],
                    by=by or stage.team.supervisor,
                    now=stage.now,
                    zone=stage.desk.programme.tz,
                )


def _strengthen_evidence(stage: Stage, day: date) -> None:
    with stage.reading() as session:
        declared = session.scalars(
            select(Solution.id)
            .where(
                Solution.evidence == Evidence.DECLARED,
                Solution.withdrawn_at.is_(None),
                Solution.recorded_at <= stage.now - timedelta(days=10),
            )
            .order_by(Solution.id)
        ).all()
    for solution_id in declared:
        if stage.random("evidence", solution_id, day).random() < 0.15:
            with stage.writing() as session:
                solutions.strengthen(session, solution_id, Evidence.CONFIRMED)


def _holding(
    stage: Stage, held: FunnelStage, *, without: set[FunnelStage]
) -> list[tuple[int, datetime, int | None]]:
    """Return (person, since when, recorded by whom) of those who are in a stage and not in the others."""
    with stage.reading() as session:
        rows = session.execute(
            select(StageChange.person_id, StageChange.stage, StageChange.at, StageChange.recorded_by)
            .where(
                StageChange.programme_id == stage.desk.programme_id,
                StageChange.stage.in_([held, *without]),
                in_force(),
            )
            .order_by(StageChange.person_id, StageChange.id)
        ).all()
    passed = {row.person_id for row in rows if row.stage != held}
    return [(r.person_id, r.at, r.recorded_by) for r in rows if r.stage == held and r.person_id not in passed]
