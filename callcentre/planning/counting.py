"""The calls counted as the learning sees them: one small row for each person, brought up to date from their attempts.

Counting goes from person to person in parts, each in a transaction of its own, and remembers how far it came. After
the first night only people are counted again of whom something changed: a call, its result, or their class.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, String, and_, bindparam, case, delete, func, select, type_coerce, union
from sqlalchemy.orm import Session, sessionmaker

from callcentre.bulk import day_of, insert_rows, with_room
from callcentre.callqueue.models import Lane, QueueEntry
from callcentre.database import has_one_writer, reading, writing
from callcentre.outreach.models import Attempt
from callcentre.people.models import NumberOwner, YoungPerson
from callcentre.planning.fits import learning_of
from callcentre.planning.models import CallHistory, RetryFit, RetryLearning, SecondCalls
from callcentre.planning.together import Night, hands_for, share
from callcentre.programmes import Programme
from callcentre.retry import learnt
from callcentre.retry.learning import Group, SecondTally
from callcentre.retry.profiles import SLOTS
from callcentre.retry.state import YOUNG_PERSON_ANSWERED
from callcentre.statements import Prepared
from callcentre.tuning import RetryTuning

PART = 500
"""People counted in one transaction."""
PART_OF_ONE_WRITER = 10
"""The same where one process writes at a time: no claim waits longer than that takes."""
OVERLAP = timedelta(hours=1)
"""How long before the last count a result may have been dated that was written while it ran."""
_FIRST_DAY = date(2026, 1, 1)
"""The fixed date of the fading weights; any would do."""
_PLACES = {slot.value: place for place, slot in enumerate(SLOTS)}
_ANSWERED = frozenset(kind.value for kind in learnt.ANSWERED)
CONTACTS = frozenset(kind.value for kind in YOUNG_PERSON_ANSWERED)
_SAYS_NOTHING = frozenset(kind.value for kind in learnt.SAYS_NOTHING)
_WEIGHS = and_(
    Attempt.direction == "outbound",
    Attempt.lane == int(Lane.ORDINARY),
    Attempt.callback_id.is_(None),
    Attempt.corrected_at.is_(None),
    Attempt.retry_kind.is_not(None),
    Attempt.retry_kind.not_in(sorted(_SAYS_NOTHING)),
)
"""An ordinary call with a result: what the rates are learnt from.

