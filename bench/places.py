"""Where a measurement works: a database full of people, and the files of a programme with thirty territories."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.population import populate
from bench.servers import a_database, version
from callcentre.clock import Clock, ManualClock
from callcentre.database import make_engine, make_session_factory
from callcentre.migrations import upgrade
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import ROOT, load_settings

MONDAY_TEN = datetime.fromisoformat("2026-11-23T10:00:00+01:00")
TERRITORIES = 30
PEOPLE = 100_000
OFFICERS = 20_000
"""Accounts: a client that only claims does so as another officer each time."""


@dataclass(frozen=True)
class Place:
    """A database with people in it, and the settings to use it with."""

    name: str
    people: int
    folder: Path
    settings: dict[str, str]

    def runtime(self, clock: Clock, **settings: str) -> Runtime:
        """Build what a process of the product works with."""
        more = {f"CALLCENTRE_{name.upper()}": value for name, value in settings.items()}
        return build_runtime(load_settings({**self.settings, **more}), clock=clock)


@contextmanager
def a_place(kind: str, people: int) -> Iterator[Place]:
    """Fill a database of a kind, `sqlite` or `postgresql`; it goes when the block ends."""
    with tempfile.TemporaryDirectory(prefix="callcentre-bench-") as name, a_database(kind) as url:
        folder = Path(name)
        settings = {
            "CALLCENTRE_DATABASE_URL": url,
            "CALLCENTRE_DATA_DIR": name,
            "CALLCENTRE_SECRET_KEY": "for a measurement",
            "CALLCENTRE_CONFIG_DIR": str(_many_territories(folder / "config")),
        }
        engine = make_engine(url)
        upgrade(engine)
        place = Place(version(engine), people, folder, settings)
        programme = place.runtime(ManualClock(MONDAY_TEN)).programme
        populate(make_session_factory(engine), programme, people=people, officers=OFFICERS, now=MONDAY_TEN)
        engine.dispose()
        yield place


def _many_territories(config: Path) -> Path:
    """Copy the configuration, its programme with so many territories, the unassigned included, instead of its own."""
    shutil.copytree(ROOT / "config", config)
    for file in (config / "programmes").glob("*.toml"):
        rest = re.sub(r"(?ms)^\[\[territories\]\]\n.*?(?=^\[|\Z)", "", file.read_text(encoding="utf-8"))
        many = (f'[[territories]]\ncode = "t-{n:02}"\nlabel = "PSAD {n}"\n' for n in range(1, TERRITORIES))
        file.write_text("\n".join((rest, *many)), encoding="utf-8")
    return config
