"""Telephone numbers: find them in a cell, parse to E.164, judge, mask, display, search.

The only importer of `phonenumbers`. Its metadata runs behind the French numbering plan, so it classifies
numbers but does not decide alone that a young person cannot be reached: a French number of possible length is
callable unless a rule below refuses it (dummy, premium, special, machine, marked as wrong).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType


class NumberKind(StrEnum):
    """What sort of line a number is."""

    MOBILE = "mobile"
    FIXED = "fixed"
    VOIP = "voip"
    PREMIUM = "premium"
    SPECIAL = "special"
    UNKNOWN = "unknown"


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


@dataclass(frozen=True, slots=True)
class ParsedNumber:
    """A piece judged: `e164` is None when no number can be told with certainty."""

    raw: str
    e164: str | None
    kind: NumberKind
    country: str | None
    callable: bool
    why: NumberReason
    label: NumberLabel | None = None


@dataclass(frozen=True, slots=True)
class NumberSearch:
    """What to look for when somebody types a number: exact E.164 forms, else how it begins or ends."""

    exact: tuple[str, ...] = ()
    starts_with: str | None = None
    ends_with: str | None = None


# Blocks that ARCEP keeps for fiction (decision 2022-1583): well-formed, and nobody can be reached by them.
FICTION_BLOCKS = frozenset({"19900", "26191", "35301", "46571", "53649", "63998"})
OVERSEAS_BY_POSTAL_PREFIX = {
    "971": "GP",
    "972": "MQ",
    "973": "GF",
    "974": "RE",
    "975": "PM",
    "976": "YT",
    "986": "WF",
    "987": "PF",
    "988": "NC",
}
# Tried in this order when a ten-digit number is not valid in mainland France.
_OVERSEAS_TEN_DIGITS = ("RE", "YT", "GP", "MQ", "GF")
_SEARCH_MINIMUM = 4


def region_of_postal_code(postal_code: str | None) -> str:
    """The numbering region of a French postal code: an overseas one, or FR."""
    return OVERSEAS_BY_POSTAL_PREFIX.get((postal_code or "")[:3], "FR")


# ---- reading a cell

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
_PLAIN = re.compile(r"(?:0|\+33|0033)[1-9](?:[ .\-]?\d\d){4}")
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


# ---- judging one number

_SEPARATORS = {ord(c): None for c in " .-/_()\t\u00a0"}
_TYPES_IN_ORDER = (
    ("premium_rate", NumberKind.PREMIUM),
    ("toll_free", NumberKind.SPECIAL),
    ("shared_cost", NumberKind.PREMIUM),
    ("voip", NumberKind.VOIP),
    ("personal_number", NumberKind.SPECIAL),
    ("pager", NumberKind.SPECIAL),
    ("uan", NumberKind.SPECIAL),
    ("voicemail", NumberKind.SPECIAL),
    ("fixed_line", NumberKind.FIXED),
    ("mobile", NumberKind.MOBILE),
)
_LIBRARY_KINDS = {
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberKind.FIXED,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.MOBILE,
    PhoneNumberType.VOIP: NumberKind.VOIP,
    PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM,
    PhoneNumberType.SHARED_COST: NumberKind.PREMIUM,
    PhoneNumberType.UNKNOWN: NumberKind.UNKNOWN,
}
_ORDINARY = frozenset({NumberKind.MOBILE, NumberKind.FIXED, NumberKind.VOIP})


def _french_pattern() -> tuple[re.Pattern[str], dict[str, NumberKind]]:
    """One alternation of the library's own type patterns for France, in the library's order of precedence."""
    metadata = PhoneMetadata.metadata_for_region("FR")
    if metadata is None:
        raise LookupError("phonenumbers holds no metadata for France")
    parts = []
    for name, _ in _TYPES_IN_ORDER:
        description = getattr(metadata, name)
        if description is not None and description.national_number_pattern:
            parts.append(f"(?P<{name}>{description.national_number_pattern})")
    return re.compile(rf"(?:{'|'.join(parts)})\Z"), dict(_TYPES_IN_ORDER)


_FRENCH, _KIND_OF_GROUP = _french_pattern()


def french_kind(national: str) -> NumberKind | None:
    """The library's type for nine French digits, ten times faster than asking it; None when it is invalid."""
    match = _FRENCH.match(national)
    return _KIND_OF_GROUP[match.lastgroup] if match and match.lastgroup else None


