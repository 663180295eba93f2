"""Very many rows at once: read as they are stored, written in one go, with room for the indexes of a long list.

insert_rows(session, table, rows)        rows with the same keys, several times faster than one by one
in_parts(ids)                            ids in lists that a statement can take
AsStored, JsonAsStored, as_stored        values in the form in which the driver gives and takes them
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, FromClause, Table, insert
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator, TypeEngine

from callcentre.database import NAIVE, UtcDateTime

BULK_CACHE_KIB = 65_536
"""What SQLite may keep in memory of a database while a long import writes to it; two megabytes by default."""
BULK_LOG_PAGES = 10_000
"""Pages of 4 KiB after which whoever writes very many rows copies SQLite's log back; its default is 1,000."""


class AsStored(TypeDecorator[Any]):
    """An instant as the driver gives and takes it: for very many rows, most of which nobody looks at.

    The same instant compares equal in this form; `instant_of` tells which one it is, `as_stored` makes it.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Hand the value on as it is."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Hand the value on as it is."""


class JsonAsStored(TypeDecorator[Any]):
    """A JSON value as its text, made once for very many rows."""

    impl = JSON
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Hand the text on as it is."""


def instant_of(stored: datetime | str) -> datetime:
    """Return the instant, aware and in UTC, that a driver gave."""
    if isinstance(stored, str):
        return _parsed(stored)
    return stored if stored.tzinfo is UTC else stored.astimezone(UTC)


def as_stored(instant: datetime, dialect: Dialect) -> Any:
    """Return an instant in the form in which this kind of database stores it."""
    process = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    return instant if process is None else process(instant)


@lru_cache(maxsize=4096)
def _parsed(stored: str) -> datetime:
    return datetime.fromisoformat(f"{stored}+00:00")


@lru_cache(maxsize=4096)
def day_of(stored: date | str) -> date:
    """Return the date that a driver gave; one is read as it is stored by `type_coerce(column, String)`."""
    return date.fromisoformat(stored) if isinstance(stored, str) else stored


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
        raise ValueError(NAIVE)
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
