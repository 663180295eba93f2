"""Other routes than calls: a round of steps for whom calls do not reach, done by people, one step at a time.

A round begins when an entry leaves the queue because all calls are used or no number is usable. While it runs the entry
says so (`other_routes`, `details_to_find`); when its last step brought nothing the entry gets its final state, split by
"ever reached". Whoever is re-opened meanwhile, by a new number, a new list or a supervisor, leaves the round.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select, update
from sqlalchemy.orm import Session, sessionmaker

from callcentre.audit import trail
from callcentre.bulk import in_parts
from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.database import reading, writing
from callcentre.directory import queries as directory
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.outreach.models import Attempt
from callcentre.people.kinds import SET_ASIDE
from callcentre.people.models import (
    NumberOwner,
    Opposition,
    OptOut,
    PersonNumber,
    PhoneNumber,
    YoungPerson,
)
from callcentre.planning.ladder import MAY_COME, Facts, Rung, ladder, missing
from callcentre.planning.models import RouteMailing, RouteStep, StepResult, StepState
from callcentre.planning.states import calls_made, eighteenth_birthday, ever_reached
from callcentre.programmes import Programme, RouteKind, Situation
from callcentre.retry.reasons import ReasonCode, reason

DETAILS_TO_FIND = "details_to_find"
"""Reason of an entry without a usable number, while details are looked for."""
OTHER_ROUTES = "other_routes"
"""Reason of an entry whose calls are all used, while other ways are tried."""
IN_ROUND = (DETAILS_TO_FIND, OTHER_ROUTES)
FINAL = ("never_reached", "no_longer_reached")
"""The final states: never reached in any way, and reached at some time."""
REOPENED_BY = "new_number new_list inbound supervisor"
NOTE_LENGTH = 2000
MAILED = (RouteKind.LETTER, RouteKind.EMAIL)
PART = 500
LIVE_STEPS = (StepState.WAITING, StepState.DUE, StepState.SENT)


def begin(
    session: Session,
    programme: Programme,
    entry: QueueEntry,
    *,
    ever_reached: bool | None = None,
    now: datetime,
    not_before: datetime | None = None,
) -> None:
    """Put a closed entry on the ladder of its programme; with nothing to do there it gets its final state at once.

    The round of this opening is taken up where it was left, as after an undone result. What was sent in another round
    and may still be answered is waited for in this one. `not_before`: the end of a pause that the person was promised;
    the first step is due then.
    """
    situation: Situation = "no_number" if entry.closed_reason == DETAILS_TO_FIND else "unanswered"
    if not programme.routes:
        if entry.closed_reason in IN_ROUND:
            _end(session, entry, ever_reached=ever_reached, now=now)
        return
    if situation == "unanswered":
        entry.closed_reason, entry.reopened_by = OTHER_ROUTES, REOPENED_BY
    found = session.scalars(select(RouteStep).where(RouteStep.entry_id == entry.id)).all()
    steps = [step for step in found if step.opened_at == entry.opened_at]
    others = [step for step in found if step.opened_at != entry.opened_at]
    awaited = [step for step in others if _may_be_answered(step, now)]
    asked = {step.route for step in awaited}
    _cancel(others, now)
    if steps:
        _take_up([step for step in steps if step.route not in asked], now)
    else:
        rungs = ladder(programme.routes, situation, _facts(session, programme, entry, now))
        steps = [
            _step(entry, position, rung, now)
            for position, rung in enumerate(rungs)
            if rung.route.code not in asked
        ]
        session.add_all(steps)
    _bring(awaited, entry, {step.position for step in steps})
    session.flush()
    if not_before is not None:
        hold(session, entry, until=not_before)
    _go_on(session, entry, ever_reached=ever_reached, now=now)


def _may_be_answered(step: RouteStep, now: datetime) -> bool:
    """Whether it was sent so lately that an answer may still come, although the round was left meanwhile."""
    was_sent = step.state in (StepState.SENT, StepState.CANCELLED) and step.result == StepResult.SENT
    return was_sent and step.due_at is not None and step.due_at > now


def _take_up(steps: Iterable[RouteStep], now: datetime) -> None:
    for step in steps:
        if step.state == StepState.WAITING:
            step.due_at = None  # a pause that it was held for is over
        elif step.state == StepState.CANCELLED and step.result is not None:
            step.state = StepState.SENT if _may_be_answered(step, now) else StepState.DONE
        elif step.state == StepState.CANCELLED:
            step.state, step.due_at, step.done_at = StepState.WAITING, None, None


def _bring(awaited: Iterable[RouteStep], entry: QueueEntry, taken: set[int]) -> None:
    """Move steps into the round of this opening: each keeps its place in the order, or goes last if that is taken."""
    for step in awaited:
        position = step.position if step.position not in taken else max(taken) + 1
        taken.add(position)
        step.opened_at, step.position, step.state = entry.opened_at, position, StepState.SENT


def hold(session: Session, entry: QueueEntry, *, until: datetime) -> None:
    """Let no step of an entry's round be due before an instant; what was sent goes on waiting for its answer."""
    session.execute(
        update(RouteStep)
        .where(
            RouteStep.entry_id == entry.id,
            RouteStep.opened_at == entry.opened_at,
            RouteStep.state.in_((StepState.WAITING, StepState.DUE)),
        )
        .values(state=StepState.WAITING, due_at=until, mailing_id=None)
    )


