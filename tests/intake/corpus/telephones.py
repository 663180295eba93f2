"""Corpus: telephone numbers as offices type them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from tests.intake.corpus.making import delimited, workbook
from tests.intake.corpus.registry import Expected, Family, Person, case

HEADERS = ("Nom", "Prénom", "Né(e) le", "Portable", "Tél. responsable", "CP")
FIRST, SECOND = "+33639981234", "+33639985678"
Said = tuple[str, str, Sequence[str], dict[str, str], tuple[str, ...]]
"""The two cells, what may be called, owners, reasons."""


def _family(number: int) -> str:
    return f"NOM{chr(65 + number // 26)}{chr(65 + number % 26)}"


def _cells(name: str, about: str, cells: Sequence[Said], *, postal_code: str = "13001") -> None:
    """One person for each cell; each must have exactly the numbers that its cell means."""

    def build(_random: Random) -> bytes:
        rows = [
            (_family(at), "Léa", "14/02/2008", own, guardian, postal_code)
            for at, (own, guardian, *_) in enumerate(cells)
        ]
        return delimited([HEADERS, *rows])

    people = tuple(
        Person(
            family_name=_family(at),
            first_name="Léa",
            birth_date="2008-02-14",
            callable=tuple(numbers),
            owners=owners,
        )
        for at, (_, _, numbers, owners, _) in enumerate(cells)
    )
    rows: dict[str, Any] = {str(at + 2): ("created", *said[4]) for at, said in enumerate(cells)}
    case(name, Family.TELEPHONES, build, Expected(people=people, rows=rows), about=about)


def own(cell: str, *numbers: str, owners: dict[str, str] | None = None, says: Sequence[str] = ()) -> Said:
    """A cell of the young person's column."""
    return cell, "", numbers, owners or {}, tuple(says)


def guardians(
    cell: str, *numbers: str, owners: dict[str, str] | None = None, says: Sequence[str] = ()
) -> Said:
    """A cell of the guardian's column."""
    return "", cell, numbers, owners or {}, tuple(says)


