"""The hard rules: each a small pure function that lets a call pass (None) or refuses it.

A refusal says until when it holds, None meaning for ever; it is a lower bound, after which the other rules
are asked again. The two tables at the end are the whole rule book, in the order in which it is read, and say
for which kind of call each rule stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from callcentre.dispositions import RetryKind
from callcentre.retry.limits import Limits
from callcentre.retry.reasons import Reason, ReasonCode, Value
from callcentre.retry.slots import Slot
from callcentre.retry.state import QUICKLY_RETRIED, NumberState, Owner, PastAttempt, PersonState
from callcentre.retry.windows import Block, CallingHours, local_midnight

_DAY = timedelta(days=1)


class CallKind(StrEnum):
    """What a call is, which decides the rules that bind it."""

    PLANNED = "planned"
    QUICK_RETRY = "quick_retry"
    """The one repeat of a busy or failed call."""
    PROMISED = "promised"
    """A promised time: ignores plan and caps, never a window, an opposition or an opt-out."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that may not be made: why, and until when (aware UTC; None: for ever, as things stand)."""

    code: ReasonCode
    until: datetime | None
    zone: ZoneInfo
    params: Mapping[str, Value] = field(default_factory=dict, hash=False)

    @property
    def reason(self) -> Reason:
        """The code with the values of its sentence, which also says on which local day and time it ends."""
        if self.until is None:
            return Reason(self.code, self.params)
        local = self.until.astimezone(self.zone)
        return Reason(self.code, {"day": local.date().isoformat(), "time": f"{local:%H:%M}", **self.params})

    @property
    def is_final(self) -> bool:
        """True when waiting changes nothing."""
        return self.until is None


@dataclass(frozen=True, slots=True)
class Ask:
    """The question put to a rule: may this person be called at this instant, in this block?"""

    person: PersonState
    limits: Limits
    hours: CallingHours
    at: datetime
    day: date
    """The person's local date at `at`."""
    block: Block | None
    """The stretch of the weekday's pattern that holds `at`, were the day not closed."""
    tried: frozenset[Slot]
    """`tried_slots` of the person, worked out once for many questions."""

    def refuse(self, code: ReasonCode, until: datetime | None, **params: Value) -> Refusal:
        """A refusal with the values of its sentence."""
        return Refusal(code, until, self.person.zone, params)

    @property
    def tomorrow(self) -> datetime:
        """When the person's next local date begins."""
        return local_midnight(self.day + _DAY, self.person.zone)


# --- rules on the person


def not_opposed(ask: Ask) -> Refusal | None:
    """An opposition is for ever: every number, every programme."""
    return ask.refuse(ReasonCode.OPPOSED, None) if ask.person.opposed else None


def under_total_cap(ask: Ask) -> Refusal | None:
    """A number of calls in all since the entry was opened."""
    if ask.person.calls_since_opening < ask.limits.calls_in_all:
        return None
    return ask.refuse(ReasonCode.TOTAL_CAP, None, cap=ask.limits.calls_in_all)


def not_paused(ask: Ask) -> Refusal | None:
    """A pause that somebody set."""
    until = ask.person.pause_until
    return ask.refuse(ReasonCode.PAUSED, until) if until is not None and ask.at < until else None


def not_softly_refused(ask: Ask) -> Refusal | None:
    """A pause after the last "not now"."""
    until = soft_refusal_ends(ask.person, ask.limits)
    if until is None or ask.at >= until:
        return None
    return ask.refuse(ReasonCode.SOFT_REFUSAL, until, days=ask.limits.soft_refusal.days)


def on_a_working_day(ask: Ask) -> Refusal | None:
    """No public holiday of the person's zone, no closed day."""
    if not ask.hours.is_closed(ask.day, ask.person.zone):
        return None
    return ask.refuse(ReasonCode.CLOSED_DAY, ask.tomorrow, day=ask.day.isoformat())


