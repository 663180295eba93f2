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

    UNMAPPED = "unmapped"
    """Its columns could not be told: it waits for somebody to name them."""
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


PROBLEM_WORDS: dict[Problem, tuple[str, str]] = {
    Problem.STORAGE_FULL: (
        "La base de données est pleine : libérez de la place puis relancez le même import, il reprendra là.",
        "The database is full: make room, then run the same import again; it goes on where it stopped.",
    ),
    Problem.DATABASE_REFUSED: (
        "La base de données a refusé d’écrire : relancez le même import, il reprendra là.",
        "The database refused to write: run the same import again; it goes on where it stopped.",
    ),
    Problem.UNREADABLE: (
        "Le fichier reçu ne se lit plus : ce qui est importé est gardé, envoyez la liste à nouveau.",
        "The file received can no longer be read: what was imported is kept, send the list again.",
    ),
}


def problem_words(problem: str | None, language: str = "fr") -> str:
    """Why an import stopped, for people; empty for none."""
    if problem is None or problem not in Problem.__members__.values():
        return ""
    french, english = PROBLEM_WORDS[Problem(problem)]
    return english if language == "en" else french
