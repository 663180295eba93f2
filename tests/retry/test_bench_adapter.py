"""Years simulated with the product's rule: no rule broken, and the same again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.retry.comparing import ABLATIONS, CONTROLS, PRODUCT, play
from bench.retry.people import People
from bench.retry.policies import Product, Rotation
from bench.retry.tables import ablation_table, world_table
from bench.retry.world import HERE, USUAL, read_world, world_of
from bench.retry.year import Year
from callcentre.retry.bench_adapter import make

WORLDS = sorted(HERE.glob("*.json"))
SMALL = {"n": 250, "days": 120, "tail": 60, "waves": [[0, 0.6]], "cap": [6, 5, 7, 5, 4]}


@pytest.mark.parametrize("file", WORLDS, ids=lambda file: file.stem)
def test_every_world_is_whole(file: Path) -> None:
    world = read_world(file)
    assert world.name != USUAL["name"]
    people = People(world, 1)
    assert people.count == world["n"]
    assert len(world.blocks()) > 1000
    assert people.segment.max() < len(world["segments"]["names"])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"saturday": False, "limits": {"per_day": 1, "max_attempts": 8}},
        {"limits": {"max_attempts": 3, "per_30d": 2}},
        {"limits": {"coverage": False}},
        {"step": {"day": 40, "offset": [1.0, 0.0, 0.0, -1.0, 0.0]}, "shift": 0.5},
    ],
)
def test_the_rule_asks_for_nothing_that_is_forbidden_and_decides_the_same_again(
    changes: dict[str, object],
) -> None:
    world = world_of({**SMALL, **changes})
    people = People(world, 3)
    first, again = (Year(people, world.limits).play(Product(make)) for _ in range(2))
    assert first == again
    assert first.broken == 0
    assert first.contacts > 0


def test_contacts_are_as_many_as_the_chances_of_the_calls_lead_to_expect() -> None:
    """Promises, second numbers and returned calls included: the figure that tells policies apart is not biased."""
    world = world_of({"busy": 0.3, "inbound": 0.1, "sms_lor": 0.4})
    years = [Year(People(world, seed), world.limits).play(Rotation()) for seed in range(8)]
    met, expected = sum(year.contacts for year in years), sum(year.expected for year in years)
    assert met == pytest.approx(expected, rel=0.02)


def test_people_with_strong_habits_are_reached_with_fewer_calls_than_by_rotation() -> None:
    world = world_of({**SMALL, "n": 700, "cap": [12, 10, 14, 10, 8], **_habits()})
    gained = []
    for seed in range(3):
        people = People(world, seed)
        rule, rotation = (Year(people, world.limits).play(policy) for policy in (Product(make), Rotation()))
        gained.append(rule.expected / rotation.expected)
    assert sum(gained) / len(gained) > 1


def test_the_tables_show_every_world_and_part(tmp_path: Path) -> None:
    file = tmp_path / "small.json"
    file.write_text(
        '{"name": "small", "n": 120, "days": 60, "tail": 40, "waves": [[0, 0.6]]}', encoding="utf-8"
    )
    parts = list(ABLATIONS)
    years = [year for seed in range(2) for year in play((file, seed, [*CONTROLS, PRODUCT, *parts]))]
    assert {year.policy for year in years} == {*CONTROLS, PRODUCT, *parts}
    assert "| small |" in world_table(years)
    assert all(part in ablation_table(years, parts) for part in parts)


def test_no_part_of_the_rule_is_taken_away_without_effect(tmp_path: Path) -> None:
    """In a crowded year every ablation plays otherwise than the whole rule: a switch must be read."""
    file = tmp_path / "crowded.json"
    file.write_text(json.dumps({"name": "crowded", **SMALL, "n": 400, "busy": 0.4}), encoding="utf-8")
    of_the_rule = [name for name, without in ABLATIONS.items() if without.constants]
    years = {
        year.policy: replace(year, policy="", microseconds=0.0)
        for year in play((file, 1, [PRODUCT, *of_the_rule]))
    }
    whole = years.pop(PRODUCT)
    assert [name for name, year in years.items() if year == whole] == []


def test_a_world_with_a_misspelt_key_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing that a world has"):
        world_of({"saturdays": True})


def _habits() -> dict[str, object]:
    return {
        "classes": [
            {"p": [0.03, 0.05, 0.05, 0.5, 0.3], "share": [0.6, 0.6, 0.6, 0.6], "sigma": 0.3},
            {"p": [0.04, 0.04, 0.04, 0.05, 0.04], "share": [0.4, 0.4, 0.4, 0.4], "sigma": 0.3},
        ],
        "limits": {"max_attempts": 3},
    }
