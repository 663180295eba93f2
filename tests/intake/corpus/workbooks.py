"""Corpus: workbooks of every format, and what they hide."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from html import escape
from random import Random

import xlwt
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet
from xlwt.CompoundDoc import XlsDoc

from tests.intake.corpus.making import saved, someone, table, workbook
from tests.intake.corpus.registry import Expected, Family, Person, case
from tests.intake.corpus.text import BERENGER, BOTH, berenger, leboeuf

Values = list[list[object]]


def two(random: Random) -> list[list[str]]:
    """A header and two people."""
    return table([berenger(random), leboeuf(random)])


def typed(rows: Sequence[Sequence[str]]) -> Values:
    """Rows whose birth dates are dates and whose numbers are numbers, as Excel has them."""
    found: Values = [list(rows[0])]
    for row in rows[1:]:
        values: list[object] = list(row)
        day = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", row[3])
        if day:
            values[3] = datetime(int(day[3]), int(day[2]), int(day[1]))  # noqa: DTZ001 -- Excel's dates have no zone
        for at in (4, 5, 6):
            if row[at].isdecimal():
                values[at] = int(row[at])
        found.append(values)
    return found


def book_of(rows: Sequence[Sequence[object]]) -> tuple[Workbook, Worksheet]:
    """A workbook of one sheet, to be made worse."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = "Liste"
    for row in rows:
        page.append(list(row))
    return book, page


def _add(
    name: str, about: str, build: Callable[[Random], bytes], expected: Expected, file_name: str = "liste.xlsx"
) -> None:
    case(f"workbook-{name}", Family.WORKBOOKS, build, expected, about=about, file_name=file_name)


ALL = Expected(people=BOTH, others="created")

# ---- xlsx

_add(
    "typed",
    "dates that are dates, numbers that have lost their zero",
    lambda random: workbook({"Liste": typed(two(random))}),
    Expected(people=BOTH, read={"format": "xlsx"}, others="created"),
)
_add(
    "several-sheets",
    "one sheet for each PSAD, and a sheet of explanations without a header",
    lambda random: workbook(
        {
            "Centre": table([berenger(random)]),
            "Nord": table([leboeuf(random)]),
            "Lisez-moi": [["Bonjour"], ["Merci"]],
        }
    ),
    Expected(
        people=BOTH, read={"unread_sheets": ("Lisez-moi",)}, rows={"Centre!2": "created", "Nord!2": "created"}
    ),
)


def _hidden_sheet(random: Random) -> bytes:
    book, _ = book_of(table([berenger(random)]))
    extra = book.create_sheet("Ancienne liste")
    for row in table([leboeuf(random)]):
        extra.append(row)
    extra.sheet_state = "hidden"
    return saved(book)


_add(
    "hidden-sheet",
    "a hidden sheet of last year's people: named, not read",
    _hidden_sheet,
    Expected(people=(BERENGER,), read={"hidden_sheets": ("Ancienne liste",)}),
)


def _hidden_rows(random: Random) -> bytes:
    book, page = book_of(two(random))
    page.row_dimensions[3].hidden = True
    page.column_dimensions["F"].hidden = True
    return saved(book)


_add(
    "hidden-row-and-column",
    "a row and a column hidden by a filter that somebody forgot: read, and said",
    _hidden_rows,
    Expected(people=BOTH, rows={"3": ("created", "hidden_row")}, notes=("hidden_row", "hidden_column")),
)


def _merged(random: Random) -> bytes:
    book, page = book_of(
        table([berenger(random), {**someone(random), "PSAD": ""}, {**someone(random), "PSAD": ""}])
    )
    page.merge_cells("H2:H4")
    return saved(book)


_add(
    "merged-down",
    "the PSAD merged over three people: it counts for each",
    _merged,
    Expected(
        has=(BERENGER,),
        notes=("merged_cells",),
        others="created",
        cells={},
        rows={"3": "created", "4": "created"},
    ),
)


def _merged_title(random: Random) -> bytes:
    book, page = book_of([["Jeunes sans solution au 15 novembre"], [], *two(random)])
    page.merge_cells("A1:H2")
    return saved(book)


_add(
    "merged-title",
    "a title merged over two rows and all columns",
    _merged_title,
    Expected(people=BOTH, rows={"1": "ignored", "2": "ignored", "4": "created", "5": "created"}),
)


def _formulas(cached: bool) -> Callable[[Random], bytes]:
    def build(random: Random) -> bytes:
        rows = two(random)
        book, page = book_of(rows)
        page["B2"] = '=UPPER("Bérenger")'
        page["E2"] = '="06"&"39981234"'
        content = saved(book)
        if not cached:
            return content
        return _patched(content, {"B2": "BÉRENGER", "E2": "0639981234"})

    return build


