"""A cell of telephone numbers: its number-like pieces, whose each is said to be, what is said of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class NumberReason(StrEnum):
    """Why a number was accepted or refused; the words stand with the intake's reasons."""

    VALID = "valid"
    FICTION_BLOCK = "fiction_block"
    UNKNOWN_BLOCK = "unknown_block"
    FOREIGN = "foreign"
    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    IMPOSSIBLE = "impossible"
    DUMMY = "dummy"
    PREMIUM = "premium"
    SPECIAL = "special"
    SHORT_CODE = "short_code"
    MACHINE = "machine"
    ROUNDED = "rounded"
    MARKED_WRONG = "marked_wrong"
    MARKED_OLD = "marked_old"
    MARKED_NO_CALL = "marked_no_call"


class NumberLabel(StrEnum):
    """Whose number, or which line, the words beside it say."""

    YOUNG_PERSON = "young_person"
    MOTHER = "mother"
    FATHER = "father"
    GUARDIAN = "guardian"
    RELATIVE = "relative"
    HOME = "home"
    WORK = "work"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Piece:
    """One number-like part of a cell, with the label and remark that stand beside it."""

    text: str
    label: NumberLabel | None = None
    remark: str | None = None


_FRENCH_SHAPES = re.compile(
    r"""(?<!\d)(?:
        (?:\+|00)[ ]?33[ .\-]?(?:\(0\)[ .\-]?|0)?[1-9](?:[ .\-/]{0,3}\d\d){4}   # +33 6 39 98 12 34
      | 33[ .\-]?0?[1-9](?P<a>[ .\-]?)\d\d(?:(?P=a)\d\d){3}                     # 33639981234
      | (?:\(0\)|0)[ ]?[1-9](?P<b>[ .\-/_]{0,3})\d\d(?:(?P=b)\d\d){3}           # 06 39 98 12 34
      | [1-9](?P<c>[ .\-]?)\d\d(?:(?P=c)\d\d){3}                                # 639981234, its zero eaten
    )(?![\d])(?![.,]\d)""",
    re.VERBOSE,
)
_FOREIGN_SHAPE = re.compile(r"(?<!\d)\+(?!33|[ ]?0)(?:[ .\-()]{0,2}\d){8,15}(?!\d)")
_FLOAT_SHAPE = re.compile(r"(?<![\d.,])\d+[.,]\d+[eE]\+?\d{1,2}(?!\d)|(?<![\d.,])\d{9,13}[.,]0+(?!\d)")
_SHAPES = re.compile(f"{_FLOAT_SHAPE.pattern}|{_FOREIGN_SHAPE.pattern}|{_FRENCH_SHAPES.pattern}", re.VERBOSE)
_BREAKS = re.compile(r"[\n\r;|,]|\s/\s|\bou\b|\bet\b|\bpuis\b|(?<=\D)/(?=\D)|\s{3,}", re.IGNORECASE)
_GLUED = re.compile(r"(?:0[1-9]\d{8}){2,4}")
_COMMA_PAIRS = re.compile(r"(?<![\d,])0[1-9](?:,[ ]?\d\d){4}(?![\d,])")
_LIST_MARK = re.compile(r"(?:(?<=\s)|(?<=^)|(?<=[/;,]))[1-9]\)(?=\s*[+(0])")
_NOTHING = re.compile(
    r"neant|nc|nr|n/?a|aucune?|sans|vide|non|pas|rien|absent|x+|#n/a|null|none|(?:sur )?liste rouge"
    r"|non (?:communique|renseigne|connu)e?|inconnue?|(?:pas de |sans )(?:tel|telephone|numero|portable)"
)

_PADDING = " :;,-()/[]."

