"""What pages and the API read of the other routes: whose turn a step is, merge files, what came of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.orm import Session

from callcentre.accounts.models import User
from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.directory.models import School, Territory
from callcentre.people.kinds import SET_ASIDE, NumberOwner
from callcentre.people.models import Guardian, OptOut, PersonNumber, PhoneNumber, YoungPerson
from callcentre.planning.kinds import StepResult, StepState
from callcentre.planning.ladder import MAY_COME
from callcentre.planning.models import RouteMailing, RouteStep
from callcentre.planning.routes import FINAL, IN_ROUND, is_of_objector, is_to_do, to_prepare
from callcentre.planning.states import eighteenth_birthday

STEPS_SHOWN = 20
MAILINGS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of somebody's other routes."""

    id: int
    route: str
    kind: str
    state: str
    why_not: str | None
    due_at: datetime | None
    result: str | None
    note: str | None
    done_at: datetime | None
    by: str | None
    wait_days: int
    """How long an answer is waited for once it was done."""


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A step that somebody may do now, with what is needed to do it."""

    step: StepView
    person_id: int
    name: str
    birth_date: date
    is_minor: bool
    territory: str
    closed_reason: str
    since: datetime
    school: str | None
    email: str | None
    address: str | None
    peers: tuple[str, ...]
    lacking: tuple[str, ...]
    """What is not known and would open another route, as codes."""


@dataclass(frozen=True, slots=True)
class MailingView:
    """A merge file that was prepared: of which route, for how many, and when it was sent."""

    id: int
    route: str
    kind: str
    made_at: datetime
    sent_at: datetime | None
    people: int


@dataclass(frozen=True, slots=True)
class MailLine:
    """One line of a merge file."""

    reference: int
    recipient: str
    name: str
    email: str
    address: str
    postal_code: str
    commune: str


@dataclass(frozen=True, slots=True)
class RouteFigures:
    """How other routes stand: to do by route, waiting for an answer, what came of the steps done, final states."""

    due: dict[str, int]
    waiting: dict[str, int]
    results: dict[str, dict[str, int]]
    final: dict[str, int]


def work_list(
    session: Session, programme_id: int, *, today: date, route: str | None = None, limit: int = STEPS_SHOWN
) -> list[WorkItem]:
    """Return the steps to do now, oldest first; those of one route by school, so that one call asks for several."""
    rows = session.execute(
        select(RouteStep, YoungPerson, QueueEntry, Territory.label, School.name)
        .join(YoungPerson, YoungPerson.id == RouteStep.person_id)
        .join(QueueEntry, QueueEntry.id == RouteStep.entry_id)
        .join(Territory, Territory.id == QueueEntry.territory_id)
        .outerjoin(School, School.id == YoungPerson.school_id)
        .where(
            RouteStep.programme_id == programme_id,
            RouteStep.state == StepState.DUE,
            *_in_round(),
            *([RouteStep.route == route] if route else []),
        )
        .order_by(*([School.name] if route else []), RouteStep.due_at, RouteStep.id)
        .limit(limit)
    ).all()
    peers = _peers(session, [step.person_id for step, *_ in rows if step.kind == "peer"])
    lacking = _lacking(session, [step.entry_id for step, *_ in rows])
    return [
        WorkItem(
            step=_view(step, None),
            person_id=person.id,
            name=f"{person.first_name} {person.family_name}",
            birth_date=person.birth_date,
            is_minor=today < eighteenth_birthday(person.birth_date),
            territory=territory,
            closed_reason=entry.closed_reason or "",
            since=step.due_at or step.created_at,
            school=school,
            email=person.email,
            address=_address(person),
            peers=tuple(peers.get(person.id, ())),
            lacking=tuple(lacking.get(entry.id, ())),
        )
        for step, person, entry, territory, school in rows
    ]


def steps_of(session: Session, programme_id: int, person_id: int) -> list[StepView]:
    """Return every step of a person's other routes, oldest round first."""
    rows = session.execute(
        select(RouteStep, User.display_name)
        .outerjoin(User, User.id == RouteStep.done_by)
        .where(RouteStep.programme_id == programme_id, RouteStep.person_id == person_id)
        .order_by(RouteStep.opened_at, RouteStep.position)
    )
    return [_view(step, by) for step, by in rows]