_cells(
    "phones-shapes",
    "every separator, prefix and script in which a number is typed",
    [
        own(cell, FIRST)
        for cell in (
            "0639981234", "06 39 98 12 34", "06.39.98.12.34", "06-39-98-12-34", "06/39/98/12/34", "06_39_98_12_34",
            "06,39,98,12,34", "063 998 1234", "06 399 812 34", "06–39–98–12–34", "+33639981234", "+33 (0)6 39 98 12 34",
            "0033 6 39 98 12 34", "33639981234", "tel:+33639981234", "(+33) 6 39 98 12 34", "Tél. : 06 39 98 12 34",
            "０６３９９８１２３４", '"=""0639981234"""'.strip('"'), "'0639981234", "06 39 98 12 34 (portable)",
        )
    ],
)  # fmt: skip
_cells(
    "phones-zeros-lost",
    "the zero that a spreadsheet ate, in mobile and fixed numbers",
    [
        own("639981234", FIRST),
        own("6 39 98 12 34", FIRST),
        own("465711234", "+33465711234"),
        own("639981234.0", FIRST),
    ],
)
_cells(
    "phones-scientific",
    "scientific notation that still holds every digit",
    [
        own("6.39981234E+08", FIRST),
        own("6,39981234E+8", FIRST),
        own("3.3639981234E+10", FIRST),
        own("639981234,00", FIRST),
    ],
)
_cells(
    "phones-rounded",
    "digits that a spreadsheet rounded away: a stranger's number",
    [
        own(cell, says=["number_rounded", "no_callable_number"])
        for cell in ("6.4E+08", "6,39981E+08", "3.36E+10", "640000000", "639900000", "63998123.4")
    ],
)
_cells(
    "phones-several",
    "two numbers in a cell, however they are parted",
    [
        own(cell, FIRST, SECOND)
        for cell in (
            "06 39 98 12 34 / 06 39 98 56 78", "0639981234-0639985678", "06 39 98 12 34 ou 06 39 98 56 78",
            "06 39 98 12 34 06 39 98 56 78", "06399812340639985678", "06 39 98 12 34 + 06 39 98 56 78",
            "1) 06 39 98 12 34 2) 06 39 98 56 78", "639981234 639985678", "0639981234 | 0639985678",
        )
    ],
)  # fmt: skip
_cells(
    "phones-labels",
    "words that say whose number it is",
    [
        own("mère 06 39 98 12 34", FIRST, owners={FIRST: "guardian"}),
        own("06 39 98 12 34 (père)", FIRST, owners={FIRST: "guardian"}),
        own(
            "maman: 0639981234 jeune: 0639985678",
            FIRST,
            SECOND,
            owners={FIRST: "guardian", SECOND: "young_person"},
        ),
        own("0639981234 grand-mère", FIRST, owners={FIRST: "other"}),
        own("éducateur 0639981234", FIRST, owners={FIRST: "other"}),
        own("tutrice 0639981234", FIRST, owners={FIRST: "guardian"}),
        own("0639981234", FIRST, owners={FIRST: "young_person"}),
    ],
)
_cells(
    "phones-labels-of-guardians",
    "the same in the guardian's column",
    [
        guardians("0639981234", FIRST, owners={FIRST: "guardian"}),
        guardians("élève 0639981234", FIRST, owners={FIRST: "young_person"}),
        guardians("voisine 0639981234", FIRST, owners={FIRST: "other"}),
        guardians("tante 0639981234", FIRST, owners={FIRST: "guardian"}),
    ],
)
_cells(
    "phones-remarks",
    "remarks that bar nothing",
    [
        own(cell, FIRST)
        for cell in (
            "06 39 98 12 34 après 18h", "06 39 98 12 34 18:30", "à partir de 17h30 : 06 39 98 12 34",
            "06 39 98 12 34 (ne pas laisser de message)", "ne pas appeler avant 18h 06 39 98 12 34",
            "06 39 98 12 34 poste 12", "06 39 98 12 34 ?", "0639981234 (sms uniquement)",
        )
    ],
)  # fmt: skip
_cells(
    "phones-marked",
    "numbers that the list itself says not to call",
    [
        own("06 39 98 12 34 ne pas appeler", says=["number_marked_no_call"]),
        own("faux 06 39 98 12 34", says=["number_marked_wrong"]),
        own("06 39 98 12 34 HS", says=["number_marked_wrong"]),
        own("06 39 98 12 34 n'est plus attribué", says=["number_marked_wrong"]),
        own("ne plus appeler : 06 39 98 12 34 / 06 39 98 56 78", says=["number_marked_no_call"]),
        own(
            "mère ne pas appeler 06 39 98 12 34 ; père 06 39 98 56 78", SECOND, says=["number_marked_no_call"]
        ),
    ],
)
_cells(
    "phones-old-and-new",
    "an old number and the one that replaces it",
    [
        own(cell, SECOND, says=["number_marked_old"])
        for cell in (
            "ancien 06 39 98 12 34 / nouveau 06 39 98 56 78", "06 39 98 12 34 (ancien), 06 39 98 56 78",
            "06 39 98 12 34 -> 06 39 98 56 78", "06 39 98 12 34 remplacé par 06 39 98 56 78",
            "nouveau 06 39 98 56 78 (ancien 06 39 98 12 34)",
        )
    ],
)  # fmt: skip
_cells(
    "phones-overseas",
    "overseas numbers of people who live on the mainland",
    [
        own("0692 12 34 57", "+262692123457"),
        own("0693 12 34 56", "+262693123456"),
        own("+33692123457", "+262692123457"),
        own("0262 20 12 34", "+262262201234"),
        own("0269 61 23 45", "+262269612345"),
        own("+269 639 01 23 45", "+262639012345"),
        own("0639 01 23 45", "+262639012345"),
        own("0690 12 34 57", "+590690123457"),
        own("0590 27 12 34", "+590590271234"),
        own("0594 29 12 34", "+594594291234"),
        own("0696 12 34 57", "+596696123457"),
        own("0596 50 12 34", "+596596501234"),
        own("0508 41 23 45", "+508412345"),
        own("262692123457", "+262692123457"),
    ],
)
_cells(
    "phones-overseas-by-postal-code",
    "a home in Réunion: local numbers, and a mainland mobile all the same",
    [own("0692 12 34 57", "+262692123457"), own("692123457", "+262692123457"), own("0639981234", FIRST)],
    postal_code="97400",
)
_cells(
    "phones-foreign",
    "foreign numbers, also of blocks that the library does not know",
    [
        own("+32 470 12 34 56", "+32470123456", says=["number_foreign"]),
        own("0044 7700 900123", "+447700900123", says=["number_foreign"]),
        own("00213 555 12 34 56", "+213555123456", says=["number_foreign"]),
        own("+999 12 34 56 78", says=["number_impossible"]),
        own("07700 900123", says=["number_too_long"]),
    ],
)
_cells(
    "phones-not-people",
    "premium, shared cost, free, short, machines, satellites",
    [
        own("0899 12 34 56", says=["number_premium"]),
        own("0825 12 34 56", says=["number_premium"]),
        own("0800 12 34 56", says=["number_special"]),
        own("118 218", says=["number_short_code"]),
        own("3646", says=["number_short_code"]),
        own("15", says=["number_short_code"]),
        own("0700 1234 5678 90", says=["number_machine"]),
        own("+881 6 12 34 56 78", says=["number_special"]),
    ],
)
_cells(
    "phones-dummies",
    "numbers typed to fill a field",
    [
        own(cell, says=["number_dummy"])
        for cell in (
            "0600000000", "0606060606", "0612345678", "0123456789", "0000000000", "9999999999", "06 12 12 12 12",
            "0102030405", "0600000001",
        )
    ],
)  # fmt: skip
_cells(
    "phones-incomplete",
    "too few or too many digits, never completed and never cut",
    [
        own("06 39 98", says=["number_too_short"]),
        own("06 39 98 12 3?", says=["number_too_short"]),
        own("06 39 98 xx xx", says=["number_too_short"]),
        own("06 39 98 12 34 5", says=["number_too_long"]),
        own("06 39 98 / 06 39 98 12 34", FIRST, says=["number_too_short"]),
        own("voir la mère", says=["number_not_a_number"]),
    ],
)
_cells(
    "phones-nothing",
    "the many words for no number: nobody is warned of a bad one",
    [
        own(cell, says=["no_callable_number"])
        for cell in ("", "néant", "NC", "-", "liste rouge", "pas de tel", "?", "x")
    ],
)
_cells(
    "phones-unknown-blocks",
    "fictitious blocks and blocks opened since 2023, which the library refuses",
    [
        own("06 39 98 00 00", "+33639980000"),
        own("04 65 71 00 01", "+33465710001"),
        own("01 99 00 12 34", "+33199001234"),
        own("05 36 49 12 34", "+33536491234"),
        own("07 10 11 22 34", "+33710112234", says=["number_unknown_block"]),
        own("07 21 11 22 34", "+33721112234", says=["number_unknown_block"]),
        own("0691 99 12 34", "+590691991234", says=["number_unknown_block"]),
    ],
)


