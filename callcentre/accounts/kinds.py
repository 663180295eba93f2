"""The enumerations of the accounts: roles, preferences, presence."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a user may do; one role each."""

    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


class Language(StrEnum):
    """The language of the pages."""

    FRENCH = "fr"
    ENGLISH = "en"


class Theme(StrEnum):
    """Colours of the pages; `auto` follows the machine."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class Density(StrEnum):
    """Room between the lines of the pages."""

    NORMAL = "normal"
    COMPACT = "compact"


class PresenceState(StrEnum):
    """Whether an officer may be served the next young person."""

    AVAILABLE = "available"
    PAUSED = "paused"


class PauseReason(StrEnum):
    """Why an officer is not served; what is measured is the pause, never ranked."""

    BREAK = "break"
    LUNCH = "lunch"
    MEETING = "meeting"
    TRAINING = "training"
    PAPERWORK = "paperwork"
    TECHNICAL = "technical"
    OTHER = "other"
