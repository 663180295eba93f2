"""Names made comparable, whatever the accents, case, hyphens and apostrophes."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_APART = re.compile(r"[^a-z0-9]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d"})


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Lower case, no accents, one space where anything but a letter or a digit stood."""
    plain = text.casefold()
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", plain.translate(_LIGATURES))
        plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    folded = _APART.sub(" ", plain).strip()
    return folded or " ".join(text.casefold().split())


def sort_name(family_name: str, first_name: str) -> str:
    """The key that sorts and finds a person: "family first", folded, at most 260 characters."""
    return f"{fold(family_name)} {fold(first_name)}"[:260]
