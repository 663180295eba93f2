"""The enumerations of the queue: the order of the lanes, the state of a place, how a lease ended."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Lane(IntEnum):
    """The one order of the queue: a lower lane is always served first."""

    LIVE_INBOUND = 0
    MISSED_INBOUND = 1
    PROMISE = 2
    REPLY = 3
    ORDINARY = 4


class EntryState(StrEnum):
    """Whether the queue still works for a person."""

    OPEN = "open"
    CLOSED = "closed"


class LeaseEnding(StrEnum):
    """How a lease ended."""

    CLOSED = "closed"
    RELEASED = "released"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    SETTLED = "settled"
