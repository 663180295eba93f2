"""What the check of a received list found, kept a few minutes so that its pages need not read it again."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from threading import Lock
from typing import cast

from flask import current_app

from callcentre.intake.checking import Plan, PlannedRow
from callcentre.intake.kinds import Fate
from callcentre.intake.preparing import PreparedList
from callcentre.intake.queries import ListFileView
from callcentre.intake.reasons import ReasonCode

PREVIEWED_ROWS = 20
EXAMPLES = 3
"""Values of a column that its line shows."""
KEPT_FOR = timedelta(minutes=10)
_KEPT_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """A column of the file: its header, the field it is read as (`guardian_phone:2`), some of its values."""

    header: str
    read_as: str
    examples: tuple[str, ...]

    @property
    def field(self) -> str:
        """The field without the guardian's rank; empty for a column that is not read."""
        return self.read_as.partition(":")[0]

    @property
    def rank(self) -> str:
        """Which guardian's, if it is a guardian's."""
        return self.read_as.partition(":")[2]


@dataclass(frozen=True, slots=True)
class SheetPreview:
    """The head of a sheet as it was read."""

    sheet: str
    header_row: int
    columns: tuple[PreviewColumn, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    """Row numbers with as many cells as there are columns."""


@dataclass(frozen=True)
class ListCheck:
    """What importing a list would do, and how it was read."""

    plan: Plan
    sheets: tuple[SheetPreview, ...]
    at: datetime

    @property
    def people(self) -> int:
        """How many people the import would bring or look at."""
        return sum(self.plan.counts[fate] for fate in (Fate.CREATED, Fate.UPDATED, Fate.UNCHANGED))

    @property
    def columns_read(self) -> int:
        """How many columns of the file are read."""
        return sum(bool(column.read_as) for sheet in self.sheets for column in sheet.columns)

    @cached_property
    def reasons(self) -> tuple[tuple[ReasonCode, int], ...]:
        """The reasons with the number of rows that carry each, most frequent first."""
        counted = Counter(code for row in self.plan.rows for code in {reason.code for reason in row.reasons})
        return tuple(counted.most_common())

    def rows(self, fate: Fate | None, reason: ReasonCode | None) -> Sequence[PlannedRow]:
        """The rows of a fate and with a reason, in order."""
        return [
            row
            for row in self.plan.rows
            if (fate is None or row.fate is fate)
            and (reason is None or any(said.code is reason for said in row.reasons))
        ]


def preview(prepared: PreparedList) -> tuple[SheetPreview, ...]:
    """The head of each sheet that is read: its columns, and its first rows below the header."""
    sheets = []
    for sheet, mapping in prepared.sheets:
        fields = {c.index: f"{c.field}:{c.rank}" if c.rank else str(c.field) for c in mapping.columns}
        below = [row for row in sheet.rows if row.number > mapping.header_row and any(row.cells)]
        shown = [i for i, header in enumerate(mapping.headers) if header.strip() or i in fields]
        columns = []
        for index in shown:
            values = (row.cells[index] for row in below[:200] if index < len(row.cells))
            examples = tuple(dict.fromkeys(value.strip() for value in values if value.strip()))[:EXAMPLES]
            header = " ".join(mapping.headers[index].split())
            columns.append(PreviewColumn(header, fields.get(index, ""), examples))
        rows = tuple(
            (row.number, tuple(row.cells[i] if i < len(row.cells) else "" for i in shown))
            for row in below[:PREVIEWED_ROWS]
        )
        sheets.append(SheetPreview(sheet.name, mapping.header_row, tuple(columns), rows))
    return tuple(sheets)


class Checks:
    """The latest checks of this process; one that is old, or of another mapping, is done again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[int, ListCheck] = OrderedDict()

    def get(self, file: ListFileView, now: datetime) -> ListCheck | None:
        """The check of a list as it is mapped now, if it is fresh."""
        with self._lock:
            found = self._kept.get(file.id)
        fresh = found is not None and now - found.at < KEPT_FOR and found.plan.mapping == file.mapping
        return found if fresh else None

    def keep(self, list_file_id: int, check: ListCheck) -> ListCheck:
        """Keep a check, and the few before it."""
        with self._lock:
            self._kept[list_file_id] = check
            self._kept.move_to_end(list_file_id)
            while len(self._kept) > _KEPT_AT_MOST:
                self._kept.popitem(last=False)
        return check

    def forget(self, list_file_id: int) -> None:
        """Forget the check of a list that is imported or dropped: it holds names."""
        with self._lock:
            self._kept.pop(list_file_id, None)


def checks() -> Checks:
    """The checks of this application."""
    return cast(Checks, current_app.extensions.setdefault("list_checks", Checks()))
