"""The rows of a list as its pages show them: by pages, with their reasons in words, and those to correct."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from callcentre.intake import received
from callcentre.intake.checking import PlannedRow
from callcentre.intake.fields import Field
from callcentre.intake.kinds import Fate
from callcentre.intake.matching import Known
from callcentre.intake.queries import CellView, RowView
from callcentre.intake.reasons import Effect, Reason, ReasonCode
from callcentre.programmes import Programme
from callcentre.web import list_words
from callcentre.web.i18n import gettext
from callcentre.web.transaction import database

PER_PAGE = 50
_WHO = frozenset({ReasonCode.INE_ON_TWO_PEOPLE, ReasonCode.AMBIGUOUS_PERSON})
"""Reasons that a person settles by saying who the row is."""
_TO_CORRECT = frozenset({Effect.QUARANTINE, Effect.WARNING})


@dataclass(frozen=True)
class Page:
    """Some of many rows; pages count from 1."""

    number: int
    pages: int
    total: int
    rows: Sequence[Any] = ()

    @property
    def first(self) -> int:
        """How many rows stand before this page."""
        return (self.number - 1) * PER_PAGE

    @property
    def last(self) -> int:
        """How many rows there are up to the end of this page."""
        return min(self.first + PER_PAGE, self.total)

    def holding(self, rows: Sequence[Any]) -> Page:
        """The page with its rows."""
        return replace(self, rows=rows)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a list in a table."""

    label: str
    fate: Fate
    name: str
    person_id: int | None
    reasons: tuple[Reason, ...]
    changes: tuple[str, ...] = ()
    row_id: int | None = None
    """The row to correct in place: one in quarantine, or let in with a remark."""


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A quarantined row with the cells to look at first, the others, and the people it may speak of."""

    row: RowView
    label: str
    name: str
    to_correct: tuple[CellView, ...]
    others: tuple[CellView, ...]
    people: tuple[Known, ...]
    asks_who: bool


def page_at(total: int, wanted: int | None) -> Page:
    """The page of a number of rows that is nearest to the one that was asked for."""
    pages = max(1, -(-total // PER_PAGE))
    return Page(min(max(wanted or 1, 1), pages), pages, total)


def page_of(rows: Sequence[Any], total: int, wanted: int | None) -> Page:
    """A page cut out of rows that are all at hand."""
    page = page_at(total, wanted)
    return page.holding(rows[page.first : page.last])


def label(row: RowView | PlannedRow) -> str:
    """How a row is called: its number, after its sheet when there is one."""
    return f"{row.sheet} · {row.number}" if row.sheet else str(row.number)


def planned(row: PlannedRow) -> Line:
    """A row of a check."""
    changes: tuple[str, ...] = ()
    if row.fate is Fate.UPDATED:
        changes = tuple(dict.fromkeys(list_words.difference(change, {}) for change in row.differences))
    return Line(label(row), row.fate, row.name, None, row.reasons, changes)


def stored(row: RowView) -> Line:
    """A row of a report."""
    return Line(
        label(row),
        row.fate,
        row.person_name or _written_name(row),
        row.person_id,
        row.reasons,
        row_id=row.id if row.is_correctable else None,
    )


def held(row: RowView, programme: Programme) -> HeldRow:
    """A quarantined row, ready to be corrected."""
    wrong = {reason.field for reason in row.reasons if reason.effect in _TO_CORRECT}
    if Field.FAMILY_NAME in wrong or Field.FIRST_NAME in wrong:
        wrong |= {Field.FAMILY_NAME, Field.FIRST_NAME}
    asks_who = row.is_open and any(reason.code in _WHO for reason in row.reasons)
    people = received.possible_people(database(), row.id, programme=programme) if asks_who else ()
    return HeldRow(
        row=row,
        label=label(row),
        name=_written_name(row) or gettext("nom non lu"),
        to_correct=tuple(cell for cell in row.cells if _field(cell) in wrong),
        others=tuple(cell for cell in row.cells if _field(cell) not in wrong),
        people=people,
        asks_who=asks_who,
    )


def _written_name(row: RowView) -> str:
    """The name in the cells of a row that still has them."""
    said = {_field(cell): cell.value.strip() for cell in row.cells}
    apart = " ".join(filter(None, (said.get(Field.FAMILY_NAME), said.get(Field.FIRST_NAME))))
    return apart or said.get(Field.FULL_NAME) or said.get(Field.FULL_NAME_REVERSED) or ""


def _field(cell: CellView) -> str:
    return cell.key.partition("#")[0].partition(":")[0]
