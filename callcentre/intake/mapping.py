"""Which column of a sheet is what: find the header row, name its columns, refuse what cannot be mapped.

What a header says is `headers.py`'s; a mapping given or remembered by a person comes first.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from callcentre.errors import ConfigurationError, InvalidInput
from callcentre.intake.fields import (
    FULL_NAMES,
    GUARDIAN_FIELDS,
    SEVERAL_COLUMNS,
    Field,
    field_words,
    missing_fields,
)
from callcentre.intake.habits import NO_HABITS, Habits, find_habits, holds_full_names
from callcentre.intake.headers import LONGEST_HEADER, ColumnWords, LeftOut, Meaning, column_words
from callcentre.intake.reader import Cells, ListContent, Refusal, RefusalCode, Row, Sheet
from callcentre.people.names import fold

__all__ = [
    "Choice", "Column", "ColumnWords", "LeftOut", "SheetMapping", "column_words", "draft_sheet", "load_choice",
    "load_chosen",
    "load_column_words", "map_content", "map_sheet", "signature_of",
]  # fmt: skip

_HEADER_WITHIN = 40
"""Rows of a sheet among which the header is looked for."""
_GUARDIANS = 2
_IS_GUARDIANS = frozenset(GUARDIAN_FIELDS.values())


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read: its position, its field, and for a guardian's column which guardian."""

    index: int
    field: Field
    rank: int = 0
    relation: str | None = None


@dataclass(frozen=True)
class Choice:
    """How a person names the columns of a list.

    `columns` maps a header as written, or "#3" for the third column, to a field: "guardian_phone:2" is the second
    guardian's, "" leaves the column out. `header_rows` gives the number of the header row by sheet, 0 for none.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    header_rows: Mapping[str, int] = field(default_factory=dict)
    sheets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Columns as in `columns`, of one sheet only."""
    encoding: str | None = None
    delimiter: str | None = None
    """How the text is to be read, where a person knows better."""

    def of_sheet(self, sheet: str) -> dict[str, str]:
        """What is said of the columns of a sheet."""
        return {**self.columns, **self.sheets.get(sheet, {})}


NOBODYS_CHOICE = Choice()


@dataclass(frozen=True)
class SheetMapping:
    """How one sheet is read: its header row (0: none), its columns, and the headers that are left out, with why."""

    sheet: str
    header_row: int
    headers: tuple[str, ...]
    columns: tuple[Column, ...]
    left_out: tuple[str, ...]
    left_out_why: tuple[LeftOut, ...] = ()
    habits: Habits = NO_HABITS
    is_remembered: bool = False
    """Whether a person's earlier choice for these headers was followed."""

    @cached_property
    def signature(self) -> str:
        """A short mark of these headers, whatever their case and accents, to remember a mapping by."""
        return signature_of(self.headers)

    @cached_property
    def header_cells(self) -> tuple[str, ...]:
        """The folded headers, to recognise a header that is repeated further down."""
        return tuple(fold(h) if h.strip() else "" for h in self.headers)

    @cached_property
    def why_left_out(self) -> dict[int, LeftOut]:
        """Why each column that is not read is left out, by its position."""
        read = {column.index for column in self.columns}
        unread = [i for i, header in enumerate(self.headers) if header.strip() and i not in read]
        return dict(zip(unread, self.left_out_why, strict=False))


def signature_of(headers: Sequence[str]) -> str:
    """The mark of a row of headers."""
    return hashlib.sha256("|".join(fold(h) for h in headers).encode()).hexdigest()[:16]


def load_column_words(file: Path) -> ColumnWords:
    """Read the header words; raises ConfigurationError naming the file, the key and the remedy."""
    try:
        return column_words(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            file=file.name, key="(file)", problem=f"{error}.", remedy="Restore it from the project."
        ) from error
    except (KeyError, ValueError) as error:
        raise ConfigurationError(
            file=file.name, key=str(error), problem="missing or not known.", remedy="Correct this key."
        ) from error


