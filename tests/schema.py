"""The tables of a test database."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

import callcentre
from callcentre.database import Base, make_engine


def create_schema(url: str) -> None:
    """Create every table of the product in an empty database."""
    for module in walk_packages(callcentre.__path__, "callcentre."):
        if module.name.endswith(".models"):
            import_module(module.name)
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()
