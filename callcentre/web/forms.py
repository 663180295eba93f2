"""Reading the fields of a form into values."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

_Kind = TypeVar("_Kind", bound=StrEnum)


def choice_of(kind: type[_Kind], text: str | None) -> _Kind | None:
    """Return the member of an enumeration, or None when the text is none of them."""
    try:
        return kind(text or "")
    except ValueError:
        return None


def flag_of(text: str | None) -> bool | None:
    """Return True for `on`, False for `off`, None when nothing was said."""
    return {"on": True, "off": False}.get(text or "")


def whole_number(text: str | None) -> int | None:
    """Return a whole number typed with or without spaces, or None."""
    plain = "".join((text or "").split())
    return int(plain) if plain.isdecimal() and len(plain) < 16 else None
