"""Eligible people become turns: at the start of each block, as people become eligible, or when a claim finds nobody.

No more of them than the block can call, with a margin, and in proportion to what each territory weighs; what is left
over is planned again. A turn never outlives its block, so nobody is rung in a forbidden slot for having been due in
an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, delete, func, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from callcentre.callqueue import turns
from callcentre.callqueue.days import ensure_day
from callcentre.callqueue.models import EntryState, Lane, QueueEntry, TerritoryDay, Turn
from callcentre.database import UtcDateTime
from callcentre.directory import queries as directory
from callcentre.directory.models import Programme as ProgrammeRow
from callcentre.outreach import callbacks
from callcentre.people.households import households
from callcentre.planning.eligibility import RECONSIDER_AFTER, reconsider
from callcentre.planning.load import record_blocks
from callcentre.planning.policies import policy_in_force, policy_of
from callcentre.planning.states import states_of, zone_of
from callcentre.programmes import Programme
from callcentre.retry.forward import bring_forward
from callcentre.retry.plan import Permission, may_call
from callcentre.retry.policy import Policy
from callcentre.retry.reasons import Reason
from callcentre.retry.rules import Refusal
from callcentre.retry.state import PersonState
from callcentre.statements import Prepared

LOW = 64
"""Ready people below which more are planned, so that no territory runs dry while it has people to call: these, or
what the team calls in LOW_FOR when that is less."""
LOW_FOR = timedelta(minutes=40)
ON_THE_SPOT = 4
"""How many times as many people are then planned at once, for officers who ask."""
STALE_AT_ONCE = 500
"""People whose hour has passed looked at again in one go at most, since nobody else writes meanwhile on SQLite. No more
of them than there is room for: the work follows the calls that can be made, not the length of the list."""
URGENT = 0
"""The priority of those who are made ready whatever the room: a minor's legal clock, the repeat of a busy call."""
HORIZON = timedelta(hours=1)
"""What is planned ahead outside the programme's own hours, for people of another zone."""

