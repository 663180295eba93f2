"""The only reader of the wall clock; everything else receives `now` as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the current instant."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's instant, in UTC."""
        return datetime.now(UTC)


class ShiftedClock:
    """A clock that showed `start` at the real instant `anchor` and has run on since (demo and tests only)."""

    def __init__(self, start: datetime, anchor: datetime) -> None:
        self._shift = start.astimezone(UTC) - anchor.astimezone(UTC)

    def now(self) -> datetime:
        """Return the shifted instant, in UTC."""
        return datetime.now(UTC) + self._shift


class ManualClock:
    """A clock that moves only when told; for tests, history and simulation."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant it was last moved to, in UTC."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move forward by a duration and return the new instant."""
        self._now += by
        return self._now

    def move_to(self, instant: datetime) -> datetime:
        """Move to an instant and return it."""
        self._now = instant.astimezone(UTC)
        return self._now
