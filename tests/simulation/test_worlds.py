"""Worlds as files, and the people drawn from them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callcentre.demo.temperaments import Ring
from callcentre.errors import ConfigurationError
from callcentre.retry.slots import Slot
from callcentre.simulation.population import Dial, Line, Someone, Telephone, Truth, populate
from callcentre.simulation.worlds import World, load_world, load_worlds
from tests.simulation.ground import CONFIG, small_world

START = date(2026, 9, 1)
PARIS = ZoneInfo("Europe/Paris")


def _dial(line: Line = Line.OWN, *, slot: Slot = Slot.EVENING, day: int = 0, ordinal: int = 0) -> Dial:
    at = datetime(2026, 9, 1, 18, tzinfo=PARIS) + timedelta(days=day)
    return Dial(line, at, slot, day, ordinal)


def _one(world: World, number: Truth) -> Someone:
    return next(one for one in populate(world, 3, START).people if one.number is number)


def test_every_world_of_the_project_can_be_read() -> None:
    worlds = load_worlds(CONFIG / "worlds")
    assert {"ordinary", "drift", "flat", "shift-workers", "short-staffed", "wrong-numbers"} <= set(worlds)
    assert all(
        {"fr", "en"} <= set(world.labels) and {"fr", "en"} <= set(world.description)
        for world in worlds.values()
    )
    assert worlds["ordinary"].people == 3274


def test_a_wrong_world_says_where_and_what_to_do(tmp_path: Path) -> None:
    text = (CONFIG / "worlds" / "ordinary.toml").read_text(encoding="utf-8")
    file = tmp_path / "mine.toml"
    file.write_text(text.replace("dead = 0.45", "dead = 0.95"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"mine\.toml: numbers.*exceed 1"):
        load_world(file)
    file.write_text(text.replace("fatigue = -0.08", "tiredness = 1"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"habits\.tiredness"):
        load_world(file)
    with pytest.raises(ConfigurationError, match="no world"):
        load_worlds(tmp_path / "nothing")


def test_the_same_seed_makes_the_same_people_and_another_seed_others() -> None:
    world = small_world(people=200)
    assert populate(world, 1, START).people == populate(world, 1, START).people
    assert populate(world, 1, START).people != populate(world, 2, START).people


def test_people_are_as_their_world_says() -> None:
    world = load_world(CONFIG / "worlds" / "ordinary.toml")
    people = populate(world, 5, START).people
    minors = [one for one in people if one.segment == "minor"]
    assert 0.18 < len(minors) / len(people) < 0.26
    assert 0.80 < sum(one.has_guardian for one in minors) / len(minors) < 0.90
    assert 0.14 < sum(one.number is not Truth.RIGHT for one in people) / len(people) < 0.21
    assert all(0 <= one.arrives_on <= 300 for one in people)


def test_repairing_numbers_changes_nothing_else_about_the_people() -> None:
    world = small_world(people=200)
    repaired = world.model_copy(update={"numbers": world.numbers.model_copy(update={"repaired": 0.5})})
    assert populate(world, 1, START).people == populate(repaired, 1, START).people


def test_a_failed_number_never_reaches_the_young_person() -> None:
    world = small_world(people=400)
    telephone = Telephone(populate(world, 3, START))
    dead, stranger, silent = (_one(world, kind) for kind in (Truth.DEAD, Truth.STRANGER, Truth.SILENT))
    assert telephone.ring(dead, _dial()) is Ring.DEAD
    heard = {telephone.ring(stranger, _dial(day=n, ordinal=n)) for n in range(20)}
    assert heard == {Ring.STRANGER, Ring.NOBODY}
    assert {telephone.ring(silent, _dial(day=n, ordinal=n)) for n in range(20)} == {Ring.NOBODY}


def test_the_odds_follow_hour_drift_and_redialling() -> None:
    world = small_world(people=400, code="drift")
    someone = next(one for one in populate(world, 3, START).people if one.number is Truth.RIGHT)
    before, after = (Telephone(populate(world, 3, START)).odds(someone, _dial(day=day)) for day in (149, 150))
    assert after < before
    telephone = Telephone(populate(world, 3, START))
    telephone.ring(someone, _dial())
    soon = Dial(Line.OWN, datetime(2026, 9, 1, 19, tzinfo=PARIS), Slot.EVENING, 0, 1)
    late = Dial(Line.OWN, datetime(2026, 9, 1, 23, tzinfo=PARIS), Slot.EVENING, 0, 1)
    assert telephone.odds(someone, soon) < telephone.odds(someone, late)


def test_shift_workers_change_places_every_other_week() -> None:
    world = small_world(people=400, code="shift-workers")
    habits = world.habits.model_copy(update={"season": 0.0, "absence": 0.0, "weekdays": (0.0,) * 7})
    world = world.model_copy(update={"habits": habits})
    population = populate(world, 3, START)
    worker = next(one for one in population.people if one.alternates == 0 and one.number is Truth.RIGHT)
    telephone = Telephone(population)
    this_week = telephone.odds(worker, _dial(slot=Slot.MORNING, day=0))
    next_week = telephone.odds(worker, _dial(slot=Slot.EVENING, day=7))
    assert this_week == pytest.approx(next_week)
