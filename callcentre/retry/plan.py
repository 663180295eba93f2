"""The answers that the rest of the program asks for: when next, may we call, why not now.

All of them take the person's state, the programme's policy and the instant, and give the same answer for the
same three. Used alike at wrap-up, at planning, at the claim and at the click on a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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
_NEVER = datetime.max.replace(tzinfo=UTC)

PUT_OFF_FOR = timedelta(hours=12)
"""A pause that ends within so long was a time of day that somebody chose."""


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
    return _next_step(_Case(person, policy), now)


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
    case = _Case(person, policy)
    ask = case.ask_at(now)
    numbers = case.in_turn(ask) if number_id is None else case.named(number_id)
    if number_id is not None and not numbers:
        return ask.refuse(ReasonCode.NUMBER_UNKNOWN, None)
    answer = _permit(case, ask, numbers, CallKind.PROMISED if promised else CallKind.PLANNED)
    repeat = case.quick_retry
    if promised or isinstance(answer, Permission) or repeat is None or not repeat.start <= now < repeat.end:
        return answer
    if number_id not in (None, repeat.number_id):
        return answer
    again = _permit(case, ask, case.named(repeat.number_id), CallKind.QUICK_RETRY)
    if isinstance(again, Refusal):
        return answer
    return Permission(again.number_id, again.kind, min(again.until, repeat.end))


def never_callable(person: PersonState, policy: Policy, *, number_id: int, now: datetime) -> Refusal | None:
    """What keeps a number from being called even when the person asks to be called there; None if only time does."""
    case = _Case(person, policy)
    ask = case.ask_at(now)
    (number,) = case.named(number_id) or (None,)
    if number is None:
        return ask.refuse(ReasonCode.NUMBER_UNKNOWN, None)
    return case.lasting(ask, number, CallKind.PROMISED)


def eligible_in(person: PersonState, policy: Policy, *, block: Block, now: datetime) -> Option | Refusal:
    """The planned call that could be made in what is left of `block`, whatever hour is preferred."""
    return _earliest(_Case(person, policy), block, max(block.start, now), block.end, CallKind.PLANNED)


def permitted(person: PersonState, policy: Policy, *, now: datetime) -> Sequence[Option]:
    """The earliest planned call in each slot that the hard rules permit, whatever hour is preferred."""
    return _options(_Case(person, policy), now)[0]


def why_not_now(person: PersonState, policy: Policy, *, now: datetime) -> WhyNotNow:
    """Why this person is not called at `now`, and when they will be: always one of a time or a definite end.

    When several rules forbid it the longest is named; when none does but another hour was preferred, that
    choice is.
    """
    case = _Case(person, policy)
    step = _next_step(case, now)
    if not isinstance(step, CallAgain):
        return WhyNotNow(step.why, None)
    if step.due_at <= now:
        return WhyNotNow(reason(ReasonCode.READY), now)
    if step.kind is CallKind.QUICK_RETRY:
        return WhyNotNow(step.why, step.due_at, step.why)
    binding = max(_refusals(case, now), key=lambda refusal: refusal.until or now, default=None)
    return WhyNotNow(binding.reason if binding else step.why, step.due_at, step.why)


# --- one person under one policy


class _Case:
    """A person and a policy, with what many questions about them have in common worked out once."""

    def __init__(self, person: PersonState, policy: Policy) -> None:
        self.person, self.policy = person, policy
        self.zone = person.zone
        self.tried = tried_slots(person.attempts, policy.hours)
        self.quick_retry = quick_retry_due(person, policy.limits)
        self._turns: dict[bool, list[NumberState]] = {}

    def ask(self, at: datetime, day: date, block: Block | None) -> Ask:
        """The question of a call at an instant in a block that is known."""
        return Ask(self.person, self.policy.limits, self.policy.hours, at, day, block, self.tried)

    def ask_at(self, at: datetime) -> Ask:
        """The question of a call at an instant."""
        day = at.astimezone(self.zone).date()
        blocks = self.policy.hours.pattern_on(day, self.zone)
        return self.ask(at, day, next((b for b in blocks if b.start <= at < b.end), None))

    def named(self, number_id: int) -> list[NumberState]:
        """The person's number with this id, if it is one of theirs."""
        return [number for number in self.person.numbers if number.number_id == number_id]

    def in_turn(self, ask: Ask) -> list[NumberState]:
        """The numbers of the next call, best first: the person's own, guardians' in turn or without one.

        Nobody else's: whoever is neither is asked to pass a word on, by hand. Among numbers of one kind the least
        called comes first, then the list's order.
        """
        is_minor = self.person.is_minor_on(ask.day)  # all that a later day changes
        if is_minor not in self._turns:
            self._turns[is_minor] = self._order(ask)
        return self._turns[is_minor]

    def lasting(self, ask: Ask, number: NumberState, kind: CallKind = CallKind.PLANNED) -> Refusal | None:
        """What keeps a number from ever being called again, as things stand."""
        for check in self.policy.rules.number_checks[kind]:
            refusal = check(ask, number)
            if refusal is not None and refusal.is_final:
                return refusal
        return None

    def _order(self, ask: Ask) -> list[NumberState]:
        left = [number for number in self.person.numbers if self.lasting(ask, number) is None]
        left.sort(key=lambda number: len(number.calls))
        own = [number for number in left if number.owner is Owner.YOUNG_PERSON]
        guardians = [number for number in left if number.owner is Owner.GUARDIAN]
        if not own:
            return guardians
        next_ordinal = self.person.calls_since_opening + 1
        return guardians + own if next_ordinal in self.policy.limits.guardian_attempts else own


