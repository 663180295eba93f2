"""Text to rows: the delimiter, quotes that are never closed, shifted rows; read line by line, as often as asked.

Nothing of the table is held but the file's own bytes and an index, so that a long list takes no more memory.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from typing import overload

from callcentre.intake.reader import shapes
from callcentre.intake.reader.content import (
    MAXIMUM_COLUMNS,
    MAXIMUM_ROWS,
    Cells,
    Choice,
    ListContent,
    Mark,
    Note,
    NoteCode,
    Refused,
    Row,
    Sheet,
    note,
)
from callcentre.intake.reader.decoding import (
    Decoding,
    control_share,
    decoding,
    has_controls,
    without_controls,
)
from callcentre.intake.reader.words import huge_line, no_text, too_many_rows

DELIMITERS = (";", ",", "\t", "|")
"""The usual ones, and what a person may choose."""
_RARE_DELIMITERS = (":", "^", "~", "¤", "§", "#", "!", "\x1f", "\x01")
_SAMPLE_LINES = 80
_LONGEST_LINE = 1_000_000
"""Bytes. A person's row has some hundreds."""
_LONGEST_CELL = 131_072
_LINES_IN_A_CELL = 40
_MOST_RECORDS = 5 * MAXIMUM_ROWS
"""Blank ones included."""
_EVERY = 256
"""Rows between two places that the index remembers."""
_FEW_CELLS = 3
"""A row that says less than this is a title or a total, not a row that lacks cells."""
_USUAL_SHARE = 0.8
"""A table is as wide as this part of its rows, else its rows are of any width."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of a text are cut into cells."""

    decoding: Decoding
    delimiter: str
    announced: bool
    """Whether the first line only says which delimiter follows."""
    wrapped: bool
    """Whether every line is one quoted cell that holds the real line."""


@dataclass(slots=True)
class _Survey:
    """What going through the whole text once has found."""

    records: int = 0
    last: int = 0
    """The last record that says anything."""
    offsets: list[int] = field(default_factory=list)
    marks: dict[NoteCode, list[int]] = field(default_factory=dict)


def read_text(content: bytes, choice: Choice) -> ListContent:
    """A text file's one sheet; raises Refused."""
    how = decoding(_with_plain_line_ends(content), choice.encoding)
    head = [how.line(line)[0] for line in islice(_Lines(_lines(how.content, 0)), 400)]
    if control_share(head) > 0.01:
        raise Refused(no_text())
    layout = _layout(how, head, choice.delimiter)
    rows = TextRows(layout)
    return ListContent(
        (Sheet("", rows),),
        "csv",
        how.said,
        layout.delimiter,
        encoding_why=how.why,
        notes=rows.notes(),
    )


def _with_plain_line_ends(content: bytes) -> bytes:
    """Old Mac line ends, alone or among others, made like the rest; a padding of NUL at the end taken off."""
    content = content.rstrip(b"\x1a")
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\x00" in content[:4000]:
        return content
    content = content.rstrip(b"\x00")
    if content.count(b"\r") == content.count(b"\r\n"):
        return content
    return re.sub(rb"\r(?!\n)", b"\n", content)


def _lines(content: bytes, offset: int) -> Iterator[bytes]:
    stream = BytesIO(content)
    stream.seek(offset)
    return iter(stream)


def _layout(how: Decoding, head: Sequence[str], chosen: str | None) -> Layout:
    announced = re.match(r'"?sep=(.)"?;*\s*$', head[0], re.IGNORECASE) if head else None
    if announced:
        return Layout(how, chosen or announced[1], announced=True, wrapped=False)
    lines = [line for line in head if line.strip()]
    wrapped = [_unwrapped(line) for line in lines[:_SAMPLE_LINES]]
    if len(lines) > 1 and all(line is not None for line in wrapped):
        inner = [line for line in wrapped if line is not None]
        return Layout(how, chosen or find_delimiter(inner), announced=False, wrapped=True)
    return Layout(how, chosen or find_delimiter(lines), announced=False, wrapped=False)


