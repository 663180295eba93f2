"""How often a person and a number may be called: every limit with its unit, default and source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from callcentre.programmes import PERIOD


@dataclass(frozen=True, slots=True)
class Limits:
    """A programme's caps and gaps; each cap holds per person and per number.

    Defaults are the operation's own rules; the French decree 2022-1313 (D. 223-9 of the consumer code),
    written for commercial calls, is the source of 4 calls in 30 days and of the 60 days after a refusal.
    """

    calls_per_day: int = 1
    """Calls on one local date, quick retries apart."""
    calls_in_period: int = 4
    """Calls within `period`, quick retries included."""
    period: timedelta = PERIOD
    calls_in_all: int = 8
    """Calls since the person was (re-)opened."""
    contacts_in_period: int = 6
    """Calls and messages together within `period`."""
    same_day_gap: timedelta = timedelta(hours=2)
    """Between two calls of one day; redialling sooner halves the odds of an answer (field data)."""
    quick_retry_after: timedelta = timedelta(minutes=15)
    """Earliest repeat of a busy or failed call, made once."""
    quick_retry_until: timedelta = timedelta(minutes=60)
    soft_refusal: timedelta = timedelta(days=60)
    """Pause after "not now"."""
    guardian_attempts: frozenset[int] = frozenset({3, 6, 8})
    """Which calls (1 is the first) go to a guardian, where the plan decides; all of them if the person has no number.

    Empty: guardians are never called, whatever decides, but to keep a promise.
    """
    calls_adult_guardians: bool = False
    """Whether the guardian of an adult may be called at all."""
    look_ahead: timedelta = timedelta(days=10)
    """How far beyond the first permitted block the other slots are looked for, so that there is a choice."""
    search_days: int = 90
    """Open days examined before saying that these hours permit no call."""
