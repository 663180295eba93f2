"""What comes next, story by story: another hour, another day, another number, and the end."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callcentre.dispositions import RetryKind
from callcentre.retry.limits import Limits
from callcentre.retry.plan import (
    CallAgain,
    NextStep,
    OtherRoute,
    Permission,
    RouteKind,
    Stop,
    StopReason,
    eligible_in,
    may_call,
    never_callable,
    next_attempt,
    why_not_now,
)
from callcentre.retry.policy import Policy
from callcentre.retry.preference import Option, Rotation
from callcentre.retry.reasons import ReasonCode, sentence
from callcentre.retry.rules import CallKind, Refusal
from callcentre.retry.slots import Slot
from callcentre.retry.state import NumberState, Owner, PastAttempt, PersonState
from callcentre.retry.windows import USUAL_SATURDAY, CallingHours

PARIS = ZoneInfo("Europe/Paris")
POLICY = Policy(CallingHours.of())
MONDAY = date(2026, 9, 7)
OWN, MOTHER, FATHER = 1, 2, 3


def paris(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), PARIS).astimezone(UTC)


def young_person(**more: Any) -> PersonState:
    usual = {"person_id": 7, "zone": PARIS, "numbers": (NumberState(OWN, Owner.YOUNG_PERSON),)}
    return PersonState(**{**usual, **more})


def minor_with_parents(**more: Any) -> PersonState:
    numbers = (
        NumberState(OWN, Owner.YOUNG_PERSON),
        NumberState(MOTHER, Owner.GUARDIAN),
        NumberState(FATHER, Owner.GUARDIAN),
    )
    return young_person(numbers=numbers, eighteen_on=date(2028, 1, 1), **more)


def after(
    state: PersonState, at: datetime, kind: RetryKind = RetryKind.NO_ANSWER, number_id: int = OWN
) -> PersonState:
    """The same person after one more call."""
    block = POLICY.hours.block_at(at, state.zone)
    call = PastAttempt(at, number_id, kind, block.slot if block else None, at.astimezone(state.zone).date())
    numbers = tuple(
        replace(n, calls=(*n.calls, at)) if n.number_id == number_id else n for n in state.numbers
    )
    return replace(state, attempts=(*state.attempts, call), numbers=numbers)


def called(step: NextStep) -> CallAgain:
    assert isinstance(step, CallAgain)
    return step


def played(
    state: PersonState, policy: Policy, start: datetime, kind: RetryKind = RetryKind.NO_ANSWER
) -> list[CallAgain]:
    """The calls of somebody who never answers, each made as soon as it is due."""
    made: list[CallAgain] = []
    now = start
    while isinstance(step := next_attempt(state, policy, now=now), CallAgain):
        made.append(step)
        state = after(state, step.due_at, kind, step.number_id)
        now = step.due_at + timedelta(minutes=1)
    return made


def test_a_new_list_is_spread_over_the_slots_of_the_day() -> None:
    now = paris(MONDAY, 9)
    firsts = [called(next_attempt(young_person(person_id=pid), POLICY, now=now)) for pid in range(400)]
    assert {first.block.date for first in firsts} == {MONDAY}
    for slot in POLICY.hours.weekday_slots:
        assert 70 <= sum(first.block.slot is slot for first in firsts) <= 130


def test_somebody_who_never_answers_is_called_at_every_hour_twice_and_on_changing_days() -> None:
    calls = played(young_person(), POLICY, paris(MONDAY, 9))
    assert len(calls) == 8
    assert (
        {call.block.slot for call in calls[:4]}
        == {call.block.slot for call in calls[4:]}
        == POLICY.hours.weekday_slots
    )
    for before, call in itertools.pairwise(calls):
        assert before.block.slot is not call.block.slot
        assert before.block.date.isoweekday() != call.block.date.isoweekday()
    assert calls[4].due_at - calls[0].due_at >= timedelta(days=30)


def test_all_calls_used_ends_split_by_ever_reached() -> None:
    state = young_person()
    for call in played(state, POLICY, paris(MONDAY, 9)):
        state = after(state, call.due_at)
    now = paris(date(2027, 3, 1), 10)
    assert next_attempt(state, POLICY, now=now).why.params["cap"] == 8
    never, once = (next_attempt(replace(state, ever_reached=r), POLICY, now=now) for r in (False, True))
    assert isinstance(never, Stop)
    assert isinstance(once, Stop)
    assert (never.reason, once.reason) == (StopReason.NEVER_REACHED, StopReason.NO_LONGER_REACHED)


def test_reopening_gives_a_fresh_total_but_no_fresh_thirty_days() -> None:
    state = young_person()
    for call in played(state, POLICY, paris(MONDAY, 9)):
        state = after(state, call.due_at)
    last = state.attempts[-1].at
    again = called(
        next_attempt(replace(state, opened_at=last + timedelta(days=1)), POLICY, now=last + timedelta(days=1))
    )
    assert again.due_at >= state.attempts[-4].at + timedelta(days=30)


def test_busy_number_is_tried_once_more_within_the_hour_on_the_same_number() -> None:
    at = paris(MONDAY, 10, 5)
    state = after(young_person(), at, RetryKind.BUSY)
    repeat = called(next_attempt(state, POLICY, now=at + timedelta(minutes=2)))
    assert (repeat.kind, repeat.number_id) == (CallKind.QUICK_RETRY, OWN)
    assert repeat.due_at == at + timedelta(minutes=15)
    assert repeat.due_until == at + timedelta(minutes=60)
    assert isinstance(may_call(state, POLICY, now=at + timedelta(minutes=14)), Refusal)
    permission = may_call(state, POLICY, now=at + timedelta(minutes=40))
    assert isinstance(permission, Permission)
    assert permission.kind is CallKind.QUICK_RETRY

    state = after(state, repeat.due_at, RetryKind.BUSY)
    following = called(next_attempt(state, POLICY, now=repeat.due_at + timedelta(minutes=1)))
    assert following.kind is CallKind.PLANNED
    assert following.block.date > MONDAY


def test_the_sentence_of_a_quick_retry_tells_its_own_hours() -> None:
    at = paris(MONDAY, 10, 5)
    half_an_hour = Limits(quick_retry_after=timedelta(minutes=5), quick_retry_until=timedelta(minutes=30))
    state = after(young_person(), at, RetryKind.BUSY)
    repeat = called(next_attempt(state, replace(POLICY, limits=half_an_hour), now=at + timedelta(minutes=2)))
    assert sentence(repeat.why, "fr").endswith("entre 10 h 10 et 10 h 35.")
    assert sentence(repeat.why, "en").endswith("between 10:10 and 10:35.")
    before_lunch = after(young_person(), paris(MONDAY, 12, 30), RetryKind.BUSY)
    repeat = called(next_attempt(before_lunch, POLICY, now=paris(MONDAY, 12, 31)))
    assert sentence(repeat.why, "en").endswith("between 12:45 and 13:00.")


@pytest.mark.parametrize(
    ("hour", "minute", "expected"), [(12, 30, (12, 45)), (13, 0, None), (12, 50, None), (11, 55, (12, 10))]
)
def test_a_busy_number_is_not_repeated_outside_the_windows(
    hour: int, minute: int, expected: tuple[int, int] | None
) -> None:
    at = paris(MONDAY, hour, minute)
    state = after(young_person(), at, RetryKind.TECHNICAL)
    step = called(next_attempt(state, POLICY, now=at + timedelta(minutes=1)))
    if expected is None:
        assert step.kind is CallKind.PLANNED
    else:
        assert (step.kind, step.due_at) == (CallKind.QUICK_RETRY, paris(MONDAY, *expected))


def test_a_quick_retry_counts_within_thirty_days_but_not_in_the_day() -> None:
    two_a_day = replace(POLICY, limits=Limits(calls_per_day=2))
    at = paris(MONDAY, 10)
    state = after(after(young_person(), at, RetryKind.BUSY), at + timedelta(minutes=20))
    assert isinstance(may_call(state, two_a_day, now=paris(MONDAY, 15)), Permission)
    tight = replace(POLICY, limits=Limits(calls_per_day=2, calls_in_period=2))
    refusal = may_call(state, tight, now=paris(MONDAY, 15))
    assert isinstance(refusal, Refusal)
    assert refusal.code is ReasonCode.PERIOD_CAP


def test_two_calls_a_day_are_two_hours_apart_in_other_slots_and_the_next_day_is_another() -> None:
    policy = replace(POLICY, limits=Limits(calls_per_day=2))
    calls = played(young_person(), policy, paris(MONDAY, 9))
    days = [call.block.date for call in calls]
    assert days[0] == days[1]
    assert calls[1].due_at - calls[0].due_at >= timedelta(hours=2)
    assert calls[0].block.slot is not calls[1].block.slot
    assert days[2].isoweekday() != days[1].isoweekday()


def test_siblings_do_not_make_twelve_calls_to_one_mother() -> None:
    mother = NumberState(MOTHER, Owner.GUARDIAN)
    minor = date(2030, 1, 1)
    siblings = {pid: young_person(person_id=pid, numbers=(mother,), eighteen_on=minor) for pid in (1, 2, 3)}
    now, made = paris(MONDAY, 9), 0
    while now < paris(MONDAY + timedelta(days=29), 20):
        steps = [
            (s, pid)
            for pid, person in siblings.items()
            if isinstance(s := next_attempt(person, POLICY, now=now), CallAgain)
        ]
        step, pid = min(steps, key=lambda pair: pair[0].due_at)
        now = step.due_at + timedelta(minutes=1)
        made += step.due_at < paris(MONDAY + timedelta(days=30), 0)
        siblings[pid] = after(siblings[pid], step.due_at, number_id=MOTHER)
        calls = siblings[pid].numbers
        siblings = {other: replace(person, numbers=calls) for other, person in siblings.items()}
    assert made == 4


def test_a_guardian_is_called_on_the_third_sixth_and_eighth_call_of_a_minor_least_tried_first() -> None:
    calls = played(minor_with_parents(), POLICY, paris(MONDAY, 9))
    assert [call.number_id for call in calls] == [OWN, OWN, MOTHER, OWN, OWN, FATHER, OWN, MOTHER]


def test_a_guardian_is_called_at_once_when_the_own_number_is_dead() -> None:
    state = minor_with_parents()
    dead = replace(
        state, numbers=(replace(state.numbers[0], usable=False, why_not="dead"), *state.numbers[1:])
    )
    assert called(next_attempt(dead, POLICY, now=paris(MONDAY, 9))).number_id == MOTHER


def test_a_programme_that_never_calls_guardians_looks_for_details_when_the_own_number_is_dead() -> None:
    never = replace(POLICY, limits=Limits(guardian_attempts=frozenset()))
    calls = played(minor_with_parents(), never, paris(MONDAY, 9))
    assert {call.number_id for call in calls} == {OWN}
    state = minor_with_parents()
    dead = replace(state, numbers=(replace(state.numbers[0], usable=False), *state.numbers[1:]))
    step = next_attempt(dead, never, now=paris(MONDAY, 9))
    assert isinstance(step, OtherRoute)
    assert step.kind is RouteKind.DETAILS_TO_FIND
    asked_for = may_call(dead, never, now=paris(MONDAY, 11), number_id=MOTHER, promised=True)
    assert isinstance(asked_for, Permission)


def test_the_plan_drops_guardians_on_the_eighteenth_birthday() -> None:
    state = replace(
        minor_with_parents(), numbers=minor_with_parents().numbers[1:], eighteen_on=MONDAY + timedelta(days=3)
    )
    assert isinstance(next_attempt(state, POLICY, now=paris(MONDAY, 9)), CallAgain)
    paused = replace(state, pause_until=paris(MONDAY + timedelta(days=10), 9))
    step = next_attempt(paused, POLICY, now=paris(MONDAY, 9))
    assert isinstance(step, OtherRoute)
    assert step.kind is RouteKind.DETAILS_TO_FIND
    assert step.why.code in (ReasonCode.GUARDIAN_OF_ADULT, ReasonCode.NO_NUMBER)


def test_an_adults_guardian_is_called_only_if_the_programme_allows() -> None:
    adult = replace(
        minor_with_parents(), numbers=minor_with_parents().numbers[1:], eighteen_on=date(2020, 1, 1)
    )
    refused = next_attempt(adult, POLICY, now=paris(MONDAY, 9))
    assert isinstance(refused, OtherRoute)
    assert refused.why.code is ReasonCode.GUARDIAN_OF_ADULT
    allowed = replace(POLICY, limits=Limits(calls_adult_guardians=True))
    assert called(next_attempt(adult, allowed, now=paris(MONDAY, 9))).number_id == MOTHER


def test_no_usable_number_means_details_to_find() -> None:
    for numbers in ((), (NumberState(OWN, Owner.YOUNG_PERSON, usable=False, why_not="wrong"),)):
        step = next_attempt(young_person(numbers=numbers), POLICY, now=paris(MONDAY, 9))
        assert isinstance(step, OtherRoute)
        assert step.kind is RouteKind.DETAILS_TO_FIND


def test_stop_on_the_only_own_number_ends_the_calls_but_a_guardians_stop_asks_for_details() -> None:
    own = next_attempt(
        young_person(numbers=(NumberState(OWN, Owner.YOUNG_PERSON, opted_out=True),)),
        POLICY,
        now=paris(MONDAY, 9),
    )
    assert isinstance(own, Stop)
    assert own.reason is StopReason.OPTED_OUT
    guardian = next_attempt(
        young_person(numbers=(NumberState(MOTHER, Owner.GUARDIAN, opted_out=True),)),
        POLICY,
        now=paris(MONDAY, 9),
    )
    assert isinstance(guardian, OtherRoute)


def test_somebody_else_s_number_is_not_the_plan_s_to_call() -> None:
    friend = young_person(numbers=(NumberState(MOTHER, Owner.OTHER),), eighteen_on=date(2028, 1, 1))
    step = next_attempt(friend, POLICY, now=paris(MONDAY, 9))
    assert isinstance(step, OtherRoute)
    assert step.kind is RouteKind.DETAILS_TO_FIND
    assert isinstance(may_call(friend, POLICY, now=paris(MONDAY, 11)), Refusal)
    asked = may_call(friend, POLICY, now=paris(MONDAY, 11), number_id=MOTHER, promised=True)
    assert isinstance(asked, Permission)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (NumberState(OWN, Owner.YOUNG_PERSON), None),
        (NumberState(OWN, Owner.YOUNG_PERSON, calls=tuple(paris(MONDAY, 10) for _ in range(8))), None),
        (NumberState(OWN, Owner.YOUNG_PERSON, usable=False, why_not="wrong"), ReasonCode.NUMBER_UNUSABLE),
        (NumberState(OWN, Owner.YOUNG_PERSON, opted_out=True), ReasonCode.OPTED_OUT),
        (NumberState(OWN, Owner.GUARDIAN), ReasonCode.GUARDIAN_OF_ADULT),
        (NumberState(MOTHER, Owner.GUARDIAN), ReasonCode.NUMBER_UNKNOWN),
    ],
)
def test_a_number_that_may_never_be_called_even_when_asked_to(
    number: NumberState, code: ReasonCode | None
) -> None:
    sunday = paris(MONDAY - timedelta(days=1), 3)
    refusal = never_callable(young_person(numbers=(number,)), POLICY, number_id=OWN, now=sunday)
    assert (refusal.code if refusal else None) == code


def test_opposition_is_for_ever() -> None:
    step = next_attempt(young_person(opposed=True), POLICY, now=paris(MONDAY, 9))
    assert isinstance(step, Stop)
    assert step.reason is StopReason.OPPOSED


def test_a_number_that_is_not_theirs_is_refused() -> None:
    refusal = may_call(young_person(), POLICY, now=paris(MONDAY, 10), number_id=99)
    assert isinstance(refusal, Refusal)
    assert refusal.code is ReasonCode.NUMBER_UNKNOWN


def test_a_soft_refusal_rests_sixty_days() -> None:
    state = after(young_person(), paris(MONDAY, 11), RetryKind.SOFT_REFUSAL)
    step = called(next_attempt(state, POLICY, now=paris(MONDAY, 12)))
    assert paris(MONDAY, 11) + timedelta(days=60) <= step.due_at <= paris(MONDAY, 11) + timedelta(days=64)


def test_saturday_is_an_extra_chance_after_a_first_call() -> None:
    policy = Policy(CallingHours.of(saturday=USUAL_SATURDAY))
    friday = MONDAY + timedelta(days=4)
    state = after(young_person(), paris(friday, 11))
    assert called(next_attempt(state, policy, now=paris(friday, 12))).block.slot is Slot.SATURDAY
    assert called(next_attempt(state, POLICY, now=paris(friday, 12))).block.date == friday + timedelta(days=3)
    fresh = called(next_attempt(young_person(), policy, now=paris(friday + timedelta(days=1), 9)))
    assert fresh.block.slot is not Slot.SATURDAY


def test_rotation_goes_to_a_far_away_hour_next_and_passes_over_one_that_is_too_far() -> None:
    tuesday = MONDAY + timedelta(days=1)
    state = after(young_person(), paris(tuesday, 11))
    assert called(next_attempt(state, POLICY, now=paris(tuesday, 12))).block.slot is Slot.EVENING
    impatient = replace(POLICY, preference=Rotation(patience=timedelta(hours=1)))
    assert called(next_attempt(state, impatient, now=paris(tuesday, 12))).block.slot is Slot.MIDDAY


def test_holidays_follow_the_persons_zone() -> None:
    reunion = ZoneInfo("Indian/Reunion")
    day = date(2027, 12, 20)  # abolition of slavery, a holiday on Réunion only; a Monday
    there = called(
        next_attempt(young_person(zone=reunion), POLICY, now=datetime(2027, 12, 20, 2, tzinfo=UTC))
    )
    here = called(next_attempt(young_person(), POLICY, now=datetime(2027, 12, 20, 2, tzinfo=UTC)))
    assert here.block.date == day
    assert there.block.date == day + timedelta(days=1)


@pytest.mark.parametrize("sunday", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_clock_change_keeps_local_hours(sunday: date) -> None:
    friday, monday = sunday - timedelta(days=2), sunday + timedelta(days=1)
    state = after(young_person(), paris(friday, 18))
    step = called(next_attempt(state, POLICY, now=paris(friday, 19)))
    local = step.due_at.astimezone(PARIS)
    assert (local.date(), local.time()) == (monday, time(12))


def test_what_is_left_of_a_block_can_be_filled_with_somebody_whose_turn_is_another_hour() -> None:
    now = paris(MONDAY, 10, 30)
    block = POLICY.hours.block_at(now, PARIS)
    assert block is not None
    option = eligible_in(young_person(), POLICY, block=block, now=now)
    assert isinstance(option, Option)
    assert option.due_at == now
    tried = after(young_person(), paris(MONDAY - timedelta(days=3), 10))
    refusal = eligible_in(tried, POLICY, block=block, now=now)
    assert isinstance(refusal, Refusal)
    assert refusal.code is ReasonCode.OTHER_SLOT


def test_why_not_now_names_the_rule_that_binds_longest() -> None:
    state = young_person()
    for day, hour in ((0, 10), (1, 18), (2, 12), (3, 16)):
        state = after(state, paris(MONDAY + timedelta(days=day), hour))
    why, when, _ = why_not_now(state, POLICY, now=paris(MONDAY + timedelta(days=4), 22))
    assert why.code is ReasonCode.PERIOD_CAP
    assert why.params["day"] == (MONDAY + timedelta(days=30)).isoformat()
    assert when is not None
    assert when >= paris(MONDAY, 10) + timedelta(days=30)


def test_hours_that_permit_nothing_are_said_so() -> None:
    closed = Policy(CallingHours.of(weekdays=()))
    step = next_attempt(young_person(), closed, now=paris(MONDAY, 9))
    assert isinstance(step, OtherRoute)
    assert step.kind is RouteKind.HOURS_TO_WIDEN
