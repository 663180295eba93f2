"""Playing: the house rules hold, plain policies are what they say, and both resolutions agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from callcentre.database import reading
from callcentre.funnel.models import StageChange
from callcentre.outreach.models import Attempt
from callcentre.planning.states import ADULT_AGE
from callcentre.runtime import Runtime
from callcentre.simulation import full, light
from callcentre.simulation.arms import Change, Way, arm, changed
from callcentre.simulation.figures import Interval
from callcentre.simulation.population import populate
from callcentre.simulation.record import Year
from callcentre.simulation.refusals import CannotSimulate
from callcentre.simulation.worlds import World
from tests.simulation.ground import programme, settings, small_world

HOUSE = (Way.LEARNT, Way.ROTATION, Way.EVENING_FIRST)


def _light(world: World, way: Way, change: Change | None = None, *, seed: int = 1) -> Year:
    house = programme(world)
    return light.play(arm(house, way, change), populate(world, seed, house.period.first_day))


@pytest.mark.parametrize("way", HOUSE)
def test_the_house_rules_hold_in_every_simulated_call(way: Way) -> None:
    year = _light(small_world(days=60), way)
    assert year.violated == 0
    assert year.contacts > 0
    assert year.calls == sum(year.slots.values())
    assert sum(year.ends.values()) == year.people == 60


@pytest.mark.parametrize("way", HOUSE)
def test_two_calls_a_day_and_guardians_of_adults_break_nothing_where_they_are_allowed(way: Way) -> None:
    change = Change(per_day=2, adult_guardians=True, guardian_attempts="2-4-6")
    year = _light(small_world(days=60), way, change)
    assert not {name: count for name, count in year.violations.items() if count}
    assert year.details["guardian"] > 0


def test_the_control_that_recycles_breaks_the_rules_that_it_leaves_out() -> None:
    found = _light(small_world(days=60), Way.RECYCLE).violations
    assert found["slot"] > 0
    assert found["weekday"] > 0
    kept = {name: count for name, count in found.items() if name not in ("slot", "weekday")}
    assert not any(kept.values())


def test_a_promise_to_a_guardian_ends_with_the_eighteenth_birthday() -> None:
    world = small_world(days=60)
    house = programme(world)
    start = house.period.first_day
    born = start.replace(year=start.year - ADULT_AGE)
    population = populate(world, 1, start)
    on_the_eve = tuple(
        replace(one, birth_date=born + timedelta(days=5 + one.index % 50), has_guardian=True)
        for one in population.people
    )
    year = light.play(arm(house, Way.LEARNT), replace(population, people=on_the_eve))
    assert year.details["guardian"] > 0
    assert year.violated == 0


def test_the_same_seed_plays_the_same_year() -> None:
    world = small_world(days=30)
    assert _light(world, Way.LEARNT) == _light(world, Way.LEARNT)
    assert _light(world, Way.LEARNT) != _light(world, Way.LEARNT, seed=2)


def test_changes_change_what_they_say() -> None:
    house = programme()
    assert changed(house, Way.ROTATION, Change(attempts=10)).limits.calls_in_all == 10
    assert changed(house, Way.ROTATION, Change(saturday=True)).hours.saturday
    assert not changed(house, Way.ROTATION, Change(saturday=False)).hours.saturday
    closed = changed(house, Way.ROTATION, Change(evening=False))
    assert closed.hours.weekdays[-1] == (time(14), time(17, 30))
    assert changed(closed, Way.ROTATION, Change(evening=True)).hours.weekdays[-1] == (time(17, 30), time(20))
    assert changed(house, Way.ROTATION, Change(guardian_attempts="never")).limits.guardian_attempts == ()
    planned = changed(house, Way.LEARNT, Change(guardian_attempts="2-4-6"))
    assert planned.limits.guardian_attempts == (2, 4, 6)
    assert planned.constants is not None
    assert planned.constants.second_number == "plan"
    tuned = changed(house, Way.LEARNT, Change(control_share=0.2)).constants
    assert tuned is not None
    assert (tuned.preference, tuned.control_share) == ("learnt", 0.2)
    assert tuned.second_number == "learnt"
    assert house == programme()


def test_closed_hours_are_not_called_and_open_ones_are() -> None:
    world = small_world(days=45)
    assert _light(world, Way.ROTATION, Change(evening=False)).slots["evening"] == 0
    assert _light(world, Way.ROTATION).slots["saturday"] == 0
    assert _light(world, Way.ROTATION, Change(saturday=True)).slots["saturday"] > 0


def test_numbers_that_are_found_bring_people_back() -> None:
    world = small_world(people=100, days=120, code="wrong-numbers")
    world = world.model_copy(update={"capacity": {slot: 3 * calls for slot, calls in world.capacity.items()}})
    repaired = arm(programme(world), Way.ROTATION, Change(repaired=1.0)).world(world)
    plain, better = _light(world, Way.ROTATION), _light(repaired, Way.ROTATION)
    assert plain.details["found"] == 0
    assert better.details["found"] > 0
    assert better.contacts > plain.contacts
    assert better.violated == 0


# ---- through the real verbs


@pytest.mark.slow
def test_the_real_verbs_play_the_same_world_as_the_rule_alone(tmp_path: Path) -> None:
    world = small_world(people=40, days=24)
    house, live = programme(world), settings(tmp_path / "live")
    differences = []
    for seed in (1, 2, 3):
        population = populate(world, seed, house.period.first_day)
        played = arm(house, Way.ROTATION)
        real = full.play(played, population, file=tmp_path / f"{seed}.sqlite3", live=live)
        alone = light.play(played, population)
        assert real.violated == 0
        assert real.people == alone.people
        assert abs(real.calls - alone.calls) <= 0.15 * alone.calls
        lost = [year.ends.get("details_to_find", 0) for year in (real, alone)]
        assert abs(lost[0] - lost[1]) <= 3  # both judge the same numbers
        differences.append(real.rate - alone.rate)
    between = Interval.of(differences)
    assert between.low is not None
    assert between.high is not None
    assert between.low <= 0 <= between.high or abs(between.mean) < 0.05


def test_what_is_counted_is_what_the_database_holds(tmp_path: Path) -> None:
    world = small_world(people=40, days=10)
    house = programme(world)
    seen: dict[str, int] = {}

    def look(runtime: Runtime) -> None:
        with reading(runtime.sessions) as session:
            contacted = select(func.count(StageChange.person_id.distinct())).where(
                StageChange.stage == "contacted"
            )
            seen["contacted"] = session.scalar(contacted) or 0
            dialled = select(func.count()).where(Attempt.number_id.is_not(None))
            seen["calls"] = session.scalar(dialled) or 0

    population = populate(world, 1, house.period.first_day)
    year = full.play(
        arm(house, Way.LEARNT),
        population,
        file=tmp_path / "own.sqlite3",
        live=settings(tmp_path),
        at_end=look,
    )
    assert seen == {"contacted": year.contacts, "calls": year.calls}
    assert year.contacts > 0
    assert not (tmp_path / "own.sqlite3").exists()


@pytest.mark.parametrize("way", [Way.EVENING_FIRST, Way.RECYCLE])
def test_the_control_arms_run_through_the_real_verbs_too(tmp_path: Path, way: Way) -> None:
    world = small_world(people=30, days=8)
    house = programme(world)
    year = full.play(
        arm(house, way),
        populate(world, 1, house.period.first_day),
        file=tmp_path / "own.sqlite3",
        live=settings(tmp_path),
    )
    assert year.calls > 0
    assert (year.violations["slot"] > 0) is (way is Way.RECYCLE)


def test_too_many_people_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    world = small_world(people=5001, days=14)
    house = programme(world)
    file = tmp_path / "own.sqlite3"
    with pytest.raises(CannotSimulate, match="5000"):
        full.play(
            arm(house, Way.ROTATION),
            populate(world, 1, house.period.first_day),
            file=file,
            live=settings(tmp_path),
        )
    assert not file.exists()
