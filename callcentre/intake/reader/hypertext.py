"""Web pages and XML spreadsheets that carry an Excel name: what school software calls "export Excel"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from callcentre.intake.reader import words
from callcentre.intake.reader.content import (
    MAXIMUM_CELL,
    MAXIMUM_COLUMNS,
    MAXIMUM_ROWS,
    Choice,
    ListContent,
    Refused,
    Row,
    Sheet,
)
from callcentre.intake.reader.decoding import Decoding, decoding, repair
from callcentre.intake.reader.packed import PackedRows, packed_rows
from callcentre.intake.reader.workbooks import plain_text

_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{3,20})""", re.IGNORECASE)
_HTML = re.compile(rb"<(?:!doctype html|html|table|meta|head|style|body)\b", re.IGNORECASE)
_XML_SHEET = b"urn:schemas-microsoft-com:office:spreadsheet"
_BLANK_CELL = "\u00a0"


def is_web_page(head: bytes) -> bool:
    """Whether the first bytes are those of a web page."""
    return _HTML.match(head) is not None or (head.startswith(b"<?xml") and _HTML.search(head) is not None)


def is_xml_spreadsheet(head: bytes) -> bool:
    """Whether the first bytes are those of an Excel 2003 XML spreadsheet."""
    return head.startswith((b"<?xml", b"<workbook", b"<ss:workbook")) and _XML_SHEET in head


def read_web_page(content: bytes, choice: Choice) -> ListContent:
    """The largest tables of a web page, each a sheet; raises Refused when there is none."""
    how = _declared(content, choice)
    text = how.content.decode(how.codec, "replace")
    tables = _Tables()
    try:
        tables.feed(repair(text) if how.repairs else text)
        tables.close()
    except (AssertionError, RecursionError) as error:
        raise Refused(words.no_table()) from error
    found = [rows for rows in tables.found if sum(any(row) for row in rows) > 1]
    if not found:
        raise Refused(words.no_table())
    sheets = [
        _sheet("" if len(found) == 1 else f"Tableau {n}", rows) for n, rows in enumerate(found, start=1)
    ]
    return ListContent(tuple(sheets), "html", how.said, encoding_why=how.why)


def _declared(content: bytes, choice: Choice) -> Decoding:
    said = _CHARSET.search(content[:4096])
    if choice.encoding is None and said is not None:
        name = said[1].decode("ascii").lower()
        name = {"iso-8859-1": "cp1252", "windows-1252": "cp1252", "macintosh": "mac_roman"}.get(name, name)
        try:
            content.decode(name)
            "é".encode(name)
        except (LookupError, UnicodeError):
            return decoding(content)
        if name not in {"utf-16", "unicode"}:
            found = decoding(content, name)
            return Decoding(found.content, name, name, "declared", repairs=found.repairs)
    return decoding(content, choice.encoding)


def _sheet(name: str, rows: list[list[str]]) -> Sheet:
    last = max((n for n, row in enumerate(rows, start=1) if any(row)), default=0)
    plain = (Row(n, tuple(_cell(text) for text in row)) for n, row in enumerate(rows[:last], start=1))
    return Sheet(name, PackedRows(tuple(packed_rows(plain)), last))


def _cell(text: str) -> str:
    lines = (" ".join(line.replace(_BLANK_CELL, " ").split()) for line in text.split("\n"))
    return plain_text("\n".join(line for line in lines if line)[:MAXIMUM_CELL])[0]


