"""People in outline: what the retry rule's answer depends on, read for many at once without building their states.

An outline is as fine as a likeness: two people of one outline have one likeness, and so one answer. Whoever has
something that an outline does not hold (a full cap, a call today, an opposition, a household's number) has none, and is
read whole. What a series of calls comes to is worked out once for each series, by the rule's own functions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Integer,
    String,
    Text,
    bindparam,
    case,
    cast,
    exists,
    func,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

from callcentre.bulk import AsStored, day_of, instant_of
from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.database import UtcDateTime
from callcentre.dispositions import RetryKind
from callcentre.outreach.kinds import MessageKind
from callcentre.outreach.message_models import Message, MessageRecipient
from callcentre.outreach.messages import counted_at
from callcentre.outreach.models import Attempt
from callcentre.people.models import Opposition, OptOut, PersonNumber, YoungPerson
from callcentre.planning.states import HINTED_AT, eighteenth_birthday
from callcentre.programmes import Programme
from callcentre.retry.learnt import Learnt, heard_in, history_of, is_control
from callcentre.retry.policy import Policy
from callcentre.retry.rules import cycle_slots, tried_slots
from callcentre.retry.slots import Slot
from callcentre.retry.state import NumberState, Owner, PastAttempt, PersonState
from callcentre.retry.worth import idle_days
from callcentre.statements import Prepared

COMING_OF_AGE = timedelta(days=150)
"""Beyond this no birthday matters to the next call."""
_RANGE = (
    QueueEntry.programme_id == bindparam("programme"),
    QueueEntry.id >= bindparam("first"),
    QueueEntry.id <= bindparam("last"),
)
"""The people of a part, and any whose entries are closed; a list of their ids takes a driver longer than the rows."""
_OTHERS = aliased(Attempt)
_INSTANT = AsStored()
ENTRIES = Prepared(
    select(
        QueueEntry.id,
        QueueEntry.person_id,
        type_coerce(QueueEntry.opened_at, _INSTANT).label("opened_at"),
        QueueEntry.deadline,
        type_coerce(QueueEntry.eligible_at, _INSTANT).label("eligible_at"),
        type_coerce(QueueEntry.eligible_until, _INSTANT).label("eligible_until"),
        type_coerce(QueueEntry.preferred_at, _INSTANT).label("preferred_at"),
        type_coerce(QueueEntry.preferred_until, _INSTANT).label("preferred_until"),
        QueueEntry.number_id,
        QueueEntry.priority,
        cast(QueueEntry.reason, Text).label("reason"),
        QueueEntry.worth,
        QueueEntry.version,
        type_coerce(QueueEntry.paused_until, _INSTANT).label("paused_until"),
        type_coerce(YoungPerson.birth_date, String).label("birth_date"),
        YoungPerson.zone,
        YoungPerson.class_label,
        type_coerce(exists().where(Opposition.person_id == YoungPerson.id), Integer).label("is_opposed"),
        select(func.count())
        .select_from(MessageRecipient)
        .join(Message, Message.id == MessageRecipient.message_id)
        .where(
            MessageRecipient.person_id == YoungPerson.id,
            counted_at() > bindparam("since", type_=UtcDateTime()),
            Message.kind != MessageKind.ANSWER,
        )
        .scalar_subquery()
        .label("written"),
    )
    .join(YoungPerson, YoungPerson.id == QueueEntry.person_id)
    .where(
        QueueEntry.programme_id == bindparam("programme"),
        QueueEntry.state == EntryState.OPEN,
        QueueEntry.id > bindparam("after"),
        QueueEntry.id <= bindparam("last"),
    )
    .order_by(QueueEntry.id)
    .limit(bindparam("at_most"))
)
"""The next open entries with their people; instants as they are stored, reasons as their JSON text.