def leave(session: Session, entry: QueueEntry, *, now: datetime) -> None:
    """Cancel what is left of an entry's rounds, which it has left."""
    steps = session.scalars(
        select(RouteStep).where(RouteStep.entry_id == entry.id, RouteStep.state.in_(LIVE_STEPS))
    ).all()
    _cancel(steps, now)
    session.flush()


def _step(entry: QueueEntry, position: int, rung: Rung, now: datetime) -> RouteStep:
    state = StepState.WAITING
    if rung.by_plan:
        state = StepState.DONE
    elif rung.why_not is not None:
        state = StepState.NOT_POSSIBLE
    return RouteStep(
        programme_id=entry.programme_id,
        entry_id=entry.id,
        person_id=entry.person_id,
        opened_at=entry.opened_at,
        position=position,
        route=rung.route.code,
        kind=rung.route.kind.value,
        wait_days=rung.route.wait_days,
        state=state,
        why_not=rung.why_not,
        result=StepResult.BY_PLAN if rung.by_plan else None,
        created_at=now,
        done_at=now if rung.by_plan else None,
    )


def record(
    session: Session,
    step_id: int,
    result: StepResult,
    *,
    note: str = "",
    by: int,
    now: datetime,
    ever_reached: bool | None = None,
) -> RouteStep:
    """Note that a step was done and what came of it; the next one is due, or the round ends.

    `FOUND` comes after the new number was added, which re-opens the entry and may have cancelled the step. Raises
    NotAllowed when it is not due, or was done.
    """
    step = session.get(RouteStep, step_id, with_for_update=True)
    if step is None:
        raise NotFound("step")
    if step.state == StepState.DONE and step.result == result and step.done_by == by:
        return step  # the same click twice
    may_be_done = (
        StepState.DUE,
        StepState.SENT,
        *([StepState.CANCELLED] if result is StepResult.FOUND else []),
    )
    if step.state not in may_be_done:
        raise NotAllowed("Cette démarche n’est plus à faire.", reason="step_not_due")
    if len(note) > NOTE_LENGTH:
        raise InvalidInput("La note dépasse %(length)s caractères.", field="note", length=NOTE_LENGTH)
    waits = result is StepResult.SENT and step.wait_days > 0
    step.state = StepState.SENT if waits else StepState.DONE
    step.due_at = now + timedelta(days=step.wait_days) if waits else step.due_at
    step.result, step.note, step.done_at, step.done_by = result, note.strip() or None, now, by
    session.flush()
    trail.record(
        session,
        "route_step",
        "person",
        step.person_id,
        by=by,
        now=now,
        details={"step": step.id, "result": result},
    )
    entry = session.get_one(QueueEntry, step.entry_id)
    _go_on(session, entry, ever_reached=ever_reached, now=now)
    return step


