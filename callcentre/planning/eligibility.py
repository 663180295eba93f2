"""When each person may be called again: the retry rule's answer, stored on their queue entry."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, delete, exists, select
from sqlalchemy.orm import Session

from callcentre.bulk import in_parts
from callcentre.callqueue import entries
from callcentre.callqueue.models import EntryState, Lane, QueueEntry, Turn
from callcentre.outreach.models import Callback, CallbackState
from callcentre.people.kinds import SET_ASIDE, NumberOwner
from callcentre.people.models import OptOut, PersonNumber
from callcentre.people.opt_outs import people_reached_by
from callcentre.planning import routes
from callcentre.planning.policies import policy_in_force, policy_of
from callcentre.planning.states import states_of
from callcentre.programmes import Programme
from callcentre.retry.plan import CallAgain, NextStep, OtherRoute, RouteKind, Stop, next_attempt
from callcentre.retry.preference import Choice, Option, Preference
from callcentre.retry.reasons import ReasonCode, reason
from callcentre.retry.rules import CallKind, soft_refusal_ends
from callcentre.retry.state import PersonState
from callcentre.statements import Prepared

RECONSIDER_AFTER = timedelta(days=7)
"""When a person for whom no hour is permitted is looked at again, should the hours have been widened."""

MINORS_CLOCK = timedelta(days=30)
"""How long before the end of a minor's legal clock they go first."""


_OPEN = select(QueueEntry).where(
    QueueEntry.programme_id == bindparam("programme"),
    QueueEntry.person_id.in_(bindparam("people", expanding=True)),
    QueueEntry.state == EntryState.OPEN,
)
_PROMISED = Prepared(
    select(Callback.person_id).where(
        Callback.programme_id == bindparam("programme"),
        Callback.person_id.in_(bindparam("people", expanding=True)),
        Callback.state.in_((CallbackState.PROMISED, CallbackState.MISSED)),
    )
)
_UNSUPPORTED = Prepared(
    delete(Turn).where(
        Turn.entry_id.in_(bindparam("entries", expanding=True)),
        Turn.token.is_(None),
        Turn.lane == int(Lane.ORDINARY),
    )
)


@dataclass
class Noting:
    """Leaves the choice to the policy's preference, and notes the first permitted moment: what idle officers get."""

    inner: Preference
    earliest: Option | None = None

    def choose(self, person: PersonState, options: Sequence[Option], *, now: datetime) -> Choice:
        self.earliest = min(options, key=lambda option: option.due_at)
        return self.inner.choose(person, options, now=now)


def reconsider(
    session: Session, programme: Programme, programme_id: int, person_ids: Collection[int], *, now: datetime
) -> dict[int, NextStep]:
    """Ask the retry rule again about these people and store its answer; return it by person id.

    Ready turns that the answer no longer supports are removed; leases are left alone. Closed entries stay closed.
    """
    session.flush()
    states = states_of(session, programme, programme_id, person_ids)
    found = session.scalars(_OPEN, {"programme": programme_id, "people": list(states)}).all()
    promised = _promised(session, programme_id, states)
    policy = policy_in_force(session, programme, programme_id)
    steps: dict[int, NextStep] = {}
    for entry in found:
        state, noting = states[entry.person_id], Noting(policy.preference)
        step = next_attempt(state, replace(policy, preference=noting), now=now)
        steps[entry.person_id] = step
        _store(
            session, programme, entry, step, state, noting.earliest, now, promised=entry.person_id in promised
        )
    session.flush()
    _remove_unsupported(session, [entry.id for entry in found])
    return steps


def stopped(
    session: Session, programme: Programme, programme_id: int, number_id: int, *, now: datetime
) -> set[int]:
    """Plan anew everybody whom a number reaches that has just said stop; return who they are.

    Who is being looked for by other ways, and has no other number of their own to be reached on, is left in peace, in
    every programme.
    """
    reached = people_reached_by(session, number_id)
    reconsider(session, programme, programme_id, reached, now=now)
    own = (
        PersonNumber.person_id == QueueEntry.person_id,
        PersonNumber.owner == NumberOwner.YOUNG_PERSON,
        PersonNumber.verdict.not_in(SET_ASIDE),
    )
    said_stop = exists().where(OptOut.number_id == PersonNumber.number_id, OptOut.revoked_at.is_(None))
    looked_for = session.scalars(
        select(QueueEntry).where(
            QueueEntry.person_id.in_(reached),
            QueueEntry.state == EntryState.CLOSED,
            QueueEntry.closed_reason.in_(routes.IN_ROUND),
            exists().where(*own, PersonNumber.number_id == number_id),
            ~exists().where(*own, PersonNumber.callable, ~said_stop),
        )
    ).all()
    for entry in looked_for:
        entry.reason = reason(ReasonCode.OPTED_OUT_EVERYWHERE).as_json()
        entries.close(session, entry, reason="opted_out", reopened_by=_REOPENED_BY["opted_out"], now=now)
        routes.leave(session, entry, now=now)
    return reached


