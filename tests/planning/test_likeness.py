"""Equal likeness, equal answer: what lets a night plan a million people by some thousands of answers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from callcentre.dispositions import RetryKind
from callcentre.planning.replan import likeness
from callcentre.retry.learnt import Learnt, with_learning
from callcentre.retry.plan import CallAgain, next_attempt
from callcentre.retry.policy import Policy
from callcentre.retry.slots import Slot
from callcentre.retry.state import NumberState, Owner, PastAttempt, PersonState
from callcentre.retry.windows import USUAL_SATURDAY, CallingHours
from callcentre.retry.worth import order
from tests import strategies
from tests.retry.learning_cast import fits, loads, tunings

OTHER_IDS = 10**7


@st.composite
def couples(draw: st.DrawFn) -> tuple[PersonState, PersonState, Policy, datetime]:
    """Somebody, and somebody else to whom much the same happened, perhaps some weeks earlier."""
    person, policy, now = draw(strategies.situations())
    tuning = draw(tunings())
    policy = with_learning(policy, draw(fits(tuning)), tuning, draw(loads))
    slots = tuple(draw(st.lists(st.sampled_from(Slot), max_size=2)))
    person = replace(person, messages=(), opposed=False, answered_slots=slots)
    theirs, hinted = (slots, ()) if draw(st.booleans()) else ((), slots)
    earlier = timedelta(weeks=draw(st.integers(0, 3)))
    twin = replace(
        person,
        person_id=draw(st.integers(1, 10**6)),
        numbers=tuple(
            replace(n, number_id=n.number_id + OTHER_IDS, calls=tuple(call - earlier for call in n.calls))
            for n in person.numbers
        ),
        attempts=tuple(
            replace(
                a,
                at=a.at - earlier,
                local_date=a.local_date - earlier,
                number_id=None if a.number_id is None else a.number_id + OTHER_IDS,
            )
            for a in person.attempts
        ),
        opened_at=None if person.opened_at is None else person.opened_at - earlier,
        answered_slots=theirs,
        hinted_slots=hinted,
    )
    return person, twin, policy, now


@settings(max_examples=100, deadline=None, suppress_health_check=[*HealthCheck])
@given(couples())
def test_people_of_one_likeness_get_one_answer(
    couple: tuple[PersonState, PersonState, Policy, datetime],
) -> None:
    person, twin, policy, now = couple
    like = likeness(person, policy, now)
    assume(like is not None and like == likeness(twin, policy, now))
    one, other = next_attempt(person, policy, now=now), next_attempt(twin, policy, now=now)
    if not isinstance(one, CallAgain) or not isinstance(other, CallAgain):
        assert type(one) is type(other)
        assert one.why.code == other.why.code
        return
    assert replace(one, value=0.0, number_id=0) == replace(other, value=0.0, number_id=0)
    assert [n.number_id for n in person.numbers].index(one.number_id) == [
        n.number_id for n in twin.numbers
    ].index(other.number_id)
    if isinstance(policy.preference, Learnt) and max(one.value, other.value) < 1:
        assert _base(person, policy.preference, one) == pytest.approx(_base(twin, policy.preference, other))


def test_on_rotation_a_call_on_saturday_leaves_everybody_at_their_own_start() -> None:
    policy = Policy(CallingHours.of(saturday=USUAL_SATURDAY))
    saturday = datetime(2026, 9, 5, 9, tzinfo=UTC)
    call = PastAttempt(saturday, 1, RetryKind.NO_ANSWER, Slot.SATURDAY, saturday.date())
    number = NumberState(1, Owner.YOUNG_PERSON, calls=(saturday,))
    people = [PersonState(one, strategies.ZONES[0], (number,), (call,)) for one in range(1, 30)]
    now, answers = saturday + timedelta(days=2), defaultdict(set)
    for person in people:
        step = next_attempt(person, policy, now=now)
        answers[likeness(person, policy, now)].add((step.why, isinstance(step, CallAgain) and step.due_at))
    assert len(answers) == 4
    assert all(len(given) == 1 for given in answers.values())


def _base(person: PersonState, preference: Learnt, step: CallAgain) -> float:
    """The worth of a step before the person's own wait counts."""
    since = person.attempts[-1].at if person.attempts else person.opened_at
    waited = 0.0 if since is None else max(0.0, (step.due_at - since) / timedelta(days=1))
    return step.value / order(1.0, waited, preference.tuning)
