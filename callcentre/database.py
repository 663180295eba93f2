"""The database engine for SQLite and PostgreSQL from one code base, and the base of every table.

Transactions open and end at an edge (request, job, command) through `reading` and `writing`; features receive the
session, may flush, and never commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from time import monotonic, sleep
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import TypeDecorator

LOG_PAGES = 20_000
"""Pages of 4 KiB after which whoever commits copies SQLite's log back: so many that a job or those who write very many
rows (`bulk.with_room`) come before, and no officer waits for it."""

RESTED_SECONDS = 1.0
"""A connection to a server that was not used for so long is tried before it is used again."""

Identifier = BigInteger().with_variant(Integer(), "sqlite")
"""Primary and foreign keys: SQLite numbers rows by itself only in an INTEGER column."""

JsonValue = JSON(none_as_null=True)
"""Small structured values that are stored and shown, never searched."""

NAIVE = "a naive datetime reached the database; pass an aware one"
"""What whoever stores an instant without a zone is told."""


class Patience(NamedTuple):
    """How a writer of SQLite waits while another process writes; SQLite itself naps longer and longer.

    `at_most`: seconds before it answers "database is locked". `looks_every`: seconds between the first looks whether
    the other one has finished, up to ten times as long in a long wait; whoever looks more often comes first.
    """

    at_most: float
    looks_every: float


REQUEST = Patience(at_most=30.0, looks_every=0.0001)
"""How anybody's request waits; longer work may look less often, and so comes after it."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC; refuses naive datetimes, which have caused every past clock bug."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; SQLite stores it without its zone, so that text order is time order."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(NAIVE)
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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
    patience: Patience = REQUEST,
) -> Engine:
    """Return an engine for a SQLite or PostgreSQL address.

    `pool_size` should equal the threads of the process; `page_limit` caps a SQLite file, in pages of 4 KiB.
    """
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        address = parsed.render_as_string(hide_password=False)
        return _sqlite_engine(address, pool_size, page_limit, patience)
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


def _sqlite_engine(url: str, pool_size: int, page_limit: int | None, patience: Patience) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=8,
        hide_parameters=True,  # an error of the database may reach a log; what it was given never does
        connect_args={"timeout": patience.at_most, "check_same_thread": False, "isolation_level": None},
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
            connection.info["writes"] = writer.acquire(timeout=patience.at_most)
        if mode == "IMMEDIATE":
            _begin_immediate(connection, patience)
        else:
            connection.exec_driver_sql(f"BEGIN {mode}")

    @event.listens_for(engine, "checkin")
    def finished(_connection: Any, record: Any) -> None:
        if record.info.pop("writes", False):
            writer.release()

    return engine


def _begin_immediate(connection: Connection, patience: Patience) -> None:
    """Take the one writer's place as soon as another process leaves it."""
    driver: Any = connection.connection.dbapi_connection
    until = monotonic() + patience.at_most
    driver.execute("PRAGMA busy_timeout=0")
    try:
        looks = 0
        while not _has_begun(connection, driver, last=monotonic() > until):
            looks += 1
            sleep(patience.looks_every * min(10, 1 + looks // 10))
    finally:
        driver.execute(f"PRAGMA busy_timeout={round(1000 * patience.at_most)}")


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


def dialect_of(sessions: sessionmaker[Session]) -> Dialect:
    """Return what kind of database these sessions speak to."""
    dialect: Dialect = sessions.kw["bind"].dialect
    return dialect


def has_one_writer(sessions: sessionmaker[Session]) -> bool:
    """Whether one process writes at a time, and everybody else waits for it: SQLite."""
    return dialect_of(sessions).name == "sqlite"


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


def of_one_instant(session: Session) -> Session:
    """Let all that the session's transaction reads be of one instant; SQLite's always is."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
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