def _patched(content: bytes, results: dict[str, str]) -> bytes:
    """The workbook with the results of its formulas stored, as Excel leaves it."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for part in source.infolist():
            data = source.read(part).decode() if part.filename.endswith(".xml") else source.read(part)
            if isinstance(data, str) and "sheet1" in part.filename:
                for place, text in results.items():
                    data = re.sub(
                        rf'<c r="{place}"([^>]*)>(<f>.*?</f>)<v ?/>',
                        rf'<c r="{place}"\1 t="str">\2<v>{text}</v>',
                        data,
                    )
            packed.writestr(part, data)
    return target.getvalue()


_add("formulas", "formulas with their stored results", _formulas(cached=True), ALL)
_add(
    "formulas-without-values",
    "formulas whose results were never stored: said, nothing guessed",
    _formulas(cached=False),
    Expected(rows={"2": "quarantined", "3": "created"}, notes=("formula_without_value",)),
)


def _errors(random: Random) -> bytes:
    rows: Values = [list(row) for row in two(random)]
    rows[1][4] = "#N/A"
    rows[2][6] = "#REF!"
    return workbook({"Liste": rows})


_add(
    "error-cells",
    "look-ups that failed: #N/A in place of a number, #REF! in place of a postal code",
    _errors,
    Expected(rows={"2": ("created", "cell_error"), "3": ("created", "cell_error")}, notes=("cell_error",)),
)


def _mac_dates(random: Random) -> bytes:
    book, page = book_of([])
    book.epoch = CALENDAR_MAC_1904
    for row in typed(two(random)):
        page.append(row)
    return saved(book)


_add("dates-of-1904", "dates counted from 1904, as Excel for Mac did", _mac_dates, ALL)


def _serials(random: Random) -> bytes:
    rows: Values = [list(row) for row in two(random)]
    rows[1][3] = (date(2008, 2, 14) - date(1899, 12, 30)).days
    rows[2][3] = float((date(2007, 11, 30) - date(1899, 12, 30)).days)
    return workbook({"Liste": rows})


def _mac_serials(random: Random) -> bytes:
    book, page = book_of([])
    book.epoch = CALENDAR_MAC_1904
    rows = typed(two(random))
    rows[1][3] = (date(2008, 2, 14) - date(1904, 1, 1)).days
    for row in rows:
        page.append(row)
    return saved(book)


_add(
    "dates-of-1904-as-serials",
    "dates counted from 1904, one of them in a cell that lost its date format: 1,462 days later than it seems",
    _mac_serials,
    ALL,
)
_add("dates-as-serials", "birth dates whose cells lost their date format", _serials, ALL)


def _ghosts(random: Random) -> bytes:
    book, page = book_of(two(random))
    for row in (50, 5_000, 60_000):
        page.cell(row, 3).number_format = "@"
    page["D70000"] = ""
    return saved(book)


_add("ghost-rows", "formatted cells down to row 70,000", _ghosts, ALL)


def _stray(random: Random) -> bytes:
    book, page = book_of(two(random))
    page["B40000"] = "x"
    return saved(book)


_add(
    "stray-cell",
    "a stray letter 40,000 rows below the list",
    _stray,
    Expected(people=BOTH, rows={"2": "created", "3": "created", "40000": "quarantined"}),
)


def _corner(random: Random) -> bytes:
    book, page = book_of(two(random))
    page["XFD1048576"] = "x"
    return saved(book)


_add(
    "stray-corner",
    "a stray letter in the last cell that Excel has: the table would not fit into memory, so it is read cell by cell",
    _corner,
    Expected(has=BOTH, notes=("too_many_columns",)),
)


def _offset(random: Random) -> bytes:
    book, page = book_of([])
    for number, row in enumerate(two(random), start=7):
        for column, value in enumerate(row, start=4):
            page.cell(number, column, value)
    return saved(book)


_add(
    "table-in-the-middle",
    "the table begins in cell D7",
    _offset,
    Expected(people=BOTH, rows={"8": "created", "9": "created"}),
)


def _wide(random: Random) -> bytes:
    fillers = [f"Option facultative {n}" for n in range(1, 96)]
    rows = [[*row[:2], *(fillers if n == 0 else ["x"] * 95), *row[2:]] for n, row in enumerate(two(random))]
    return workbook({"Export": rows})


_add("hundred-columns", "an export of 103 columns, most of them nobody's business", _wide, ALL)
_add(
    "control-escapes",
    "line ends and controls that Excel writes as _x000D_",
    lambda random: workbook(
        {
            "Liste": [
                [
                    cell.replace("Éloïse", "Éloïse_x000D_").replace("0639981234", "0639981234_x000D_\n")
                    for cell in row
                ]
                for row in two(random)
            ]
        }
    ),
    ALL,
)


def _very_hidden(random: Random) -> bytes:
    book, _ = book_of(table([berenger(random)]))
    extra = book.create_sheet("Paramètres")
    for row in table([leboeuf(random)]):
        extra.append(row)
    extra.sheet_state = "veryHidden"
    return saved(book)


_add(
    "very-hidden-sheet",
    "a sheet that only a macro can show: named, not read",
    _very_hidden,
    Expected(people=(BERENGER,), read={"hidden_sheets": ("Paramètres",)}),
)


def _filtered(random: Random) -> bytes:
    book, page = book_of(two(random))
    page.auto_filter.ref = "A1:H3"
    page.auto_filter.add_filter_column(1, ["LEBŒUF"])
    page.row_dimensions[2].hidden = True
    return saved(book)


_add(
    "filter-left-on",
    "a filter that somebody left on: the filtered person is read, and said",
    _filtered,
    Expected(people=BOTH, rows={"2": ("created", "hidden_row"), "3": "created"}),
)


def _per_guardian(random: Random) -> bytes:
    """One row for each guardian of a pupil: twins share theirs, and stay two."""
    headers = ("N° INE", "Nom", "Prénom", "Né(e) le", "Portable élève", "Nom du responsable", "Lien de parenté",
               "Tél. responsable", "CP")  # fmt: skip
    lea, noe = ("012345678AB", "MARTIN", "Léa"), ("012345679AC", "MARTIN", "Noé")
    mother, father = ("MARTIN Anne", "MERE", "06 39 98 22 22"), ("DURAND Paul", "PERE", "06 39 98 33 33")
    rows = [
        [*child, "14/02/2008", own, *guardian, "13001"]
        for child, own in ((lea, "06 39 98 00 01"), (noe, ""))
        for guardian in (mother, father)
    ]
    return workbook({"Export": [list(headers), *rows]})


def _of_both(first_name: str, *own: str) -> Person:
    return Person(
        family_name="MARTIN",
        first_name=first_name,
        birth_date="2008-02-14",
        callable=(*own, "+33639982222", "+33639983333"),
        owners={"+33639982222": "guardian", "+33639983333": "guardian"},
    )


_add(
    "row-per-guardian",
    "an export with one row for each guardian: the second row adds its guardian, twins stay two",
    _per_guardian,
    Expected(
        people=(_of_both("Léa", "+33639980001"), _of_both("Noé")),
        rows={"2": "created", "3": "duplicate", "4": "created", "5": "duplicate"},
    ),
)


def _per_group(random: Random) -> bytes:
    """One row for each class group, with the person only said in full in the first."""
    rows = two(random)
    wide = [[*rows[0], "Classe", "Groupe d'option"]]
    for row in rows[1:]:
        wide += [[*row, "2CAP", group] for group in ("LV1 A", "EPS 3", "ATELIER 2")]
    return workbook({"Export": wide})


_add(
    "row-per-class-group",
    "an export with one row for each class group of a pupil: one person each, nothing twice",
    _per_group,
    Expected(
        people=BOTH,
        rows={
            "2": "created",
            "3": "duplicate",
            "4": "duplicate",
            "5": "created",
            "6": "duplicate",
            "7": "duplicate",
        },
    ),
)


def _locked_xls(random: Random) -> bytes:
    """An Excel 97 workbook whose second record says that the rest is encrypted."""
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet("Liste")
    for number, row in enumerate(two(random)):
        for column, value in enumerate(row):
            page.write(number, column, value)
    stream = book.get_biff_data()
    start = 4 + int.from_bytes(stream[2:4], "little")
    locked = stream[:start] + b"\x2f\x00\x06\x00\x00\x00\x12\x34\x56\x78" + stream[start:]
    target = io.BytesIO()
    XlsDoc().save(target, locked)
    return target.getvalue()


_add(
    "xls-password",
    "Excel 97 protected by a password",
    _locked_xls,
    Expected(refused="encrypted"),
    "liste.xls",
)

# ---- xls, ods


def _old(*, hidden: bool = False, mac: bool = False, formatted: bool = True) -> Callable[[Random], bytes]:
    def build(random: Random) -> bytes:
        book = xlwt.Workbook(encoding="utf-8")
        book.dates_1904 = mac
        page = book.add_sheet("Liste")
        style = xlwt.easyxf(num_format_str="DD/MM/YYYY" if formatted else "General")
        for number, row in enumerate(typed(two(random))):
            for column, value in enumerate(row):
                if isinstance(value, datetime):
                    page.write(number, column, value, style)
                else:
                    page.write(number, column, value)
        if hidden:
            page.row(2).hidden = True
            page.col(5).hidden = True
            page.write(3, 0, xlwt.Formula("1/0"))
            extra = book.add_sheet("Brouillon")
            extra.write(0, 0, "Nom")
            extra.visibility = 1
        target = io.BytesIO()
        book.save(target)
        return target.getvalue()

    return build


_add(
    "xls",
    "Excel 97",
    _old(),
    Expected(people=BOTH, read={"format": "xls"}, others="created"),
    "liste.xls",
)
_add("xls-1904", "Excel 97 for Mac, dates counted from 1904", _old(mac=True), ALL, "liste.xls")
_add(
    "xls-1904-as-serials",
    "the same with dates whose cells lost their format",
    _old(mac=True, formatted=False),
    ALL,
    "liste.xls",
)
_add(
    "xls-hidden",
    "Excel 97 with a hidden row, a hidden column and a hidden sheet, seen by a second reader",
    _old(hidden=True),
    Expected(
        people=BOTH,
        rows={"3": ("created", "hidden_row")},
        notes=("hidden_row", "hidden_column"),
        read={"hidden_sheets": ("Brouillon",)},
    ),
    "liste.xls",
)


def open_document(
    rows: Sequence[Sequence[object]],
    *,
    attributes: dict[int, str] | None = None,
    before: str = "",
    after: str = "",
) -> bytes:
    """An ods of one sheet; `attributes` are a row's own, `before` and `after` XML around its rows."""
    lines = []
    for number, row in enumerate(rows):
        cells = "".join(_open_cell(value) for value in row)
        said = (attributes or {}).get(number, "")
        lines.append(f"<table:table-row {said}>{cells}</table:table-row>")
    names = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in (("office", "office"), ("table", "table"), ("text", "text"))
    )
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names} office:version="1.2"><office:body>'
        f'<office:spreadsheet>{before}<table:table table:name="Liste">{"".join(lines)}{after}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        '<manifest:file-entry manifest:full-path="/"'
        ' manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>'
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("META-INF/manifest.xml", manifest)
        packed.writestr("content.xml", body)
    return target.getvalue()


