"""Everybody's next hour chosen anew, as after a night's learning: by parts, resumable, and once for equal histories.

The answer of the retry rule depends on little of a person's past. People who agree in all of that (`likeness`) get the
answer that was worked out for the first of them, so that a million people cost some ten thousand answers.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from json import dumps
from typing import Any, NamedTuple
from zlib import crc32

from sqlalchemy import Dialect, Float, Integer, SmallInteger, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from callcentre.bulk import AsStored, JsonAsStored, UpdateOfEach, as_stored, instant_of, with_room
from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.database import Identifier, dialect_of, has_one_writer, of_one_instant, reading, writing
from callcentre.planning.eligibility import Noting, priority_at, reconsider
from callcentre.planning.fits import learning_of, used
from callcentre.planning.models import RetryLearning
from callcentre.planning.outlines import COMING_OF_AGE, ENTRIES, Outline, Outliner, last_weekday_slot
from callcentre.planning.policies import policy_in_force
from callcentre.planning.states import states_of
from callcentre.planning.together import Night, hands_for, share
from callcentre.programmes import Programme
from callcentre.retry.learnt import Learnt, heard_in, history_of, is_control
from callcentre.retry.plan import CallAgain, next_attempt
from callcentre.retry.policy import Policy
from callcentre.retry.rules import cycle_slots, tried_slots
from callcentre.retry.state import QUICKLY_RETRIED, NumberState, PersonState
from callcentre.retry.worth import idle_days, order

PART = 500
"""People read at once, and planned in one transaction of a server."""
WRITTEN_AT_ONCE = 15
"""People planned in one transaction where one process writes at a time: no claim waits longer than that takes."""
SAME_WORTH = 0.01
"""Part by which a worth may differ from the stored one without being written: it moves nobody's turn to speak of."""
_RECENT = timedelta(days=2)


def replan(
    sessions: sessionmaker[Session],
    programme: Programme,
    programme_id: int,
    now: datetime,
    *,
    hands: int | None = None,
) -> int:
    """Choose everybody's next hour by the numbers in force, unless they did so already; return how many changed.

    Cut off, the next run goes on after the last range that was kept; with other numbers in force it begins anew.
    `hands`: processes, by their number if not given.
    """
    with writing(sessions) as session:
        learning = learning_of(session, programme_id)
        in_force = used(programme, learning.fit_id)
        if learning.planned_fit_id != in_force:
            learning.planned_fit_id, learning.planned_entry = in_force, 0
        if learning.planned_entry is None:
            return 0
        after = learning.planned_entry
    ids = select(func.min(QueueEntry.id), func.max(QueueEntry.id), func.count()).where(
        QueueEntry.programme_id == programme_id,
        QueueEntry.state == EntryState.OPEN,
        QueueEntry.id > after,
    )
    with reading(sessions) as session:
        first, last, people = session.execute(ids).one()
    night, changed = Night(programme, programme_id, now), 0
    hands = hands or hands_for(people)
    for done, some in share(sessions, night, Planning, after=(first or 1) - 1, last=last or 0, hands=hands):
        changed += some
        with writing(sessions) as session:
            session.get_one(RetryLearning, programme_id).planned_entry = done
    with writing(sessions) as session:
        learning_of(session, programme_id).planned_entry = None
    return changed


class Planning:
    """Plans ranges of entries by the numbers that were in force when it was made."""

    def __init__(self, sessions: sessionmaker[Session], night: Night) -> None:
        with reading(sessions) as session:
            policy = policy_in_force(session, night.programme, night.programme_id)
        self._sessions, self._night = sessions, night
        self._planner = Planner(night.programme, night.programme_id, policy, night.now, dialect_of(sessions))
        self._at_once = WRITTEN_AT_ONCE if has_one_writer(sessions) else PART

    def __call__(self, after: int, last: int) -> int:
        """Plan the entries after `after` up to `last`; return how many changed."""
        changed = 0
        while part := self._part(after, last):
            with reading(self._sessions) as session:
                answers = self._planner.answers(with_room(of_one_instant(session)), part)
            while some := list(islice(answers, self._at_once)):
                changed += self._planner.keep(self._sessions, some)
            after = part[-1].id
        return changed

    def _part(self, after: int, last: int) -> Sequence[Any]:
        values = {
            "programme": self._night.programme_id,
            "since": self._night.now - self._planner.policy.limits.period,
            "after": after,
            "last": last,
            "at_most": PART,
        }
        with reading(self._sessions) as session:
            return ENTRIES.rows(with_room(session), values)


class Answer(NamedTuple):
    """What becomes of a person's entry: its new values, or None when it must be asked about one by one."""

    person_id: int
    values: dict[str, Any] | None


