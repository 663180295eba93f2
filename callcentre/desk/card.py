"""What an officer sees of a person: who, why now, which numbers, what was tried, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, Row, bindparam, select
from sqlalchemy.orm import Session

from callcentre.accounts.models import User
from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import Lane, QueueEntry, Turn
from callcentre.desk import drafts, why_not
from callcentre.desk.asked import numbers_asked, trusting
from callcentre.desk.context import Desk
from callcentre.directory.models import School, Territory
from callcentre.directory.queries import SchoolView
from callcentre.errors import NotFound
from callcentre.outreach.models import Attempt, Callback, CallbackState
from callcentre.people.households import households
from callcentre.people.models import Guardian, NationalId, PersonNumber, PhoneNumber, YoungPerson
from callcentre.planning.policies import policy_in_force
from callcentre.planning.states import eighteenth_birthday, states_of
from callcentre.retry.explaining import Explanation, explain
from callcentre.retry.plan import may_call
from callcentre.retry.reasons import Reason, ReasonCode, reason
from callcentre.retry.rules import Refusal
from callcentre.retry.state import PersonState
from callcentre.statements import Prepared

ATTEMPTS_SHOWN = 50
"""Attempts on a card, newest first."""

_PERSON: BindParameter[Any] = bindparam("person")
_RECORDS = (
    select(YoungPerson, QueueEntry, Territory, School, Turn)
    .join(QueueEntry, QueueEntry.person_id == YoungPerson.id)
    .join(Territory, Territory.id == QueueEntry.territory_id)
    .outerjoin(School, School.id == YoungPerson.school_id)
    .outerjoin(Turn, Turn.person_id == YoungPerson.id)
    .where(YoungPerson.id == _PERSON, QueueEntry.programme_id == bindparam("programme"))
    .execution_options(populate_existing=True)  # claims and renewals do not go through mapped objects
)
_ATTEMPTS = Prepared(
    select(
        Attempt.id,
        Attempt.started_at,
        Attempt.officer_id,
        Attempt.number_id,
        Attempt.disposition,
        Attempt.note,
        Attempt.slot,
        Attempt.corrected_at,
        Attempt.direction,
        Attempt.why,
        User.display_name,
    )
    .join(User, User.id == Attempt.officer_id)
    .where(Attempt.person_id == _PERSON)
    .order_by(Attempt.started_at.desc(), Attempt.id.desc())
    .limit(ATTEMPTS_SHOWN)
)
_GUARDIANS = Prepared(
    select(Guardian.first_name, Guardian.family_name, Guardian.relation)
    .where(Guardian.person_id == _PERSON)
    .order_by(Guardian.rank)
)
_INE = Prepared(
    select(NationalId.value)
    .where(NationalId.person_id == _PERSON, NationalId.kind == "ine")
    .order_by(NationalId.id)
)
_NAMESAKES = Prepared(
    select(YoungPerson.id, YoungPerson.first_name, YoungPerson.family_name, YoungPerson.birth_date).where(
        YoungPerson.sort_name == bindparam("name"),
        YoungPerson.birth_date == bindparam("born"),
        YoungPerson.id != _PERSON,
    )
)
_PROMISE = Prepared(
    select(
        Callback.id,
        Callback.promised_at,
        User.display_name,
        Callback.officer_id,
        Callback.state,
        Callback.note,
    )
    .outerjoin(User, User.id == Callback.officer_id)
    .where(
        Callback.person_id == _PERSON,
        Callback.programme_id == bindparam("programme"),
        Callback.state.in_((CallbackState.PROMISED, CallbackState.MISSED)),
        Callback.settled_at.is_(None),
    )
    .order_by(Callback.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class NumberOnCard:
    """A number: whose, what is known of it, and whether it may be called now (`refused` None) or why not."""

    id: int
    e164: str
    kind: str
    owner: str
    guardian: str | None
    label: str | None
    verdict: str
    verdict_at: datetime | None
    opted_out: bool
    proposed: bool
    refused: Reason | None
    refused_until: datetime | None
    shared_with: int


@dataclass(frozen=True, slots=True)
class AttemptOnCard:
    """One call: when, by whom, on which number, what came of it."""

    id: int
    started_at: datetime
    officer: str
    officer_id: int
    number_id: int | None
    disposition: str | None
    note: str | None
    slot: str | None
    corrected: bool
    direction: str
    why: dict[str, Any] | None = None
    """Why it was made at its hour, as a stored reason; None for a call of before reasons were kept."""


@dataclass(frozen=True, slots=True)
class Housemate:
    """Somebody reached by one of the same numbers."""

    id: int
    first_name: str
    family_name: str
    birth_date: date
    number_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Namesake:
    """Somebody who may be the same person: same name and birth date, not the same record."""

    id: int
    first_name: str
    family_name: str
    birth_date: date


@dataclass(frozen=True, slots=True)
class Promise:
    """A promised call that is still open."""

    id: int
    promised_at: datetime
    officer: str | None
    officer_id: int | None
    state: str
    note: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """A young person with everything that a call needs; instants are UTC, `zone` is the person's own.

    `calls_used` of `calls_allowed` since they were (re-)opened. `why_not_now` and `when` always answer; `when` None
    is a definite end. `why_then`: what chose that time, where the retry rule did.
    """

    id: int
    first_name: str
    family_name: str
    usual_name: str | None
    birth_date: date
    age: int
    is_minor: bool
    sex: str | None
    email: str | None
    address: str | None
    postal_code: str | None
    commune: str | None
    zone: str
    language: str | None
    ine: tuple[str, ...]
    school: SchoolView | None
    class_label: str | None
    training_label: str | None
    exit_date: date | None
    exit_reason: str | None
    territory_id: int
    territory: str
    numbers: tuple[NumberOnCard, ...]
    guardians: tuple[str, ...]
    attempts: tuple[AttemptOnCard, ...]
    household: tuple[Housemate, ...]
    namesakes: tuple[Namesake, ...]
    promise: Promise | None
    opposed: bool
    state: str
    closed_reason: str | None
    deadline: date | None
    calls_used: int
    calls_allowed: int
    why_not_now: Reason
    when: datetime | None
    why_then: Reason | None
    entry_id: int


@dataclass(frozen=True, slots=True)
class Card:
    """The card of a lease: the person, why they are served, the opening words, what was being typed."""

    lease: Lease
    person: Person
    kind: str
    why: Reason
    script: str
    notice: str
    number: NumberOnCard | None
    attempt: AttemptOnCard | None
    draft: str | None


def card(
    session: Session, desk: Desk, lease: Lease, *, officer: User | Any, language: str, now: datetime
) -> Card:
    """Return the card of a lease for its officer (`officer` has `id` and `display_name`)."""
    shown = person(session, desk, lease.person_id, now=now)
    running = next((a for a in shown.attempts if a.id == lease.attempt_id), None)
    number_id = running.number_id if running else lease.number_id
    number = next((n for n in shown.numbers if n.id == number_id), None) or _first_callable(shown)
    kind = _kind(lease, shown, number)
    draft = drafts.of(session, officer_id=lease.officer_id, person_id=lease.person_id)
    words = desk.programme.script(kind, language)
    return Card(
        lease=lease,
        person=shown,
        kind=kind,
        why=why_served(lease),
        script=words.format(
            first_name=shown.first_name,
            officer=officer.display_name,
            service=desk.programme.service.get(language) or desk.programme.service["fr"],
            programme=desk.programme.labels.get(language) or desk.programme.labels["fr"],
            phone=desk.programme.phone or "",
        ),
        notice=desk.programme.notice.get(language) or desk.programme.notice["fr"],
        number=number,
        attempt=running,
        draft=draft.body if draft else None,
    )


def person(session: Session, desk: Desk, person_id: int, *, now: datetime) -> Person:
    """Return a person of the programme; raises NotFound."""
    found = _records(session, desk, person_id)
    if found is None:
        raise NotFound("person")
    row, entry, territory, school, turn = found
    state = states_of(session, desk.programme, desk.programme_id, [person_id])[person_id]
    promise = _promise(session, desk, person_id)
    promised_at = promise.promised_at if promise is not None else None
    in_use = bool(why_not.numbers_in_use(session, [number.number_id for number in state.numbers]))
    policy = policy_in_force(session, desk.programme, desk.programme_id)
    facts = why_not.Facts(state, entry, turn, promised_at, in_use)
    answer = why_not.answer(desk, facts, policy, now=now)
    today = now.astimezone(state.zone).date()
    sharing = households(session, [person_id]).get(person_id, set())
    since = [attempt for attempt in state.attempts if attempt.counts and attempt.at >= entry.opened_at]
    return Person(
        id=row.id,
        first_name=row.first_name,
        family_name=row.family_name,
        usual_name=row.usual_name,
        birth_date=row.birth_date,
        age=_age(row.birth_date, today),
        is_minor=today < eighteenth_birthday(row.birth_date),
        sex=row.sex,
        email=row.email,
        address=row.address,
        postal_code=row.postal_code,
        commune=row.commune,
        zone=row.zone,
        language=row.language,
        ine=_ine(session, person_id),
        school=None if school is None else SchoolView(school.id, school.uai, school.name, school.commune),
        class_label=row.class_label,
        training_label=row.training_label,
        exit_date=row.exit_date,
        exit_reason=row.exit_reason,
        territory_id=territory.id,
        territory=territory.label,
        numbers=_numbers(session, desk, state, turn, sharing, now),
        guardians=_guardians(session, person_id),
        attempts=attempts_of(session, person_id),
        household=_household(session, person_id, sharing),
        namesakes=_namesakes(session, row),
        promise=promise,
        opposed=state.opposed,
        state=entry.state,
        closed_reason=entry.closed_reason,
        deadline=entry.deadline,
        calls_used=len(since),
        calls_allowed=desk.policy.limits.calls_in_all,
        why_not_now=answer.reason,
        when=answer.when,
        why_then=answer.why_then,
        entry_id=entry.id,
    )


def explained(session: Session, desk: Desk, person_id: int, *, now: datetime) -> Explanation | None:
    """Return the comparison of hours behind a person's next planned call; None when no such call comes next."""
    state = states_of(session, desk.programme, desk.programme_id, [person_id])[person_id]
    return explain(state, policy_in_force(session, desk.programme, desk.programme_id), now=now)


