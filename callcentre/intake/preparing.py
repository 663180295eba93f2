"""A file made ready to import: read, mapped, its rows turned into candidates one after the other.

Pure, but for the child process in which a workbook is read.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from callcentre.intake.apart import read_list
from callcentre.intake.candidates import ReadRow, RowReader, Scope, read_row, read_sheet, scope_of
from callcentre.intake.fields import Field
from callcentre.intake.habits import habits_from_json
from callcentre.intake.mapping import Choice, Column, ColumnWords, LeftOut, SheetMapping, map_content
from callcentre.intake.reader import Cells, ListContent, Refusal, Sheet, safe_name
from callcentre.intake.reader import Choice as ReadingChoice
from callcentre.programmes import Programme


@dataclass(frozen=True)
class PreparedList:
    """A list file that can be checked and imported."""

    name: str
    digest: str
    content: bytes
    scope: Scope
    read: ListContent
    mappings: tuple[SheetMapping, ...]
    totals: frozenset[str]
    read_as: ReadingChoice | None = None
    """How a person said that the text is to be read."""

    @cached_property
    def sheets(self) -> tuple[tuple[Sheet, SheetMapping], ...]:
        """The sheets that are read, each with its mapping."""
        by_name = {sheet.name: sheet for sheet in self.read.sheets}
        return tuple((by_name[mapping.sheet], mapping) for mapping in self.mappings)

    @cached_property
    def _readers(self) -> dict[str, RowReader]:
        """One for each sheet: they remember the values that come back from row to row."""
        return {mapping.sheet: RowReader(mapping, self.scope, self.totals) for mapping in self.mappings}

    @property
    def rows_total(self) -> int:
        """How many rows will get a fate: all but the header rows."""
        return sum(_length(sheet, mapping) for sheet, mapping in self.sheets)

    @property
    def unread_sheets(self) -> tuple[str, ...]:
        """Visible sheets in which no header was recognised."""
        read_ones = {mapping.sheet for mapping in self.mappings}
        return tuple(s.name for s in self.read.sheets if s.rows and s.name not in read_ones)

    def rows(self, start: int = 0) -> Iterator[ReadRow]:
        """The rows in order, from the `start`-th on."""
        at = 0
        for sheet, mapping in self.sheets:
            length = _length(sheet, mapping)
            if start < at + length:
                skipped = max(0, start - at)
                yield from read_sheet(sheet, self._readers[mapping.sheet], skip=skipped)
            at += length

    def mapping_json(self) -> dict[str, Any]:
        """How the columns were named, as it is stored so that a resumed import reads the same way."""
        return {
            "sheets": [sheet_json(mapping) for mapping in self.mappings],
            "totals": sorted(self.totals),
            "unread_sheets": list(self.unread_sheets),
            "hidden_sheets": list(self.read.hidden_sheets),
            "format": self.read.format,
            "encoding": self.read.encoding,
            "delimiter": self.read.delimiter,
            "encoding_why": self.read.encoding_why,
            "notes": [[str(n.code), n.count, list(n.places), n.sheet] for n in self.read.notes],
            "read_as": {} if self.read_as is None else asdict(self.read_as),
        }


def _length(sheet: Sheet, mapping: SheetMapping) -> int:
    """How many rows of a sheet get a fate: all but its header, when it has one."""
    return len(sheet.rows) - (mapping.header_row > 0)


def prepare(
    content: bytes,
    name: str,
    *,
    programme: Programme,
    list_date: date,
    words: ColumnWords,
    chosen: Mapping[str, str] | Choice | None = None,
    remembered: Mapping[str, Mapping[str, str]] | None = None,
    read_as: ReadingChoice | None = None,
) -> PreparedList | Refusal:
    """Read and map a list file, or say in clear words why it cannot be.

    `chosen` names columns of this list, `remembered` those of earlier lists by the signature of their headers;
    `read_as` says in which encoding and with which delimiter, where a person knows better.
    """
    found = read_list(content, name, read_as)
    if isinstance(found, Refusal):
        return found
    prepared = prepare_read(
        found,
        content,
        name,
        programme=programme,
        list_date=list_date,
        words=words,
        chosen=chosen,
        remembered=remembered,
    )
    return with_reading(prepared, read_as) if isinstance(prepared, PreparedList) else prepared


def with_reading(prepared: PreparedList, read_as: ReadingChoice | None) -> PreparedList:
    """A prepared list that remembers how a person said its text is to be read."""
    return replace(prepared, read_as=read_as)


def prepare_read(
    found: ListContent,
    content: bytes,
    name: str,
    *,
    programme: Programme,
    list_date: date,
    words: ColumnWords,
    chosen: Mapping[str, str] | Choice | None = None,
    remembered: Mapping[str, Mapping[str, str]] | None = None,
) -> PreparedList | Refusal:
    """Map a list file that is read already; `content` is its bytes."""
    mappings = map_content(found, words, chosen=chosen, remembered=remembered)
    if isinstance(mappings, Refusal):
        return mappings
    return PreparedList(
        name=safe_name(name),
        digest=hashlib.sha256(content).hexdigest(),
        content=content,
        scope=scope_of(programme, list_date),
        read=found,
        mappings=tuple(mappings),
        totals=words.totals,
    )


def prepare_again(
    content: bytes, name: str, *, programme: Programme, list_date: date, mapping: Mapping[str, Any]
) -> PreparedList | Refusal:
    """The same list as before, read with the mapping that was stored for it."""
    read_as = ReadingChoice(**mapping["read_as"]) if mapping.get("read_as") else None
    read_content = read_list(content, name, read_as)
    if isinstance(read_content, Refusal):
        return read_content
    return PreparedList(
        name=safe_name(name),
        digest=hashlib.sha256(content).hexdigest(),
        content=content,
        scope=scope_of(programme, list_date),
        read=read_content,
        mappings=tuple(sheet_mapping(stored) for stored in mapping["sheets"]),
        totals=frozenset(mapping["totals"]),
        read_as=read_as,
    )


def sheet_json(mapping: SheetMapping) -> dict[str, Any]:
    """One sheet's mapping as it is stored; headers that are left out keep their place, not their name."""
    read_indexes = {column.index for column in mapping.columns}
    return {
        "sheet": mapping.sheet,
        "header_row": mapping.header_row,
        "headers": list(mapping.headers),
        "read": sorted(read_indexes),
        "columns": [[c.index, str(c.field), c.rank, c.relation] for c in mapping.columns],
        "left_out": list(mapping.left_out),
        "left_out_why": [str(why) for why in mapping.left_out_why],
        "signature": mapping.signature,
        "habits": mapping.habits.as_json(),
        "remembered": mapping.is_remembered,
    }


