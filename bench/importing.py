"""Importing the sample list, against reading it, parsing its numbers with the library and inserting bare rows."""

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

import phonenumbers
from sqlalchemy import Column, MetaData, Table, Text, create_engine, insert

from bench.report import say, spread
from bench.servers import a_database
from callcentre.database import make_engine, make_session_factory, writing
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


_FICTION = ("063998", "019900", "026191", "035301", "046571", "053649")
"""Where numbers begin that are kept for fiction; each beginning holds ten thousand."""


def measure(databases: Sequence[str], *, rows: int, rounds: int) -> None:
    """Print rows a second for a list of so many rows; 0 for the sample as it is."""
    content = _a_list(rows) if rows else FILE.read_bytes()
    rows = content.count(b"\n") - 1
    say(f"\nImport of about {rows:,} rows, medians of {rounds} rounds\n")
    say("| | bare rows per second | imported rows per second | of bare |")
    say("|---|---|---|---|")
    for name in databases:
        bare, taken = list[float](), list[float]()
        for _ in range(rounds):
            with a_database(name) as url:
                bare.append(rows / _bare(url, content))
            with a_database(name) as url:
                taken.append(rows / _import(url, content))
        ratios = [one / alone for one, alone in zip(taken, bare, strict=True)]
        medians = f"{statistics.median(bare):,.0f} | {statistics.median(taken):,.0f}"
        say(f"| {name} | {medians} | {spread(ratios)} |")


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