def parse(piece: Piece | str, region: str = "FR") -> ParsedNumber:
    """Judge one piece; `region` (of the postal code) decides between mainland and overseas. Never raises."""
    if isinstance(piece, str):
        piece = Piece(piece)
    raw = piece.text
    compact = clean_cell(raw).translate(_SEPARATORS)
    mark = _mark(piece.remark)
    number = _judge(compact, raw, region, piece.label)
    if mark is not None and number.callable:
        return ParsedNumber(raw, number.e164, number.kind, number.country, False, mark, piece.label)
    return number


def plain_number(text: str) -> tuple[str, NumberKind] | None:
    """E.164 and kind of ten plain digits that nothing bars, the bulk of any list; None for all that needs a look."""
    if len(text) != 10 or text[0] != "0" or not text.isdecimal() or not text.isascii():
        return None
    national = text[1:]
    if national[:5] in FICTION_BLOCKS:
        return f"+33{national}", NumberKind.MOBILE if national[0] in "67" else NumberKind.FIXED
    if national[:3] in _OVERSEAS_PREFIXES or national.endswith("00000") or _is_dummy(national):
        return None
    kind = french_kind(national)
    return (f"+33{national}", kind) if kind in _ORDINARY and kind is not None else None


def read_cell(text: str, region: str = "FR") -> list[ParsedNumber]:
    """Every number of a cell, judged; the common case of one plain number takes a short way."""
    if _PLAIN.fullmatch(text):
        return [_judge(text.translate(_SEPARATORS), text, region, None)]
    return [parse(piece, region) for piece in split_cell(text)]


def _mark(remark: str | None) -> NumberReason | None:
    if not remark:
        return None
    plain = plain_words(remark).replace("\u2019", "'")
    return next((reason for pattern, reason in _MARKS if pattern.search(plain)), None)


def _refused(
    raw: str, why: NumberReason, label: NumberLabel | None, kind: NumberKind = NumberKind.UNKNOWN
) -> ParsedNumber:
    return ParsedNumber(raw, None, kind, None, False, why, label)


_FRACTION = re.compile(r"[1-9]\d*[.,]\d+")
"""A number of a spreadsheet that has become a fraction: no telephone is written with one point and no zero."""
_OVERSEAS_WITHOUT_PLUS = re.compile(r"(262|590|594|596|508)0?([1-9]\d{8}|(?<=508)\d{6})")
_FORMER_MAYOTTE = re.compile(r"(?:\+|00)2690?((?:269|639)\d{6})")
"""Mayotte had +269 until 2007; the Comoros, which have it now, have shorter numbers."""
_NATIONAL = re.compile(r"(?:\+33|0033|33(?=0?[1-9]\d{8}\Z)|0|)0?([1-9]\d{8})\Z")


def _judge(compact: str, raw: str, region: str, label: NumberLabel | None) -> ParsedNumber:
    match = _NATIONAL.match(compact)
    if match:
        if ("." in raw or "," in raw) and _FRACTION.fullmatch(raw.strip()):
            return _refused(raw, NumberReason.ROUNDED, label)
        return _judge_french(match[1], raw, region, label)
    if not compact:
        return _refused(raw, NumberReason.EMPTY, label)
    whole = _whole_from_float(clean_cell(raw).replace(" ", ""))
    if whole is not None:
        if whole and (again := _NATIONAL.match(whole)):
            return _judge_french(again[1], raw, region, label)
        return _refused(raw, NumberReason.ROUNDED, label)
    if not re.fullmatch(r"\+?\d+", compact) or not compact.isascii():
        return _refused(raw, NumberReason.NOT_A_NUMBER, label)
    return _judge_with_code(compact, raw, label) or _refused(raw, _why_malformed(compact), label)


def _judge_with_code(compact: str, raw: str, label: NumberLabel | None) -> ParsedNumber | None:
    """A number with a country's code, or an overseas one's without its "+"; None when it has none."""
    if overseas := _OVERSEAS_WITHOUT_PLUS.fullmatch(compact):
        found = _judge_foreign(f"+{overseas[1]}{overseas[2]}", raw, label)
        if found.callable:
            return found
    if old := _FORMER_MAYOTTE.fullmatch(compact):
        return _judge_foreign(f"+262{old[1]}", raw, label)
    if compact.startswith(("+", "00")) and not compact.startswith(("+33", "0033")) and compact.strip("+0"):
        return _judge_foreign(compact, raw, label)
    return None


