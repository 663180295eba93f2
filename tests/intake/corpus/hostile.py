"""Corpus: files that mean harm, or look as if they did."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from random import Random

from tests.intake.corpus.making import delimited, someone, table, workbook
from tests.intake.corpus.registry import Expected, Family, Person, case
from tests.intake.corpus.text import BERENGER, BOTH, berenger, leboeuf
from tests.intake.corpus.workbooks import open_document

_ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
_PROTECTED = b"><manifest:encryption-data/></manifest:file-entry>"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def two(random: Random) -> list[list[str]]:
    """A header and two people."""
    return table([berenger(random), leboeuf(random)])


def _add(
    name: str, about: str, build: Callable[[Random], bytes], expected: Expected, file_name: str = "liste.xlsx"
) -> None:
    case(f"hostile-{name}", Family.HOSTILE, build, expected, about=about, file_name=file_name)


def _refused(code: str) -> Expected:
    return Expected(refused=code, people=())


def _repacked(content: bytes, parts: Mapping[str, Callable[[bytes], bytes]]) -> bytes:
    """A zipped file with some of its parts changed."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for part in source.infolist():
            change = parts.get(part.filename)
            data = source.read(part)
            packed.writestr(part.filename, data if change is None else change(data))
    return target.getvalue()


SHEET = "xl/worksheets/sheet1.xml"

# ---- bombs


def _bomb(content: bytes) -> bytes:
    """A workbook with one more part, of a size that no list has."""
    target = io.BytesIO(content)
    block = b" " * (1024 * 1024)
    with (
        zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as packed,
        packed.open("xl/worksheets/sheet2.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(401):
            part.write(block)
    return target.getvalue()


_add(
    "zip-bomb",
    "a sheet that unpacks to 401 megabytes",
    lambda random: _bomb(workbook({"Liste": two(random)})),
    _refused("too_large"),
)


def _amplified(random: Random) -> bytes:
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 60_001))
    sheet = f'<?xml version="1.0"?><worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    relation = f'<Relationship Id="rIdS" Type="{_RELATION}/sharedStrings" Target="sharedStrings.xml"/>'
    relations = f"{relation}</Relationships>".encode()
    content = _repacked(
        workbook({"Liste": two(random)}),
        {
            SHEET: lambda _: sheet.encode(),
            "xl/_rels/workbook.xml.rels": lambda data: data.replace(b"</Relationships>", relations),
        },
    )
    target = io.BytesIO(content)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as packed:
        text = "x" * 32_000
        packed.writestr(
            "xl/sharedStrings.xml", f'<?xml version="1.0"?><sst xmlns="{_MAIN}"><si><t>{text}</t></si></sst>'
        )
    return target.getvalue()


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_add(
    "one-text-in-60000-cells",
    "a text of 32,000 characters that 60,000 cells refer to: two gigabytes in memory",
    _amplified,
    _refused("too_large"),
)
_add(
    "entity-bomb",
    "entities that multiply to a billion letters",
    lambda random: _repacked(
        workbook({"Liste": two(random)}),
        {SHEET: lambda data: _ENTITIES.encode() + data.replace(b"ROBERT", b"&j;")},
    ),
    _refused("damaged"),
)
_add(
    "external-entity",
    "an entity that would fetch a file of the server",
    lambda random: _repacked(
        open_document(two(random)),
        {
            "content.xml": lambda data: data.replace(
                b"?><office:document-content",
                b'?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><office:document-content',
            )
        },
    ),
    _refused("damaged"),
    "liste.ods",
)
_add(
    "external-entity-xml",
    "the same in an XML spreadsheet",
    lambda _random: (
        b'<?xml version="1.0"?><!DOCTYPE Workbook [<!ENTITY f SYSTEM "file:///etc/hostname">]>'
        b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table><Row><Cell><Data>&f;</Data>'
        b"</Cell></Row></Table></Worksheet></Workbook>"
    ),
    _refused("damaged"),
    "export.xls",
)
_add(
    "five-thousand-parts",
    "a workbook of more than 5,000 parts",
    lambda random: _with_parts(workbook({"Liste": two(random)}), 5_001),
    _refused("too_large"),
)