def hold_rounds(session: Session, person_id: int, *, until: datetime) -> None:
    """Let nobody look for a person by other ways before an instant, or the end of a longer pause, in any programme."""
    for left_as in routes.IN_ROUND:
        for entry in entries.closed_by(session, person_id, left_as):
            routes.hold(session, entry, until=max(until, entry.paused_until or until))


def _store(
    session: Session,
    programme: Programme,
    entry: QueueEntry,
    step: NextStep,
    state: PersonState,
    first: Option | None,
    now: datetime,
    *,
    promised: bool,
) -> None:
    entry.reason = step.why.as_json()
    match step:
        case CallAgain():
            earliest = first or step  # a quick retry leaves no choice
            entry.eligible_at, entry.eligible_until = earliest.due_at, earliest.due_until
            entry.preferred_at, entry.preferred_until = step.due_at, step.due_until
            entry.number_id, entry.priority = step.number_id, _priority(entry, state, step)
            entry.worth = step.value
        case _ if promised:  # a promise is kept even when the plan has come to its end
            entry.eligible_at = entry.eligible_until = entry.preferred_at = entry.preferred_until = None
        case Stop() | OtherRoute(kind=RouteKind.DETAILS_TO_FIND):
            _leave(session, programme, entry, step, state, now)
        case OtherRoute():
            entries.look_again(entry, at=now + RECONSIDER_AFTER)


def _leave(
    session: Session,
    programme: Programme,
    entry: QueueEntry,
    step: Stop | OtherRoute,
    state: PersonState,
    now: datetime,
) -> None:
    """Take somebody out of the queue; where calls do not work, the programme's other routes come before the end."""
    left_as = step.reason.value if isinstance(step, Stop) else routes.DETAILS_TO_FIND
    entries.close(session, entry, reason=left_as, reopened_by=_REOPENED_BY[left_as], now=now)
    if left_as not in _NOT_BY_OTHER_ROUTES:
        pauses = (entry.paused_until, soft_refusal_ends(state, policy_of(programme).limits))
        not_before = max((until for until in pauses if until is not None and until > now), default=None)
        routes.begin(
            session, programme, entry, ever_reached=state.ever_reached, now=now, not_before=not_before
        )


def _priority(entry: QueueEntry, state: PersonState, step: CallAgain) -> int:
    called = any(attempt.at >= entry.opened_at for attempt in state.attempts)
    return priority_at(entry.deadline, step, was_called=called)


def priority_at(deadline: date | None, step: CallAgain, *, was_called: bool) -> int:
    """Who goes first: a repeat within its hour and a minor's clock, then first calls, then the rest."""
    if step.kind is CallKind.QUICK_RETRY:
        return 0  # its right lasts an hour: behind anybody else it would never be used
    if deadline is not None and step.block.date >= deadline - MINORS_CLOCK:
        return 0
    return 2 if was_called else 1


_REOPENED_BY = {
    "opposed": "supervisor",
    "opted_out": "new_number inbound supervisor",
    "never_reached": "new_number new_list inbound supervisor",
    "no_longer_reached": "new_number new_list inbound supervisor",
    "details_to_find": "new_number inbound supervisor",
}
_NOT_BY_OTHER_ROUTES = frozenset({"opposed", "opted_out"})
"""Who asked not to be reached is not looked for by another way."""


def _promised(session: Session, programme_id: int, person_ids: Collection[int]) -> set[int]:
    if not person_ids:
        return set()
    return set(_PROMISED.values(session, {"programme": programme_id, "people": list(person_ids)}))


def _remove_unsupported(session: Session, entry_ids: list[int]) -> None:
    """Remove ordinary ready turns of people who were asked about again; the next planning makes them anew."""
    for part in in_parts(entry_ids):
        _UNSUPPORTED.run(session, {"entries": part})
