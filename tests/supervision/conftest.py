"""A session on a fresh database of each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from callcentre.database import begin_writing, make_engine


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = make_engine(database_url, pool_size=2)
    with Session(engine) as opened:
        yield begin_writing(opened)
    engine.dispose()