def _go_on(session: Session, entry: QueueEntry, *, ever_reached: bool | None, now: datetime) -> None:
    """Let the next step of the entry's round be due, end the round when none is left, cancel one that is over."""
    steps = session.scalars(
        select(RouteStep)
        .where(RouteStep.entry_id == entry.id, RouteStep.opened_at == entry.opened_at)
        .order_by(RouteStep.position)
    ).all()
    if entry.state == EntryState.OPEN or entry.closed_reason not in IN_ROUND:
        _cancel(steps, now)
        return
    _look_anew(session, entry, steps)
    first = next((step for step in steps if step.state in LIVE_STEPS), None)
    waiting = [step for step in steps if step.state == StepState.WAITING]
    is_held = any(step.due_at is not None and step.due_at > now for step in waiting)
    if first is None:
        _end(session, entry, ever_reached=ever_reached, now=now)
    elif first.state == StepState.WAITING and not is_held:
        for step in waiting:
            step.due_at = None  # the pause that they were held for is over
        first.state, first.due_at = StepState.DUE, now
    session.flush()


def _look_anew(session: Session, entry: QueueEntry, steps: Iterable[RouteStep]) -> None:
    """Let steps to come be possible or not by what is known now: an address may have come, a mobile said STOP."""
    open_questions = [
        step
        for step in steps
        if step.state == StepState.WAITING
        or (step.state == StepState.NOT_POSSIBLE and step.why_not in MAY_COME)
    ]
    if not open_questions:
        return
    known = _known(session, entry.person_id)
    for step in open_questions:
        step.why_not = missing(RouteKind(step.kind), known)
        step.state = StepState.WAITING if step.why_not is None else StepState.NOT_POSSIBLE


def _end(session: Session, entry: QueueEntry, *, ever_reached: bool | None, now: datetime) -> None:
    """The final state: nothing is left to try, until a new list, a new number or the person brings them back."""
    reached = ever_reached if ever_reached is not None else _was_reached(session, entry.person_id)
    code = ReasonCode.NO_LONGER_REACHED if reached else ReasonCode.NEVER_REACHED
    calls = calls_made(session, entry.person_id, since=entry.opened_at)
    entry.closed_reason, entry.reopened_by, entry.closed_at = code.value, REOPENED_BY, now
    entry.reason = reason(code, cap=calls).as_json()


def _was_reached(session: Session, person_id: int) -> bool:
    found = select(YoungPerson.id).where(YoungPerson.id == person_id, ever_reached(YoungPerson.id))
    return session.scalar(found) is not None


def _cancel(steps: Iterable[RouteStep], now: datetime) -> None:
    """End what is left of a round; what was sent stays told as sent, when it was."""
    for step in steps:
        if step.state in LIVE_STEPS:
            step.state = StepState.CANCELLED
            step.done_at = now if step.result is None else step.done_at


# --- what is known of a person


def _facts(session: Session, programme: Programme, entry: QueueEntry, now: datetime) -> Facts:
    """All that decides on the steps of a round when it begins."""
    born = session.get_one(YoungPerson, entry.person_id).birth_date
    return replace(
        _known(session, entry.person_id),
        is_minor=now.astimezone(programme.tz).date() < eighteenth_birthday(born),
        asked_lately=_asked_lately(session, programme, entry, now),
    )


