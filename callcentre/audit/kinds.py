"""The enumerations of the audit: where somebody was looked at."""

from __future__ import annotations

from enum import StrEnum


class Place(StrEnum):
    """Where a person was shown to somebody."""

    CARD = "card"
    """The card of a call, on the desk or to a program."""
    PAGE = "page"
    COMPARISON = "comparison"
    SEARCH = "search"
    DECISION = "decision"
    LIST = "list"
    """A list of people: how many is kept, not who."""
