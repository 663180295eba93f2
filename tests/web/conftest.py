"""What the tests of the pages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.site import Site, make_site


@pytest.fixture
def site(tmp_path: Path, sqlite_url: str) -> Iterator[Site]:
    """An application on SQLite with its fixed cast."""
    site = make_site(tmp_path, sqlite_url)
    yield site
    site.runtime.engine.dispose()
