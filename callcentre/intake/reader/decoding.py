"""Bytes to text for French lists: which encoding, by how plausible its words look; broken accents made whole.

General detectors guess French wrongly: a byte is judged here by the word that it stands in. "BÉRENGER" with a small
letter in the middle of capitals, or a box-drawing sign between letters, tells that the encoding is another one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from io import BytesIO
from itertools import islice

from callcentre.intake.reader.content import NoteCode, Refused
from callcentre.intake.reader.words import no_text

SINGLE_BYTE = ("cp1252", "iso8859-15", "cp850", "mac_roman", "cp437")
"""Tried in this order; the first of equals wins."""
ENCODINGS = ("utf-8", "utf-16", *SINGLE_BYTE)
"""What a person may choose."""

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_APART = bytes(b if b >= 0x80 or chr(b).isalnum() else 0x20 for b in range(256))
"""Makes a space of every byte that is no part of a word."""
_PART = 1024 * 1024
_ORDINARY = bytes([9, 10, 13, *range(0x20, 0x7F), *range(0x80, 0x100)])
_HIDDEN = re.compile(
    rb"\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xa9]|\xef\xbb\xbf|\xef\xbf[\xbe\xbf]|\xc2[\x80-\x9f]"
)
_HIDING = (b"\xe2\x80", b"\xe2\x81", b"\xef\xbb", b"\xef\xbf", b"\xc2")
_LONGEST_WORD = 60
_MOST_WORDS = 50_000
_MOST_SUSPECTS = 500
_STRANGE, _PLAIN = -2.0, 1.0
"""At most so French in one encoding and at least so in another: the word may be in that other one."""
_LOOKED_AT = 20_000
_SAMPLE_LINES = 20_000
_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]"
)
_SPACING = re.compile("[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")
_ENTITY = re.compile(r"&(#\d{2,4}|[A-Za-z]{2,6}|(?:[aeiou]|[AEIOU])(?:grave|acute|circ|uml)|[cC]cedil);")
_ENTITIES = {
    "amp": "&", "apos": "'", "nbsp": " ", "deg": "°", "oelig": "œ", "OElig": "Œ", "rsquo": "’",
    "ccedil": "ç", "Ccedil": "Ç", "laquo": "«", "raquo": "»",
    **{
        f"{letter}{name}": unicodedata.normalize("NFC", letter + accent)
        for letter in "aeiouAEIOU"
        for name, accent in (("grave", "\u0300"), ("acute", "\u0301"), ("circ", "\u0302"), ("uml", "\u0308"))
    },
}  # fmt: skip
_WEIGHTS = {
    **dict.fromkeys("éÉ", 3.0),
    **dict.fromkeys("èçïëàÈÇÏË", 2.0),
    **dict.fromkeys("êôîâûÀÊÔÎÂÛ’", 1.5),
    **dict.fromkeys("ùüöœæÙÜÖŒÆ«»…–—°€", 1.0),
    **dict.fromkeys("äáíóúñãåòìõýÿÄÁÍÓÚÑÃÅ“”‘ºª•²\u00a0\u202f", 0.3),
}


@dataclass(frozen=True)
class Decoding:
    """How the lines of a text are decoded; `content` is the text without its mark, in a line-by-line encoding."""

    content: bytes
    codec: str
    said: str
    """The encoding as it is told to people."""
    why: str
    utf8_first: bool = False
    """Lines are tried as UTF-8 before `codec`: the file was pasted together."""
    others: tuple[str, ...] = ()
    """Encodings in which single lines may be, when theirs makes no sense in `codec`."""
    suspects: re.Pattern[bytes] | None = None
    """The words that make no sense in `codec`."""
    repairs: bool = False
    """Whether twice-encoded accents occur."""
    cut: bool = False
    """Whether the last character was cut in two."""

    @cached_property
    def may_hold_controls(self) -> bool:
        """Whether it is worth while to look for controls and marks without width, line by line."""
        if self.content.translate(None, _ORDINARY):
            return True
        if self._holds_utf8:
            return any(mark in self.content for mark in _HIDING) and _HIDDEN.search(self.content) is not None
        return self.codec == "iso8859-15"

    @cached_property
    def may_be_decomposed(self) -> bool:
        """Whether accents may be characters of their own."""
        leads = (b"\xcc", b"\xcd")
        return self._holds_utf8 and any(lead in self.content for lead in leads)

    @property
    def _holds_utf8(self) -> bool:
        return self.utf8_first or self.codec == "utf-8"

    def line(self, raw: bytes) -> tuple[str, NoteCode | None]:
        """A line as composed text, and what had to be done about it."""
        if raw.isascii():
            text, said = raw.decode("ascii"), None
        else:
            text, said = self._decoded(raw)
            if self.may_be_decomposed:
                text = unicodedata.normalize("NFC", text)
        if "&" in text:
            text, said = _without_entities(text, said)
        return text, said

    def _decoded(self, raw: bytes) -> tuple[str, NoteCode | None]:
        codec, said = self.codec, None
        if self.utf8_first:
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                text, said = raw.decode(codec, "replace"), NoteCode.MIXED_ENCODINGS
        elif self.suspects is not None and self.suspects.search(raw) and score(words_of(raw), codec) < 0:
            best = max((codec, *self.others), key=lambda one: score(words_of(raw), one))
            text, said = raw.decode(best, "replace"), None if best == codec else NoteCode.MIXED_ENCODINGS
        else:
            text = raw.decode(codec, "replace")
        if self.repairs or self.utf8_first:
            repaired = repair(text)
            if repaired != text:
                text, said = repaired, NoteCode.TEXT_REPAIRED
        if "\ufffd" in text:
            said = NoteCode.TEXT_DAMAGED
        return text, said


def without_controls(text: str) -> str:
    """Text without NUL, controls, zero-width and bidirectional marks; old separators become spaces."""
    return _CONTROLS.sub("", _SPACING.sub(" ", text))


def has_controls(text: str) -> bool:
    """Whether there is something to remove."""
    return _CONTROLS.search(text) is not None


def decoding(content: bytes, chosen: str | None = None) -> Decoding:
    """How to decode a text; raises Refused when it is no text at all."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            if chosen is None or chosen == encoding.removesuffix("-sig"):
                return _marked(content, len(mark), encoding)
            content = content[len(mark) :]
            break
    if chosen is not None:
        return _chosen(content, chosen)
    wide = _wide(content)
    if wide is not None:
        return _wide_text(content, wide, "utf-16", "guessed")
    return _unmarked(content)


