"""Days and hours as people type them."""

from __future__ import annotations

from datetime import date, time

import pytest

from callcentre.web.forms import typed_date, typed_time


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("24/11/2026", date(2026, 11, 24)),
        (" 1/2/26 ", date(2026, 2, 1)),
        ("24.11.2026", date(2026, 11, 24)),
        ("24-11-2026", date(2026, 11, 24)),
        ("2026-11-24", date(2026, 11, 24)),
        ("32/11/2026", None),
        ("demain", None),
        ("", None),
        (None, None),
    ],
)
def test_day(typed: str | None, read: date | None) -> None:
    assert typed_date(typed) == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("14:30", time(14, 30)),
        ("14 h 30", time(14, 30)),
        ("14h", time(14)),
        ("9", time(9)),
        ("0930", time(9, 30)),
        ("14.30", time(14, 30)),
        ("25:00", None),
        ("midi", None),
        ("", None),
    ],
)
def test_hour(typed: str, read: time | None) -> None:
    assert typed_time(typed) == read