def _unwrapped(line: str) -> str | None:
    """The line inside one quoted cell that is a whole line; None when it is not like that."""
    text = line.rstrip("\r\n;, ")
    if len(text) < 3 or text[0] != '"' or text[-1] != '"':
        return None
    inner = text[1:-1]
    if '"' in inner.replace('""', ""):
        return None
    return inner.replace('""', '"') + "\n" if any(mark in inner for mark in DELIMITERS) else None


def find_delimiter(lines: Sequence[str]) -> str:
    """The character that cuts the lines most steadily into the same number of cells."""
    plain = [re.sub(r'"[^"]*"', "", line) for line in lines[:400]]
    best, found = 0.0, ";"
    for mark in DELIMITERS:
        quality = _steadiness(plain, mark)
        if quality > best:
            best, found = quality, mark
    if best < 1:
        for mark in _RARE_DELIMITERS:
            quality = _steadiness(plain, mark)
            if quality >= 2 and quality > best:
                best, found = quality, mark
    return found


def _steadiness(lines: Sequence[str], mark: str) -> float:
    """How many times it occurs in most lines that hold it, less what strays from that."""
    counts = [count for line in lines if (count := line.count(mark))]
    if not counts or len(counts) < 0.3 * len(lines):
        return 0.0
    usual, times = Counter(counts).most_common(1)[0]
    return usual * (times / len(counts)) * math.sqrt(len(counts) / len(lines))


