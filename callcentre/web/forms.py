"""Reading the fields of a form into values."""

from __future__ import annotations

import re
from datetime import date, time
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


def typed_date(text: str | None) -> date | None:
    """Return a day typed as 24/11/2026, 24.11.26 or 2026-11-24, or None."""
    plain = (text or "").strip()
    french = re.fullmatch(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4}|\d{2})", plain)
    if french:
        day, month, year = (int(part) for part in french.groups())
        parts = (year if year > 99 else 2000 + year, month, day)
    elif re.fullmatch(r"\d{4}-\d{2}-\d{2}", plain):
        parts = (int(plain[:4]), int(plain[5:7]), int(plain[8:]))
    else:
        return None
    try:
        return date(*parts)
    except ValueError:
        return None


def typed_time(text: str | None) -> time | None:
    """Return an hour typed as 14 h 30, 14h, 14:30 or 1430, or None."""
    plain = "".join((text or "").lower().split())
    found = re.fullmatch(r"(\d{1,2})(?:[h:.](\d{2})?)?", plain) or re.fullmatch(r"(\d{2})(\d{2})", plain)
    if found is None:
        return None
    hours, minutes = int(found[1]), int(found[2] or 0)
    return time(hours, minutes) if hours < 24 and minutes < 60 else None