_INSERT = text(
    """
    INSERT INTO turns (entry_id, person_id, programme_id, territory_id, lane, priority, due_at, due_until, number_id,
      reason, shares_number)
    SELECT e.id, e.person_id, e.programme_id, e.territory_id, 4, e.priority,
      CASE WHEN :preferred THEN e.preferred_at ELSE e.eligible_at END,
      CASE WHEN :preferred THEN e.preferred_until ELSE e.eligible_until END, e.number_id, e.reason, :shares
    FROM queue_entries e WHERE e.id = :entry
    ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True)
class _Hour:
    """People by an hour of theirs, statements that are put together once: where it is now, and where it has passed."""

    here: Select[*tuple[Any, ...]]
    passed: Select[int]

    @classmethod
    def of(
        cls, start: InstrumentedAttribute[datetime | None], end: InstrumentedAttribute[datetime | None]
    ) -> _Hour:
        """Return the statements for people whose hour is from `start` to `end`."""
        order = (QueueEntry.priority, func.coalesce(QueueEntry.worth, 0.0).desc(), start, QueueEntry.id)
        passed = (QueueEntry.priority, start, QueueEntry.id)
        now = bindparam("now", type_=UtcDateTime())
        waiting = (
            (QueueEntry.programme_id == bindparam("programme"))
            & (QueueEntry.state == EntryState.OPEN)
            & (start <= now)
            & QueueEntry.id.not_in(select(Turn.entry_id))
        )
        place = func.row_number().over(partition_by=QueueEntry.territory_id, order_by=order)
        ranked = (
            select(
                QueueEntry.id,
                QueueEntry.person_id,
                QueueEntry.territory_id,
                QueueEntry.priority,
                place.label("place"),
            )
            .where(waiting, end > now)
            .subquery()
        )
        return cls(
            here=select(ranked)
            .where((ranked.c.place <= bindparam("room")) | (ranked.c.priority == URGENT))
            .order_by(ranked.c.territory_id, ranked.c.place),
            passed=select(QueueEntry.person_id)
            .where(waiting, end <= now)
            .order_by(*passed)
            .limit(bindparam("at_most")),
        )


_PREFERRED = _Hour.of(QueueEntry.preferred_at, QueueEntry.preferred_until)
_PERMITTED = _Hour.of(QueueEntry.eligible_at, QueueEntry.eligible_until)
_PROGRAMME = (
    select(ProgrammeRow.id).where(ProgrammeRow.id == bindparam("programme")).with_for_update(key_share=True)
)
_WEIGHTS = (
    select(TerritoryDay.territory_id, func.max(TerritoryDay.weight))
    .where(
        TerritoryDay.programme_id == bindparam("programme"),
        TerritoryDay.territory_id.in_(bindparam("territories", expanding=True)),
    )
    .group_by(TerritoryDay.territory_id)
)

_READY = Prepared(
    text(
        """
        SELECT count(*) FROM (SELECT id FROM turns WHERE programme_id = :programme AND token IS NULL AND lane = 4
          AND due_at <= :now AND due_until > :now LIMIT :enough) AS ready
        """
    ).bindparams(bindparam("now", type_=UtcDateTime()))
)
"""How many may be called now, counted up to as many as are enough: every claim asks."""


def plan_current_block(session: Session, programmes: Iterable[Programme], now: datetime) -> int:
    """Plan every programme's current block; return how many people became ready."""
    return sum(plan(session, programme, now=now) for programme in programmes)


def plan(session: Session, programme: Programme, *, now: datetime) -> int:
    """Plan one programme's current block up to what it can call, and the urgent; return how many became ready."""
    programme_id = directory.programme_id(session, programme.code)
    if programme_id is None:
        return 0
    _alone(session, programme_id)
    record_blocks(session, programme, programme_id, now=now)
    ensure_day(session, programme_id, day=now.astimezone(programme.tz).date())
    _sweep(session, programme, programme_id, now)
    ready = session.scalar(
        select(func.count())
        .select_from(Turn)
        .where(Turn.programme_id == programme_id, Turn.token.is_(None), Turn.lane == int(Lane.ORDINARY))
    )
    room = _capacity(programme, now) - (ready or 0)
    return _fill(session, programme, programme_id, max(0, room), now, preferred=True)


def plan_anew(session: Session, programme: Programme, *, now: datetime) -> int:
    """Plan the current block by hours that have changed: who was ready by the old ones steps back first."""
    programme_id = directory.programme_id(session, programme.code)
    if programme_id is None:
        return 0
    _alone(session, programme_id)
    session.execute(
        delete(Turn).where(
            Turn.programme_id == programme_id, Turn.token.is_(None), Turn.lane == int(Lane.ORDINARY)
        )
    )
    return plan(session, programme, now=now)


def plan_on_the_spot(session: Session, programme: Programme, programme_id: int, *, now: datetime) -> int:
    """Plan a few people for officers who wait: those whose hour it is, else those whom the hard rules permit."""
    _alone(session, programme_id)
    if not is_low(session, programme, programme_id, now=now):
        return 1  # a colleague's request has just planned them
    ensure_day(session, programme_id, day=now.astimezone(programme.tz).date())
    _sweep(session, programme, programme_id, now)
    room = ON_THE_SPOT * _low(programme)
    return _fill(session, programme, programme_id, room, now, preferred=True) or _fill(
        session, programme, programme_id, room, now, preferred=False
    )


def _alone(session: Session, programme_id: int) -> None:
    """Wait for whoever plans this programme: two who plan the same people would wait for each other's rows.

    SQLite has one writer anyway. Not a plain FOR UPDATE: that would hold up everything that refers to a programme.
    """
    session.execute(_PROGRAMME, {"programme": programme_id})


def is_low(session: Session, programme: Programme, programme_id: int, *, now: datetime) -> bool:
    """Tell whether so few people are ready now that more should be planned."""
    enough = _low(programme)
    return bool(_READY.value(session, {"programme": programme_id, "now": now, "enough": enough}) < enough)


def _low(programme: Programme) -> int:
    return min(LOW, _team_calls(programme, LOW_FOR))


def _team_calls(programme: Programme, during: timedelta) -> int:
    planning = programme.planning
    return ceil(planning.officers * planning.calls_per_officer_hour * (during / timedelta(hours=1)))


def _sweep(session: Session, programme: Programme, programme_id: int, now: datetime) -> None:
    """Take away turns whose block is over, carry promises and calls received over, look again at the rest."""
    session.execute(
        delete(Turn).where(
            Turn.programme_id == programme_id,
            Turn.token.is_(None),
            Turn.lane == int(Lane.ORDINARY),
            Turn.due_until <= now,
        )
    )
    late = session.scalars(
        select(Turn).where(
            Turn.programme_id == programme_id,
            Turn.token.is_(None),
            Turn.lane < int(Lane.ORDINARY),
            Turn.due_until <= now,
        )
    ).all()
    if late:
        states = states_of(session, programme, programme_id, [turn.person_id for turn in late])
        for turn in late:
            turn.due_at, turn.due_until = next_window(programme, states[turn.person_id].zone.key, now)
    _keep_or_end_promises(session, programme, programme_id, now)


def _keep_or_end_promises(session: Session, programme: Programme, programme_id: int, now: datetime) -> None:
    """Move due promises whose number may never be called again to another one, or end them.

    A guardian's promise outlives the minor's majority, a number proves wrong: served as they are, such people would be
    the first card of every officer, and refused to each.
    """
    due = session.scalars(
        select(Turn).where(
            Turn.programme_id == programme_id,
            Turn.token.is_(None),
            Turn.lane == int(Lane.PROMISE),
            Turn.due_at <= now,
        )
    ).all()
    if not due:
        return
    states = states_of(session, programme, programme_id, [turn.person_id for turn in due])
    policy, ended = policy_of(programme), []
    for turn in due:
        state = states[turn.person_id]
        known = any(number.number_id == turn.number_id for number in state.numbers)
        answer = may_call(state, policy, now=now, number_id=turn.number_id if known else None, promised=True)
        if isinstance(answer, Refusal) and answer.is_final:
            answer = may_call(state, policy, now=now, promised=True)
        if isinstance(answer, Permission):
            turn.number_id = answer.number_id
        elif answer.is_final:
            session.delete(turn)
            callbacks.cancel(session, person_id=turn.person_id, programme_id=programme_id, now=now)
            ended.append(turn.person_id)
    if ended:
        reconsider(session, programme, programme_id, ended, now=now)


def _fill(
    session: Session, programme: Programme, programme_id: int, room: int, now: datetime, *, preferred: bool
) -> int:
    """Make so many people ready, once those whose hour has passed without a call were looked at again.

    Who was left over in a block is counted before their hour moves on, by whoever comes first, job or claim.
    """
    hour = _PREFERRED if preferred else _PERMITTED
    wanted = {"programme": programme_id, "now": now, "at_most": min(room, STALE_AT_ONCE)}
    passed = session.scalars(hour.passed, wanted).all()
    if passed:
        record_blocks(session, programme, programme_id, now=now)
        reconsider(session, programme, programme_id, passed, now=now)
    return _make_ready(session, programme, programme_id, room, now, hour)


def next_window(programme: Programme, zone: str, moment: datetime) -> tuple[datetime, datetime]:
    """Return when calling is next open at or after `moment` in a person's zone, and when that stretch ends.

    When nothing opens within a year: a moment, which serves nobody, and at which whoever waits for it is asked again.
    """
    hours, place = policy_of(programme).hours, ZoneInfo(zone)
    opening = hours.next_opening(moment, place)
    if opening is None:
        later = moment + RECONSIDER_AFTER
        return later, later
    end = opening
    for block in hours.blocks_from(opening, place, days=1):
        if block.start > end:
            break
        end = block.end
    return opening, end


def call_next(
    session: Session,
    programme: Programme,
    entry: QueueEntry,
    lane: Lane,
    why: Reason,
    *,
    number_id: int | None,
    now: datetime,
) -> None:
    """Let somebody who wrote or called us be called next, after promises: now, or when calling next opens."""
    start, end = next_window(programme, zone_of(session, entry.person_id).key, now)
    turns.put(session, entry, lane, due_at=start, due_until=end, reason=why.as_json(), number_id=number_id)


def _capacity(programme: Programme, now: datetime) -> int:
    """How many people the rest of the block can call, with the programme's margin."""
    block = policy_of(programme).hours.block_at(now, programme.tz)
    left = block.end - now if block else HORIZON
    return ceil(_team_calls(programme, left) * programme.planning.margin)


def _make_ready(
    session: Session, programme: Programme, programme_id: int, room: int, now: datetime, hour: _Hour
) -> int:
    chosen = _candidates(session, programme_id, room, now, hour)
    if not chosen:
        return 0
    people = {person: entry for entry, person in chosen}
    sharers, busy = _households(session, people)
    states = states_of(session, programme, programme_id, people)
    policy = policy_in_force(session, programme, programme_id)
    permitted, refused = [], []
    ready: dict[int, PersonState] = {}
    for person, entry in people.items():
        if person in busy:
            continue
        answer = may_call(states[person], policy, now=now)
        if isinstance(answer, Permission):
            permitted.append({"entry": entry, "shares": person in sharers, "preferred": hour is _PREFERRED})
            ready[entry] = states[person]
        else:
            refused.append(person)
    if refused:
        reconsider(session, programme, programme_id, refused, now=now)
    if permitted:
        session.execute(_INSERT, permitted)
        if hour is not _PREFERRED:
            _bring_forward(session, ready, policy, now)
    return len(permitted)


def _bring_forward(
    session: Session, brought: Mapping[int, PersonState], policy: Policy, now: datetime
) -> None:
    """Give people who come before the hour that was planned the number and the sentence of the hour that it is."""
    planned = select(QueueEntry.id, QueueEntry.preferred_at).where(QueueEntry.id.in_(brought))
    for entry, preferred_at in session.execute(planned).all():
        state = brought[entry]
        block = None if preferred_at is None else policy.hours.block_at(preferred_at, state.zone)
        choice = None if block is None else bring_forward(state, policy, planned=block.slot, now=now)
        if choice is not None:
            session.execute(
                update(Turn)
                .where(Turn.entry_id == entry, Turn.token.is_(None), Turn.lane == int(Lane.ORDINARY))
                .values(number_id=choice.number_id, reason=choice.why.as_json())
            )


def _candidates(
    session: Session, programme_id: int, room: int, now: datetime, hour: _Hour
) -> Sequence[tuple[int, int]]:
    """Return (entry id, person id) of people to make ready: each territory's part of the room, and the urgent ones."""
    rows = session.execute(hour.here, {"programme": programme_id, "now": now, "room": room}).all()
    territories = {row.territory_id for row in rows}
    weighed = session.execute(_WEIGHTS, {"programme": programme_id, "territories": list(territories)}).all()
    weights = {row[0]: row[1] for row in weighed}
    whole = sum(weights.get(territory, 1.0) for territory in territories) or 1.0
    parts = {territory: ceil(room * weights.get(territory, 1.0) / whole) for territory in sorted(territories)}
    return [
        (row.id, row.person_id)
        for row in rows
        if row.place <= parts[row.territory_id] or row.priority == URGENT
    ]


def _households(session: Session, people: Mapping[int, int]) -> tuple[set[int], set[int]]:
    """Return who of these people shares a number with somebody, and who does so with somebody on a call now."""
    sharing = households(session, people)
    others = set().union(*sharing.values()) - set(people)
    leased = set(session.scalars(select(Turn.person_id).where(Turn.token.is_not(None))))
    if others:  # those who were made ready alone must take the lock on the number from now on
        session.execute(
            update(Turn).where(Turn.person_id.in_(others), Turn.token.is_(None)).values(shares_number=True)
        )
    return set(sharing), {person for person, household in sharing.items() if household & leased}
