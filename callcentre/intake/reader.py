"""Bytes to rows: CSV and XLSX as they come, told apart by content, bounded, refused in clear words.

Every cell becomes text; rows keep the number that a spreadsheet shows for them.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from statistics import median

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

MAXIMUM_BYTES = 40 * 1024 * 1024
MAXIMUM_UNPACKED_BYTES = 400 * 1024 * 1024
MAXIMUM_ROWS = 200_000
MAXIMUM_COLUMNS = 500
MAXIMUM_CELL = 32_767
"""Characters; what Excel itself allows in a cell."""
_LINES_IN_A_CELL = 20
"""More line breaks than this in one cell is a quotation mark that was never closed."""

_OTHER_FORMATS = (
    b"%pdf", b"<!doctype html", b"<html", b"<table", b"<?xml", b"{\\rtf", b"\x89png", b"\xff\xd8\xff",
)  # fmt: skip

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


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet, under the number that a spreadsheet shows for it."""

    number: int
    cells: Cells


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook; a CSV file is one sheet without a name."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ListContent:
    """What a file holds: its visible sheets, and how it was read."""

    sheets: tuple[Sheet, ...]
    format: str
    encoding: str | None = None
    delimiter: str | None = None
    hidden_sheets: tuple[str, ...] = ()


def read(content: bytes, file_name: str) -> ListContent | Refusal:
    """Read a list file; `file_name` only serves the words, the content decides what it is."""
    name = safe_name(file_name)
    if not content.strip(b"\x00\r\n\t ;,"):
        return Refusal(RefusalCode.EMPTY, f"Le fichier « {name} » est vide.", f"The file “{name}” is empty.")
    if len(content) > MAXIMUM_BYTES:
        limit = MAXIMUM_BYTES // 1024 // 1024
        return Refusal(
            RefusalCode.TOO_LARGE,
            f"Le fichier dépasse {limit} Mo : coupez-le en plusieurs listes.",
            f"The file is larger than {limit} MB: cut it into several lists.",
        )
    refusal = _refuse_by_content(content)
    if refusal is not None:
        return refusal
    return _read_workbook(content) if content.startswith(b"PK\x03\x04") else _read_text(content)


def safe_name(file_name: str) -> str:
    """The last part of a file's name, without controls, short enough to show and store."""
    last = re.split(r"[\\/]", file_name)[-1]
    return "".join(c for c in last if c.isprintable())[-120:].strip() or "liste"


def _refuse_by_content(content: bytes) -> Refusal | None:
    head = content[:2048].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in content:
            return Refusal(
                RefusalCode.ENCRYPTED,
                "Le classeur est protégé par un mot de passe : enregistrez-le sans protection.",
                "The workbook is protected by a password: save it without protection.",
            )
        return Refusal(
            RefusalCode.OLD_WORKBOOK,
            "Ancien classeur Excel (.xls) : enregistrez-le en .xlsx ou en CSV.",
            "Old Excel workbook (.xls): save it as .xlsx or CSV.",
        )
    if head.startswith(_OTHER_FORMATS):
        return Refusal(
            RefusalCode.NOT_A_LIST,
            "Ce fichier n’est ni un CSV ni un classeur XLSX : enregistrez-le sous l’un de ces formats.",
            "This file is neither a CSV nor an XLSX workbook: save it as one of these.",
        )
    return None


# ---- text files


def _read_text(content: bytes) -> ListContent | Refusal:
    decoded = _decode(content)
    if isinstance(decoded, Refusal):
        return decoded
    text, encoding = decoded
    text, delimiter = _delimiter(text)
    try:
        rows = _csv_rows(text, delimiter, csv.QUOTE_MINIMAL)
        if any(cell.count("\n") > _LINES_IN_A_CELL for row in rows for cell in row.cells):
            rows = _csv_rows(text, delimiter, csv.QUOTE_NONE)
    except csv.Error:
        return Refusal(
            RefusalCode.DAMAGED,
            "Une cellule du fichier est démesurée : vérifiez les guillemets et le séparateur.",
            "A cell of the file is huge: check its quotation marks and its delimiter.",
        )
    if len(rows) > MAXIMUM_ROWS:
        return _too_many_rows()
    return ListContent((Sheet("", rows),), "csv", encoding, delimiter)


def _too_many_rows() -> Refusal:
    return Refusal(
        RefusalCode.TOO_MANY_ROWS,
        f"Plus de {MAXIMUM_ROWS} lignes : coupez la liste en plusieurs fichiers.",
        f"More than {MAXIMUM_ROWS} rows: cut the list into several files.",
    )


