"""What a cell says, in canonical form: names, dates, identifiers, addresses. One function per rule, all pure.

Nothing impossible is repaired into something possible: an unreadable value gives None and the caller says so.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from functools import lru_cache

from callcentre.people.names import fold

_NOT_SAID = frozenset(
    [
        "",
        "neant",
        "nc",
        "n c",
        "n a",
        "non communique",
        "non renseigne",
        "inconnu",
        "inconnue",
        "aucun",
        "aucune",
        "null",
    ]
)
_NAME_NOT_SAID = _NOT_SAID - {"null"}
"""Null is a family name; a column that is full of it is the reader's business, not this rule's."""
_UNWANTED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ue000-\uf8ff]"
)
_SPACES = re.compile(r"\s+")


def clean(text: str) -> str:
    """One line of composed text without controls, zero-width or bidirectional marks.

    The apostrophe with which an export keeps "=" or "+" from being a formula is taken off again.
    """
    if text.isascii():
        if text.isprintable() and "  " not in text and text[:1] != "'":
            return text.strip()
    else:
        text = unicodedata.normalize("NFC", text)
    text = _SPACES.sub(" ", _UNWANTED.sub("", text.replace("\t", " "))).strip()
    return text[1:] if text[:1] == "'" and text[1:2] in {"=", "+", "-", "@"} else text


@lru_cache(maxsize=16_384)
def read_text(text: str) -> str | None:
    """Free text, or None when the cell says that there is none."""
    cleaned = clean(text)
    if not cleaned or (len(cleaned) < 17 and fold(cleaned).strip("-?./ ") in _NOT_SAID):
        return None
    return cleaned


@lru_cache(maxsize=16_384)
def read_name(text: str) -> str | None:
    """A name as written, or None; a name holds at least one letter."""
    cleaned = clean(text).strip(' "«».,;:_')
    if not any(c.isalpha() for c in cleaned) or fold(cleaned) in _NAME_NOT_SAID or cleaned.startswith("#"):
        return None
    return cleaned


# ---- dates

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
            ("juillet", "juil", "jul", "july"),
            ("aout", "aug", "august"),
            ("septembre", "sept", "sep", "september"),
            ("octobre", "oct", "october"),
            ("novembre", "nov", "november"),
            ("decembre", "dec", "december"),
        ],
        start=1,
    )
    for name in names
}
_TIME = r"(?:[ T]\d{1,2}[:h]\d{2}(?::\d{2}(?:[.,]\d+)?)?Z?)?"
_DAY_FIRST = re.compile(rf"(\d{{1,2}})\s?[/.\- ]\s?(\d{{1,2}})\s?[/.\- ]\s?(\d{{4}}|\d{{2}}){_TIME}")
_YEAR_FIRST = re.compile(rf"(\d{{4}})[/.\- ](\d{{1,2}})[/.\- ](\d{{1,2}}){_TIME}")
_IN_WORDS = re.compile(r"(?:[a-z]+ )?(\d{1,2})(?: ?er)? ([a-z]+) (\d{4}|\d{2})")
_COMPACT = re.compile(r"\d{8}")
_SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?")
_SERIAL_ORIGIN = date(1899, 12, 30)
_SERIALS = range(15_000, 60_000)
"""Days since 30 December 1899: from 1941 to 2064."""


@lru_cache(maxsize=65_536)
def read_date(text: str, latest: date) -> date | None:
    """A date in any French form, an ISO one or a spreadsheet's serial; None when it does not exist.

    Two-digit years fall in the century that keeps the date at or before `latest`. Day and month never swap.
    """
    cleaned = clean(text).lstrip("'")
    if match := _DAY_FIRST.fullmatch(cleaned):
        return _date(match[3], match[2], match[1], latest)
    if match := _YEAR_FIRST.fullmatch(cleaned):
        return _date(match[1], match[2], match[3], latest)
    if _COMPACT.fullmatch(cleaned):
        found = {_date(cleaned[4:], cleaned[2:4], cleaned[:2], latest)}
        found.add(_date(cleaned[:4], cleaned[4:6], cleaned[6:], latest))
        found.discard(None)
        return found.pop() if len(found) == 1 else None
    if match := _SERIAL.fullmatch(cleaned):
        days = int(match[1])
        return _SERIAL_ORIGIN + timedelta(days=days) if days in _SERIALS else None
    match = _IN_WORDS.fullmatch(fold(cleaned))
    if match and match[2] in _MONTHS:
        return _date(match[3], str(_MONTHS[match[2]]), match[1], latest)
    return None


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


def age_on(birth_date: date, day: date) -> int:
    """Whole years lived on a day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