`written`: messages since an instant, which count for a cap together with calls.
"""
_NUMBERS = Prepared(
    select(
        PersonNumber.person_id,
        PersonNumber.number_id,
        PersonNumber.owner,
        type_coerce(PersonNumber.callable, Integer),
        PersonNumber.verdict,
        type_coerce(
            exists().where(OptOut.number_id == PersonNumber.number_id, OptOut.revoked_at.is_(None)), Integer
        ),
        type_coerce(
            exists().where(
                _OTHERS.number_id == PersonNumber.number_id, _OTHERS.person_id != PersonNumber.person_id
            ),
            Integer,
        ).label("is_others"),
    )
    .join(QueueEntry, QueueEntry.person_id == PersonNumber.person_id)
    .where(*_RANGE)
    .order_by(PersonNumber.person_id, PersonNumber.position, PersonNumber.id)
)
_CALLS = Prepared(
    select(
        Attempt.person_id,
        Attempt.number_id,
        type_coerce(Attempt.started_at, _INSTANT).label("started_at"),
        type_coerce(Attempt.local_date, String).label("local_date"),
        Attempt.slot,
        case((Attempt.corrected_at.is_(None), Attempt.retry_kind)).label("kind"),
        Attempt.direction,
        type_coerce(Attempt.callback_id.is_not(None), Integer).label("promised"),
        type_coerce(HINTED_AT.is_not(None), Integer).label("hinted"),
    )
    .join(QueueEntry, QueueEntry.person_id == Attempt.person_id)
    .where(*_RANGE)
    .order_by(Attempt.person_id, Attempt.started_at)
)


class Outline(NamedTuple):
    """What a person's answer depends on, their numbers in order, and their last call."""

    key: Hashable
    number_ids: tuple[int, ...]
    last_at: datetime | None
    was_called: bool
    """Since the entry was opened."""


class Outliner:
    """Reads outlines for one policy at one instant."""

    def __init__(self, programme: Programme, programme_id: int, policy: Policy, now: datetime) -> None:
        self._programme, self._programme_id, self._policy, self._now = programme, programme_id, policy, now
        self._since = now - policy.limits.period
        self._series: dict[Hashable, int] = {}
        self._comes_to: dict[Hashable, int] = {}
        self._days: dict[str, date] = {}

    def outlines(self, session: Session, part: Sequence[Any]) -> list[Outline | None]:
        """Return the outline of each entry's person, None for one who must be read whole."""
        span = {"programme": self._programme_id, "first": part[0].id, "last": part[-1].id}
        links: dict[int, list[Any]] = defaultdict(list)
        calls: dict[int, list[Any]] = defaultdict(list)
        whole = {row.person_id for row in part if row.is_opposed}
        for link in _NUMBERS.rows(session, span):
            links[link.person_id].append(link)
            if link.is_others:
                whole.add(link.person_id)
        for call in _CALLS.rows(session, span):
            calls[call.person_id].append(call)
            if call.direction == _INBOUND or call.kind == _SOFT_REFUSAL or call.hinted:
                whole.add(call.person_id)
        return [
            None if row.person_id in whole else self._outline(row, links[row.person_id], calls[row.person_id])
            for row in part
        ]

    def _outline(self, row: Any, links: Sequence[Any], calls: Sequence[Any]) -> Outline | None:
        dialled = [call for call in calls if call.direction == _OUTBOUND]
        if self._is_full(dialled, row.written):
            return None
        today, weekday, last, was_called = self._today(row.zone), 0, None, False
        if dialled:
            last, last_day = instant_of(dialled[-1].started_at), day_of(dialled[-1].local_date)
            if last_day >= today:
                return None
            weekday, was_called = last_day.isoweekday(), dialled[-1].started_at >= row.opened_at
        number_ids = tuple([link.number_id for link in links])
        numbers = tuple([link[2:6] for link in links])
        paused = None if row.paused_until is None else instant_of(row.paused_until)
        key = (
            row.zone,
            self._series_of(numbers, tuple([_call(call, number_ids, row.opened_at) for call in calls])),
            weekday,
            _age(row.birth_date, today) if _has_others(numbers) else None,
            paused if paused is not None and paused > self._now else None,
            self._programme.segment_of(row.class_label) if self._programme.segments else "",
            None if last is None else idle_days((self._now - last) / _DAY),
            self._arm(row.person_id),
        )
        return Outline(key, number_ids, last, was_called)

    def _today(self, zone: str) -> date:
        today = self._days.get(zone)
        if today is None:
            today = self._days[zone] = self._now.astimezone(_zone(zone)).date()
        return today

    def _is_full(self, dialled: Sequence[Any], written: int) -> bool:
        """Whether the calls and messages of the last weeks may fill a cap, which frees at an instant of its own."""
        limits = self._policy.limits
        within = min(limits.calls_in_period, limits.contacts_in_period - written)
        if within <= 0:
            return True
        return len(dialled) >= within and instant_of(dialled[-within].started_at) > self._since

    def _series_of(self, numbers: tuple[tuple[Any, ...], ...], calls: tuple[tuple[Any, ...], ...]) -> int:
        """The number of what this series of calls comes to: equal for series that come to the same."""
        known = self._series.get((numbers, calls))
        if known is None:
            comes_to = _series(numbers, calls, self._policy)
            known = self._series[numbers, calls] = self._comes_to.setdefault(comes_to, len(self._comes_to))
        return known

    def _arm(self, person_id: int) -> Hashable:
        preference = self._policy.preference
        if not _rotates(preference):
            return None
        if isinstance(preference, Learnt) and not is_control(person_id, preference.tuning):
            return None
        return crc32(str(person_id).encode()) % 4


