"""Corpus: encodings and text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from random import Random

from tests.intake.corpus.making import delimited, someone, table
from tests.intake.corpus.registry import Expected, Family, Person, case

BERENGER = Person(
    family_name="BÉRENGER",
    first_name="Éloïse",
    birth_date="2008-02-14",
    callable=("+33639981234", "+33639985678"),
    owners={"+33639981234": "young_person", "+33639985678": "guardian"},
)
LEBOEUF = Person(
    family_name="LEBŒUF-HÉNAÏ",
    first_name="Françoise",
    birth_date="2007-11-30",
    callable=("+33639980011", "+33639980022"),
)
BOTH = (BERENGER, LEBOEUF)


def berenger(random: Random) -> dict[str, str]:
    """The one person of most files of these families."""
    return someone(
        random, nom="BÉRENGER", prenom="Éloïse", ne="14/02/2008", tel="0639981234", resp="0639985678"
    )


def leboeuf(random: Random) -> dict[str, str]:
    """Another, whose name has a ligature and a cedilla."""
    return someone(
        random, nom="LEBŒUF-HÉNAÏ", prenom="Françoise", ne="30/11/2007", tel="0639980011", resp="0639980022"
    )


def text_of(*people: Callable[[Random], dict[str, str]], random: Random) -> str:
    """A list of people as text."""
    return delimited(table([one(random) for one in people])).decode()


def _plain(random: Random) -> str:
    return text_of(berenger, leboeuf, random=random)


def _add(
    name: str, about: str, build: Callable[[str], bytes], people: tuple[Person, ...] = BOTH, **read: str
) -> None:
    notes = (read.pop("note"),) if "note" in read else ()
    case(
        f"text-{name}",
        Family.TEXT,
        lambda random: build(_plain(random)),
        Expected(people=people, read=read, notes=notes, rows={"2": "created", "3": "created"}),
        about=about,
    )


def _without_ligature(text: str) -> str:
    return text.replace("Œ", "OE")


_PLAIN_LIGATURE = (
    BERENGER,
    Person(family_name="LEBOEUF-HÉNAÏ", first_name="Françoise", birth_date="2007-11-30"),
)

_add("utf8", "UTF-8", lambda text: text.encode(), encoding="utf-8")
_add(
    "utf8-mark",
    "UTF-8 with its mark, as Excel writes it",
    lambda text: text.encode("utf-8-sig"),
    encoding="utf-8-sig",
)
_add("cp1252", "Windows-1252, as Excel writes CSV", lambda text: text.encode("cp1252"), encoding="cp1252")
_add(
    "latin9",
    "Latin-9, whose œ is another byte",
    lambda text: text.encode("iso8859-15"),
    encoding="iso8859-15",
)
_add("mac", "Mac Roman", lambda text: text.encode("mac_roman"), encoding="mac_roman")
_add(
    "cp850",
    "DOS code page 850, which has no œ",
    lambda text: _without_ligature(text).encode("cp850"),
    _PLAIN_LIGATURE,
    encoding="cp850",
)
_add(
    "cp437",
    "DOS code page 437, which has neither œ nor Ï",
    lambda text: _without_ligature(text).replace("Ï", "ï").encode("cp437"),
    (BERENGER, Person(family_name="LEBOEUF-HÉNAï", first_name="Françoise", birth_date="2007-11-30")),
)
_add(
    "utf16",
    "UTF-16 with its mark, Excel's “Unicode text”",
    lambda text: text.encode("utf-16"),
    encoding="utf-16",
)
_add(
    "utf16-be",
    "UTF-16 the other way round",
    lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    encoding="utf-16",
)
_add("utf16-no-mark", "UTF-16 without its mark", lambda text: text.encode("utf-16-le"), encoding="utf-16")
_add(
    "twice",
    "UTF-8 that was read as Windows-1252 and written again",
    lambda text: _mistaken(text).encode(),
    note="text_repaired",
)
_add(
    "thrice",
    "the same, twice over",
    lambda text: _mistaken(_mistaken(text)).encode(),
    note="text_repaired",
)
_add(
    "twice-mac",
    "UTF-8 that was read as Mac Roman",
    lambda text: text.encode().decode("mac_roman").encode(),
    note="text_repaired",
)
_add(
    "twice-dos",
    "UTF-8 that was read as code page 850",
    lambda text: text.encode().decode("cp850").encode(),
    note="text_repaired",
)


def _mistaken(text: str) -> str:
    return "".join(
        bytes([byte]).decode("cp1252", "replace") if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else chr(byte)
        for byte in text.encode()
    )


def _pasted(first: str, second: str) -> Callable[[Random], bytes]:
    def build(random: Random) -> bytes:
        head, one, two = table([berenger(random), leboeuf(random)])
        more = [someone(random) for _ in range(3)]
        upper = delimited([head, one], encoding=first)
        lower = delimited([two, *table(more)[1:]], encoding=second)
        return upper + lower

    return build


case(
    "text-pasted-utf8-cp1252",
    Family.TEXT,
    _pasted("utf-8", "cp1252"),
    Expected(
        notes=("mixed_encodings",),
        others="created",
        has=BOTH,
        read={"encoding": "utf-8"},
    ),
    about="two lists pasted together, UTF-8 above Windows-1252",
)


def _pasted_dos(random: Random) -> bytes:
    upper = table([someone(random, nom="BÉRÉNICE", prenom="Anaïs") for _ in range(6)])
    lower = table([berenger(random)])[1:]
    return delimited(upper, encoding="cp1252") + delimited(lower, encoding="cp850")


case(
    "text-pasted-cp1252-cp850",
    Family.TEXT,
    _pasted_dos,
    Expected(notes=("mixed_encodings",), rows={"8": "created"}, others="created", has=(BERENGER,)),
    about="two lists pasted together, Windows-1252 above DOS",
)


def _nul(random: Random) -> bytes:
    return _plain(random).replace("Éloïse", "Élo\x00ïse").replace("BÉRENGER", "BÉREN\x00GER").encode()


case(
    "text-nul",
    Family.TEXT,
    _nul,
    Expected(people=BOTH, notes=("controls_removed",), others="created"),
    about="NUL bytes inside names",
)
case(
    "text-nul-padding",
    Family.TEXT,
    lambda random: _plain(random).encode("cp1252") + b"\x00" * 700 + b"\x1a",
    Expected(people=BOTH, others="created"),
    about="padded with NUL bytes, DOS end-of-file mark",
)
case(
    "text-decomposed",
    Family.TEXT,
    lambda random: unicodedata.normalize("NFD", _plain(random)).encode(),
    Expected(people=BOTH, others="created"),
    about="accents written as two characters, as a Mac does",
)
case(
    "text-entities",
    Family.TEXT,
    lambda random: (
        _plain(random)
        .replace("É", "&Eacute;")
        .replace("ï", "&iuml;")
        .replace("ç", "&#231;")
        .replace("Œ", "&OElig;")
        .encode()
    ),
    Expected(people=BOTH, notes=("text_repaired",), others="created"),
    about="accents written as HTML entities, whose semicolons are the delimiter too",
)
case(
    "text-invisible",
    Family.TEXT,
    lambda random: (
        _plain(random)
        .replace("Éloïse", "\u200bÉloïse\u200e")
        .replace("0639981234", "\u202d0639981234\u202c")
        .encode()
    ),
    Expected(people=BOTH, notes=("controls_removed",), others="created"),
    about="zero-width and bidirectional marks around a name and a number, as copied from a web page",
)
case(
    "text-lost-letters",
    Family.TEXT,
    lambda random: delimited(table([someone(random, nom="B\ufffdRENGER", prenom="\ufffdlo\ufffdse")])),
    Expected(rows={"2": ("created", "text_damaged")}, notes=("text_damaged",)),
    about="letters already lost before the file came: said, nothing invented",
)
case(
    "text-cut-character",
    Family.TEXT,
    lambda random: delimited(table([berenger(random), someone(random, psad="PSAD Étang de Berré")])).rstrip()[
        :-1
    ],
    Expected(rows={"2": "created", "3": "created"}, notes=("cut_short",)),
    about="UTF-8 cut in the middle of its last character",
)
case(
    "text-mark-lies",
    Family.TEXT,
    lambda random: b"\xef\xbb\xbf" + _plain(random).encode("cp1252"),
    Expected(people=BOTH, read={"encoding": "cp1252"}, others="created"),
    about="the mark of UTF-8 before Windows-1252",
)
case(
    "text-ascii",
    Family.TEXT,
    lambda random: delimited(table([someone(random, nom="DUPONT", prenom="Lea")])).replace(
        "é".encode(), b"e"
    ),
    Expected(others="created"),
    about="no accent at all",
)
