"""Corpus: how the rows of a text file are laid out."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.intake.corpus.making import HEADERS, delimited, someone, table
from tests.intake.corpus.registry import Expected, Family, Person, case
from tests.intake.corpus.text import BERENGER, BOTH, berenger, leboeuf

Rows = list[list[str]]
ADDRESSED = (
    "INE",
    "Nom",
    "Prénom",
    "Né(e) le",
    "Adresse",
    "CP",
    "Commune",
    "Portable",
    "Tél. responsable",
    "PSAD",
)


def two(random: Random) -> Rows:
    """A header and two people."""
    return table([berenger(random), leboeuf(random)])


def _addressed(random: Random, *addresses: str) -> Rows:
    people = [{**someone(random), "Adresse": text, "Commune": "MARSEILLE 01"} for text in addresses]
    people[0] |= {**berenger(random), "Adresse": addresses[0]}
    return table(people, ADDRESSED)


def _lines(rows: Rows) -> list[str]:
    return [";".join(row) for row in rows]


def _add(name: str, about: str, build: Callable[[Random], bytes], expected: Expected) -> None:
    case(f"structure-{name}", Family.STRUCTURE, build, expected, about=about)


ALL = Expected(people=BOTH, others="created")

# ---- delimiters

for _name, _mark in {"comma": ",", "tab": "\t", "bar": "|", "colon": ":", "caret": "^", "tilde": "~"}.items():
    _add(
        f"delimiter-{_name}",
        f"cells divided by “{_mark if _mark != chr(9) else 'tabulation'}”",
        lambda random, mark=_mark: delimited(two(random), delimiter=mark),  # type: ignore[misc]
        Expected(people=BOTH, read={"delimiter": _mark}, others="created"),
    )
_add(
    "sep-line",
    "a first line `sep=|`, with semicolons in the cells",
    lambda random: b"sep=|\r\n" + delimited(_addressed(random, "12; rue des Lilas"), delimiter="|"),
    Expected(has=(BERENGER,), read={"delimiter": "|"}, rows={"3": "created", "1": "ignored"}),
)
_add(
    "commas-in-addresses",
    "semicolons, with more commas in the addresses than semicolons",
    lambda random: delimited(
        _addressed(random, "1, rue A, bât B, esc C, porte D, appt 3, , ,", "2, rue B, , , , , ,")
    ),
    Expected(has=(BERENGER,), read={"delimiter": ";"}, others="created"),
)
_add(
    "every-cell-quoted",
    "every cell in quotation marks, as LibreOffice can write it",
    lambda random: delimited(two(random), quoted=True),
    ALL,
)
_add(
    "every-line-quoted",
    "every line wrapped in quotation marks: a CSV opened as one column and saved again",
    lambda random: "".join(
        '"' + line.replace('"', '""') + '"\r\n'
        for line in _lines(_addressed(random, 'dit "le Vieux"', "rue B"))
    ).encode(),
    Expected(has=(BERENGER,), notes=("wrapped_lines",), others="created"),
)

# ---- line ends, quotes

_add("mac-line-ends", "old Mac line ends", lambda random: delimited(two(random), newline="\r"), ALL)
_add(
    "mixed-line-ends",
    "Windows, Unix and old Mac line ends in one file",
    lambda random: (
        "\r\n".join(_lines(two(random))[:2]).encode() + b"\r" + _lines(two(random))[2].encode() + b"\n"
    ),
    Expected(has=(BERENGER,), others="created"),
)
_add(
    "quoted-newline",
    "an address over three lines inside quotation marks",
    lambda random: delimited(_addressed(random, "Chez M. Ruiz\n12 rue des Lilas\nBât. B; porte 3", "rue B")),
    Expected(
        has=(BERENGER,),
        rows={"2": "created", "3": "created"},
        others="created",
    ),
)
_add(
    "unclosed-quote",
    "a quotation mark that is never closed, in the second of ten rows",
    lambda random: delimited(table([berenger(random), *(someone(random) for _ in range(9))])).replace(
        "Éloïse".encode(), '"Éloïse'.encode(), 1
    ),
    Expected(
        has=(BERENGER,),
        rows={"2": ("created", "unclosed_quote")},
        notes=("unclosed_quote",),
        others="created",
    ),
)
_add(
    "unclosed-quote-among-quoted",
    "a quotation mark that is never closed in a file where every cell is quoted",
    lambda random: delimited(
        table([berenger(random), *(someone(random) for _ in range(5))]), quoted=True
    ).replace('"Éloïse"'.encode(), '"Éloïse'.encode(), 1),
    Expected(has=(BERENGER,), rows={"2": ("created", "unclosed_quote")}, others="created"),
)
_add(
    "inches-and-nicknames",
    "quotation marks inside cells that nobody doubled",
    lambda random: "\n".join(_lines(_addressed(random, 'Rés. "Les Pins" 12', '5" rue B'))).encode(),
    Expected(has=(BERENGER,), others="created"),
)

# ---- ragged and shifted rows


def _many(random: Random, count: int = 12) -> Rows:
    return _addressed(random, *(f"{n + 1} rue des Lilas" for n in range(count)))


def _extra_delimiter(random: Random) -> bytes:
    lines = _lines(_many(random))
    lines[1] = lines[1].replace("1 rue des Lilas", "1 rue des Lilas;Bât. B")
    return "\r\n".join(lines).encode()


_add(
    "delimiter-in-an-address",
    "an address with a semicolon that nobody quoted: the two parts are joined",
    _extra_delimiter,
    Expected(
        has=(
            Person(
                family_name="BÉRENGER",
                first_name="Éloïse",
                birth_date="2008-02-14",
                callable=("+33639981234", "+33639985678"),
                owners={"+33639981234": "young_person", "+33639985678": "guardian"},
                values={"address": "1 rue des Lilas;Bât. B", "postal_code": "13001"},
            ),
        ),
        rows={"2": ("created", "cells_realigned")},
        notes=("cells_joined",),
        others="created",
    ),
)


_add(
    "too-many-cells",
    "a third number in a cell of its own: nobody can say whose, so the row is held for a person to look at",
    lambda random: delimited(_many(random)).replace(b"0639981234;", b"0639981234;0639981111;", 1),
    Expected(rows={"2": ("quarantined", "misplaced_cells")}, notes=("misplaced_cells",), others="created"),
)


def _missing_cell(random: Random) -> bytes:
    lines = _lines(_many(random))
    lines[1] = lines[1].replace("1 rue des Lilas;13001", "13001", 1)
    return "\r\n".join(lines).encode()


_add(
    "missing-delimiter",
    "a cell that was deleted, everything after it one column too far left: put back",
    _missing_cell,
    Expected(
        has=(
            Person(
                family_name="BÉRENGER",
                first_name="Éloïse",
                birth_date="2008-02-14",
                callable=("+33639981234", "+33639985678"),
                owners={"+33639981234": "young_person", "+33639985678": "guardian"},
                values={"postal_code": "13001", "address": None},
            ),
        ),
        rows={"2": ("created", "cells_realigned")},
        notes=("cells_moved",),
        others="created",
    ),
)
_add(
    "short-rows",
    "rows whose empty cells at the end are not written",
    lambda random: "\n".join(
        line.rstrip(";")
        for line in _lines(
            table(
                [berenger(random), {**someone(random), "PSAD": "", "CP": ""}, {**someone(random), "PSAD": ""}]
            )
        )
    ).encode(),
    Expected(has=(BERENGER,), others="created"),
)
_add(
    "delimiters-at-the-end",
    "rows with delimiters beyond the header",
    lambda random: "\n".join(
        [_lines(two(random))[0], *(f"{line};;;;" for line in _lines(two(random))[1:])]
    ).encode(),
    Expected(others="created", rows={"2": "created", "3": "created"}),
)
_add(
    "cut-short",
    "a file that stops in the middle of its last row",
    lambda random: delimited(_many(random)).rstrip()[:-40],
    Expected(notes=("cut_short",), has=(BERENGER,)),
)

# ---- titles, totals, repeated headers, blanks

_add(
    "titles-above",
    "a title, a date and two blank lines above the table",
    lambda random: (
        "Liste des jeunes à contacter;;;\nÉditée le 15/11/2026;;;\n\n\n".encode() + delimited(two(random))
    ),
    Expected(
        people=BOTH, rows={"1": "ignored", "2": "ignored", "3": "ignored", "4": "ignored"}, others="created"
    ),
)
_add(
    "totals-below",
    "a total and a signature below the table",
    lambda random: delimited(two(random)) + ";;;\nTotal;2;;\nÉdité le 15/11/2026 par le CIO;;\n".encode(),
    Expected(people=BOTH, rows={"2": "created", "3": "created", "5": "ignored", "6": "ignored"}),
)
_add(
    "header-repeated",
    "the header again after each printed page",
    lambda random: delimited([*two(random), list(HEADERS), table([someone(random)])[1]]),
    Expected(has=BOTH, rows={"4": ("ignored", "repeated_header")}, others="created"),
)
_add(
    "blank-stretches",
    "blank rows between people and thousands of them at the end",
    lambda random: delimited(
        [two(random)[0], [], [""] * 8, *two(random)[1:], *([""] * 8 for _ in range(3000))]
    ),
    Expected(
        people=None,
        rows={"2": "ignored", "3": "ignored", "4": "created", "5": "created"},
        notes=("blank_end",),
    ),
)
_add(
    "column-of-blanks-first",
    "an empty column before the table",
    lambda random: delimited([["", *row] for row in two(random)]),
    ALL,
)
_add(
    "one-person",
    "a list of one, without a line end",
    lambda random: delimited(table([berenger(random)])).rstrip(),
    Expected(people=(BERENGER,), others="created"),
)
_add(
    "header-alone",
    "a header and nobody below it",
    lambda _random: delimited([list(HEADERS)]),
    Expected(people=()),
)