def _marked(content: bytes, length: int, encoding: str) -> Decoding:
    if encoding != "utf-8-sig":
        return _wide_text(content, encoding, encoding, "mark")
    found = _unmarked(content[length:])
    if found.utf8_first or found.codec == "utf-8":
        return replace(found, said="utf-8-sig", why="mark")
    return found


def _chosen(content: bytes, encoding: str) -> Decoding:
    if encoding == "utf-16":
        return _wide_text(content, _wide(content) or "utf-16-le", "utf-16", "chosen")
    return Decoding(content, encoding, encoding, "chosen", repairs=encoding == "utf-8" and _twice(content))


def _wide(content: bytes) -> str | None:
    """UTF-16 without its mark: every other byte of what is mostly ASCII is NUL."""
    sample = content[:4000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) < 0.3 * len(sample) / 2 or min(even, odd) > 0.1 * max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _wide_text(content: bytes, codec: str, said: str, why: str) -> Decoding:
    text = content.decode(codec, "replace")
    cut = text.endswith("\ufffd")
    text = text.removesuffix("\ufffd")
    sample = text[:20_000]
    if sum(c > "\u2fff" for c in sample) > 0.1 * len(sample):
        raise Refused(no_text())
    plain = text.encode("utf-8", "replace")
    return Decoding(plain, "utf-8", said, why, repairs=_twice(plain), cut=cut)


