"""What the columns of a table usually hold, to put the cells of a shifted row back under their columns.

A row is only realigned when exactly one way of doing it makes every cell look like its column.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_SAMPLE = 400
_RARE = 0.1
"""A shape that fewer cells of a column have than this is not what makes a row fit."""
_FURTHEST = 3
"""More cells too many, or missing, than this are not put in order."""


class Shape(StrEnum):
    """What a cell looks like."""

    EMPTY = "empty"
    DATE = "date"
    PHONE = "phone"
    POSTAL = "postal"
    NUMBER = "number"
    EMAIL = "email"
    CODE = "code"
    TEXT = "text"


_SHAPES = (
    (Shape.DATE, re.compile(r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{2,4}( 00:00(:00)?)?")),
    (Shape.PHONE, re.compile(r"(\+|00)?[\d .\-/()]{9,}\d")),
    (Shape.POSTAL, re.compile(r"\d{5}")),
    (Shape.NUMBER, re.compile(r"[\d .,]+")),
    (Shape.EMAIL, re.compile(r"[^@ ]+@[^@ ]+")),
    (Shape.CODE, re.compile(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z\d]{7,12}")),
)

Shapes = tuple[frozenset[Shape], ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a table hold: mostly, and at all."""

    usual: Shapes
    seen: Shapes


def shape_of(cell: str) -> Shape:
    """What one cell looks like."""
    text = cell.strip()
    if not text:
        return Shape.EMPTY
    for shape, pattern in _SHAPES:
        if pattern.fullmatch(text):
            return shape
    return Shape.TEXT


def columns_of(rows: Iterable[Sequence[str]], width: int) -> Columns:
    """What the columns of a table hold; once is the header, or chance."""
    counts = [Counter[Shape]() for _ in range(width)]
    for cells, _ in zip(rows, range(_SAMPLE), strict=False):
        for column, cell in zip(counts, cells, strict=False):
            column[shape_of(cell)] += 1
    blank = {Shape.EMPTY}
    return Columns(
        tuple(frozenset(s for s, n in c.items() if n > max(1, _RARE * c.total())) | blank for c in counts),
        tuple(frozenset(s for s, n in c.items() if n > 1) | blank for c in counts),
    )


def misfits(cells: Sequence[str], usual: Shapes) -> int:
    """How many cells do not look like their column."""
    return sum(shape_of(cell) not in shapes for cell, shapes in zip(cells, usual, strict=False))


def joined(cells: Sequence[str], delimiter: str, usual: Shapes) -> tuple[str, ...] | None:
    """A row with cells too many, one text made whole again; None when that cannot be done in one way only."""
    width = len(usual)
    extra = len(cells) - width
    if not 0 < extra <= _FURTHEST:
        return None
    found = set()
    for at in range(width):
        parts = [part for part in cells[at : at + extra + 1] if part.strip()]
        row = (*cells[:at], delimiter.join(parts), *cells[at + extra + 1 :])
        if not misfits(row, usual):
            found.add(row)
    return found.pop() if len(found) == 1 else None


def moved(cells: Sequence[str], usual: Shapes) -> tuple[str, ...] | None:
    """A row with cells missing, blanks put where they lack; None when that cannot be done in one way only."""
    missing = len(usual) - len(cells)
    if not 0 < missing <= _FURTHEST:
        return None
    blanks = ("",) * missing
    found = {
        row for at in range(len(cells) + 1) if not misfits(row := (*cells[:at], *blanks, *cells[at:]), usual)
    }
    return found.pop() if len(found) == 1 else None
