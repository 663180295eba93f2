"""The enumerations of planning: where a version of the learnt numbers comes from, how far a step of a route is."""

from __future__ import annotations

from enum import StrEnum


class FitSource(StrEnum):
    """What made a version of the learnt numbers."""

    PRIOR = "prior"
    """The starting numbers of `config/`."""
    NIGHTLY = "nightly"
    BY_HAND = "by_hand"


class StepState(StrEnum):
    """Where a step of the other routes stands."""

    WAITING = "waiting"
    """An earlier step comes first, or a pause of which the end is kept."""
    DUE = "due"
    SENT = "sent"
    """Done, and given time to work."""
    DONE = "done"
    NOT_POSSIBLE = "not_possible"
    CANCELLED = "cancelled"


class StepResult(StrEnum):
    """What came of a step."""

    BY_PLAN = "by_plan"
    """The calls have done it already."""
    SENT = "sent"
    FOUND = "found"
    """A number that was not known."""
    NOTHING = "nothing"