def step_person(session: Session, programme_id: int, step_id: int) -> int | None:
    """Return whose step it is, or None when the programme has none of this id."""
    return session.scalar(
        select(RouteStep.person_id).where(RouteStep.id == step_id, RouteStep.programme_id == programme_id)
    )


def why_out(session: Session, programme_id: int, person_id: int) -> str | None:
    """Return why somebody is out of the programme's queue, as a code; None while they are in it."""
    return session.scalar(
        select(QueueEntry.closed_reason).where(
            QueueEntry.programme_id == programme_id,
            QueueEntry.person_id == person_id,
            QueueEntry.state == EntryState.CLOSED,
        )
    )


def letters_to_prepare(session: Session, programme_id: int, route: str) -> int:
    """Return how many letters (or e-mails) of a route a merge file would gather now."""
    return (
        session.scalar(select(func.count()).select_from(RouteStep).where(*to_prepare(programme_id, route)))
        or 0
    )


def route_figures(session: Session, programme_id: int) -> RouteFigures:
    """Return how many steps wait, and what came of those that were done."""
    due: dict[str, int] = {}
    waiting: dict[str, int] = {}
    states = session.execute(
        select(RouteStep.route, RouteStep.state, func.count())
        .join(QueueEntry, QueueEntry.id == RouteStep.entry_id)
        .where(
            RouteStep.programme_id == programme_id,
            RouteStep.state.in_((StepState.DUE, StepState.SENT)),
            *_in_round(),
        )
        .group_by(RouteStep.route, RouteStep.state)
    )
    for route, state, count in states:
        (due if state == StepState.DUE else waiting)[route] = count
    results: dict[str, dict[str, int]] = defaultdict(dict)
    done = session.execute(
        select(RouteStep.route, RouteStep.result, func.count())
        .where(
            RouteStep.programme_id == programme_id,
            RouteStep.result.in_((StepResult.FOUND, StepResult.NOTHING, StepResult.SENT)),
        )
        .group_by(RouteStep.route, RouteStep.result)
    )
    for route, result, count in done:
        results[route][result or ""] = count
    final = session.execute(
        select(QueueEntry.closed_reason, func.count())
        .where(
            QueueEntry.programme_id == programme_id,
            QueueEntry.state == EntryState.CLOSED,
            QueueEntry.closed_reason.in_((*FINAL, *IN_ROUND)),
        )
        .group_by(QueueEntry.closed_reason)
    )
    return RouteFigures(due, waiting, dict(results), {code or "": count for code, count in final})


def mailings(session: Session, programme_id: int) -> list[MailingView]:
    """Return the merge files that were prepared, newest first; those not sent yet are always among them."""
    people = select(func.count()).where(*_in_file()).correlate(RouteMailing).scalar_subquery()
    rows = session.execute(
        select(RouteMailing, people)
        .where(RouteMailing.programme_id == programme_id)
        .order_by(RouteMailing.sent_at.is_not(None), RouteMailing.id.desc())
        .limit(MAILINGS_SHOWN)
    )
    return [MailingView(row.id, row.route, row.kind, row.made_at, row.sent_at, count) for row, count in rows]


