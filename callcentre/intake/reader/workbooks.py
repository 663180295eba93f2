"""Workbooks (xlsx, xlsb, xls, ods) to packed rows: every cell as text, merged cells filled down, ghosts left out."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import BytesIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from callcentre.intake.reader import second_look, words
from callcentre.intake.reader.archives import workbook_format
from callcentre.intake.reader.content import (
    MAXIMUM_CELL,
    MAXIMUM_COLUMNS,
    MAXIMUM_ROWS,
    Mark,
    Note,
    NoteCode,
    Refused,
    Row,
    column_letters,
    note,
)
from callcentre.intake.reader.decoding import has_controls, without_controls
from callcentre.intake.reader.packed import end_line, packed_rows, sheet_end, sheet_line

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
_LONGEST_GAP = 200
"""Blank rows in a row that are kept; a stray cell far below the list is read without the desert before it."""
_MOST_MERGED = 20_000
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")

Area = tuple[int, int, int, int]


def is_workbook(content: bytes) -> bool:
    """Whether the bytes begin like a zipped or an old workbook."""
    return content.startswith((ZIP, OLE[:4]))


def workbook_lines(content: bytes, *, sparse: bool = False) -> Iterator[bytes]:
    """A workbook as lines for `packed.assembled`; raises Refused.

    `sparse` reads an xlsx cell by cell, slower but without a place for every blank cell up to the last one.
    """
    form = _old_format(content) if content.startswith(OLE[:4]) else workbook_format(content)
    try:
        looks, unseen = second_look.look(content, form), False
    except second_look.Unseen:
        looks, unseen = second_look.Looks(), True
    if sparse and form == "xlsx":
        return _sparse(content, looks, unseen)
    return _dense(content, form, looks, unseen)


def _old_format(content: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise Refused(words.encrypted())
    if "WordDocument".encode("utf-16-le") in content or len(content) < 512:
        raise Refused(words.old_workbook())
    return "xls"


def _dense(content: bytes, form: str, looks: second_look.Looks, unseen: bool) -> Iterator[bytes]:
    hidden = []
    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(content))
        for about in workbook.sheets_metadata:
            if about.typ is not SheetTypeEnum.WorkSheet:
                continue
            if about.visible is not SheetVisibleEnum.Visible:
                hidden.append(about.name[:80])
                continue
            sheet = workbook.get_sheet_by_name(about.name)
            table = SheetTable(about.name[:80], looks.of(about.name), _areas(sheet))
            yield from table.lines(_values(sheet))
    except PasswordError as error:
        raise Refused(words.encrypted()) from error
    except (CalamineError, ValueError, OSError, OverflowError) as error:
        if "assword" in str(error):
            raise Refused(words.encrypted()) from error
        raise Refused(words.old_workbook() if form == "xls" else words.damaged()) from error
    except BaseException as error:
        # A library that panics tells so by an exception of its own, outside the usual hierarchy.
        if type(error).__name__ != "PanicException":
            raise
        raise Refused(words.damaged()) from None
    yield _end(form, hidden, looks, unseen)


def _end(form: str, hidden: list[str], looks: second_look.Looks, unseen: bool) -> bytes:
    notes = [Note(NoteCode.HIDDEN_UNSEEN)] if unseen else []
    return end_line(form, hidden, notes, dates_from_1904=looks.dates_from_1904)


def _values(sheet: CalamineSheet) -> Iterator[Sequence[object]]:
    """The rows and columns from the first of the sheet on; the library begins at the first column that is used."""
    blank: list[object] = [""] * (sheet.start[1] if sheet.start else 0)
    return (blank + list(row) for row in sheet.iter_rows()) if blank else iter(sheet.iter_rows())


def _areas(sheet: CalamineSheet) -> list[Area]:
    found = (sheet.merged_cell_ranges or [])[:_MOST_MERGED]
    return [(first[0] + 1, first[1], last[0] + 1, last[1]) for first, last in found]


def _sparse(content: bytes, looks: second_look.Looks, unseen: bool) -> Iterator[bytes]:
    from openpyxl import load_workbook  # slow to import, and rarely needed

    hidden = []
    try:
        book = load_workbook(BytesIO(content), read_only=True, data_only=True)
        for page in book.worksheets:
            if page.sheet_state != "visible":
                hidden.append(page.title[:80])
                continue
            page.reset_dimensions()
            table = SheetTable(page.title[:80], looks.of(page.title), [])
            yield from table.lines(page.iter_rows(values_only=True))
    except (LookupError, ValueError, OSError, TypeError, AttributeError, SyntaxError) as error:
        raise Refused(words.unpacks_too_large()) from error
    yield _end("xlsx", hidden, looks, unseen)


@dataclass(slots=True)
class SheetTable:
    """One sheet on its way to lines."""

    name: str
    seen: second_look.Seen
    areas: list[Area]
    rows: int = 0
    places: dict[NoteCode, list[int]] = field(default_factory=dict)

    def lines(self, values: Iterable[Sequence[object]]) -> Iterator[bytes]:
        """The lines of the sheet."""
        yield sheet_line(self.name)
        yield from packed_rows(self._without_deserts(self._filled(values)))
        yield sheet_end(self.rows, self._notes(), self.areas)

    def _without_deserts(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Rows down to the last that holds something; long stretches of blank ones are left out."""
        blank: list[Row] = []
        for row in rows:
            if not row.cells and not row.marks:
                if len(blank) < _LONGEST_GAP:
                    blank.append(row)
                continue
            for one in (*blank, row) if len(blank) < _LONGEST_GAP else (row,):
                self.rows += 1
                yield one
            blank = []
            if self.rows > MAXIMUM_ROWS:
                raise Refused(words.too_many_rows())

    def _filled(self, values: Iterable[Sequence[object]]) -> Iterator[Row]:
        """Rows of text, a value that is merged over several rows in each of them."""
        starting: dict[int, list[Area]] = defaultdict(list)
        for area in self.areas:
            if area[2] > area[0]:
                starting[area[0]].append(area)
        going: list[tuple[int, int, str]] = []
        marked = self._marks()
        desert = 0
        for number, value in enumerate(values, start=1):
            if not value and not going and number not in marked:
                # A reader that goes cell by cell gives nothing at all for the rows between two cells.
                desert += 1
                if desert <= _LONGEST_GAP:
                    yield Row(number, ())
                continue
            desert = 0
            row = self._row(number, value, marked.get(number, []))
            if going:
                row = _with(row, going)
                going = [one for one in going if one[0] > number]
            for first in starting.get(number, ()):
                if first[1] < len(row.cells) and row.cells[first[1]]:
                    going.append((min(first[2], MAXIMUM_ROWS), first[1], row.cells[first[1]]))
                    self._say(NoteCode.MERGED_CELLS, number)
            yield row

    def _row(self, number: int, values: Sequence[object], marks: list[Mark]) -> Row:
        cells = [cell_text(value) for value in values[:MAXIMUM_COLUMNS]]
        while cells and not cells[-1]:
            cells.pop()
        if len(values) > MAXIMUM_COLUMNS and any(
            value not in {"", None} for value in values[MAXIMUM_COLUMNS:]
        ):
            marks.append(Mark(NoteCode.TOO_MANY_COLUMNS))
        for index, value in enumerate(values[: len(cells)]):
            if isinstance(value, str):
                if len(value) > MAXIMUM_CELL:
                    marks.append(Mark(NoteCode.CELL_CUT, index))
                if not value.isascii() or not value.isprintable() or "_x" in value:
                    cells[index], code = plain_text(cells[index])
                    if code is not None:
                        marks.append(Mark(code, index))
        if cells and number in self.seen.hidden_rows:
            marks.append(Mark(NoteCode.HIDDEN_ROW))
        for mark in marks:
            self._say(mark.code, number)
        return Row(number, tuple(cells), tuple(marks))

    def _marks(self) -> dict[int, list[Mark]]:
        marks: dict[int, list[Mark]] = defaultdict(list)
        for row, column in sorted(self.seen.without_value):
            marks[row].append(Mark(NoteCode.FORMULA_WITHOUT_VALUE, column))
        for row, column in sorted(self.seen.errors):
            marks[row].append(Mark(NoteCode.CELL_ERROR, column))
        return marks

    def _say(self, code: NoteCode, row: int) -> None:
        self.places.setdefault(code, []).append(row)

    def _notes(self) -> Iterator[Note]:
        cells = {
            NoteCode.FORMULA_WITHOUT_VALUE: self.seen.without_value,
            NoteCode.CELL_ERROR: self.seen.errors,
        }
        for code, rows in self.places.items():
            if code not in cells:
                yield note(code, rows, self.name)
        for code, found in cells.items():
            if found:
                yield note(code, [f"{column_letters(c)}{r}" for r, c in sorted(found)], self.name)
        if self.seen.hidden_columns:
            letters = [column_letters(column) for column in sorted(self.seen.hidden_columns)]
            yield note(NoteCode.HIDDEN_COLUMN, letters, self.name)


def _with(row: Row, going: Iterable[tuple[int, int, str]]) -> Row:
    """A row with the values that are merged over it."""
    cells = list(row.cells)
    for last, column, text in going:
        if row.number <= last:
            cells += [""] * (column + 1 - len(cells))
            cells[column] = cells[column] or text
    return Row(row.number, tuple(cells), row.marks)


def plain_text(text: str) -> tuple[str, NoteCode | None]:
    """A typed text composed and without controls, and what was done about it."""
    if "_x" in text:
        text = _ESCAPE.sub(_escaped, text)
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if not has_controls(text):
        return text, None
    return without_controls(text), NoteCode.CONTROLS_REMOVED


def _escaped(found: re.Match[str]) -> str:
    """A control that a workbook writes as _x000D_; other such words are somebody's text."""
    character = chr(int(found[1], 16))
    return character if character in "\t\r\n\u00a0" else found[0]


def cell_text(value: object) -> str:
    """A typed cell as text: whole floats without their point, dates in ISO form."""
    if isinstance(value, str):
        return value[:MAXIMUM_CELL]
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int | timedelta):
        return str(value)
    return ""
