"""The databases that are measured: a SQLite file, and a PostgreSQL that keeps what it was told."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from tests import postgresql

SETTINGS = (
    "shared_buffers=1GB",
    "max_wal_size=8GB",
    "checkpoint_timeout=15min",
    "autovacuum_naptime=10s",
    "max_connections=300",
    "listen_addresses=",
)
"""Of PostgreSQL's settings, those that are not the defaults; fsync and synchronous_commit stay on."""


@contextmanager
def a_database(kind: str) -> Iterator[str]:
    """Give the address of an empty database of a kind, `sqlite` or `postgresql`."""
    with tempfile.TemporaryDirectory(prefix="callcentre-bench-") as folder:
        if kind == "sqlite":
            yield f"sqlite:///{folder}/bench.sqlite"
            return
        with _postgresql(Path(folder)) as url:
            yield url


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    """Start the machine's PostgreSQL, durable; else use the tests' own way of finding one."""
    programs = _programs()
    if os.environ.get(postgresql.EXTERNAL) or programs is None:
        yield postgresql.start(os.getpid(), "callcentre_bench")
        return
    user = postgresql.NOBODY if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user, user)
    data = folder / "data"
    _call(
        user,
        programs / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    )
    settings = " ".join(f"-c {setting}" for setting in (*SETTINGS, f"unix_socket_directories={folder}"))
    _call(user, programs / "pg_ctl", "start", "-w", "-D", data, "-l", folder / "log", "-o", settings)
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        _call(user, programs / "pg_ctl", "stop", "-D", data, "-m", "fast", "-w")


def _programs() -> Path | None:
    """Return where the machine keeps PostgreSQL's programs, the newest version first."""
    found = shutil.which("initdb")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return Path(found).parent if found else next(iter(places), None)


def _call(user: int | None, *command: str | Path) -> None:
    subprocess.run(
        [str(part) for part in command],
        check=True,
        stdout=subprocess.DEVNULL,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        cwd="/",
    )


def version(engine: Engine) -> str:
    """Return the name and version of a database."""
    query = "SELECT sqlite_version()" if engine.dialect.name == "sqlite" else "SHOW server_version"
    with engine.connect() as connection:
        return f"{engine.dialect.name} {connection.execute(text(query)).scalar()}"
