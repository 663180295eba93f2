"""The answers that the rest of the program asks for: when next, may we call, why not now.

All of them take the person's state, the programme's policy and the instant, and give the same answer for the
same three. Used alike at wrap-up, at planning, at the claim and at the click on a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from callcentre.retry.policy import Policy
from callcentre.retry.preference import Option
from callcentre.retry.reasons import Reason, ReasonCode, reason
from callcentre.retry.rules import Ask, CallKind, Refusal, quick_retry_due, tried_slots
from callcentre.retry.slots import Slot
from callcentre.retry.state import NumberState, Owner, PersonState
from callcentre.retry.windows import Block

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Permission:
    """A call that may be made now: which number, and until when it may start (aware UTC)."""

    number_id: int
    kind: CallKind
    until: datetime


@dataclass(frozen=True, slots=True)
class CallAgain:
    """The next call: due in [due_at, due_until), inside `block`; `value` orders people due together."""

    block: Block
    number_id: int
    due_at: datetime
    due_until: datetime
    kind: CallKind
    why: Reason
    value: float = 0.0


class RouteKind(StrEnum):
    """What to do instead of calling."""

    DETAILS_TO_FIND = "details_to_find"
    """No number is left: ask the school, the guardian, a partner."""
    HOURS_TO_WIDEN = "hours_to_widen"
    """The programme's hours permit nothing more: for the supervisor."""


@dataclass(frozen=True, slots=True)
class OtherRoute:
    """No call is possible, another way may be."""

    kind: RouteKind
    why: Reason


class StopReason(StrEnum):
    """Why calling is over."""

    OPPOSED = "opposed"
    OPTED_OUT = "opted_out"
    NEVER_REACHED = "never_reached"
    """All calls used, the young person never reached."""
    NO_LONGER_REACHED = "no_longer_reached"
    """All calls used, the young person reached at some time."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Calling is over, until something re-opens the entry."""

    reason: StopReason
    why: Reason


NextStep = CallAgain | OtherRoute | Stop


class WhyNotNow(NamedTuple):
    """Why not now, when the next call is planned (None: never), why then; `READY` and `now` if it is due."""

    reason: Reason
    when: datetime | None
    why_then: Reason | None = None


def next_attempt(person: PersonState, policy: Policy, *, now: datetime) -> NextStep:
    """What comes next for this person: a call in a permitted block, another route, or the end."""
    end = _ending(person, policy, now)
    if end is not None:
        return end
    repeat = _quick_retry(person, policy, now)
    if repeat is not None:
        return repeat
    options, refusal = _options(person, policy, now)
    if not options:
        return _nothing_permitted(refusal)
    choice = policy.preference.choose(person, options, now=now)
    taken = choice.option
    return CallAgain(
        block=taken.block,
        number_id=taken.number_id,
        due_at=taken.due_at,
        due_until=taken.due_until,
        kind=CallKind.PLANNED,
        why=choice.why,
        value=choice.value,
    )


def may_call(
    person: PersonState,
    policy: Policy,
    *,
    now: datetime,
    number_id: int | None = None,
    promised: bool = False,
) -> Permission | Refusal:
    """Whether a call may start at `now`: on `number_id`, or on the number whose turn it is.

    A quick retry is recognised by itself. `promised`: a promised time is due, or the person asked to be
    called (a missed inbound call, a reply): that ignores plan and caps, not windows, oppositions and
    opt-outs.
    """
    ask = _ask(person, policy, now)
    numbers = _in_turn(ask, policy) if number_id is None else _number_called(person, number_id)
    if number_id is not None and not numbers:
        return Refusal(reason(ReasonCode.NUMBER_UNKNOWN), None)
    kind = CallKind.PROMISED if promised else CallKind.PLANNED
    answer = _permit(ask, policy, numbers, kind)
    repeat = None if promised else quick_retry_due(person, policy.limits)
    if isinstance(answer, Refusal) and repeat is not None and repeat.start <= now < repeat.end:
        numbers = [n for n in person.numbers if n.number_id == repeat.number_id == (number_id or n.number_id)]
        again = _permit(ask, policy, numbers, CallKind.QUICK_RETRY) if numbers else answer
        if isinstance(again, Permission):
            return Permission(again.number_id, again.kind, min(again.until, repeat.end))
    return answer


def eligible_in(person: PersonState, policy: Policy, *, block: Block, now: datetime) -> Option | Refusal:
    """The planned call that could be made in what is left of `block`, whatever hour is preferred."""
    return _earliest(person, policy, block, max(block.start, now), block.end, CallKind.PLANNED)