def _decode(content: bytes) -> tuple[str, str] | Refusal:
    """A byte-order mark decides, else strict UTF-8, else Windows-1252, which French offices write."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            attempts = [encoding]
            break
    else:
        attempts = ["utf-8", "cp1252"]
    for encoding in attempts:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if text.count("\x00") or _control_share(text) > 0.01:
            break
        return text, encoding
    return Refusal(
        RefusalCode.ENCODING,
        "Le texte du fichier ne se lit pas : enregistrez-le en « CSV UTF-8 ».",
        "The text of the file cannot be read: save it as “CSV UTF-8”.",
    )


def _control_share(text: str) -> float:
    sample = text[:20_000]
    return sum(c < " " and c not in "\t\r\n\f\v" for c in sample) / max(1, len(sample))


def _delimiter(text: str) -> tuple[str, str]:
    """The text without its `sep=` line, and the character that separates its cells most steadily."""
    announced = re.match(r'"?sep=(.)"?\r?\n', text, re.IGNORECASE)
    if announced:
        # The line keeps its place, so that rows keep the numbers that a spreadsheet shows.
        return "\n" + text[announced.end() :], announced[1]
    lines = [line for line in re.sub(r'"[^"]*"', "", text[:200_000]).splitlines() if line.strip()][:60]
    counts = {mark: [line.count(mark) for line in lines] for mark in ";,\t|"}
    best = max(counts, key=lambda mark: (median(counts[mark] or [0]), max(counts[mark], default=0)))
    return text, best


def _csv_rows(text: str, delimiter: str, quoting: int) -> tuple[Row, ...]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    rows = []
    for number, cells in enumerate(reader, start=1):
        if number > MAXIMUM_ROWS + 1:
            break
        rows.append(Row(number, tuple(cells[:MAXIMUM_COLUMNS])))
    while rows and not any(rows[-1].cells):
        rows.pop()
    return tuple(rows)


# ---- workbooks


def _read_workbook(content: bytes) -> ListContent | Refusal:
    damaged = Refusal(
        RefusalCode.DAMAGED,
        "Le classeur est endommagé ou incomplet : ouvrez-le dans Excel et enregistrez-le à nouveau.",
        "The workbook is damaged or incomplete: open it in Excel and save it again.",
    )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return damaged
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        return Refusal(
            RefusalCode.NOT_A_LIST,
            "Cette archive n’est pas un classeur XLSX : joignez le classeur lui-même.",
            "This archive is not an XLSX workbook: send the workbook itself.",
        )
    if sum(part.file_size for part in parts) > MAXIMUM_UNPACKED_BYTES:
        return Refusal(
            RefusalCode.TOO_LARGE,
            "Le classeur, une fois décompressé, est démesuré : copiez la liste dans un classeur neuf.",
            "Once unpacked, the workbook is huge: copy the list into a new workbook.",
        )
    try:
        return _workbook_sheets(CalamineWorkbook.from_filelike(io.BytesIO(content)))
    except (CalamineError, ValueError, OSError):
        return damaged


def _workbook_sheets(workbook: CalamineWorkbook) -> ListContent | Refusal:
    sheets, hidden, total = [], [], 0
    for about in workbook.sheets_metadata:
        if about.typ is not SheetTypeEnum.WorkSheet:
            continue
        if about.visible is not SheetVisibleEnum.Visible:
            hidden.append(about.name)
            continue
        rows = tuple(_trimmed(workbook.get_sheet_by_name(about.name).to_python(skip_empty_area=False)))
        total += len(rows)
        if total > MAXIMUM_ROWS:
            return _too_many_rows()
        sheets.append(Sheet(about.name[:80], rows))
    return ListContent(tuple(sheets), "xlsx", hidden_sheets=tuple(hidden))


def _trimmed(values: Sequence[Sequence[object]]) -> Iterator[Row]:
    """The rows down to the last one that holds something: ghost rows to the end of the sheet are left out."""
    last = len(values)
    while last and not any(value not in {"", None} for value in values[last - 1]):
        last -= 1
    for number, row in enumerate(values[:last], start=1):
        yield Row(number, tuple(cell_text(value) for value in row[:MAXIMUM_COLUMNS]))


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


def describe(content: ListContent) -> dict[str, object]:
    """How a file was read, for its report."""
    return {
        "format": content.format,
        "encoding": content.encoding,
        "delimiter": content.delimiter,
        "sheets": [sheet.name for sheet in content.sheets],
        "hidden_sheets": list(content.hidden_sheets),
        "rows": dict(Counter({sheet.name: len(sheet.rows) for sheet in content.sheets})),
    }
