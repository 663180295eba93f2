"""What is known of when people answer: a few profiles of availability, how common each is, and one person's chances.

A `Fit` is everything that the nightly learning produces: frozen, versioned, and written as JSON. A `History` is all
that it looks at in one person: the segment that the programme declares, and which calls were answered or not.

    fit = first_fit(tuning)                        the priors of `config/`
    chances(fit, history)                          chance of an answer on their own number, by slot
    second_chances(fit, history, tuning)           worth of a second number (a guardian's), by slot
    Fit.from_json(fit.as_json()) == fit
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import exp, log, sqrt
from operator import mul
from typing import Any, Self

from callcentre.retry.slots import Slot
from callcentre.tuning import RetryTuning

SLOTS: tuple[Slot, ...] = tuple(Slot)
"""The order of every list of rates."""
NONE = (0,) * len(SLOTS)
_LEAST = 1e-12
"""Stands for a share of nothing, whose logarithm is asked for."""

Rates = tuple[float, ...]
"""One number for each of `SLOTS`."""


@dataclass(frozen=True, slots=True)
class History:
    """What the calls to one person showed, as counts by slot; nothing else about them is looked at.

    `unanswered`, `answered`: on their own numbers (`answered`: by whoever it is expected from, a call received counts).
    `second_unanswered`: calls to a second number that nobody took.
    """

    segment: str = ""
    unanswered: tuple[int, ...] = NONE
    answered: tuple[int, ...] = NONE
    second_unanswered: int = 0


@dataclass(frozen=True)
class Fit:
    """The learnt numbers of one night; `counts` are faded calls (`second_counts`: to second numbers, by slot)."""

    version: int
    fitted_on: str
    """ISO date of the night; "" for the priors."""
    names: tuple[str, ...]
    rates: tuple[Rates, ...]
    """Chance of an answer, by profile and slot."""
    shares: Mapping[str, Rates]
    """Part of each profile among the people of a segment, by segment."""
    usual_shares: Rates
    """The same for a segment that was never seen."""
    second_rates: Rates
    """Chance that somebody answers the second number, by slot."""
    second_worth: float
    """Contacts that come of one answered second number."""
    counts: tuple[Rates, ...] = ()
    answers: tuple[Rates, ...] = ()
    second_counts: Rates = ()
    people: Mapping[str, float] = field(default_factory=dict)
    """People who were called at least once, by segment."""

    @cached_property
    def columns(self) -> tuple[Rates, ...]:
        """The rates by slot and profile."""
        return tuple(zip(*self.rates, strict=True))

    @cached_property
    def log_missed(self) -> list[list[float]]:
        """Logarithm of the chance that a call is not answered, by slot and profile."""
        return [[log(1 - rate) for rate in column] for column in self.columns]

    @cached_property
    def log_taken(self) -> list[list[float]]:
        """Logarithm of the chance that a call is answered, by slot and profile."""
        return [[log(rate) for rate in column] for column in self.columns]

    @cached_property
    def log_usual_shares(self) -> list[float]:
        """Logarithm of the usual shares."""
        return [log(max(share, _LEAST)) for share in self.usual_shares]

    @cached_property
    def log_shares(self) -> dict[str, list[float]]:
        """Logarithm of the shares, by segment."""
        return {
            segment: [log(max(share, _LEAST)) for share in shares] for segment, shares in self.shares.items()
        }

    def as_json(self) -> dict[str, Any]:
        """The fit as plain values."""
        return {
            "version": self.version,
            "fitted_on": self.fitted_on,
            "names": list(self.names),
            "rates": [list(row) for row in self.rates],
            "shares": {segment: list(row) for segment, row in self.shares.items()},
            "usual_shares": list(self.usual_shares),
            "second_rates": list(self.second_rates),
            "second_worth": self.second_worth,
            "counts": [list(row) for row in self.counts],
            "answers": [list(row) for row in self.answers],
            "second_counts": list(self.second_counts),
            "people": dict(self.people),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The fit that `as_json` wrote."""
        return cls(
            version=data["version"],
            fitted_on=data["fitted_on"],
            names=tuple(data["names"]),
            rates=_rows(data["rates"]),
            shares={segment: tuple(row) for segment, row in data["shares"].items()},
            usual_shares=tuple(data["usual_shares"]),
            second_rates=tuple(data["second_rates"]),
            second_worth=data["second_worth"],
            counts=_rows(data["counts"]),
            answers=_rows(data["answers"]),
            second_counts=tuple(data["second_counts"]),
            people=dict(data["people"]),
        )


def first_fit(tuning: RetryTuning) -> Fit:
    """What is believed before any call."""
    return Fit(
        version=0,
        fitted_on="",
        names=tuple(profile.name for profile in tuning.profiles),
        rates=tuple(profile.rates for profile in tuning.profiles),
        shares={},
        usual_shares=tuple(profile.share for profile in tuning.profiles),
        second_rates=(tuning.second_rate,) * len(SLOTS),
        second_worth=tuning.second_worth,
    )


def weights(fit: Fit, history: History) -> Rates:
    """How likely each profile is for a person, given what their calls showed."""
    logs = fit.log_shares.get(history.segment, fit.log_usual_shares)
    for count, row in zip(history.unanswered, fit.log_missed, strict=True):
        if count:
            logs = [total + count * value for total, value in zip(logs, row, strict=True)]
    for count, row in zip(history.answered, fit.log_taken, strict=True):
        if count:
            logs = [total + count * value for total, value in zip(logs, row, strict=True)]
    top = max(logs)
    likely = [exp(value - top) for value in logs]
    whole = sum(likely)
    return tuple([value / whole for value in likely])


def chances(fit: Fit, history: History) -> Rates:
    """The chance that this person answers one more call on their own number, by slot."""
    return expected(fit, weights(fit, history))


def expected(fit: Fit, weighed: Rates) -> Rates:
    """The chance of an answer by slot, of somebody who is of each profile with these weights."""
    return tuple([sum(map(mul, weighed, column)) for column in fit.columns])


def second_chances(fit: Fit, history: History, tuning: RetryTuning) -> Rates:
    """The contacts to expect of one call to the second number, by slot."""
    factor = fit.second_worth * tuning.second_fade**history.second_unanswered
    return tuple(rate * factor for rate in fit.second_rates)


def interval(rate: float, calls: float) -> tuple[float, float]:
    """The 95 % interval of a rate that rests on so many calls (Wilson's)."""
    if calls <= 0:
        return 0.0, 1.0
    z = 1.96
    middle = (rate + z * z / (2 * calls)) / (1 + z * z / calls)
    half = z / (1 + z * z / calls) * sqrt(rate * (1 - rate) / calls + z * z / (4 * calls * calls))
    return max(0.0, middle - half), min(1.0, middle + half)


def _rows(rows: list[list[float]]) -> tuple[Rates, ...]:
    return tuple(tuple(row) for row in rows)
