"""The demonstration: fictitious people, a fictitious team, and days of work played through the real verbs.

Nothing is ever dialled. `prepare` makes a new database presentable; `play` adds history to one that was marked.
"""

from __future__ import annotations

from callcentre.demo.history import DEFAULT_SEED, Played, play
from callcentre.demo.preparing import (
    is_demo,
    latest_event_at,
    play_days,
    prepare,
)
from callcentre.demo.refusals import CannotPlay, NotADemo

__all__ = [
    "DEFAULT_SEED",
    "CannotPlay",
    "NotADemo",
    "Played",
    "is_demo",
    "latest_event_at",
    "play",
    "play_days",
    "prepare",
]