def load_choice(file: Path) -> Choice:
    """Read a mapping that a person wrote, in TOML or JSON.

    `columns`, and perhaps `header_row` (or `header_rows` by sheet; 0 for none), `encoding` and `delimiter`.
    """
    columns = load_chosen(file)
    text = file.read_text(encoding="utf-8")
    data = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    rows = data.get("header_rows", {"": data["header_row"]} if "header_row" in data else {})
    try:
        header_rows = {str(sheet): int(number) for sheet, number in rows.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise InvalidInput(f"{file.name}: a header row is a number, 0 for none.", field="mapping") from error
    return Choice(
        columns, header_rows, encoding=data.get("encoding") or None, delimiter=data.get("delimiter") or None
    )


def load_chosen(file: Path) -> dict[str, str]:
    """Read a mapping that a person wrote: a table `columns` of header = "field", in TOML or JSON."""
    try:
        text = file.read_text(encoding="utf-8")
        data = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
        columns = data["columns"]
        chosen = {str(header): str(field) for header, field in columns.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"{file.name}: a mapping holds one table `columns`, a field for each header.", field="mapping"
        ) from error
    unknown = sorted({field.partition(":")[0] for field in chosen.values()} - {"", *map(str, Field)})
    if unknown:
        raise InvalidInput(
            f"{file.name}: unknown field {', '.join(unknown)}; known are {', '.join(Field)}.", field="mapping"
        )
    return chosen


def map_content(
    content: ListContent,
    words: ColumnWords,
    *,
    chosen: Mapping[str, str] | Choice | None = None,
    remembered: Mapping[str, Mapping[str, str]] | None = None,
) -> list[SheetMapping] | Refusal:
    """Map every sheet that has a header; a Refusal when none has the required columns.

    `chosen` is what a person says of this list, `remembered` what was said of lists with the same headers, by
    signature.
    """
    mapped: list[SheetMapping] = []
    refusals: list[Refusal] = []
    for sheet in content.sheets:
        result = map_sheet(sheet, words, chosen=chosen, remembered=remembered)
        if isinstance(result, SheetMapping):
            mapped.append(result)
        elif sheet.rows:
            refusals.append(result)
    if mapped:
        from_1904 = content.dates_from_1904
        by_name = {sheet.name: sheet for sheet in content.sheets}
        return [_with_habits(mapping, by_name[mapping.sheet], from_1904) for mapping in mapped]
    named = [refusal for refusal in refusals if refusal.code is RefusalCode.MISSING_COLUMNS]
    return (named or refusals or [_no_header()])[0]


def _with_habits(mapping: SheetMapping, sheet: Sheet, from_1904: bool) -> SheetMapping:
    columns = [(column.index, column.field) for column in mapping.columns]
    habits = find_habits(sheet, mapping.header_row, columns, from_1904=from_1904)
    return replace(mapping, habits=habits)


def map_sheet(
    sheet: Sheet,
    words: ColumnWords,
    *,
    chosen: Mapping[str, str] | Choice | None = None,
    remembered: Mapping[str, Mapping[str, str]] | None = None,
) -> SheetMapping | Refusal:
    """Find the header row of a sheet and name its columns."""
    choice = chosen if isinstance(chosen, Choice) else Choice(chosen or {})
    best = _best(sheet, words, choice, remembered or {})
    if best is None or (len(best.columns) < 2 and not choice.of_sheet(sheet.name)):
        return _no_header()
    missing = missing_fields({column.field for column in best.columns})
    if missing == (Field.FIRST_NAME,):
        best = _both_names_in_one(best, sheet)
        missing = missing_fields({column.field for column in best.columns})
    if not missing:
        return best
    found = ", ".join(h for h in best.headers if h.strip())[:600]
    return Refusal(
        RefusalCode.MISSING_COLUMNS,
        f"Colonnes obligatoires introuvables : {', '.join(field_words(f) for f in missing)}."
        f" Colonnes du fichier : {found}.",
        f"Required columns not found: {', '.join(field_words(f, 'en') for f in missing)}."
        f" Columns of the file: {found}.",
    )


def draft_sheet(
    sheet: Sheet,
    words: ColumnWords,
    *,
    choice: Choice | None = None,
    remembered: Mapping[str, Mapping[str, str]] | None = None,
) -> SheetMapping | None:
    """The best guess at a sheet's columns, whatever is missing from it; None for a sheet without a table."""
    best = _best(sheet, words, choice or NOBODYS_CHOICE, remembered or {})
    if best is None:
        return None
    wanted = (choice or NOBODYS_CHOICE).header_rows
    if len(best.columns) >= 2 or sheet.name in wanted or "" in wanted:
        return best
    # No header is recognised: the first row that is as wide as the table is shown as one.
    rows = tuple(islice(sheet.rows_from(0), _HEADER_WITHIN))
    width = max((sum(bool(cell.strip()) for cell in row.cells) for row in rows), default=0)
    first = next((row for row in rows if sum(bool(cell.strip()) for cell in row.cells) == width), None)
    if first is None or width < 2:
        return None
    return _map_header(sheet.name, _Header(first.number, tuple(("", c) for c in first.cells)), words, {})


def _both_names_in_one(mapping: SheetMapping, sheet: Sheet) -> SheetMapping:
    """A column called "Nom" without a first name's beside it, which holds both names."""
    name = next(column for column in mapping.columns if column.field is Field.FAMILY_NAME)
    if not holds_full_names(sheet, mapping.header_row, name.index):
        return mapping
    columns = tuple(replace(c, field=Field.FULL_NAME) if c is name else c for c in mapping.columns)
    return replace(mapping, columns=columns)


def _no_header() -> Refusal:
    return Refusal(
        RefusalCode.NO_HEADER,
        "Aucune ligne d’en-tête reconnue : la première ligne du tableau doit nommer les colonnes"
        " (au moins nom, prénom, date de naissance).",
        "No header row recognised: the first row of the table must name the columns"
        " (at least family name, first name, birth date).",
    )


# ---- which row is the header


@dataclass(frozen=True, slots=True)
class _Header:
    """A row, or two rows read together, that may be the header: for each column its title above and its text."""

    row: int
    cells: tuple[tuple[str, str], ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The headers as the pages show them."""
        return tuple(f"{title} – {text}" if title and text else title or text for title, text in self.cells)


def _best(
    sheet: Sheet, words: ColumnWords, choice: Choice, remembered: Mapping[str, Mapping[str, str]]
) -> SheetMapping | None:
    wanted = choice.header_rows.get(sheet.name, choice.header_rows.get(""))
    best: SheetMapping | None = None
    for header in _headers(tuple(islice(sheet.rows_from(0), wanted or _HEADER_WITHIN)), words, wanted):
        columns = remembered.get(signature_of(header.texts), {}) if remembered else {}
        candidate = _map_header(sheet.name, header, words, {**columns, **choice.of_sheet(sheet.name)})
        if columns:
            candidate = replace(candidate, is_remembered=True)
        if best is None or _score(candidate) > _score(best):
            best = candidate
    if best is not None and missing_fields({column.field for column in best.columns}):
        best = _with_slips(best, words)
    return best


def _headers(rows: Sequence[Row], words: ColumnWords, wanted: int | None) -> Iterator[_Header]:
    """Every row that may be the header; before it, the same row under the titles of the row above."""
    if wanted == 0:
        width = max((len(row.cells) for row in rows), default=0)
        yield _Header(0, tuple(("", f"Colonne {number}") for number in range(1, width + 1)))
        return
    above: Cells | None = None
    for row in rows:
        if wanted is None or row.number == wanted:
            titles = _titles(above, row.cells, words) if above is not None else None
            if titles is not None:
                yield _Header(row.number, titles)
            yield _Header(row.number, tuple(("", cell) for cell in row.cells))
        above = row.cells if any(cell.strip() for cell in row.cells) else above


def _titles(above: Cells, cells: Cells, words: ColumnWords) -> tuple[tuple[str, str], ...] | None:
    """The row under titles that span columns ("Élève", "Responsable 1"); None when the row above is no such titles."""
    width = max(len(above), len(cells))
    upper = [above[i].strip() if i < len(above) else "" for i in range(width)]
    lower = [cells[i].strip() if i < len(cells) else "" for i in range(width)]
    said = [text for text in upper if text]
    if not said or any(len(text) > LONGEST_HEADER for text in said):
        return None
    spanning = {text for text, below in zip(upper, lower, strict=True) if text and below}
    if not any(words.is_group(text) for text in spanning) or (len(said) == 1 and upper[0]):
        return None
    found: list[tuple[str, str]] = []
    title = ""
    for text, below in zip(upper, lower, strict=True):
        if text:
            title = text if below else ""
        found.append((title, below) if below else ("", text))
    return tuple(found)


def _score(mapping: SheetMapping) -> tuple[int, int]:
    fields = {column.field for column in mapping.columns}
    ranks = {(column.field, column.rank) for column in mapping.columns}
    return -len(missing_fields(fields)), len(ranks)


def _with_slips(mapping: SheetMapping, words: ColumnWords) -> SheetMapping:
    """Required columns that are still missing, recognised in spite of a slip of the pen."""
    for index, why in mapping.why_left_out.items():
        missing = missing_fields({column.field for column in mapping.columns})
        name = words.slip_of(mapping.headers[index], missing) if why is LeftOut.UNKNOWN else None
        if name is not None:
            columns = sorted((*mapping.columns, Column(index, name)), key=lambda column: column.index)
            kept = [(i, w) for i, w in mapping.why_left_out.items() if i != index]
            mapping = replace(
                mapping,
                columns=tuple(columns),
                left_out=tuple(_shown(mapping.headers[i]) for i, _ in kept),
                left_out_why=tuple(w for _, w in kept),
            )
    return mapping


# ---- the columns of a header


def _map_header(sheet: str, header: _Header, words: ColumnWords, chosen: Mapping[str, str]) -> SheetMapping:
    texts = header.texts
    picked = {key if key.startswith("#") else fold(key): name for key, name in chosen.items()}
    groups: dict[str, int] = {}
    read: list[Column] = []
    left_out: list[tuple[int, LeftOut]] = []
    for index, (title, text) in enumerate(header.cells):
        if not texts[index].strip() and f"#{index + 1}" not in picked:
            continue
        found = _chosen(index, texts[index], picked) or _found(index, title, text, words, groups)
        if isinstance(found, Column):
            read.append(found)
        else:
            left_out.append((index, found))
    kept = _without_repeats(read, left_out)
    left_out.sort()
    return SheetMapping(
        sheet,
        header.row,
        texts,
        kept,
        tuple(_shown(texts[index]) for index, _ in left_out),
        tuple(why for _, why in left_out),
    )


def _shown(header: str) -> str:
    return " ".join(header.split())


def _chosen(index: int, header: str, picked: Mapping[str, str]) -> Column | LeftOut | None:
    """What a person says of a column; None when they say nothing of it."""
    said = picked.get(f"#{index + 1}", picked.get(fold(header)) if header.strip() else None)
    if said is None:
        return None
    name, _, rank = said.partition(":")
    if name not in Field.__members__.values() or name == Field.COMMENT:
        return LeftOut.CHOSEN
    about = Field(name)
    return Column(index, about, int(rank or 1) if about in _IS_GUARDIANS else 0)


def _found(index: int, title: str, text: str, words: ColumnWords, groups: dict[str, int]) -> Column | LeftOut:
    meaning = words.meaning_under(title, text) if title and text else words.meaning(title or text)
    if meaning.field is None:
        return meaning.left_out or LeftOut.UNKNOWN
    if meaning.field not in _IS_GUARDIANS:
        return Column(index, meaning.field)
    rank = _rank(meaning, groups)
    return (
        Column(index, meaning.field, rank, meaning.relation) if rank <= _GUARDIANS else LeftOut.THIRD_GUARDIAN
    )


def _rank(meaning: Meaning, groups: dict[str, int]) -> int:
    """Which guardian: the header's number, else in the order in which "père" and "mère" appear."""
    if meaning.group is None:
        return 1
    return (
        int(meaning.group) if meaning.group.isdigit() else groups.setdefault(meaning.group, len(groups) + 1)
    )


def _without_repeats(read: list[Column], left_out: list[tuple[int, LeftOut]]) -> tuple[Column, ...]:
    """The columns whose field was not met before; names in one cell only where they do not stand apart."""
    names_apart = {Field.FAMILY_NAME, Field.FIRST_NAME} <= {column.field for column in read}
    taken: set[tuple[Field, int]] = set()
    kept: list[Column] = []
    for column in read:
        key = (column.field, column.rank)
        if key in taken or (names_apart and column.field in FULL_NAMES):
            left_out.append((column.index, LeftOut.TWICE))
            continue
        if column.field not in SEVERAL_COLUMNS:
            taken.add(key)
        kept.append(column)
    return tuple(kept)
