"""What a cell says, in canonical form: text, identifiers, codes, addresses. One function per rule, all pure.

Nothing impossible is repaired into something possible: an unreadable value gives None and the caller says so.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache

from callcentre.people.names import fold

NOT_SAID = frozenset(
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
        "none",
        "sans objet",
        "pas de mail",
        "pas d adresse",
    ]
)
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


def say(text: str) -> str | None:
    """Free text, or None when the cell says that there is none; not remembered, for texts that do not come back."""
    cleaned = clean(text)
    if not cleaned or (len(cleaned) < 17 and fold(cleaned).strip("-?./ ") in NOT_SAID):
        return None
    return cleaned


@lru_cache(maxsize=16_384)
def read_text(text: str) -> str | None:
    """Free text, or None when the cell says that there is none."""
    return say(text)


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


def ine_letter_is_right(ine: str) -> bool:
    """Whether the letter of a school form is the remainder by 23 of its ten digits; true for the other forms.

    The rule is not published: callers trust it only for a list that bears it out.
    """
    return not ine[:10].isdigit() or _UAI_LETTERS[int(ine[:10]) % 23] == ine[10]


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


_INSEE = re.compile(r"(?:\d{2}|2A|2B)\d{3}")


@lru_cache(maxsize=4_096)
def read_insee_code(text: str) -> str | None:
    """The INSEE code of a commune: five characters, 2A and 2B for Corsica; a lost zero is given back."""
    compact = re.sub(r"\s|[.,]0+$", "", clean(text).upper())
    padded = compact.zfill(5) if compact.isdigit() and len(compact) == 4 else compact
    return padded if _INSEE.fullmatch(padded) else None


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
