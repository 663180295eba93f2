"""Bytes to rows: encodings, delimiters, physical row numbers, workbooks, refusals in words."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from callcentre.intake import reader
from callcentre.intake.reader import ListContent, Refusal, RefusalCode


def read(content: bytes, name: str = "liste.csv") -> ListContent:
    found = reader.read(content, name)
    assert not isinstance(found, Refusal), found.fr
    return found


def refused(content: bytes, name: str = "liste.csv") -> RefusalCode:
    found = reader.read(content, name)
    assert isinstance(found, Refusal)
    assert found.words("fr") != found.words("en")
    return found.code


def workbook(*rows: list[object], hidden: bool = False) -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "Liste"
    for row in rows:
        page.append(row)
    if hidden:
        extra = book.create_sheet("Secret")
        extra.append(["Nom"])
        extra.sheet_state = "hidden"
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1252", "cp1252"), ("utf-16", "utf-16")],
)
def test_french_text_is_read_in_the_encodings_that_offices_write(encoding: str, expected: str) -> None:
    content = read("Nom;Prénom\r\nBÉRENGER;Éloïse – œuvre\r\n".encode(encoding))
    assert content.encoding == expected
    assert content.sheets[0].rows[1].cells == ("BÉRENGER", "Éloïse – œuvre")


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    lines = [["Nom", "Prénom", "Adresse"], ["MARTIN", "Léa", '"12, rue; des Lilas"']]
    content = read("\n".join(delimiter.join(line) for line in lines).encode())
    assert content.delimiter == delimiter
    assert content.sheets[0].rows[1].cells == ("MARTIN", "Léa", "12, rue; des Lilas")


def test_an_announced_delimiter_is_obeyed_and_rows_keep_their_numbers() -> None:
    content = read(b"sep=|\r\nNom|Prenom;x\r\nMARTIN|Lea\r\n")
    assert [(row.number, row.cells) for row in content.sheets[0].rows[1:]] == [
        (2, ("Nom", "Prenom;x")),
        (3, ("MARTIN", "Lea")),
    ]


def test_a_quoted_line_break_does_not_shift_the_row_numbers() -> None:
    content = read(b'Nom;Note\n"MARTIN";"une\nnote"\nDURAND;rien\n')
    assert [(row.number, row.cells[0]) for row in content.sheets[0].rows] == [
        (1, "Nom"),
        (2, "MARTIN"),
        (3, "DURAND"),
    ]


def test_a_quotation_mark_that_is_never_closed_does_not_swallow_the_list() -> None:
    lines = ["Nom;Prenom", 'MARTIN;"Lea', *(f"NOM{n};Ana" for n in range(40))]
    assert len(read("\n".join(lines).encode()).sheets[0].rows) == 42


def test_blank_lines_keep_their_place_and_ghost_rows_at_the_end_are_dropped() -> None:
    rows = read(b"Nom;Prenom\n\n\nMARTIN;Lea\n;\n;\n").sheets[0].rows
    assert [(row.number, row.cells) for row in rows] == [
        (1, ("Nom", "Prenom")),
        (2, ()),
        (3, ()),
        (4, ("MARTIN", "Lea")),
    ]


def test_a_workbook_gives_text_dates_in_iso_form_and_whole_numbers() -> None:
    content = read(
        workbook(["Nom", "Né le", "Tel", "CP"], ["MARTIN", date(2008, 2, 14), 639981234, 1000.0]),
        "liste.xlsx",
    )
    assert content.format == "xlsx"
    assert content.sheets[0].rows[1].cells == ("MARTIN", "2008-02-14", "639981234", "1000")


def test_hidden_sheets_are_named_and_not_read() -> None:
    content = read(workbook(["Nom"], ["MARTIN"], hidden=True))
    assert [sheet.name for sheet in content.sheets] == ["Liste"]
    assert content.hidden_sheets == ("Secret",)


def test_a_cell_of_any_type_becomes_text() -> None:
    values = [True, 3, 2.5, 1e20, None, datetime(2026, 1, 2, 3, 4, tzinfo=UTC), date(2026, 1, 2)]
    assert [reader.cell_text(value) for value in values] == [
        "1", "3", "2.5", "1e+20", "", "2026-01-02 03:04:00+00:00", "2026-01-02",
    ]  # fmt: skip


def test_a_list_is_told_by_its_content_not_by_its_name() -> None:
    assert read(workbook(["Nom"], ["MARTIN"]), "liste.csv").format == "xlsx"
    assert read(b"Nom;Prenom\nMARTIN;Lea\n", "liste.xlsx").format == "csv"


def test_what_is_no_list_is_refused_in_words() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("liste.csv", "Nom;Prenom")
    assert refused(b"") is RefusalCode.EMPTY
    assert refused(b"\r\n;;;\r\n") is RefusalCode.EMPTY
    assert refused(b"%PDF-1.7 ...") is RefusalCode.NOT_A_LIST
    assert (
        refused(b"<html><table><tr><td>Nom</td></tr></table></html>", "liste.xls") is RefusalCode.NOT_A_LIST
    )
    assert refused(archive.getvalue(), "liste.xlsx") is RefusalCode.NOT_A_LIST
    assert refused(b"\xd0\xcf\x11\xe0" + bytes(500), "liste.xls") is RefusalCode.OLD_WORKBOOK
    assert refused(b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le")) is RefusalCode.ENCRYPTED
    assert refused(workbook(["Nom"])[:-200], "liste.xlsx") is RefusalCode.DAMAGED
    assert refused(bytes(range(256)) * 20) is RefusalCode.ENCODING


def test_a_workbook_that_unpacks_to_a_monster_is_refused_before_it_is_unpacked() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", "<workbook/>")
        with packed.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            block = b" " * (1024 * 1024)
            for _ in range(reader.MAXIMUM_UNPACKED_BYTES // len(block) + 1):
                part.write(block)
    assert refused(bomb.getvalue(), "liste.xlsx") is RefusalCode.TOO_LARGE


def test_a_huge_cell_is_refused() -> None:
    assert refused(b"Nom;Prenom\n" + b"x" * 200_000 + b";y\n") is RefusalCode.DAMAGED


def test_a_file_name_is_shown_without_its_path_or_controls() -> None:
    assert reader.safe_name("..\\..\\listes/\u202eliste\n.csv") == "liste.csv"
    assert reader.safe_name("") == "liste"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    found = reader.read(content, "liste.csv")
    assert isinstance(found, ListContent | Refusal)


@given(st.lists(st.lists(st.text(max_size=12), min_size=2, max_size=4), min_size=1, max_size=6))
def test_any_text_is_read_or_refused(rows: list[list[str]]) -> None:
    content = "\n".join(";".join(row) for row in rows).encode("utf-8", errors="replace")
    assert isinstance(reader.read(content, "liste.csv"), ListContent | Refusal)