def why_not_now(person: PersonState, policy: Policy, *, now: datetime) -> WhyNotNow:
    """Why this person is not called at `now`, and when they will be: always one of a time or a definite end.

    When several rules forbid it the longest is named; when none does but another hour was preferred, that
    choice is.
    """
    step = next_attempt(person, policy, now=now)
    if not isinstance(step, CallAgain):
        return WhyNotNow(step.why, None)
    if step.due_at <= now:
        return WhyNotNow(reason(ReasonCode.READY), now)
    if step.kind is CallKind.QUICK_RETRY:
        return WhyNotNow(step.why, step.due_at)
    binding = max(_refusals(person, policy, now), key=lambda refusal: refusal.until or now, default=None)
    return WhyNotNow(binding.reason if binding else step.why, step.due_at, step.why)


# --- endings


def _ending(person: PersonState, policy: Policy, now: datetime) -> Stop | OtherRoute | None:
    """The end, if no waiting can bring a call: opposed, all calls used, or no number left."""
    ask = _ask(person, policy, now)
    for check in policy.rules.person_checks[CallKind.PLANNED]:
        refusal = check(ask)
        if refusal is not None and refusal.is_final:
            return _stop(person, refusal)
    if any(_lasting(ask, policy, number) is None for number in person.numbers):
        return None
    return _no_number(person, ask, policy)


def _stop(person: PersonState, refusal: Refusal) -> Stop | OtherRoute:
    match refusal.reason.code:
        case ReasonCode.OPPOSED:
            return Stop(StopReason.OPPOSED, refusal.reason)
        case ReasonCode.TOTAL_CAP:
            end = StopReason.NO_LONGER_REACHED if person.ever_reached else StopReason.NEVER_REACHED
            return Stop(end, Reason(ReasonCode(end.value), refusal.reason.params))
        case _:
            return OtherRoute(RouteKind.HOURS_TO_WIDEN, reason(ReasonCode.NO_PERMITTED_HOUR))


def _no_number(person: PersonState, ask: Ask, policy: Policy) -> Stop | OtherRoute:
    """A STOP on the young person's own number ends the calls; otherwise details are to be found."""
    own = [number for number in person.numbers if number.owner is Owner.YOUNG_PERSON]
    if any(number.opted_out and number.usable for number in own):
        return Stop(StopReason.OPTED_OUT, reason(ReasonCode.OPTED_OUT_EVERYWHERE))
    last = next((_lasting(ask, policy, n) for n in person.numbers if n.usable), None)
    return OtherRoute(RouteKind.DETAILS_TO_FIND, last.reason if last else reason(ReasonCode.NO_NUMBER))


def _nothing_permitted(refusal: Refusal | None) -> OtherRoute:
    if refusal is not None and refusal.reason.code is ReasonCode.GUARDIAN_OF_ADULT:
        return OtherRoute(RouteKind.DETAILS_TO_FIND, refusal.reason)
    return OtherRoute(RouteKind.HOURS_TO_WIDEN, reason(ReasonCode.NO_PERMITTED_HOUR))


# --- the search


def _quick_retry(person: PersonState, policy: Policy, now: datetime) -> CallAgain | None:
    """The repeat of a busy or failed call, if an open moment for it is still to come."""
    repeat = quick_retry_due(person, policy.limits)
    if repeat is None or now >= repeat.end:
        return None
    start = max(now, repeat.start)
    for block in policy.hours.pattern_on(start.astimezone(person.zone).date(), person.zone):
        if block.end <= start or block.start >= repeat.end:
            continue
        end = min(block.end, repeat.end)
        found = _earliest(person, policy, block, max(start, block.start), end, CallKind.QUICK_RETRY)
        if isinstance(found, Option):
            why = reason(ReasonCode.QUICK_RETRY, time=f"{found.due_at.astimezone(person.zone):%H:%M}")
            return CallAgain(block, found.number_id, found.due_at, end, CallKind.QUICK_RETRY, why, 1.0)
    return None


def _options(person: PersonState, policy: Policy, now: datetime) -> tuple[list[Option], Refusal | None]:
    """The earliest permitted call in each slot, near enough to the first one found; and the last refusal met.

    Walks the days, leaping over everything that a refusal rules out.
    """
    hours, zone = policy.hours, person.zone
    wanted = hours.open_slots - tried_slots(person.attempts, hours)
    found: dict[Slot, Option] = {}
    floor, refusal = now, None
    day = now.astimezone(zone).date()
    for _ in range(policy.limits.search_days):
        if found and day > next(iter(found.values())).block.date + policy.limits.look_ahead:
            break
        for block in hours.pattern_on(day, zone):
            if block.end <= floor or block.slot in found:
                continue
            answer = _earliest(person, policy, block, max(block.start, floor), block.end, CallKind.PLANNED)
            if isinstance(answer, Option):
                found[block.slot] = answer
                continue
            refusal = answer
            if answer.until is None:
                return list(found.values()), refusal
            floor = max(floor, answer.until)
        if found and wanted <= found.keys():
            break
        day = max(day + _DAY, floor.astimezone(zone).date())
    return list(found.values()), refusal


