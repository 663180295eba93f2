"""The enumerations of the people: whose a number is, and what the calls have shown of it."""

from __future__ import annotations

from enum import StrEnum


class NumberOwner(StrEnum):
    """Whose number it is, seen from the young person."""

    YOUNG_PERSON = "young_person"
    GUARDIAN = "guardian"
    OTHER = "other"


class NumberVerdict(StrEnum):
    """What the calls have shown of a number for this person."""

    UNVERIFIED = "unverified"
    CONFIRMED = "confirmed"
    DOUBTFUL = "doubtful"
    """A voicemail said another name; still called, and something to ask about."""
    WRONG = "wrong"
    DEAD = "dead"


SET_ASIDE = (NumberVerdict.WRONG, NumberVerdict.DEAD)
"""The verdicts after which a number is not called any more."""


class IdKind(StrEnum):
    """Which register a person's identifier comes from."""

    INE = "ine"
    SIEI = "siei"


class PairState(StrEnum):
    """What somebody said of two records that look like one person."""

    OPEN = "open"
    MERGED = "merged"
    DISTINCT = "distinct"


class Likeness(StrEnum):
    """Why two records look like one person."""

    SAME_NAME_OTHER_INE = "same_name_other_ine"
    ALIKE_NAME = "alike_name"
    NAMES_SWAPPED = "names_swapped"
    OTHER_BIRTH_DATE = "other_birth_date"
    CHOSEN = "chosen"
