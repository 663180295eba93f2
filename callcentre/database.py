"""The database engine for SQLite and PostgreSQL from one code base, and the base of every table.

Transactions open and end at an edge (request, job, command) through `reading` and `writing`; features receive the
session, may flush, and never commit.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from threading import Lock
from time import monotonic, sleep
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    FromClause,
    Integer,
    MetaData,
    Table,
    create_engine,
    event,
    insert,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import TypeDecorator, TypeEngine

SQLITE_BUSY_SECONDS = 30
"""How long a writer waits for another one before SQLite answers "database is locked"."""

SQLITE_LOOKS_EVERY = 0.0005
"""Seconds between two looks whether another process has finished writing: SQLite itself naps longer and longer."""
LOG_PAGES = 20_000
"""Pages of 4 KiB after which whoever commits copies SQLite's log back: so many that a job or those who write very many
rows (`BULK_LOG_PAGES`) come before, and no officer waits for it."""

BULK_CACHE_KIB = 65_536
"""What SQLite may keep in memory of a database while a long import writes to it; two megabytes by default."""
BULK_LOG_PAGES = 10_000
"""The same for whoever writes very many rows; SQLite's default is 1,000."""

RESTED_SECONDS = 1.0
"""A connection to a server that was not used for so long is tried before it is used again."""

Identifier = BigInteger().with_variant(Integer(), "sqlite")
"""Primary and foreign keys: SQLite numbers rows by itself only in an INTEGER column."""

JsonValue = JSON(none_as_null=True)
"""Small structured values that are stored and shown, never searched."""


_NAIVE = "a naive datetime reached the database; pass an aware one"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC; refuses naive datetimes, which have caused every past clock bug."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; SQLite stores it without its zone, so that text order is time order."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(_NAIVE)
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class AsStored(TypeDecorator[Any]):
    """An instant as the driver gives and takes it: for very many rows, most of which nobody looks at.

    The same instant compares equal in this form; `instant_of` tells which one it is.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Hand the value on as it is."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Hand the value on as it is."""


def instant_of(stored: datetime | str) -> datetime:
    """Return the instant, aware and in UTC, that a driver gave."""
    if isinstance(stored, str):
        return _parsed(stored)
    return stored if stored.tzinfo is UTC else stored.astimezone(UTC)


