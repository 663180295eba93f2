"""Ninety days of work, played once for all the tests that recount them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callcentre import demo
from tests.journeys.events import Events, read_events
from tests.journeys.ground import a_demonstration, a_list
from tests.once import once

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2026, 10, 5, 8, tzinfo=PARIS)
END = datetime(2027, 1, 3, 20, tzinfo=PARIS)
"""Ninety days with three weekday holidays (11 November, Christmas, New Year) and the end of summer time."""
PEOPLE, OVERSEAS, CALLS_PER_DAY = 200, 6, 17


@pytest.fixture(scope="session")
def played(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Events:
    """The events of the ninety days, read from the tables as they are."""

    def play() -> str:
        folder = tmp_path_factory.mktemp("played")
        url = f"sqlite:///{folder / 'played.sqlite'}"
        runtime = a_demonstration(url, folder, a_list(PEOPLE, overseas=OVERSEAS), start=START)
        demo.play(runtime, start=START, end=END, seed=90, calls_per_day=CALLS_PER_DAY)
        runtime.engine.dispose()
        return str(folder / "played.sqlite")

    return read_events(Path(once(run_folder / "played", play)), end=END)
