"""Statements that are compiled once and then handed to the driver as they stand: for what every click asks."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import TypeEngine


def each_once(column: Sequence[Any], process: Callable[[Any], Any]) -> list[Any]:
    """Return a column's values as a driver takes them; each object is done once, however often it occurs."""
    known = {id(value): value for value in column}
    done = {key: process(value) for key, value in known.items()}
    return [done[id(value)] for value in column]


class _Form:
    """A statement as one kind of database takes it, for lists of certain lengths."""

    def __init__(self, compiled: SQLCompiler, lists: Mapping[str, int]) -> None:
        given = {
            name: [None] * lists[name] if name in lists else bind.value
            for name, bind in compiled.binds.items()
        }
        expanded = compiled.construct_expanded_state(given)
        self.sql = expanded.statement
        self.order = expanded.positiontup if compiled.positional else None
        self.parts = {name: expanded.parameter_expansion[name] for name in lists}
        made = {
            name: bind.type.dialect_impl(compiled.dialect).bind_processor(compiled.dialect)
            for name, bind in compiled.binds.items()
        }
        self.processors = {name: process for name, process in made.items() if process is not None}
        self.constants = {name: value for name, value in expanded.parameters.items() if value is not None}
        for name, process in self.processors.items():
            for part in expanded.parameter_expansion.get(name, [name]):
                if part in self.constants:
                    self.constants[part] = process(self.constants[part])

    def values(self, parameters: Mapping[str, Any]) -> Any:
        """Return the values in the form and order that the driver takes them."""
        values = dict(self.constants)
        for name, value in parameters.items():
            parts = self.parts.get(name)
            if parts is not None:
                filled = [*value, *[value[-1]] * (len(parts) - len(value))]
                values.update(zip(parts, filled, strict=True))
            elif name in self.processors:
                values[name] = self.processors[name](value)
            else:
                values[name] = value
        return values if self.order is None else tuple(values[name] for name in self.order)

    def many(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return the values of many rows in the form and order that the driver takes them."""
        columns = {}
        for name in rows[0]:
            column = [row[name] for row in rows]
            process = self.processors.get(name)
            columns[name] = column if process is None else each_once(column, process)
        columns |= {
            name: [value] * len(rows) for name, value in self.constants.items() if name not in columns
        }
        names = list(columns) if self.order is None else self.order
        made = zip(*(columns[name] for name in names), strict=True)
        return [dict(zip(names, row, strict=True)) for row in made] if self.order is None else list(made)


class _Shape:
    """What the rows of a statement are made into: tuples with names, each value in its type."""

    def __init__(self, description: Any, types: Mapping[int, TypeEngine[Any]], dialect: Dialect) -> None:
        named: Any = namedtuple  # its names are known only now
        self.row = named("Row", [column[0] for column in description], rename=True)._make
        processors = {
            place: kind.dialect_impl(dialect).result_processor(dialect, description[place][1])
            for place, kind in types.items()
        }
        self._processors = [(place, process) for place, process in processors.items() if process is not None]

    def rows(self, found: list[tuple[Any, ...]]) -> list[Any]:
        """Return the rows that the driver found."""
        if not self._processors:
            return [self.row(row) for row in found]
        made = []
        for row in found:
            values = list(row)
            for place, process in self._processors:
                if values[place] is not None:
                    values[place] = process(values[place])
            made.append(self.row(values))
        return made


class Prepared:
    """A statement that is compiled once; it flushes first, as any query of the session does.

    The way of a short statement through SQLAlchemy costs several times what the statement costs in the database.
    Transaction, connection and errors are the session's. A bound list may have any length but none,
    and holds numbers or words.
    """

    def __init__(self, statement: ClauseElement, **types: TypeEngine[Any]) -> None:
        """`types`: those of columns of a text's result, where the driver's own will not do."""
        self._statement, self._types = statement, types
        self._compiled: dict[str, tuple[SQLCompiler, tuple[str, ...]]] = {}
        self._forms: dict[tuple[str, tuple[int, ...]], _Form] = {}
        self._shapes: dict[str, _Shape] = {}

    def run(self, session: Session, parameters: Mapping[str, Any]) -> int:
        """Run it; return how many rows it touched."""
        cursor, _ = self._run(session, parameters)
        touched = int(cursor.rowcount)
        cursor.close()
        return touched

    def filled(self, dialect: Dialect, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return the values of these rows for `many`: made before a transaction, so that nobody waits for it."""
        return self._form(dialect, {}).many(rows) if rows else []

    def many(self, session: Session, filled: Sequence[Any]) -> int:
        """Run it once for each of these rows, by one call of the driver; return how many rows it touched."""
        if not filled:
            return 0
        connection = _flushed(session)
        cursor = _executed(connection, self._form(connection.dialect, {}).sql, filled, many=True)
        touched = int(cursor.rowcount)
        cursor.close()
        return touched

    def rows(self, session: Session, parameters: Mapping[str, Any]) -> list[Any]:
        """Run it; return its rows as tuples with names."""
        cursor, dialect = self._run(session, parameters)
        found = cursor.fetchall()
        shape = self._shapes.get(dialect.name) or self._shape(cursor.description, dialect)
        cursor.close()
        return shape.rows(found)

    def first(self, session: Session, parameters: Mapping[str, Any]) -> Any:
        """Run it; return its first row, None without one."""
        return next(iter(self.rows(session, parameters)), None)

    def values(self, session: Session, parameters: Mapping[str, Any]) -> list[Any]:
        """Run it; return the first value of each row."""
        return [row[0] for row in self.rows(session, parameters)]

    def value(self, session: Session, parameters: Mapping[str, Any]) -> Any:
        """Run it; return the first value of its first row, None without one."""
        return next(iter(self.values(session, parameters)), None)

    def _run(self, session: Session, parameters: Mapping[str, Any]) -> tuple[Any, Dialect]:
        connection = _flushed(session)
        form = self._form(connection.dialect, parameters)
        cursor = _executed(connection, form.sql, form.values(parameters), many=False)
        return cursor, connection.dialect

    def _form(self, dialect: Dialect, parameters: Mapping[str, Any]) -> _Form:
        known = self._compiled.get(dialect.name)
        if known is None:
            compiled = self._statement.compile(dialect=dialect)
            assert isinstance(compiled, SQLCompiler)
            open_lists = [name for name, bind in compiled.binds.items() if bind.expanding and bind.required]
            known = self._compiled[dialect.name] = compiled, tuple(open_lists)
        compiled, lists = known
        # Lists are filled up to a power of two by repeating their last value: few lengths, few texts to prepare.
        lengths = tuple(1 << (len(parameters[name]) - 1).bit_length() for name in lists)
        form = self._forms.get((dialect.name, lengths))
        if form is None:
            form = _Form(compiled, dict(zip(lists, lengths, strict=True)))
            self._forms[dialect.name, lengths] = form
        return form

    def _shape(self, description: Any, dialect: Dialect) -> _Shape:
        names = [column[0] for column in description]
        if self._types:
            types = {place: self._types[name] for place, name in enumerate(names) if name in self._types}
        else:
            columns = getattr(self._statement, "selected_columns", ())
            types = {place: column.type for place, column in enumerate(columns)}
        shape = self._shapes[dialect.name] = _Shape(description, types, dialect)
        return shape


def _flushed(session: Session) -> Connection:
    if session.autoflush:
        session.flush()
    return session.connection()


def _executed(connection: Connection, sql: str, values: Any, *, many: bool) -> Any:
    """Return the driver's cursor on which it was run."""
    cursor = connection.connection.cursor()
    # Whoever counts an engine's statements counts these too.
    connection.dispatch.before_cursor_execute(connection, cursor, sql, values, None, many)
    try:
        (cursor.executemany if many else cursor.execute)(sql, values)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _translated(error, sql, connection, cursor) from error
    return cursor


def _translated(error: Any, sql: str, connection: Connection, cursor: Any) -> BaseException:
    """Return an error of the driver as SQLAlchemy raises it; a connection that is lost is not used again."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
    if lost:
        connection.invalidate(error)
    translated: BaseException = DBAPIError.instance(
        sql,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
        ismulti=False,
    )
    return translated
