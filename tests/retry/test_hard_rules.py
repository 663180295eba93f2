"""Each hard rule forbids something that nothing else forbids: left out, a condemned call passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callcentre.dispositions import RetryKind
from callcentre.retry import rules
from callcentre.retry.limits import Limits
from callcentre.retry.plan import Permission, may_call
from callcentre.retry.policy import Policy
from callcentre.retry.reasons import ReasonCode
from callcentre.retry.rules import NUMBER_RULES, PERSON_RULES, RULES, Refusal
from callcentre.retry.slots import Slot
from callcentre.retry.state import NumberState, Owner, PastAttempt, PersonState
from callcentre.retry.windows import USUAL_SATURDAY, CallingHours
from tests.retry.recount import broken_rules

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 9, 9, 10, 30, tzinfo=PARIS).astimezone(UTC)
"""A Wednesday morning."""
HOURS = CallingHours.of()
MINE = 1


def paris(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS).astimezone(UTC)


def call(at: datetime, kind: RetryKind = RetryKind.NO_ANSWER, number_id: int = 8, **more: Any) -> PastAttempt:
    block = HOURS.block_at(at, PARIS)
    assert block is not None
    return PastAttempt(at, number_id, kind, block.slot, block.date, **more)


def person(*attempts: PastAttempt, **more: Any) -> PersonState:
    """Somebody with one number of their own, whose past calls went to a number no longer known."""
    usual = {"person_id": 7, "zone": PARIS, "numbers": number(), "attempts": attempts}
    return PersonState(**{**usual, **more})


def calls(*days_ago: int, hour: int = 18) -> list[PastAttempt]:
    """Unanswered evening calls so many days before NOW."""
    return [call(paris(date(2026, 9, 9) - timedelta(days=ago), hour)) for ago in days_ago]


def number(**more: Any) -> tuple[NumberState, ...]:
    return (NumberState(**{"number_id": MINE, "owner": Owner.YOUNG_PERSON, **more}),)


@dataclass(frozen=True)
class Example:
    """A call that one rule alone forbids."""

    code: ReasonCode
    state: PersonState
    now: datetime = NOW
    limits: Limits = field(default_factory=Limits)
    hours: CallingHours = HOURS


TWO_A_DAY = Limits(calls_per_day=2)
MORNING_NUMBER_CALLS = tuple(paris(date(2026, 9, day), 18) for day in (1, 2, 3, 4))
EXAMPLES: dict[Callable[..., Refusal | None], Example] = {
    rules.not_opposed: Example(ReasonCode.OPPOSED, person(opposed=True)),
    rules.under_total_cap: Example(
        ReasonCode.TOTAL_CAP, person(*calls(69, 68, 65, 64, 62)), limits=Limits(calls_in_all=5)
    ),
    rules.not_paused: Example(ReasonCode.PAUSED, person(pause_until=NOW + timedelta(days=1))),
    rules.not_softly_refused: Example(
        ReasonCode.SOFT_REFUSAL,
        person(call(paris(date(2026, 7, 14) - timedelta(days=1), 10), RetryKind.SOFT_REFUSAL)),
    ),
    rules.on_a_working_day: Example(ReasonCode.CLOSED_DAY, person(), now=paris(date(2026, 11, 11), 10, 30)),
    rules.inside_hours: Example(ReasonCode.OUTSIDE_HOURS, person(), now=paris(date(2026, 9, 9), 13, 30)),
    rules.under_period_cap: Example(
        ReasonCode.PERIOD_CAP, person(*calls(16, 12, 9, 8)), limits=Limits(contacts_in_period=9)
    ),
    rules.under_contact_cap: Example(
        ReasonCode.CONTACT_CAP,
        person(*calls(16, 12), messages=tuple(NOW - timedelta(days=days) for days in (11, 9, 6, 2))),
    ),
    rules.under_day_cap: Example(
        ReasonCode.DAY_CAP, person(call(paris(date(2026, 9, 9), 10))), now=paris(date(2026, 9, 9), 18)
    ),
    rules.apart_from_last_call: Example(
        ReasonCode.SAME_DAY_GAP,
        person(call(paris(date(2026, 9, 9), 11, 50))),
        now=paris(date(2026, 9, 9), 12, 30),
        limits=TWO_A_DAY,
    ),
    rules.on_another_weekday: Example(ReasonCode.OTHER_WEEKDAY, person(*calls(7))),
    rules.in_another_slot: Example(ReasonCode.OTHER_SLOT, person(*calls(1, hour=11))),
    rules.usable: Example(ReasonCode.NUMBER_UNUSABLE, person(numbers=number(usable=False, why_not="wrong"))),
    rules.not_opted_out: Example(ReasonCode.OPTED_OUT, person(numbers=number(opted_out=True))),
    rules.not_an_adults_guardian: Example(
        ReasonCode.GUARDIAN_OF_ADULT,
        person(numbers=number(owner=Owner.GUARDIAN), eighteen_on=date(2026, 9, 9)),
    ),
    rules.guardians_are_called: Example(
        ReasonCode.GUARDIANS_NOT_CALLED,
        person(numbers=number(owner=Owner.GUARDIAN), eighteen_on=date(2028, 9, 9)),
        limits=Limits(guardian_attempts=frozenset()),
    ),
    rules.number_under_total_cap: Example(
        ReasonCode.NUMBER_TOTAL_CAP,
        person(numbers=number(calls=tuple(NOW - timedelta(days=40 + days) for days in reversed(range(8))))),
    ),
    rules.number_under_period_cap: Example(
        ReasonCode.NUMBER_PERIOD_CAP, person(numbers=number(calls=MORNING_NUMBER_CALLS))
    ),
    rules.number_under_day_cap: Example(
        ReasonCode.NUMBER_DAY_CAP,
        person(numbers=number(calls=(NOW,))),
        now=paris(date(2026, 9, 9), 18),
    ),
    rules.number_apart_from_last_call: Example(
        ReasonCode.NUMBER_GAP,
        person(numbers=number(calls=(NOW - timedelta(minutes=20),))),
        limits=TWO_A_DAY,
    ),
}


def test_every_rule_has_its_example() -> None:
    assert set(EXAMPLES) == {check for check, _ in (*PERSON_RULES, *NUMBER_RULES)}


@pytest.mark.parametrize("check", EXAMPLES, ids=lambda check: check.__name__)
def test_a_rule_forbids_what_no_other_rule_does(check: Callable[..., Refusal | None]) -> None:
    example = EXAMPLES[check]
    policy = Policy(example.hours, example.limits)
    refusal = may_call(example.state, policy, now=example.now, number_id=MINE)
    assert isinstance(refusal, Refusal)
    assert refusal.code is example.code

    lax = replace(policy, rules=RULES.without(check))
    permission = may_call(example.state, lax, now=example.now, number_id=MINE)
    assert isinstance(permission, Permission)
    assert broken_rules(example.state, policy, at=example.now, number_id=MINE)


@pytest.mark.parametrize("check", EXAMPLES, ids=lambda check: check.__name__)
def test_a_promise_ignores_plan_and_caps_but_never_a_window_or_a_stop(
    check: Callable[..., Refusal | None],
) -> None:
    example = EXAMPLES[check]
    always = {
        rules.not_opposed,
        rules.on_a_working_day,
        rules.inside_hours,
        rules.usable,
        rules.not_opted_out,
        rules.not_an_adults_guardian,
    }
    answer = may_call(
        example.state, Policy(example.hours, example.limits), now=example.now, number_id=MINE, promised=True
    )
    assert isinstance(answer, Refusal) == (check in always)


def test_the_last_second_of_a_refusal_is_refused_and_its_end_is_not() -> None:
    state = person(*calls(28, 27, 23, 22))
    policy = Policy(HOURS)
    free = state.attempts[0].at + timedelta(days=30)
    refusal = may_call(state, policy, now=NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.until == free
    assert isinstance(may_call(state, policy, now=free - timedelta(seconds=1)), Refusal)


def test_slots_are_all_tried_before_one_comes_again_and_saturday_is_an_extra() -> None:
    hours = CallingHours.of(saturday=USUAL_SATURDAY)
    day = date(2026, 9, 7)
    made = [
        call(paris(day, 11)),
        call(paris(day + timedelta(days=1), 18)),
        call(paris(day + timedelta(days=2), 12)),
    ]
    assert rules.tried_slots(made, hours) == {Slot.MORNING, Slot.EVENING, Slot.MIDDAY}
    saturday = PastAttempt(
        paris(day + timedelta(days=5), 11), 8, RetryKind.NO_ANSWER, Slot.SATURDAY, day + timedelta(days=5)
    )
    assert rules.tried_slots([*made, saturday], hours) == {
        Slot.MORNING,
        Slot.EVENING,
        Slot.MIDDAY,
        Slot.SATURDAY,
    }
    afternoon = call(paris(day + timedelta(days=7), 16))
    assert rules.tried_slots([*made, saturday, afternoon], hours) == {Slot.AFTERNOON}


def test_an_answer_leaves_every_hour_of_the_round_as_it_was() -> None:
    answered = call(paris(date(2026, 9, 8), 18), RetryKind.CALLBACK)
    assert rules.tried_slots([*calls(5, hour=11), answered], HOURS) == {Slot.MORNING}
    assert rules.tried_slots([answered], HOURS) == frozenset()


def test_a_programme_open_in_one_slot_only_is_not_blocked_for_ever() -> None:
    mornings = CallingHours.of(weekdays=((time(10), time(12)),))
    assert rules.tried_slots(calls(1, hour=11), mornings) == frozenset()


def test_a_kept_promise_costs_no_attempt() -> None:
    kept = [
        replace(call(paris(date(2026, 9, d), 18), RetryKind.CALLBACK), promised=True) for d in (1, 2, 3, 4)
    ]
    assert isinstance(may_call(person(*kept), Policy(HOURS), now=NOW), Permission)
    missed = [replace(attempt, kind=RetryKind.NO_ANSWER) for attempt in kept]
    assert isinstance(may_call(person(*missed), Policy(HOURS), now=NOW), Refusal)


def test_a_call_counts_on_the_day_that_it_was_where_the_person_lived() -> None:
    """Called in the evening of the 8th in Martinique, when Paris had the 9th already; then the address changed."""
    at = paris(date(2026, 9, 9), 0, 30)
    evening = PastAttempt(at, 8, RetryKind.NO_ANSWER, Slot.EVENING, date(2026, 9, 8))
    assert isinstance(may_call(person(evening), Policy(HOURS), now=NOW), Permission)
    assert not broken_rules(person(evening), Policy(HOURS), at=NOW, number_id=MINE)
    same_day = person(replace(evening, local_date=date(2026, 9, 9)))
    assert isinstance(may_call(same_day, Policy(HOURS), now=NOW), Refusal)
