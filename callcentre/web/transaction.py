"""One transaction for each request, opened when first used; only this web module knows SQLAlchemy.

GET reads; POST, PUT, PATCH and DELETE write, which on SQLite takes the one writer's place at once: a
view parses first and calls `database()` last. An answer commits, an exception rolls back, unless it says
that something was kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import cast

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import ServiceUnavailable

import callcentre
from callcentre import database as connections
from callcentre.directory.programmes import is_demo
from callcentre.errors import StorageFull
from callcentre.runtime import Runtime
from callcentre.web.context import runtime

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_FULL = ("database or disk is full", "disk i/o error", "no space left", "could not extend file")


def database() -> Session:
    """Return this request's session, in its transaction."""
    if "database" not in g:
        session = runtime().sessions()
        g.database = session
        if request.method not in _READING:
            connections.begin_writing(session)
    return cast(Session, g.database)


@contextmanager
def reading() -> Iterator[Session]:
    """A short reading transaction apart from the request's own."""
    with connections.reading(runtime().sessions) as session:
        yield session


@contextmanager
def writing() -> Iterator[Session]:
    """A short writing transaction apart from the request's own, committed at the end of the block."""
    with connections.writing(runtime().sessions) as session:
        yield session


@contextmanager
def writing_beside() -> Iterator[Session]:
    """Write what a request leaves behind: in its own transaction when it writes, else in a short one of its own."""
    if request.method not in _READING:
        yield database()  # which has the writer's place already, or takes it now
        return
    with writing() as session:
        yield session


def end_transaction() -> None:
    """Commit what this request did so far and give the connection back, before streaming or a slow answer."""
    session = g.pop("database", None)
    if session is not None:
        try:
            session.commit()
        finally:
            session.close()


class Application(Flask):
    """Flask, with the transaction around each view."""

    def dispatch_request(self) -> ResponseReturnValue:
        """Run the view; commit its work, or undo it when it fails."""
        try:
            answer = super().dispatch_request()
            end_transaction()
        except DBAPIError as error:
            _undo()
            raise _in_words(error) from error
        except Exception as error:
            if getattr(error, "kept", False):
                end_transaction()
            _undo()
            raise
        return answer


def is_demonstration() -> bool:
    """Tell whether this database holds fictitious people only; looked up once for each process.

    A page that says that the database does not answer asks too: it is then no demonstration.
    """
    known = current_app.extensions.get("demonstration")
    if known is None:
        try:
            with reading() as session:
                known = current_app.extensions["demonstration"] = is_demo(session)
        except DBAPIError:
            return False
    return cast(bool, known)


def close_transaction(_error: BaseException | None = None) -> None:
    """Undo and close whatever a request left open; registered as a teardown."""
    _undo()


def database_problem(of: Runtime) -> str | None:
    """Return None when the database answers and its tables are those of this version, else what is wrong."""
    try:
        with of.engine.connect() as connection:
            current = set(MigrationContext.configure(connection).get_current_heads())
    except DBAPIError:
        return "unreachable"
    return None if current == _expected_heads() else "migrations"


def _undo() -> None:
    session = g.pop("database", None)
    if session is not None:
        session.rollback()
        session.close()


def _in_words(error: DBAPIError) -> Exception:
    """The errors of a database that an operator can do something about; any other stays what it is."""
    text = str(error.orig).lower()
    if any(sign in text for sign in _FULL):
        return StorageFull("La base de données est pleine.")
    if isinstance(error, OperationalError | InterfaceError):
        return ServiceUnavailable()
    return error


@cache
def _expected_heads() -> frozenset[str]:
    folder = Path(callcentre.__file__).parent / "migrations"
    return frozenset(ScriptDirectory(str(folder)).get_heads())