def _known(session: Session, person_id: int) -> Facts:
    """What is known of a person now; it may come, and go, while their round runs."""
    person = session.get_one(YoungPerson, person_id)
    links = session.execute(
        select(PersonNumber, PhoneNumber.kind)
        .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
        .where(PersonNumber.person_id == person.id)
    ).all()
    called = set(session.scalars(select(Attempt.number_id).where(Attempt.person_id == person.id)))
    stopped = set(
        session.scalars(
            select(OptOut.number_id).where(
                OptOut.number_id.in_([link.number_id for link, _ in links]), OptOut.revoked_at.is_(None)
            )
        )
    )

    def usable(link: PersonNumber) -> bool:
        return link.callable and link.verdict not in SET_ASIDE and link.number_id not in stopped

    own = [link for link, _ in links if link.owner == NumberOwner.YOUNG_PERSON]
    guardians = [link for link, _ in links if link.owner == NumberOwner.GUARDIAN]
    return Facts(
        own_numbers_called=sum(link.number_id in called for link in own),
        guardian_called=any(link.number_id in called for link in guardians),
        has_guardian=bool(guardians),
        has_mobile=any(
            kind == "mobile" and usable(link)
            for link, kind in links
            if link.owner == NumberOwner.YOUNG_PERSON
        ),
        has_email=bool(person.email),
        has_address=bool(person.address and person.postal_code),
        has_school=person.school_id is not None,
        has_peer=any(link.owner == NumberOwner.OTHER and usable(link) for link, _ in links),
    )


def _asked_lately(session: Session, programme: Programme, entry: QueueEntry, now: datetime) -> frozenset[str]:
    since = now - timedelta(days=programme.limits.ask_again_after_days)
    return frozenset(
        session.scalars(
            select(RouteStep.route).where(
                RouteStep.entry_id == entry.id,
                RouteStep.done_at > since,
                RouteStep.result.in_((StepResult.SENT, StepResult.NOTHING)),
            )
        )
    )


# --- the night's work


def advance(sessions: sessionmaker[Session], programmes: Iterable[Programme], now: datetime) -> int:
    """Go on with rounds whose wait is over, that somebody's return has ended, or that were left without a step.

    Returns how many; one transaction for each part.
    """
    done = 0
    for programme in programmes:
        with reading(sessions) as session:
            programme_id = directory.programme_id(session, programme.code)
            waiting = [] if programme_id is None else _to_go_on(session, programme_id, now)
            stranded = [] if programme_id is None else _stranded(session, programme_id)
        for part in in_parts(waiting, PART):
            with writing(sessions) as session:
                for entry in _entries(session, part):
                    _end_waits(session, entry, now)
                    _cancel(_of_other_rounds(session, entry), now)
                    _go_on(session, entry, ever_reached=None, now=now)
                    done += 1
        for part in in_parts(stranded, PART):
            with writing(sessions) as session:
                for entry in _entries(session, part):
                    if entry.state == EntryState.CLOSED and entry.closed_reason in IN_ROUND:
                        begin(session, programme, entry, now=now)
                        done += 1
    return done


def _entries(session: Session, ids: Sequence[int]) -> Sequence[QueueEntry]:
    return session.scalars(select(QueueEntry).where(QueueEntry.id.in_(ids)).order_by(QueueEntry.id)).all()


def _stranded(session: Session, programme_id: int) -> Sequence[int]:
    """Entries in a round without a step to come: a place that was given back was in one that had been cancelled."""
    live = exists().where(
        RouteStep.entry_id == QueueEntry.id,
        RouteStep.opened_at == QueueEntry.opened_at,
        RouteStep.state.in_(LIVE_STEPS),
    )
    return session.scalars(
        select(QueueEntry.id).where(
            QueueEntry.programme_id == programme_id,
            QueueEntry.state == EntryState.CLOSED,
            QueueEntry.closed_reason.in_(IN_ROUND),
            ~live,
        )
    ).all()


def _to_go_on(session: Session, programme_id: int, now: datetime) -> Sequence[int]:
    over = RouteStep.state.in_((StepState.SENT, StepState.WAITING)) & (RouteStep.due_at <= now)
    left = (
        (QueueEntry.state == EntryState.OPEN)
        | (QueueEntry.closed_reason.not_in(IN_ROUND))
        | (QueueEntry.opened_at != RouteStep.opened_at)
    )
    return session.scalars(
        select(RouteStep.entry_id)
        .join(QueueEntry, QueueEntry.id == RouteStep.entry_id)
        .where(RouteStep.programme_id == programme_id, RouteStep.state.in_(LIVE_STEPS), or_(over, left))
        .distinct()
    ).all()