Somebody who agreed on a time, rang or wrote expects the call: it only tells whose hours are whose.
"""
_COLUMNS = [
    f"{name}_{place}"
    for name in ("unanswered", "answered", "missed_weight", "taken_weight")
    for place in range(len(SLOTS))
]
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_CALLS = Prepared(
    select(
        Attempt.person_id,
        Attempt.owner,
        Attempt.direction,
        Attempt.slot,
        type_coerce(Attempt.local_date, String).label("local_date"),
        case((Attempt.corrected_at.is_(None), Attempt.retry_kind)).label("kind"),
        Attempt.disposition,
        case((_WEIGHS, 1), else_=0).label("weighs"),
    )
    .where(Attempt.person_id.in_(_IDS), Attempt.slot.is_not(None))
    .order_by(Attempt.person_id)
)
_FORGET = tuple(
    Prepared(delete(table).where(table.programme_id == bindparam("programme"), table.person_id.in_(_IDS)))
    for table in (CallHistory, SecondCalls)
)


def count_calls(
    sessions: sessionmaker[Session],
    programme: Programme,
    programme_id: int,
    now: datetime,
    *,
    hands: int | None = None,
) -> int:
    """Bring the counts up to date; return how many people were looked at. Cut off, it goes on where it stopped."""
    with writing(sessions) as session:
        learning = learning_of(session, programme_id)
        if learning.counting_since is None:
            learning.counting_since, learning.counted_person = now, 0
        since, after = learning.counted_until, learning.counted_person or 0
        if since is not None and _other_weights(session, learning.fit_id, programme):
            since = learning.counted_until = None  # the settings changed: everybody is counted anew
    ids = select(func.min(QueueEntry.person_id), func.max(QueueEntry.person_id), func.count()).where(
        QueueEntry.programme_id == programme_id, QueueEntry.person_id > after
    )
    with reading(sessions) as session:
        first, last, people = session.execute(ids).one()
    after, last = (first or 1) - 1, last or 0
    night, counted = Night(programme, programme_id, now, since), 0
    if since is None:
        ranges = share(sessions, night, Counting, after=after, last=last, hands=hands or hands_for(people))
    else:  # few people, found by one look at what changed
        ranges = share(sessions, night, Counting, after=after, last=last, hands=1, width=last + 1)
    for done, some in ranges:
        counted += some
        with writing(sessions) as session:
            session.get_one(RetryLearning, programme_id).counted_person = done
    with writing(sessions) as session:
        learning = learning_of(session, programme_id)
        learning.counted_until, learning.counting_since, learning.counted_person = (
            learning.counting_since,
            None,
            None,
        )
    return counted


def _other_weights(session: Session, fit_id: int | None, programme: Programme) -> bool:
    """Whether the last fit rests on calls that were weighed in another way than the settings now say."""
    basis = None if fit_id is None else session.scalar(select(RetryFit.basis).where(RetryFit.id == fit_id))
    tuning = programme.constants
    return (
        basis is not None
        and tuning is not None
        and basis.get("half_life_days", tuning.half_life_days) != tuning.half_life_days
    )


class Counting:
    """Counts the calls of ranges of people."""

    def __init__(self, sessions: sessionmaker[Session], night: Night) -> None:
        self._sessions, self._night = sessions, night
        self._at_once = PART_OF_ONE_WRITER if has_one_writer(sessions) else PART

    def __call__(self, after: int, last: int) -> int:
        """Count the calls of the people after `after` up to `last`; return how many had any."""
        night = self._night
        with reading(self._sessions) as session:
            people = _called(with_room(session), night, after, last)
        for start in range(0, len(people), self._at_once):
            some = people[start : start + self._at_once]
            with writing(self._sessions) as session:
                count_part(session, night.programme, night.programme_id, some)
        return len(people)


def _called(session: Session, night: Night, after: int, last: int) -> Sequence[int]:
    """People with calls to count, by id: all who were ever called, or only those of whom something changed lately."""
    called = select(QueueEntry.person_id).where(
        QueueEntry.programme_id == night.programme_id,
        QueueEntry.person_id > after,
        QueueEntry.person_id <= last,
    )
    has_calls = select(Attempt.id).where(Attempt.person_id == QueueEntry.person_id).exists()
    if night.since is None:
        return session.scalars(called.where(has_calls).order_by(QueueEntry.person_id)).all()
    since = night.since - OVERLAP
    changed = union(
        select(Attempt.person_id).where(Attempt.ended_at >= since),
        select(Attempt.person_id).where(Attempt.ended_at.is_(None)),
        select(Attempt.person_id).where(Attempt.corrected_at >= since),
        called.where(QueueEntry.opened_at >= since, has_calls),
    )
    people = set(session.scalars(called.where(QueueEntry.person_id.in_(changed))))
    moved = _of_another_segment(session, night.programme, night.programme_id)
    return sorted(people.union(one for one in moved if after < one <= last))


def _of_another_segment(session: Session, programme: Programme, programme_id: int) -> Sequence[int]:
    """People counted with the segment of a class that is no longer theirs, or of other settings."""
    kinds = (CallHistory.segment, YoungPerson.class_label)
    counted = (
        select(*kinds)
        .join(YoungPerson, YoungPerson.id == CallHistory.person_id)
        .where(CallHistory.programme_id == programme_id)
    )
    known = session.execute(counted.distinct()).all()
    others = {(segment, label) for segment, label in known if programme.segment_of(label) != segment}
    if not others:
        return []
    rows = session.execute(counted.with_only_columns(CallHistory.person_id, *kinds))
    return [person for person, *kind in rows if tuple(kind) in others]


def count_part(session: Session, programme: Programme, programme_id: int, people: Sequence[int]) -> None:
    """Count the calls of these people anew."""
    if programme.constants is None:
        return
    contacts = frozenset(entry.code for entry in programme.dispositions if entry.is_contact)
    calls = _Calls(programme.constants, contacts)
    for row in _CALLS.rows(session, {"ids": list(people)}):
        calls.add(row)
    segments = _segments(session, programme, people)
    for forget in _FORGET:
        forget.run(session, {"programme": programme_id, "ids": list(people)})
    insert_rows(
        session,
        CallHistory.__table__,
        [
            {"programme_id": programme_id, "person_id": person, "segment": segments.get(person, "")}
            | dict(zip(_COLUMNS, counts, strict=True))
            for person, counts in calls.own.items()
        ],
    )
    insert_rows(
        session,
        SecondCalls.__table__,
        [
            {
                "programme_id": programme_id,
                "person_id": person,
                "slot": place,
                "unanswered": sums[0],
                "answered": sums[1],
                "contacts": sums[2],
            }
            for (person, place), sums in calls.second.items()
        ],
    )


class _Calls:
    """Sums of a few people's calls, as `retry.learnt.history_of` counts them."""

    def __init__(self, tuning: RetryTuning, contacts: frozenset[str]) -> None:
        self._tuning, self._contacts = tuning, contacts
        self.own: dict[int, list[Any]] = {}
        self.second: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])

    def add(self, row: Any) -> None:
        """Count one call, made or received."""
        kind = row.kind
        heard, place = kind in _ANSWERED, _PLACES[row.slot]
        if row.direction == "inbound":
            heard = kind is not None and row.disposition in self._contacts
            if not heard:
                return
        elif row.direction != "outbound" or kind in _SAYS_NOTHING:
            return
        weight = weight_of(day_of(row.local_date), self._tuning.half_life_days) if row.weighs else 0.0
        if row.owner == NumberOwner.GUARDIAN and row.direction == "outbound":
            sums = self.second[row.person_id, place]
            sums[1 if heard else 0] += weight
            sums[2] += weight if kind in CONTACTS else 0.0
        else:
            counts = self.own.setdefault(row.person_id, [0] * 10 + [0.0] * 10)
            column = (len(SLOTS) if heard else 0) + place
            counts[column] += 1
            counts[10 + column] += weight