def _with_parts(content: bytes, count: int) -> bytes:
    target = io.BytesIO(content)
    with zipfile.ZipFile(target, "a") as packed:
        for number in range(count):
            packed.writestr(f"xl/media/{number}", b"")
    return target.getvalue()


_add(
    "cell-reference-beyond-the-sheet",
    "a cell that says to be in row 999,999,999",
    lambda random: _repacked(
        workbook({"Liste": two(random)}), {SHEET: lambda data: data.replace(b'r="A3"', b'r="ZZZ999999999"')}
    ),
    Expected(has=(BERENGER,), rows={"2": "created"}, others="created"),
)
_add(
    "nested-markup",
    "fifty thousand tables, one in the other",
    lambda _random: b"<table><tr><td>" * 50_000,
    _refused("not_a_list"),
    "export.xls",
)
_add(
    "spans-without-end",
    "a web page whose cell spans a million columns and rows",
    lambda random: (
        "<table><tr>"
        + "".join(f"<td>{c}</td>" for c in two(random)[0])
        + "</tr><tr>"
        + "".join(f"<td>{c}</td>" for c in two(random)[1])
        + "</tr><tr><td colspan=999999 rowspan=999999>x</td></tr></table>"
    ).encode(),
    Expected(people=(BERENGER,), rows={"2": "created"}),
    "export.xls",
)

# ---- text without end

_add(
    "line-without-end",
    "a line of two megabytes",
    lambda random: delimited(two(random)) + b"x;" * 1_000_000,
    _refused("damaged"),
    "liste.csv",
)
_add(
    "huge-cell",
    "a cell of 200,000 characters",
    lambda random: delimited(two(random)) + b"x" * 200_000 + b";y\n",
    _refused("damaged"),
    "liste.csv",
)
_add(
    "too-many-rows",
    "200,001 rows",
    lambda random: delimited(two(random)) + b"a;b\n" * 200_000,
    _refused("too_many_rows"),
    "liste.csv",
)
_add(
    "a-million-blank-lines",
    "a million blank lines below two people",
    lambda random: delimited(two(random)) + b"\n" * 1_000_001,
    _refused("too_many_rows"),
    "liste.csv",
)
_add(
    "six-hundred-columns",
    "six hundred columns, the last of which are not read",
    lambda random: delimited([[*row, *(f"x{n}" for n in range(600))] for row in two(random)]),
    Expected(people=BOTH, notes=("too_many_columns",), others="created"),
    "liste.csv",
)
_add(
    "nothing-but-quotes",
    "five thousand lines that each open a quotation mark",
    lambda random: delimited(two(random)) + b'"a;b;c\n' * 5_000,
    Expected(
        people=(),
        rows={"2": ("quarantined", "misplaced_cells"), "4": ("quarantined", "unclosed_quote")},
        others="quarantined",
    ),
    "liste.csv",
)

# ---- not what they say they are

_add(
    "pdf-named-csv",
    "a PDF called .csv",
    lambda _random: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    _refused("not_a_list"),
    "l.csv",
)
_add(
    "image-named-xlsx",
    "a picture called .xlsx",
    lambda _random: b"\x89PNG\r\n\x1a\n" + bytes(64),
    _refused("not_a_list"),
)
_add(
    "program-named-csv",
    "a program called .csv",
    lambda _random: b"MZ\x90\x00" + bytes(range(256)),
    _refused("not_a_list"),
)
_add(
    "random-bytes",
    "bytes that are no text",
    lambda random: random.randbytes(4_000),
    _refused("encoding"),
    "liste.csv",
)


