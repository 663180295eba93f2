"""The corpus: small hard files made by code from a seed, each with what an import of it must give.

A module of this folder adds its files with `case(...)` when it is imported; `every_case()` imports them all.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from tests.intake.ground import LIST_DATE

SEED = 20261115
_NOT_CASES = {"__init__", "__main__", "making", "outcome", "registry"}

Build = Callable[[Random], bytes]
Between = Callable[[sessionmaker[Session]], None]


class Family(StrEnum):
    """What makes a file hard."""

    TEXT = "Encodings and text"
    STRUCTURE = "Structure"
    HEADERS = "Headers"
    WORKBOOKS = "Workbooks"
    TELEPHONES = "Telephones"
    VALUES = "Dates, names, identifiers"
    IDENTITY = "Identity"
    AGAIN = "Re-import"
    SCOPE = "Scope"
    HOSTILE = "Hostile"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who must be in the programme afterwards; only what is given is compared."""

    family_name: str
    first_name: str
    birth_date: str
    """ISO."""
    callable: tuple[str, ...] | None = None
    """Exactly these numbers may be called (E.164)."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """E.164 to `young_person`, `guardian` or `other`."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Any other attribute of `queries.ExportedPerson`, dates in ISO form."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a file must give; what is left out is not compared."""

    refused: str | None = None
    """The code of the refusal of the whole file."""
    people: tuple[Person, ...] | None = None
    """Exactly who is in the programme afterwards."""
    has: tuple[Person, ...] = ()
    """Who is in the programme afterwards, among others."""
    rows: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """"12" or "Sheet!12" to a fate, or to a fate and reason codes that must be among the row's."""
    others: str | None = None
    """The fate of every row that `rows` does not name."""
    read: Mapping[str, Any] = field(default_factory=dict)
    """How it was read: any of `format`, `encoding`, `delimiter`, `hidden_sheets`, `unread_sheets`."""
    notes: tuple[str, ...] = ()
    """Codes of what the reader must say about the file, among others."""
    cells: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Cells of a row exactly as the reader gives them."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file of the corpus."""

    name: str
    family: Family
    build: Build
    expected: Expected
    about: str
    """What is hard about it, in one line for the coverage page."""
    file_name: str
    list_date: date
    earlier: tuple[Build, ...]
    """Lists imported before it, a month apart, oldest first."""
    between: Between | None
    """What happens to the people before this list comes."""

    def content(self) -> bytes:
        """The file: the same bytes each time."""
        return self.build(Random(f"{SEED}:{self.name}"))

    def expected_json(self) -> str:
        """What it must give, as it is written beside the file."""
        said = {key: value for key, value in asdict(self.expected).items() if value not in (None, {}, ())}
        return json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True)


_CASES: dict[str, Case] = {}


def case(
    name: str,
    family: Family,
    build: Build,
    expected: Expected,
    *,
    about: str,
    file_name: str = "liste.csv",
    list_date: date = LIST_DATE,
    earlier: tuple[Build, ...] = (),
    between: Between | None = None,
) -> None:
    """Add a file to the corpus; its name is its own in the whole corpus."""
    assert name not in _CASES, f"two cases are called {name}"
    _CASES[name] = Case(
        name=name,
        family=family,
        build=build,
        expected=expected,
        about=about,
        file_name=file_name,
        list_date=list_date,
        earlier=earlier,
        between=between,
    )


def every_case() -> tuple[Case, ...]:
    """All cases of all modules of this folder, family by family."""
    for module in sorted(Path(__file__).parent.glob("*.py")):
        if module.stem not in _NOT_CASES:
            importlib.import_module(f"tests.intake.corpus.{module.stem}")
    order = list(Family)
    return tuple(sorted(_CASES.values(), key=lambda one: (order.index(one.family), one.name)))
