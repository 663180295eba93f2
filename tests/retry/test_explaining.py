"""The sentence that explains an hour says the numbers that decided, and the rule that closed a better one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from callcentre.dispositions import RetryKind
from callcentre.retry.comparison import Comparison, Rated
from callcentre.retry.explaining import explain
from callcentre.retry.learnt import Learnt, history_of, with_learning
from callcentre.retry.limits import Limits
from callcentre.retry.plan import CallAgain, next_attempt, permitted
from callcentre.retry.policy import Policy
from callcentre.retry.preference import Rotation
from callcentre.retry.profiles import SLOTS, chances, first_fit, second_chances
from callcentre.retry.reasons import ReasonCode, reason, sentence
from callcentre.retry.slots import Slot
from callcentre.retry.state import NumberState, Owner, PastAttempt, PersonState
from callcentre.retry.waiting import Load, queue_days
from callcentre.retry.windows import CallingHours
from tests.retry.learning_cast import USUAL

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # 10:00 in Paris, in the morning slot
FIT = first_fit(USUAL)
OWN, GUARDIAN = 1, 2


def policy(limits: Limits | None = None, load: Load | None = None) -> Policy:
    return with_learning(Policy(CallingHours.of(), limits or Limits()), FIT, USUAL, load)


def call(
    days_ago: int, slot: Slot, hour: int, kind: RetryKind = RetryKind.NO_ANSWER, number: int = OWN
) -> PastAttempt:
    at = (MONDAY - timedelta(days=days_ago)).replace(hour=hour)
    return PastAttempt(at, number, kind, slot, at.astimezone(PARIS).date())


def person(*attempts: PastAttempt, guardian: bool = False) -> PersonState:
    numbers = [NumberState(OWN, Owner.YOUNG_PERSON, calls=_to(OWN, attempts))]
    if guardian:
        numbers.append(NumberState(GUARDIAN, Owner.GUARDIAN, calls=_to(GUARDIAN, attempts)))
    return PersonState(
        7, PARIS, tuple(numbers), attempts, eighteen_on=(MONDAY + timedelta(days=400)).date(), segment="minor"
    )


def _to(number: int, attempts: tuple[PastAttempt, ...]) -> tuple[datetime, ...]:
    return tuple(attempt.at for attempt in attempts if attempt.number_id == number)


def test_the_sentence_says_the_chances_that_decided() -> None:
    state = person(call(12, Slot.MORNING, 9), call(6, Slot.MIDDAY, 11))
    step = next_attempt(state, policy(), now=MONDAY)
    told = explain(state, policy(), now=MONDAY)
    assert isinstance(step, CallAgain)
    assert told is not None
    assert told.comparison is not None
    rates = dict(zip(SLOTS, chances(FIT, history_of(state)), strict=True))
    chosen = told.comparison.chosen
    assert (chosen.slot, chosen.rate) == (step.block.slot, rates[step.block.slot])
    assert step.why.params["one_in"] == round(1 / rates[step.block.slot])
    other = Slot(str(step.why.params["other_slot"]))
    assert step.why.params["other_one_in"] == round(1 / rates[other])
    assert step.why.params["slots"] == "morning,midday"
    assert f"1 call in {step.why.params['one_in']}" in sentence(step.why, "en")
    assert f"1 appel sur {step.why.params['one_in']}" in sentence(step.why, "fr")
    assert "matin, midi" in sentence(step.why, "fr")


def test_no_profile_and_no_trait_is_named() -> None:
    told = explain(person(), policy(), now=MONDAY)
    assert told is not None
    words = sentence(told.why, "en") + str(told)
    assert not any(name in words for name in ("minor", "rarely", "not_by_this_number", "any_hour"))


def test_a_better_hour_that_a_rule_closes_is_compared_with_its_rule() -> None:
    """They answered in the evening once, but the last call, in vain, was in the evening too."""
    state = person(
        call(20, Slot.EVENING, 17, RetryKind.CALLBACK), call(15, Slot.MORNING, 9), call(6, Slot.EVENING, 17)
    )
    told = explain(state, policy(), now=MONDAY)
    assert told is not None
    assert told.closed[Slot.EVENING].code is ReasonCode.OTHER_SLOT
    assert told.comparison is not None
    best = max(told.comparison.others, key=lambda rated: rated.rate)
    assert best.slot is Slot.EVENING
    assert best.rate > told.comparison.chosen.rate


def test_a_full_better_hour_is_said_to_come_too_late() -> None:
    busy = Load(tuple(0.03 if slot is not Slot.MORNING else 1.0 for slot in SLOTS))
    step = next_attempt(person(), policy(load=busy), now=MONDAY)
    assert isinstance(step, CallAgain)
    assert step.block.slot is Slot.MORNING
    assert step.why.code is ReasonCode.LEARNT_SOONER
    other = Slot(str(step.why.params["other_slot"]))
    (offered,) = (o for o in permitted(person(), policy(), now=MONDAY) if o.block.slot is other)
    days = (offered.due_at - MONDAY) / timedelta(days=1) + queue_days(busy, other, USUAL)
    assert step.why.params["wait_days"] == ceil(days) > 20
    assert f"would only come in about {ceil(days)} days" in sentence(step.why, "en")


def test_a_likelier_hour_that_is_not_worth_one_of_the_calls_left_is_said() -> None:
    better, chosen = Rated(Slot.SATURDAY, 0.2), Rated(Slot.EVENING, 0.15, days=2)
    why = Comparison(chosen, (better,), left_out=(Slot.SATURDAY,)).reason()
    assert why.code is ReasonCode.LEARNT_AHEAD
    assert "has no part in the best use of the calls that are left" in sentence(why, "en")
    assert "samedi" in sentence(why, "fr")


def test_somebody_put_off_comes_back_when_it_was_said_and_is_told_so() -> None:
    until = MONDAY + timedelta(minutes=30)
    put_off = replace(person(call(12, Slot.MIDDAY, 11)), pause_until=until)
    for told_by in (policy(), Policy(CallingHours.of(), preference=Rotation())):
        step = next_attempt(put_off, told_by, now=MONDAY)
        assert isinstance(step, CallAgain)
        assert step.due_at == until
        assert step.why == reason(ReasonCode.PUT_OFF, day="2026-11-23", time="10:30")
    assert sentence(step.why, "fr").startswith("Reporté au lundi 23 novembre à 10 h 30")
    told = explain(put_off, policy(), now=MONDAY)
    assert told is not None
    assert told.comparison is None


def test_a_likelier_hour_is_given_up_for_its_queue_and_said_to_be() -> None:
    two_calls = Limits(calls_in_all=2)
    free = next_attempt(person(), policy(two_calls), now=MONDAY)
    assert isinstance(free, CallAgain)
    best = free.block.slot
    busy = Load(tuple(0.03 if slot is best else 1.0 for slot in SLOTS))
    step = next_attempt(person(), policy(two_calls, busy), now=MONDAY)
    assert isinstance(step, CallAgain)
    assert step.block.slot is not best
    assert (step.why.code, step.why.params["other_slot"]) == (ReasonCode.LEARNT_SOONER, best.value)
    assert int(step.why.params["wait_days"]) > 20


def test_a_likelier_hour_too_near_to_the_last_call_is_said() -> None:
    why = Comparison(Rated(Slot.EVENING, 0.15, days=2), (Rated(Slot.MIDDAY, 0.2, days=1),)).reason()
    assert why.code is ReasonCode.LEARNT_RESTED
    assert "too soon after the last call" in sentence(why, "en")
    later = Comparison(Rated(Slot.EVENING, 0.15, days=2), (Rated(Slot.MIDDAY, 0.2, days=3),)).reason()
    assert later.code is ReasonCode.LEARNT_SOONER
    assert later.params["wait_days"] == 3


def test_an_hour_at_which_they_answered_is_said() -> None:
    heard = replace(person(call(40, Slot.MORNING, 9)), answered_slots=(Slot.EVENING,))
    step = next_attempt(heard, policy(), now=MONDAY)
    assert isinstance(step, CallAgain)
    assert step.block.slot is Slot.EVENING
    assert step.why.code is ReasonCode.LEARNT_ANSWERED
    assert "a déjà répondu au créneau soirée" in sentence(step.why, "fr")


def test_an_hour_at_which_somebody_else_answered_is_not_told_as_theirs() -> None:
    state = person(call(40, Slot.MORNING, 9), call(12, Slot.EVENING, 17, RetryKind.THIRD_PARTY))
    two_later = replace(state, attempts=(*state.attempts, call(6, Slot.MIDDAY, 11)))
    step = next_attempt(two_later, policy(), now=MONDAY)
    assert isinstance(step, CallAgain)
    assert step.why.code is ReasonCode.LEARNT_OTHERS_ANSWERED
    assert step.why.params["answered_slots"] == "evening"
    assert "quelqu'un d'autre a déjà répondu au créneau soirée" in sentence(step.why, "fr")


def test_an_hour_that_a_relative_named_counts_and_is_told_as_theirs() -> None:
    state = person(call(40, Slot.MORNING, 9))
    hinted = replace(state, hinted_slots=(Slot.EVENING,))
    assert history_of(hinted) == history_of(replace(state, answered_slots=(Slot.EVENING,)))
    step = next_attempt(hinted, policy(), now=MONDAY)
    assert isinstance(step, CallAgain)
    assert (step.block.slot, step.why.code) == (Slot.EVENING, ReasonCode.LEARNT_HINTED)
    assert "un proche a indiqué le créneau soirée" in sentence(step.why, "fr")


def test_an_hour_once_answered_is_not_said_where_it_does_not_count() -> None:
    deaf = USUAL.overridden({"uses_answered_hours": False})
    state = person(call(40, Slot.MORNING, 9), call(12, Slot.EVENING, 17, RetryKind.CALLBACK))
    step = next_attempt(state, with_learning(Policy(CallingHours.of()), FIT, deaf), now=MONDAY)
    assert isinstance(step, CallAgain)
    assert step.why.code is not ReasonCode.LEARNT_ANSWERED
    assert "answered_slots" not in step.why.params


def test_a_relatives_number_is_called_when_it_is_worth_more_and_says_so() -> None:
    tried = (
        call(110, Slot.MORNING, 9),
        call(101, Slot.MIDDAY, 11),
        call(92, Slot.AFTERNOON, 15),
        call(83, Slot.EVENING, 17),
        call(74, Slot.AFTERNOON, 15),
        call(65, Slot.MIDDAY, 11),
    )
    state = person(*tried, guardian=True)
    good = replace(FIT, second_rates=(0.6,) * len(SLOTS))
    knowing = with_learning(Policy(CallingHours.of()), good, USUAL)
    step = next_attempt(state, knowing, now=MONDAY)
    assert isinstance(step, CallAgain)
    assert step.number_id == GUARDIAN
    assert step.why.code is ReasonCode.LEARNT_SECOND
    worth = second_chances(good, history_of(state), USUAL)[SLOTS.index(step.block.slot)]
    assert step.why.params["one_in"] == round(1 / worth)
    never = replace(knowing, limits=Limits(guardian_attempts=frozenset()))
    barred = next_attempt(state, never, now=MONDAY)
    assert isinstance(barred, CallAgain)
    assert barred.number_id == OWN
    grown_up = replace(state, eighteen_on=(MONDAY - timedelta(days=400)).date())
    again = next_attempt(grown_up, knowing, now=MONDAY)
    assert isinstance(again, CallAgain)
    assert again.number_id == OWN


def test_a_share_of_people_may_be_kept_on_rotation() -> None:
    everybody = USUAL.overridden({"control_share": 1.0})
    kept = with_learning(Policy(CallingHours.of()), FIT, everybody)
    plain = Policy(CallingHours.of(), preference=Rotation())
    assert next_attempt(person(), kept, now=MONDAY) == next_attempt(person(), plain, now=MONDAY)
    told = explain(person(), kept, now=MONDAY)
    assert told is not None
    assert told.comparison is None
    off = with_learning(Policy(CallingHours.of()), FIT, USUAL.overridden({"preference": "rotation"}))
    assert isinstance(off.preference, Rotation)
    assert isinstance(policy().preference, Learnt)


def test_a_comparison_reads_its_rates_as_one_in_so_many() -> None:
    assert Rated(Slot.EVENING, 0.124).one_in == 8
    assert Rated(Slot.EVENING, 0.0).one_in == 100
    alone = Comparison(Rated(Slot.EVENING, 0.2), forbidden=tuple(set(Slot) - {Slot.EVENING}))
    assert alone.reason().code is ReasonCode.LEARNT_ONLY
