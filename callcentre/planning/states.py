"""What the retry rule needs to know of people, read in a handful of queries whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, ColumnElement, bindparam, case, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from callcentre.bulk import in_parts
from callcentre.callqueue.models import QueueEntry
from callcentre.directory.models import Programme as ProgrammeRow
from callcentre.dispositions import RetryKind
from callcentre.funnel.models import StageChange
from callcentre.funnel.queries import in_force
from callcentre.funnel.stages import Stage
from callcentre.outreach.kinds import MessageKind
from callcentre.outreach.message_models import Message, MessageRecipient
from callcentre.outreach.messages import counted_at
from callcentre.outreach.models import Attempt, Callback
from callcentre.people.kinds import SET_ASIDE
from callcentre.people.models import Opposition, OptOut, PersonNumber, YoungPerson
from callcentre.planning.policies import policy_of
from callcentre.programmes import Programme
from callcentre.retry.slots import Slot
from callcentre.retry.state import NumberState, Owner, PastAttempt, PersonState
from callcentre.statements import Prepared

ADULT_AGE = 18

_PAST = select(
    Attempt.person_id,
    Attempt.number_id,
    Attempt.direction,
    Attempt.started_at,
    Attempt.slot,
    Attempt.local_date,
    Attempt.callback_id,
    Attempt.disposition,
    Attempt.retry_kind,
    Attempt.corrected_at,
).order_by(Attempt.started_at)
"""What the rules see of an attempt: columns and not objects, since every verb of the desk reads them.