def mail_lines(
    session: Session, programme_id: int, mailing_id: int, *, today: date
) -> tuple[MailingView, list[MailLine]] | None:
    """Return a merge file's lines; a minor's letter goes to their guardians. None when there is no such file.

    A file that was not sent yet holds who is still to be written to; one that was sent, whom it went to. Nobody who
    objected is in either.
    """
    mailing = session.scalar(
        select(RouteMailing).where(RouteMailing.id == mailing_id, RouteMailing.programme_id == programme_id)
    )
    if mailing is None:
        return None
    people = session.scalars(
        select(YoungPerson)
        .join(RouteStep, RouteStep.person_id == YoungPerson.id)
        .join(RouteMailing, RouteMailing.id == mailing_id)
        .where(*_in_file())
        .order_by(YoungPerson.postal_code, YoungPerson.sort_name)
    ).all()
    guardians = _guardians(session, [person.id for person in people])
    lines = [
        MailLine(
            reference=person.id,
            recipient=guardians.get(person.id, "")
            if mailing.kind == "letter" and today < eighteenth_birthday(person.birth_date)
            else "",
            name=f"{person.first_name} {person.family_name}",
            email=person.email or "",
            address=person.address or "",
            postal_code=person.postal_code or "",
            commune=person.commune or "",
        )
        for person in people
    ]
    view = MailingView(mailing.id, mailing.route, mailing.kind, mailing.made_at, mailing.sent_at, len(lines))
    return view, lines


def _in_file() -> tuple[ColumnElement[bool], ...]:
    """Beside `RouteMailing`: the steps whose people are in its merge file."""
    return (
        RouteStep.mailing_id == RouteMailing.id,
        or_(RouteMailing.sent_at.is_not(None), and_(*is_to_do())),
        not_(is_of_objector()),
    )


def _in_round() -> tuple[ColumnElement[bool], ...]:
    return (
        QueueEntry.state == EntryState.CLOSED,
        QueueEntry.closed_reason.in_(IN_ROUND),
        QueueEntry.opened_at == RouteStep.opened_at,
    )


def _view(step: RouteStep, by: str | None) -> StepView:
    return StepView(
        id=step.id,
        route=step.route,
        kind=step.kind,
        state=step.state,
        why_not=step.why_not,
        due_at=step.due_at,
        result=step.result,
        note=step.note,
        done_at=step.done_at,
        by=by,
        wait_days=step.wait_days,
    )


def _address(person: YoungPerson) -> str | None:
    parts = (person.address, " ".join(part for part in (person.postal_code, person.commune) if part))
    return ", ".join(part for part in parts if part) or None


def _peers(session: Session, people: Sequence[int]) -> dict[int, list[str]]:
    """The numbers of others who may be asked to pass a word on: not of who asked not to be called, or proved wrong."""
    found: dict[int, list[str]] = defaultdict(list)
    for person_id, e164 in session.execute(
        select(PersonNumber.person_id, PhoneNumber.e164)
        .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
        .where(
            PersonNumber.person_id.in_(people),
            PersonNumber.owner == NumberOwner.OTHER,
            PersonNumber.callable,
            PersonNumber.verdict.not_in(SET_ASIDE),
            ~exists().where(OptOut.number_id == PersonNumber.number_id, OptOut.revoked_at.is_(None)),
        )
        .order_by(PersonNumber.position)
    ):
        found[person_id].append(e164)
    return found


def _lacking(session: Session, entry_ids: Sequence[int]) -> dict[int, list[str]]:
    """Why routes of each entry's round are not possible, where somebody may ask for what is missing."""
    found: dict[int, list[str]] = defaultdict(list)
    for entry_id, why_not in session.execute(
        select(RouteStep.entry_id, RouteStep.why_not)
        .join(QueueEntry, QueueEntry.id == RouteStep.entry_id)
        .where(
            RouteStep.entry_id.in_(entry_ids),
            RouteStep.state == StepState.NOT_POSSIBLE,
            RouteStep.why_not.in_(MAY_COME),
            *_in_round(),
        )
        .order_by(RouteStep.position)
    ):
        if why_not and why_not not in found[entry_id]:
            found[entry_id].append(why_not)
    return found


def _guardians(session: Session, people: Sequence[int]) -> dict[int, str]:
    """The names of the guardians of each person, as on an envelope."""
    names: dict[int, list[str]] = defaultdict(list)
    for person_id, first, family in session.execute(
        select(Guardian.person_id, Guardian.first_name, Guardian.family_name)
        .where(Guardian.person_id.in_(people))
        .order_by(Guardian.rank)
    ):
        name = " ".join(part for part in (first, family) if part)
        if name:
            names[person_id].append(name)
    return {person: " – ".join(known) for person, known in names.items()}