def _of_other_rounds(session: Session, entry: QueueEntry) -> Sequence[RouteStep]:
    return session.scalars(
        select(RouteStep).where(
            RouteStep.entry_id == entry.id,
            RouteStep.opened_at != entry.opened_at,
            RouteStep.state.in_(LIVE_STEPS),
        )
    ).all()


def _end_waits(session: Session, entry: QueueEntry, now: datetime) -> None:
    session.execute(
        update(RouteStep)
        .where(RouteStep.entry_id == entry.id, RouteStep.state == StepState.SENT, RouteStep.due_at <= now)
        .values(state=StepState.DONE)
    )


# --- letters and e-mails, many at once


def prepare_mailing(
    session: Session, programme_id: int, route: str, kind: RouteKind, *, by: int, now: datetime
) -> int:
    """Gather every due letter (or e-mail) of a route for one merge file; return the mailing's id."""
    if kind not in MAILED:
        raise InvalidInput("Cette démarche ne se fait pas par envoi groupé.", field="route")
    due = select(RouteStep.id).where(*to_prepare(programme_id, route))
    if session.scalar(due.limit(1)) is None:
        raise NotAllowed("Rien n’est à envoyer par cette voie.", reason="nothing_due")
    mailing = RouteMailing(programme_id=programme_id, route=route, kind=kind.value, made_at=now, made_by=by)
    session.add(mailing)
    session.flush()
    session.execute(update(RouteStep).where(*to_prepare(programme_id, route)).values(mailing_id=mailing.id))
    trail.record(session, "mailing_prepared", "programme", programme_id, by=by, now=now)
    return mailing.id


def to_prepare(programme_id: int, route: str) -> tuple[ColumnElement[bool], ...]:
    """The conditions of a letter (or e-mail) of a route that is due and stands in no merge file yet."""
    return (
        RouteStep.programme_id == programme_id,
        RouteStep.route == route,
        RouteStep.mailing_id.is_(None),
        *is_to_do(),
    )


def is_to_do() -> tuple[ColumnElement[bool], ...]:
    """The conditions of a step that may be done now: it is due, its round runs, and its person did not object."""
    runs = exists().where(
        QueueEntry.id == RouteStep.entry_id,
        QueueEntry.state == EntryState.CLOSED,
        QueueEntry.closed_reason.in_(IN_ROUND),
        QueueEntry.opened_at == RouteStep.opened_at,
    )
    return (RouteStep.state == StepState.DUE, runs.correlate(RouteStep), not_(is_of_objector()))


def is_of_objector() -> ColumnElement[bool]:
    """The condition of a step whose person wants no contact any more."""
    objected = exists().where(Opposition.person_id == RouteStep.person_id, Opposition.revoked_at.is_(None))
    return objected.correlate(RouteStep)


def mailing_sent(session: Session, mailing_id: int, *, by: int, now: datetime) -> int:
    """Note that a prepared mailing was posted; return how many letters it had. Said twice it counts once.

    A letter that was no longer to be posted leaves the mailing: it was not in the file.
    """
    mailing = session.get(RouteMailing, mailing_id, with_for_update=True)
    if mailing is None:
        raise NotFound("mailing")
    if mailing.sent_at is not None:
        return 0
    mailing.sent_at, mailing.sent_by = now, by
    prepared = RouteStep.mailing_id == mailing_id
    session.execute(update(RouteStep).where(prepared, not_(and_(*is_to_do()))).values(mailing_id=None))
    due = session.scalars(select(RouteStep.id).where(prepared)).all()
    for step_id in due:
        record(session, step_id, StepResult.SENT, by=by, now=now)
    return len(due)