These statements are put together and compiled once: doing so costs more than running them.
"""


def ever_reached(person_id: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """The condition that somebody was reached at some time, by a call or a message: that the funnel says so."""
    return exists().where(
        StageChange.programme_id.in_(select(ProgrammeRow.id)),  # for the index, which begins with it
        StageChange.person_id == person_id,
        StageChange.stage == Stage.CONTACTED,
        in_force(),
    )


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_PEOPLE = Prepared(
    select(
        YoungPerson.id,
        YoungPerson.birth_date,
        YoungPerson.zone,
        YoungPerson.class_label,
        QueueEntry.opened_at,
        QueueEntry.paused_until,
        ever_reached(YoungPerson.id).label("reached"),
    )
    .join(QueueEntry, QueueEntry.person_id == YoungPerson.id)
    .where(QueueEntry.programme_id == bindparam("programme"), YoungPerson.id.in_(_IDS))
)
_LINKS = Prepared(
    select(
        PersonNumber.person_id,
        PersonNumber.number_id,
        PersonNumber.owner,
        PersonNumber.callable,
        PersonNumber.why_not,
        PersonNumber.verdict,
    )
    .where(PersonNumber.person_id.in_(_IDS))
    .order_by(PersonNumber.person_id, PersonNumber.position, PersonNumber.id)
)
_OPPOSED = Prepared(
    select(Opposition.person_id).where(Opposition.person_id.in_(_IDS), Opposition.revoked_at.is_(None))
)
_STOPPED = Prepared(select(OptOut.number_id).where(OptOut.number_id.in_(_IDS), OptOut.revoked_at.is_(None)))
_WRITTEN = Prepared(
    select(MessageRecipient.person_id, counted_at())
    .join(Message, Message.id == MessageRecipient.message_id)
    .where(
        MessageRecipient.person_id.in_(_IDS), counted_at().is_not(None), Message.kind != MessageKind.ANSWER
    )
    .order_by(counted_at())
)
"""When messages that count left, or may have; an answer to what the person wrote uses up no cap."""
HINTED_AT = case(
    (
        (Attempt.retry_kind == RetryKind.THIRD_PARTY.value) & Attempt.corrected_at.is_(None),
        select(func.max(Callback.promised_at))
        .where(
            Callback.person_id == Attempt.person_id,
            Callback.promised_in == Attempt.id,
            Callback.created_at >= Attempt.ended_at,
        )
        .correlate(Attempt)
        .scalar_subquery(),
    )
)
"""The hour at which somebody who answered for the person said to call; none if that result was undone."""
_OF_PEOPLE = Prepared(_PAST.add_columns(HINTED_AT.label("hinted_at")).where(Attempt.person_id.in_(_IDS)))
_TO_NUMBERS = Prepared(_PAST.where(Attempt.number_id.in_(_IDS), Attempt.direction == "outbound"))
_ZONE = Prepared(select(YoungPerson.zone).where(YoungPerson.id == bindparam("person")))


def states_of(
    session: Session, programme: Programme, programme_id: int, person_ids: Collection[int]
) -> dict[int, PersonState]:
    """Return the state of each person who has a place in the programme, by person id."""
    states: dict[int, PersonState] = {}
    for part in in_parts(person_ids):
        states.update(_read(session, programme, programme_id, part))
    return states


def zone_of(session: Session, person_id: int) -> ZoneInfo:
    """Return the zone in which a person lives."""
    return _zone(_ZONE.value(session, {"person": person_id}))


def calls_made(session: Session, person_id: int, *, since: datetime) -> int:
    """Return how many calls to a person since then the caps count."""
    calls = [row for row in _OF_PEOPLE.rows(session, {"ids": [person_id]}) if row.direction == "outbound"]
    return sum(_past(call).counts for call in calls if call.started_at >= since)


def eighteenth_birthday(birth_date: date) -> date:
    """Return the day from which a person is an adult (1 March for somebody born on 29 February)."""
    try:
        return birth_date.replace(year=birth_date.year + ADULT_AGE)
    except ValueError:
        return date(birth_date.year + ADULT_AGE, 3, 1)


def _read(
    session: Session, programme: Programme, programme_id: int, ids: list[int]
) -> Iterable[tuple[int, PersonState]]:
    people = _PEOPLE.rows(session, {"programme": programme_id, "ids": ids})
    numbers = _numbers(session, ids)
    attempts, heard, hints = _attempts(session, programme, ids)
    hours = policy_of(programme).hours
    opposed = set(_OPPOSED.values(session, {"ids": ids}))
    written: dict[int, list[datetime]] = defaultdict(list)
    for person_id, at in _WRITTEN.rows(session, {"ids": ids}):
        written[person_id].append(at)
    for person_id, birth_date, zone, class_label, opened_at, paused_until, reached in people:
        hinted = (hours.block_at(at, _zone(zone)) for at in hints.get(person_id, ()))
        yield (
            person_id,
            PersonState(
                person_id=person_id,
                zone=_zone(zone),
                numbers=tuple(numbers.get(person_id, ())),
                attempts=tuple(attempts.get(person_id, ())),
                opened_at=opened_at,
                eighteen_on=eighteenth_birthday(birth_date),
                opposed=person_id in opposed,
                pause_until=paused_until,
                messages=tuple(written.get(person_id, ())),
                ever_reached=bool(reached),
                segment=programme.segment_of(class_label) if programme.segments else "",
                answered_slots=tuple(heard.get(person_id, ())),
                hinted_slots=tuple(block.slot for block in hinted if block is not None),
            ),
        )


def _numbers(session: Session, ids: list[int]) -> dict[int, list[NumberState]]:
    links = _LINKS.rows(session, {"ids": ids})
    number_ids = {link.number_id for link in links}
    calls = _calls(session, number_ids)
    stopped: set[int] = set()
    for part in in_parts(number_ids):
        stopped.update(_STOPPED.values(session, {"ids": part}))
    numbers: dict[int, list[NumberState]] = defaultdict(list)
    for link in links:
        bad = link.verdict in SET_ASIDE
        numbers[link.person_id].append(
            NumberState(
                number_id=link.number_id,
                owner=Owner(link.owner),
                usable=link.callable and not bad,
                why_not=link.verdict if bad else link.why_not,
                opted_out=link.number_id in stopped,
                calls=tuple(calls.get(link.number_id, ())),
            )
        )
    return numbers


def _calls(session: Session, number_ids: Collection[int]) -> dict[int, list[datetime]]:
    """When each number was called, for anybody; promises that were kept and answered cost nothing."""
    calls: dict[int, list[datetime]] = defaultdict(list)
    for part in in_parts(number_ids):
        for attempt in _TO_NUMBERS.rows(session, {"ids": part}):
            if _past(attempt).counts:
                calls[attempt.number_id].append(attempt.started_at)
    return calls


def _attempts(
    session: Session, programme: Programme, ids: list[int]
) -> tuple[dict[int, list[PastAttempt]], dict[int, list[Slot]], dict[int, list[datetime]]]:
    """The calls to each person, the slots in which they were heard on a call of theirs, and hours named for them."""
    contacts = {entry.code for entry in programme.dispositions if entry.is_contact}
    heard: dict[int, list[Slot]] = defaultdict(list)
    hints: dict[int, list[datetime]] = defaultdict(list)
    attempts: dict[int, list[PastAttempt]] = defaultdict(list)
    for attempt in _OF_PEOPLE.rows(session, {"ids": ids}):
        if attempt.direction == "outbound":
            attempts[attempt.person_id].append(_past(attempt))
        elif _is_contact_by_their_call(attempt, contacts):
            heard[attempt.person_id].append(Slot(attempt.slot))
        if attempt.hinted_at is not None:
            hints[attempt.person_id].append(attempt.hinted_at)
    return attempts, heard, hints


def _is_contact_by_their_call(attempt: Any, contacts: Collection[str]) -> bool:
    is_theirs = attempt.direction == "inbound" and attempt.slot is not None
    return is_theirs and attempt.disposition in contacts and attempt.corrected_at is None


def _past(attempt: Any) -> PastAttempt:
    """Return a row of `_PAST` as the rules see it; a corrected result is no result."""
    kind = (
        None
        if attempt.corrected_at is not None or attempt.retry_kind is None
        else RetryKind(attempt.retry_kind)
    )
    return PastAttempt(
        at=attempt.started_at,
        number_id=attempt.number_id,
        kind=kind,
        slot=Slot(attempt.slot) if attempt.slot else None,
        local_date=attempt.local_date,
        promised=attempt.callback_id is not None,
    )


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