def _records(
    session: Session, desk: Desk, person_id: int
) -> Row[YoungPerson, QueueEntry, Territory, School | None, Turn | None] | None:
    """Everything that there is once for each person, in one statement: an officer waits for it."""
    return session.execute(_RECORDS, {"person": person_id, "programme": desk.programme_id}).first()


def attempts_of(session: Session, person_id: int) -> tuple[AttemptOnCard, ...]:
    """Return a person's calls, newest first."""
    return tuple(
        AttemptOnCard(
            id=row.id,
            started_at=row.started_at,
            officer=row.display_name,
            officer_id=row.officer_id,
            number_id=row.number_id,
            disposition=row.disposition,
            note=row.note,
            slot=row.slot,
            corrected=row.corrected_at is not None,
            direction=row.direction,
            why=row.why,
        )
        for row in _ATTEMPTS.rows(session, {"person": person_id})
    )


def _numbers(
    session: Session, desk: Desk, state: PersonState, turn: Turn | None, sharing: set[int], now: datetime
) -> tuple[NumberOnCard, ...]:
    rows = session.execute(
        select(PersonNumber, PhoneNumber, Guardian)
        .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
        .outerjoin(Guardian, Guardian.id == PersonNumber.guardian_id)
        .where(PersonNumber.person_id == state.person_id)
        .order_by(PersonNumber.position, PersonNumber.id)
    ).all()
    known = {number.number_id: number for number in state.numbers}
    shared = _sharers(session, [link.number_id for link, _, _ in rows], state.person_id) if sharing else {}
    asked: frozenset[int] = frozenset()
    if turn is not None:
        asked = numbers_asked(session, state, turn, now=now)
        state = trusting(state, turn, asked, now=now)
    cards = []
    for link, number, guardian in rows:
        answer = may_call(state, desk.policy, now=now, number_id=number.id, promised=number.id in asked)
        refusal = answer if isinstance(answer, Refusal) else None
        cards.append(
            NumberOnCard(
                id=number.id,
                e164=number.e164,
                kind=number.kind,
                owner=link.owner,
                guardian=_guardian_name(guardian),
                label=link.label,
                verdict=link.verdict,
                verdict_at=link.verdict_at,
                opted_out=known[number.id].opted_out,
                proposed=turn is not None and turn.number_id == number.id,
                refused=refusal.reason if refusal else None,
                refused_until=refusal.until if refusal else None,
                shared_with=shared.get(number.id, 0),
            )
        )
    return tuple(cards)


