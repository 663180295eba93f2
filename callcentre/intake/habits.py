"""What only a whole column can tell: the order of day and month, capitals for family names, trusted check letters.

Looked at once, in the first thousands of rows, and stored with the mapping so that a resumed import reads the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from callcentre.intake import naming, values
from callcentre.intake.dates import USUAL, DateHabit, date_parts
from callcentre.intake.fields import Field
from callcentre.intake.reader import Cells, Row, Sheet
from callcentre.phone import plain_number, read_cell

_LOOKED_AT = 4_000
_CERTAIN_DATES = 2
"""Dates that can only be month first, before a column is taken for one that writes the month first."""
_MOST = 0.8
_ENOUGH = 8
_MANY_PEOPLE = 10
"""People with one number, beyond which it is a place's (a school, a home) and no family's."""
_NAMES = (Field.FAMILY_NAME, Field.FIRST_NAME, Field.FULL_NAME, Field.FULL_NAME_REVERSED, Field.BIRTH_DATE)
_PHONES = frozenset({Field.PHONE, Field.GUARDIAN_PHONE})
_DATES = frozenset({Field.BIRTH_DATE, Field.ENTRY_DATE, Field.EXIT_DATE})


@dataclass(frozen=True)
class Habits:
    """How a sheet is written."""

    dates: tuple[tuple[int, DateHabit], ...] = ()
    """By column, for those that do not write the day first."""
    capitals: bool = False
    """Family names in capitals, first names not: two names that stand the other way round are swapped."""
    ine_letters: bool = False
    """The check letters of school INEs hold in it, so that one that does not is a slip of the pen."""
    crowded: frozenset[str] = frozenset()
    """Numbers (E.164) that very many of its people have."""

    def of_dates(self, index: int) -> DateHabit:
        """How a column writes its dates."""
        return next((habit for at, habit in self.dates if at == index), USUAL)

    def as_json(self) -> dict[str, Any]:
        """The form in which it is stored."""
        return {
            "dates": [[at, h.month_first, h.is_mixed, h.from_1904] for at, h in self.dates],
            "capitals": self.capitals,
            "ine_letters": self.ine_letters,
            "crowded": sorted(self.crowded),
        }


NO_HABITS = Habits()


def habits_from_json(stored: dict[str, Any] | None) -> Habits:
    """Read habits back; lists stored before there were any have none."""
    if not stored:
        return NO_HABITS
    dates = tuple((at, DateHabit(month, mixed, from_1904)) for at, month, mixed, from_1904 in stored["dates"])
    return Habits(
        dates, bool(stored["capitals"]), bool(stored["ine_letters"]), frozenset(stored.get("crowded", ()))
    )


def find_habits(
    sheet: Sheet, header_row: int, columns: Iterable[tuple[int, Field]], *, from_1904: bool = False
) -> Habits:
    """Look at the rows below a header, and say how they are written."""
    columns = tuple(columns)
    looked_at = _sample(sheet, header_row)
    dates = tuple(
        (index, habit)
        for index, field in columns
        if field in _DATES and (habit := _date_habit(_cells(looked_at, index), from_1904=from_1904)) != USUAL
    )
    place = {field: index for index, field in reversed(columns)}
    phones = [index for index, field in columns if field in _PHONES]
    return Habits(
        dates,
        _writes_capitals(looked_at, place),
        _trusts_letters(looked_at, place.get(Field.INE)),
        _crowded(looked_at, phones, [place[name] for name in _NAMES if name in place]),
    )


def _sample(sheet: Sheet, header_row: int) -> list[Row]:
    """The rows below the header: all of them in a list of the usual length, the first thousands of a longer one."""
    return [row for row in islice(sheet.rows_from(0), _LOOKED_AT) if row.number > header_row]


def _cells(rows: Sequence[Row], index: int) -> Iterator[str]:
    return (row.cells[index] for row in rows if index < len(row.cells) and row.cells[index])


def _date_habit(cells: Iterable[str], *, from_1904: bool) -> DateHabit:
    """Month first only when several dates leave no other reading and (almost) none forbids it."""
    day_first = month_first = either = 0
    for cell in cells:
        parts = date_parts(cell)
        if parts is None:
            continue
        first, second = parts
        if first > 12 >= second:
            day_first += 1
        elif second > 12 >= first:
            month_first += 1
        else:
            either += first <= 12 and second <= 12
    is_month_first = (
        month_first >= _CERTAIN_DATES
        and month_first >= 10 * day_first
        and month_first * 4 >= month_first + either
    )
    few, many = sorted((day_first, month_first))
    is_mixed = few >= _CERTAIN_DATES and few * 10 > many
    return DateHabit(is_month_first, is_mixed, from_1904)


def _writes_capitals(rows: Sequence[Row], place: dict[Field, int]) -> bool:
    family, first = place.get(Field.FAMILY_NAME), place.get(Field.FIRST_NAME)
    if family is None or first is None:
        return False
    seen = capitals = 0
    for row in rows:
        if max(family, first) < len(row.cells) and row.cells[family] and row.cells[first]:
            seen += 1
            capitals += row.cells[family].isupper() and not row.cells[first].isupper()
    return seen >= _ENOUGH and capitals >= _MOST * seen


def _trusts_letters(rows: Sequence[Row], index: int | None) -> bool:
    if index is None:
        return False
    school = [ine for ine in map(values.read_ine, _cells(rows, index)) if ine and ine[:10].isdigit()]
    right = sum(values.ine_letter_is_right(ine) for ine in school)
    return len(school) >= _ENOUGH and right >= _MOST * len(school)


def _crowded(rows: Sequence[Row], phones: Sequence[int], names: Sequence[int]) -> frozenset[str]:
    """Numbers that stand beside very many different people."""
    holders: defaultdict[str, set[Cells]] = defaultdict(set)
    for index in phones:
        for row in rows:
            if index < len(row.cells) and row.cells[index]:
                holders[row.cells[index]].add(tuple(row.cells[at] for at in names if at < len(row.cells)))
    people: defaultdict[str, set[Cells]] = defaultdict(set)
    for text, who in holders.items():
        for e164 in _numbers_in(text):
            people[e164] |= who
    return frozenset(e164 for e164, who in people.items() if len(who) > _MANY_PEOPLE)


def _numbers_in(text: str) -> list[str]:
    plain = plain_number(text)
    if plain is not None:
        return [plain[0]]
    return [number.e164 for number in read_cell(text, "FR") if number.e164 is not None]


def holds_full_names(sheet: Sheet, header_row: int, index: int) -> bool:
    """Whether a column called "Nom" holds both names, one of them in capitals, in most of its cells."""
    cells = list(_cells(_sample(sheet, header_row), index))
    split = [naming.split_name(cell) for cell in cells]
    told = sum(
        name is not None and name.is_certain and name.family_name.isupper() != name.first_name.isupper()
        for name in split
    )
    return bool(cells) and told >= _MOST * len(cells)
