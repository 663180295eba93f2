"""Names as lists write them: kept as written, told from "none", split out of one cell, found swapped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from callcentre.intake.values import NOT_SAID, clean
from callcentre.people.names import fold

_NAME_NOT_SAID = NOT_SAID - {"null", "none"}
"""Null is a family name; so are Na and Nil. A cell that is told to be empty is told so with more letters."""
_CIVILITY = re.compile(r"^(?:mme|mlle|melle|mr|m\.)[ .]+(?=\S)", re.IGNORECASE)
_CROSSES = re.compile(r"[xX]+|[xX](?: [xX])+")


@lru_cache(maxsize=16_384)
def read_name(text: str) -> str | None:
    """A name as written, without its civility, or None; a name holds at least one letter."""
    cleaned = clean(text).strip(' "«».,;:_*')
    if not any(c.isalpha() for c in cleaned) or fold(cleaned) in _NAME_NOT_SAID or cleaned.startswith("#"):
        return None
    if _CROSSES.fullmatch(cleaned):
        return None
    return _CIVILITY.sub("", cleaned) if cleaned[:1] in "mM" else cleaned


_PARTICLES = frozenset(
    {"de", "du", "des", "da", "das", "do", "dos", "di", "del", "della", "van", "von", "der", "den", "le", "la"}
    | {"les", "el", "al", "ben", "bin", "ait", "ould", "bou", "abou", "abu", "mac", "mc", "san", "saint", "st", "ste"}
    | {"d", "l"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SplitName:
    """A family name and a first name that stood in one cell; `is_certain` when their case or a comma told."""

    family_name: str
    first_name: str
    is_certain: bool


@lru_cache(maxsize=16_384)
def split_name(text: str, *, first_name_first: bool = False) -> SplitName | None:
    """Both names of one cell: capitals are the family name, else a comma tells, else the header's order."""
    cleaned = read_name(text)
    if cleaned is None:
        return None
    family, comma, first = cleaned.partition(",")
    if comma:
        return SplitName(family.strip(), first.strip(), True) if family.strip() and first.strip() else None
    words = cleaned.split()
    if len(words) < 2:
        return None
    capitals = [_is_capital(word) for word in words]
    if any(capitals) and not all(capitals):
        return _split_by_case(words, capitals)
    return _split_by_order(words, first_name_first)


def _is_capital(word: str) -> bool:
    letters = [c for c in word if c.isalpha()]
    return len(letters) > 1 and all(c.isupper() for c in letters)


def _split_by_case(words: list[str], capitals: list[bool]) -> SplitName | None:
    """The capitals must stand together; particles in small letters beside them belong to the family name."""
    first, last = capitals.index(True), len(capitals) - 1 - capitals[::-1].index(True)
    if not all(capitals[at] or fold(words[at]) in _PARTICLES for at in range(first, last + 1)):
        return None
    while first > 0 and fold(words[first - 1]) in _PARTICLES and not words[first - 1][:1].isupper():
        first -= 1
    rest = [*words[:first], *words[last + 1 :]]
    if not rest or (first > 0 and last + 1 < len(words)):
        return None
    return SplitName(" ".join(words[first : last + 1]), " ".join(rest), True)


def _split_by_order(words: list[str], first_name_first: bool) -> SplitName:
    """Two words follow the header; of more, particles hold to the word after them, and the rest is a guess."""
    certain = len(words) == 2
    if first_name_first:
        at = next((i for i in range(1, len(words) - 1) if fold(words[i]) in _PARTICLES), 1)
        return SplitName(" ".join(words[at:]), " ".join(words[:at]), certain)
    at = 1
    while at < len(words) - 1 and fold(words[at - 1]) in _PARTICLES:
        at += 1
    return SplitName(" ".join(words[:at]), " ".join(words[at:]), certain)


def looks_swapped(family_name: str, first_name: str) -> bool:
    """Whether, in a list that writes family names in capitals, these two stand in each other's place."""
    family, first = family_name.replace("-", " ").split(), first_name.replace("-", " ").split()
    return all(_is_capital(word) for word in first) and not any(_is_capital(word) for word in family)
