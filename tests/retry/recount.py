"""A second, naive reading of the rules, to judge the calls that the first one permits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import holidays

from callcentre.dispositions import RetryKind
from callcentre.retry.policy import Policy
from callcentre.retry.rules import CallKind
from callcentre.retry.slots import Slot
from callcentre.retry.state import Owner, PastAttempt, PersonState

OVERSEAS = {
    "Indian/Reunion": "974",
    "America/Martinique": "972",
    "America/Miquelon": "PM",
    "Pacific/Noumea": "NC",
}
WEEKDAY_SLOTS = {Slot.MORNING, Slot.MIDDAY, Slot.AFTERNOON, Slot.EVENING}


def broken_rules(
    person: PersonState, policy: Policy, *, at: datetime, number_id: int, kind: CallKind = CallKind.PLANNED
) -> set[str]:
    """The rules that a call at this instant to this number would break, by name."""
    broken = _calendar(person, policy, at) | _number(person, policy, at, number_id)
    if person.opposed:
        broken.add("opposed")
    if kind is CallKind.PROMISED:
        return broken
    owner = next(n.owner for n in person.numbers if n.number_id == number_id)
    if owner == Owner.GUARDIAN and not policy.limits.guardian_attempts:
        broken.add("guardian never called")
    broken |= _caps(person, policy, at, number_id)
    if kind is CallKind.QUICK_RETRY:
        return broken | ({"no right to a repeat"} - _right_to_repeat(person, policy, at, number_id))
    return broken | _day(person, policy, at, number_id) | _coverage(person, policy, at)


def _calendar(person: PersonState, policy: Policy, at: datetime) -> set[str]:
    local = at.astimezone(person.zone)
    spans = policy.hours.windows.get(local.isoweekday(), ())
    broken = set()
    if not any(start <= local.time() < end for start, end in spans):
        broken.add("window")
    public = holidays.country_holidays("FR", subdiv=OVERSEAS.get(person.zone.key), years=local.year)
    if local.date() in public or local.date() in policy.hours.closed_days:
        broken.add("closed day")
    return broken


def _number(person: PersonState, policy: Policy, at: datetime, number_id: int) -> set[str]:
    number = next(n for n in person.numbers if n.number_id == number_id)
    broken = set()
    if not number.usable:
        broken.add("unusable")
    if number.opted_out:
        broken.add("opted out")
    today = at.astimezone(person.zone).date()
    is_adult = person.eighteen_on is None or person.eighteen_on <= today
    if is_adult and number.owner != Owner.YOUNG_PERSON and not policy.limits.calls_adult_guardians:
        broken.add("guardian of an adult")
    return broken


def _caps(person: PersonState, policy: Policy, at: datetime, number_id: int) -> set[str]:
    limits = policy.limits
    opened = person.opened_at or datetime.min.replace(tzinfo=at.tzinfo)
    calls = [a.at for a in person.attempts if a.counts]
    on_number = next(n.calls for n in person.numbers if n.number_id == number_id)
    broken = set()
    for name, made in (("person", calls), ("number", on_number)):
        if len([m for m in made if m >= opened]) + 1 > limits.calls_in_all:
            broken.add(f"{name} in all")
        if len([m for m in made if at - m < limits.period]) + 1 > limits.calls_in_period:
            broken.add(f"{name} in the period")
    contacts = [m for m in [*calls, *person.messages] if at - m < limits.period]
    if len(contacts) + 1 > limits.contacts_in_period:
        broken.add("contacts in the period")
    if person.pause_until is not None and at < person.pause_until:
        broken.add("pause")
    refusals = [a.at for a in person.attempts if a.kind == RetryKind.SOFT_REFUSAL]
    if any(at < refusal + limits.soft_refusal for refusal in refusals):
        broken.add("soft refusal")
    return broken


def _day(person: PersonState, policy: Policy, at: datetime, number_id: int) -> set[str]:
    limits, zone = policy.limits, person.zone
    today = at.astimezone(zone).date()
    repeats = _repeats(person.attempts, limits.quick_retry_until)
    mine = [a for a in person.attempts if a.local_date == today]  # the day that it was where they lived then
    on_number = next(n.calls for n in person.numbers if n.number_id == number_id)
    number_today = [call for call in on_number if call.astimezone(zone).date() == today]
    free = [a for a in mine if a in repeats and a.counts]
    broken = set()
    if len([a for a in mine if a.counts]) - len(free) + 1 > limits.calls_per_day:
        broken.add("person in a day")
    if len(number_today) - len([a for a in free if a.number_id == number_id]) + 1 > limits.calls_per_day:
        broken.add("number in a day")
    if any(at - a.at < limits.same_day_gap for a in mine):
        broken.add("gap")
    if any(at - call < limits.same_day_gap for call in number_today):
        broken.add("gap on the number")
    return broken


def _coverage(person: PersonState, policy: Policy, at: datetime) -> set[str]:
    """Another slot and another weekday than the last unanswered call; no slot twice in a round."""
    local = at.astimezone(person.zone)
    slots = [
        slot
        for slot, spans in policy.hours.slots.items()
        if (slot is Slot.SATURDAY) == (local.isoweekday() == 6)
        and any(start <= local.time() < end for start, end in spans)
    ]
    slot = slots[0] if slots else None
    last = person.attempts[-1] if person.attempts else None
    broken = set()
    if last is not None and last.is_unanswered:
        if slot is not None and last.slot == slot and len(policy.hours.open_slots) > 1:
            broken.add("same slot")
        if last.local_date != local.date() and last.local_date.isoweekday() == local.isoweekday():
            broken.add("same weekday")
    needed = WEEKDAY_SLOTS & policy.hours.open_slots
    if slot in _round(person.attempts, needed) and len(policy.hours.open_slots) > 1:
        broken.add("slot twice in a round")
    return broken


def _round(attempts: Sequence[PastAttempt], needed: set[Slot]) -> set[Slot]:
    """The slots tried in vain in the round that is going on."""
    slots = [a.slot for a in attempts if a.is_unanswered and a.slot is not None]
    for length in range(1, len(slots) + 1):
        if needed <= set(slots[:length]):
            return _round([a for a in attempts if a.is_unanswered and a.slot is not None][length:], needed)
    return set(slots)


def _repeats(attempts: Sequence[PastAttempt], within: timedelta) -> list[PastAttempt]:
    repeats: list[PastAttempt] = []
    for index in range(1, len(attempts)):
        before, call = attempts[index - 1], attempts[index]
        again = before.kind in (RetryKind.BUSY, RetryKind.TECHNICAL) and before.number_id == call.number_id
        if again and call.at - before.at <= within and before not in repeats:
            repeats.append(call)
    return repeats


def _right_to_repeat(person: PersonState, policy: Policy, at: datetime, number_id: int) -> set[str]:
    last, limits = person.attempts[-1], policy.limits
    since = at - last.at
    if (
        last.kind in (RetryKind.BUSY, RetryKind.TECHNICAL)
        and last.number_id == number_id
        and limits.quick_retry_after <= since <= limits.quick_retry_until
        and last not in _repeats(person.attempts, limits.quick_retry_until)
    ):
        return {"no right to a repeat"}
    return set()
