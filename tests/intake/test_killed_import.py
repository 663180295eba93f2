"""An import that was killed anywhere and run again leaves the same database as one that was not."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from callcentre.callqueue.models import QueueEntry
from callcentre.database import Base, make_engine, make_session_factory
from callcentre.intake.current import newest_date
from callcentre.intake.importing import CHUNK_ROWS
from tests.intake import ground
from tests.intake.ground import csv_list

POINTS = 10
SEED = 20261115
_VOLATILE = {"worker_seen_at", "worker"}


def a_list(people: int, month: int = 11) -> bytes:
    """People of whom some are quarantined, doubled, flagged, alike or known from the month before."""
    draw, changing = random.Random(SEED), random.Random(month)
    families = [
        a + b for a in ("MAR", "BER", "ROU", "PET", "DUR") for b in ("TIN", "NARD", "SSEL", "IT", "AND")
    ]
    rows: list[dict[str, str]] = []
    for number in range(people):
        row = {
            "Nom": f"{draw.choice(families)}{'' if number % 3 else '-' + draw.choice(families)}",
            "Prénom": draw.choice(["Léa", "Noé", "Inès", "Adam", "Jade", "Malo", "Lea"]),
            "Né(e) le": f"{draw.randint(1, 28):02}/{draw.randint(1, 12):02}/{draw.randint(2003, 2012)}",
            "Portable": f"06 39 98 {number // 100:02} {number % 100:02}" if number % 5 else "06 39",
            "Tél. responsable": f"04 65 71 {changing.randint(0, 9):02} {changing.randint(0, 99):02}",
            "CP": draw.choice(["13001", "13100", "99999", ""]),
            "INE": f"{number:09}AB" if number % 2 else "",
        }
        if number % 23 == 22:
            row |= {
                "Nom": rows[-1]["Nom"] + "E",
                "Prénom": rows[-1]["Prénom"],
                "Né(e) le": rows[-1]["Né(e) le"],
            }
            row["INE"] = ""
        rows.append(rows[-1] if number % 17 == 16 else row)
    return csv_list(*rows)


def everything(url: str) -> dict[str, Any]:
    """All rows of all tables, but for who was at it last."""
    engine = make_engine(url)
    found: dict[str, Any] = {}
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            rows = connection.execute(select(table)).mappings()
            found[table.name] = sorted(
                str({name: row[name] for name in row if name not in _VOLATILE}) for row in rows
            )
    engine.dispose()
    return found


def run(url: str, file: Path, step: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.intake.killed_import", url, str(file), str(step)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=ground.ROOT, check=False)


@dataclass(frozen=True)
class Ground:
    """A database that knows October's list, November's list, and what a clean run of it makes."""

    folder: Path
    start: bytes
    november: Path
    truth: dict[str, Any]
    steps: int

    def fresh(self, name: str) -> str:
        """The database before November's list, once more."""
        path = self.folder / f"{name}.sqlite"
        path.write_bytes(self.start)
        return f"sqlite:///{path}"

    def finished(self, url: str) -> dict[str, Any]:
        """What a run to the end makes of a database."""
        again = run(url, self.november, 0)
        assert again.returncode == 0, again.stderr
        return everything(url)


@pytest.fixture
def months(sqlite_url: str, tmp_path: Path) -> Ground:
    october, november = tmp_path / "octobre.csv", tmp_path / "novembre.csv"
    october.write_bytes(a_list(CHUNK_ROWS // 2, month=10))
    november.write_bytes(a_list(2 * CHUNK_ROWS + 40))
    engine = make_engine(sqlite_url)
    ground.import_list(
        make_session_factory(engine), october.read_bytes(), october.name, list_date=date(2026, 10, 15)
    )
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    start = Path(sqlite_url.removeprefix("sqlite:///")).read_bytes()
    clean = f"sqlite:///{tmp_path / 'clean.sqlite'}"
    (tmp_path / "clean.sqlite").write_bytes(start)
    whole = run(clean, november, 0)
    assert whole.returncode == 0, whole.stderr
    truth = everything(clean)
    assert len(truth["young_people"]) > CHUNK_ROWS
    assert truth["list_changes"]
    assert truth["duplicate_pairs"]
    return Ground(tmp_path, start, november, truth, int(whole.stdout))


@pytest.mark.slow
def test_killed_at_ten_points_and_run_again_equals_a_clean_run(months: Ground) -> None:
    points = sorted(random.Random(SEED).sample(range(2, months.steps), POINTS))
    for point in points:
        url = months.fresh(f"killed-{point}")
        assert run(url, months.november, point).returncode == -signal.SIGKILL, point
        assert months.finished(url) == months.truth, f"killed at step {point} of {months.steps}"


@pytest.mark.slow
def test_killed_again_and_again_equals_a_clean_run(months: Ground) -> None:
    """Each going on is killed in its turn, wherever it has come to by then."""
    draw, url = random.Random(SEED + 1), months.fresh("again")
    kills = 0
    for _ in range(POINTS):
        kills += run(url, months.november, draw.randint(2, months.steps)).returncode == -signal.SIGKILL
    assert kills > 1
    assert months.finished(url) == months.truth


def test_the_ground_of_the_test_is_hard_enough(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    sessions = make_session_factory(engine)
    done = ground.import_list(sessions, a_list(CHUNK_ROWS))
    assert all(done.counts[fate] for fate in ("created", "duplicate", "quarantined"))
    with sessions() as session:
        assert newest_date(session, 1) == ground.LIST_DATE
        assert session.scalars(select(QueueEntry.id)).first() is not None
    engine.dispose()
