"""What programs receive: one frozen value for each answer, from which the OpenAPI document is written too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask import Response
from pydantic import TypeAdapter

from callcentre.callqueue.lease import Lease
from callcentre.desk import card as cards
from callcentre.desk.card import Card
from callcentre.desk.search import Found
from callcentre.desk.serving import Idle, Nothing
from callcentre.desk.submissions import Wrapped
from callcentre.desk.undo import Undone
from callcentre.directory.queries import SchoolView
from callcentre.funnel.queries import Entered
from callcentre.retry import reasons
from callcentre.web.i18n import gettext, language, mark


@dataclass(frozen=True, slots=True)
class Why:
    """A reason: a stable code, and its sentence in the language that was asked for."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class WhyNotNow:
    """Why somebody is not being served, when they will be, and what chose that time; `at` null is a definite end."""

    code: str
    sentence: str
    at: datetime | None
    why_then: Why | None


@dataclass(frozen=True, slots=True)
class LeaseShape:
    """The time-limited right to call one person."""

    token: str
    person_id: int
    expires_at: datetime
    reason: Why
    lane: str
    number_id: int | None
    attempt_id: int | None


@dataclass(frozen=True, slots=True)
class SchoolShape:
    """An establishment."""

    uai: str | None
    name: str
    commune: str | None


@dataclass(frozen=True, slots=True)
class RelatedShape:
    """Somebody reached by one of the same numbers, or of the same name and birth date."""

    id: int
    first_name: str
    family_name: str
    birth_date: date
    number_ids: list[int]


@dataclass(frozen=True, slots=True)
class PromiseShape:
    """A promised call that is still open; `officer_id` null means anybody of the team."""

    id: int
    promised_at: datetime
    officer_id: int | None
    state: str
    note: str | None


@dataclass(frozen=True, slots=True)
class PersonShape:
    """A young person; `zone` is their own, in which calling hours are judged."""

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
    ine: list[str]
    school: SchoolShape | None
    class_label: str | None
    training_label: str | None
    exit_date: date | None
    exit_reason: str | None
    territory_id: int
    territory: str
    guardians: list[str]
    household: list[RelatedShape]
    namesakes: list[RelatedShape]
    promise: PromiseShape | None
    opposed: bool
    state: str
    closed_reason: str | None
    deadline: date | None
    calls_used: int
    calls_allowed: int


@dataclass(frozen=True, slots=True)
class NumberShape:
    """A number of a person; `refused` null: it may be called now, else why not and until when."""

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
    shared_with: int
    refused: Why | None
    refused_until: datetime | None


@dataclass(frozen=True, slots=True)
class AttemptShape:
    """One call; `corrected`: its result was taken back, the call itself counts."""

    id: int
    started_at: datetime
    officer_id: int
    officer: str
    number_id: int | None
    disposition: str | None
    note: str | None
    slot: str | None
    direction: str
    corrected: bool
    why: Why | None
    """Why it was made at its hour, by the chances of then; null for a call of before reasons were kept."""


@dataclass(frozen=True, slots=True)
class StageShape:
    """A funnel stage that a person is in, since when, and why."""

    stage: str
    at: datetime
    recorded_at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class ServedShape:
    """A lease with its card; `script` holds the opening words of this kind of call, `notice` the legal sentence."""

    lease: LeaseShape
    person: PersonShape
    numbers: list[NumberShape]
    attempts: list[AttemptShape]
    kind: str
    script: str
    notice: str
    draft: str | None


@dataclass(frozen=True, slots=True)
class IdleShape:
    """Nobody to call now, why, and when the next person is due (null: nobody is)."""

    lease: None
    next_due_at: datetime | None
    reason: Why


@dataclass(frozen=True, slots=True)
class PersonPage:
    """A person with everything that is known of the calls."""

    person: PersonShape
    numbers: list[NumberShape]
    attempts: list[AttemptShape]
    stages: list[StageShape]
    why_not_now: WhyNotNow


@dataclass(frozen=True, slots=True)
class StartedShape:
    """A call that is being made."""

    attempt_id: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class NextShape:
    """When the person is called again, and why then; `at` null: not by the plan."""

    at: datetime | None
    why: Why


