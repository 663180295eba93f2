"""Dates as lists write them: every French form, ISO, serials; the order of day and month is the column's.

Nothing impossible is repaired into something possible: an unreadable date gives None and the caller says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from callcentre.intake.values import clean
from callcentre.people.names import fold

_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            ("janvier", "janv", "jan", "january"),
            ("fevrier", "fevr", "fev", "feb", "february"),
            ("mars", "mar", "march"),
            ("avril", "avr", "apr", "april"),
            ("mai", "may"),
            ("juin", "jun", "june"),
            ("juillet", "juil", "juill", "jul", "july"),
            ("aout", "aou", "aug", "august"),
            ("septembre", "sept", "sep", "september"),
            ("octobre", "oct", "october"),
            ("novembre", "nov", "november"),
            ("decembre", "dec", "december"),
        ],
        start=1,
    )
    for name in names
}
_TIME = r"(?:[ T]+(?:à )?(?P<hour>\d{1,2})[:h]\d{2}(?::\d{2}(?:[.,]\d+)?)?(?P<zone>Z|[+-]\d\d:?\d\d)?(?: ?[AP]M)?)?"
_PARTS = r"\s?[/.\-\\|,_ ]\s?"
_DAY_FIRST = re.compile(
    rf"(\d{{1,2}})(?:er)?{_PARTS}(\d{{1,2}}){_PARTS}(\d{{4}}|\d{{2}}){_TIME}", re.IGNORECASE
)
_YEAR_FIRST = re.compile(rf"(\d{{4}}){_PARTS}(\d{{1,2}}){_PARTS}(\d{{1,2}}){_TIME}")
_IN_WORDS = re.compile(r"(?:[a-z]+ )??(\d{1,2})(?: ?er)? ([a-z]+) (\d{4}|\d{2})")
_MONTH_IN_WORDS_FIRST = re.compile(r"([a-z]+) (\d{1,2})(?: ?(?:st|nd|rd|th))? (\d{4})")
_COMPACT = re.compile(r"\d{7,8}")
_SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?")
_LEADING = re.compile(r"^(?:n[eé]e?(?:\(e\)|·e|\.e)? )?(?:le )?(?=\w)", re.IGNORECASE)
_TRAILING = re.compile(r"\s(?:à|a) [A-Za-zÀ-ÿ' -]{2,}$|\s\([^()]*\)$")
_SERIAL_ORIGIN = date(1899, 12, 30)
_SERIAL_ORIGIN_1904 = date(1904, 1, 1)
_SERIALS = range(15_000, 60_000)
"""Days since 30 December 1899: from 1941 to 2064."""
_MIDNIGHTS = frozenset({22, 23})
"""Hours at which a French midnight stands when it was written in UTC."""


@dataclass(frozen=True, slots=True)
class DateHabit:
    """How a whole column writes its dates: no single cell can tell 02/04 from 04/02."""

    month_first: bool = False
    is_mixed: bool = False
    """Both orders are certain in it: a date that fits both cannot be read with certainty."""
    from_1904: bool = False
    """Its spreadsheet counts days from 1904 (an old Macintosh)."""


USUAL = DateHabit()


def date_parts(text: str) -> tuple[int, int] | None:
    """First and second number of a date whose year stands last; None for any other form."""
    match = _DAY_FIRST.fullmatch(text.strip())
    return (int(match[1]), int(match[2])) if match else None


@lru_cache(maxsize=65_536)
def read_date(text: str, latest: date, habit: DateHabit = USUAL) -> date | None:
    """A date in any French form, an ISO one or a spreadsheet's serial; None when it does not exist.

    Two-digit years fall in the century that keeps the date at or before `latest`. The order of day and month is
    the column's; an impossible date never becomes a possible one by reading it the other way round.
    """
    cleaned = clean(text).lstrip("'")
    if match := _DAY_FIRST.fullmatch(cleaned):
        day, month = (match[2], match[1]) if habit.month_first else (match[1], match[2])
        return _date(match[3], month, day, latest)
    if match := _YEAR_FIRST.fullmatch(cleaned):
        return _local_day(_date(match[1], match[2], match[3], latest), match["hour"], match["zone"])
    if _COMPACT.fullmatch(cleaned):
        return _compact_date(cleaned, latest)
    if match := _SERIAL.fullmatch(cleaned):
        days = int(match[1])
        origin = _SERIAL_ORIGIN_1904 if habit.from_1904 else _SERIAL_ORIGIN
        return origin + timedelta(days=days) if days in _SERIALS else None
    stripped = _TRAILING.sub("", _LEADING.sub("", cleaned))
    if stripped != cleaned and stripped:
        return read_date(stripped, latest, habit)
    return _date_in_words(fold(cleaned), latest)


def _compact_date(digits: str, latest: date) -> date | None:
    """Eight digits that are a date one way only; seven are day-month-year whose zero a spreadsheet ate."""
    if len(digits) == 7:
        return _date(digits[3:], digits[1:3], digits[0], latest)
    found = {_date(digits[4:], digits[2:4], digits[:2], latest)}
    found.add(_date(digits[:4], digits[4:6], digits[6:], latest))
    found.discard(None)
    return found.pop() if len(found) == 1 else None


def _date_in_words(folded: str, latest: date) -> date | None:
    match = _IN_WORDS.fullmatch(folded)
    if match and match[2] in _MONTHS:
        return _date(match[3], str(_MONTHS[match[2]]), match[1], latest)
    match = _MONTH_IN_WORDS_FIRST.fullmatch(folded)
    if match and match[1] in _MONTHS:
        return _date(match[3], str(_MONTHS[match[1]]), match[2], latest)
    return None


def _local_day(day: date | None, hour: str | None, zone: str | None) -> date | None:
    """A French midnight that a program wrote in UTC is the evening before: "2008-02-13T23:00:00Z" is the 14th."""
    if day is not None and zone == "Z" and int(hour or 0) in _MIDNIGHTS:
        return day + timedelta(days=1)
    return day


def _date(year: str, month: str, day: str, latest: date) -> date | None:
    full = int(year)
    if len(year) == 2:
        full += 2000
        if (full, int(month), int(day)) > (latest.year, latest.month, latest.day):
            full -= 100
    if not 1900 <= full <= 2100:
        return None
    try:
        return date(full, int(month), int(day))
    except ValueError:
        return None