def _unmarked(content: bytes) -> Decoding:
    wrong_at = _not_utf8_at(content)
    if wrong_at is None:
        return Decoding(content, "utf-8", "utf-8", "valid", repairs=_twice(content))
    if 0 < len(content) - 3 <= wrong_at and not content[:wrong_at].isascii():
        return Decoding(content[:wrong_at], "utf-8", "utf-8", "valid", repairs=_twice(content), cut=True)
    if any(lead in content for lead in (b"\xc3", b"\xe2\x80")) and _utf8_lines(content):
        lines = (line for line in BytesIO(content) if not line.isascii() and not _is_utf8(line))
        codec, _ = _most_plausible(b"".join(islice(lines, _SAMPLE_LINES)))
        return Decoding(content, codec, "utf-8", "guessed", utf8_first=True)
    codec, strange = _most_plausible(content)
    others = tuple(one for one in SINGLE_BYTE if one in set(strange.values()))
    return Decoding(content, codec, codec, "guessed", others=others, suspects=_suspects(strange))


def _not_utf8_at(content: bytes) -> int | None:
    """Where UTF-8 ends to be UTF-8, looked for part by part; None when all of it is."""
    at, stream = 0, BytesIO(content)
    while lines := stream.readlines(_PART):
        part = b"".join(lines)
        try:
            part.decode("utf-8")
        except UnicodeDecodeError as error:
            return at + error.start
        at += len(part)
    return None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _utf8_lines(content: bytes) -> bool:
    return any(not line.isascii() and _is_utf8(line) for line in BytesIO(content))


def _most_plausible(content: bytes) -> tuple[str, dict[bytes, str]]:
    """The encoding in which the words look most French; words that do not, with theirs."""
    counted = words_of(content)
    codec = max(SINGLE_BYTE, key=lambda one: score(counted, one))
    strange: dict[bytes, str] = {}
    for word in counted:
        if word_score(word, codec) <= _STRANGE:
            other = max(SINGLE_BYTE, key=lambda one: word_score(word, one))
            if word_score(word, other) >= _PLAIN:
                strange[word] = other
    return codec, strange


def _suspects(words: Mapping[bytes, str]) -> re.Pattern[bytes] | None:
    return re.compile(b"|".join(re.escape(word) for word in islice(words, _MOST_SUSPECTS))) if words else None


def words_of(content: bytes) -> Mapping[bytes, int]:
    """The words that hold a byte outside ASCII, with in how many parts of the text; not all of very many."""
    counted: dict[bytes, int] = {}
    stream = BytesIO(content)
    while lines := stream.readlines(_PART):
        for word in set(b"".join(lines).translate(_APART).split()):
            if not word.isascii():
                counted[word[:_LONGEST_WORD]] = counted.get(word[:_LONGEST_WORD], 0) + 1
        if len(counted) >= _MOST_WORDS:
            break
    return counted


def score(counted: Mapping[bytes, int], codec: str) -> float:
    """How French some words look in an encoding; frequent ones count a little more."""
    return sum(min(count, 5) * word_score(word, codec) for word, count in counted.items())


@lru_cache(maxsize=32_768)
def word_score(word: bytes, codec: str) -> float:
    """How plausible one word is in an encoding; below zero, it is not."""
    text = word.decode(codec, "replace")
    return sum(_character_score(text, at) for at, character in enumerate(text) if character > "\x7f")


def _character_score(text: str, at: int) -> float:
    character = text[at]
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    weight = _WEIGHTS.get(character)
    if weight is None:
        if character == "\ufffd" or "\x80" <= character < "\xa0":
            return -6.0
        return -1.5 if character.isalpha() else -4.0
    if not character.isalpha():
        return weight if not (before.isalpha() and after.isalpha()) or character in "’\u00a0" else -2.0
    if character.islower():
        among_capitals = (before.isupper() and (after.isupper() or (at > 1 and text[at - 2].isupper()))) or (
            not before and len(after) == 1 and after.isupper()
        )
        return -3.0 if among_capitals else weight
    return -3.0 if before.islower() or (before.isdigit() and after.islower()) else weight


