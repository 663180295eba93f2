"""Importing the sample list, against reading it and parsing its numbers with the library alone."""

from __future__ import annotations

import csv
import io
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime

import phonenumbers

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
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
_PHONE_COLUMNS = (
    "Tél. portable",
    *(f"Resp. {rank} - Tél. {line}" for rank in (1, 2) for line in ("portable", "domicile")),
)


def measure(databases: Sequence[str], *, rounds: int) -> None:
    """Print rows a second."""
    content = FILE.read_bytes()
    floor: list[float] = []
    taken: dict[str, list[float]] = {name: [] for name in databases}
    rows = 0
    for _ in range(rounds):
        start = time.perf_counter()
        rows = _read_and_parse(content)
        floor.append(rows / (time.perf_counter() - start))
        for name in databases:
            with a_database(name) as url:
                taken[name].append(rows / _import(url, content))
    say(f"\nImport of {rows:,} rows, medians of {rounds} rounds\n")
    say("| | rows per second | of reading + phonenumbers |")
    say("|---|---|---|")
    say(f"| reading + phonenumbers | {statistics.median(floor):,.0f} | |")
    for name, rates in taken.items():
        ratios = [one / alone for one, alone in zip(rates, floor, strict=True)]
        say(f"| import, {name} | {statistics.median(rates):,.0f} | {spread(ratios)} |")


def _read_and_parse(content: bytes) -> int:
    rows = 0
    for row in csv.DictReader(io.StringIO(content.decode("cp1252")), delimiter=";"):
        rows += 1
        for column in _PHONE_COLUMNS:
            if row[column]:
                number = phonenumbers.parse(row[column], "FR")
                phonenumbers.is_valid_number(number)
                phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return rows


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
