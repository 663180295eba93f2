"""Whose territory's turn it is: pure arithmetic over what was served and what was due.

*Served* counts ordinary leases granted on a civil day. *Share* is what a territory should have had by then: at each
claim, its weight over the weights of all territories with due people, summed claim by claim. The turn goes, among
territories with due people that have not had more than their share, to the one whose next claim falls due first.
One that becomes due again has gathered no share meanwhile, so it joins at the current point.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

ROUNDING = 1e-9
"""Shares are sums of fractions; differences below this are rounding."""
TIE = 1e-12
"""Next claims that fall due within this are at the same moment."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a territory stands on a day: claims served, claims due to it, its weight, and whether it has due people."""

    served: int
    share: float
    weight: float
    due: bool


def turn_order(positions: Mapping[int, Position], *, own: Collection[int] = ()) -> list[int]:
    """Return the territories with due people, by id, the one whose turn it is first.

    Those already ahead of their share come last, so that a claim finds somebody when the others prove empty.
    `own`: territories of the asking officer; they break ties only.
    """
    due = {territory: position.weight for territory, position in positions.items() if position.due}
    served = {territory: positions[territory].served for territory in due}
    return in_turn(due, served, {territory: positions[territory].share for territory in due}, own=own)


def in_turn(
    due: Mapping[int, float],
    served: Mapping[int, int],
    shares: Mapping[int, float],
    *,
    own: Collection[int] = (),
) -> list[int]:
    """Return the territories of `due`, which gives their weights, in the order of their turn, as `turn_order` does."""
    first = first_in_turn(due, served, shares, own=own)
    keys = []
    for territory, weight in due.items():
        ahead = served.get(territory, 0) - shares.get(territory, 0.0)
        finish = round((ahead + 1) / weight, 12)
        keys.append((territory != first, ahead > ROUNDING, finish, territory not in own, territory))
    return [key[-1] for key in sorted(keys)]


def first_in_turn(
    due: Mapping[int, float],
    served: Mapping[int, int],
    shares: Mapping[int, float],
    *,
    own: Collection[int] = (),
) -> int | None:
    """Return the territory of `due` whose turn it is: of those that had no more than their share, the one whose next
    claim falls due first. Every claim asks this.
    """
    first = _soonest(due, served, shares, own, ROUNDING)
    return first if first is not None else _soonest(due, served, shares, own, float("inf"))


def _soonest(
    due: Mapping[int, float],
    served: Mapping[int, int],
    shares: Mapping[int, float],
    own: Collection[int],
    most_ahead: float,
) -> int | None:
    first, soonest = None, float("inf")
    for territory, weight in due.items():
        ahead = served.get(territory, 0) - shares.get(territory, 0.0)
        if ahead > most_ahead:
            continue
        finish = (ahead + 1) / weight
        if finish > soonest + TIE:
            continue
        if first is None or finish < soonest - TIE:
            first, soonest = territory, finish
        elif (territory not in own, territory) < (first not in own, first):
            first = territory
    return first


def written(weights: Mapping[int, float]) -> str:
    """Return the weights of the territories with due people as "id:weight" pairs, as a claim remembers them."""
    return " ".join(f"{territory}:{weight:g}" for territory, weight in sorted(weights.items()))


def read(text: str) -> dict[int, float]:
    """Return what `written` wrote."""
    pairs = (pair.split(":") for pair in text.split())
    return {int(territory): float(weight) for territory, weight in pairs}


def add_shares(shares: dict[int, float], claims: Iterable[str]) -> None:
    """Add to each territory's share what the claims, each given as its written weights, made due to it."""
    for text, times in Counter(claims).items():
        for territory, part in parts(text):
            shares[territory] = shares.get(territory, 0.0) + times * part


@lru_cache(maxsize=1024)
def parts(text: str) -> tuple[tuple[int, float], ...]:
    """Return what a claim with these weights makes due to each territory; claims in a row have the same weights."""
    weights = read(text)
    whole = sum(weights.values())
    return tuple((territory, weight / whole) for territory, weight in weights.items())
