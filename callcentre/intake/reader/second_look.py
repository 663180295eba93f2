"""What the workbook reader does not tell: hidden rows and columns, formulas without a result, error cells, the
year from which bare numbers count days.

Seen by parsing the sheets' XML once more, as a stream; in old workbooks by xlrd; in xlsb not at all, which is said.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from callcentre.intake.reader import words
from callcentre.intake.reader.content import MAXIMUM_COLUMNS, Refused

_MOST = 10_000
"""Cells and rows that are remembered, of each kind and sheet."""
_TELLING = (b"hidden=", b"<f>", b"<f ", b"<f/", b":f>", b":f ", b":f/", b't="e"', b"t='e'")
_BLOCK = 1024 * 1024
_OLD_ERROR = 5
"""The type that xlrd gives an error cell."""


@dataclass(slots=True)
class Seen:
    """What there is to say of a sheet: rows from 1, columns from 0."""

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    without_value: set[tuple[int, int]] = field(default_factory=set)
    errors: set[tuple[int, int]] = field(default_factory=set)

    def add_cell(self, kind: set[tuple[int, int]], row: int, column: int) -> None:
        """Remember a cell, unless there are absurdly many."""
        if len(kind) < _MOST and column < MAXIMUM_COLUMNS:
            kind.add((row, column))


@dataclass(frozen=True, slots=True)
class Looks:
    """What was seen of a workbook: its sheets by name, and whether it counts days from 1904."""

    sheets: dict[str, Seen] = field(default_factory=dict)
    dates_from_1904: bool = False

    def of(self, sheet: str) -> Seen:
        """What there is to say of a sheet."""
        return self.sheets.get(sheet) or Seen()


class Unseen(Exception):
    """The second look failed; the rows were read all the same."""


def look(content: bytes, form: str) -> Looks:
    """Look at a workbook again; raises Unseen when that is not possible, Refused when a password protects it."""
    try:
        if form == "xlsx":
            with zipfile.ZipFile(BytesIO(content)) as archive:
                workbook = _part(archive, "xl/workbook.xml")
                sheets = {name: _sheet(archive, part) for name, part in _sheet_parts(archive, workbook)}
                return Looks(sheets, _counts_from_1904(workbook))
        if form == "ods":
            with zipfile.ZipFile(BytesIO(content)) as archive, archive.open("content.xml") as part:
                return _open_document(part)
        if form == "xls":
            return _old(content)
    except (DefusedXmlException, SyntaxError, KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise Unseen from error
    raise Unseen


# ---- xlsx


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _part(archive: zipfile.ZipFile, path: str) -> Any:
    """A part's XML, whatever the case of its name."""
    names = {name.lower(): name for name in archive.namelist()}
    return defusedxml.ElementTree.fromstring(archive.read(names[path]))


def _counts_from_1904(workbook: Any) -> bool:
    return any(
        _local(element.tag) == "workbookPr" and element.get("date1904") in {"1", "true"}
        for element in workbook
    )


def _sheet_parts(archive: zipfile.ZipFile, workbook: Any) -> Iterator[tuple[str, str]]:
    names = {name.lower(): name for name in archive.namelist()}
    targets = {one.get("Id"): one.get("Target", "") for one in _part(archive, "xl/_rels/workbook.xml.rels")}
    for element in workbook.iter():
        if _local(element.tag) == "sheet":
            identity = next(
                (v for key, v in element.attrib.items() if _local(key) == "id" and "}" in key), None
            )
            target = targets.get(identity, "")
            path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
            if path.lower() in names:
                yield element.get("name", ""), names[path.lower()]


def _is_telling(archive: zipfile.ZipFile, part: str) -> bool:
    """Whether a sheet's XML has anything to tell: most have not, and need not be parsed."""
    with archive.open(part) as stream:
        tail = b""
        while block := stream.read(_BLOCK):
            text = tail + block
            if any(sign in text for sign in _TELLING):
                return True
            tail = block[-64:]
    return False


def _sheet(archive: zipfile.ZipFile, part: str) -> Seen:
    seen = Seen()
    if not _is_telling(archive, part):
        return seen
    with archive.open(part) as stream:
        row = column = 0
        parents: list[Any] = []
        for event, element in defusedxml.ElementTree.iterparse(stream, events=("start", "end")):
            name = _local(element.tag)
            if event == "start":
                parents.append(element)
                if name == "row":
                    row = _number(element.get("r"), row + 1)
                    column = -1
                    if element.get("hidden") in {"1", "true"} and len(seen.hidden_rows) < _MOST:
                        seen.hidden_rows.add(row)
                elif name == "col" and element.get("hidden") in {"1", "true"}:
                    first, last = _number(element.get("min"), 1), _number(element.get("max"), 1)
                    seen.hidden_columns.update(range(first - 1, min(last, MAXIMUM_COLUMNS)))
                continue
            parents.pop()
            if name == "c":
                column = _column(element.get("r"), column + 1)
                _cell(seen, element, row, column)
            if name in {"c", "row"} and parents:
                element.clear()
                if name == "row":
                    parents[-1].remove(element)
    return seen


