"""Workbooks in a process of their own: the same rows, bounded memory and time, a second look; what the reader says."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from callcentre.intake import reader
from callcentre.intake.apart import read_list, read_workbook_apart
from callcentre.intake.reader import Choice, ListContent, Note, NoteCode, Refusal, RefusalCode, note_words
from callcentre.intake.reader.content import PLACES_SHOWN, column_letters, note
from callcentre.intake.reader.decoding import SINGLE_BYTE, decoding, repair
from callcentre.intake.reader.delimited import TextRows

SAMPLE = Path(__file__).parents[1] / "samples" / "classeur.xlsx"
FRENCH = (
    "BÉRENGER",
    "Éloïse",
    "N’Guessan",
    "François",
    "HÉBRARD",
    "Anaïs",
    "Zoë",
    "Jérôme",
    "Côme",
    "Hélène",
    "Noël",
)


def read(content: bytes, choice: Choice | None = None) -> ListContent:
    found = read_list(content, "liste", choice)
    assert isinstance(found, ListContent), found
    return found


def test_a_workbook_gives_the_same_rows_in_a_child_as_here() -> None:
    content = SAMPLE.read_bytes()
    here = reader.read(content, "liste.xlsx")
    assert isinstance(here, ListContent)
    apart = read(content)
    assert [list(sheet.rows) for sheet in apart.sheets] == [list(sheet.rows) for sheet in here.sheets]
    assert (apart.format, apart.notes, apart.hidden_sheets) == (here.format, here.notes, here.hidden_sheets)


@pytest.mark.slow
def test_a_workbook_that_needs_too_much_memory_or_time_is_refused() -> None:
    book = Workbook(write_only=True)
    page = book.create_sheet("Liste")
    for number in range(12_000):
        page.append([f"{number} {'x' * 3_000}"])
    target = io.BytesIO()
    book.save(target)
    tight = read_workbook_apart(target.getvalue(), memory=60 * 1024 * 1024)
    assert isinstance(tight, ListContent), "what does not fit at once is read cell by cell"
    assert len(tight.sheets[0].rows) == 12_000
    small = read_workbook_apart(target.getvalue(), memory=24 * 1024 * 1024)
    assert isinstance(small, Refusal)
    assert small.code is RefusalCode.TOO_LARGE
    late = read_workbook_apart(target.getvalue(), seconds=0.01)
    assert isinstance(late, Refusal)
    assert "long" in late.en


def test_rows_can_be_taken_from_anywhere_without_reading_those_before() -> None:
    lines = [
        "Nom;Prénom;Note",
        *(f'NOM{n};Éa;"{n}\n{n}"' if n % 7 == 0 else f"NOM{n};Éa;{n}" for n in range(1_200)),
    ]
    for content in ("\n".join(lines).encode("cp1252"), _as_workbook(lines)):
        sheet = read(content).sheets[0]
        whole = list(sheet.rows)
        assert len(whole) == len(sheet.rows) == 1_201
        for start in (0, 1, 255, 256, 257, 700, 1_200, 1_201):
            assert list(sheet.rows_from(start)) == whole[start:]
        assert sheet.rows[300] == whole[300]
        assert sheet.rows[-1] == whole[-1]
        assert sheet.rows[10:20] == tuple(whole[10:20])
        assert sheet.rows[20:10:-3] == tuple(whole[20:10:-3])
        with pytest.raises(IndexError):
            sheet.rows[1_201]


def _as_workbook(lines: list[str]) -> bytes:
    book = Workbook()
    page = book.worksheets[0]
    for line in lines:
        page.append(line.replace('"', "").split(";"))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_a_text_list_is_not_held_as_rows() -> None:
    assert isinstance(read(b"Nom;Prenom\nMARTIN;Lea\n").sheets[0].rows, TextRows)


@given(
    st.lists(st.sampled_from(FRENCH), min_size=4, max_size=12, unique=True),
    st.sampled_from(("utf-8", "utf-16", *SINGLE_BYTE)),
)
def test_french_names_come_back_whatever_the_encoding(names: list[str], encoding: str) -> None:
    if encoding in {"cp850", "cp437", "iso8859-15"}:
        names = [name.replace("’", "'") for name in names]
    text = "Nom;Prénom\n" + "".join(f"{name};{name}\n" for name in names)
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        content = text.encode("cp1252")
    assert [row.cells[0] for row in read(content).sheets[0].rows][1:] == names


@given(st.text(alphabet="abcdéèêëàâçîïôöûüÉÈÀÇÎ’«» ", max_size=30))
def test_text_that_was_encoded_twice_is_mended_and_other_text_is_left(text: str) -> None:
    assert repair(text) == text
    twice = "".join(_misread(byte) for byte in text.encode())
    assert repair(twice) == text


def _misread(byte: int) -> str:
    return bytes([byte]).decode("cp1252") if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else chr(byte)


def test_a_person_may_choose_the_encoding_and_the_delimiter() -> None:
    content = "Nom;Prénom,x\nBÉRENGER;Éloïse,y\n".encode("mac_roman")
    assert read(content).encoding == "mac_roman"
    chosen = read(content, Choice("cp1252", ","))
    assert (chosen.encoding, chosen.encoding_why, chosen.delimiter) == ("cp1252", "chosen", ",")
    assert chosen.sheets[0].rows[1].cells[1] == "y"
    assert decoding("é".encode("utf-16-le"), "utf-16").content == "é".encode()


def test_what_the_reader_has_to_say_is_said_in_both_languages() -> None:
    for code in NoteCode:
        said = Note(code, 2, ("3", "4"), "Feuille")
        assert note_words(said, "fr") != note_words(said, "en")
        assert "{" not in note_words(said, "fr") + note_words(said, "en")
    many = note(NoteCode.TEXT_REPAIRED, range(1, 100))
    assert len(many.places) == PLACES_SHOWN
    assert note_words(many).endswith("20 et 79 autres.")
    assert "ligne 7." in note_words(note(NoteCode.HIDDEN_ROW, [7]))
    assert [column_letters(index) for index in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


@given(st.binary(max_size=600))
def test_any_bytes_after_a_workbooks_first_are_read_or_refused(content: bytes) -> None:
    for start in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<table><tr><td>", b"<?xml"):
        assert isinstance(reader.read(start + content, "liste"), ListContent | Refusal)