# ---- accents that were encoded twice

_LEADS = {0xC2: 1, 0xC3: 1, 0xC5: 1, 0xE2: 2}
_WRONG = ("cp1252", "mac_roman", "cp850")
_TWICE = re.compile("[ÃÂÅâ√┬├┼¬]")
_TWICE_BYTES = tuple("Ã Â Å â √ ├ ┬ ┼ ¬".encode().split())
_PLAUSIBLE = frozenset("«»°’‘“”–—…€œŒŸ\u00a0ºª²·ñÑãáíóúõÃÁÍÓÚ") | frozenset("àâäçèéêëîïôöùûüÿÀÂÄÇÈÉÊËÎÏÔÖÙÛÜ")


def _bytes_by_character(codec: str) -> dict[str, int]:
    found = {}
    for byte in range(0x80, 0x100):
        character = bytes([byte]).decode(codec, "replace")
        found[chr(byte) if character == "\ufffd" else character] = byte
    if codec == "cp1252":
        found |= {chr(byte): byte for byte in range(0x80, 0xA0)}
    return found


def _pattern(table: Mapping[str, int]) -> re.Pattern[str]:
    by_byte: dict[int, list[str]] = {}
    for character, byte in table.items():
        by_byte.setdefault(byte, []).append(character)
    follow = "".join(re.escape(c) for byte in range(0x80, 0xC0) for c in by_byte.get(byte, ()))
    parts = [
        f"[{''.join(re.escape(c) for c in by_byte[lead])}][{follow}]{{{count}}}"
        for lead, count in _LEADS.items()
    ]
    return re.compile("|".join(parts))


_TABLES = {codec: _bytes_by_character(codec) for codec in _WRONG}
_PATTERNS = {codec: _pattern(table) for codec, table in _TABLES.items()}
_RUNS = {codec: re.compile(f"[{''.join(map(re.escape, table))}]{{2,}}") for codec, table in _TABLES.items()}


def _twice(content: bytes) -> bool:
    return any(mark in content for mark in _TWICE_BYTES)


def repair(text: str) -> str:
    """Text in which UTF-8 that was read as something else, up to three times over, is UTF-8 again."""
    if _TWICE.search(text) is None:
        return text
    before = text
    for codec in _WRONG:
        text = _RUNS[codec].sub(lambda run, codec=codec: _unread(run[0], codec), text)  # type: ignore[misc]
        text = _PATTERNS[codec].sub(lambda pair, codec=codec: _unread(pair[0], codec), text)  # type: ignore[misc]
    # A non-breaking space, the second half of a broken "à", is often made a plain one on the way.
    return text if text == before else re.sub(r"Ã (?=\w)", "à ", text)


def _unread(characters: str, codec: str) -> str:
    """What was meant by characters that were read in the wrong encoding; themselves if that makes no sense."""
    text = characters
    for _ in range(3):
        try:
            text = bytes(_TABLES[codec][c] for c in text).decode("utf-8")
        except (UnicodeDecodeError, KeyError):
            break
        if _PLAUSIBLE.issuperset(text):
            return text
    return characters


def _without_entities(text: str, said: NoteCode | None) -> tuple[str, NoteCode | None]:
    def plain(found: re.Match[str]) -> str:
        name = found[1]
        if name.startswith("#"):
            character = chr(int(name[1:]))
            return character if character.isalpha() or character in "'’ °" else found[0]
        return _ENTITIES.get(name, found[0])

    replaced = _ENTITY.sub(plain, text)
    return replaced, said if replaced == text else said or NoteCode.TEXT_REPAIRED


def control_share(lines: Iterable[str]) -> float:
    """Which part of a text is controls: binary content shows by it."""
    controls = total = 0
    for line in lines:
        line = line[:_LOOKED_AT]
        total += len(line)
        controls += sum(c < " " and c not in "\t\r\n\f\v\x00" for c in line)
        if total > _LOOKED_AT:
            break
    return controls / max(1, total)
