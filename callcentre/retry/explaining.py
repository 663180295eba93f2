"""The whole answer to "why this hour": the comparison, and for each hour left out the rule that closes it.

    told = explain(person, policy, now=now)        None when no planned call comes next
    told.comparison, told.closed                   what a person's page shows on request

It asks the same rules and the same preference as `plan.next_attempt`, so it cannot say something else than was done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from callcentre.retry.comparison import Comparison
from callcentre.retry.learnt import Learnt, is_control
from callcentre.retry.plan import CallAgain, eligible_in, next_attempt
from callcentre.retry.policy import Policy
from callcentre.retry.preference import Choice, Option, Preference
from callcentre.retry.reasons import Reason, ReasonCode
from callcentre.retry.rules import CallKind, Refusal
from callcentre.retry.slots import Slot
from callcentre.retry.state import PersonState

LOOK_AHEAD_DAYS = 14
"""Local dates on which the next block of a slot is looked for."""


@dataclass(frozen=True)
class Explanation:
    """Why the next call is planned for its hour; `comparison` None where rotation or a person decided.

    `closed`: the rule that keeps a slot from being taken, by slot, for those that no rule permits soon.
    """

    why: Reason
    comparison: Comparison | None = None
    closed: Mapping[Slot, Reason] = field(default_factory=dict)


def explain(person: PersonState, policy: Policy, *, now: datetime) -> Explanation | None:
    """Why the next planned call has its hour, or None when something else comes next."""
    noting = _Noting(policy.preference)
    step = next_attempt(person, replace(policy, preference=noting), now=now)
    if not isinstance(step, CallAgain) or step.kind is not CallKind.PLANNED:
        return None
    offered = {option.block.slot for option in noting.options}
    closed = {
        slot: rule
        for slot in Slot
        if slot in policy.hours.open_slots - offered
        and (rule := _rule_that_closes(person, policy, slot, now)) is not None
    }
    comparison = None
    inner = policy.preference
    by_chance = step.why.code is not ReasonCode.PUT_OFF
    if by_chance and isinstance(inner, Learnt) and not is_control(person.person_id, inner.tuning):
        comparison = inner.compare(person, noting.options, now=now)
    return Explanation(step.why, comparison, closed)


def _rule_that_closes(person: PersonState, policy: Policy, slot: Slot, now: datetime) -> Reason | None:
    """What refuses the next block of a slot."""
    for block in policy.hours.blocks_from(now, person.zone, days=LOOK_AHEAD_DAYS):
        if block.slot is slot:
            answer = eligible_in(person, policy, block=block, now=now)
            return answer.reason if isinstance(answer, Refusal) else None
    return None


@dataclass
class _Noting:
    """Leaves the choice to the policy's preference, and keeps what it could choose from."""

    inner: Preference
    options: Sequence[Option] = ()

    def choose(self, person: PersonState, options: Sequence[Option], *, now: datetime) -> Choice:
        self.options = options
        return self.inner.choose(person, options, now=now)
