"""How many parts a text message costs, which characters make it dearer, and what to write instead.

A message in the GSM-7 alphabet holds 160 units, or 153 in each of several parts; one character outside of it turns the
whole message into UCS-2, with 70 units, or 67 in each of several parts. Source: 3GPP TS 23.038 and 23.040.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
"""Characters of the GSM-7 alphabet that take two units."""
_INSTEAD = {
    "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-",
    "—": "-", "‑": "-", "−": "-", "…": "...", "œ": "oe", "Œ": "OE", "•": "-", "№": "no", "\t": " ", "×": "x",
    "\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " ", "\N{THIN SPACE}": " ", "\N{ZERO WIDTH SPACE}": "",
    "\N{ZERO WIDTH NO-BREAK SPACE}": "", "\N{SOFT HYPHEN}": "",
}  # fmt: skip


class Encoding(StrEnum):
    """The alphabet that a message travels in."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


_ROOM = {Encoding.GSM_7: (160, 153), Encoding.UCS_2: (70, 67)}
"""Units of a message that fits into one part, and units of each part of a longer one."""


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text costs. `units`: of its alphabet; `parts`: messages billed; `left`: units free in the last part.

    `costly`: the characters that force UCS-2, in the order of the text, each once.
    """

    encoding: Encoding
    units: int
    parts: int
    left: int
    costly: tuple[str, ...]


def measure(text: str) -> Segments:
    """Return what a text costs as it stands."""
    costly = tuple(dict.fromkeys(c for c in text if c not in _BASIC and c not in _EXTENDED))
    encoding = Encoding.UCS_2 if costly else Encoding.GSM_7
    sizes = [_size(character, encoding) for character in text]
    whole, each = _ROOM[encoding]
    units = sum(sizes)
    if units <= whole:
        return Segments(encoding, units, 1 if text else 0, whole - units, costly)
    parts, last = _packed(sizes, each)
    return Segments(encoding, units, parts, each - last, costly)


def fold(text: str) -> str:
    """Return the text in GSM-7 as far as letters allow: "ê" becomes "e", a word processor's quotes plain ones.

    What has no plain form, such as an emoji, stays.
    """
    composed = unicodedata.normalize("NFC", text)
    return "".join(chain.from_iterable(_folded(character) for character in composed))


def _folded(character: str) -> Iterable[str]:
    if character in _BASIC or character in _EXTENDED:
        return character
    if character in _INSTEAD:
        return _INSTEAD[character]
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    return plain if plain and all(c in _BASIC for c in plain) else character


def _size(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM_7:
        return 2 if character in _EXTENDED else 1
    return 2 if ord(character) > 0xFFFF else 1


def _packed(sizes: Iterable[int], room: int) -> tuple[int, int]:
    """Return the number of parts and the units in the last one; no character is split over two."""
    parts, used = 1, 0
    for size in sizes:
        if used + size > room:
            parts, used = parts + 1, 0
        used += size
    return parts, used
