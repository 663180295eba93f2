"""A row of any table about a person, whatever the table: for tests that walk the metadata."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Float, Integer, LargeBinary, String, Table, insert, select
from sqlalchemy.orm import Session

from callcentre.database import UtcDateTime

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
_numbers = count(1)


def add_row(session: Session, table: Table, known: Mapping[str, int], **given: Any) -> dict[str, Any]:
    """Add a row; `known` gives the id to refer to by table, other parents are made. Return what was written."""
    values = dict(given)
    for column in table.columns:
        if column.name in values or _is_made_by_itself(column):
            continue
        values[column.name] = _value(session, column, known)
    session.execute(insert(table).values(**values))
    return values


def _is_made_by_itself(column: Column[Any]) -> bool:
    is_own_id = column.primary_key and not column.foreign_keys and column.name == "id"
    return is_own_id or column.nullable or column.default is not None or column.server_default is not None


def _value(session: Session, column: Column[Any], known: Mapping[str, int]) -> Any:
    for key in column.foreign_keys:
        return known.get(key.column.table.name) or _parent(session, key.column, known)
    kinds: tuple[tuple[type, Any], ...] = (
        (Boolean, True),
        (UtcDateTime, AT),
        (Date, date(2026, 11, 20)),
        (Float, 1.0),
        (Integer, 1),
        (JSON, {}),
        (LargeBinary, b"x"),
    )
    for kind, value in kinds:
        if isinstance(column.type, kind):
            return value
    length = getattr(column.type, "length", None) if isinstance(column.type, String) else None
    return f"x{next(_numbers)}"[:length]


def _parent(session: Session, column: Column[Any], known: Mapping[str, int]) -> Any:
    add_row(session, column.table, known)
    return session.scalar(select(column).order_by(column.desc()).limit(1))


def rows_about(session: Session, column: Column[Any], person_id: int) -> list[dict[str, Any]]:
    """All rows of a column's table that refer to a person by it, in a steady order."""
    rows = session.execute(select(column.table).where(column == person_id)).mappings()
    return sorted((dict(row) for row in rows), key=str)