@lru_cache(maxsize=4096)
def _parsed(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


@lru_cache(maxsize=4096)
def day_of(stored: date | str) -> date:
    """Return the date that a driver gave; one is read as it is stored by `type_coerce(column, String)`."""
    return date.fromisoformat(stored) if isinstance(stored, str) else stored


class Base(DeclarativeBase):
    """Base of every table, with one naming convention so that migrations can name constraints."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: JsonValue, list[Any]: JsonValue}


def make_engine(
    url: str,
    *,
    pool_size: int = 40,
    page_limit: int | None = None,
    busy_seconds: float = SQLITE_BUSY_SECONDS,
) -> Engine:
    """Return an engine for a SQLite or PostgreSQL address.

    `pool_size` should equal the threads of the process; `page_limit` caps a SQLite file, in pages of 4 KiB, and
    `busy_seconds` says how long one of its writers waits for another one (tests).
    """
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        address = parsed.render_as_string(hide_password=False)
        return _sqlite_engine(address, pool_size, page_limit, busy_seconds)
    engine = create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=8,
        hide_parameters=True,  # an error of the database may reach a log; what it was given never does
        pool_use_lifo=True,  # the one used last has its statements prepared and its plans made
        connect_args={"options": "-c timezone=UTC -c idle_in_transaction_session_timeout=60000"},
    )
    _try_rested(engine)
    return engine


def _try_rested(engine: Engine) -> None:
    """Ask a connection that has rested whether it still lives; asking at every use would cost a fifth of a claim."""

    @event.listens_for(engine, "checkin")
    def rests(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def is_alive(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get("rests_since")
        if since is None or monotonic() - since < RESTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error


def _sqlite_engine(url: str, pool_size: int, page_limit: int | None, busy_seconds: float) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=8,
        hide_parameters=True,  # an error of the database may reach a log; what it was given never does
        connect_args={"timeout": busy_seconds, "check_same_thread": False, "isolation_level": None},
    )
    pragmas = [
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"wal_autocheckpoint={LOG_PAGES}",
    ]
    if page_limit is not None:
        pragmas.append(f"max_page_count={page_limit}")

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    # SQLite has one writer, and whoever finds it busy sleeps in longer and longer naps: the threads of this process
    # wait in a queue of their own instead, so that only other processes ever meet the busy time-out.
    writer = Lock()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The driver is told not to begin by itself (isolation_level None): a plain BEGIN that reads and
        # then writes fails at once when another writer came between, whatever the busy time-out.
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        pooled = not connection.connection.is_detached  # one that migrates never comes back to say so
        if mode == "IMMEDIATE" and pooled and not connection.info.get("writes"):
            connection.info["writes"] = writer.acquire(timeout=busy_seconds)
        if mode == "IMMEDIATE":
            _begin_immediate(connection, busy_seconds)
        else:
            connection.exec_driver_sql(f"BEGIN {mode}")

    @event.listens_for(engine, "checkin")
    def finished(_connection: Any, record: Any) -> None:
        if record.info.pop("writes", False):
            writer.release()

    return engine


def _begin_immediate(connection: Connection, busy_seconds: float) -> None:
    """Take the one writer's place as soon as another process leaves it."""
    driver: Any = connection.connection.dbapi_connection
    until = monotonic() + busy_seconds
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while not _has_begun(connection, driver, last=monotonic() > until):
            sleep(SQLITE_LOOKS_EVERY)
    finally:
        driver.execute(f"PRAGMA busy_timeout={round(1000 * busy_seconds)}")


def _has_begun(connection: Connection, driver: Any, *, last: bool) -> bool:
    """Try to begin; that another process writes is an error only the last time."""
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY and not last:
            return False
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # fails again, and is told as every failure is
    return True


def make_session_factory(engine: Engine) -> sessionmaker[Session]:
    """Return a maker of sessions whose objects stay readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False)


def begin_writing(session: Session) -> Session:
    """Open the session's transaction for writing; on SQLite this takes the one writer's place at once."""
    session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
    return session


@contextmanager
def writing(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One transaction that may write: committed at the end of the block, undone by any exception."""
    with sessions() as session, session.begin():
        yield begin_writing(session)


@contextmanager
def reading(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One transaction that only reads; whatever it did is undone at the end."""
    with sessions() as session:
        yield session
        session.rollback()


def with_room(session: Session) -> Session:
    """Make the session's connection ready for very many rows; that stays with the connection.

    SQLite gets room for the indexes of a hundred thousand people and copies its log back less often. A server plans
    each look-up of several hundred values anew: its plan for any values reads whole tables that have just grown.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size=-{BULK_CACHE_KIB}")
        connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint={BULK_LOG_PAGES}")
    else:
        driver: Any = connection.connection.driver_connection
        driver.prepare_threshold = None
    return session


def copy_log_back(engine: Engine) -> int:
    """Copy SQLite's log into the database as far as nobody needs to wait for it; return how many pages it has copied.

    A server does this by itself: 0.
    """
    if engine.dialect.name != "sqlite":
        return 0
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
        (_busy, _pages, copied) = cursor.fetchall()[0]
        cursor.close()
        return int(copied)
    finally:
        connection.close()


def in_parts(ids: Collection[int], size: int = 500) -> Iterator[list[int]]:
    """Yield ids in sorted lists of at most `size`: below the bound values that every database allows."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def insert_rows(
    session: Session, table: FromClause, rows: Sequence[Mapping[str, Any]], *, skip_known: bool = False
) -> None:
    """Insert rows that all have the same keys in one go, several times faster than one by one; keys grow in order.

    `skip_known` leaves out a row that a unique constraint refuses. Rows that leave a Python default to be filled
    in go the ordinary way.
    """
    if not rows or not isinstance(table, Table):
        return
    connection = session.connection()
    prepared = _insertion(table, connection.dialect, tuple(rows[0]))
    if prepared is None:
        session.execute(insert(table), list(rows))
        return
    text = f"{prepared.text}{' ON CONFLICT DO NOTHING' if skip_known else ''}"
    if prepared.as_json:
        connection.exec_driver_sql(text, {"rows": json.dumps(rows, default=_as_text)})
        return
    columns = [_processed([row[name] for row in rows], process) for name, process in prepared.columns]
    connection.exec_driver_sql(text, list(zip(*columns, strict=True)))


@dataclass(frozen=True, slots=True)
class _Insertion:
    """An INSERT ready to be executed: its text, and its columns in order, each with what prepares its values.

    `as_json`: all rows are one value, which a server takes in a third faster than a statement for each.
    """

    text: str
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    as_json: bool


_INSERTIONS: dict[tuple[Table, str, tuple[str, ...]], _Insertion | None] = {}
"""Compiled once: a long import inserts into the same tables thousands of times."""


def _insertion(table: Table, dialect: Dialect, keys: tuple[str, ...]) -> _Insertion | None:
    """How rows with these keys are inserted; None when the table has defaults that Python must fill in."""
    known = (table, dialect.name, keys)
    if known not in _INSERTIONS:
        statement = insert(table).inline().compile(dialect=dialect, column_keys=list(keys))
        order = list(statement.positiontup or statement.params)
        columns = tuple((name, _processor(table.c[name].type, dialect)) for name in order)
        fits, as_json = set(statement.params) == set(keys), dialect.name == "postgresql"
        text = _insertion_of_json(table, dialect, keys) if as_json else str(statement)
        _INSERTIONS[known] = _Insertion(text, columns, as_json) if fits else None
    return _INSERTIONS[known]


def _insertion_of_json(table: Table, dialect: Dialect, keys: tuple[str, ...]) -> str:
    prepare = dialect.identifier_preparer
    name, columns = prepare.format_table(table), ", ".join(prepare.quote(key) for key in keys)
    source = f"json_populate_recordset(NULL::{name}, %(rows)s::json)"
    return f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {source}"  # noqa: S608 -- names of our own tables


def _as_text(value: object) -> str:
    """A date or an aware instant as a server reads it."""
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(_NAIVE)
    if isinstance(value, (date, time)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be inserted as JSON")


def _processor(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _processed(column: list[Any], process: Callable[[Any], Any] | None) -> list[Any]:
    """A column as the driver takes it; runs of one object, such as the instant of the import, are done once."""
    if process is None:
        return column
    done: list[Any] = []
    last, result = object(), None
    for value in column:
        if value is not last:
            last, result = value, process(value)
        done.append(result)
    return done