def _next_step(case: _Case, now: datetime) -> NextStep:
    end = _ending(case, now)
    if end is not None:
        return end
    repeat = _quick_retry(case, now)
    if repeat is not None:
        return repeat
    options, refusal = _options(case, now)
    if not options:
        return _nothing_permitted(refusal)
    put_off_until = _put_off_until(case.person, now)
    if put_off_until is not None:
        options = [min(options, key=lambda option: option.due_at)]
    choice = case.policy.preference.choose(case.person, options, now=now)
    taken = choice.option
    why = choice.why if put_off_until is None else _put_off(put_off_until.astimezone(case.zone))
    return CallAgain(
        block=taken.block,
        number_id=taken.number_id if choice.number_id is None else choice.number_id,
        due_at=taken.due_at,
        due_until=taken.due_until,
        kind=CallKind.PLANNED,
        why=why,
        value=choice.value,
    )


def _put_off_until(person: PersonState, now: datetime) -> datetime | None:
    """Until when somebody put this person off for some hours: they meant that time, and no better one."""
    until = person.pause_until
    return until if until is not None and now < until <= now + PUT_OFF_FOR else None


def _put_off(local: datetime) -> Reason:
    return reason(ReasonCode.PUT_OFF, day=local.date().isoformat(), time=f"{local:%H:%M}")


# --- endings


def _ending(case: _Case, now: datetime) -> Stop | OtherRoute | None:
    """The end, if no waiting can bring a call: opposed, all calls used, or no number left."""
    ask = case.ask_at(now)
    for check in case.policy.rules.person_checks[CallKind.PLANNED]:
        refusal = check(ask)
        if refusal is not None and refusal.is_final:
            return _stop(case.person, refusal)
    return None if case.in_turn(ask) else _no_number(case, ask)


def _stop(person: PersonState, refusal: Refusal) -> Stop | OtherRoute:
    match refusal.code:
        case ReasonCode.OPPOSED:
            return Stop(StopReason.OPPOSED, refusal.reason)
        case ReasonCode.TOTAL_CAP:
            end = StopReason.NO_LONGER_REACHED if person.ever_reached else StopReason.NEVER_REACHED
            return Stop(end, Reason(ReasonCode(end.value), refusal.params))
        case _:
            return OtherRoute(RouteKind.HOURS_TO_WIDEN, reason(ReasonCode.NO_PERMITTED_HOUR))


def _no_number(case: _Case, ask: Ask) -> Stop | OtherRoute:
    """A STOP on the young person's own number ends the calls; otherwise details are to be found."""
    usable = [number for number in case.person.numbers if number.usable]
    if any(number.opted_out and number.owner is Owner.YOUNG_PERSON for number in usable):
        return Stop(StopReason.OPTED_OUT, reason(ReasonCode.OPTED_OUT_EVERYWHERE))
    refusal = next((case.lasting(ask, number) for number in usable), None)
    return OtherRoute(RouteKind.DETAILS_TO_FIND, refusal.reason if refusal else reason(ReasonCode.NO_NUMBER))


def _nothing_permitted(refusal: Refusal | None) -> OtherRoute:
    """Nobody to call by the time that a call would be permitted, or hours that permit none."""
    if refusal is not None and refusal.code in (ReasonCode.GUARDIAN_OF_ADULT, ReasonCode.NO_NUMBER):
        return OtherRoute(RouteKind.DETAILS_TO_FIND, refusal.reason)
    return OtherRoute(RouteKind.HOURS_TO_WIDEN, reason(ReasonCode.NO_PERMITTED_HOUR))


# --- the search


