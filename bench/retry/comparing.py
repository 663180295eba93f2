"""One world and one year under several policies with the same luck; and the rule without each of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bench.retry.people import People
from bench.retry.policies import EveningFirst, Oracle, Product, Recycle, Rotation
from bench.retry.world import SLOTS, World, merged, read_world
from bench.retry.year import Policy, Year
from callcentre.retry.bench_adapter import make_with, usual_tuning

PRODUCT = "product"
CONTROLS: Mapping[str, Callable[[], Policy]] = {
    "recycle": Recycle,
    "rotation": Rotation,
    "evening first": EveningFirst,
    "oracle": Oracle,
}


@dataclass(frozen=True)
class Without:
    """How a part is taken away: by constants of the rule, or from the world and the rules that hold in it."""

    constants: Mapping[str, Any] = field(default_factory=dict)
    world: Mapping[str, Any] = field(default_factory=dict)


def _alike() -> list[dict[str, Any]]:
    """Two profiles with the same rates: nobody is told apart, one rate is learnt for each slot."""
    profiles = usual_tuning().profiles
    rates = [sum(p.share * p.rates[slot] for p in profiles) for slot in range(len(SLOTS))]
    return [{"name": name, "rates": rates, "share": 0.5, "firmness": 40.0} for name in ("one", "same")]


ABLATIONS: Mapping[str, Without] = {
    "without coverage (any slot again, within the caps)": Without(world={"limits": {"coverage": False}}),
    "without profiles (one rate for each slot)": Without({"profiles": _alike()}),
    "without learning (priors for ever)": Without({"learns": False}),
    "without segments": Without({"segment_firmness": 1e9}),
    "second number by the plan (calls 3, 6, 8)": Without({"second_number": "plan"}),
    "without the hour once answered": Without({"uses_answered_hours": False}),
    "without the price of a queue": Without({"prices_load": False}),
    "slot by slot, not all calls left": Without({"plans_ahead": False}),
    "waiting costs nothing": Without({"patience": 1.0}),
    "absences and redials not priced": Without({"absence": 0.0, "redial_factor": 1.0}),
    "in no order of waiting": Without({"age_worth": 0.0}),
    "no message before calls 1 and 4": Without(world={"sms_lor": 0.0}),
    "a message that raises the odds by half": Without(world={"sms_lor": 0.405}),
    "nobody has a second number": Without(world={"segments": {"has2": [0.0] * 12}}),
}
"""Parts of the rule or of the work, and how each is taken away."""


@dataclass(frozen=True)
class Played:
    """One policy's year in one world."""

    world: str
    seed: int
    policy: str
    contacts: int
    expected: float
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
        policy, without = _policy(name), ABLATIONS.get(name, Without())
        there = People(World(merged(world.values, without.world)), seed) if without.world else people
        outcome = Year(there, there.world.limits).play(policy)
        spent = 1e6 * policy.seconds / max(1, policy.choices) if isinstance(policy, Product) else 0.0
        played.append(
            Played(
                world=world.name,
                seed=seed,
                policy=name,
                contacts=outcome.contacts,
                expected=outcome.expected,
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
    without = ABLATIONS.get(name, Without())
    return Product(partial(make_with, tuning=usual_tuning().overridden(without.constants)))
