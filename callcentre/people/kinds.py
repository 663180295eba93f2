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
    WRONG = "wrong"
    DEAD = "dead"


class IdKind(StrEnum):
    """Which register a person's identifier comes from."""

    INE = "ine"
    SIEI = "siei"
