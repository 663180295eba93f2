"""What years under several policies show: ratios to rotation and to recycling, the part of the gap that is closed.

Contacts are those to expect of the very calls that were made: the luck of each call is left out, which takes half of
the noise away. The last line holds them against the contacts that there were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from statistics import fmean, stdev

from bench.retry.comparing import PRODUCT, Played

WORTH_CLOSING = 0.02
"""Gap between rotation and oracle, in contacts, above which the part that is closed is counted."""

Mean = tuple[float, float | None]
"""A mean and half of its 95 % interval over the years; None for a single one, which has none."""


def mean_of(values: Sequence[float]) -> Mean:
    """The mean of these values and half of its 95 % interval, if there are two at least."""
    if len(values) < 2:
        return fmean(values), None
    return fmean(values), 1.96 * stdev(values) / sqrt(len(values))


def world_table(played: Iterable[Played]) -> str:
    """A row for each world, then the means."""
    years = list(played)
    lines = [
        (
            "| world | contacts: evening first | oracle | **product** | gap closed | calls per contact / recycle "
            "| worst segment | days, rotation's | broken | µs |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    worlds = list(dict.fromkeys(year.world for year in years))
    lines += [_row(world, _World(world, years)) for world in worlds]
    return "\n".join([*lines, *_means([_World(world, years) for world in worlds])])


def ablation_table(played: Iterable[Played], parts: Sequence[str]) -> str:
    """The rule against itself without one part: paired by world and year."""
    years = list(played)
    worlds = [_World(world, years) for world in dict.fromkeys(year.world for year in years)]
    lines = [
        "| the rule … | contacts / whole rule | calls per contact | gap closed | days |",
        "|---|---|---|---|---|",
    ]
    whole = [world.closed(PRODUCT) for world in worlds if world.gap > WORTH_CLOSING]
    days = fmean(world.mean(PRODUCT, _days) for world in worlds)
    lines.append(
        f"| whole | 1 | 1 | {fmean(whole):.2f} | {days:.1f} |"
        if whole
        else f"| whole | 1 | 1 | – | {days:.1f} |"
    )
    for part in parts:
        contacts = [ratio for world in worlds for ratio in world.ratios(part, PRODUCT, _contacts)]
        calls = [ratio for world in worlds for ratio in world.ratios(part, PRODUCT, _calls)]
        closed = [world.closed(part) for world in worlds if world.gap > WORTH_CLOSING]
        waited = fmean(world.mean(part, _days) for world in worlds)
        share = f"{fmean(closed):.2f}" if closed else "–"
        lines.append(
            f"| {part} | {_shown(mean_of(contacts))} | {_shown(mean_of(calls))} | {share} | {waited:.1f} |"
        )
    return "\n".join(lines)


class _World:
    """The years of one world, by policy and seed."""

    def __init__(self, name: str, years: Sequence[Played]) -> None:
        mine = [year for year in years if year.world == name]
        self.by_policy = {
            policy: sorted((year for year in mine if year.policy == policy), key=lambda year: year.seed)
            for policy in {year.policy for year in mine}
        }

    def ratios(self, policy: str, other: str, figure: Callable[[Played], float]) -> list[float]:
        pairs = zip(self.by_policy[policy], self.by_policy[other], strict=True)
        return [figure(one) / figure(two) for one, two in pairs]

    def mean(self, policy: str, figure: Callable[[Played], float]) -> float:
        return fmean(figure(year) for year in self.by_policy[policy])

    def gain(self, policy: str) -> Mean:
        return mean_of(self.ratios(policy, "rotation", _contacts))

    @property
    def gap(self) -> float:
        return self.gain("oracle")[0] - 1

    def closed(self, policy: str) -> float:
        return (self.gain(policy)[0] - 1) / self.gap

    @property
    def calls_a_day(self) -> int:
        return self.by_policy[PRODUCT][0].calls_a_day

    @property
    def broken(self) -> int:
        return sum(year.broken for year in self.by_policy[PRODUCT])


def _row(name: str, world: _World) -> str:
    closed = f"{world.closed(PRODUCT):.2f}" if world.gap > WORTH_CLOSING else "–"
    calls = mean_of(world.ratios(PRODUCT, "recycle", _calls))
    segment = mean_of(world.ratios(PRODUCT, "rotation", _segment))
    days = f"{world.mean(PRODUCT, _days):.1f}, {world.mean('rotation', _days):.1f}"
    return (
        f"| {name} | {_shown(world.gain('evening first'))} | {_shown(world.gain('oracle'))} "
        f"| **{_shown(world.gain(PRODUCT))}** | {closed} | {_shown(calls)} | {_shown(segment)} | {days} "
        f"| {world.broken} | {world.mean(PRODUCT, lambda year: year.microseconds):.0f} |"
    )


def _means(worlds: Sequence[_World]) -> list[str]:
    wide = [world for world in worlds if world.gap > WORTH_CLOSING]
    closed = _shown(mean_of([world.closed(PRODUCT) for world in wide])) if wide else "–"
    worst = min(worlds, key=lambda world: world.gain(PRODUCT)[0])
    lines = [
        (
            f"\nGap closed on average over {len(wide)} worlds: {closed}; "
            f"lowest ratio to rotation {_shown(worst.gain(PRODUCT))}; "
            f"rules broken {sum(world.broken for world in worlds)}."
        )
    ]
    for a_day in sorted({world.calls_a_day for world in worlds}):
        mine = [world for world in worlds if world.calls_a_day == a_day]
        calls = [fmean(world.ratios(PRODUCT, "recycle", _calls)) for world in mine]
        lines.append(
            f"Calls per contact / recycle, {a_day} a day: {fmean(calls):.3f} (highest {max(calls):.3f})."
        )
    segments = [fmean(world.ratios(PRODUCT, "rotation", _segment)) for world in worlds]
    lines.append(f"Worst segment / rotation's: {fmean(segments):.3f} (lowest {min(segments):.3f}).")
    met = [
        year.contacts / year.expected
        for world in worlds
        for years in world.by_policy.values()
        for year in years
    ]
    lines.append(f"Contacts made / to expect, all policies: {_shown(mean_of(met))}.")
    return lines


def _shown(mean: Mean) -> str:
    half = "" if mean[1] is None else f" ±{mean[1]:.3f}"
    return f"{mean[0]:.3f}{half}"


def _contacts(year: Played) -> float:
    return year.expected


def _calls(year: Played) -> float:
    return year.calls_per_contact


def _segment(year: Played) -> float:
    return year.worst_segment


def _days(year: Played) -> float:
    return year.days
