"""A world: who is on the list, when they answer, how many calls the team can make, and which rules hold.

A file under `worlds/` holds what differs from `USUAL`. Rates are chances that one call is answered, by slot in the
order morning, midday, afternoon, evening, Saturday. The usual world is calibrated on published call histories of
named people (answers fall from 16 % at the first call to 7 % at the sixth) and on field data for redials.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

SLOTS = ("wd_morning", "wd_midday", "wd_afternoon", "wd_evening", "sat_morning")
HOURS = (11.0, 13.5, 16.25, 18.75, 11.5)
"""The hour at which a slot's calls are taken to be made."""
SATURDAY = 4
HERE = Path(__file__).parent / "worlds"

USUAL: dict[str, Any] = {
    "name": "usual",
    "n": 3274,  # people in the year
    "start": "2026-09-07",
    "days": 365,
    "tail": 75,  # days after the last arrival during which calls go on
    "kind": "classes",  # or "lowrank": tastes without classes, means "mu" and axes "V" in log odds
    "mu": None,
    "V": None,
    "waves": [
        [0, 0.30],
        [35, 0.15],
        [119, 0.20],
        [210, 0.15],
    ],  # day and share of a list; the rest trickles in
    "holidays": [
        *("2026-11-11", "2026-12-25", "2027-01-01", "2027-03-29", "2027-05-01", "2027-05-06"),
        *("2027-05-08", "2027-05-17", "2027-07-14", "2027-11-01", "2027-11-11"),
    ],
    "saturday": True,
    "cap": [26, 22, 32, 24, 20],  # calls in one block of each slot
    "limits": {"max_attempts": 6, "per_day": 2, "per_30d": 4, "min_gap_h": 2.0, "coverage": True},
    "segments": {
        "names": ["minor", "inactive 18-20", "in work or training", "unknown 21-25"],
        "share": [0.22, 0.30, 0.28, 0.20],
        "has2": [0.85, 0.35, 0.25, 0.15],  # part of the people with a second number
    },
    "classes": [
        {"p": [0.15, 0.27, 0.31, 0.25, 0.14], "share": [0.30, 0.42, 0.12, 0.24], "sigma": 0.6},
        {"p": [0.06, 0.13, 0.10, 0.34, 0.24], "share": [0.16, 0.10, 0.42, 0.24], "sigma": 0.6},
        {"p": [0.34, 0.25, 0.19, 0.13, 0.25], "share": [0.16, 0.10, 0.06, 0.10], "sigma": 0.6},
        {"p": [0.04, 0.04, 0.05, 0.05, 0.04], "share": [0.22, 0.22, 0.22, 0.20], "sigma": 0.5},
        {"never": True, "share": [0.16, 0.16, 0.18, 0.22]},
    ],
    "invalid": 0.45,  # of those who never answer: a dead tone at the first call
    "wrong_person": 0.15,  # of them: a stranger answers one call in four
    "tau": 0.35,  # spread of one person's own tastes, in log odds
    "fatigue": -0.08,  # log odds for each call before
    "redial": [2.6, -0.7],  # within so many hours of the last call, log odds
    "ar": [0.7, 0.6],  # absences that last: correlation from day to day, spread in log odds
    "dow": [0.0, -0.06, -0.06, 0.0, 0.05, 0.0],
    "season_amp": 0.15,
    "season_phase": [0, 60, 120, 200, 280],
    "step": None,  # {"day": …, "offset": […]}: habits that change
    "shift": 0.0,  # part of the people whose mornings and evenings swap every other week
    "sms_lor": 0.10,  # log odds by the message before calls 1 and 4
    "busy": 0.10,  # answers that end in a promised time
    "promise_p": 0.75,  # promises that are kept
    "inbound": 0.02,  # missed calls that are called back
    "guardian": [0.22, 0.30, 0.25, 0.42, 0.30],  # the second number's chances
    "relay": 0.5,  # answers on it that end in a promised time
}


@dataclass(frozen=True)
class Limits:
    """How often one person may be called."""

    max_attempts: int
    per_day: int
    per_30d: int
    min_gap_h: float
    coverage: bool


@dataclass(frozen=True)
class CallBlock:
    """A slot on a date: its day number, and how many calls the team can make in it."""

    day: int
    date: date
    slot: int
    calls: int

    @property
    def hour(self) -> float:
        """Hours since the first midnight."""
        return self.day * 24 + HOURS[self.slot]


@dataclass(frozen=True)
class World:
    """One world, with everything that its file leaves out as usual."""

    values: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    @property
    def name(self) -> str:
        """What it is about."""
        return str(self.values["name"])

    @property
    def limits(self) -> Limits:
        """Its rules."""
        return Limits(**self.values["limits"])

    @property
    def first_day(self) -> date:
        """The day from which days are counted."""
        return date.fromisoformat(self.values["start"])

    def blocks(self) -> list[CallBlock]:
        """Every block in which calls are made, in order."""
        closed = set(self.values["holidays"])
        blocks = []
        for day in range(self.values["days"] + self.values["tail"]):
            on = self.first_day + timedelta(day)
            if on.weekday() == 6 or on.isoformat() in closed:
                continue
            slots = range(SATURDAY) if on.weekday() < 5 else [SATURDAY] if self.values["saturday"] else []
            blocks += [CallBlock(day, on, slot, self.values["cap"][slot]) for slot in slots]
        return blocks


def read_world(file: Path, *, attempts: int | None = None) -> World:
    """The world of a file; with another number of attempts if asked."""
    return world_of(json.loads(file.read_text(encoding="utf-8")), attempts=attempts)


def world_of(changes: Mapping[str, Any], *, attempts: int | None = None) -> World:
    """The usual world with some changes; tables are merged key by key."""
    values = merged(USUAL, changes)
    if attempts is not None:
        values["limits"] = {**values["limits"], "max_attempts": attempts}
    return World(values)


def merged(usual: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Values with some changes; tables are merged key by key."""
    values = dict(usual)
    for key, value in changes.items():
        if key not in usual:
            raise ValueError(f"{key!r} is nothing that a world has")
        was = values[key]
        values[key] = {**was, **value} if isinstance(was, dict) and isinstance(value, dict) else value
    return values
