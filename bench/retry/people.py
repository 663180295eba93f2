"""The people of a world and all their luck, drawn once for every policy, so that differences are not chance."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from bench.retry.world import SLOTS, CallBlock, World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEVER = -30.0
"""Log odds of somebody who never answers."""
SWAPPED = np.array([3, 2, 1, 0, 4])
DRAWS = 40


def log_odds(chance: Floats) -> Floats:
    """Log odds of a chance."""
    safe = np.clip(chance, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(safe) - np.log1p(-safe))


def chance(odds: Floats) -> Floats:
    """The chance that these log odds mean."""
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))))


@dataclass(frozen=True)
class Calls:
    """Calls made at once in a block: whom, calls before, hours since the last, whether to the second number."""

    who: Ints
    ordinal: Ints
    since: Floats
    second: Bools


class People:
    """One population; `luck` decides each answer by the person and the ordinal of the call."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed
        self.count = count = int(world["n"])
        draw = np.random.default_rng([seed, 11])
        segments = world["segments"]
        share = np.array(segments["share"], float)
        self.segments = len(share)
        self.segment = draw.choice(self.segments, count, p=share / share.sum())
        self.has_second = draw.random(count) < np.array(segments["has2"])[self.segment]
        self.never = self._tastes(draw)
        bad = draw.random(count)
        self.dead = self.never & (bad < world["invalid"])
        self.strange = self.never & ~self.dead & (bad < world["invalid"] + world["wrong_person"])
        self.arrival = self._arrivals(draw)
        self.luck = draw.random((count, DRAWS))
        self.turn = draw.random((count, DRAWS))
        self.return_luck = draw.random((count, DRAWS))
        self.shifts = draw.random(count) < world["shift"]
        self.parity = draw.integers(0, 2, count)
        self.absence_seed = int(draw.integers(1 << 31))

    def _tastes(self, draw: np.random.Generator) -> Bools:
        world, count = self.world, self.count
        classes = world["classes"]
        shares = np.array([one["share"] for one in classes], float)
        shares /= shares.sum(0)
        edges = np.cumsum(shares[:, self.segment].T, 1)
        of_class = (draw.random(count)[:, None] > edges).sum(1).clip(0, len(classes) - 1)
        never = np.array([bool(one.get("never")) for one in classes])[of_class]
        if world["kind"] == "lowrank":
            axes = np.array(world["V"], float)
            own = np.array(world["mu"], float) + draw.normal(size=(count, len(axes))) @ axes
        else:
            rates = [np.array(one.get("p", [0.0] * len(SLOTS)), float) for one in classes]
            own = np.array([log_odds(row) for row in rates])[of_class]
        spread = np.array([one.get("sigma", 0.0) for one in classes])[of_class]
        own = own + (spread * draw.normal(size=count))[:, None]
        self.own: Floats = own + world["tau"] * draw.normal(size=(count, len(SLOTS)))
        self.own[never] = NEVER
        theirs = log_odds(np.array(world["guardian"], float))
        self.theirs: Floats = (
            theirs + 0.5 * draw.normal(size=(count, 1)) + 0.3 * draw.normal(size=(count, len(SLOTS)))
        )
        return np.asarray(never)

    def _arrivals(self, draw: np.random.Generator) -> Ints:
        place = draw.random(self.count)
        arrival = draw.integers(0, self.world["days"], self.count)
        done = 0.0
        for day, part in self.world["waves"]:
            arrival[(place >= done) & (place < done + part)] = day
            done += part
        return np.asarray(arrival)

    def chances(self, calls: Calls, block: CallBlock, slot: int, absence: Floats) -> Floats:
        """The chance that each of these calls is answered by whom it is meant for, were it made in `slot`."""
        world, who = self.world, calls.who
        there = np.full(len(who), slot)
        if world["shift"]:
            swapped = self.shifts[who] & ((block.day // 7 + self.parity[who]) % 2 == 1)
            there = np.where(swapped, SWAPPED[slot], there)
        message = world["sms_lor"] * np.isin(calls.ordinal, (0, 3))
        odds = np.where(calls.second, self.theirs[who, there], self.own[who, there] + absence[who] + message)
        odds = odds + self._season(block.day, slot) + world["dow"][block.date.weekday()]
        hours, penalty = world["redial"]
        odds = odds + world["fatigue"] * calls.ordinal + np.where(calls.since < hours, penalty, 0.0)
        return np.where(self.never[who] & ~calls.second, 0.0, chance(odds))

    def _season(self, day: int, slot: int) -> float:
        world = self.world
        offset = float(world["season_amp"]) * sin(2 * pi * (day - world["season_phase"][slot]) / 365)
        step = world["step"]
        return offset + (step["offset"][slot] if step and day >= step["day"] else 0.0)


class Absences:
    """Who is away, from day to day: a phone that is off stays off for a while."""

    def __init__(self, people: People) -> None:
        self._keep, self._spread = people.world["ar"]
        self._draw = np.random.default_rng(people.absence_seed)
        self._count, self._day = people.count, -1
        self.now: Floats = np.zeros(people.count)

    def reach(self, day: int) -> None:
        """Let the days pass up to this one."""
        while self._day < day:
            fresh = self._spread * self._draw.normal(size=self._count)
            first = self._day < 0
            self.now = fresh if first else self._keep * self.now + sqrt(1 - self._keep**2) * fresh
            self._day += 1