def _typed_cells(_random: Random) -> bytes:
    rows: list[Sequence[object]] = [
        HEADERS,
        ("NOMAA", "Léa", "14/02/2008", 639981234, 465711234, 13001),
        ("NOMAB", "Léa", "14/02/2008", 639981234.0, "0639985678", 13001),
        ("NOMAC", "Léa", "14/02/2008", 33639981234, None, 13001),
        ("NOMAD", "Léa", "14/02/2008", 640000000, None, 13001),
    ]
    return workbook({"Liste": rows})


def _numeric(name: str, *numbers: str) -> Person:
    return Person(family_name=name, first_name="Léa", birth_date="2008-02-14", callable=numbers)


case(
    "phones-numeric-cells",
    Family.TELEPHONES,
    _typed_cells,
    Expected(
        people=(
            _numeric("NOMAA", FIRST, "+33465711234"),
            _numeric("NOMAB", FIRST, SECOND),
            _numeric("NOMAC", FIRST),
            _numeric("NOMAD"),
        ),
        rows={"2": "created", "5": ("created", "number_rounded")},
    ),
    about="a workbook that holds telephones as numbers",
    file_name="liste.xlsx",
)


SCHOOL = "04 65 71 00 00"


def _of_many(_random: Random) -> bytes:
    """Twelve people with a school's number for their guardian's, ten with a foster mother's: the first is a place's."""
    rows = [
        (
            _family(at),
            "Léa",
            "14/02/2008",
            f"06 39 98 10 {at:02}",
            "04 65 71 00 00" if at < 12 else "0465710099",
            "13001",
        )
        for at in range(22)
    ]
    return delimited([HEADERS, *rows])


case(
    "phones-of-many",
    Family.TELEPHONES,
    _of_many,
    Expected(
        rows={
            **{str(at + 2): ("created", "number_of_many") for at in range(12)},
            **{str(at + 2): "created" for at in range(12, 22)},
        },
        has=tuple(
            Person(
                family_name=_family(at),
                first_name="Léa",
                birth_date="2008-02-14",
                callable=(f"+336399810{at:02}", "+33465710000" if at < 12 else "+33465710099"),
            )
            for at in (0, 11, 12, 21)
        ),
    ),
    about="one number for twelve people, as when a school writes its own: said and kept; ten may be a family's",
)