def inside_hours(ask: Ask) -> Refusal | None:
    """Inside the calling windows of the person's zone."""
    if ask.block is not None:
        return None
    return ask.refuse(ReasonCode.OUTSIDE_HOURS, ask.hours.next_opening(ask.at, ask.person.zone))


def under_period_cap(ask: Ask) -> Refusal | None:
    """A number of calls within any thirty days."""
    limits = ask.limits
    until = _free_again(ask.person.calls, ask.at, limits.period, limits.calls_in_period)
    if until is None:
        return None
    return ask.refuse(ReasonCode.PERIOD_CAP, until, cap=limits.calls_in_period, days=limits.period.days)


def under_contact_cap(ask: Ask) -> Refusal | None:
    """A number of calls and messages together within any thirty days."""
    limits = ask.limits
    if not ask.person.messages:
        contacts: Sequence[datetime] = ask.person.calls
    else:
        contacts = sorted((*ask.person.calls, *ask.person.messages))
    until = _free_again(contacts, ask.at, limits.period, limits.contacts_in_period)
    if until is None:
        return None
    return ask.refuse(ReasonCode.CONTACT_CAP, until, cap=limits.contacts_in_period, days=limits.period.days)


def under_day_cap(ask: Ask) -> Refusal | None:
    """A number of calls on one local date, quick retries apart."""
    made = [a for a in ask.person.attempts if a.local_date == ask.day and a.counts]
    if len(made) - len(quick_retries(made, ask.limits)) < ask.limits.calls_per_day:
        return None
    return ask.refuse(ReasonCode.DAY_CAP, ask.tomorrow, cap=ask.limits.calls_per_day)


def apart_from_last_call(ask: Ask) -> Refusal | None:
    """Two calls of one day are two hours apart."""
    last = ask.person.attempts[-1] if ask.person.attempts else None
    if last is None or last.local_date != ask.day or ask.at >= last.at + ask.limits.same_day_gap:
        return None
    return ask.refuse(ReasonCode.SAME_DAY_GAP, last.at + ask.limits.same_day_gap)


def in_another_slot(ask: Ask) -> Refusal | None:
    """After no answer another slot, and none twice before the weekday slots were all tried."""
    if ask.block is None or ask.block.slot not in ask.tried:
        return None
    names = ",".join(slot for slot in Slot if slot in ask.tried)
    return ask.refuse(ReasonCode.OTHER_SLOT, ask.block.end, slot=ask.block.slot.value, slots=names)


def on_another_weekday(ask: Ask) -> Refusal | None:
    """After no answer another weekday; a second call on the same day is the day cap's affair."""
    last = ask.person.attempts[-1] if ask.person.attempts else None
    if (
        last is None
        or not last.is_unanswered
        or last.local_date == ask.day
        or len(ask.hours.open_weekdays) < 2
    ):
        return None
    if last.local_date.isoweekday() != ask.day.isoweekday():
        return None
    return ask.refuse(ReasonCode.OTHER_WEEKDAY, ask.tomorrow, weekday=ask.day.isoweekday())


# --- rules on a number


def usable(ask: Ask, number: NumberState) -> Refusal | None:
    """Not wrong, not dead, not barred by the list."""
    if number.usable:
        return None
    return ask.refuse(ReasonCode.NUMBER_UNUSABLE, None, why=number.why_not or "")


def not_opted_out(ask: Ask, number: NumberState) -> Refusal | None:
    """Nobody is called on a number that said STOP."""
    return ask.refuse(ReasonCode.OPTED_OUT, None) if number.opted_out else None


def not_an_adults_guardian(ask: Ask, number: NumberState) -> Refusal | None:
    """An adult's relatives only if the programme allows it."""
    if (
        number.owner is Owner.YOUNG_PERSON
        or ask.limits.calls_adult_guardians
        or ask.person.is_minor_on(ask.day)
    ):
        return None
    return ask.refuse(ReasonCode.GUARDIAN_OF_ADULT, None)


