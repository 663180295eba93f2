"""Importing a list, against reading it, parsing its numbers with the library and inserting rows without any rule.

Bare rows are the list's own, each into one table without an index; the same rows are all those that the import wrote,
into the product's tables with their keys and indexes: what any importer that keeps as much has to write.
"""

from __future__ import annotations

import csv
import io
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import count, islice
from string import ascii_uppercase
from typing import Any

import phonenumbers
from sqlalchemy import Column, MetaData, Table, Text, create_engine, insert, select

from bench.report import say, spread
from bench.servers import a_database
from callcentre.database import Base, make_engine, make_session_factory, writing
from callcentre.directory.programmes import synchronise
from callcentre.intake.importing import import_file
from callcentre.intake.mapping import load_column_words
from callcentre.intake.preparing import PreparedList, prepare
from callcentre.migrations import upgrade
from callcentre.programmes import load_programme
from callcentre.settings import ROOT

FILE = ROOT / "config" / "demo" / "liste_siei.csv"
LIST_DATE = date(2026, 11, 15)
_INSERTED_AT_ONCE = 1_000
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
_PHONE_COLUMNS = (
    "Tél. portable",
    *(f"Resp. {rank} - Tél. {line}" for rank in (1, 2) for line in ("portable", "domicile")),
)


_NOT_OF_ROWS = frozenset({"alembic_version", "list_bytes"})
_FICTION = ("063998", "019900", "026191", "035301", "046571", "053649")
"""Where numbers begin that are kept for fiction; each beginning holds ten thousand."""


def measure(databases: Sequence[str], *, rows: int, rounds: int) -> None:
    """Print rows a second for a list of so many rows; 0 for the sample as it is."""
    content = _a_list(rows) if rows else FILE.read_bytes()
    rows = content.count(b"\n") - 1
    say(f"\nImport of about {rows:,} rows, medians of {rounds} rounds\n")
    say("| | bare rows a second | the same rows | imported rows a second | of bare | of the same |")
    say("|---|---|---|---|---|---|")
    for name in databases:
        rounds_taken = [_round(name, content) for _ in range(rounds)]
        speeds = [statistics.median(rows / taken[at] for taken in rounds_taken) for at in range(3)]
        shares = [spread([taken[at] / taken[2] for taken in rounds_taken]) for at in range(2)]
        say(f"| {name} | {' | '.join(f'{speed:,.0f}' for speed in speeds)} | {' | '.join(shares)} |")


def _round(name: str, content: bytes) -> tuple[float, float, float]:
    """The seconds of bare rows, of the same rows, and of the import."""
    with a_database(name) as url:
        bare = _bare(url, content)
    with a_database(name) as url:
        imported = _import(url, content)
        written = _written(url)
    with a_database(name) as url:
        return bare, _same_rows(url, content, written), imported


def _a_list(rows: int) -> bytes:
    """The sample again and again, with another identity, birth date and other numbers in each row.

    There are 60,000 numbers for fiction, so that in a long list several people share each.
    """
    sample = list(csv.DictReader(io.StringIO(FILE.read_bytes().decode("cp1252")), delimiter=";"))
    numbers = (f"{_FICTION[n % len(_FICTION)]}{n // len(_FICTION) % 10_000:04}" for n in count())
    written = io.StringIO()
    writer = csv.DictWriter(written, list(sample[0]), delimiter=";", lineterminator="\n")
    writer.writeheader()
    for n in range(rows):
        row = sample[n % len(sample)]
        letters = "".join(ascii_uppercase[byte % 26] for byte in blake2b(b"%d" % n, digest_size=6).digest())
        identity = {
            "N° dossier": f"RIO13-2026-{n:06}",
            "INE": f"{n:09}AB",
            "Nom de famille": f"{row['Nom de famille']} {letters}",
            "Date de naissance": _older(row["Date de naissance"], days=n // len(sample)),
            "Mél": "",
        }
        writer.writerow(row | identity | {column: next(numbers) for column in _PHONE_COLUMNS if row[column]})
    return written.getvalue().encode("cp1252")


def _older(birth_date: str, *, days: int) -> str:
    born = datetime.strptime(birth_date, "%d/%m/%Y").replace(tzinfo=UTC) - timedelta(days=days)
    return f"{born:%d/%m/%Y}"


def _bare(url: str, content: bytes) -> float:
    """The seconds of reading, parsing numbers and inserting each row as it is into one table without an index."""
    engine = create_engine(url)
    start = time.perf_counter()
    reader = csv.DictReader(io.StringIO(content.decode("cp1252")), delimiter=";")
    names = {header: f"c{at}" for at, header in enumerate(reader.fieldnames or ())}
    table = Table("bare", MetaData(), *(Column(name, Text) for name in names.values()))
    with engine.begin() as connection:
        table.create(connection)
        while part := list(islice(reader, _INSERTED_AT_ONCE)):
            for row in part:
                _parse_numbers(row)
            connection.execute(insert(table), [{names[h]: row[h] for h in names} for row in part])
    seconds = time.perf_counter() - start
    engine.dispose()
    return seconds


def _written(url: str) -> dict[Table, list[dict[str, Any]]]:
    """What an import wrote, by table, parents first."""
    engine = make_engine(url)
    with engine.connect() as connection:
        found = {
            table: [dict(row) for row in connection.execute(select(table).order_by(table.c[0])).mappings()]
            for table in Base.metadata.sorted_tables
            if table.name not in _NOT_OF_ROWS
        }
    engine.dispose()
    return {table: rows for table, rows in found.items() if rows}


def _same_rows(url: str, content: bytes, written: dict[Table, list[dict[str, Any]]]) -> float:
    """The seconds of reading, parsing numbers and inserting what an import wrote, table by table."""
    engine = make_engine(url)
    upgrade(engine)
    start = time.perf_counter()
    for row in csv.DictReader(io.StringIO(content.decode("cp1252")), delimiter=";"):
        _parse_numbers(row)
    for table, rows in written.items():
        for at in range(0, len(rows), _INSERTED_AT_ONCE):
            with engine.begin() as connection:
                connection.execute(insert(table), rows[at : at + _INSERTED_AT_ONCE])
    seconds = time.perf_counter() - start
    engine.dispose()
    return seconds


def _parse_numbers(row: dict[str, str]) -> None:
    for column in _PHONE_COLUMNS:
        if row[column]:
            number = phonenumbers.parse(row[column], "FR")
            phonenumbers.is_valid_number(number)
            row[column] = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _import(url: str, content: bytes) -> float:
    """Import into an empty database; return the seconds from bytes to the last row's fate."""
    engine = make_engine(url)
    upgrade(engine)
    sessions = make_session_factory(engine)
    programme = load_programme(ROOT / "config" / "programmes" / "bouches-du-rhone.toml")
    with writing(sessions) as session:
        synchronise(session, [programme])
    words = load_column_words(ROOT / "config" / "list_columns.toml")
    start = time.perf_counter()
    prepared = prepare(content, FILE.name, programme=programme, list_date=LIST_DATE, words=words)
    assert isinstance(prepared, PreparedList)
    import_file(sessions, prepared, programme=programme, now=NOW)
    seconds = time.perf_counter() - start
    engine.dispose()
    return seconds
