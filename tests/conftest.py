"""What every test may ask for: fresh databases on SQLite and PostgreSQL, copied from a migrated template.

A missing PostgreSQL fails the tests that need it; nothing is skipped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import hypothesis
import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

from tests import postgresql
from tests.once import once
from tests.schema import create_schema

_numbers = count(1)

# No deadline: a machine that is busy with something else must not turn a property red.
hypothesis.settings.register_profile("callcentre", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("callcentre")


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


class PostgreSQLServer:
    """A server on which fresh databases are made in some milliseconds."""

    def __init__(self, url: str, prefix: str) -> None:
        self._maintenance = make_url(url)
        if self._maintenance.drivername == "postgresql":
            self._maintenance = self._maintenance.set(drivername="postgresql+psycopg")
        self._prefix = prefix

    @property
    def template(self) -> str:
        """The name of the migrated database that others are copied from."""
        return f"{self._prefix}_template"

    def url(self, database: str) -> str:
        """Return the address of one of its databases."""
        return self._maintenance.set(database=database).render_as_string(hide_password=False)

    def create(self, name: str, *, template: str = "template0") -> str:
        """Create a database and return its address."""
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING \'UTF8\'')
        return self.url(name)

    def create_fresh(self, *, template: str = "template0") -> tuple[str, str]:
        """Create a database under a name of its own; return its name and address."""
        name = f"{self._prefix}_{os.getpid()}_{next(_numbers)}"
        return name, self.create(name, template=template)

    def drop(self, name: str) -> None:
        """Drop a database, closing what a test has left open."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(_plain(self._maintenance), autocommit=True) as connection:
            connection.execute(statement.encode())


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgresql_server(run_folder: Path) -> PostgreSQLServer:
    """The run's one PostgreSQL server, started when the first test asks."""
    owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()

    def make() -> str:
        prefix = f"callcentre_test_{uuid4().hex[:8]}"
        return f"{prefix} {postgresql.start(owner, prefix)}"

    prefix, url = once(run_folder / "postgresql", make).split(" ", 1)
    return PostgreSQLServer(url, prefix)


@pytest.fixture(scope="session")
def _postgresql_template(run_folder: Path, postgresql_server: PostgreSQLServer) -> str:
    def make() -> str:
        create_schema(postgresql_server.create(postgresql_server.template))
        return postgresql_server.template

    return once(run_folder / "postgresql-template", make)


@pytest.fixture(scope="session")
def _sqlite_template(run_folder: Path) -> Path:
    def make() -> str:
        path = run_folder / "template.sqlite"
        create_schema(f"sqlite:///{path}")
        return str(path)

    return Path(once(run_folder / "sqlite-template", make))


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh migrated SQLite file."""
    path = tmp_path / "callcentre.sqlite"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgresql_server: PostgreSQLServer, _postgresql_template: str) -> Iterator[str]:
    """The address of a fresh migrated PostgreSQL database."""
    name, url = postgresql_server.create_fresh(template=_postgresql_template)
    yield url
    postgresql_server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh migrated database: the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'empty.sqlite'}"


@pytest.fixture
def empty_postgresql_url(postgresql_server: PostgreSQLServer) -> Iterator[str]:
    """The address of a PostgreSQL database without tables."""
    name, url = postgresql_server.create_fresh()
    yield url
    postgresql_server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """The address of a database without tables: the test runs once on each kind."""
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url
