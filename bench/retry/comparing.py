"""One world and one year under several policies with the same luck; and the rule without each of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.retry.people import People
from bench.retry.policies import EveningFirst, Oracle, Product, Recycle, Rotation
from bench.retry.world import read_world
from bench.retry.year import Policy, Year
from callcentre.retry.bench_adapter import make_with, usual_tuning

PRODUCT = "product"
CONTROLS: Mapping[str, Callable[[], Policy]] = {
    "recycle": Recycle,
    "rotation": Rotation,
    "evening first": EveningFirst,
    "oracle": Oracle,
}
ABLATIONS: Mapping[str, Mapping[str, Any]] = {
    "without learning (priors for ever)": {"learns": False},
    "second number by the plan (calls 3, 6, 8)": {"second_number": "plan"},
    "without the hour once answered": {"uses_answered_hours": False},
    "without the price of a queue": {"prices_load": False},
    "slot by slot, not all calls left": {"plans_ahead": False},
    "waiting costs nothing": {"patience": 1.0},
}
"""Parts of the rule, and the constants that switch each off."""


@dataclass(frozen=True)
class Played:
    """One policy's year in one world."""

    world: str
    seed: int
    policy: str
    contacts: int
    calls_per_contact: float
    worst_segment: float
    days: float
    broken: int
    calls_a_day: int
    microseconds: float = 0.0


def play(job: tuple[Path, int, list[str]]) -> list[Played]:
    """Play one year of a world under each policy that is named."""
    file, seed, names = job
    world = read_world(file)
    people = People(world, seed)
    played = []
    for name in names:
        policy = _policy(name)
        outcome = Year(people, world.limits).play(policy)
        spent = 1e6 * policy.seconds / max(1, policy.choices) if isinstance(policy, Product) else 0.0
        played.append(
            Played(
                world=world.name,
                seed=seed,
                policy=name,
                contacts=outcome.contacts,
                calls_per_contact=outcome.calls_per_contact,
                worst_segment=outcome.worst_segment,
                days=outcome.days,
                broken=outcome.broken if policy.obeys_coverage else 0,
                calls_a_day=world.limits.per_day,
                microseconds=spent,
            )
        )
    return played


def _policy(name: str) -> Policy:
    if name in CONTROLS:
        return CONTROLS[name]()
    changes = ABLATIONS.get(name, {})
    return Product(partial(make_with, tuning=usual_tuning().overridden(changes)))