# ---- identifiers and codes

_INE = re.compile(r"\d{10}[A-Z]|\d{9}[A-Z]{2}|\d{4}A\d{5}[A-Z]")
_UAI = re.compile(r"(?:0[0-8]\d|09[0-5]|9[78]\d|[67]20)\d{4}[A-Z]")
_UAI_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_SIEI = re.compile(r"[A-Z0-9][A-Z0-9/_-]{5,38}")


def read_ine(text: str) -> str | None:
    """A national student number in one of its three forms (school, since 2018, apprenticeship), upper case.

    Only the form is judged: the check letter of the newer one is not published.
    """
    compact = re.sub(r"[\s.\-]", "", clean(text)).upper()
    return compact if _INE.fullmatch(compact) else None


def ine_form(ine: str) -> str:
    """Which of the three forms an INE has: `school`, `rnie` or `apprentice`."""
    if ine[:10].isdigit():
        return "school"
    return "rnie" if ine[:9].isdigit() else "apprentice"


def read_siei(text: str) -> str | None:
    """A file number that tells people apart: six characters or more, so that "1, 2, 3" never merges lists."""
    compact = re.sub(r"\s", "", clean(text)).upper()
    return compact if _SIEI.fullmatch(compact) else None


@lru_cache(maxsize=4_096)
def read_uai(text: str) -> str | None:
    """A school's code in its form, its check letter not judged."""
    compact = re.sub(r"[\s.\-]", "", clean(text)).upper()
    return compact if _UAI.fullmatch(compact) else None


def uai_letter_is_right(uai: str) -> bool:
    """Whether the letter is the one that the seven digits give (remainder by 23)."""
    return _UAI_LETTERS[int(uai[:7]) % 23] == uai[7]


@lru_cache(maxsize=4_096)
def read_postal_code(text: str) -> str | None:
    """Five digits; a leading zero eaten by a spreadsheet is given back."""
    compact = re.sub(r"^F-?|[\s\xa0]|[.,]0+$", "", clean(text).upper())
    if re.fullmatch(r"\d{4,5}", compact):
        padded = compact.zfill(5)
        return padded if padded[:2] != "00" and padded[2:] != "" else None
    match = re.fullmatch(r"(\d{5})(?:CEDEX\d*|[A-Z' -]+(?:CEDEX\d*)?)", compact)
    return match[1] if match else None


@lru_cache(maxsize=4_096)
def read_training_code(text: str) -> str | None:
    """A MEF code: ten or eleven digits."""
    compact = re.sub(r"\s|[.,]0+$", "", clean(text))
    return compact if re.fullmatch(r"\d{10,11}", compact) else None


_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}")


def read_email(text: str) -> str | None:
    """The first address of a cell, in lower case."""
    lowered = clean(text).lower()
    if _EMAIL.fullmatch(lowered):
        return lowered if len(lowered) <= 254 else None
    match = re.search(rf"(?<![^\s<;,:/(])({_EMAIL.pattern})", lowered)
    return match[1] if match and lowered.count("@") >= 1 and " " not in match[1] else None


_SEXES = {
    **dict.fromkeys(("m", "h", "g", "1", "masculin", "garcon", "homme", "monsieur", "mr", "male"), "M"),
    **dict.fromkeys(
        ("f", "2", "feminin", "fille", "femme", "madame", "mme", "mlle", "mademoiselle", "female"), "F"
    ),
    **dict.fromkeys(("x", "autre", "other"), "X"),
}


def read_sex(text: str) -> str | None:
    """M, F or X, from any of the usual words."""
    return _SEXES.get(fold(text))
