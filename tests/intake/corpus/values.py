"""Corpus: dates, names, identifiers, and who is in scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from random import Random
from typing import Any

from tests.intake.corpus.making import delimited, workbook
from tests.intake.corpus.registry import Expected, Family, Person, case

HEADERS = ("Nom", "Prénom", "Né(e) le", "Portable", "Tél. responsable")
PHONES = ("0639981234", "0639985678")
BORN = "2008-02-14"


def _family(number: int) -> str:
    return f"NOM{chr(65 + number // 26)}{chr(65 + number % 26)}"


def _table(
    name: str,
    about: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    expected: Expected,
    family: Family = Family.VALUES,
) -> None:
    case(name, family, lambda _random: delimited([headers, *rows]), expected, about=about)


# ---- dates


def _births(name: str, about: str, cells: Sequence[tuple[str, str | None, tuple[str, ...]]]) -> None:
    """One person for each birth date as written; None for a date that must hold its row back."""
    rows = [(_family(at), "Léa", typed, *PHONES) for at, (typed, _, _) in enumerate(cells)]
    people = tuple(
        Person(family_name=_family(at), first_name="Léa", birth_date=born)
        for at, (_, born, _) in enumerate(cells)
        if born is not None
    )
    fates: dict[str, Any] = {
        str(at + 2): ("created" if born else "quarantined", *says) for at, (_, born, says) in enumerate(cells)
    }
    _table(name, about, HEADERS, rows, Expected(people=people, rows=fates))


_births(
    "dates-forms",
    "every form of a date that an office or a program writes",
    [
        (typed, BORN, ())
        for typed in (
            "14/02/2008", "14-02-2008", "14.02.2008", "14 02 2008", "14/2/08", "2008-02-14", "2008/02/14",
            "2008-02-14 00:00:00", "14/02/2008 00:00", "14 février 2008", "14 févr. 2008", "14-févr-08",
            "jeudi 14 février 2008", "14/FEV/2008", "né le 14/02/2008", "14/02/2008 à Marseille", "14022008",
            "20080214", "'14/02/2008", "2008-02-13T23:00:00.000Z", "2008-02-14T00:00:00+01:00", "February 14, 2008",
        )
    ],
)  # fmt: skip
_births(
    "dates-serials",
    "serials of a spreadsheet",
    [("39492", BORN, ()), ("39492.0", BORN, ()), ("39492,5", BORN, ())],
)
_births(
    "dates-impossible",
    "dates that do not exist are never made to exist",
    [
        (typed, None, ("birth_date_impossible",))
        for typed in (
            "31/02/2008", "29/02/2007", "31/04/2008", "00/01/2008", "14/13/2008", "02/14/2008", "2008-13-01", "14/02",
            "2008", "14/02/20088", "99999999", "vers 2008", "14/O2/2008",
        )
    ],
)  # fmt: skip
_births(
    "dates-two-digit-years",
    "two-digit years fall before the list's date",
    [
        ("04/01/09", "2009-01-04", ()),
        ("15/11/02", "2002-11-15", ()),
        ("04/01/99", "1999-01-04", ("age_over",)),
    ],
)
_births(
    "dates-month-first",
    "a whole column with the month first: decided by the dates that can be nothing else",
    [
        ("02/14/2008", BORN, ()),
        ("03/25/2009", "2009-03-25", ()),
        ("04/05/2008", "2008-04-05", ()),
        ("12/31/2007", "2007-12-31", ()),
    ],
)
_births(
    "dates-one-slip",
    "one date with the month first among days first: a mistake, not the column's way",
    [
        ("14/02/2008", BORN, ()),
        ("25/03/2009", "2009-03-25", ()),
        ("02/14/2008", None, ("birth_date_impossible",)),
        ("04/05/2008", "2008-05-04", ()),
    ],
)
_births(
    "dates-both-orders",
    "a column pasted from two sources: what fits both orders is said to be unsure",
    [
        ("14/02/2008", BORN, ()),
        ("25/03/2009", "2009-03-25", ()),
        ("02/14/2008", None, ("birth_date_impossible",)),
        ("03/25/2009", None, ("birth_date_impossible",)),
        ("04/05/2008", "2008-05-04", ("date_order_unsure",)),
        ("05/05/2008", "2008-05-05", ()),
    ],
)
_births(
    "dates-placeholders",
    "dates that stand for nothing known",
    [
        ("01/01/1900", None, ("birth_date_implausible",)),
        ("00/00/0000", None, ("birth_date_impossible",)),
        ("", None, ("birth_date_missing",)),
        ("inconnue", None, ("birth_date_missing",)),
        ("14/02/2030", None, ("birth_date_future",)),
    ],
)


def _typed_dates(_random: Random) -> bytes:
    rows: list[Sequence[object]] = [
        HEADERS,
        ("NOMAA", "Léa", date(2008, 2, 14), *PHONES),
        ("NOMAB", "Léa", datetime(2008, 2, 14, 0, 0), *PHONES),  # noqa: DTZ001
        ("NOMAC", "Léa", 39492, *PHONES),
        ("NOMAD", "Léa", "14/02/2008", *PHONES),
    ]
    return workbook({"Liste": rows})


case(
    "dates-typed-cells",
    Family.VALUES,
    _typed_dates,
    Expected(
        people=tuple(
            Person(family_name=name, first_name="Léa", birth_date=BORN)
            for name in ("NOMAA", "NOMAB", "NOMAC", "NOMAD")
        ),
        others="created",
    ),
    about="a workbook that holds dates as dates, as instants, as numbers and as text",
    file_name="liste.xlsx",
)


# ---- names


def _names(
    name: str,
    about: str,
    headers: tuple[str, ...],
    cells: Sequence[tuple[tuple[str, ...], tuple[str, str] | None, tuple[str, ...]]],
) -> None:
    """The cells that hold the names, the names they mean (None: the row is held back), the reasons."""
    rows = [(*names, "14/02/2008", *PHONES) for names, _, _ in cells]
    people = tuple(
        Person(family_name=meant[0], first_name=meant[1], birth_date=BORN)
        for _, meant, _ in cells
        if meant is not None
    )
    fates: dict[str, Any] = {
        str(at + 2): ("created" if meant else "quarantined", *says)
        for at, (_, meant, says) in enumerate(cells)
    }
    _table(name, about, (*headers, *HEADERS[2:]), rows, Expected(people=people, rows=fates))


_names(
    "names-in-one-cell",
    "both names in one cell: capitals, a comma or the header's order tell them apart",
    ("Nom Prénom",),
    [
        (("MARTIN Léa",), ("MARTIN", "Léa"), ()),
        (("Zoé DURAND",), ("DURAND", "Zoé"), ()),
        (("DA SILVA Marie-Ange",), ("DA SILVA", "Marie-Ange"), ()),
        (("LE GOFF, Yann",), ("LE GOFF", "Yann"), ()),
        (("Petit Eva",), ("Petit", "Eva"), ()),
        (("N'GUESSAN Kévin",), ("N'GUESSAN", "Kévin"), ()),
        (("Martin Anne Lou",), ("Martin", "Anne Lou"), ("name_split",)),
        (("de La Tour Paul",), ("de La Tour", "Paul"), ("name_split",)),
        (("BERNARD",), None, ("name_not_split",)),
    ],
)
_names(
    "names-first-name-first",
    "the same with the first name first",
    ("Prénom et nom",),
    [
        (("Léa Martin",), ("Martin", "Léa"), ()),
        (("Paul de La Tour",), ("de La Tour", "Paul"), ("name_split",)),
    ],
)
_names(
    "names-swapped",
    "one row whose names stand in each other's place, in a list that writes family names in capitals",
    ("Nom", "Prénom"),
    [
        *(((_family(at), "Léa"), (_family(at), "Léa"), ()) for at in range(10)),
        (("Zoé", "DURAND"), ("DURAND", "Zoé"), ("names_swapped",)),
        (("LEROY", "ANNE"), ("LEROY", "ANNE"), ()),
    ],
)
_names(
    "names-like-nulls",
    "names that programs take for nothing, and nothings that are no names",
    ("Nom", "Prénom"),
    [
        (("Null", "Anna"), ("Null", "Anna"), ()),
        (("NA", "Li"), ("NA", "Li"), ()),
        (("Nil", "Oumar"), ("Nil", "Oumar"), ()),
        (("O", "Sun"), ("O", "Sun"), ()),
        (("NULL", "NULL"), None, ("name_missing",)),
        (("XXX", "Léa"), None, ("name_missing",)),
        (("-", "Léa"), None, ("name_missing",)),
        (("MARTIN", "NC"), None, ("name_missing",)),
        (("#N/A", "Léa"), None, ("name_missing",)),
    ],
)
_names(
    "names-as-written",
    "particles, hyphens, apostrophes, decomposed accents, civilities",
    ("Nom", "Prénom"),
    [
        (("EL-HADDAD", "Nour-Eddine"), ("EL-HADDAD", "Nour-Eddine"), ()),
        (("de la  Tour", "Anne  Lou"), ("de la Tour", "Anne Lou"), ()),
        (("BE\u0301RENGER", "E\u0301loi\u0308se"), ("BÉRENGER", "Éloïse"), ()),
        (("Mme DURAND", "Zoé"), ("DURAND", "Zoé"), ()),
        (("M'BAYE", "Fatou"), ("M'BAYE", "Fatou"), ()),
        (("\u200bMARTIN\u202e", "Léa"), ("MARTIN", "Léa"), ()),
    ],
)


# ---- identifiers and addresses


def _one(
    name: str,
    about: str,
    headers: Sequence[str],
    rows: Sequence[tuple[Sequence[str], dict[str, Any], tuple[str, ...]]],
) -> None:
    """People with more columns: the cells, what must be known afterwards, the reasons."""
    table = [(_family(at), "Léa", "14/02/2008", *PHONES, *cells) for at, (cells, _, _) in enumerate(rows)]
    people = tuple(
        Person(family_name=_family(at), first_name="Léa", birth_date=BORN, values=values)
        for at, (_, values, _) in enumerate(rows)
    )
    fates: dict[str, Any] = {str(at + 2): ("created", *says) for at, (_, _, says) in enumerate(rows)}
    _table(name, about, (*HEADERS, *headers), table, Expected(people=people, rows=fates))


_one(
    "ine-forms",
    "the three forms of an INE, spaced and in small letters; others are left out and said",
    ("INE",),
    [
        (("0370625062Z",), {"ines": ("0370625062Z",)}, ()),
        (("140727415uu",), {"ines": ("140727415UU",)}, ()),
        (("0459 A39702 D",), {"ines": ("0459A39702D",)}, ()),
        (("0370625062",), {"ines": ()}, ("ine_malformed",)),
        (("1.40727E+09",), {"ines": ()}, ("ine_malformed",)),
        (("néant",), {"ines": ()}, ()),
    ],
)


def _letter(digits: int) -> str:
    return f"{digits:010d}{'ABCDEFGHJKLMNPRSTUVWXYZ'[digits % 23]}"


_one(
    "ine-check-letters",
    "a list whose check letters hold: the one that does not is said, and kept",
    ("INE",),
    [
        *(
            ((_letter(370625000 + 37 * at),), {"ines": (_letter(370625000 + 37 * at),)}, ())
            for at in range(9)
        ),
        (("0494004062A",), {"ines": ("0494004062A",)}, ("ine_check_letter",)),
    ],
)
_one(
    "uai-check-letter",
    "the school's code and its check letter",
    ("UAI",),
    [
        (("0139115M",), {"uai": "0139115M"}, ()),
        (("0139115 m",), {"uai": "0139115M"}, ()),
        (("0139115A",), {"uai": None}, ("uai_check_letter",)),
        (("LP LES PINS",), {"uai": None}, ("uai_malformed",)),
        (("6200001A",), {"uai": None}, ("uai_check_letter",)),
    ],
)
_one(
    "postal-or-insee",
    "INSEE codes in the place of postal codes: 13001 is Aix for one and Marseille for the other",
    ("CP", "Ville"),
    [
        (("13001", "MARSEILLE 01"), {"postal_code": "13001"}, ()),
        (("13001", "AIX EN PROVENCE"), {"postal_code": None}, ("postal_code_insee_of_several",)),
        (("13055", "MARSEILLE"), {"postal_code": None}, ("postal_code_insee_of_several",)),
        (("13203", "MARSEILLE"), {"postal_code": "13003"}, ("postal_code_was_insee",)),
        (("13103", "SALON DE PROVENCE"), {"postal_code": "13300"}, ("postal_code_was_insee",)),
        (("13233", "MARSEILLE CEDEX 20"), {"postal_code": "13233"}, ("postal_code_unknown",)),
        (("13200", "MARTIGUES"), {"postal_code": "13200"}, ("postal_code_other_commune",)),
        (("1000", "BOURG EN BRESSE"), {"postal_code": "01000"}, ()),
        (("F-13004", "Marseille"), {"postal_code": "13004"}, ()),
    ],
)
_one(
    "postal-from-insee",
    "a list that has only the INSEE code of the town",
    ("Code INSEE", "Commune"),
    [
        (("13203", "MARSEILLE 3E"), {"postal_code": "13003"}, ("postal_code_from_insee",)),
        (("13055", "MARSEILLE"), {"postal_code": None}, ()),
    ],
)
_one(
    "emails",
    "e-mail addresses, one or several",
    ("Mél",),
    [
        (("Lea.Martin@Example.ORG",), {"email": "lea.martin@example.org"}, ()),
        (("lea@example.org / autre@example.org",), {"email": "lea@example.org"}, ()),
        (("lea@example",), {"email": None}, ("email_malformed",)),
        (("néant",), {"email": None}, ()),
    ],
)


# ---- scope


def _scope(
    name: str, about: str, headers: Sequence[str], rows: Sequence[Sequence[str]], expected: Expected
) -> None:
    _table(name, about, headers, rows, expected, Family.SCOPE)


_scope(
    "scope-ages",
    "ages on the list's date: under sixteen held back, twenty-six and over flagged",
    HEADERS,
    [
        ("SEIZE", "Léa", "15/11/2010", *PHONES),
        ("QUINZE", "Léa", "16/11/2010", *PHONES),
        ("VINGTCINQ", "Léa", "16/11/2000", *PHONES),
        ("VINGTSIX", "Léa", "15/11/2000", *PHONES),
        ("BISSEXTE", "Léa", "29/02/2008", *PHONES),
    ],
    Expected(
        rows={
            "2": "created",
            "3": ("quarantined", "age_under"),
            "4": "created",
            "5": ("created", "age_over"),
            "6": "created",
        }
    ),
)
_scope(
    "scope-minor-without-guardian",
    "a minor without a guardian is flagged; a label in a cell or a name is enough of one",
    ("Nom", "Prénom", "Né(e) le", "Portable", "Nom responsable"),
    [
        ("SEUL", "Léa", "14/02/2010", "0639981234", ""),
        ("NOMME", "Léa", "14/02/2010", "0639981235", "DURAND"),
        ("MERE", "Léa", "14/02/2010", "0639981236 / mère 0639981237", ""),
        ("MAJEUR", "Léa", "14/02/2006", "0639981238", ""),
    ],
    Expected(rows={"2": ("created", "minor_without_guardian")}, others="created"),
)
_scope(
    "scope-exit-dates",
    "exit dates that make no sense: in childhood, before the entry, in the future, old, impossible",
    (*HEADERS, "Date d'entrée", "Date de sortie"),
    [
        ("BIEN", "Léa", "14/02/2008", *PHONES, "01/09/2024", "05/05/2026"),
        ("ENFANT", "Léa", "14/02/2008", *PHONES, "", "05/05/2016"),
        ("AVANT", "Léa", "14/02/2008", *PHONES, "01/09/2026", "05/05/2026"),
        ("FUTUR", "Léa", "14/02/2008", *PHONES, "", "05/05/2027"),
        ("VIEUX", "Léa", "14/02/2006", *PHONES, "", "05/05/2022"),
        ("FAUX", "Léa", "14/02/2008", *PHONES, "", "31/06/2026"),
    ],
    Expected(
        people=(
            Person(family_name="BIEN", first_name="Léa", birth_date=BORN, values={"exit_date": "2026-05-05"}),
            Person(family_name="ENFANT", first_name="Léa", birth_date=BORN, values={"exit_date": None}),
            Person(family_name="AVANT", first_name="Léa", birth_date=BORN),
            Person(family_name="FUTUR", first_name="Léa", birth_date=BORN),
            Person(family_name="VIEUX", first_name="Léa", birth_date="2006-02-14"),
            Person(family_name="FAUX", first_name="Léa", birth_date=BORN, values={"exit_date": None}),
        ),
        rows={
            "2": "created",
            "3": ("created", "exit_date_senseless"),
            "4": ("created", "exit_date_before_entry"),
            "5": ("created", "exit_date_future"),
            "6": ("created", "exit_date_old"),
            "7": ("created", "exit_date_impossible"),
        },
    ),
)
