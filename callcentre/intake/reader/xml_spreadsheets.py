"""XML spreadsheets of Excel 2003, read like any workbook: merged cells, hidden rows, error cells, formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from callcentre.intake.reader import words
from callcentre.intake.reader.content import MAXIMUM_COLUMNS, MAXIMUM_ROWS, ListContent, Refused
from callcentre.intake.reader.packed import assembled, end_line
from callcentre.intake.reader.second_look import Seen
from callcentre.intake.reader.workbooks import Area, SheetTable

_XML_SHEET = b"urn:schemas-microsoft-com:office:spreadsheet"


def is_xml_spreadsheet(head: bytes) -> bool:
    """Whether the first bytes are those of an Excel 2003 XML spreadsheet."""
    return head.startswith((b"<?xml", b"<workbook", b"<ss:workbook")) and _XML_SHEET in head


def read_xml_spreadsheet(content: bytes) -> ListContent:
    """An XML spreadsheet's sheets; raises Refused."""
    try:
        found = assembled(_lines(content))
    except (DefusedXmlException, SyntaxError, ValueError) as error:
        refusal = words.declares_entities() if isinstance(error, DefusedXmlException) else words.damaged()
        raise Refused(refusal) from error
    assert found is not None
    return found


@dataclass(slots=True)
class _Page:
    """One worksheet while it is read."""

    name: str = ""
    is_visible: bool = True
    rows: list[list[str]] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    areas: list[Area] = field(default_factory=list)
    columns: int = 0


def _lines(content: bytes) -> Iterator[bytes]:
    hidden: list[str] = []
    page = _Page()
    from_1904 = False
    for event, element in defusedxml.ElementTree.iterparse(
        BytesIO(content), events=("start", "end"), forbid_dtd=True
    ):
        tag = _local(element.tag)
        if event == "start":
            if tag == "Worksheet":
                page = _Page(_said(element).get("Name", "")[:80])
        elif tag == "Date1904":
            from_1904 = True
        elif tag == "Visible":
            page.is_visible = (element.text or "").strip() == "SheetVisible"
        elif tag == "Column":
            _add_column(page, _said(element))
        elif tag == "Row":
            _add_row(page, element)
            element.clear()
        elif tag == "Worksheet":
            if page.is_visible:
                yield from SheetTable(page.name, page.seen, page.areas).lines(page.rows)
            else:
                hidden.append(page.name)
            element.clear()
    yield end_line("xml", hidden, dates_from_1904=from_1904)


def _add_column(page: _Page, said: dict[str, str]) -> None:
    first = _number(said.get("Index"), page.columns + 1)
    last = first + _number(said.get("Span"), 0)
    if said.get("Hidden") == "1":
        page.seen.hidden_columns.update(range(first - 1, min(last, MAXIMUM_COLUMNS)))
    page.columns = last


def _add_row(page: _Page, element: Any) -> None:
    said = _said(element)
    at = _number(said.get("Index"), len(page.rows) + 1)
    if at > MAXIMUM_ROWS:
        raise Refused(words.too_many_rows())
    page.rows += [[] for _ in range(at - 1 - len(page.rows))]
    number = len(page.rows) + 1
    if said.get("Hidden") == "1":
        page.seen.hidden_rows.add(number)
    cells: list[str] = []
    for cell in element:
        if _local(cell.tag) == "Cell" and len(cells) < MAXIMUM_COLUMNS:
            _add_cell(page, number, cells, cell)
    page.rows.append(cells)


def _add_cell(page: _Page, row: int, cells: list[str], cell: Any) -> None:
    said = _said(cell)
    at = min(_number(said.get("Index"), len(cells) + 1), MAXIMUM_COLUMNS)
    cells += [""] * (at - 1 - len(cells))
    column = len(cells)
    data = next((one for one in cell if _local(one.tag) == "Data"), None)
    text = "" if data is None else "".join(data.itertext())
    kind = "" if data is None else _said(data).get("Type", "")
    if kind == "Error":
        page.seen.add_cell(page.seen.errors, row, column)
    elif "Formula" in said and not text and kind != "String":
        page.seen.add_cell(page.seen.without_value, row, column)
    cells.append(_value(text, kind))
    across, down = _number(said.get("MergeAcross"), 0), _number(said.get("MergeDown"), 0)
    cells += [""] * min(across, MAXIMUM_COLUMNS - len(cells))
    if across or down:
        page.areas.append((row, column, min(row + down, MAXIMUM_ROWS), column + across))


def _value(text: str, kind: str) -> str:
    if kind == "DateTime":
        return text.removesuffix(".000").replace("T00:00:00", "").replace("T", " ")
    if kind == "Number":
        return text.removesuffix(".0")
    return "" if kind == "Error" else text


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _said(element: Any) -> dict[str, str]:
    """An element's attributes without their name spaces."""
    return {_local(key): value for key, value in element.attrib.items()}


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and text.isascii() and len(text) < 8 else otherwise