@dataclass(frozen=True, slots=True)
class OutcomeShape:
    """What an outcome did; `next` is null once it was undone."""

    attempt_id: int
    next: NextShape | None
    undone: bool


@dataclass(frozen=True, slots=True)
class UndoneShape:
    """What an undo did; `lease` is the card given back for the right result, unless another one is open."""

    attempt_id: int
    person_id: int
    undone: bool
    lease: LeaseShape | None


@dataclass(frozen=True, slots=True)
class FoundShape:
    """Somebody who fits a search; `number` is the one that fits, when one was searched for."""

    id: int
    first_name: str
    family_name: str
    birth_date: date
    territory: str
    state: str
    number: str | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class SearchShape:
    """Whom a search finds, at most twenty people by name."""

    people: list[FoundShape]


@dataclass(frozen=True, slots=True)
class ListShape:
    """A list file: how far its import has come, and how many rows had each fate."""

    id: int
    name: str
    list_date: date
    state: str
    rows_done: int
    rows_total: int
    counts: dict[str, int]
    problem: str | None


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row that carries a remark: what would happen to it, and why."""

    sheet: str
    row: int
    fate: str
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class CheckShape:
    """What importing a list would do; nothing was written. `rows`: the first two hundred with a remark."""

    checked: bool
    rows_total: int
    counts: dict[str, int]
    flagged: int
    rows: list[CheckedRow]


@dataclass(frozen=True, slots=True)
class PossiblePerson:
    """Somebody known who may be meant; send `onto` with this id, or `as_new`."""

    id: int
    family_name: str
    first_name: str
    birth_date: date


@dataclass(frozen=True, slots=True)
class EnteredShape:
    """What came of a person who was sent: `person_id` is null while `possible` asks who is meant."""

    person_id: int | None
    change: str | None
    remarks: list[Why]
    possible: list[PossiblePerson]


def answer(shape: Any, status: int = 200) -> Response:
    """Return a shape as JSON."""
    return Response(adapter(type(shape)).dump_json(shape), status, mimetype="application/json")


def adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Return what writes a shape, made once."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def why(reason: reasons.Reason) -> Why:
    """A reason in words."""
    return Why(reason.code.value, reasons.sentence(reason, language()))


def stored_why(stored: dict[str, Any]) -> Why:
    """A reason that was kept as JSON, in words; a code that is no longer known is shown alone."""
    try:
        return why(reasons.Reason.from_json(stored))
    except (KeyError, ValueError):
        return Why(str(stored.get("code", "ready")), "")


def lease(of: Lease, why_now: str | None = None) -> LeaseShape:
    """A lease as a program sees it; `why_now` is the sentence that the page would show."""
    return LeaseShape(
        token=of.token,
        person_id=of.person_id,
        expires_at=of.until,
        reason=_why_of(of, why_now),
        lane=of.lane.name.lower(),
        number_id=of.number_id,
        attempt_id=of.attempt_id,
    )


def _why_of(of: Lease, why_now: str | None) -> Why:
    kept = stored_why(of.reason)
    return kept if why_now is None else Why(kept.code, why_now)


def served(card: Card, why_now: str) -> ServedShape:
    """A card as a program sees it; `why_now` is the sentence that the page would show."""
    return ServedShape(
        lease=replace(lease(card.lease), reason=Why(card.why.code.value, why_now)),
        person=person(card.person),
        numbers=[_number(number) for number in card.person.numbers],
        attempts=[_attempt(attempt) for attempt in card.person.attempts],
        kind=card.kind,
        script=card.script,
        notice=card.notice,
        draft=card.draft,
    )


def idle(nothing: Nothing) -> IdleShape:
    """An empty queue as a program sees it."""
    words = {
        Idle.PAUSED: mark("Vous êtes en pause."),
        Idle.NOTHING_DUE: mark("Personne n’est à appeler pour le moment."),
        Idle.QUEUE_EMPTY: mark("La file est vide : plus personne n’attend d’appel."),
    }
    reason = Why(nothing.reason.value, gettext(words[nothing.reason]))
    return IdleShape(lease=None, next_due_at=nothing.next_due_at, reason=reason)


def person_page(of: cards.Person, stages: tuple[Entered, ...]) -> PersonPage:
    """A person's page as a program sees it."""
    reason = why(of.why_not_now)
    return PersonPage(
        person=person(of),
        numbers=[_number(number) for number in of.numbers],
        attempts=[_attempt(attempt) for attempt in of.attempts],
        stages=[StageShape(s.stage.value, s.at, s.recorded_at, s.cause) for s in stages],
        why_not_now=WhyNotNow(
            reason.code, reason.sentence, of.when, None if of.why_then is None else why(of.why_then)
        ),
    )


