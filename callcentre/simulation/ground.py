"""The ground on which a simulation plays: a database file of its own, a clock of its own, nobody to telephone with.

Nothing here opens the configured database. The file must be new: one that exists, whatever it holds, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url

from callcentre import migrations
from callcentre.clock import ManualClock
from callcentre.database import make_engine, make_session_factory, writing
from callcentre.demo import team
from callcentre.directory import queries as directory
from callcentre.directory.programmes import mark_as_demo, synchronise
from callcentre.programmes import Programme
from callcentre.runtime import Runtime
from callcentre.settings import Settings
from callcentre.simulation.refusals import CannotSimulate

_QUICK = ("synchronous=OFF", "journal_mode=MEMORY", "temp_store=MEMORY")
"""A simulation that is cut off is thrown away: nothing of it needs to survive a power cut."""
_BESIDE = ("", "-wal", "-shm", "-journal")


@contextmanager
def fresh_ground(file: Path, programme: Programme, *, live: Settings, start: datetime) -> Iterator[Runtime]:
    """Open a new database with a team and no people; it is deleted at the end of the block.

    `live`: the settings of the installation, whose database is refused. Raises CannotSimulate.
    """
    refuse_known(file, live)
    file.parent.mkdir(parents=True, exist_ok=True)
    settings = live.model_copy(
        update={
            "database_url": f"sqlite:///{file.resolve()}",
            "data_dir": file.parent,
            "mode": "offline",
            "programme": programme.code,
            "clock_start": None,
            "clock_anchor": None,
            "database_page_limit": None,
        }
    )
    engine = make_engine(settings.url, pool_size=2)
    event.listen(engine, "connect", _be_quick)
    clock = ManualClock(start)
    runtime = Runtime(settings, clock, engine, make_session_factory(engine), {programme.code: programme})
    try:
        _furnish(runtime, programme, start)
        yield runtime
    finally:
        engine.dispose()
        for ending in _BESIDE:
            file.with_name(file.name + ending).unlink(missing_ok=True)


def refuse_known(file: Path, live: Settings) -> None:
    """Raise CannotSimulate for a file that exists, or that the installation would use."""
    configured = make_url(live.url)
    path = configured.database if configured.get_backend_name() == "sqlite" else None
    if path and file.resolve() == Path(path).resolve():
        raise CannotSimulate("This is the configured database: a simulation only writes a file of its own.")
    if any(file.with_name(file.name + ending).exists() for ending in _BESIDE):
        raise CannotSimulate(f"{file.name} exists already: a simulation only writes a new file of its own.")


def _furnish(runtime: Runtime, programme: Programme, start: datetime) -> None:
    migrations.upgrade(runtime.engine)
    with writing(runtime.sessions) as session:
        synchronise(session, [programme])
        programme_id = directory.programme_id(session, programme.code)
        assert programme_id is not None
        team.create(session, programme_id=programme_id, now=start)
        mark_as_demo(session)


def _be_quick(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in _QUICK:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
