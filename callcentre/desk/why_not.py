"""Why somebody is not being served, and when they will be: the one answer, for one person or for a page of them.

What is stored on a queue entry is the plan of its last event; it is never shown as the answer.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.bulk import in_parts
from callcentre.callqueue.models import EntryState, NumberLock, QueueEntry, Turn
from callcentre.desk.context import Desk
from callcentre.outreach.models import Callback, CallbackState
from callcentre.planning.policies import policy_in_force
from callcentre.planning.states import states_of
from callcentre.retry.plan import why_not_now
from callcentre.retry.policy import Policy
from callcentre.retry.reasons import Reason, ReasonCode, reason
from callcentre.retry.state import PersonState

HELD = frozenset({ReasonCode.LEASED, ReasonCode.TO_SETTLE})
"""Why somebody is not served whose card an officer has open: the time is that of the lease, not of a call."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reason and a time, and what chose that time where the rule did; `when` None is a definite end."""

    reason: Reason
    when: datetime | None
    why_then: Reason | None = None

    @property
    def next_call(self) -> datetime | None:
        """When the next call comes; None when there is none, or while an officer has the card open."""
        return None if self.reason.code in HELD else self.when


@dataclass(frozen=True, slots=True)
class Facts:
    """What the answer for one person depends on besides the rules; `promised_at`: an open promise."""

    state: PersonState
    entry: QueueEntry
    turn: Turn | None
    promised_at: datetime | None
    number_in_use: bool


def answers(session: Session, desk: Desk, person_ids: Collection[int], *, now: datetime) -> dict[int, Answer]:
    """Return the answer for each of these people who has a place in the programme, in a handful of queries."""
    policy = policy_in_force(session, desk.programme, desk.programme_id)
    found: dict[int, Answer] = {}
    for part in in_parts(person_ids):
        states = states_of(session, desk.programme, desk.programme_id, part)
        promised = _promised(session, desk.programme_id, part)
        numbers = {number.number_id for state in states.values() for number in state.numbers}
        held = numbers_in_use(session, numbers)
        rows = session.execute(
            select(QueueEntry, Turn)
            .outerjoin(Turn, Turn.entry_id == QueueEntry.id)
            .where(QueueEntry.programme_id == desk.programme_id, QueueEntry.person_id.in_(part))
            .execution_options(populate_existing=True)  # claims and renewals do not go through mapped objects
        )
        for entry, turn in rows:
            state = states[entry.person_id]
            in_use = any(number.number_id in held for number in state.numbers)
            facts = Facts(state, entry, turn, promised.get(entry.person_id), in_use)
            found[entry.person_id] = answer(desk, facts, policy, now=now)
    return found


def answer(desk: Desk, facts: Facts, policy: Policy, *, now: datetime) -> Answer:
    """Return the answer for one person: a lease first, then an exit, a promise, a colleague's call, then the rules."""
    entry, turn, state = facts.entry, facts.turn, facts.state
    if turn is not None and turn.token is not None:
        seen_at = turn.renewed_at or now
        silent = turn.attempt_id is not None and now >= seen_at + desk.settle_after
        return Answer(reason(ReasonCode.TO_SETTLE if silent else ReasonCode.LEASED), turn.lease_until)
    if entry.state == EntryState.CLOSED:
        day = entry.closed_at.astimezone(state.zone).date().isoformat() if entry.closed_at else ""
        return Answer(reason(ReasonCode.CLOSED, closed=entry.closed_reason or "", day=day), None)
    if facts.promised_at is not None:
        local = facts.promised_at.astimezone(state.zone)
        why = reason(ReasonCode.PROMISED, day=local.date().isoformat(), time=f"{local:%H:%M}")
        return Answer(why, max(facts.promised_at, turn.due_at if turn else facts.promised_at))
    if facts.number_in_use:
        return Answer(reason(ReasonCode.NUMBER_IN_USE), now + desk.lifetime)
    if turn is not None and turn.due_at <= now < turn.due_until:
        return Answer(reason(ReasonCode.READY), now)
    ruled = why_not_now(state, policy, now=now)
    return Answer(ruled.reason, ruled.when, ruled.why_then)


def numbers_in_use(session: Session, number_ids: Collection[int]) -> set[int]:
    """Return those of these numbers that a colleague's person is held by."""
    held: set[int] = set()
    for part in in_parts(number_ids):
        held.update(session.scalars(select(NumberLock.number_id).where(NumberLock.number_id.in_(part))))
    return held


def _promised(session: Session, programme_id: int, person_ids: list[int]) -> dict[int, datetime]:
    rows = session.execute(
        select(Callback.person_id, Callback.promised_at)
        .where(
            Callback.person_id.in_(person_ids),
            Callback.programme_id == programme_id,
            Callback.state.in_((CallbackState.PROMISED, CallbackState.MISSED)),
            Callback.settled_at.is_(None),
        )
        .order_by(Callback.id)
    )
    return dict(rows.all())
