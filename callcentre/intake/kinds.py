"""The enumerations of the intake: what becomes of a row, and of a file."""

from __future__ import annotations

from enum import StrEnum


class Fate(StrEnum):
    """What became of a row of a list file."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    IGNORED = "ignored"


class ListState(StrEnum):
    """How far a list file has come."""

    CHECKED = "checked"
    IMPORTING = "importing"
    IMPORTED = "imported"
    FAILED = "failed"
    UNDONE = "undone"


class Problem(StrEnum):
    """Why an import stopped; the words are `callcentre.intake.problems`'."""

    STORAGE_FULL = "storage_full"
    DATABASE_REFUSED = "database_refused"
    UNREADABLE = "unreadable"


class Source(StrEnum):
    """How a list came."""

    PAGE = "page"
    COMMAND = "command"
    API = "api"
    FOLDER = "folder"