_LABELS: tuple[tuple[re.Pattern[str], NumberLabel], ...] = tuple(
    (re.compile(rf"\b(?:{words})\b"), label)
    for words, label in (
        (
            r"grand[- ]?(?:mere|pere)|gd[- ]?(?:mere|pere)|mamie|papi|soeur|frere|oncle|tante|cousine?",
            NumberLabel.RELATIVE,
        ),
        (r"mere|maman|mother|belle[- ]mere", NumberLabel.MOTHER),
        (r"pere|papa|father|beau[- ]pere", NumberLabel.FATHER),
        (
            r"resp(?:onsable)?|parents?|tut(?:eur|rice)|rl|representant|famille|foyer|ase",
            NumberLabel.GUARDIAN,
        ),
        (r"jeune|eleve|lui|elle|perso(?:nnel)?|interesse", NumberLabel.YOUNG_PERSON),
        (r"travail|pro|professionnel|bureau|employeur", NumberLabel.WORK),
        (r"domicile|dom|fixe|maison", NumberLabel.HOME),
        (r"ami|amie|voisine?|copain|copine|conjointe?|educ(?:ateur|atrice)?|autre", NumberLabel.OTHER),
    )
)
_MARKS: tuple[tuple[re.Pattern[str], NumberReason], ...] = (
    (
        re.compile(
            r"ne (?:pas|plus) (?:r?appeler|telephoner|joindre|contacter|utiliser)(?!{hours})|"
            r"(?:refuse|ne (?:veut|souhaite) (?:pas|plus)) (?:d'|d |de |l'|l )?(?:etre )?(?:r?appel|contact|joint)|"
            r"\bpas (?:r?appeler|contacter|utiliser)\b(?!{hours})|\bopposition\b|\bstop\b".replace(
                "{hours}",
                r" (?:avant|apres|entre|pendant|le (?:matin|midi|soir)|la nuit|en journee|au travail)",
            )
        ),
        NumberReason.MARKED_NO_CALL,
    ),
    (
        re.compile(
            r"\bfaux\b|errone|erreur|mauvais|(?:non|plus|pas) attribue|hors service|\bh\.?s\b|invalide|incorrect"
            r"|n'existe (?:plus|pas)|pas le bon|resilie"
        ),
        NumberReason.MARKED_WRONG,
    ),
    (
        re.compile(r"\banciens?\b|\banciennes?\b|\bex\b|n'est plus|\bperimes?\b|\bobsoletes?\b|\bavant :"),
        NumberReason.MARKED_OLD,
    ),
)
_OF_ALL = re.compile(
    r"ne (?:pas|plus) (?:r?appeler|contacter|joindre|utiliser)\s*:"
    r"|\b(?:faux|mauvais|anciens) (?:numeros|tels?|telephones)\b"
)
"""Words before the first number that speak of every number of the cell."""
_REPLACED = re.compile(r"^\W*(?:remplace(?:e)? par|devenu|=>|->|\u2192|\u21d2|>)")
"""Words between two numbers that make the first one the former number."""


_DASHES = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212), "-")


def clean_cell(text: str) -> str:
    """Text without controls, zero-width and bidirectional marks, every kind of space made plain."""
    if text.isascii() and text.isprintable():
        return text.strip()
    normal = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return "".join(
        _plain_character(c)
        for c in normal
        if c in "\n\t\r" or unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cn"}
    ).strip()


def _plain_character(c: str) -> str:
    if c.isascii() or not c.isdecimal():
        return " " if c.isspace() and c != "\n" else c
    return str(unicodedata.decimal(c))