def guardians_are_called(ask: Ask, number: NumberState) -> Refusal | None:
    """No guardian where the programme gives them none of the calls."""
    if ask.limits.guardian_attempts or number.owner is not Owner.GUARDIAN:
        return None
    return ask.refuse(ReasonCode.GUARDIANS_NOT_CALLED, None)


def number_under_total_cap(ask: Ask, number: NumberState) -> Refusal | None:
    """A number of calls in all on one number, whoever they were for."""
    if (
        len(number.calls) < ask.limits.calls_in_all
        or ask.person.since_opening(number.calls) < ask.limits.calls_in_all
    ):
        return None
    return ask.refuse(ReasonCode.NUMBER_TOTAL_CAP, None, cap=ask.limits.calls_in_all)


def number_under_period_cap(ask: Ask, number: NumberState) -> Refusal | None:
    """A number of calls on one number within any thirty days."""
    limits = ask.limits
    until = _free_again(number.calls, ask.at, limits.period, limits.calls_in_period)
    if until is None:
        return None
    return ask.refuse(
        ReasonCode.NUMBER_PERIOD_CAP, until, cap=limits.calls_in_period, days=limits.period.days
    )


def number_under_day_cap(ask: Ask, number: NumberState) -> Refusal | None:
    """A number of calls on one number on one local date, this person's quick retries apart."""
    zone = ask.person.zone
    recent = ask.at - 2 * _DAY
    made = sum(call.astimezone(zone).date() == ask.day for call in number.calls if call > recent)
    if made < ask.limits.calls_per_day:
        return None
    own = [a for a in ask.person.attempts if a.local_date == ask.day and a.number_id == number.number_id]
    if made - len(quick_retries(own, ask.limits)) < ask.limits.calls_per_day:
        return None
    return ask.refuse(ReasonCode.NUMBER_DAY_CAP, ask.tomorrow, cap=ask.limits.calls_per_day)


def number_apart_from_last_call(ask: Ask, number: NumberState) -> Refusal | None:
    """Two calls of one day to one number are two hours apart, whoever they were for."""
    last = number.calls[-1] if number.calls else None
    if last is None or ask.at >= last + ask.limits.same_day_gap:
        return None
    return ask.refuse(ReasonCode.NUMBER_GAP, last + ask.limits.same_day_gap)


# --- what the rules count


def soft_refusal_ends(person: PersonState, limits: Limits) -> datetime | None:
    """When the pause after the last "not now" ends (aware UTC); None if there was none."""
    refused = [a.at for a in person.attempts if a.kind is RetryKind.SOFT_REFUSAL]
    return refused[-1] + limits.soft_refusal if refused else None


def tried_slots(attempts: Sequence[PastAttempt], hours: CallingHours) -> frozenset[Slot]:
    """The slots closed to the next call: those tried in vain in this cycle, and the last one.

    A cycle ends when every weekday slot that the programme opens was tried; Saturday is an extra, not needed
    to end it. Never all open slots at once: with a single one there is no other hour to go to.
    """
    tried = cycle_slots(attempts, hours.weekday_slots)
    last = attempts[-1] if attempts else None
    if last is not None and last.is_unanswered and last.slot is not None:
        tried.add(last.slot)
    return frozenset() if hours.open_slots <= tried else frozenset(tried)


def cycle_slots(attempts: Sequence[PastAttempt], weekday_slots: frozenset[Slot]) -> set[Slot]:
    """The slots tried in vain since the last time that all weekday slots had been."""
    tried: set[Slot] = set()
    for attempt in attempts:
        if attempt.is_unanswered and attempt.slot is not None:
            tried.add(attempt.slot)
            if weekday_slots <= tried:
                tried.clear()
    return tried


def quick_retries(attempts: Sequence[PastAttempt], limits: Limits) -> list[PastAttempt]:
    """Those of these calls, oldest first, that were the one repeat of the busy or failed call just before."""
    repeats: list[PastAttempt] = []
    for before, attempt in pairwise(attempts):
        if (
            before.kind in QUICKLY_RETRIED
            and before not in repeats
            and before.number_id == attempt.number_id
            and attempt.at <= before.at + limits.quick_retry_until
        ):
            repeats.append(attempt)
    return repeats