def _sharers(session: Session, number_ids: list[int], person_id: int) -> dict[int, int]:
    counts: dict[int, int] = {}
    for number_id in session.scalars(
        select(PersonNumber.number_id).where(
            PersonNumber.number_id.in_(number_ids), PersonNumber.person_id != person_id
        )
    ):
        counts[number_id] = counts.get(number_id, 0) + 1
    return counts


def _guardians(session: Session, person_id: int) -> tuple[str, ...]:
    rows = _GUARDIANS.rows(session, {"person": person_id})
    return tuple(name for row in rows if (name := _guardian_name(row)))


def _guardian_name(guardian: Any) -> str | None:
    if guardian is None:
        return None
    name = " ".join(part for part in (guardian.first_name, guardian.family_name) if part)
    return f"{name} ({guardian.relation})" if guardian.relation and name else name or guardian.relation


def _ine(session: Session, person_id: int) -> tuple[str, ...]:
    return tuple(_INE.values(session, {"person": person_id}))


def _household(session: Session, person_id: int, sharing: set[int]) -> tuple[Housemate, ...]:
    if not sharing:
        return ()
    mine = select(PersonNumber.number_id).where(PersonNumber.person_id == person_id)
    common: dict[int, list[int]] = {}
    for other, number_id in session.execute(
        select(PersonNumber.person_id, PersonNumber.number_id).where(
            PersonNumber.person_id.in_(sharing), PersonNumber.number_id.in_(mine)
        )
    ):
        common.setdefault(other, []).append(number_id)
    rows = session.scalars(
        select(YoungPerson).where(YoungPerson.id.in_(common)).order_by(YoungPerson.birth_date)
    )
    return tuple(
        Housemate(row.id, row.first_name, row.family_name, row.birth_date, tuple(common[row.id]))
        for row in rows
    )


