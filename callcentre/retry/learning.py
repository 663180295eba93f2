"""The nightly refit: from calls grouped by equal history to the next `Fit`; pure, and small whatever the population.

The caller hands over one `Group` per distinct (segment, unanswered by slot, answered slot), which SQL counts, and one
`SecondTally` per slot. The rate of a slot is learnt given what was already tried (expectation–maximisation over the
profiles), so that later calls, which go to people harder to reach, do not make their slots look bad.

A rate is that of an ordinary call. A call at a time that was agreed, or one received, tells whose profile is whose,
and so belongs to the history that groups people; it is no draw from the rate of its slot, and so not among the faded
calls. Neither is a call whose result was taken back or is still awaited.

Calls fade: give a call made `d` days after a fixed date the weight `2 ** (d / half_life)`, sum, and divide the sums
by the weight of today; no row is ever touched again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from callcentre.retry.profiles import SLOTS, Fit, History, Rates, first_fit, weights
from callcentre.tuning import RetryTuning

FLOOR, CEILING = 1e-4, 0.95
"""Bounds of a learnt rate."""


@dataclass(frozen=True, slots=True)
class Group:
    """People with one history on their own numbers: how many, and their faded calls by slot."""

    segment: str
    unanswered: tuple[int, ...]
    """Calls that nobody answered, by slot: the same for everybody in the group."""
    answered: tuple[int, ...]
    """Calls that were answered, by slot: the same for everybody in the group."""
    people: float
    faded_unanswered: Rates
    """Sums over the group's people of the ordinary calls, each weighed by its age."""
    faded_answered: Rates


@dataclass(frozen=True, slots=True)
class SecondTally:
    """Ordinary calls to second numbers in one slot, faded; `contacts`: how many of those answered led to a contact."""

    slot: int
    unanswered: float
    answered: float
    contacts: float


def refit(
    previous: Fit,
    groups: Iterable[Group],
    seconds: Iterable[SecondTally],
    *,
    tuning: RetryTuning,
    today: date,
) -> Fit:
    """The fit of this night: a few steps from the last one; the same inputs give the same numbers."""
    called = [
        group for group in groups if group.people > 0 and (any(group.unanswered) or any(group.answered))
    ]
    fit = _carried(previous, tuning)
    for _ in range(tuning.em_steps):
        fit = _step(fit, called, tuning)
    return _finished(fit, previous, seconds, tuning, today)


def _carried(previous: Fit, tuning: RetryTuning) -> Fit:
    """The last fit, unless the profiles of the settings are others than it was made with."""
    start = first_fit(tuning)
    return start if previous.names != start.names else previous


def _step(fit: Fit, groups: list[Group], tuning: RetryTuning) -> Fit:
    """One step: who is likely of which profile, then rates and shares from that."""
    profiles = range(len(fit.names))
    nothing = [0.0] * len(fit.names)
    taken = [nothing] * len(SLOTS)
    missed = [nothing] * len(SLOTS)
    people: dict[str, list[float]] = {}
    for group in groups:
        likely = weights(fit, History(group.segment, group.unanswered, group.answered))
        people[group.segment] = _added(people.get(group.segment, nothing), group.people, likely)
        for sums, faded in ((taken, group.faded_answered), (missed, group.faded_unanswered)):
            for slot, amount in enumerate(faded):
                if amount:
                    sums[slot] = _added(sums[slot], amount, likely)
    answers = [[taken[slot][profile] for slot in range(len(SLOTS))] for profile in profiles]
    misses = [[missed[slot][profile] for slot in range(len(SLOTS))] for profile in profiles]
    return replace(
        fit,
        rates=tuple(_rates(tuning, profile, answers[profile], misses[profile]) for profile in profiles),
        shares={segment: _shares(tuning, counted) for segment, counted in people.items()},
        people={segment: sum(counted) for segment, counted in people.items()},
        answers=tuple(tuple(row) for row in answers),
        counts=tuple(
            tuple(yes + no for yes, no in zip(answers[profile], misses[profile], strict=True))
            for profile in profiles
        ),
    )


def _added(sums: list[float], amount: float, likely: Rates) -> list[float]:
    """The sums with an amount shared out over the profiles."""
    return [total + amount * part for total, part in zip(sums, likely, strict=True)]


def _rates(tuning: RetryTuning, profile: int, answers: list[float], misses: list[float]) -> Rates:
    prior = tuning.profiles[profile]
    if prior.is_fixed:
        return prior.rates
    return tuple(
        min(CEILING, max(FLOOR, (prior.firmness * rate + yes) / (prior.firmness + yes + no)))
        for rate, yes, no in zip(prior.rates, answers, misses, strict=True)
    )


def _shares(tuning: RetryTuning, counted: list[float]) -> Rates:
    firmness, total = tuning.segment_firmness, sum(counted)
    return tuple(
        (firmness * profile.share + count) / (firmness + total)
        for profile, count in zip(tuning.profiles, counted, strict=True)
    )


def _finished(
    fit: Fit, previous: Fit, seconds: Iterable[SecondTally], tuning: RetryTuning, today: date
) -> Fit:
    """The fit with the second number's rates and worth, dated and numbered."""
    rates = [tuning.second_rate] * len(SLOTS)
    counts = [0.0] * len(SLOTS)
    answered = contacts = 0.0
    for tally in seconds:
        calls = tally.answered + tally.unanswered
        rates[tally.slot] = (tuning.second_firmness * tuning.second_rate + tally.answered) / (
            tuning.second_firmness + calls
        )
        counts[tally.slot] = calls
        answered, contacts = answered + tally.answered, contacts + tally.contacts
    firmness = tuning.second_worth_firmness
    return replace(
        fit,
        version=previous.version + 1,
        fitted_on=today.isoformat(),
        second_rates=tuple(rates),
        second_worth=(firmness * tuning.second_worth + contacts) / (firmness + answered),
        second_counts=tuple(counts),
    )