def _open_cell(value: object) -> str:
    if isinstance(value, datetime):
        return (
            f'<table:table-cell office:value-type="date" office:date-value="{value.date()}">'
            f"<text:p>{value:%d/%m/%Y}</text:p></table:table-cell>"
        )
    if isinstance(value, int):
        return (
            f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p>'
            "</table:table-cell>"
        )
    if value == "":
        return "<table:table-cell/>"
    return f'<table:table-cell office:value-type="string"><text:p>{escape(str(value))}</text:p></table:table-cell>'


def _open_1904(random: Random) -> bytes:
    rows = typed(two(random))
    rows[1][3] = (date(2008, 2, 14) - date(1904, 1, 1)).days
    day = "1904-01-01"
    settings = f'<table:calculation-settings><table:null-date table:date-value="{day}"/></table:calculation-settings>'
    return open_document(rows, before=settings)


_add(
    "ods-1904",
    "LibreOffice, made from a Mac's workbook: a date that lost its format is counted from 1904",
    _open_1904,
    ALL,
    "liste.ods",
)
_add(
    "ods",
    "LibreOffice, with dates that are dates",
    lambda random: open_document(typed(two(random))),
    Expected(people=BOTH, read={"format": "ods"}, others="created"),
    "liste.ods",
)
_add(
    "ods-hidden-and-ghosts",
    "LibreOffice with a hidden row and a million repeated blank rows",
    lambda random: open_document(
        typed(two(random)),
        attributes={2: 'table:visibility="collapse"'},
        after='<table:table-row table:number-rows-repeated="1048573"><table:table-cell'
        ' table:number-columns-repeated="16384"/></table:table-row>',
    ),
    Expected(people=BOTH, rows={"3": ("created", "hidden_row")}, notes=("hidden_row",)),
    "liste.ods",
)
_add(
    "named-csv",
    "a workbook called .csv",
    lambda random: workbook({"Liste": two(random)}),
    Expected(people=BOTH, read={"format": "xlsx"}, others="created"),
    "liste.csv",
)