def _segments(session: Session, programme: Programme, people: Sequence[int]) -> dict[int, str]:
    if not programme.segments:
        return {}
    rows = session.execute(
        select(YoungPerson.id, YoungPerson.class_label).where(YoungPerson.id.in_(list(people)))
    )
    return {person: programme.segment_of(label) for person, label in rows}


@lru_cache(maxsize=4096)
def weight_of(day: date, half_life_days: float) -> float:
    """The fading weight of a call of this day; divide sums by the weight of today."""
    return float(2 ** ((day - _FIRST_DAY).days / half_life_days))


def groups_of(session: Session, programme_id: int, tuning: RetryTuning, today: date) -> list[Group]:
    """Return everybody who was called, grouped by equal history, with faded sums as of today."""
    counts = [getattr(CallHistory, name) for name in _COLUMNS[:10]]
    sums = [func.sum(getattr(CallHistory, name)) for name in _COLUMNS[10:]]
    rows = session.execute(
        select(CallHistory.segment, *counts, func.count(), *sums)
        .where(CallHistory.programme_id == programme_id)
        .group_by(CallHistory.segment, *counts)
        .order_by(CallHistory.segment, *counts)
    )
    now = weight_of(today, tuning.half_life_days)
    return [
        Group(
            segment=row[0],
            unanswered=tuple(row[1:6]),
            answered=tuple(row[6:11]),
            people=row[11],
            faded_unanswered=tuple(value / now for value in row[12:17]),
            faded_answered=tuple(value / now for value in row[17:22]),
        )
        for row in rows
    ]


def plain_calls(session: Session, programme_id: int) -> tuple[list[int], list[int]]:
    """Return the ordinary calls to people's own numbers, and how many of them were answered, by slot."""
    calls, answers = [0] * len(SLOTS), [0] * len(SLOTS)
    heard = case((Attempt.retry_kind.in_(sorted(_ANSWERED)), 1), else_=0)
    rows = session.execute(
        select(Attempt.slot, func.count(), func.sum(heard))
        .where(
            Attempt.programme_id == programme_id,
            Attempt.slot.is_not(None),
            Attempt.owner.is_distinct_from(NumberOwner.GUARDIAN),
            _WEIGHS,
        )
        .group_by(Attempt.slot)
    )
    for slot, made, taken in rows:
        calls[_PLACES[slot]], answers[_PLACES[slot]] = made, taken
    return calls, answers


def seconds_of(session: Session, programme_id: int, tuning: RetryTuning, today: date) -> list[SecondTally]:
    """Return the faded calls to second numbers by slot, as of today."""
    now = weight_of(today, tuning.half_life_days)
    rows = session.execute(
        select(
            SecondCalls.slot,
            func.sum(SecondCalls.unanswered),
            func.sum(SecondCalls.answered),
            func.sum(SecondCalls.contacts),
        )
        .where(SecondCalls.programme_id == programme_id)
        .group_by(SecondCalls.slot)
        .order_by(SecondCalls.slot)
    )
    return [SecondTally(slot, missed / now, taken / now, met / now) for slot, missed, taken, met in rows]
