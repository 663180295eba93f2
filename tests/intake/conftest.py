"""A fresh database for each test of the intake."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session, sessionmaker

from callcentre.database import make_engine, make_session_factory


@pytest.fixture
def sessions(sqlite_url: str) -> Iterator[sessionmaker[Session]]:
    """Sessions on a fresh embedded database."""
    engine = make_engine(sqlite_url)
    yield make_session_factory(engine)
    engine.dispose()


@pytest.fixture
def both_sessions(database_url: str) -> Iterator[sessionmaker[Session]]:
    """Sessions on a fresh database of each kind."""
    engine = make_engine(database_url)
    yield make_session_factory(engine)
    engine.dispose()
