"""Why nothing was played."""

from __future__ import annotations

from callcentre.errors import CallCentreError


class CannotPlay(CallCentreError):
    """Nothing was played; the message says why and what to do."""

    code = "cannot_play"


class NotADemo(CannotPlay):
    """This database was not created as a demonstration: real people may be in it, and nothing is played."""

    def __init__(self) -> None:
        super().__init__(
            "This database has no demonstration mark: real people may be in it, so nothing was played. "
            "Use a new database (CALLCENTRE_DATA_DIR=another-folder), or the one that `make run` created."
        )
