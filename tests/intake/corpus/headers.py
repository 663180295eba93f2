"""Corpus: headers, synonyms, titles over several columns, decoys, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from openpyxl import Workbook

from tests.intake.corpus.making import delimited, saved, someone, table
from tests.intake.corpus.registry import Expected, Family, Person, case

LEA = Person(family_name="MARTIN", first_name="Léa", birth_date="2008-02-14", callable=("+33639981234",))
CELLS = ("MARTIN", "Léa", "14/02/2008", "06 39 98 12 34")


def _rows(name: str, about: str, rows: Sequence[Sequence[str]], expected: Expected) -> None:
    case(name, Family.HEADERS, lambda _random: delimited(rows), expected, about=about)


def _named(name: str, about: str, headers: Sequence[str], cells: Sequence[str] = CELLS, **more: Any) -> None:
    """One person under these headers, who must come out whole."""
    expected = Expected(people=(more.pop("person", LEA),), rows={"2": "created"}, **more)
    _rows(name, about, [headers, cells], expected)


_named(
    "headers-case-accents-stars",
    "capitals without accents, stars, colons, a line break inside a header",
    ("NOM *", "PRENOM*", "DATE DE\nNAISSANCE :", "TELEPHONE\nPORTABLE"),
)
_named(
    "headers-short-forms",
    "short forms that no list of synonyms holds whole",
    ("Nom fam. élève", "Prén.", "Dt naiss.", "N° tél. port."),
)
_named(
    "headers-of-a-program",
    "column names of a data base",
    ("NOM_ELEVE", "PRENOM_ELEVE", "DATE_NAISS", "TEL_PORTABLE"),
)
_named(
    "headers-camel-case", "words glued together", ("nomEleve", "prenomEleve", "dateNaissance", "telPortable")
)
_named(
    "headers-with-instructions",
    "instructions in brackets and numbered questions of a form",
    ("1. Nom (en majuscules)", "2. Prénom (usuel)", "3. Date de naissance (jj/mm/aaaa)", "4. Tél. [mobile]"),
)
_named(
    "headers-english",
    "a list made by an English program",
    ("Last name", "First name", "Date of birth", "Mobile phone"),
)
_named(
    "headers-slip-of-the-pen", "misspelt required columns", ("Nom", "Prenon", "Date de naissence", "Portable")
)
_named(
    "headers-one-name-column", "both names under one header", ("Nom et prénom", "Né(e) le", "Tél"),
    ("MARTIN Léa", "14/02/2008", "0639981234"),
)  # fmt: skip


def _export(_random: Random) -> bytes:
    """The columns of a school software's export, most of which are not ours to keep."""
    headers = (
        "N° national", "Nom de famille", "Nom d'usage", "Prénom 1", "Prénom 2", "Sexe", "Date de naissance",
        "Nationalité", "Boursier", "Tél. personnel", "Tél. portable", "Mél", "Nom resp. légal 1",
        "Prénom resp. légal 1", "Tél maison resp légal 1", "Tel mobile resp légal1", "Mel resp légal 1",
        "Adresse resp légal 1", "Nom resp. légal 2", "Tel mobile resp légal 2", "Division", "MEF", "RNE",
        "Professeur principal", "Tél. établissement", "Observations",
    )  # fmt: skip
    cells = (
        "140727415UU", "MARTIN", "", "Léa", "Zoé", "F", "14/02/2008", "Française", "oui", "0465711111", "0639981234",
        "lea@example.org", "MARTIN", "Anne", "0465712222", "0639982222", "anne@example.org", "1 rue X", "DURAND",
        "0639983333", "2CAP", "24722106310", "0139115M", "M. PROF", "0465719999", "suivie par un juge",
    )  # fmt: skip
    return delimited([headers, cells])


