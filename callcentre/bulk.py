"""Very many rows at once: read as they are stored, written in one go, with room for the indexes of a long list.

insert_rows(session, table, rows)        rows with the same keys, several times faster than one by one
UpdateOfEach(statement, **types)         an UPDATE of many rows, each to values of its own
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

from sqlalchemy import (
    JSON,
    ColumnElement,
    DateTime,
    Dialect,
    FromClause,
    Table,
    Text,
    Update,
    bindparam,
    cast,
    column,
    func,
    insert,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator, TypeEngine

from callcentre.database import NAIVE, UtcDateTime
from callcentre.statements import Prepared, each_once

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
    process = _instant_processor(dialect)
    return instant if process is None else process(instant)


@lru_cache(maxsize=4)
def _instant_processor(dialect: Dialect) -> Callable[[Any], Any] | None:
    return _processor(UtcDateTime(), dialect)


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
    values = {name: [row[name] for row in rows] for name, _ in prepared.columns}
    columns = [each_once(values[name], make) if make else values[name] for name, make in prepared.columns]
    connection.exec_driver_sql(text, list(zip(*columns, strict=True)))


class UpdateOfEach:
    """An UPDATE of many rows, each to values of its own, by conditions of its own.

    A server is given all rows as one value, which it takes in a fifth of the time of a statement for each.
    """

    def __init__(
        self, statement: Callable[[Callable[[str], ColumnElement[Any]]], Update], **types: TypeEngine[Any]
    ) -> None:
        """`statement` makes the UPDATE out of what gives a row's value by its name; `types`: those of the values."""
        self._types = types
        self._by_row = Prepared(statement(lambda name: bindparam(name, type_=types[name])))
        given = [column(name, Text() if _is_json(kind) else kind) for name, kind in types.items()]
        rows = func.json_to_recordset(bindparam("rows", type_=JsonAsStored())).table_valued(*given)
        named = rows.render_derived(name="given", with_types=True).c
        self._at_once = Prepared(
            statement(lambda name: cast(named[name], JSON) if _is_json(types[name]) else named[name])
        )

    def filled(self, dialect: Dialect, rows: Sequence[Mapping[str, Any]]) -> Any:
        """Return the rows in the form that `run` takes: made before a transaction, so that nobody waits for it."""
        if dialect.name == "sqlite":
            return self._by_row.filled(dialect, rows)
        columns = {name: [row[name] for row in rows] for name in self._types}
        for name, kind in self._types.items():
            if isinstance(kind, AsStored):
                columns[name] = each_once(columns[name], lambda at: None if at is None else _as_text(at))
        return json.dumps(
            [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        )

    def run(self, session: Session, filled: Any) -> int:
        """Update these rows; return how many met their conditions."""
        if isinstance(filled, str):
            return self._at_once.run(session, {"rows": filled})
        return self._by_row.many(session, filled)


def _is_json(kind: TypeEngine[Any]) -> bool:
    return isinstance(kind, JsonAsStored)


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
