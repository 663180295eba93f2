"""Importing the sample list, against reading it and parsing its numbers with the library alone."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median

import phonenumbers

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


def report(folder: Path, new_url: Callable[[str], str], *, rounds: int) -> None:
    """Print rows a second; `new_url` gives the address of an empty PostgreSQL database by name."""
    content = FILE.read_bytes()
    taken: dict[str, list[float]] = {"reading + phonenumbers": [], "sqlite": [], "postgresql": []}
    rows = 0
    for number in range(rounds):
        start = time.perf_counter()
        rows = _read_and_parse(content)
        taken["reading + phonenumbers"].append(rows / (time.perf_counter() - start))
        for name in ("sqlite", "postgresql"):
            label = f"import_{number}"
            url = f"sqlite:///{folder / label}.sqlite3" if name == "sqlite" else new_url(label)
            taken[name].append(rows / _import(url, content))
    floor = taken["reading + phonenumbers"]
    print(f"reading + phonenumbers       {median(floor):8.0f} rows/s ({rows} rows)")
    for name in ("sqlite", "postgresql"):
        ratio = median(one / alone for one, alone in zip(taken[name], floor, strict=True))
        print(f"import, {name:<20} {median(taken[name]):8.0f} rows/s  x {ratio:.2f}", flush=True)


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
