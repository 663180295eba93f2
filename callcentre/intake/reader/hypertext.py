"""Web pages that carry an Excel name: what school software calls "export Excel"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from callcentre.intake.reader import words
from callcentre.intake.reader.content import MAXIMUM_COLUMNS, MAXIMUM_ROWS, Choice, ListContent, Refused
from callcentre.intake.reader.decoding import Decoding, decoding, repair
from callcentre.intake.reader.packed import assembled, end_line
from callcentre.intake.reader.second_look import Seen
from callcentre.intake.reader.workbooks import SheetTable

_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{3,20})""", re.IGNORECASE)
_HTML = re.compile(rb"<(?:!doctype html|html|table|meta|head|style|body)\b", re.IGNORECASE)
_BLANK_CELL = "\u00a0"


def is_web_page(head: bytes) -> bool:
    """Whether the first bytes are those of a web page."""
    return _HTML.match(head) is not None or (head.startswith(b"<?xml") and _HTML.search(head) is not None)


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
    found = [table for table in tables.found if sum(any(row) for row in table.rows) > 1]
    if not found:
        raise Refused(words.no_table())
    content_read = assembled(_lines(found))
    assert content_read is not None
    return replace(content_read, encoding=how.said, encoding_why=how.why)


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


@dataclass(slots=True)
class _Table:
    """A table of a page: its rows, and what a spreadsheet had hidden before it was saved as a page."""

    rows: list[list[str]] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    columns: int = 0
    below: dict[int, tuple[int, str]] = field(default_factory=dict)
    """By column: for how many rows more a cell goes on, and its text."""


def _lines(tables: list[_Table]) -> Iterator[bytes]:
    for number, table in enumerate(tables, start=1):
        name = "" if len(tables) == 1 else f"Tableau {number}"
        rows = ([_cell(text) for text in row] for row in table.rows)
        yield from SheetTable(name, table.seen, []).lines(rows)
    yield end_line("html", [])


def _cell(text: str) -> str:
    lines = (" ".join(line.replace(_BLANK_CELL, " ").split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


class _Tables(HTMLParser):
    """The tables of a page, cells that span rows or columns filled like merged ones."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[_Table] = []
        self._open: list[_Table] = []
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._rows = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell."""
        if tag == "table":
            self._end_cell()
            self._open.append(_Table())
        elif not self._open:
            return
        elif tag == "tr":
            self._end_cell()
            self._new_row(is_hidden=_is_hidden(attrs))
        elif tag == "col":
            self._column(attrs)
        elif tag in {"td", "th"}:
            self._end_cell()
            if not self._open[-1].rows:
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

    def handle_data(self, data: str) -> None:
        """Take a cell's text."""
        if self._cell is not None:
            self._cell.append(data.replace("\r", " ").replace("\n", " "))

    def close(self) -> None:
        """Keep the tables that a cut file leaves open."""
        super().close()
        while self._open:
            self.handle_endtag("table")

    def _column(self, attrs: list[tuple[str, str | None]]) -> None:
        table = self._open[-1]
        first = table.columns
        table.columns = min(first + _span(dict(attrs).get("span")), MAXIMUM_COLUMNS)
        if _is_hidden(attrs):
            table.seen.hidden_columns.update(range(first, table.columns))

    def _new_row(self, *, is_hidden: bool = False) -> None:
        self._rows += 1
        if self._rows > MAXIMUM_ROWS:
            raise Refused(words.too_many_rows())
        table = self._open[-1]
        table.rows.append([])
        if is_hidden:
            table.seen.hidden_rows.add(len(table.rows))
        self._from_above()

    def _from_above(self) -> None:
        """Put in the cells that began in a row above and reach down to here."""
        row, below = self._open[-1].rows[-1], self._open[-1].below
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
        row, below = self._open[-1].rows[-1], self._open[-1].below
        for at in range(columns):
            if len(row) >= MAXIMUM_COLUMNS:
                break
            if rows > 1:
                below[len(row)] = (rows - 1, text if at == 0 else "")
            row.append(text if at == 0 else "")
        self._from_above()


def _is_hidden(attrs: list[tuple[str, str | None]]) -> bool:
    """Whether a row or a column is not displayed."""
    return "display:none" in (dict(attrs).get("style") or "").replace(" ", "").lower()


def _span(text: str | None) -> int:
    return max(1, min(int(text), MAXIMUM_COLUMNS)) if text and text.isdecimal() and len(text) < 7 else 1
