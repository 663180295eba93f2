"""What reading a file gives: its sheets and rows, remarks on how it was read, or a refusal in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

MAXIMUM_BYTES = 40 * 1024 * 1024
MAXIMUM_UNPACKED_BYTES = 400 * 1024 * 1024
MAXIMUM_ROWS = 200_000
MAXIMUM_COLUMNS = 500
MAXIMUM_CELL = 32_767
"""Characters; what Excel itself allows in a cell."""
PLACES_SHOWN = 20
"""Rows or columns that a remark names; it counts the others."""

Cells = tuple[str, ...]


class RefusalCode(StrEnum):
    """Why a whole file was refused."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_ROWS = "too_many_rows"
    NOT_A_LIST = "not_a_list"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    OLD_WORKBOOK = "old_workbook"
    ENCODING = "encoding"
    MISSING_COLUMNS = "missing_columns"
    NO_HEADER = "no_header"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that is refused as a whole: nothing of it is imported, and the words say what to do."""

    code: RefusalCode
    fr: str
    en: str

    def words(self, language: str = "fr") -> str:
        """The sentence shown to a person."""
        return self.en if language == "en" else self.fr


class Refused(Exception):
    """Raised inside the reader when a file cannot be read on; `read` returns its refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.en)
        self.refusal = refusal


class NoteCode(StrEnum):
    """What the reader has to say about a file, or marks on a row, or on one cell of it."""

    MIXED_ENCODINGS = "mixed_encodings"
    TEXT_REPAIRED = "text_repaired"
    TEXT_DAMAGED = "text_damaged"
    CONTROLS_REMOVED = "controls_removed"
    UNCLOSED_QUOTE = "unclosed_quote"
    WRAPPED_LINES = "wrapped_lines"
    MISPLACED_CELLS = "misplaced_cells"
    CELLS_JOINED = "cells_joined"
    MISSING_CELLS = "missing_cells"
    CELLS_MOVED = "cells_moved"
    CUT_SHORT = "cut_short"
    TOO_MANY_COLUMNS = "too_many_columns"
    CELL_CUT = "cell_cut"
    BLANK_END = "blank_end"
    HIDDEN_ROW = "hidden_row"
    HIDDEN_COLUMN = "hidden_column"
    FORMULA_WITHOUT_VALUE = "formula_without_value"
    CELL_ERROR = "cell_error"
    MERGED_CELLS = "merged_cells"
    HIDDEN_UNSEEN = "hidden_unseen"


@dataclass(frozen=True, slots=True)
class Mark:
    """A remark on a row, or on one of its cells, counted from 0."""

    code: NoteCode
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on a file: what, in which sheet, how often, and the first places (rows, or columns by letter)."""

    code: NoteCode
    count: int = 0
    places: tuple[str, ...] = ()
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet, under the number that a spreadsheet shows for it."""

    number: int
    cells: Cells
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook; a text file is one sheet without a name.

    `rows` may read them from the file each time they are asked for: go through them once.
    """

    name: str
    rows: Sequence[Row]
    merged: tuple[tuple[int, int, int, int], ...] = ()
    """Merged areas: first row, first column, last row, last column; rows from 1, columns from 0."""

    def rows_from(self, start: int) -> Iterator[Row]:
        """The rows from the `start`-th on, without those before it being read again."""
        starting = getattr(self.rows, "starting", None)
        found: Iterator[Row] = islice(self.rows, start, None) if starting is None else starting(start)
        return found


@dataclass(frozen=True, slots=True)
class Choice:
    """How a person says a text file is to be read; what is None is found out."""

    encoding: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True, slots=True)
class ListContent:
    """What a file holds: its visible sheets, and how it was read."""

    sheets: tuple[Sheet, ...]
    format: str
    encoding: str | None = None
    delimiter: str | None = None
    hidden_sheets: tuple[str, ...] = ()
    encoding_why: str | None = None
    """`mark`, `valid`, `guessed`, `declared` or `chosen`."""
    notes: tuple[Note, ...] = ()
    dates_from_1904: bool = False
    """Whether the workbook counts days from 1904, as Excel for Mac did: a bare number means another day in it."""


def safe_name(file_name: str) -> str:
    """The last part of a file's name, without controls, short enough to show and store."""
    last = re.split(r"[\\/]", file_name)[-1]
    return "".join(c for c in last if c.isprintable())[-120:].strip() or "liste"


def note(code: NoteCode, places: Sequence[object], sheet: str = "") -> Note:
    """A remark that names its first places."""
    return Note(code, len(places), tuple(str(place) for place in places[:PLACES_SHOWN]), sheet)


def column_letters(index: int) -> str:
    """The letters that a spreadsheet shows for a column counted from 0."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
