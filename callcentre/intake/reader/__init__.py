"""Bytes to rows: text and workbooks as they come, told apart by content, bounded, refused in clear words. Pure.

Every cell becomes text; rows keep the number that a spreadsheet shows for them. `decoding` finds the encoding,
`delimited` cuts text into rows, `workbooks` reads workbooks (the product lets `callcentre.intake.apart` do that in a
process of its own), `second_look` sees what the workbook reader does not tell, `words` holds every sentence.
"""

from __future__ import annotations

from callcentre.intake.reader import hypertext, words, xml_spreadsheets
from callcentre.intake.reader.content import (
    MAXIMUM_BYTES,
    MAXIMUM_CELL,
    MAXIMUM_COLUMNS,
    MAXIMUM_ROWS,
    MAXIMUM_UNPACKED_BYTES,
    Cells,
    Choice,
    ListContent,
    Mark,
    Note,
    NoteCode,
    Refusal,
    RefusalCode,
    Refused,
    Row,
    Sheet,
    safe_name,
)
from callcentre.intake.reader.decoding import ENCODINGS
from callcentre.intake.reader.delimited import DELIMITERS, read_text
from callcentre.intake.reader.packed import assembled
from callcentre.intake.reader.words import note_words
from callcentre.intake.reader.workbooks import cell_text, is_workbook, workbook_lines

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "MAXIMUM_BYTES",
    "MAXIMUM_CELL",
    "MAXIMUM_COLUMNS",
    "MAXIMUM_ROWS",
    "MAXIMUM_UNPACKED_BYTES",
    "Cells",
    "Choice",
    "ListContent",
    "Mark",
    "Note",
    "NoteCode",
    "Refusal",
    "RefusalCode",
    "Row",
    "Sheet",
    "cell_text",
    "is_workbook",
    "note_words",
    "read",
    "read_plain",
    "refused_at_sight",
    "safe_name",
]

_NOTHING = b'\x00\r\n\t ;,|"\xef\xbb\xbf\xff\xfe'
_OTHER_FORMATS = (
    b"%pdf", b"<?xml", b"{\\rtf", b"\x89png", b"\xff\xd8\xff", b"gif8", b"\x1f\x8b", b"rar!", b"7z\xbc\xaf", b"mz\x90",
    b"\x7felf", b"mime-version:", b"sqlite format 3",
)  # fmt: skip


def read(content: bytes, file_name: str, choice: Choice | None = None) -> ListContent | Refusal:
    """Read a list file; `file_name` only serves the words, the content decides what it is."""
    refusal = refused_at_sight(content, file_name)
    if refusal is not None:
        return refusal
    if not is_workbook(content):
        return read_plain(content, choice)
    try:
        found = assembled(workbook_lines(content))
    except Refused as error:
        return error.refusal
    return words.damaged() if found is None else found


def refused_at_sight(content: bytes, file_name: str) -> Refusal | None:
    """Why a file need not be opened at all: empty, too large, or something else than a list."""
    if not content[:8192].strip(_NOTHING) and not content.strip(_NOTHING):
        return words.empty(safe_name(file_name))
    if len(content) > MAXIMUM_BYTES:
        return words.too_large()
    head = _head(content)
    if hypertext.is_web_page(head) or xml_spreadsheets.is_xml_spreadsheet(head):
        return None
    return words.not_a_list() if head.startswith(_OTHER_FORMATS) else None


def read_plain(content: bytes, choice: Choice | None = None) -> ListContent | Refusal:
    """Read what is no workbook: text, or a web page or XML spreadsheet under an Excel name."""
    wanted = choice or Choice()
    head = _head(content)
    try:
        if xml_spreadsheets.is_xml_spreadsheet(head):
            return xml_spreadsheets.read_xml_spreadsheet(content)
        if hypertext.is_web_page(head):
            return hypertext.read_web_page(content, wanted)
        return read_text(content, wanted)
    except Refused as error:
        return error.refusal


def _head(content: bytes) -> bytes:
    """The beginning in lower case, without marks and blanks; wide characters made narrow."""
    return content[:8192].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t").lower()
