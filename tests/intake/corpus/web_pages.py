"""Corpus: web pages and XML that carry an Excel name, as school software exports them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from html import escape
from random import Random

from tests.intake.corpus.making import HEADERS
from tests.intake.corpus.registry import Expected, Family, case
from tests.intake.corpus.text import BERENGER, BOTH
from tests.intake.corpus.workbooks import two


def _add(
    name: str, about: str, build: Callable[[Random], bytes], expected: Expected, file_name: str = "export.xls"
) -> None:
    case(f"workbook-{name}", Family.WORKBOOKS, build, expected, about=about, file_name=file_name)


def _page(rows: Sequence[Sequence[str]], head: str = "", charset: str = "utf-8") -> bytes:
    cells = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>\n" for row in rows)
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">'
    return f"<html><head>{meta}</head><body><table border=1>{head}{cells}</table></body></html>".encode(
        "cp1252" if charset != "utf-8" else charset
    )


_add(
    "html",
    "a web page called .xls, as school software exports it",
    lambda random: _page(two(random)),
    Expected(people=BOTH, read={"format": "html"}, others="created"),
    "export.xls",
)
_add(
    "html-cp1252",
    "the same in the encoding that it declares",
    lambda random: _page(two(random), charset="windows-1252"),
    Expected(people=BOTH, read={"encoding": "cp1252"}, others="created"),
    "export.xls",
)
_add(
    "html-spans",
    "a web page with a title over all columns, a PSAD over two rows, no closing tags",
    lambda random: (
        "<TABLE><TR><TH colspan=8>Jeunes sans solution<TR>"
        + "".join(f"<TH>{h}" for h in HEADERS)
        + "".join(
            "<TR>"
            + "".join(f"<TD>{c}" for c in row[:7])
            + ("<TD rowspan=2>PSAD Marseille Nord" if n == 0 else "")
            for n, row in enumerate(two(random)[1:])
        )
        + "</TABLE>"
    ).encode(),
    Expected(people=BOTH, rows={"1": "ignored", "3": "created", "4": "created"}),
    "export.xls",
)
_SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"
_add(
    "xml-2003",
    "an XML spreadsheet of Excel 2003, with cells that are skipped",
    lambda random: (
        f'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="{_SPREADSHEET}"'
        f' xmlns:ss="{_SPREADSHEET}"><Worksheet ss:Name="Liste"><Table>'
        + "".join(
            "<Row>"
            + "".join(f'<Cell><Data ss:Type="String">{escape(c)}</Data></Cell>' for c in row)
            + "</Row>"
            for row in two(random)
        )
        + '<Row ss:Index="6"><Cell ss:Index="2"><Data ss:Type="String">Total : 2</Data></Cell></Row>'
        "</Table></Worksheet></Workbook>"
    ).encode(),
    Expected(people=BOTH, read={"format": "xml"}, rows={"2": "created", "3": "created"}),
    "export.xls",
)
_add(
    "html-hidden",
    "a workbook that was saved as a web page with a hidden row and a hidden column: read, and said",
    lambda random: (
        "<table><col span=5><col style='display:none'><col span=2>"
        + "".join(
            f"<tr{' style=' + chr(39) + 'height:0; display: none' + chr(39) if n == 2 else ''}>"
            + "".join(f"<td>{c}</td>" for c in row)
            + "</tr>"
            for n, row in enumerate(two(random))
        )
        + "</table>"
    ).encode(),
    Expected(people=BOTH, rows={"3": ("created", "hidden_row")}, notes=("hidden_row", "hidden_column")),
    "liste.xls",
)


def _xml_hidden(random: Random) -> bytes:
    """A row and a column hidden, a PSAD merged downwards, a failed look-up, a result never stored, days from 1904."""
    rows = [[f'<Cell><Data ss:Type="String">{escape(c)}</Data></Cell>' for c in row] for row in two(random)]
    days = (date(2008, 2, 14) - date(1904, 1, 1)).days
    rows[1][3] = f'<Cell><Data ss:Type="Number">{days}</Data></Cell>'
    rows[1][5] = '<Cell ss:Formula="=R1C1"></Cell>'
    rows[1][7] = rows[1][7].replace("<Cell>", '<Cell ss:MergeDown="1">')
    rows[2][6] = '<Cell><Data ss:Type="Error">#REF!</Data></Cell>'
    del rows[2][7]
    lines = "".join(
        f"<Row{hidden}>{''.join(cells)}</Row>"
        for cells, hidden in zip(rows, ("", "", ' ss:Hidden="1"'), strict=True)
    )
    return (
        f'<?xml version="1.0"?><Workbook xmlns="{_SPREADSHEET}" xmlns:ss="{_SPREADSHEET}">'
        '<ExcelWorkbook xmlns="urn:schemas-microsoft-com:office:excel"><Date1904/></ExcelWorkbook>'
        f'<Worksheet ss:Name="Liste"><Table><Column ss:Index="6" ss:Hidden="1"/>{lines}</Table></Worksheet></Workbook>'
    ).encode()


_add(
    "xml-2003-hidden",
    "an XML spreadsheet of 2003 with hidden row and column, merged cells, an error, a formula without result, 1904",
    _xml_hidden,
    Expected(
        rows={
            "2": ("created", "formula_without_value"),
            "3": ("created", "hidden_row", "cell_error"),
        },
        has=(replace(BERENGER, callable=("+33639981234",), owners={}),),
        notes=("hidden_row", "hidden_column", "cell_error", "formula_without_value", "merged_cells"),
    ),
    "export.xls",
)