def _earliest(
    person: PersonState, policy: Policy, block: Block, start: datetime, end: datetime, kind: CallKind
) -> Option | Refusal:
    """The first moment of [start, end), inside `block`, at which every rule lets a call of this kind pass."""
    at = start
    answer: Permission | Refusal = Refusal(reason(ReasonCode.NO_PERMITTED_HOUR), end)
    while at < end:
        ask = Ask(person, policy.limits, policy.hours, at, block.date, block)
        answer = _permit(ask, policy, _to_try(ask, policy, kind), kind)
        if isinstance(answer, Permission):
            return Option(block, answer.number_id, at, end)
        if answer.until is None or answer.until >= end:
            return answer
        at = answer.until
    return answer if isinstance(answer, Refusal) else Refusal(reason(ReasonCode.NO_PERMITTED_HOUR), end)


def _permit(ask: Ask, policy: Policy, numbers: Iterable[NumberState], kind: CallKind) -> Permission | Refusal:
    """The first of `numbers` that every rule lets pass, else what refuses it for the shortest time."""
    for check in policy.rules.person_checks[kind]:
        refusal = check(ask)
        if refusal is not None:
            return refusal
    soonest: Refusal | None = None
    for number in numbers:
        refusal = _refused(ask, policy, number, kind)
        if refusal is None:
            until = ask.block.end if ask.block is not None else ask.at
            return Permission(number.number_id, kind, until)
        if soonest is None or (
            refusal.until is not None and (soonest.until is None or refusal.until < soonest.until)
        ):
            soonest = refusal
    return soonest or Refusal(reason(ReasonCode.NO_NUMBER), None)


def _refused(ask: Ask, policy: Policy, number: NumberState, kind: CallKind) -> Refusal | None:
    for check in policy.rules.number_checks[kind]:
        refusal = check(ask, number)
        if refusal is not None:
            return refusal
    return None


def _lasting(ask: Ask, policy: Policy, number: NumberState) -> Refusal | None:
    """What keeps a number from ever being called again, as things stand."""
    for check in policy.rules.number_checks[CallKind.PLANNED]:
        refusal = check(ask, number)
        if refusal is not None and refusal.is_final:
            return refusal
    return None


def _refusals(person: PersonState, policy: Policy, now: datetime) -> list[Refusal]:
    """Everything that forbids a planned call at `now`."""
    ask = _ask(person, policy, now)
    checks = policy.rules.person_checks[CallKind.PLANNED]
    refusals = [refusal for check in checks if (refusal := check(ask)) is not None]
    if not refusals:
        answer = _permit(ask, policy, _in_turn(ask, policy), CallKind.PLANNED)
        refusals = [answer] if isinstance(answer, Refusal) else []
    return refusals


# --- which number


def _to_try(ask: Ask, policy: Policy, kind: CallKind) -> Sequence[NumberState]:
    """The numbers that a call of this kind may go to, best first."""
    if kind is CallKind.QUICK_RETRY:
        repeat = quick_retry_due(ask.person, policy.limits)
        return _number_called(ask.person, repeat.number_id) if repeat else ()
    return _in_turn(ask, policy)


def _in_turn(ask: Ask, policy: Policy) -> list[NumberState]:
    """The numbers of the next call in order: the person's own, or guardians' in their turn or without one.

    Among numbers of one kind the least called comes first, then the list's order.
    """
    callable_ones = [n for n in ask.person.numbers if _lasting(ask, policy, n) is None]
    callable_ones.sort(key=lambda number: len(number.calls))
    own = [number for number in callable_ones if number.owner is Owner.YOUNG_PERSON]
    guardians = [number for number in callable_ones if number.owner is Owner.GUARDIAN]
    if not own:
        return guardians or callable_ones
    if ask.person.next_ordinal in policy.limits.guardian_attempts:
        return guardians + own
    return own


def _number_called(person: PersonState, number_id: int) -> list[NumberState]:
    return [number for number in person.numbers if number.number_id == number_id]


def _ask(person: PersonState, policy: Policy, at: datetime) -> Ask:
    day: date = at.astimezone(person.zone).date()
    blocks = policy.hours.pattern_on(day, person.zone)
    block = next((b for b in blocks if b.start <= at < b.end), None)
    return Ask(person, policy.limits, policy.hours, at, day, block)