def _has_others(numbers: Sequence[tuple[Any, ...]]) -> bool:
    """Whether one of the numbers is somebody else's, who may be called for a minor only."""
    return any(number[0] != _OWN for number in numbers)


def _call(call: Any, number_ids: tuple[int, ...], opened_at: Any) -> tuple[Any, ...]:
    """What an outline holds of a call: on which of the numbers, when and with what result, since the opening or not."""
    place = number_ids.index(call.number_id) if call.number_id in number_ids else -1
    return (place, call.slot, call.kind, call.direction, call.promised, call.started_at >= opened_at)


def _series(
    numbers: tuple[tuple[Any, ...], ...], calls: tuple[tuple[Any, ...], ...], policy: Policy
) -> Hashable:
    """What a series of calls comes to: played on invented days, one call a day, the entry opened where it was."""
    made = [call for call in calls if call[3] == "outbound"]
    opened = next((n for n, call in enumerate(made) if call[5]), len(made))
    attempts = tuple(
        PastAttempt(
            at=_EPOCH + timedelta(days=n),
            number_id=place,
            kind=RetryKind(kind) if kind else None,
            slot=Slot(slot) if slot else None,
            local_date=(_EPOCH + timedelta(days=n)).date(),
            promised=bool(promised),
        )
        for n, (place, slot, kind, _, promised, _) in enumerate(made)
    )
    states = tuple(
        NumberState(
            place, Owner(owner), calls=tuple(a.at for a in attempts if a.number_id == place and a.counts)
        )
        for place, (owner, *_) in enumerate(numbers)
    )
    person = PersonState(
        person_id=0,
        zone=_zone("UTC"),
        numbers=states,
        attempts=attempts,
        opened_at=_EPOCH + timedelta(days=opened),
    )
    cap = policy.limits.calls_in_all
    guardians = {state.number_id for state in states if state.owner is Owner.GUARDIAN}
    preference = policy.preference
    weekday_slots = preference.weekday_slots if isinstance(preference, Learnt) else policy.hours.weekday_slots
    return (
        numbers,
        tuple((len(state.calls), person.since_opening(state.calls) >= cap) for state in states),
        person.calls_since_opening,
        tried_slots(attempts, policy.hours),
        frozenset(cycle_slots(attempts, weekday_slots)),
        history_of(person),
        heard_in(person),
        sum(attempt.number_id in guardians for attempt in attempts),
        frozenset(attempt.slot for attempt in attempts if attempt.slot is not None),
        attempts[-1].is_unanswered if attempts else None,
        last_weekday_slot(attempts) if _rotates(preference) else None,
    )


def last_weekday_slot(attempts: Sequence[PastAttempt]) -> Slot | None:
    """The last slot tried of those that a rotation goes round: Saturday is none of them."""
    tried = (attempt.slot for attempt in reversed(attempts))
    return next((slot for slot in tried if slot not in (None, Slot.SATURDAY)), None)


def _rotates(preference: object) -> bool:
    """Whether anybody's slots follow one another in a fixed order."""
    return not isinstance(preference, Learnt) or preference.tuning.control_share > 0


_OWN = "young_person"
_OUTBOUND, _INBOUND = "outbound", "inbound"
_SOFT_REFUSAL = RetryKind.SOFT_REFUSAL.value
_DAY = timedelta(days=1)
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=20_000)
def _age(birth_date: date | str, today: date) -> Hashable:
    adult_on = eighteenth_birthday(day_of(birth_date))
    if adult_on <= today:
        return "adult"
    return "minor" if adult_on > today + COMING_OF_AGE else adult_on
