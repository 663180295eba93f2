"""What the tests of the intake stand on: the programme, the column words, small lists, the samples."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from callcentre.database import reading
from callcentre.intake import importing, queries
from callcentre.intake.mapping import ColumnWords, load_column_words
from callcentre.intake.preparing import PreparedList, prepare
from callcentre.intake.reader import Refusal
from callcentre.programmes import Programme
from tests.builders import the_programme

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
LIST_DATE = date(2026, 11, 15)
HEADERS = ("INE", "Nom", "Prénom", "Né(e) le", "Portable", "Tél. responsable", "Mail", "CP", "RNE", "PSAD")
SAMPLES = {
    "liste_siei": ROOT / "config" / "demo" / "liste_siei.csv",
    "classeur": ROOT / "tests" / "samples" / "classeur.xlsx",
    "brouillonne": ROOT / "tests" / "samples" / "brouillonne.csv",
}


def programme() -> Programme:
    """The example programme."""
    return the_programme()


@cache
def column_words() -> ColumnWords:
    """The header words of the project."""
    return load_column_words(ROOT / "config" / "list_columns.toml")


def expected(sample: str) -> dict[str, Any]:
    """What an import of a sample must give."""
    packed = (ROOT / "tests" / "samples" / f"{sample}.expected.json.gz").read_bytes()
    found: dict[str, Any] = json.loads(gzip.decompress(packed))
    return found


def csv_list(*people: Mapping[str, str], headers: Sequence[str] = HEADERS, encoding: str = "utf-8") -> bytes:
    """A list of people as a CSV file; each person has only the cells that the test is about."""
    defaults = {"Nom": "MARTIN", "Prénom": "Léa", "Né(e) le": "14/02/2008", "CP": "13001"}
    lines = [";".join(headers)]
    lines += [";".join({**defaults, **person}.get(header, "") for header in headers) for person in people]
    return "\r\n".join(lines).encode(encoding)


def prepared(content: bytes, name: str = "liste.csv", *, list_date: date = LIST_DATE) -> PreparedList:
    """A list made ready; the test fails if it is refused."""
    found = prepare(content, name, programme=programme(), list_date=list_date, words=column_words())
    assert not isinstance(found, Refusal), found.fr
    return found


def import_list(
    sessions: sessionmaker[Session],
    content: bytes,
    name: str = "liste.csv",
    *,
    list_date: date = LIST_DATE,
    now: datetime = NOW,
) -> importing.Progress:
    """Import a list to its end."""
    ready = prepared(content, name, list_date=list_date)
    return importing.import_file(sessions, ready, programme=programme(), now=now).progress


def people(sessions: sessionmaker[Session]) -> list[queries.ExportedPerson]:
    """Everybody in the programme."""
    with reading(sessions) as session:
        return list(queries.exported_people(session, 1))


def rows(sessions: sessionmaker[Session], list_file_id: int) -> list[queries.RowView]:
    """The rows of a list file with their fates."""
    with reading(sessions) as session:
        return list(queries.rows(session, list_file_id))