class TextRows(Sequence[Row]):
    """The rows of a text file, read from its bytes each time they are asked for."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._quoted = _Quoted(layout.delimiter)
        self._cleans = layout.delimiter >= "\t" and layout.decoding.may_hold_controls
        self._width: int | None = None
        self._columns = shapes.Columns((), ())
        self._learn()
        self._survey = self._surveyed()

    def __len__(self) -> int:
        return self._survey.last

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Row, ...]: ...
    def __getitem__(self, index: int | slice) -> Row | tuple[Row, ...]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return tuple(islice(self.starting(start), max(0, stop - start)))
            return tuple(self[at] for at in range(start, stop, step))
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(index)
        return next(self.starting(at))

    def __iter__(self) -> Iterator[Row]:
        return self.starting(0)

    def starting(self, start: int) -> Iterator[Row]:
        """The rows from the `start`-th on."""
        block = min(start // _EVERY, len(self._survey.offsets) - 1)
        number = block * _EVERY
        for cells, said, _ in self._records(self._survey.offsets[block] if block >= 0 else 0):
            number += 1
            if number > self._survey.last:
                return
            if number > start:
                yield self._row(number, cells, said)

    def notes(self) -> tuple[Note, ...]:
        """What there is to say about the file."""
        found = [note(code, rows) for code, rows in self._survey.marks.items()]
        if self._layout.wrapped:
            found.insert(0, Note(NoteCode.WRAPPED_LINES))
        blank = self._survey.records - self._survey.last
        if blank:
            found.append(Note(NoteCode.BLANK_END, blank))
        return tuple(found)

    # ---- records: physical lines, joined where a quoted cell goes on

    def _records(self, offset: int) -> Iterator[tuple[list[str], NoteCode | None, int]]:
        """Cells, what had to be done about the text, and the bytes that the record takes."""
        layout, quoted = self._layout, self._quoted
        delimiter, decode = layout.delimiter, self._decode
        lines = _Lines(_lines(layout.decoding.content, offset))
        first = offset == 0 and layout.announced
        for raw in lines:
            if first:
                first = False
                yield [], None, len(raw)
                continue
            text, said = decode(raw)
            if layout.wrapped:
                text = _unwrapped(text) or text
            if '"' in text:
                cells, taken, unclosed = quoted.cells(text, lines, decode)
                yield cells, NoteCode.UNCLOSED_QUOTE if unclosed else said, len(raw) + taken
            else:
                yield text.rstrip("\r\n").split(delimiter), said, len(raw)

    def _decode(self, raw: bytes) -> tuple[str, NoteCode | None]:
        text, said = self._layout.decoding.line(raw)
        if self._cleans and has_controls(text):
            return without_controls(text), said or NoteCode.CONTROLS_REMOVED
        return text, said

    def _row(self, number: int, cells: list[str], said: NoteCode | None) -> Row:
        if len(cells) == 1 and not cells[0]:
            return Row(number, ())
        marks = () if said is None else (Mark(said),)
        found: Cells = tuple(cells)
        if len(found) != self._width and self._width is not None:
            found, code = self._aligned(found)
            if code is not None:
                marks = (*marks, Mark(code))
        if len(found) > MAXIMUM_COLUMNS:
            if any(found[MAXIMUM_COLUMNS:]):
                marks = (*marks, Mark(NoteCode.TOO_MANY_COLUMNS))
            found = found[:MAXIMUM_COLUMNS]
        return Row(number, found, marks)

    def _aligned(self, cells: Cells) -> tuple[Cells, NoteCode | None]:
        """A row that is wider or narrower than the table, put in order if that can be done in one way only."""
        assert self._width is not None
        if len(cells) > self._width:
            if not any(cell.strip() for cell in cells[self._width :]):
                return cells, None
            whole = shapes.joined(cells, self._layout.delimiter, self._columns.usual)
            return (cells, NoteCode.MISPLACED_CELLS) if whole is None else (whole, NoteCode.CELLS_JOINED)
        if sum(bool(cell.strip()) for cell in cells) < _FEW_CELLS:
            return cells, None
        if not shapes.misfits(cells, self._columns.seen):
            return cells, NoteCode.MISSING_CELLS
        whole = shapes.moved(cells, self._columns.usual)
        return (cells, NoteCode.MISPLACED_CELLS) if whole is None else (whole, NoteCode.CELLS_MOVED)

    # ---- the survey: one pass over everything before the first row is given

    def _learn(self) -> None:
        """How wide the table is and what its columns hold, from its first rows."""
        sample = [cells for cells, _, _ in islice(self._records(0), 2 * _EVERY) if any(cells)]
        widths = Counter(len(cells) for cells in sample)
        if not widths:
            return
        width, times = widths.most_common(1)[0]
        if width >= _FEW_CELLS and times >= max(3, _USUAL_SHARE * widths.total()):
            self._width = width
            self._columns = shapes.columns_of((row for row in sample if len(row) == width), width)
            self._quoted.width = width

    def _surveyed(self) -> _Survey:
        survey = _Survey()
        offset = 0
        for cells, said, taken in self._records(0):
            if survey.records % _EVERY == 0:
                survey.offsets.append(offset)
            offset += taken
            survey.records += 1
            if taken > _LONGEST_CELL and max(map(len, cells), default=0) > _LONGEST_CELL:
                raise Refused(huge_line(survey.records))
            if not any(cells) or not "".join(cells).strip():
                if survey.records > _MOST_RECORDS:
                    raise Refused(too_many_rows())
                continue
            survey.last = survey.records
            if survey.last > MAXIMUM_ROWS:
                raise Refused(too_many_rows())
            if said is not None or len(cells) != self._width or len(cells) > MAXIMUM_COLUMNS:
                for mark in self._row(survey.records, cells, said).marks:
                    survey.marks.setdefault(mark.code, []).append(survey.records)
        self._look_at_the_end(survey)
        return survey

    def _look_at_the_end(self, survey: _Survey) -> None:
        """Whether the file stops in the middle of a character or of a row."""
        how = self._layout.decoding
        short = [
            *survey.marks.get(NoteCode.MISSING_CELLS, ()),
            *survey.marks.get(NoteCode.MISPLACED_CELLS, ()),
        ]
        is_open = not how.content.endswith(b"\n")
        if how.cut or (is_open and survey.records in short):
            survey.marks[NoteCode.CUT_SHORT] = [survey.records]


class _Quoted:
    """Lines with quotation marks: cells that go on over line ends, and quotes that are never closed."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self.width: int | None = None
        """How wide the table is, once that is known."""

    def cells(
        self, text: str, lines: _Lines, decode: Callable[[bytes], tuple[str, NoteCode | None]]
    ) -> tuple[list[str], int, bool]:
        """The cells of a record that begins with this line, the further bytes it takes, whether a quote stays open."""
        found = self._closed(text)
        if found is not None:
            mended = self._mended(text, found)
            return (found, 0, False) if mended is None else (mended, 0, True)
        taken: list[bytes] = []
        whole, quotes = text, text.count('"')
        for raw in lines:
            taken.append(raw)
            line = decode(raw)[0]
            if len(taken) > _LINES_IN_A_CELL or self._is_a_row(line, text):
                break
            whole += line
            if '"' not in line:
                continue
            quotes += line.count('"')
            if quotes % 2 == 0 and (found := self._strictly(whole)) is not None:
                return found, sum(map(len, taken)), False
            if not self._is_open(whole):
                break
        lines.put_back(taken)
        return self._alone(text), 0, True

    def _strictly(self, text: str) -> list[str] | None:
        try:
            return next(csv.reader((text,), delimiter=self._delimiter, strict=True), [])
        except csv.Error:
            return None

    def _is_open(self, text: str) -> bool:
        """Whether the text ends inside a quoted cell; when not, and it is no record, no further line mends it."""
        try:
            next(csv.reader((text,), delimiter=self._delimiter, strict=True), [])
        except csv.Error as error:
            return "unexpected end" in str(error)
        return False

    def _closed(self, text: str) -> list[str] | None:
        """The cells, or None when the text ends inside a quoted cell."""
        try:
            return next(csv.reader((text,), delimiter=self._delimiter, strict=True), [])
        except csv.Error as error:
            if "unexpected end" in str(error):
                return None
            return self._loosely(text)

    def _loosely(self, text: str) -> list[str] | None:
        """Quotation marks in the middle of cells are text; None when one opens a cell and none closes it."""
        try:
            cells = next(csv.reader((text,), delimiter=self._delimiter), [])
        except csv.Error:
            return self._alone(text)
        return None if cells and cells[-1].endswith("\n") else cells

    def _mended(self, text: str, cells: list[str]) -> list[str] | None:
        """A line whose open quote was closed by the next one's: cut at every delimiter, if that gives the table."""
        if self.width is None or len(cells) >= self.width:
            return None
        alone = self._alone(text)
        return alone if len(alone) == self.width else None

    def _is_a_row(self, line: str, first: str) -> bool:
        """Whether a line met inside an open quote is a row of its own: its quotes closed, as many cells at least."""
        least = max(_FEW_CELLS, first.count(self._delimiter) + 1)
        if line.count(self._delimiter) + 1 < least or line.count('"') % 2:
            return False
        return len(self._strictly(line) or ()) >= least

    def _alone(self, text: str) -> list[str]:
        """A line by itself, its quotation marks taken as text, those around a whole cell taken off."""
        cells = text.rstrip("\r\n").split(self._delimiter)
        return [_without_quotes(cell) for cell in cells]


def _without_quotes(cell: str) -> str:
    text = cell.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"')
    return text.strip('"') if text[:1] == '"' or text[-1:] == '"' else cell


class _Lines(Iterator[bytes]):
    """Physical lines with those that were looked at and put back; raises Refused for one without an end."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._back: list[bytes] = []
        self._number = 0

    def __next__(self) -> bytes:
        if self._back:
            return self._back.pop()
        line = next(self._source)
        self._number += 1
        if len(line) > _LONGEST_LINE:
            raise Refused(huge_line(self._number))
        return line

    def put_back(self, lines: Sequence[bytes]) -> None:
        """Give these lines again, in this order."""
        self._back.extend(reversed(lines))
