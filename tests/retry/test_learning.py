"""The nightly refit: it finds what was planted, forgets what has changed, and is not fooled by who is left."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from pydantic import ValidationError

from callcentre.retry.learning import Group, SecondTally, refit
from callcentre.retry.profiles import (
    NONE,
    Fit,
    History,
    chances,
    first_fit,
    interval,
    second_chances,
    weights,
)
from callcentre.retry.slots import Slot
from callcentre.retry.waiting import Load, after_block, queue_days
from callcentre.retry.worth import Situation, Turn, best, freshness, lasting_queues, order, worths, worthwhile
from tests.retry.learning_cast import USUAL

TODAY = date(2026, 11, 23)
MORNING, MIDDAY, AFTERNOON, EVENING, SATURDAY = range(5)


def once(place: int, count: int = 1) -> tuple[int, ...]:
    return tuple(count if slot == place else 0 for slot in range(5))


def group(
    unanswered: tuple[int, ...] = NONE,
    answered: tuple[int, ...] = NONE,
    people: float = 1,
    segment: str = "",
    weight: float = 1,
) -> Group:
    return Group(
        segment,
        unanswered,
        answered,
        people,
        tuple(weight * people * count for count in unanswered),
        tuple(weight * people * count for count in answered),
    )


def alike(rates: tuple[float, ...]) -> Fit:
    """Everybody answers with these chances."""
    return replace(first_fit(USUAL), rates=(rates,) * len(USUAL.profiles))


def played(people: int, share_of_evening: float, *, seed: int) -> list[Group]:
    """People who answer in the evening, or hardly ever, called in the morning first and then in the evening."""
    draw = Random(seed)
    histories: Counter[tuple[tuple[int, ...], tuple[int, ...]]] = Counter()
    for _ in range(people):
        is_evening = draw.random() < share_of_evening
        unanswered, answered = [0] * 5, [0] * 5
        for place in (MORNING, EVENING, MIDDAY, EVENING):
            rate = (0.4 if place == EVENING else 0.05) if is_evening else 0.03
            if draw.random() < rate:
                answered[place] += 1
                break
            unanswered[place] += 1
        histories[tuple(unanswered), tuple(answered)] += 1
    return [group(*history, people=count) for history, count in histories.items()]


def nights(groups: list[Group], count: int = 40) -> Fit:
    fit = first_fit(USUAL)
    for _ in range(count):
        fit = refit(fit, groups, (), tuning=USUAL, today=TODAY)
    return fit


def test_without_calls_the_priors_stay() -> None:
    fit = refit(first_fit(USUAL), (), (), tuning=USUAL, today=TODAY)
    first = first_fit(USUAL)
    for learnt, believed in zip(fit.rates, first.rates, strict=True):
        assert learnt == pytest.approx(believed)
    assert chances(fit, History()) == pytest.approx(chances(first, History()))
    assert (fit.version, fit.fitted_on) == (1, "2026-11-23")


def test_a_population_of_evening_people_is_recognised() -> None:
    fit = nights(played(3000, 0.7, seed=1))
    now = chances(fit, History())
    assert now[EVENING] > 2 * now[MORNING]
    assert now[EVENING] == pytest.approx(0.7 * 0.4 + 0.3 * 0.03, abs=0.05)


def test_later_calls_do_not_make_their_slot_look_bad() -> None:
    """The second evening call reaches those who are left: its rate alone would be far too low for a newcomer."""
    groups = played(4000, 0.5, seed=2)
    answered = sum(one.faded_answered[EVENING] for one in groups)
    called = answered + sum(one.faded_unanswered[EVENING] for one in groups)
    naive = answered / called
    truth = 0.5 * 0.4 + 0.5 * 0.03
    learnt = chances(nights(groups), History())[EVENING]
    assert abs(learnt - truth) < abs(naive - truth)


def with_promises(people: int, *, part: float, seed: int) -> list[Group]:
    """People of the usual profiles; a part of those who answer agree on a time, at which most of them answer again."""
    draw, first = Random(seed), first_fit(USUAL)
    people_of: Counter[tuple[tuple[int, ...], tuple[int, ...]]] = Counter()
    ordinary: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[list[int], list[int]]] = {}
    for _ in range(people):
        (rates,) = draw.choices(first.rates, first.usual_shares)
        unanswered, answered, missed, taken = ([0] * 5 for _ in range(4))
        for place in draw.sample((MORNING, MIDDAY, AFTERNOON, EVENING), 4):
            if draw.random() >= rates[place]:
                unanswered[place] += 1
                missed[place] += 1
                continue
            answered[place] += 1
            taken[place] += 1
            if draw.random() < part:
                agreed = draw.choice((MORNING, MIDDAY, AFTERNOON, EVENING))
                (answered if draw.random() < 0.75 else unanswered)[agreed] += 1
            break
        history = tuple(unanswered), tuple(answered)
        people_of[history] += 1
        sums = ordinary.setdefault(history, ([0] * 5, [0] * 5))
        for place in range(5):
            sums[0][place] += missed[place]
            sums[1][place] += taken[place]
    return [
        Group("", *history, count, tuple(ordinary[history][0]), tuple(ordinary[history][1]))
        for history, count in people_of.items()
    ]


def test_times_that_were_agreed_do_not_make_people_look_easier_to_reach() -> None:
    truth = chances(first_fit(USUAL), History())
    learnt = chances(nights(with_promises(3000, part=0.5, seed=5)), History())
    for place in (MORNING, MIDDAY, AFTERNOON, EVENING):
        assert learnt[place] == pytest.approx(truth[place], abs=0.015)


def test_a_first_list_of_400_does_not_overturn_what_is_believed_of_the_hours() -> None:
    first, fit = first_fit(USUAL), nights(played(400, 0.0, seed=3), count=5)
    assert chances(fit, History())[EVENING] < chances(first, History())[EVENING]
    evening = fit.rates[first.names.index("evening")]
    assert evening[EVENING] > 1.3 * evening[MORNING]
    assert evening[AFTERNOON] == first.rates[first.names.index("evening")][AFTERNOON]  # never called then


def test_faded_calls_weigh_less() -> None:
    fresh = nights([group(answered=once(MORNING), people=500)], count=10)
    faded = nights([group(answered=once(MORNING), people=500, weight=0.05)], count=10)
    assert chances(fresh, History())[MORNING] > chances(faded, History())[MORNING]


def test_segments_differ_and_a_strange_one_is_usual() -> None:
    groups = [
        group(answered=once(EVENING), people=300, segment="work"),
        group(answered=once(MORNING), people=300, segment="school"),
    ]
    fit = nights(groups)
    work, school = (chances(fit, History(segment)) for segment in ("work", "school"))
    assert work[EVENING] - work[MORNING] > school[EVENING] - school[MORNING]
    assert weights(fit, History("never seen")) == pytest.approx(fit.usual_shares)


def test_the_refit_is_the_same_whatever_the_order_of_groups() -> None:
    groups = played(1000, 0.4, seed=4)
    one, other = (nights(order, count=3) for order in (groups, groups[::-1]))
    assert one.rates[0] == pytest.approx(other.rates[0])
    assert Fit.from_json(one.as_json()) == one


def test_an_answer_tells_more_than_a_missed_call() -> None:
    fit = first_fit(USUAL)
    unknown = chances(fit, History())[EVENING]
    missed = chances(fit, History(unanswered=once(EVENING)))[EVENING]
    heard = chances(fit, History(answered=once(EVENING)))[EVENING]
    assert missed < unknown < heard
    assert heard - unknown > 3 * (unknown - missed)


def test_the_second_number_has_rates_of_its_own() -> None:
    tallies = [SecondTally(EVENING, 20, 80, 60), SecondTally(MORNING, 95, 5, 1)]
    fit = refit(first_fit(USUAL), (), tallies, tuning=USUAL, today=TODAY)
    assert fit.second_rates[EVENING] > 0.7 > 0.1 > fit.second_rates[MORNING]
    assert fit.second_rates[MIDDAY] == USUAL.second_rate
    assert 0.5 < fit.second_worth < 0.75
    fresh = second_chances(fit, History(), USUAL)
    tried = second_chances(fit, History(second_unanswered=2), USUAL)
    assert tried[EVENING] < fresh[EVENING]


def test_a_guardian_is_called_when_worth_more_and_not_too_early() -> None:
    fit, tired = first_fit(USUAL), History(unanswered=(3, 3, 3, 3, 0))
    late = Situation(calls=4, has_second=True, left=3)
    assert all(worths(fit, tired, late, USUAL).second)
    one_more = Situation(calls=4, has_second=True, left=4)  # and no more than three to the second number
    own = [slot for slot, second in enumerate(worths(fit, tired, one_more, USUAL).second) if not second]
    assert own == [EVENING]
    assert not any(worths(fit, History(), Situation(calls=0, has_second=True), USUAL).second)
    often = Situation(calls=6, has_second=True, second_calls=USUAL.second_calls)
    assert not any(worths(fit, tired, often, USUAL).second)
    alone = Situation(calls=0, has_own=False, has_second=True)
    assert all(worths(fit, History(), alone, USUAL).second)


def test_the_hour_of_an_answer_may_be_left_out_of_the_choice() -> None:
    fit, heard = first_fit(USUAL), History(answered=once(EVENING))
    without = USUAL.overridden({"uses_answered_hours": False})
    assert worths(fit, heard, Situation(), without) == worths(fit, History(), Situation(), USUAL)


def test_waiting_has_a_price() -> None:
    values = (0.2, 0.1, 0.1, 0.22, 0.1)
    assert best(values, [Turn(MORNING, 0), Turn(EVENING, 1)], USUAL) == EVENING
    assert best(values, [Turn(MORNING, 0), Turn(EVENING, 0, 5)], USUAL) == MORNING


def test_a_redial_is_worth_less_and_absences_last() -> None:
    hours = (1, 4, 24, 72, 240)
    parts = [freshness(hour / 24, USUAL) for hour in hours]
    assert parts == sorted(parts)
    assert parts[0] < 0.5 < parts[1]
    assert parts[-1] == pytest.approx(1, abs=0.02)
    values = (0.2, 0.2, 0.0, 0.0, 0.0)
    assert best(values, [Turn(MIDDAY, 0), Turn(MORNING, 1)], USUAL) == MIDDAY
    assert best(values, [Turn(MIDDAY, 0), Turn(MORNING, 1)], USUAL, idle=0.1) == MORNING


def test_a_full_slot_costs_days_and_recovers() -> None:
    load = Load.idle()
    for _ in range(30):
        load = after_block(load, Slot.EVENING, capacity=10, wanted=100, tuning=USUAL)
    assert queue_days(load, Slot.EVENING, USUAL) == pytest.approx(9, abs=0.5)
    assert queue_days(load, Slot.MORNING, USUAL) == 0
    assert queue_days(load, Slot.EVENING, USUAL.overridden({"prices_load": False})) == 0
    for _ in range(40):
        load = after_block(load, Slot.EVENING, capacity=10, wanted=0, tuning=USUAL)
    assert queue_days(load, Slot.EVENING, USUAL) == pytest.approx(0, abs=0.01)
    assert Load.from_json(load.as_json()) == load


def test_saturday_does_not_take_a_call_that_is_worth_more_at_a_better_hour() -> None:
    fit = alike((0.05, 0.1, 0.1, 0.3, 0.15))
    two_left = worths(fit, History(), Situation(calls=4, left=2, untried=(MORNING,)), USUAL).prospects
    assert two_left[MORNING] > two_left[SATURDAY]  # the morning brings the evening round again
    last = worths(fit, History(), Situation(calls=5, left=1, untried=(MORNING,)), USUAL).prospects
    assert last[SATURDAY] > last[MORNING]
    queues = lasting_queues({MORNING: 0, SATURDAY: 70}, USUAL)
    full = worths(fit, History(), Situation(calls=5, left=1, untried=(MORNING,), queues=queues), USUAL)
    assert full.prospects[MORNING] > full.prospects[SATURDAY]
    closed = worths(fit, History(), Situation(calls=5, left=1, saturday=False), USUAL)
    assert closed.prospects[SATURDAY] == 0


def test_with_few_calls_left_only_the_best_hours_are_taken() -> None:
    fit, idle = alike((0.05, 0.2, 0.1, 0.3, 0.05)), [Turn(slot, 0.0) for slot in range(5)]
    ahead = worths(fit, History(), Situation(calls=4, left=2), USUAL)
    assert worthwhile(ahead.prospects, idle, USUAL) == [idle[MIDDAY], idle[EVENING]]
    few_evenings = {MORNING: 0, MIDDAY: 0, AFTERNOON: 0, EVENING: 90}  # most never get one
    queues = lasting_queues(few_evenings, USUAL)
    crowded = Situation(calls=4, left=2, queues=queues)
    ahead = worths(fit, History(), crowded, USUAL)
    assert worthwhile(ahead.prospects, idle, USUAL) == [idle[MIDDAY], idle[AFTERNOON]]
    one_by_one = USUAL.overridden({"plans_ahead": False})
    assert worthwhile(worths(fit, History(), Situation(left=2), one_by_one).prospects, idle, USUAL) == idle


def test_a_queue_counts_when_it_is_long_and_there_is_room_elsewhere() -> None:
    nothing = (0, 0, 0, 0, 0)
    assert lasting_queues({MORNING: 0.5, EVENING: 20, SATURDAY: 20}, USUAL) == (0, 0, 0, 16, 20)
    assert lasting_queues({MORNING: 0.5, EVENING: 900}, USUAL) == (0, 0, 0, 64, 0)
    assert lasting_queues({MORNING: 0.5, EVENING: 9}, USUAL) == nothing  # the call comes all the same
    # A queue everywhere: somebody else is called in each of them.
    assert lasting_queues({MORNING: 5, EVENING: 200}, USUAL) == nothing
    assert lasting_queues({}, USUAL) == nothing
    never = USUAL.overridden({"long_queue_days": 1e6})
    assert lasting_queues({MORNING: 0.5, EVENING: 900}, never) == nothing


def test_those_who_waited_go_first_up_to_a_point() -> None:
    assert order(0.2, 5, USUAL) > order(0.2, 1, USUAL)
    assert order(0.2, 400, USUAL) == order(0.2, USUAL.age_days, USUAL)


def test_intervals_narrow_with_calls() -> None:
    low, high = interval(0.2, 50)
    lower, higher = interval(0.2, 5000)
    assert low < lower < 0.2 < higher < high
    assert interval(0.3, 0) == (0.0, 1.0)


def test_a_programme_overrides_constants_and_is_told_of_wrong_ones() -> None:
    assert USUAL.overridden({"patience": 0.9}).patience == 0.9
    with pytest.raises(ValidationError):
        USUAL.overridden({"patience": 2})
    with pytest.raises(ValidationError):
        USUAL.overridden({"no_such_constant": 1})
