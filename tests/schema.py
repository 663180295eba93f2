"""The tables of a test database."""

from __future__ import annotations

from callcentre.database import make_engine
from callcentre.migrations import upgrade


def create_schema(url: str) -> None:
    """Bring an empty database to the newest revision."""
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()