def _quick_retry(case: _Case, now: datetime) -> CallAgain | None:
    """The repeat of a busy or failed call, if an open moment for it is still to come."""
    repeat = case.quick_retry
    if repeat is None or now >= repeat.end:
        return None
    start = max(now, repeat.start)
    for block in case.policy.hours.pattern_on(start.astimezone(case.zone).date(), case.zone):
        if block.end <= start or block.start >= repeat.end:
            continue
        end = min(block.end, repeat.end)
        found = _earliest(case, block, max(start, block.start), end, CallKind.QUICK_RETRY)
        if isinstance(found, Option):
            times = {"time": found.due_at, "until": end}
            said = {name: f"{at.astimezone(case.zone):%H:%M}" for name, at in times.items()}
            why = reason(ReasonCode.QUICK_RETRY, **said)
            return CallAgain(block, found.number_id, found.due_at, end, CallKind.QUICK_RETRY, why, 1.0)
    return None


def _options(case: _Case, now: datetime) -> tuple[list[Option], Refusal | None]:
    """The earliest permitted call in each slot, near enough to the first one found; and the last refusal met.

    Walks the days, leaping over everything that a refusal rules out.
    """
    hours, limits = case.policy.hours, case.policy.limits
    wanted = hours.open_slots - case.tried
    found: dict[Slot, Option] = {}
    floor, refusal = now, None
    day = now.astimezone(case.zone).date()
    for _ in range(limits.search_days):
        if found and day > next(iter(found.values())).block.date + limits.look_ahead:
            break
        for block in hours.pattern_on(day, case.zone):
            if block.end <= floor or block.slot in found:
                continue
            answer = _earliest(case, block, max(block.start, floor), block.end, CallKind.PLANNED)
            if isinstance(answer, Option):
                found[block.slot] = answer
                continue
            refusal = answer
            if answer.until is None:
                return list(found.values()), refusal
            floor = max(floor, answer.until)
        if found and wanted <= found.keys():
            break
        day = max(day + _DAY, floor.astimezone(case.zone).date())
    return list(found.values()), refusal


def _earliest(case: _Case, block: Block, start: datetime, end: datetime, kind: CallKind) -> Option | Refusal:
    """The first moment of [start, end), inside `block`, at which every rule lets a call of this kind pass."""
    at = start
    while at < end:
        ask = case.ask(at, block.date, block)
        repeat = case.quick_retry if kind is CallKind.QUICK_RETRY else None
        answer = _permit(case, ask, case.named(repeat.number_id) if repeat else case.in_turn(ask), kind)
        if isinstance(answer, Permission):
            return Option(block, answer.number_id, at, end, _also(case, ask, answer.number_id, kind))
        if answer.until is None or answer.until >= end:
            return answer
        at = answer.until
    return Refusal(ReasonCode.OUTSIDE_HOURS, end, case.zone)


def _permit(case: _Case, ask: Ask, numbers: Sequence[NumberState], kind: CallKind) -> Permission | Refusal:
    """The first of `numbers` that every rule lets pass, else what refuses it for the shortest time."""
    for check in case.policy.rules.person_checks[kind]:
        refusal = check(ask)
        if refusal is not None:
            return refusal
    soonest: Refusal | None = None
    for number in numbers:
        refusal = _refused(case, ask, number, kind)
        if refusal is None:
            return Permission(number.number_id, kind, ask.block.end if ask.block is not None else ask.at)
        if soonest is None or (refusal.until or _NEVER) < (soonest.until or _NEVER):
            soonest = refusal
    return soonest or ask.refuse(ReasonCode.NO_NUMBER, None)


def _also(case: _Case, ask: Ask, first: int, kind: CallKind) -> tuple[int, ...]:
    """The number of the plan, then every other one of the person that may be called just as well."""
    if kind is not CallKind.PLANNED:
        return (first,)
    others = (
        number.number_id
        for number in sorted(case.person.numbers, key=lambda number: len(number.calls))
        if number.number_id != first
        and number.owner is not Owner.OTHER
        and _refused(case, ask, number, kind) is None
    )
    return (first, *others)


def _refused(case: _Case, ask: Ask, number: NumberState, kind: CallKind) -> Refusal | None:
    for check in case.policy.rules.number_checks[kind]:
        refusal = check(ask, number)
        if refusal is not None:
            return refusal
    return None


def _refusals(case: _Case, now: datetime) -> list[Refusal]:
    """Everything that forbids a planned call at `now`."""
    ask = case.ask_at(now)
    checks = case.policy.rules.person_checks[CallKind.PLANNED]
    refusals = [refusal for check in checks if (refusal := check(ask)) is not None]
    if not refusals:
        answer = _permit(case, ask, case.in_turn(ask), CallKind.PLANNED)
        refusals = [answer] if isinstance(answer, Refusal) else []
    return refusals
