"""Everything that happened to a young person, as one line of time, and what is still open to be settled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.accounts.models import User
from callcentre.callqueue.models import LeaseEnding, LeaseLog
from callcentre.desk import decisions, undo
from callcentre.desk.kinds import DecisionKind
from callcentre.funnel import queries as funnel
from callcentre.intake.models import ListFile, ListRow
from callcentre.outreach.models import Attempt, Callback
from callcentre.people.models import Opposition, OptOut, PersonNumber, PhoneNumber
from callcentre.planning.models import RouteStep
from callcentre.support.appointments import Support, support_of
from callcentre.support.models import Appointment, Solution


class EventKind(StrEnum):
    """What sort of thing happened."""

    ATTEMPT = "attempt"
    PROMISE = "promise"
    STAGE = "stage"
    STAGE_TAKEN_BACK = "stage_taken_back"
    APPOINTMENT = "appointment"
    SOLUTION = "solution"
    SOLUTION_WITHDRAWN = "solution_withdrawn"
    OPT_OUT = "opt_out"
    OPT_OUT_TAKEN_BACK = "opt_out_taken_back"
    OPPOSITION = "opposition"
    OPPOSITION_TAKEN_BACK = "opposition_taken_back"
    LIST_ROW = "list_row"
    SKIPPED = "skipped"
    ROUTE = "route"
    DECISION = "decision"
    """What a supervisor decided; `code` is a `DecisionKind`, `text` the reason."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened at `at`.

    `code` is the kind's own: a disposition, the state of a promise or an appointment, a stage, a fate… `about` is the
    instant or day that it speaks of: when a call was promised, when an appointment is. `text` is what was typed, or
    the name of a partner or a list. `is_corrected`: a result that was taken back.
    """

    kind: EventKind
    at: datetime
    code: str
    by: str | None = None
    text: str | None = None
    number: str | None = None
    about: datetime | date | None = None
    extra: str | None = None
    is_corrected: bool = False
    attempt_id: int | None = None
    why: dict[str, Any] | None = None
    """Why a call was made when it was, as a stored reason."""


@dataclass(frozen=True, slots=True)
class AppointmentView:
    """An appointment and what became of it."""

    id: int
    partner: str
    starts_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class SolutionView:
    """A solution that stands."""

    id: int
    kind: str
    started_on: date
    evidence: str
    note: str | None


@dataclass(frozen=True, slots=True)
class StopView:
    """An opposition or an opt-out that stands; `number` is None for an opposition."""

    id: int
    at: datetime
    source: str
    number: str | None


@dataclass(frozen=True, slots=True)
class File:
    """A young person's history, newest first, and the records that a page may act on."""

    events: tuple[Event, ...]
    appointments: tuple[AppointmentView, ...]
    solutions: tuple[SolutionView, ...]
    opposition: StopView | None
    opt_outs: tuple[StopView, ...]
    support: Support | None = None
    """The entry into support that stands, if it was noted as one."""
    undoable: frozenset[int] = frozenset()
    """Calls whose result a supervisor may still take back."""


def file_of(session: Session, programme_id: int, person_id: int) -> File:
    """Return everything known of what happened to a person, in a programme."""
    who = _Who(session)
    appointments = session.scalars(
        select(Appointment)
        .where(Appointment.programme_id == programme_id, Appointment.person_id == person_id)
        .order_by(Appointment.starts_at.desc())
    ).all()
    solutions = session.scalars(
        select(Solution)
        .where(Solution.programme_id == programme_id, Solution.person_id == person_id)
        .order_by(Solution.started_on.desc())
    ).all()
    oppositions = session.scalars(select(Opposition).where(Opposition.person_id == person_id)).all()
    opt_outs = _opt_outs(session, person_id)
    events = [
        *_attempts(session, person_id, who),
        *_promises(session, person_id, who),
        *_stages(session, programme_id, person_id, who),
        *_lists(session, person_id),
        *_skips(session, person_id, who),
        *_routes(session, programme_id, person_id, who),
        *_decisions(session, programme_id, person_id),
        *_appointment_events(appointments, who),
        *_solution_events(solutions, who),
        *_stop_events([(row, None) for row in oppositions], EventKind.OPPOSITION, who),
        *_stop_events(opt_outs, EventKind.OPT_OUT, who),
    ]
    standing = next((row for row in oppositions if row.revoked_at is None), None)
    return File(
        events=tuple(sorted(events, key=lambda event: event.at, reverse=True)),
        appointments=tuple(AppointmentView(a.id, a.partner, a.starts_at, a.state) for a in appointments),
        solutions=tuple(
            SolutionView(s.id, s.kind, s.started_on, s.evidence, s.note)
            for s in solutions
            if s.withdrawn_at is None
        ),
        opposition=StopView(standing.id, standing.at, standing.source, None) if standing else None,
        opt_outs=tuple(
            StopView(row.id, row.at, row.source, e164) for row, e164 in opt_outs if row.revoked_at is None
        ),
        support=support_of(session, programme_id, person_id),
        undoable=undo.undoable(
            session, [event.attempt_id for event in events if event.attempt_id is not None]
        ),
    )


class _Who:
    """The names of users by id, read once."""

    def __init__(self, session: Session) -> None:
        rows = session.execute(select(User.id, User.display_name)).all()
        self._names: dict[int, str] = dict(rows)

    def __call__(self, user_id: int | None) -> str | None:
        return None if user_id is None else self._names.get(user_id)


