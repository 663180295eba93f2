"""Tables as files: CSV for any spreadsheet, XLSX with a bold first line; no cell is ever run as a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from typing import Any

from flask import Response

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""A text that starts with one of these would be run by a spreadsheet; an apostrophe before it keeps it a text."""

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def file(kind: str, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A table as a file to keep: `kind` is csv or xlsx."""
    body, mimetype = (
        (as_xlsx(name, header, rows), _XLSX) if kind == "xlsx" else (as_csv(header, rows), "text/csv")
    )
    response = Response(body, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Semicolons and a byte order mark: what a French spreadsheet opens with its accents at a double click."""
    text = StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([harmless(cell) for cell in header])
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(title: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """One sheet, its first line bold and fixed."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    bold = [WriteOnlyCell(sheet, value=harmless(cell)) for cell in header]
    for cell in bold:
        cell.font = Font(bold=True)
    sheet.append(bold)
    for row in rows:
        sheet.append([harmless(cell) for cell in row])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def harmless(value: Any) -> Any:
    """A text that no spreadsheet takes for a formula; numbers stay numbers."""
    if isinstance(value, str):
        value = value.replace("\u202f", " ").replace("\u00a0", " ")
        return f"'{value}" if value.startswith(FORMULA_SIGNS) else value
    return value
