"""Rows packed as lines of JSON, some hundreds to a line: small in memory, and the form in which a child sends them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, overload

from callcentre.intake.reader.content import (
    ListContent,
    Mark,
    Note,
    NoteCode,
    Refusal,
    RefusalCode,
    Refused,
    Row,
    Sheet,
)

ROWS_IN_A_BLOCK = 256


class PackedRows(Sequence[Row]):
    """The rows of a sheet, unpacked block by block each time they are asked for."""

    def __init__(self, blocks: Sequence[bytes], length: int) -> None:
        self._blocks = tuple(blocks)
        self._length = length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Row, ...]: ...
    def __getitem__(self, index: int | slice) -> Row | tuple[Row, ...]:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._length)
            if step == 1:
                return tuple(islice(self.starting(start), max(0, stop - start)))
            return tuple(self[at] for at in range(start, stop, step))
        at = index + self._length if index < 0 else index
        if not 0 <= at < self._length:
            raise IndexError(index)
        return next(self.starting(at))

    def __iter__(self) -> Iterator[Row]:
        return self.starting(0)

    def starting(self, start: int) -> Iterator[Row]:
        """The rows from the `start`-th on."""
        block, skip = divmod(start, ROWS_IN_A_BLOCK)
        for packed in self._blocks[block:]:
            for number, cells, *marks in json.loads(packed)[skip:]:
                yield Row(number, tuple(cells), tuple(Mark(NoteCode(code), column) for code, column in marks))
            skip = 0


def packed_rows(rows: Iterable[Row]) -> Iterator[bytes]:
    """Rows as blocks, each a line."""
    source = iter(rows)
    while part := list(islice(source, ROWS_IN_A_BLOCK)):
        plain = [[row.number, row.cells, *([m.code, m.column] for m in row.marks)] for row in part]
        yield line(plain)


def line(value: Any) -> bytes:
    """A value on a line of its own."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def sheet_line(name: str) -> bytes:
    """Says that the blocks of a sheet follow."""
    return line({"sheet": name})


def sheet_end(rows: int, notes: Iterable[Note], merged: Iterable[tuple[int, int, int, int]]) -> bytes:
    """Says how many rows the sheet had, and what there is to say about it."""
    told = [[note.code, note.count, note.places, note.sheet] for note in notes]
    return line({"rows": rows, "notes": told, "merged": list(merged)})


def end_line(
    form: str, hidden_sheets: Iterable[str], notes: Iterable[Note] = (), *, dates_from_1904: bool = False
) -> bytes:
    """Says that the workbook is whole."""
    told = [[note.code, note.count, note.places, note.sheet] for note in notes]
    return line(
        {"format": form, "hidden_sheets": list(hidden_sheets), "notes": told, "1904": dates_from_1904}
    )


def refusal_line(refusal: Refusal) -> bytes:
    """Says that the workbook is refused."""
    return line({"refused": refusal.code, "fr": refusal.fr, "en": refusal.en})


def assembled(lines: Iterable[bytes]) -> ListContent | None:
    """The workbook that some lines tell; None when they stop before its end. Raises Refused."""
    sheets: list[Sheet] = []
    notes: list[Note] = []
    name, blocks = "", list[bytes]()
    for one in lines:
        if one.startswith(b"["):
            blocks.append(one)
            continue
        said = json.loads(one)
        if "refused" in said:
            raise Refused(Refusal(RefusalCode(said["refused"]), said["fr"], said["en"]))
        if "sheet" in said:
            name, blocks = said["sheet"], []
            continue
        notes += [Note(NoteCode(c), count, tuple(places), sheet) for c, count, places, sheet in said["notes"]]
        if "format" in said:
            return ListContent(
                tuple(sheets),
                said["format"],
                hidden_sheets=tuple(said["hidden_sheets"]),
                notes=tuple(notes),
                dates_from_1904=said["1904"],
            )
        merged = tuple((a, b, c, d) for a, b, c, d in said["merged"])
        sheets.append(Sheet(name, PackedRows(blocks, said["rows"]), merged))
    return None