def _archive(name: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr(name, "Nom;Prénom;Né(e) le\n")
    return target.getvalue()


_add(
    "zipped-csv",
    "a CSV inside an archive",
    lambda _random: _archive("liste.csv"),
    _refused("not_a_list"),
    "liste.zip",
)
_add(
    "document",
    "a Word document called .xlsx",
    lambda _random: _archive("word/document.xml"),
    _refused("not_a_list"),
)
_add(
    "web-page-without-table",
    "an error page of a website, saved in place of the export",
    lambda _random: b"<!DOCTYPE html><html><body><h1>Session expir\xc3\xa9e</h1></body></html>",
    _refused("not_a_list"),
    "export.xls",
)
_add("empty", "nothing at all", lambda _random: b"", _refused("empty"), "liste.csv")
_add(
    "nothing-but-delimiters",
    "delimiters and line ends",
    lambda _random: b"\xef\xbb\xbf;;;\r\n;;;\r\n",
    _refused("empty"),
    "l.csv",
)

# ---- protected, broken

_add(
    "password-xlsx",
    "a workbook protected by a password",
    lambda _random: _OLE + bytes(512) + "EncryptedPackage".encode("utf-16-le") + bytes(512),
    _refused("encrypted"),
)
_add(
    "password-ods",
    "a LibreOffice workbook protected by a password",
    lambda random: _repacked(
        open_document(two(random)),
        {
            "META-INF/manifest.xml": lambda data: data.replace(
                b"/>", b"><manifest:encryption-data/></manifest:file-entry>"
            )
        },
    ),
    _refused("encrypted"),
    "liste.ods",
)


def _with_password(content: bytes) -> bytes:
    """The same archive, each part said to be encrypted."""
    changed = bytearray(content)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = changed.find(signature)
        while start >= 0:
            (flags,) = struct.unpack_from("<H", changed, start + at)
            struct.pack_into("<H", changed, start + at, flags | 1)
            start = changed.find(signature, start + 4)
    return bytes(changed)


_add(
    "password-zip",
    "a workbook zipped with a password",
    lambda random: _with_password(workbook({"Liste": two(random)})),
    _refused("encrypted"),
)
_add(
    "cut-xlsx",
    "half of a workbook",
    lambda random: workbook({"Liste": two(random)})[:2_000],
    _refused("damaged"),
)
_add(
    "cut-xls",
    "the beginning of an old workbook",
    lambda _random: _OLE + bytes(700),
    _refused("old_workbook"),
    "liste.xls",
)
_add(
    "broken-xml",
    "a workbook whose sheet is cut in the middle",
    lambda random: _repacked(workbook({"Liste": two(random)}), {SHEET: lambda data: data[: len(data) // 2]}),
    _refused("damaged"),
)

# ---- what cells carry

_EVIL = Person(family_name="DUPONT", first_name="Léa", birth_date="2008-03-03", callable=("+33639984321",))
_add(
    "formulas-in-cells",
    "cells that a spreadsheet would carry out as formulas",
    lambda random: delimited(
        table(
            [
                {
                    **someone(random, nom="DUPONT", prenom="Léa", ne="03/03/2008", tel="0639984321", resp=""),
                    "PSAD": '=HYPERLINK("http://example.test";"x")',
                    "INE": "@SUM(1+1)*cmd|' /C calc'!A0",
                }
            ]
        )
    ),
    Expected(people=(_EVIL,), rows={"2": "created"}),
    "liste.csv",
)
_add(
    "markup-in-cells",
    "cells that a page would carry out as markup",
    lambda random: delimited(
        table(
            [
                {
                    **someone(random, nom="DUPONT", prenom="Léa", ne="03/03/2008", tel="0639984321", resp=""),
                    "PSAD": "<script>alert(1)</script>",
                }
            ]
        )
    ),
    Expected(people=(_EVIL,), rows={"2": "created"}),
    "liste.csv",
)

# ---- odd names

for _name, _file in {
    "path": "..\\..\\../../etc/passwd",
    "controls": "liste\x00\r\n\u202evsc.exe",
    "long": "é" * 400 + ".csv",
    "none": "",
    "formula": "=cmd|'/C calc'!A0.csv",
}.items():
    _add(
        f"file-name-{_name}",
        f"a file whose name is odd ({_name})",
        lambda random: delimited(two(random)),
        Expected(people=BOTH, others="created"),
        _file,
    )