def _whole_from_float(text: str) -> str | None:
    """The digits of a spreadsheet float; "" when digits were rounded away; None when the text is no float."""
    plain = re.fullmatch(r"(\d{9,13})[.,]0+", text)
    if plain:
        return plain[1]
    scientific = re.fullmatch(r"(\d)[.,](\d+)[eE]\+?(\d{1,2})", text)
    if not scientific:
        return None
    lead, decimals, exponent = scientific[1], scientific[2], int(scientific[3])
    kept, lost = decimals[:exponent], decimals[exponent:]
    return lead + kept if len(kept) == exponent and not lost.strip("0") else ""


def _why_malformed(compact: str) -> NumberReason:
    digits = compact.lstrip("+")
    if len(set(digits)) == 1:
        return NumberReason.DUMMY
    if re.fullmatch(r"1[0-9]|11[0-9]|119|116\d{3}|118\d{3}|3\d{3}|10\d\d", digits):
        return NumberReason.SHORT_CODE
    if digits.startswith("0700") and len(digits) == 14:
        return NumberReason.MACHINE
    return NumberReason.TOO_SHORT if len(digits) < 10 else NumberReason.TOO_LONG


def _judge_french(national: str, raw: str, region: str, label: NumberLabel | None) -> ParsedNumber:
    if national[:5] in FICTION_BLOCKS:
        kind = NumberKind.MOBILE if national[0] in "67" else NumberKind.FIXED
        return ParsedNumber(raw, f"+33{national}", kind, "FR", True, NumberReason.FICTION_BLOCK, label)
    if _is_dummy(national):
        return _refused(raw, NumberReason.DUMMY, label)
    if national.endswith("00000"):
        return _refused(raw, NumberReason.ROUNDED, label)
    if region != "FR" and (overseas := _judge_overseas(national, raw, (region,), label)):
        return overseas
    if national[:3] in _OVERSEAS_PREFIXES:
        return _judge_by_prefix(national, raw, label)
    kind_or_none = french_kind(national)
    if kind_or_none in _ORDINARY:
        return ParsedNumber(raw, f"+33{national}", kind_or_none, "FR", True, NumberReason.VALID, label)
    if kind_or_none is NumberKind.PREMIUM or national[0] == "8":
        why = NumberReason.SPECIAL if kind_or_none is NumberKind.SPECIAL else NumberReason.PREMIUM
        return ParsedNumber(
            raw, f"+33{national}", kind_or_none or NumberKind.PREMIUM, "FR", False, why, label
        )
    if overseas := _judge_overseas(national, raw, _OVERSEAS_TEN_DIGITS, label):
        return overseas
    if national.startswith("700"):
        return _refused(raw, NumberReason.MACHINE, label, NumberKind.SPECIAL)
    kind = NumberKind.MOBILE if national[0] in "67" else NumberKind.FIXED
    return ParsedNumber(raw, f"+33{national}", kind, "FR", True, NumberReason.UNKNOWN_BLOCK, label)


_DUMMY_TAILS = frozenset({"12345678", "23456789", "98765432", "87654321", "01020304", "02030405", "11223344"})


def _is_dummy(national: str) -> bool:
    """Digits typed to fill a field: one digit repeated (but for the last), one pair repeated, or a run."""
    tail = national[1:]
    return len(set(tail[:-1])) == 1 or tail in _DUMMY_TAILS or tail == tail[:2] * 4


# The numbering plan gives these prefixes to overseas regions, whatever the library says of a block of theirs.
_OVERSEAS_PREFIXES = {
    "262": "RE", "263": "RE", "269": "YT", "508": "PM", "590": "GP", "594": "GF", "596": "MQ", "690": "GP",
    "691": "GP", "692": "RE", "693": "RE", "694": "GF", "696": "MQ", "697": "MQ",
}  # fmt: skip
_REGION_CODES = {"RE": "262", "YT": "262", "GP": "590", "GF": "594", "MQ": "596", "PM": "508"}


def _judge_by_prefix(national: str, raw: str, label: NumberLabel | None) -> ParsedNumber:
    """A number whose prefix is an overseas one: a block that the library does not know is kept, and said."""
    of_prefix = _OVERSEAS_PREFIXES[national[:3]]
    if of_prefix == "PM":  # St Pierre and Miquelon: +508 and the six digits that follow 0508
        return _judge_foreign(f"+{national}", raw, label)
    known = _judge_overseas(national, raw, (of_prefix, *_OVERSEAS_TEN_DIGITS), label)
    if known is not None:
        return known
    kind = NumberKind.MOBILE if national[0] == "6" else NumberKind.FIXED
    e164 = f"+{_REGION_CODES[of_prefix]}{national}"
    return ParsedNumber(raw, e164, kind, of_prefix, True, NumberReason.UNKNOWN_BLOCK, label)