def _namesakes(session: Session, row: YoungPerson) -> tuple[Namesake, ...]:
    asked = {"name": row.sort_name, "born": row.birth_date, "person": row.id}
    return tuple(Namesake(*other) for other in _NAMESAKES.rows(session, asked))


def _promise(session: Session, desk: Desk, person_id: int) -> Promise | None:
    row = _PROMISE.first(session, {"person": person_id, "programme": desk.programme_id})
    return None if row is None else Promise(*row)


def _kind(lease: Lease, shown: Person, number: NumberOnCard | None) -> str:
    """Which opening words: they called back, a promise, a parent will answer, a first or another call."""
    if lease.lane in (Lane.LIVE_INBOUND, Lane.MISSED_INBOUND):
        return "inbound"
    if lease.lane in (Lane.PROMISE, Lane.REPLY):
        return "callback"
    if number is not None and number.owner != "young_person":
        return "guardian"
    return "retry" if any(a.id != lease.attempt_id for a in shown.attempts) else "first_call"


def why_served(lease: Lease) -> Reason:
    """Return the reason with which a person was given to their officer."""
    try:
        return Reason.from_json(lease.reason)
    except (KeyError, ValueError):
        return reason(ReasonCode.READY)


def _first_callable(shown: Person) -> NumberOnCard | None:
    return next((n for n in shown.numbers if n.refused is None), None)


def _age(birth_date: date, today: date) -> int:
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))
