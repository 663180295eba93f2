"""Whatever was learnt, and whatever the history, the calendar and the settings: the learnt rule breaks no hard rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcentre.retry.explaining import explain
from callcentre.retry.learnt import Learnt, is_control, with_learning
from callcentre.retry.plan import CallAgain, Permission, may_call, next_attempt
from callcentre.retry.policy import Policy
from callcentre.retry.preference import Rotation
from callcentre.retry.reasons import sentence
from callcentre.retry.rules import CallKind
from callcentre.retry.slots import Slot
from callcentre.retry.state import Owner, PersonState
from tests import strategies
from tests.retry.learning_cast import fits, loads, tunings
from tests.retry.recount import broken_rules

whole = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def learnt_situations(draw: st.DrawFn) -> tuple[PersonState, Policy, datetime]:
    """A situation whose policy decides by anything that may have been learnt."""
    person, policy, now = draw(strategies.situations())
    tuning = draw(tunings())
    policy = with_learning(policy, draw(fits(tuning)), tuning, draw(loads))
    heard = draw(st.lists(st.sampled_from(Slot), max_size=2))
    return replace(person, answered_slots=tuple(heard)), policy, now


Situation = tuple[PersonState, Policy, datetime]


@whole
@given(learnt_situations())
def test_the_next_call_breaks_no_rule_at_any_moment_of_its_time(situation: Situation) -> None:
    person, policy, now = situation
    step = next_attempt(person, policy, now=now)
    if not isinstance(step, CallAgain):
        return
    assert now <= step.due_at < step.due_until
    assert step.block.start <= step.due_at
    assert step.due_until <= step.block.end
    for at in (step.due_at, step.due_until - timedelta(seconds=1)):
        assert not broken_rules(person, policy, at=at, number_id=step.number_id, kind=step.kind)
        assert isinstance(may_call(person, policy, now=at, number_id=step.number_id), Permission)


@whole
@given(learnt_situations())
def test_the_learnt_rule_calls_whenever_plain_rotation_would(situation: Situation) -> None:
    """It chooses among hours; it never ends or starts somebody's calls."""
    person, policy, now = situation
    learnt = next_attempt(person, policy, now=now)
    plain = next_attempt(person, replace(policy, preference=Rotation()), now=now)
    assert type(learnt) is type(plain)
    if not isinstance(learnt, CallAgain):
        assert learnt == plain


@whole
@given(learnt_situations())
def test_the_same_inputs_give_the_same_step(situation: Situation) -> None:
    person, policy, now = situation
    again = replace(policy, hours=replace(policy.hours))
    assert next_attempt(person, policy, now=now) == next_attempt(person, again, now=now)
    if isinstance(policy.preference, Learnt):
        fit = policy.preference.fit
        stored = type(fit).from_json(fit.as_json())
        again = replace(policy, preference=replace(policy.preference, fit=stored))
        assert next_attempt(person, policy, now=now) == next_attempt(person, again, now=now)


@whole
@given(learnt_situations(), st.integers(0, 3))
def test_a_new_holiday_never_brings_a_past_or_forbidden_time(situation: Situation, later: int) -> None:
    """The day that was chosen becomes a closed one: the rule goes elsewhere."""
    person, policy, now = situation
    step = next_attempt(person, policy, now=now)
    if not isinstance(step, CallAgain):
        return
    closed = policy.hours.closed_days | {step.block.date + timedelta(days) for days in range(later + 1)}
    policy = replace(policy, hours=replace(policy.hours, closed_days=closed))
    again = next_attempt(person, policy, now=now)
    if isinstance(again, CallAgain):
        assert again.due_at >= now
        assert again.block.date not in closed
        assert not broken_rules(person, policy, at=again.due_at, number_id=again.number_id, kind=again.kind)


@whole
@given(learnt_situations(), strategies.zones, st.integers(-4, 4))
def test_a_clock_change_or_a_removal_never_brings_a_forbidden_time(
    situation: Situation, zone: ZoneInfo, hours: int
) -> None:
    """Asked around a change of the clocks, and for somebody who has moved to another zone."""
    person, policy, now = situation
    changes = ("2026-03-29T01:00", "2026-10-25T01:00", "2027-03-28T01:00", "2027-10-31T01:00")
    moment = datetime.fromisoformat(changes[hours % len(changes)]).replace(tzinfo=now.tzinfo)
    moved = replace(person, zone=zone)
    for asked in (now, moment + timedelta(hours=hours)):
        if person.attempts and asked < person.attempts[-1].at:
            continue
        step = next_attempt(moved, policy, now=asked)
        if isinstance(step, CallAgain):
            assert asked <= step.due_at < step.due_until
            assert not broken_rules(moved, policy, at=step.due_at, number_id=step.number_id, kind=step.kind)


@whole
@given(learnt_situations())
def test_the_second_number_is_kept_for_later_calls(situation: Situation) -> None:
    person, policy, now = situation
    learnt = policy.preference
    step = next_attempt(person, policy, now=now)
    if not isinstance(step, CallAgain) or not isinstance(learnt, Learnt) or step.kind is not CallKind.PLANNED:
        return
    owners = {number.number_id: number.owner for number in person.numbers}
    plain = next_attempt(person, replace(policy, preference=Rotation()), now=now)
    assert isinstance(plain, CallAgain)
    too_early = person.calls_since_opening + 1 < learnt.tuning.second_from_call
    if (
        owners[step.number_id] is Owner.GUARDIAN
        and too_early
        and not is_control(person.person_id, learnt.tuning)
    ):
        assert owners[plain.number_id] is Owner.GUARDIAN  # nobody else may be called


@whole
@given(learnt_situations())
def test_the_explanation_is_that_of_the_step(situation: Situation) -> None:
    person, policy, now = situation
    step = next_attempt(person, policy, now=now)
    told = explain(person, policy, now=now)
    if not isinstance(step, CallAgain) or step.kind is not CallKind.PLANNED:
        assert told is None
        return
    assert told is not None
    assert told.why == step.why
    for language in ("fr", "en"):
        assert all("…" not in sentence(why, language) for why in (told.why, *told.closed.values()))
    if told.comparison is not None:
        assert told.comparison.chosen.slot is step.block.slot
        assert not set(told.closed) - set(told.comparison.forbidden)