class _Tables(HTMLParser):
    """The tables of a page, cells that span rows or columns filled like merged ones."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[list[list[str]]] = []
        self._open: list[list[list[str]]] = []
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._below: list[dict[int, tuple[int, str]]] = []
        self._rows = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell."""
        if tag == "table":
            self._end_cell()
            self._open.append([])
            self._below.append({})
        elif not self._open:
            return
        elif tag == "tr":
            self._end_cell()
            self._new_row()
        elif tag in {"td", "th"}:
            self._end_cell()
            if not self._open[-1]:
                self._new_row()
            said = dict(attrs)
            self._span = (_span(said.get("colspan")), _span(said.get("rowspan")))
            self._cell = []
        elif tag in {"br", "p", "div"} and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Close a cell or a table."""
        if tag in {"td", "th", "tr", "table"}:
            self._end_cell()
        if tag == "table" and self._open:
            self.found.append(self._open.pop())
            self._below.pop()

    def handle_data(self, data: str) -> None:
        """Take a cell's text."""
        if self._cell is not None:
            self._cell.append(data.replace("\r", " ").replace("\n", " "))

    def close(self) -> None:
        """Keep the tables that a cut file leaves open."""
        super().close()
        while self._open:
            self.handle_endtag("table")

    def _new_row(self) -> None:
        self._rows += 1
        if self._rows > MAXIMUM_ROWS:
            raise Refused(words.too_many_rows())
        self._open[-1].append([])
        self._from_above()

    def _from_above(self) -> None:
        """Put in the cells that began in a row above and reach down to here."""
        row, below = self._open[-1][-1], self._below[-1]
        while len(row) in below:
            at = len(row)
            left, text = below.pop(at)
            row.append(text)
            if left > 1:
                below[at] = (left - 1, text)
                break
        # A cell that goes on keeps its place for the next row; the ones after it may go on here too.
        if row and len(row) - 1 in below and len(row) in below:
            self._from_above()

    def _end_cell(self) -> None:
        if self._cell is None or not self._open:
            return
        text, (columns, rows) = "".join(self._cell).strip(), self._span
        self._cell = None
        row = self._open[-1][-1]
        for at in range(columns):
            if len(row) >= MAXIMUM_COLUMNS:
                break
            if rows > 1:
                self._below[-1][len(row)] = (rows - 1, text if at == 0 else "")
            row.append(text if at == 0 else "")
        self._from_above()


def _span(text: str | None) -> int:
    return max(1, min(int(text), MAXIMUM_COLUMNS)) if text and text.isdecimal() and len(text) < 7 else 1


# ---- Excel 2003 XML


def read_xml_spreadsheet(content: bytes) -> ListContent:
    """An XML spreadsheet's sheets; raises Refused."""
    sheets: list[Sheet] = []
    hidden: list[str] = []
    try:
        for name, visible, rows in _xml_sheets(content):
            if visible:
                sheets.append(_sheet(name[:80], rows))
            else:
                hidden.append(name[:80])
    except (DefusedXmlException, SyntaxError, ValueError) as error:
        refusal = words.declares_entities() if isinstance(error, DefusedXmlException) else words.damaged()
        raise Refused(refusal) from error
    return ListContent(tuple(sheets), "xml", hidden_sheets=tuple(hidden))


def _xml_sheets(content: bytes) -> Iterator[tuple[str, bool, list[list[str]]]]:
    rows: list[list[str]] = []
    name, visible = "", True
    for event, element in defusedxml.ElementTree.iterparse(
        BytesIO(content), events=("start", "end"), forbid_dtd=True
    ):
        tag, said = (
            element.tag.rpartition("}")[2],
            {k.rpartition("}")[2]: v for k, v in element.attrib.items()},
        )
        if event == "start":
            if tag == "Worksheet":
                name, visible, rows = said.get("Name", ""), True, []
            continue
        if tag == "Visible":
            visible = (element.text or "").strip() == "SheetVisible"
        elif tag == "Row":
            at = _span_index(said.get("Index"), len(rows) + 1)
            if at > MAXIMUM_ROWS:
                raise Refused(words.too_many_rows())
            rows += [[] for _ in range(at - 1 - len(rows))]
            rows.append(_xml_row(element))
            element.clear()
        elif tag == "Worksheet":
            yield name, visible, rows
            element.clear()


def _xml_row(element: Any) -> list[str]:
    cells: list[str] = []
    for cell in element:
        said = {key.rpartition("}")[2]: value for key, value in cell.attrib.items()}
        at = min(_span_index(said.get("Index"), len(cells) + 1), MAXIMUM_COLUMNS)
        cells += [""] * (at - 1 - len(cells))
        data = next((one for one in cell if one.tag.rpartition("}")[2] == "Data"), None)
        text = "" if data is None else "".join(data.itertext())
        kind = "" if data is None else next((v for k, v in data.attrib.items() if k.endswith("Type")), "")
        cells.append(_xml_value(text, kind))
        cells += [""] * (_span_index(said.get("MergeAcross"), 0) if len(cells) < MAXIMUM_COLUMNS else 0)
    return cells[:MAXIMUM_COLUMNS]


def _xml_value(text: str, kind: str) -> str:
    if kind == "DateTime":
        return text.removesuffix(".000").replace("T00:00:00", "").replace("T", " ")
    if kind == "Number":
        return text.removesuffix(".0")
    return "" if kind == "Error" else text


def _span_index(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 8 else otherwise
