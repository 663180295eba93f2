"""The tables of a test database: those that the migrations make."""

from __future__ import annotations

from callcentre.database import make_engine
from callcentre.migrations import upgrade


def create_schema(url: str) -> None:
    """Create every table of the product in an empty database."""
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()
