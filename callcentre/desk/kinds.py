"""What the desk distinguishes: a supervisor's decisions, and exits that only say that nobody was reached."""

from __future__ import annotations

from enum import StrEnum


class DecisionKind(StrEnum):
    """What a supervisor decided about somebody."""

    REOPENED = "reopened"
    RESULT_UNDONE = "result_undone"
    OPPOSITION_LIFTED = "opposition_lifted"
    OPT_OUT_LIFTED = "opt_out_lifted"
    REFUSAL_GOES_ON = "refusal_goes_on"
    """A guardian refused; the young person is still called on the other numbers."""
    REFUSAL_STOPS = "refusal_stops"
    """A guardian refused; nobody calls the young person any more, unless something re-opens them."""
    REFUSAL_LIFTED = "refusal_lifted"
    """A guardian's refusal was recorded by mistake."""
    CALL_SETTLED = "call_settled"
    CONFLICT_READ = "conflict_read"
    CARD_FREED = "card_freed"


REFUSAL_CHOICES = (DecisionKind.REFUSAL_GOES_ON, DecisionKind.REFUSAL_STOPS, DecisionKind.REFUSAL_LIFTED)
"""What may be decided about a guardian's refusal."""

FOR_WANT = ("opted_out", "other_routes", "details_to_find", "no_longer_reached", "never_reached")
"""Exits that say only that nobody could be reached by what is known: what is learnt later goes before them.

Of two that are told of one person the first here holds: who asked for quiet has it, and a search goes on to its end.
"""