def _judge_overseas(
    national: str, raw: str, regions: tuple[str, ...], label: NumberLabel | None
) -> ParsedNumber | None:
    for region in regions:
        found = _library_parse("0" + national, region)
        if found is not None and phonenumbers.is_valid_number(found):
            return _from_library(found, raw, label, NumberReason.VALID)
    return None


def _judge_foreign(compact: str, raw: str, label: NumberLabel | None) -> ParsedNumber:
    found = _library_parse(compact, "FR")
    if found is None or not phonenumbers.is_possible_number(found):
        return _refused(raw, NumberReason.IMPOSSIBLE, label)
    if phonenumbers.is_valid_number(found):
        return _from_library(found, raw, label, NumberReason.FOREIGN)
    country = phonenumbers.region_code_for_country_code(found.country_code or 0)
    if country in {"ZZ", "001"}:
        return _refused(raw, NumberReason.IMPOSSIBLE, label)
    e164 = phonenumbers.format_number(found, PhoneNumberFormat.E164)
    overseas = country in OVERSEAS_BY_POSTAL_PREFIX.values()
    why = NumberReason.UNKNOWN_BLOCK if overseas else NumberReason.FOREIGN
    return ParsedNumber(raw, e164, NumberKind.UNKNOWN, country, True, why, label)


def _from_library(
    found: PhoneNumber, raw: str, label: NumberLabel | None, accepted: NumberReason
) -> ParsedNumber:
    kind = _LIBRARY_KINDS.get(phonenumbers.number_type(found), NumberKind.SPECIAL)
    country = phonenumbers.region_code_for_number(found)
    e164 = phonenumbers.format_number(found, PhoneNumberFormat.E164)
    if kind is NumberKind.PREMIUM:
        return ParsedNumber(raw, e164, kind, country, False, NumberReason.PREMIUM, label)
    if kind not in _ORDINARY or country in {None, "001"}:
        return ParsedNumber(raw, e164, NumberKind.SPECIAL, country, False, NumberReason.SPECIAL, label)
    why = NumberReason.VALID if country in OVERSEAS_BY_POSTAL_PREFIX.values() else accepted
    return ParsedNumber(raw, e164, kind, country, True, why, label)


def _library_parse(text: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


# ---- showing and searching


def mask(e164: str) -> str:
    """A number for a log: country, first digit and the last two only."""
    return f"{e164[:4]}\u2026{e164[-2:]}" if len(e164) > 6 else "\u2026"


@lru_cache(maxsize=16_384)
def display(e164: str) -> str:
    """A number as people read it: French pairs "06 39 98 12 34", foreign ones with their country code."""
    if e164.startswith("+33") and len(e164) == 12:
        ten = "0" + e164[3:]
        return " ".join(ten[i : i + 2] for i in range(0, 10, 2))
    found = _library_parse(e164, "FR")
    if found is None:
        return e164
    overseas = phonenumbers.region_code_for_number(found) in OVERSEAS_BY_POSTAL_PREFIX.values()
    return phonenumbers.format_number(
        found, PhoneNumberFormat.NATIONAL if overseas else PhoneNumberFormat.INTERNATIONAL
    )


def search_keys(text: str) -> NumberSearch | None:
    """How to look up what somebody typed; None when it is not a number of four digits or more."""
    cleaned = clean_cell(text)
    if not re.fullmatch(r"\+?[\d .\-/()]+", cleaned) or not cleaned.isascii():
        return None
    compact = cleaned.translate(_SEPARATORS)
    digits = compact.lstrip("+")
    if len(digits) < _SEARCH_MINIMUM:
        return None
    national = _NATIONAL.match(compact)
    if national:
        ten = "0" + national[1]
        overseas = (_judge_overseas(national[1], ten, (r,), None) for r in _OVERSEAS_TEN_DIGITS)
        others = (number.e164 for number in overseas if number is not None and number.e164)
        return NumberSearch(exact=tuple(dict.fromkeys([f"+33{national[1]}", *others])))
    if compact.startswith(("+", "00")):
        return NumberSearch(starts_with="+" + (digits if compact[0] == "+" else digits[2:]))
    return NumberSearch(starts_with=f"+33{digits[1:]}" if digits[0] == "0" else None, ends_with=digits)