case(
    "headers-school-software",
    Family.HEADERS,
    _export,
    Expected(
        people=(
            Person(
                family_name="MARTIN",
                first_name="Léa",
                birth_date="2008-02-14",
                callable=("+33465711111", "+33639981234", "+33465712222", "+33639982222", "+33639983333"),
                owners={
                    "+33465711111": "young_person",
                    "+33639981234": "young_person",
                    "+33465712222": "guardian",
                    "+33639982222": "guardian",
                    "+33639983333": "guardian",
                },
                values={
                    "email": "lea@example.org",
                    "uai": "0139115M",
                    "class_label": "2CAP",
                    "address": None,
                },
            ),
        ),
        rows={"2": "created"},
    ),
    about="export of school software: 26 columns, among them nationality, grants, the form teacher, the school's phone",
)

_TWO_LEVELS = [
    ["Élève", "", "", "", "Responsable légal 1", "", "", "Établissement", "", ""],
    ["Nom", "Prénom", "Né(e) le", "Tél", "Nom", "Prénom", "Tél", "Nom", "Tél", "UAI"],
    [*CELLS, "MARTIN", "Anne", "0639982222", "LP LES PINS", "0465719999", "0139115M"],
]
_TWO_LEVELS_GIVE = Expected(
    people=(
        Person(
            family_name="MARTIN",
            first_name="Léa",
            birth_date="2008-02-14",
            callable=("+33639981234", "+33639982222"),
            owners={"+33639981234": "young_person", "+33639982222": "guardian"},
            values={"uai": "0139115M", "school": "LP LES PINS"},
        ),
    ),
    rows={"1": "ignored", "3": "created"},
)
_rows(
    "headers-two-levels",
    "titles over several columns; the same words under each; the school's phone among them",
    _TWO_LEVELS,
    _TWO_LEVELS_GIVE,
)


def _merged(_random: Random) -> bytes:
    book = Workbook()
    page = book.worksheets[0]
    for row in _TWO_LEVELS:
        page.append(row)
    for area in ("A1:D1", "E1:G1", "H1:J1"):
        page.merge_cells(area)
    return saved(book)


case(
    "headers-two-levels-merged",
    Family.HEADERS,
    _merged,
    _TWO_LEVELS_GIVE,
    about="the same in a workbook whose titles are merged cells",
    file_name="liste.xlsx",
)


def _shuffled(random: Random) -> bytes:
    people = [someone(random, nom="MARTIN", prenom="Léa", ne="14/02/2008", tel="0639981234", resp="")]
    rows = table(people)
    order = random.sample(range(len(rows[0])), len(rows[0]))
    return delimited([[row[at] for at in order] for row in rows])