def person(of: cards.Person) -> PersonShape:
    """A young person as a program sees one."""
    return PersonShape(
        id=of.id,
        first_name=of.first_name,
        family_name=of.family_name,
        usual_name=of.usual_name,
        birth_date=of.birth_date,
        age=of.age,
        is_minor=of.is_minor,
        sex=of.sex,
        email=of.email,
        address=of.address,
        postal_code=of.postal_code,
        commune=of.commune,
        zone=of.zone,
        language=of.language,
        ine=list(of.ine),
        school=_school(of.school),
        class_label=of.class_label,
        training_label=of.training_label,
        exit_date=of.exit_date,
        exit_reason=of.exit_reason,
        territory_id=of.territory_id,
        territory=of.territory,
        guardians=list(of.guardians),
        household=[
            RelatedShape(m.id, m.first_name, m.family_name, m.birth_date, list(m.number_ids))
            for m in of.household
        ],
        namesakes=[RelatedShape(n.id, n.first_name, n.family_name, n.birth_date, []) for n in of.namesakes],
        promise=_promise(of.promise),
        opposed=of.opposed,
        state=of.state,
        closed_reason=of.closed_reason,
        deadline=of.deadline,
        calls_used=of.calls_used,
        calls_allowed=of.calls_allowed,
    )


def outcome(done: Wrapped) -> OutcomeShape:
    """An accepted outcome as a program sees it."""
    assert done.attempt_id is not None
    following = None if done.undone else NextShape(done.next_at, stored_why(done.why))
    return OutcomeShape(done.attempt_id, following, done.undone)


def undone(done: Undone, why_now: str | None = None) -> UndoneShape:
    """An undo as a program sees it."""
    given_back = None if done.lease is None else lease(done.lease, why_now)
    return UndoneShape(done.attempt_id, done.person_id, True, given_back)


def search(people: tuple[Found, ...]) -> SearchShape:
    """The people whom a search found."""
    return SearchShape(
        [
            FoundShape(
                f.id, f.first_name, f.family_name, f.birth_date, f.territory, f.state, f.number, f.owner
            )
            for f in people
        ]
    )


def _number(of: cards.NumberOnCard) -> NumberShape:
    return NumberShape(
        id=of.id,
        e164=of.e164,
        kind=of.kind,
        owner=of.owner,
        guardian=of.guardian,
        label=of.label,
        verdict=of.verdict,
        verdict_at=of.verdict_at,
        opted_out=of.opted_out,
        proposed=of.proposed,
        shared_with=of.shared_with,
        refused=None if of.refused is None else why(of.refused),
        refused_until=of.refused_until,
    )


def _attempt(of: cards.AttemptOnCard) -> AttemptShape:
    return AttemptShape(
        id=of.id,
        started_at=of.started_at,
        officer_id=of.officer_id,
        officer=of.officer,
        number_id=of.number_id,
        disposition=of.disposition,
        note=of.note,
        slot=of.slot,
        direction=of.direction,
        corrected=of.corrected,
        why=None if of.why is None else stored_why(of.why),
    )


def _school(of: SchoolView | None) -> SchoolShape | None:
    return None if of is None else SchoolShape(of.uai, of.name, of.commune)


def _promise(of: cards.Promise | None) -> PromiseShape | None:
    return None if of is None else PromiseShape(of.id, of.promised_at, of.officer_id, of.state, of.note)
