"""French communes: telling a postal code from an INSEE code, which looks the same and means something else.

The table (`communes.csv.gz`: INSEE code; name as `plain_commune` gives it; postal codes) is made from Etalab's
decoupage-administratif 6.0.0 (MIT; data under Licence Ouverte 2.0). 13001 is Aix-en-Provence for INSEE and Marseille
for the post.
"""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from callcentre.people.names import fold

_TABLE = Path(__file__).with_name("communes.csv.gz")
_AFTER_NAME = re.compile(r"\b(?:cedex|cdx)\b.*$|\b\d{1,2}(?: ?(?:e|er|eme|ere))?(?: arr(?:ondissement)?)?$")
_SHORT = {"st": "saint", "ste": "sainte", "s": "sur", "/s": "sur"}


class PostalDoubt(StrEnum):
    """What is odd about a five-digit code beside a commune's name."""

    WAS_INSEE = "was_insee"
    """An INSEE code that stands for one postal code: translated."""
    INSEE_OF_SEVERAL = "insee_of_several"
    """An INSEE code of a commune with several postal codes: which one, nobody can tell."""
    OTHER_COMMUNE = "other_commune"
    """A postal code of another commune than the one named: kept."""
    UNKNOWN = "unknown"
    """In no table (CEDEX codes are not): kept."""


@dataclass(frozen=True, slots=True)
class PostalReading:
    """The postal code to keep, and what is odd about what was written."""

    code: str | None
    doubt: PostalDoubt | None = None


@dataclass(frozen=True)
class _Table:
    by_insee: Mapping[str, tuple[str, tuple[str, ...]]]
    names_by_postal: Mapping[str, frozenset[str]]
    postal_by_name: Mapping[str, frozenset[str]]


@lru_cache(maxsize=1)
def _table() -> _Table:
    by_insee: dict[str, tuple[str, tuple[str, ...]]] = {}
    names: defaultdict[str, set[str]] = defaultdict(set)
    postal: defaultdict[str, set[str]] = defaultdict(set)
    for line in gzip.decompress(_TABLE.read_bytes()).decode().splitlines():
        insee, plain, codes = line.split(";")
        by_insee[insee] = (plain, tuple(codes.split()))
        postal[plain].update(codes.split())
        for code in codes.split():
            names[code].add(plain)
    return _Table(
        by_insee,
        {code: frozenset(found) for code, found in names.items()},
        {name: frozenset(found) for name, found in postal.items()},
    )


def plain_commune(name: str) -> str:
    """A commune's name to compare: folded, "St" in full, without arrondissement or CEDEX."""
    words = " ".join(_SHORT.get(word, word) for word in fold(name).split())
    return _AFTER_NAME.sub("", words).strip()


@lru_cache(maxsize=8_192)
def read_postal(code: str, commune: str | None) -> PostalReading:
    """What a five-digit code in a postal column means beside the commune of its row."""
    table = _table()
    named = plain_commune(commune) if commune else ""
    of_insee = table.by_insee.get(code)
    communes = table.names_by_postal.get(code)
    if of_insee is not None and (communes is None or named not in communes):
        name, codes = of_insee
        if named == name or (communes is None and not named):
            if len(codes) == 1:
                return PostalReading(codes[0], PostalDoubt.WAS_INSEE)
            return PostalReading(None, PostalDoubt.INSEE_OF_SEVERAL)
    if communes is None:
        return PostalReading(code, PostalDoubt.UNKNOWN)
    elsewhere = table.postal_by_name.get(named, frozenset())
    if named and elsewhere and code not in elsewhere:
        return PostalReading(code, PostalDoubt.OTHER_COMMUNE)
    return PostalReading(code)


@lru_cache(maxsize=4_096)
def postal_of_insee(insee: str) -> str | None:
    """The postal code of a commune's INSEE code, when it has only one."""
    found = _table().by_insee.get(insee)
    return found[1][0] if found is not None and len(found[1]) == 1 else None
