"""What the reader marked on a row, as reasons: text mended, cells shifted, a formula without its result."""

from __future__ import annotations

from collections.abc import Sequence

from callcentre.intake.mapping import SheetMapping
from callcentre.intake.reader import Mark, NoteCode
from callcentre.intake.reasons import Reason, ReasonCode

_CODES = {
    NoteCode.TEXT_REPAIRED: ReasonCode.TEXT_REPAIRED,
    NoteCode.TEXT_DAMAGED: ReasonCode.TEXT_DAMAGED,
    NoteCode.UNCLOSED_QUOTE: ReasonCode.UNCLOSED_QUOTE,
    NoteCode.MISPLACED_CELLS: ReasonCode.MISPLACED_CELLS,
    NoteCode.CELLS_JOINED: ReasonCode.CELLS_REALIGNED,
    NoteCode.CELLS_MOVED: ReasonCode.CELLS_REALIGNED,
    NoteCode.HIDDEN_ROW: ReasonCode.HIDDEN_ROW,
    NoteCode.FORMULA_WITHOUT_VALUE: ReasonCode.FORMULA_WITHOUT_VALUE,
    NoteCode.CELL_ERROR: ReasonCode.CELL_ERROR,
    NoteCode.CELL_CUT: ReasonCode.VALUE_TOO_LONG,
}


def mark_reasons(marks: Sequence[Mark], mapping: SheetMapping) -> tuple[Reason, ...]:
    """The reasons that a row's marks give; those on cells of columns that are not read are left out."""
    fields = {column.index: str(column.field) for column in mapping.columns}
    found = []
    for mark in marks:
        code = _CODES.get(mark.code)
        if code is None or (mark.column is not None and mark.column not in fields):
            continue
        found.append(Reason(code, None if mark.column is None else fields[mark.column]))
    return tuple(dict.fromkeys(found))
