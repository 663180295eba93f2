"""The code book's types: what an attempt can end in, and what follows from it.

The entries themselves belong to a programme (`config/programmes/*.toml`); this module says what an entry may hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class RetryKind(StrEnum):
    """What a disposition means for the next attempt."""

    NO_ANSWER = "no_answer"
    """Nobody, or a voicemail: another hour, another day."""
    BUSY = "busy"
    """Engaged line: once more within the hour."""
    TECHNICAL = "technical"
    """The call failed for a reason of ours or the operator's: once more within the hour."""
    THIRD_PARTY = "third_party"
    """Somebody else answered: an attempt, not a contact."""
    WRONG_NUMBER = "wrong_number"
    """A stranger: the number is set aside for this person."""
    DEAD_NUMBER = "dead_number"
    """Not in service: the number is set aside for everybody."""
    CALLBACK = "callback"
    """A time was promised."""
    SOFT_REFUSAL = "soft_refusal"
    """Not now: a pause."""
    OPPOSITION = "opposition"
    """Never again, said by the young person."""
    GUARDIAN_REFUSAL = "guardian_refusal"
    """A guardian's refusal: stops the guardian's number and asks the supervisor."""
    DONE = "done"
    """The work of the queue is over for this person."""


class NumberSign(StrEnum):
    """What a call showed of the number itself, whoever was or was not reached."""

    ANSWERED = "answered"
    """The young person, in person."""
    OWN_NAME = "own_name"
    """A voicemail that says their name."""
    OTHER_NAME = "other_name"
    """A voicemail that says another name."""
    STRANGER = "stranger"
    """Somebody who does not know them."""
    DEAD_TONE = "dead_tone"
    """Not in service."""


_SIGNS = {RetryKind.WRONG_NUMBER: NumberSign.STRANGER, RetryKind.DEAD_NUMBER: NumberSign.DEAD_TONE}
ENDS_OF_ITS_OWN = ("details_to_find", "other_routes", "never_reached", "no_longer_reached", "opted_out")
"""Reasons of leaving the queue that the program finds by itself: no result of a code book may stand for one."""


class Group(StrEnum):
    """Where the desk shows a disposition."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    END = "end"


class Need(StrEnum):
    """A field that a disposition opens on the desk and refuses to go without."""

    CALLBACK_AT = "callback_at"
    NEW_NUMBER = "new_number"
    REASON = "reason"
    APPOINTMENT = "appointment"


@dataclass(frozen=True, slots=True)
class Disposition:
    """One entry of a code book.

    `is_contact`: the young person answered in person. `reaches_guardian`: counted apart. `is_final`: the entry leaves
    the queue with `closes_as`. `stage`: the funnel stage or side counter entered (a value of
    `callcentre.funnel.stages.Stage`), if any. `key`: the digit that picks it on the desk.
    """

    code: str
    labels: dict[str, str]
    group: Group
    retry: RetryKind
    key: str
    is_contact: bool = False
    reaches_guardian: bool = False
    is_final: bool = False
    closes_as: str | None = None
    stage: str | None = None
    needs: tuple[Need, ...] = ()
    asks: tuple[Need, ...] = ()
    """Fields that open but may stay empty."""
    is_retired: bool = False
    hints: dict[str, str] = field(default_factory=dict)
    sign: NumberSign | None = None
    """What it shows of the number, where the kind of result does not say so already."""

    @property
    def shows(self) -> NumberSign | None:
        """What the call showed of the number; None when it showed nothing."""
        if self.sign is not None or self.retry in _SIGNS:
            return self.sign or _SIGNS[self.retry]
        return NumberSign.ANSWERED if self.is_contact else None

    def label(self, language: str) -> str:
        """The words shown, in `language` or else in French."""
        return self.labels.get(language) or self.labels["fr"]
