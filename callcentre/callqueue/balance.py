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


@dataclass(frozen=True, slots=True)
class Position:
    """Where a territory stands on a day: claims served, claims due to it, its weight, and whether it has due people."""

    served: int
    share: float
    weight: float
    due: bool

    @property
    def lag(self) -> float:
        """Claims it is owed (positive) or ahead (negative)."""
        return self.share - self.served


def turn_order(positions: Mapping[int, Position], *, own: Collection[int] = ()) -> list[int]:
    """Return the territories with due people, by id, the one whose turn it is first.

    Those already ahead of their share come last, so that a claim finds somebody when the others prove empty.
    `own`: territories of the asking officer; they break ties only.
    """

    def key(territory: int) -> tuple[bool, float, bool, int]:
        position = positions[territory]
        finish = round((position.served + 1 - position.share) / position.weight, 12)
        return position.lag < -ROUNDING, finish, territory not in own, territory

    return sorted((territory for territory, position in positions.items() if position.due), key=key)


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