class Known(NamedTuple):
    """An answer that was worked out, for everybody like the person it was worked out for.

    `step` names its number by its place among the person's; `base` is the worth before the person's own wait counts,
    None when it cannot be told. `values` are the columns that it gives all of them, as they are stored.
    """

    step: CallAgain
    base: float | None
    values: dict[str, Any]


@dataclass
class Planner:
    """Answers for many people at one instant, by one policy."""

    programme: Programme
    programme_id: int
    policy: Policy
    now: datetime
    dialect: Dialect
    outliner: Outliner = field(init=False)
    _by_outline: dict[Hashable, Known | None] = field(default_factory=dict)
    _by_likeness: dict[Hashable, Known | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outliner = Outliner(self.programme, self.programme_id, self.policy, self.now)

    def answers(self, session: Session, part: Sequence[Any]) -> Iterator[Answer]:
        """Yield what changes for these entries, each worked out when it is asked for.

        All is read before, of one instant: outlines stand for states, so both must be of the same past.
        """
        outlines = dict(zip((row.id for row in part), self.outliner.outlines(session, part), strict=True))
        unknown = [
            row.person_id
            for row in part
            if (outline := outlines[row.id]) is None or outline.key not in self._by_outline
        ]
        states = states_of(session, self.programme, self.programme_id, unknown)
        found = (self._answer(row, outlines[row.id], states) for row in part)
        return (answer for answer in found if answer is not None)

    def _answer(self, row: Any, outline: Outline | None, states: Mapping[int, PersonState]) -> Answer | None:
        if outline is not None and outline.key in self._by_outline:
            known = self._by_outline[outline.key]
        elif row.person_id not in states:
            return None  # gone since the entries were read
        else:
            known = self._known(states[row.person_id])
            if outline is not None:
                self._by_outline[outline.key] = known
        if known is None:
            return Answer(row.person_id, None)
        if outline is None:
            state = states[row.person_id]
            last = state.attempts[-1].at if state.attempts else None
            opened = instant_of(row.opened_at)
            was_called = any(attempt.at >= opened for attempt in state.attempts)
            outline = Outline((), tuple(n.number_id for n in state.numbers), last, was_called)
        return self._changed(row, outline, known)

    def _changed(self, row: Any, outline: Outline, known: Known) -> Answer | None:
        step, tuning = known.step, self.programme.constants
        if known.base is None or tuning is None:
            return Answer(row.person_id, None)
        since = outline.last_at or instant_of(row.opened_at)
        worth = min(1.0, order(known.base, _idle(since, step), tuning))
        number_id = outline.number_ids[step.number_id]
        priority = priority_at(row.deadline, step, was_called=outline.was_called)
        if (
            row.worth is not None
            and abs(row.worth - worth) <= SAME_WORTH * worth
            and (row.number_id, row.priority) == (number_id, priority)
            and all(getattr(row, name) == value for name, value in known.values.items())
        ):
            return None
        values = known.values | {
            "number_id": number_id,
            "priority": priority,
            "worth": worth,
            "entry": row.id,
            "as_of": row.version,
            "was_preferred": row.preferred_at,
            "was_paused": row.paused_until,
        }
        return Answer(row.person_id, values)

    def _known(self, state: PersonState) -> Known | None:
        like = likeness(state, self.policy, self.now)
        if like is None:
            return None
        if like not in self._by_likeness:
            self._by_likeness[like] = self._work_out(state)
        return self._by_likeness[like]

    def _work_out(self, state: PersonState) -> Known | None:
        noting = Noting(self.policy.preference)
        step = next_attempt(state, replace(self.policy, preference=noting), now=self.now)
        if not isinstance(step, CallAgain) or noting.earliest is None:
            return None
        places = {number.number_id: place for place, number in enumerate(state.numbers)}
        grown, tuning = 1.0, self.programme.constants
        if tuning is not None:
            since = state.attempts[-1].at if state.attempts else state.opened_at
            grown = order(1.0, _idle(since, step), tuning)
        base = step.value / grown if step.value < 1 else None
        placed = replace(step, number_id=places[step.number_id])
        instants = (noting.earliest.due_at, noting.earliest.due_until, step.due_at, step.due_until)
        values = {name: as_stored(at, self.dialect) for name, at in zip(_INSTANTS, instants, strict=True)}
        return Known(placed, base, {**values, "reason": dumps(step.why.as_json())})

    def keep(self, sessions: sessionmaker[Session], answers: Sequence[Answer]) -> int:
        """Write what changed, of entries that nobody has changed meanwhile; return how many were."""
        filled = _KEEP.filled(self.dialect, [a.values for a in answers if a.values is not None])
        alone = [answer.person_id for answer in answers if answer.values is None]
        with writing(sessions) as session:
            written = _KEEP.run(session, filled)
            if alone:
                reconsider(session, self.programme, self.programme_id, alone, now=self.now)
        return written + len(alone)


_INSTANTS = ("eligible_at", "eligible_until", "preferred_at", "preferred_until")
_KEEP = UpdateOfEach(
    lambda given: (
        update(QueueEntry)
        .where(
            QueueEntry.id == given("entry"),
            QueueEntry.state == EntryState.OPEN,
            QueueEntry.version == given("as_of"),
            QueueEntry.preferred_at.is_not_distinct_from(given("was_preferred")),
            QueueEntry.paused_until.is_not_distinct_from(given("was_paused")),
        )
        .values({name: given(name) for name in (*_INSTANTS, "reason", "number_id", "priority", "worth")})
    ),
    entry=Identifier,
    as_of=Integer(),
    was_preferred=AsStored(),
    was_paused=AsStored(),
    **{name: AsStored() for name in _INSTANTS},
    reason=JsonAsStored(),
    number_id=Identifier,
    priority=SmallInteger(),
    worth=Float(),
)


def _idle(since: datetime | None, step: CallAgain) -> float:
    """Days from the last call, or from the opening of the entry, to the next call."""
    return 0.0 if since is None else max(0.0, (step.due_at - since) / timedelta(days=1))


def likeness(state: PersonState, policy: Policy, now: datetime) -> Hashable | None:
    """All of a person's past on which the rule's answer at `now` depends; None when it must be asked for them alone.

    Two people of one likeness get the same answer, but for which number is theirs.
    """
    today = now.astimezone(state.zone).date()
    last = state.attempts[-1] if state.attempts else None
    if last is not None and (
        last.local_date >= today or (now - last.at < _RECENT and last.kind in QUICKLY_RETRIED)
    ):
        return None
    if state.opposed:
        return None
    limits = policy.limits
    refused = max(
        (a.at for a in state.attempts if a.kind is not None and a.kind.value == "soft_refusal"), default=None
    )
    full = _full_until(state.calls, limits.calls_in_period, now - limits.period)
    contacts = sorted((*state.calls, *state.messages)) if state.messages else state.calls
    numbers = []
    for number in state.numbers:
        like = _number(number, state, policy, now)
        if like is None:
            return None
        numbers.append(like)
    return (
        state.zone.key,
        tuple(numbers),
        _age(state, now) if any(number.owner != "young_person" for number in state.numbers) else None,
        state.pause_until if state.pause_until is not None and state.pause_until > now else None,
        refused if refused is not None and refused + limits.soft_refusal > now else None,
        full,
        _full_until(contacts, limits.contacts_in_period, now - limits.period),
        state.calls_since_opening,
        tried_slots(state.attempts, policy.hours),
        None if last is None else (last.is_unanswered, last.local_date.isoweekday()),
        _preference(state, policy, now),
    )


def _number(number: NumberState, state: PersonState, policy: Policy, now: datetime) -> Hashable | None:
    calls, limits = number.calls, policy.limits
    if calls and calls[-1].astimezone(state.zone).date() >= now.astimezone(state.zone).date():
        return None
    return (
        number.owner,
        number.usable,
        number.opted_out,
        len(calls),
        state.since_opening(calls) >= limits.calls_in_all,
        _full_until(calls, limits.calls_in_period, now - limits.period),
    )


def _full_until(calls: Sequence[datetime], cap: int, since: datetime) -> datetime | None:
    """The call whose age frees a full cap, None when the cap is not full."""
    return calls[-cap] if len(calls) >= cap and calls[-cap] > since else None


def _age(state: PersonState, now: datetime) -> Hashable:
    if state.eighteen_on is None or state.eighteen_on <= now.astimezone(state.zone).date():
        return "adult"
    return "minor" if state.eighteen_on > (now + COMING_OF_AGE).date() else state.eighteen_on


def _preference(state: PersonState, policy: Policy, now: datetime) -> Hashable:
    """What the preference looks at besides: the history of calls, or where a rotation begins."""
    preference = policy.preference
    tried = tuple(sorted({attempt.slot for attempt in state.attempts if attempt.slot is not None}))
    last = last_weekday_slot(state.attempts)
    if isinstance(preference, Learnt) and not is_control(state.person_id, preference.tuning):
        guardians = {number.number_id for number in state.numbers if number.owner == "guardian"}
        second = sum(attempt.number_id in guardians for attempt in state.attempts)
        cycle = frozenset(cycle_slots(state.attempts, preference.weekday_slots))
        idle = idle_days((now - state.attempts[-1].at) / timedelta(days=1)) if state.attempts else None
        return history_of(state), heard_in(state), second, tried, cycle, idle
    return (
        "rotation",
        crc32(str(state.person_id).encode()) % 4 if last is None else last,
        bool(state.attempts),
        tried,
    )
