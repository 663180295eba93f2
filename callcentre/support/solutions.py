"""Solutions that started: recorded with kind, date and evidence; withdrawn when they prove untrue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.errors import NotAllowed, NotFound
from callcentre.funnel import changes
from callcentre.funnel.stages import Refused, Stage, entering
from callcentre.support.kinds import Evidence, SolutionKind
from callcentre.support.models import Solution

CAUSE = "solution"


@dataclass(frozen=True)
class Recorded:
    """A solution, and what it added to the funnel; `barred_by` says why it is no positive exit."""

    solution_id: int
    change_ids: tuple[int, ...]
    barred_by: Stage | None = None


def record(
    session: Session,
    *,
    programme_id: int,
    person_id: int,
    kind: SolutionKind,
    started_on: date,
    evidence: Evidence,
    by: int,
    now: datetime,
    zone: ZoneInfo,
    is_exit: bool = True,
    note: str | None = None,
) -> Recorded:
    """Record a solution that started: a positive exit, unless the person counts as "already …".

    `is_exit` is False for what a third party declares of somebody who was never contacted: the solution is
    kept, no stage moves. Raises `NotAllowed` for a start to come, or before the first contact (then they were
    "already in a solution").
    """
    if started_on > now.astimezone(zone).date():
        raise NotAllowed(
            "Cette solution n’a pas encore commencé : elle comptera à partir de son premier jour.",
            reason="not_started",
        )
    held = changes.held_changes(session, programme_id=programme_id, person_id=person_id)
    contacted = held.get(Stage.CONTACTED)
    if is_exit and contacted is not None and started_on < contacted.at.astimezone(zone).date():
        raise NotAllowed(
            "Cette solution a commencé avant le premier contact : notez « a déjà une solution ».",
            reason="before_contact",
        )
    solution = Solution(
        programme_id=programme_id,
        person_id=person_id,
        kind=kind,
        started_on=started_on,
        evidence=evidence,
        recorded_by=by,
        recorded_at=now,
        note=note,
    )
    session.add(solution)
    session.flush()
    outcome = entering(Stage.POSITIVE_EXIT, held)
    if not is_exit or isinstance(outcome, Refused):
        return Recorded(solution.id, (), barred_by=outcome.because if isinstance(outcome, Refused) else None)
    added = changes.advance(
        session,
        programme_id=programme_id,
        person_id=person_id,
        stage=Stage.POSITIVE_EXIT,
        at=datetime.combine(started_on, time(), zone),
        now=now,
        cause=CAUSE,
        by=by,
        details={"solution_id": solution.id},
    )
    return Recorded(solution.id, tuple(added))


def strengthen(session: Session, solution_id: int, evidence: Evidence) -> None:
    """Raise the level of evidence of a solution; it never goes down (withdraw it instead)."""
    solution = _get(session, solution_id)
    levels = list(Evidence)
    if levels.index(evidence) > levels.index(Evidence(solution.evidence)):
        solution.evidence = evidence
        session.flush()


def withdraw(session: Session, solution_id: int, *, by: int, now: datetime) -> None:
    """Take back a solution that proved untrue, with the stages it had brought; a second time does nothing."""
    solution = _get(session, solution_id)
    if solution.withdrawn_at is not None:
        return
    held = changes.held_changes(session, programme_id=solution.programme_id, person_id=solution.person_id)
    brought = [change.id for change in held.values() if change.details.get("solution_id") == solution.id]
    changes.reverse(session, brought, at=now, by=by, cause="undo")
    solution.withdrawn_at = now
    session.flush()


def _get(session: Session, solution_id: int) -> Solution:
    solution = session.scalar(select(Solution).where(Solution.id == solution_id).with_for_update())
    if solution is None:
        raise NotFound("Cette solution n’existe pas.")
    return solution