def _attempts(session: Session, person_id: int, who: _Who) -> Iterator[Event]:
    rows = session.execute(
        select(Attempt, PhoneNumber.e164)
        .outerjoin(PhoneNumber, PhoneNumber.id == Attempt.number_id)
        .where(Attempt.person_id == person_id)
    )
    for attempt, e164 in rows:
        yield Event(
            EventKind.ATTEMPT,
            attempt.started_at,
            attempt.disposition or "",
            by=who(attempt.officer_id),
            text=attempt.note,
            number=e164,
            extra=attempt.direction,
            is_corrected=attempt.corrected_at is not None,
            attempt_id=attempt.id,
            why=attempt.why,
        )


def _promises(session: Session, person_id: int, who: _Who) -> Iterator[Event]:
    for promise in session.scalars(select(Callback).where(Callback.person_id == person_id)):
        yield Event(
            EventKind.PROMISE,
            promise.created_at,
            promise.state,
            by=who(promise.promised_by),
            about=promise.promised_at,
            extra="team" if promise.officer_id is None else None,
        )


def _stages(session: Session, programme_id: int, person_id: int, who: _Who) -> Iterator[Event]:
    for change in funnel.path_of(session, programme_id, person_id):
        back = change.reverses_id is not None
        yield Event(
            EventKind.STAGE_TAKEN_BACK if back else EventKind.STAGE,
            change.recorded_at,
            change.stage.value,
            by=who(change.recorded_by),
            about=change.at,
            extra=change.cause,
        )


def _lists(session: Session, person_id: int) -> Iterator[Event]:
    rows = session.execute(
        select(ListRow.fate, ListRow.row_number, ListFile.name, ListFile.uploaded_at, ListFile.list_date)
        .join(ListFile, ListFile.id == ListRow.list_file_id)
        .where(ListRow.person_id == person_id)
    )
    for fate, row_number, name, uploaded_at, list_date in rows:
        yield Event(EventKind.LIST_ROW, uploaded_at, fate, text=name, about=list_date, extra=str(row_number))


def _skips(session: Session, person_id: int, who: _Who) -> Iterator[Event]:
    rows = session.scalars(
        select(LeaseLog).where(LeaseLog.person_id == person_id, LeaseLog.ending == LeaseEnding.SKIPPED)
    )
    for row in rows:
        yield Event(EventKind.SKIPPED, row.ended_at, row.skip_reason or "", by=who(row.officer_id))


_SHOWN_OTHERWISE = frozenset(
    {
        DecisionKind.OPPOSITION_LIFTED,
        DecisionKind.OPT_OUT_LIFTED,
        DecisionKind.CALL_SETTLED,
        DecisionKind.CARD_FREED,
    }
)
"""Decisions whose effect is an event of the history by itself, or no event for the person at all."""


def _decisions(session: Session, programme_id: int, person_id: int) -> Iterator[Event]:
    for decision in decisions.of_person(session, programme_id, person_id):
        if decision.kind not in _SHOWN_OTHERWISE:
            yield Event(
                EventKind.DECISION,
                decision.at,
                decision.kind.value,
                by=decision.by,
                text=decision.reason or None,
            )


def _routes(session: Session, programme_id: int, person_id: int, who: _Who) -> Iterator[Event]:
    """Steps of other routes that were done; an answer that is still waited for is one of them."""
    rows = session.scalars(
        select(RouteStep).where(
            RouteStep.programme_id == programme_id,
            RouteStep.person_id == person_id,
            RouteStep.result.is_not(None),
        )
    )
    for step in rows:
        yield Event(
            EventKind.ROUTE,
            step.done_at or step.created_at,
            step.route,
            by=who(step.done_by),
            text=step.note,
            extra=step.result,
        )


def _appointment_events(rows: Iterable[Appointment], who: _Who) -> Iterator[Event]:
    for row in rows:
        yield Event(
            EventKind.APPOINTMENT,
            row.made_at,
            row.state,
            by=who(row.made_by),
            text=row.partner,
            about=row.starts_at,
        )


def _solution_events(rows: Iterable[Solution], who: _Who) -> Iterator[Event]:
    for row in rows:
        yield Event(
            EventKind.SOLUTION,
            row.recorded_at,
            row.kind,
            by=who(row.recorded_by),
            text=row.note,
            about=row.started_on,
            extra=row.evidence,
            is_corrected=row.withdrawn_at is not None,
        )
        if row.withdrawn_at is not None:
            yield Event(EventKind.SOLUTION_WITHDRAWN, row.withdrawn_at, row.kind, about=row.started_on)


def _opt_outs(session: Session, person_id: int) -> list[tuple[OptOut, str]]:
    rows = session.execute(
        select(OptOut, PhoneNumber.e164)
        .join(PhoneNumber, PhoneNumber.id == OptOut.number_id)
        .join(PersonNumber, PersonNumber.number_id == OptOut.number_id)
        .where(PersonNumber.person_id == person_id)
        .order_by(OptOut.id)
    )
    return [(row, e164) for row, e164 in rows]


def _stop_events(
    rows: Iterable[tuple[OptOut | Opposition, str | None]], kind: EventKind, who: _Who
) -> Iterator[Event]:
    back = EventKind.OPPOSITION_TAKEN_BACK if kind is EventKind.OPPOSITION else EventKind.OPT_OUT_TAKEN_BACK
    for row, e164 in rows:
        yield Event(kind, row.at, row.source, by=who(row.recorded_by), number=e164)
        if row.revoked_at is not None:
            yield Event(
                back,
                row.revoked_at,
                row.source,
                by=who(row.revoked_by),
                number=e164,
                text=None if row.revoked_reason == "undo" else row.revoked_reason,
                extra="undo" if row.revoked_reason == "undo" else None,
            )
