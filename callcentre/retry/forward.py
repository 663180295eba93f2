"""A call made before the hour that was planned for it, because officers are idle: on which number, and why then."""

from __future__ import annotations

from datetime import datetime

from callcentre.retry.learnt import Learnt, is_control
from callcentre.retry.plan import permitted
from callcentre.retry.policy import Policy
from callcentre.retry.preference import Choice
from callcentre.retry.reasons import ReasonCode, reason
from callcentre.retry.slots import Slot
from callcentre.retry.state import PersonState


def bring_forward(person: PersonState, policy: Policy, *, planned: Slot, now: datetime) -> Choice | None:
    """The call of this hour instead of one in the slot `planned`; None when it is that slot, or none is permitted."""
    options = permitted(person, policy, now=now)
    option = next((one for one in options if one.due_at <= now), None)
    if option is None or option.block.slot is planned:
        return None
    preference = policy.preference
    if isinstance(preference, Learnt) and not is_control(person.person_id, preference.tuning):
        return preference.bring_forward(person, options, option, planned=planned, now=now)
    why = reason(ReasonCode.EARLIER, slot=option.block.slot.value, other_slot=planned.value)
    return Choice(option, why, number_id=option.number_id)