case(
    "headers-shuffled",
    Family.HEADERS,
    _shuffled,
    Expected(people=(LEA,), rows={"2": "created"}),
    about="columns in another order",
)
_rows(
    "headers-decoys",
    "the phones of school, adviser, employer; the adviser's names; no phone of the young person",
    [
        ("Nom", "Prénom", "Né(e) le", "Tél. établissement", "Nom du conseiller", "Prénom référent", "Tél. CPE",
         "Mail du professeur principal", "Tél. entreprise", "Contact CIO"),
        ("MARTIN", "Léa", "14/02/2008", "0465711111", "BLANC", "Paul", "0465712222", "p@example.org", "0465713333",
         "0465714444"),
    ],
    Expected(
        people=(
            Person(
                family_name="MARTIN", first_name="Léa", birth_date="2008-02-14", callable=(), values={"email": None}
            ),
        ),
        rows={"2": ("created", "no_callable_number")},
    ),
)  # fmt: skip
_rows(
    "headers-mother-and-father",
    "guardians by their own words, a third guardian, a family's phone",
    [
        ("Nom", "Prénom", "Né(e) le", "Nom père", "Tél père", "Nom mère", "Tél mère", "Tél. responsable 3",
         "Tél. famille"),
        ("MARTIN", "Léa", "14/02/2008", "MARTIN", "0639981111", "DURAND", "0639982222", "0639983333", "0465714444"),
    ],
    Expected(
        people=(
            Person(
                family_name="MARTIN",
                first_name="Léa",
                birth_date="2008-02-14",
                callable=("+33639981111", "+33639982222", "+33465714444"),
                owners={"+33639981111": "guardian", "+33639982222": "guardian", "+33465714444": "guardian"},
            ),
        ),
        rows={"2": "created"},
    ),
)  # fmt: skip
_rows(
    "headers-twice",
    "a column that stands twice: the first counts",
    [
        ("Nom", "Prénom", "Né(e) le", "Nom", "Portable"),
        ("MARTIN", "Léa", "14/02/2008", "AUTRE", "0639981234"),
    ],
    Expected(people=(LEA,), rows={"2": "created"}),
)
_rows(
    "headers-under-titles",
    "three lines of title, a blank line, then the header",
    [
        ("Académie d'Aix-Marseille", ""),
        ("Liste des jeunes à contacter", ""),
        ("Responsable : Mme BLANC", ""),
        ("", ""),
        ("Nom", "Prénom", "Né(e) le", "Portable"),
        CELLS,
    ],
    Expected(
        people=(LEA,), rows={"1": "ignored", "2": "ignored", "3": "ignored", "4": "ignored", "6": "created"}
    ),
)
_rows(
    "headers-missing-birth-date",
    "no birth date: refused, with the columns that were found",
    [("Nom", "Prénom", "Portable", "CP"), ("MARTIN", "Léa", "0639981234", "13001")],
    Expected(refused="missing_columns", people=()),
)
_rows(
    "headers-none",
    "a table that begins with people: refused, to be named on the page",
    [CELLS, ("DURAND", "Zoé", "15/03/2009", "0639985678")],
    Expected(refused="no_header", people=()),
)
_rows(
    "headers-comments",
    "comments are recognised and never kept",
    [
        ("Nom", "Prénom", "Né(e) le", "Portable", "Observations", "Commentaire"),
        (*CELLS, "mère malade", "0639985555"),
    ],
    Expected(people=(LEA,), rows={"2": "created"}),
)


def _as_a_region_writes(_random: Random) -> bytes:
    """Headers of several offices, among them words that also name other people or places."""
    headers = (
        "Plateforme PSAD", "N° INE/RNIE", "NOM PATRONYMIQUE*", "Prénom(s)", "H/F", "Dt nais", "Commune INSEE", "C.P.",
        "Tél. dom.", "GSM élève", "Mèl", "Qualité du responsable", "Tél. représentant légal", "Cd RNE",
        "Dernier établissement", "Spécialité", "Date d'abandon", "Motif départ",
    )  # fmt: skip
    cells = (
        "PSAD Marseille Nord", "140727415UU", "MARTIN", "Léa", "F", "14/02/2008", "13203", "13003", "0465711111",
        "0639981234", "lea@example.org", "mère", "0639982222", "0139115M", "LP DES CALANQUES", "CAP cuisine",
        "15/06/2026", "démission",
    )  # fmt: skip
    return delimited([headers, cells])


case(
    "headers-of-several-offices",
    Family.HEADERS,
    _as_a_region_writes,
    Expected(
        people=(
            Person(
                family_name="MARTIN",
                first_name="Léa",
                birth_date="2008-02-14",
                callable=("+33465711111", "+33639981234", "+33639982222"),
                owners={"+33639982222": "guardian"},
                values={
                    "ines": ("140727415UU",),
                    "psad": "PSAD Marseille Nord",
                    "postal_code": "13003",
                    "uai": "0139115M",
                    "exit_date": "2026-06-15",
                    "exit_reason": "démission",
                    "email": "lea@example.org",
                },
            ),
        ),
        others="created",
    ),
    about="words of several offices: platform, abandonment, speciality, quality of the guardian",
)


def _no_names(_random: Random) -> bytes:
    return delimited([("Identifiant", "Né(e) le", "Tél"), ("12", "14/02/2008", "0639981234")])


case(
    "headers-missing-names",
    Family.HEADERS,
    _no_names,
    Expected(refused="missing_columns"),
    about="no names at all: refused, with the columns that were found",
)