def plain_words(text: str) -> str:
    """Lower case without accents, for comparing words."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def split_cell(text: str) -> list[Piece]:
    """The number-like pieces of a cell, in order, each with its label and remark; [] when it says "none"."""
    cell = _without_list_marks(clean_cell(text))
    if not cell or _says_nothing(cell):
        return []
    found = _with_stray_digits(cell, [match.span() for match in _SHAPES.finditer(cell)])
    if not found:
        return _pieces_without_shape(cell)
    pieces: list[Piece] = []
    opening = cell[: found[0][0]]
    of_all = opening if _OF_ALL.search(plain_words(opening)) else ""
    before = _BREAKS.split(opening)[-1]
    for (start, end), following in zip(found, [*found[1:], None], strict=True):
        gap = cell[end : following[0] if following else len(cell)]
        after, next_before = _share(gap, bool(before.strip(_PADDING))) if following else (gap, "")
        said = f"{before} {after}"
        if following and _REPLACED.match(plain_words(gap)):
            said, next_before = f"{said} ancien", ""
        elif of_all and of_all not in said:
            said = f"{of_all} {said}"
        pieces.append(Piece(cell[start:end], _label(before) or _label(after), _remark(said)))
        before = next_before
    return pieces + [
        piece
        for start, end in _gaps(found, len(cell))
        for piece in _pieces_without_shape(cell[start:end], minimum=6)
    ]


def _without_list_marks(cell: str) -> str:
    """The cell without "1)", "2)" before its numbers, and with the commas of "06,39,98,12,34" as points."""
    if ")" in cell:
        cell = _LIST_MARK.sub("", cell)
    return _COMMA_PAIRS.sub(lambda match: match[0].replace(",", "."), cell) if "," in cell else cell


def _gaps(found: list[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    at = 0
    for start, end in [*found, (length, length)]:
        if start > at:
            yield at, start
        at = end


def _with_stray_digits(cell: str, found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Widen a number by the lone digits that touch it: which ten of the eleven are right, nobody can tell."""
    starts = {start for start, _ in found}
    widened = []
    for start, end in found:
        after = re.compile(r"[ .\-]{0,2}(?=\d)").match(cell, end)
        if after and after.end() not in starts:
            stray = re.compile(r"\d+(?![\d:]|[ ]?[^\W\d_])").match(cell, after.end())
            end = stray.end() if stray and "e" not in cell[start:end].lower() else end
        widened.append((start, end))
    return widened


def _share(gap: str, already_labelled: bool) -> tuple[str, str]:
    """Words between two numbers: what stands before a break belongs to the first, the rest to the second."""
    broken = re.split(r"[\n\r;|,/]|\bou\b|\bet\b|\s{3,}", gap, maxsplit=1)
    if len(broken) == 2:
        return broken[0], broken[1]
    closing = gap.rfind(")")
    if closing >= 0 and gap.lstrip().startswith("("):
        return gap[: closing + 1], gap[closing + 1 :]
    if gap.rstrip().endswith(":") or already_labelled:
        return "", gap
    return gap, ""


def _pieces_without_shape(cell: str, minimum: int = 1) -> list[Piece]:
    pieces: list[Piece] = []
    for part in _BREAKS.split(cell):
        digits = "".join(c for c in part if c.isdigit())
        if len(digits) < minimum:
            continue
        if _GLUED.fullmatch(digits):
            pieces += [Piece(digits[i : i + 10]) for i in range(0, len(digits), 10)]
        else:
            number = re.sub(r"^[^\d+(]+|[^\d)]+$", "", part)
            words = part.replace(number, " ", 1) if number else part
            pieces.append(Piece(number or part.strip(), _label(words), _remark(words)))
    if not pieces and minimum == 1 and not _says_nothing(cell):
        return [Piece(cell[:80])]
    return pieces


def _says_nothing(cell: str) -> bool:
    words = plain_words(cell).strip(" .-_?/*:'()")
    return not words or _NOTHING.fullmatch(words) is not None


def _label(words: str) -> NumberLabel | None:
    plain = plain_words(words)
    return next((label for pattern, label in _LABELS if pattern.search(plain)), None)


def _remark(words: str) -> str | None:
    kept = re.sub(r"\s+", " ", words).strip(_PADDING)
    return kept[:80] or None


def mark_of(remark: str | None) -> NumberReason | None:
    """Why the list itself says not to call the number that these words stand beside."""
    if not remark:
        return None
    plain = plain_words(remark).replace("\u2019", "'")
    return next((reason for pattern, reason in _MARKS if pattern.search(plain)), None)
