"""Which column of a sheet is what: find the header row, name its columns, refuse what cannot be mapped.

The words come from `config/list_columns.toml`; a mapping given by a person comes first.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from callcentre.errors import ConfigurationError, InvalidInput
from callcentre.intake.fields import GUARDIAN_FIELDS, REQUIRED, SEVERAL_COLUMNS, Field, field_words
from callcentre.intake.reader import ListContent, Refusal, RefusalCode, Sheet
from callcentre.people.names import fold

_HEADER_WITHIN = 40
"""Rows of a sheet among which the header is looked for."""
_GUARDIANS = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read: its position, its field, and for a guardian's column which guardian."""

    index: int
    field: Field
    rank: int = 0
    relation: str | None = None


@dataclass(frozen=True)
class ColumnWords:
    """The header words by field, folded."""

    fields: Mapping[str, Field]
    guardian_words: frozenset[str]
    guardian_filler: frozenset[str]
    guardian_relations: frozenset[str]
    guardian_fields: Mapping[str, Field]
    plain_relation: frozenset[str]
    decoys: frozenset[str]
    totals: frozenset[str]


@dataclass(frozen=True)
class SheetMapping:
    """How one sheet is read: its header row, its columns, and the headers that are left out."""

    sheet: str
    header_row: int
    headers: tuple[str, ...]
    columns: tuple[Column, ...]
    left_out: tuple[str, ...]

    @cached_property
    def signature(self) -> str:
        """A short mark of these headers, whatever their case and accents, to remember a mapping by."""
        return hashlib.sha256("|".join(fold(h) for h in self.headers).encode()).hexdigest()[:16]

    @cached_property
    def header_cells(self) -> tuple[str, ...]:
        """The folded headers, to recognise a header that is repeated further down."""
        return tuple(fold(h) if h.strip() else "" for h in self.headers)


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


def column_words(data: Mapping[str, Any]) -> ColumnWords:
    """Fold the words of the configuration into look-up tables."""
    fields = {fold(word): Field(name) for name, words in data["fields"].items() for word in words}
    guardian = data["guardian"]
    return ColumnWords(
        fields=fields,
        guardian_words=frozenset(guardian["words"]),
        guardian_filler=frozenset(guardian["filler"]),
        guardian_relations=frozenset(guardian["relations"]),
        guardian_fields={
            fold(word) if word else "": field
            for name, field in GUARDIAN_FIELDS.items()
            for word in guardian[name]
        },
        plain_relation=frozenset(fold(word) for word in guardian["plain_relation"]),
        decoys=frozenset(data["decoys"]["words"]),
        totals=frozenset(fold(word) for word in data["totals"]["words"]),
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
    content: ListContent, words: ColumnWords, *, chosen: Mapping[str, str] | None = None
) -> list[SheetMapping] | Refusal:
    """Map every sheet that has a header; a Refusal when none has the required columns.

    `chosen` maps a header as written to a field: "guardian_phone:2" is the second guardian's, "" leaves out.
    """
    mapped: list[SheetMapping] = []
    refusals: list[Refusal] = []
    for sheet in content.sheets:
        result = map_sheet(sheet, words, chosen=chosen)
        if isinstance(result, SheetMapping):
            mapped.append(result)
        elif sheet.rows:
            refusals.append(result)
    if mapped:
        return mapped
    named = [refusal for refusal in refusals if refusal.code is RefusalCode.MISSING_COLUMNS]
    return (named or refusals or [_no_header()])[0]


def map_sheet(
    sheet: Sheet, words: ColumnWords, *, chosen: Mapping[str, str] | None = None
) -> SheetMapping | Refusal:
    """Find the header row of a sheet and name its columns."""
    best: SheetMapping | None = None
    for row in sheet.rows[:_HEADER_WITHIN]:
        candidate = _map_headers(sheet.name, row.number, row.cells, words, chosen or {})
        if best is None or _score(candidate) > _score(best):
            best = candidate
    if best is None or len(best.columns) < 2:
        return _no_header()
    missing = [field for field in REQUIRED if field not in {column.field for column in best.columns}]
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


def _no_header() -> Refusal:
    return Refusal(
        RefusalCode.NO_HEADER,
        "Aucune ligne d’en-tête reconnue : la première ligne du tableau doit nommer les colonnes"
        " (au moins nom, prénom, date de naissance).",
        "No header row recognised: the first row of the table must name the columns"
        " (at least family name, first name, birth date).",
    )


def _score(mapping: SheetMapping) -> tuple[int, int]:
    fields = {column.field for column in mapping.columns}
    return sum(field in fields for field in REQUIRED), len(fields)


def _map_headers(
    sheet: str, number: int, cells: tuple[str, ...], words: ColumnWords, chosen: Mapping[str, str]
) -> SheetMapping:
    columns: list[Column] = []
    left_out: list[str] = []
    taken: set[tuple[Field, int]] = set()
    ranks: dict[str, int] = {}
    picked = {fold(header): field for header, field in chosen.items()}
    for index, header in enumerate(cells):
        column = _column(index, header, words, picked, ranks)
        key = (column.field, column.rank) if column else None
        if column is None or key in taken or column.field is Field.COMMENT or column.rank > _GUARDIANS:
            if header.strip():
                left_out.append(" ".join(header.split()))
            continue
        if column.field not in SEVERAL_COLUMNS:
            taken.add((column.field, column.rank))
        columns.append(column)
    return SheetMapping(sheet, number, cells, tuple(columns), tuple(left_out))


def _column(
    index: int, header: str, words: ColumnWords, picked: Mapping[str, str], ranks: dict[str, int]
) -> Column | None:
    if not header.strip() or len(header) > 120:
        return None
    folded = fold(header)
    if folded in picked:
        name, _, rank = picked[folded].partition(":")
        if name not in Field.__members__.values():
            return None
        field = Field(name)
        return Column(index, field, int(rank or 1) if field in GUARDIAN_FIELDS.values() else 0)
    if folded in words.plain_relation:
        return Column(index, Field.GUARDIAN_RELATION, 1)
    if folded in words.fields:
        return Column(index, words.fields[folded])
    return _guardian_column(index, folded, words, ranks)


def _guardian_column(index: int, folded: str, words: ColumnWords, ranks: dict[str, int]) -> Column | None:
    """A guardian's word, perhaps a rank, and what remains names the field: "resp 1 tel portable"."""
    tokens = folded.replace("resp1", "resp 1").replace("resp2", "resp 2").replace("rl1", "rl 1")
    parts = tokens.replace("rl2", "rl 2").split()
    marks = [part for part in parts if part in words.guardian_words]
    if not marks or any(part in words.decoys for part in parts):
        return None
    digit = next((part for part in parts if part in {"1", "2", "3"}), None)
    known = {*words.guardian_words, *words.guardian_filler, "1", "2", "3"}
    rest = " ".join(part for part in parts if part not in known)
    field = words.guardian_fields.get(rest)
    if field is None:
        return None
    relation = next((part for part in marks if part in words.guardian_relations), None)
    group = digit or relation
    rank = 1 if group is None else int(digit) if digit else ranks.setdefault(group, len(ranks) + 1)
    return Column(index, field, rank, relation)
