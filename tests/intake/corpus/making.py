"""What corpus files are made of: fictitious people, delimited text, workbooks."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from random import Random

from openpyxl import Workbook

HEADERS = ("INE", "Nom", "Prénom", "Né(e) le", "Portable", "Tél. responsable", "CP", "PSAD")
FAMILY_NAMES = ("BÉRENGER", "N'GUESSAN", "DA SILVA", "LE GOFF", "HÉBRARD-NOËL", "ÇELIK", "MARTIN", "FRANÇOIS")
FIRST_NAMES = ("Éloïse", "Anaïs", "Zoë", "Jérôme", "Chloé", "Loïc", "Maëlys", "François", "Inès", "Théo")
Table = Sequence[Sequence[str]]


def mobile(random: Random) -> str:
    """A fictitious mobile number, ten digits."""
    return f"063998{random.randrange(10_000):04d}"


def landline(random: Random) -> str:
    """A fictitious landline number, ten digits."""
    return f"046571{random.randrange(10_000):04d}"


def ine(random: Random) -> str:
    """A well-formed national number of the form without a known check letter: nine digits, two letters."""
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
    return f"{random.randrange(10**9):09d}{random.choice(letters)}{random.choice(letters)}"


def someone(random: Random, **given: str) -> dict[str, str]:
    """A young person of the programme's age, by header; `given` under field-like names: nom, prenom, ne, tel…"""
    born = date(2005, 1, 1) + timedelta(days=random.randrange(1500))
    return {
        "INE": given.get("ine", ine(random)),
        "Nom": given.get("nom", random.choice(FAMILY_NAMES)),
        "Prénom": given.get("prenom", random.choice(FIRST_NAMES)),
        "Né(e) le": given.get("ne", f"{born:%d/%m/%Y}"),
        "Portable": given.get("tel", mobile(random)),
        "Tél. responsable": given.get("resp", mobile(random)),
        "CP": given.get("cp", "13001"),
        "PSAD": given.get("psad", "PSAD Marseille Centre"),
    }


def table(people: Sequence[Mapping[str, str]], headers: Sequence[str] = HEADERS) -> list[list[str]]:
    """A header row and one row for each of `people`."""
    return [list(headers), *([person.get(header, "") for header in headers] for person in people)]


def delimited(
    rows: Table, *, delimiter: str = ";", newline: str = "\r\n", encoding: str = "utf-8", quoted: bool = False
) -> bytes:
    """Delimited text; quotes are put where they are needed, or everywhere."""
    return newline.join([*(_line(row, delimiter, quoted) for row in rows), ""]).encode(encoding)


def _line(row: Sequence[str], delimiter: str, quoted: bool) -> str:
    def cell(text: str) -> str:
        if quoted or any(mark in text for mark in (delimiter, '"', "\n", "\r")):
            return '"' + text.replace('"', '""') + '"'
        return text

    return delimiter.join(cell(text) for text in row)


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """A plain xlsx workbook: sheet names with their rows."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(list(row))
    return saved(book)


def saved(book: Workbook) -> bytes:
    """The bytes of a workbook that a case has built with openpyxl."""
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()