@dataclass(frozen=True, slots=True)
class QuickRetry:
    """The repeat that a busy or failed call has a right to: which number, from when, until when."""

    number_id: int
    start: datetime
    end: datetime


def quick_retry_due(person: PersonState, limits: Limits) -> QuickRetry | None:
    """The quick retry that follows the person's last call, if it has one."""
    last = person.attempts[-1] if person.attempts else None
    if last is None or last.kind not in QUICKLY_RETRIED or last.number_id is None:
        return None
    if last in quick_retries(person.attempts[-3:], limits):
        return None
    return QuickRetry(last.number_id, last.at + limits.quick_retry_after, last.at + limits.quick_retry_until)


def _free_again(moments: Sequence[datetime], at: datetime, period: timedelta, cap: int) -> datetime | None:
    """When a `cap` within a rolling `period` is free again (moments oldest first); None if it is not full."""
    if len(moments) < cap or moments[-cap] + period <= at:
        return None
    return moments[-cap] + period


# --- the rule book

PersonCheck = Callable[[Ask], Refusal | None]
NumberCheck = Callable[[Ask, NumberState], Refusal | None]

ALWAYS = frozenset(CallKind)
NOT_PROMISED = ALWAYS - {CallKind.PROMISED}
ONLY_PLANNED = frozenset({CallKind.PLANNED})

PERSON_RULES: tuple[tuple[PersonCheck, frozenset[CallKind]], ...] = (
    (not_opposed, ALWAYS),
    (under_total_cap, NOT_PROMISED),
    (not_paused, NOT_PROMISED),
    (not_softly_refused, NOT_PROMISED),
    (on_a_working_day, ALWAYS),
    (inside_hours, ALWAYS),
    (under_period_cap, NOT_PROMISED),
    (under_contact_cap, NOT_PROMISED),
    (under_day_cap, ONLY_PLANNED),
    (apart_from_last_call, ONLY_PLANNED),
    (on_another_weekday, ONLY_PLANNED),
    (in_another_slot, ONLY_PLANNED),
)
NUMBER_RULES: tuple[tuple[NumberCheck, frozenset[CallKind]], ...] = (
    (usable, ALWAYS),
    (not_opted_out, ALWAYS),
    (not_an_adults_guardian, ALWAYS),
    (guardians_are_called, NOT_PROMISED),
    (number_under_total_cap, NOT_PROMISED),
    (number_under_period_cap, NOT_PROMISED),
    (number_under_day_cap, ONLY_PLANNED),
    (number_apart_from_last_call, ONLY_PLANNED),
)


@dataclass(frozen=True)
class RuleBook:
    """The rules in force: the product uses the whole book, `without` shows what each rule prevents."""

    person: tuple[tuple[PersonCheck, frozenset[CallKind]], ...] = PERSON_RULES
    number: tuple[tuple[NumberCheck, frozenset[CallKind]], ...] = NUMBER_RULES

    def without(self, *checks: Callable[..., Refusal | None]) -> RuleBook:
        """The same book with some rules left out."""
        return RuleBook(
            tuple(rule for rule in self.person if rule[0] not in checks),
            tuple(rule for rule in self.number if rule[0] not in checks),
        )

    @cached_property
    def person_checks(self) -> dict[CallKind, tuple[PersonCheck, ...]]:
        """The checks on the person that bind each kind of call."""
        return {kind: tuple(check for check, kinds in self.person if kind in kinds) for kind in CallKind}

    @cached_property
    def number_checks(self) -> dict[CallKind, tuple[NumberCheck, ...]]:
        """The checks on a number that bind each kind of call."""
        return {kind: tuple(check for check, kinds in self.number if kind in kinds) for kind in CallKind}


RULES = RuleBook()
