"""Telephone numbers: find them in a cell, parse to E.164, judge, mask, display, search.

The only importer of `phonenumbers`. Its metadata runs behind the French numbering plan, so it classifies
numbers but does not decide alone that a young person cannot be reached: a French number of possible length is
callable unless a rule below refuses it (dummy, premium, special, machine, marked as wrong).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from callcentre.phone.cells import (
    NumberLabel,
    NumberReason,
    Piece,
    clean_cell,
    mark_of,
    plain_words,
    split_cell,
)

__all__ = [
    "FICTION_BLOCKS", "OVERSEAS_BY_POSTAL_PREFIX", "NumberKind", "NumberLabel", "NumberReason", "NumberSearch",
    "ParsedNumber", "Piece", "clean_cell", "display", "french_kind", "mask", "parse", "plain_number", "plain_words",
    "read_cell", "region_of_postal_code", "search_keys", "split_cell",
]  # fmt: skip


class NumberKind(StrEnum):
    """What sort of line a number is."""

    MOBILE = "mobile"
    FIXED = "fixed"
    VOIP = "voip"
    PREMIUM = "premium"
    SPECIAL = "special"
    UNKNOWN = "unknown"


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


# ---- judging one number

_PLAIN = re.compile(r"(?:0|\+33|0033)[1-9](?:[ .\-]?\d\d){4}")
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
    mark = mark_of(piece.remark)
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
