"""Whatever the history, the calendar and the settings: no permitted call breaks a rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcentre.dispositions import RetryKind
from callcentre.retry.limits import Limits
from callcentre.retry.plan import (
    CallAgain,
    OtherRoute,
    Permission,
    Stop,
    eligible_in,
    may_call,
    next_attempt,
    why_not_now,
)
from callcentre.retry.policy import Policy
from callcentre.retry.preference import Option
from callcentre.retry.reasons import Reason, ReasonCode, sentence
from callcentre.retry.rules import CallKind, Refusal
from callcentre.retry.state import NumberState, Owner, PastAttempt, PersonState
from callcentre.retry.windows import USUAL_SATURDAY, CallingHours
from tests import strategies
from tests.retry.recount import broken_rules

PARIS = ZoneInfo("Europe/Paris")
whole = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@whole
@given(strategies.situations())
def test_the_next_call_breaks_no_rule_at_any_moment_of_its_time(
    situation: tuple[PersonState, Policy, datetime],
) -> None:
    person, policy, now = situation
    step = next_attempt(person, policy, now=now)
    if not isinstance(step, CallAgain):
        assert isinstance(step, OtherRoute | Stop)
        return
    assert now <= step.due_at < step.due_until
    assert step.block.start <= step.due_at
    assert step.due_until <= step.block.end
    assert step.block.date == step.due_at.astimezone(person.zone).date()
    for at in (step.due_at, step.due_until - timedelta(seconds=1)):
        assert not broken_rules(person, policy, at=at, number_id=step.number_id, kind=step.kind)
        permission = may_call(person, policy, now=at, number_id=step.number_id)
        assert isinstance(permission, Permission)
        assert permission.until >= step.due_until or permission.kind is CallKind.PLANNED


@whole
@given(strategies.situations())
def test_a_call_permitted_now_breaks_no_rule(situation: tuple[PersonState, Policy, datetime]) -> None:
    person, policy, now = situation
    for number_id in (None, *(number.number_id for number in person.numbers)):
        for promised in (False, True):
            answer = may_call(person, policy, now=now, number_id=number_id, promised=promised)
            if isinstance(answer, Permission):
                assert not broken_rules(
                    person, policy, at=now, number_id=answer.number_id, kind=answer.kind
                ), answer
                assert now < answer.until


@whole
@given(strategies.situations())
def test_a_call_refused_now_breaks_a_rule(situation: tuple[PersonState, Policy, datetime]) -> None:
    """The rules are not stricter than they say."""
    person, policy, now = situation
    for number in person.numbers:
        for promised, kind in ((False, CallKind.PLANNED), (True, CallKind.PROMISED)):
            answer = may_call(person, policy, now=now, number_id=number.number_id, promised=promised)
            if isinstance(answer, Refusal):
                assert broken_rules(person, policy, at=now, number_id=number.number_id, kind=kind), answer


@whole
@given(strategies.situations())
def test_a_refusal_ends_when_it_says(situation: tuple[PersonState, Policy, datetime]) -> None:
    """Nothing is permitted on a number before the end that its refusal names."""
    person, policy, now = situation
    for number in person.numbers:
        refusal = may_call(person, policy, now=now, number_id=number.number_id)
        if isinstance(refusal, Refusal) and refusal.until is not None:
            assert refusal.until > now
            just_before = max(now, refusal.until - timedelta(seconds=1))
            again = may_call(person, policy, now=just_before, number_id=number.number_id)
            assert isinstance(again, Refusal) or again.kind is CallKind.QUICK_RETRY


@whole
@given(strategies.situations())
def test_every_block_that_admits_a_person_breaks_no_rule(
    situation: tuple[PersonState, Policy, datetime],
) -> None:
    person, policy, now = situation
    for block in policy.hours.blocks_from(now, person.zone, days=9):
        option = eligible_in(person, policy, block=block, now=now)
        if isinstance(option, Option):
            assert max(now, block.start) <= option.due_at < block.end
            assert not broken_rules(person, policy, at=option.due_at, number_id=option.number_id)


@whole
@given(strategies.situations())
def test_the_same_inputs_give_the_same_step(situation: tuple[PersonState, Policy, datetime]) -> None:
    person, policy, now = situation
    elsewhere = replace(policy, hours=replace(policy.hours))
    assert next_attempt(person, policy, now=now) == next_attempt(person, elsewhere, now=now)


@whole
@given(strategies.situations())
def test_why_not_now_always_has_a_time_or_a_definite_end(
    situation: tuple[PersonState, Policy, datetime],
) -> None:
    person, policy, now = situation
    why, when, why_then = why_not_now(person, policy, now=now)
    step = next_attempt(person, policy, now=now)
    if isinstance(step, CallAgain):
        assert when == step.due_at
        assert (why.code is ReasonCode.READY) == (step.due_at <= now)
        assert why.code is ReasonCode.READY or why_then == step.why
    else:
        assert when is None
    for language in ("fr", "en"):
        assert "…" not in sentence(why, language)
    assert Reason.from_json(why.as_json()) == why


@whole
@given(strategies.situations(), st.booleans())
def test_opposed_and_opted_out_are_never_called(
    situation: tuple[PersonState, Policy, datetime], promised: bool
) -> None:
    person, policy, now = situation
    opposed = replace(person, opposed=True)
    silenced = replace(person, numbers=tuple(replace(n, opted_out=True) for n in person.numbers))
    for state in (opposed, silenced):
        assert not isinstance(next_attempt(state, policy, now=now), CallAgain)
        assert isinstance(may_call(state, policy, now=now, promised=promised), Refusal)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_household_played_for_months_never_breaks_a_rule(data: st.DataObject) -> None:
    """Two siblings with a shared guardian's number are called whenever they are due, and answer at random."""
    policy = Policy(
        CallingHours.of(saturday=data.draw(st.sampled_from([(), USUAL_SATURDAY]))),
        Limits(calls_per_day=data.draw(st.integers(1, 2))),
    )
    now = datetime(2026, data.draw(st.integers(1, 12)), 1, tzinfo=UTC)
    shared = NumberState(99, Owner.GUARDIAN)
    people = {
        pid: PersonState(
            pid,
            PARIS,
            (NumberState(pid, Owner.YOUNG_PERSON), shared),
            eighteen_on=now.date().replace(year=2030),
        )
        for pid in (1, 2)
    }
    kinds = st.sampled_from(
        [RetryKind.NO_ANSWER] * 4 + [RetryKind.BUSY, RetryKind.TECHNICAL, RetryKind.THIRD_PARTY]
    )
    for _ in range(20):
        steps = {pid: next_attempt(person, policy, now=now) for pid, person in people.items()}
        due = [(s.due_at, pid, s) for pid, s in steps.items() if isinstance(s, CallAgain)]
        if not due:
            break
        at, pid, step = min(due, key=lambda d: (d[0], d[1]))
        now = min(
            at + timedelta(minutes=data.draw(st.integers(0, 90))), step.due_until - timedelta(seconds=1)
        )
        person = people[pid]
        if isinstance(may_call(person, policy, now=now, number_id=step.number_id), Refusal):
            raise AssertionError("a planned call was refused within its time")
        assert not broken_rules(person, policy, at=now, number_id=step.number_id, kind=step.kind)
        call = PastAttempt(now, step.number_id, data.draw(kinds), step.block.slot, step.block.date)
        people[pid] = replace(person, attempts=(*person.attempts, call))
        people = {pid: _after_a_call(person, step.number_id, now) for pid, person in people.items()}
    for person in people.values():
        assert len(person.attempts) <= policy.limits.calls_in_all
        assert all(len(n.calls) <= policy.limits.calls_in_all for n in person.numbers)


def _after_a_call(person: PersonState, number_id: int, at: datetime) -> PersonState:
    """The same person once the number, perhaps a sibling's too, has been called."""
    numbers = tuple(
        replace(number, calls=(*number.calls, at)) if number.number_id == number_id else number
        for number in person.numbers
    )
    return replace(person, numbers=numbers)
