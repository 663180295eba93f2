"""A demonstration to play in: rows of the sample list imported through the intake, and the team."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, datetime
from pathlib import Path

from callcentre.clock import ManualClock
from callcentre.database import writing
from callcentre.demo import team
from callcentre.directory import queries as directory
from callcentre.directory.programmes import mark_as_demo, synchronise
from callcentre.intake import importing
from callcentre.intake.mapping import load_column_words
from callcentre.intake.preparing import PreparedList, prepare
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import load_settings
from tests.schema import create_schema

LIST = Path(__file__).resolve().parents[2] / "config" / "demo" / "liste_siei.csv"
NUMBERS = slice(10, 22)
POSTAL_CODE, COMMUNE = "Code postal", "Commune"


def a_list(people: int, *, overseas: int = 0) -> bytes:
    """The first rows of the sample list, those whose numbers several people share before all others."""
    rows = list(csv.DictReader(io.StringIO(LIST.read_text(encoding="cp1252")), delimiter=";"))
    columns = [name for name in rows[0] if name.startswith("Tél.") or "- Tél." in name]
    users = Counter(number for row in rows for name in columns if (number := row[name]))
    rows.sort(key=lambda row: -max((users[row[name]] for name in columns if row[name]), default=0))
    chosen = rows[:people]
    for row in chosen[-overseas:] if overseas else ():
        row[POSTAL_CODE], row[COMMUNE] = "97400", "SAINT DENIS"
    written = io.StringIO()
    writer = csv.DictWriter(written, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(chosen)
    return written.getvalue().encode()


def a_demonstration(url: str, folder: Path, content: bytes, *, start: datetime) -> Runtime:
    """A database with the demonstration's mark, team and a list, imported at `start`."""
    create_schema(url)
    environment = {"CALLCENTRE_DATABASE_URL": url, "CALLCENTRE_DATA_DIR": str(folder)}
    runtime = build_runtime(load_settings(environment), clock=ManualClock(start))
    with writing(runtime.sessions) as session:
        synchronise(session, runtime.programmes.values())
        mark_as_demo(session)
        programme_id = directory.programme_id(session, runtime.programme.code)
        assert programme_id is not None
        team.create(session, programme_id=programme_id, now=start)
    import_list(runtime, content, list_date=start.date(), now=start)
    return runtime


def import_list(runtime: Runtime, content: bytes, *, list_date: date, now: datetime) -> None:
    """Import a list to its end."""
    words = load_column_words(runtime.settings.config_dir / "list_columns.toml")
    prepared = prepare(content, "liste.csv", programme=runtime.programme, list_date=list_date, words=words)
    assert isinstance(prepared, PreparedList), prepared
    with writing(runtime.sessions) as session:
        list_file_id = importing.receive(session, prepared, programme=runtime.programme, now=now)
    importing.run(runtime.sessions, list_file_id, programmes=runtime.programmes, now=now, prepared=prepared)