def _cell(seen: Seen, element: Any, row: int, column: int) -> None:
    if element.get("t") == "e":
        seen.add_cell(seen.errors, row, column)
        return
    parts = {_local(child.tag): child for child in element}
    if "f" in parts and ("v" not in parts or parts["v"].text is None) and element.get("t") != "str":
        seen.add_cell(seen.without_value, row, column)


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdecimal() and len(text) < 9 else otherwise


def _column(reference: str | None, otherwise: int) -> int:
    letters = re.match(r"[A-Z]{1,3}", reference or "")
    if letters is None:
        return otherwise
    index = 0
    for letter in letters[0]:
        index = 26 * index + ord(letter) - 64
    return index - 1


# ---- ods


class _OpenDocument:
    """Goes through the content of an ods, whose rows, columns and cells may stand for several."""

    def __init__(self) -> None:
        self.found: dict[str, Seen] = {}
        self.dates_from_1904 = False
        self._seen = Seen()
        self._row = self._column = self._columns = 0

    def start(self, name: str, said: dict[str, str]) -> None:
        """A sheet begins."""
        if name == "table":
            self._seen = self.found.setdefault(said.get("name", ""), Seen())
            self._row = self._column = self._columns = 0

    def end(self, name: str, said: dict[str, str], element: Any) -> None:
        """A column, a cell or a row has ended, or what is said of all dates."""
        if name == "null-date":
            self.dates_from_1904 = said.get("date-value", "").startswith("1904")
            return
        is_hidden = said.get("visibility") in {"collapse", "filter"}
        times = _number(said.get("number-columns-repeated"), 1)
        if name == "table-column":
            if is_hidden:
                last = min(self._columns + times, MAXIMUM_COLUMNS)
                self._seen.hidden_columns.update(range(self._columns, last))
            self._columns += times
        elif name in {"table-cell", "covered-table-cell"}:
            if "formula" in said:
                self._formula(said, element)
            self._column += times
        elif name == "table-row":
            times = _number(said.get("number-rows-repeated"), 1)
            if is_hidden and len(self._seen.hidden_rows) < _MOST:
                self._seen.hidden_rows.update(range(self._row + 1, self._row + 1 + min(times, _MOST)))
            self._row += times
            self._column = 0

    def _formula(self, said: dict[str, str], element: Any) -> None:
        text = "".join(element.itertext())
        if text.startswith(("#", "Err:")):
            self._seen.add_cell(self._seen.errors, self._row + 1, self._column)
        elif said.get("value-type") is None:
            self._seen.add_cell(self._seen.without_value, self._row + 1, self._column)


def _open_document(part: Any) -> Looks:
    document = _OpenDocument()
    parents: list[Any] = []
    for event, element in defusedxml.ElementTree.iterparse(part, events=("start", "end")):
        name = _local(element.tag)
        said = {_local(key): value for key, value in element.attrib.items()}
        if event == "start":
            parents.append(element)
            document.start(name, said)
            continue
        parents.pop()
        document.end(name, said, element)
        if name == "table-row" and parents:
            parents[-1].remove(element)
    return Looks(document.found, document.dates_from_1904)


# ---- xls


def _old(content: bytes) -> Looks:
    import xlrd
    from xlrd.biffh import XLRDError

    try:
        with xlrd.open_workbook(file_contents=content, formatting_info=True, logfile=_Silence()) as book:
            return Looks({sheet.name: _old_sheet(sheet) for sheet in book.sheets()}, book.datemode == 1)
    except MemoryError:
        raise
    except Exception as error:
        # xlrd fails on a damaged workbook in any way that indexing bytes can fail; of a password it says so.
        if isinstance(error, XLRDError) and "encrypted" in str(error):
            raise Refused(words.encrypted()) from error
        raise Unseen from error


def _old_sheet(sheet: Any) -> Seen:
    seen = Seen()
    seen.hidden_rows = {number + 1 for number, info in sheet.rowinfo_map.items() if info.hidden}
    for number, info in sheet.colinfo_map.items():
        if info.hidden and number < MAXIMUM_COLUMNS:
            seen.hidden_columns.add(number)
    for number in range(sheet.nrows):
        for column, kind in enumerate(sheet.row_types(number)):
            if kind == _OLD_ERROR:
                seen.add_cell(seen.errors, number + 1, column)
    return seen


class _Silence:
    """Where xlrd's remarks on odd files go."""

    def write(self, _text: str) -> int:
        """Take a remark."""
        return 0

    def flush(self) -> None:
        """Nothing to do."""