def sheet_mapping(stored: Mapping[str, Any]) -> SheetMapping:
    """A sheet's mapping from its stored form."""
    return SheetMapping(
        sheet=stored["sheet"],
        header_row=stored["header_row"],
        headers=tuple(stored["headers"]),
        columns=tuple(Column(index, Field(name), rank, rel) for index, name, rank, rel in stored["columns"]),
        left_out=tuple(stored["left_out"]),
        left_out_why=tuple(LeftOut(why) for why in stored.get("left_out_why", ())),
        habits=habits_from_json(stored.get("habits")),
        is_remembered=bool(stored.get("remembered")),
    )


def kept_cells(cells: Cells, mapping: SheetMapping) -> list[str]:
    """A quarantined row's cells, blank where the column is not one that may be stored."""
    stored = {column.index for column in mapping.columns}
    return [cell if index in stored else "" for index, cell in enumerate(cells)]


def read_again(sheet: str, number: int, cells: Cells, mapping: SheetMapping, scope: Scope) -> ReadRow:
    """A quarantined row read anew, after its cells were corrected."""
    return read_row(sheet, number, cells, mapping, scope)


def cell_keys(mapping: SheetMapping) -> list[tuple[str, Column]]:
    """The read columns with the keys that corrections use: "phone", "phone#2", "guardian_phone:2"."""
    keys: list[tuple[str, Column]] = []
    met: Counter[str] = Counter()
    for column in mapping.columns:
        name = f"{column.field}:{column.rank}" if column.rank > 1 else str(column.field)
        met[name] += 1
        keys.append((name if met[name] == 1 else f"{name}#{met[name]}", column))
    return keys
