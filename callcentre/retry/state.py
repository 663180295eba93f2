"""What the rules need to know of one person: plain values, read by the caller, all instants aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from callcentre.dispositions import RetryKind
from callcentre.retry.slots import Slot

QUICKLY_RETRIED = frozenset({RetryKind.BUSY, RetryKind.TECHNICAL})
YOUNG_PERSON_ANSWERED = frozenset(
    {RetryKind.CALLBACK, RetryKind.SOFT_REFUSAL, RetryKind.OPPOSITION, RetryKind.DONE}
)


class Owner(StrEnum):
    """Whose number it is, seen from the young person."""

    YOUNG_PERSON = "young_person"
    GUARDIAN = "guardian"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """One outbound call to this person, on any of their numbers and for any programme.

    `kind` None: no result yet, treated as unanswered. `slot` and `local_date` are those of the person's zone
    (`slot` None outside every slot). `promised`: made to keep a promised time.
    """

    at: datetime
    number_id: int | None
    kind: RetryKind | None
    slot: Slot | None
    local_date: date
    promised: bool = False

    @property
    def is_unanswered(self) -> bool:
        """True unless somebody settled what comes next; a parent or a stranger leaves the call unanswered."""
        return self.kind not in YOUNG_PERSON_ANSWERED

    @property
    def counts(self) -> bool:
        """True when the call uses up the caps: all do, but a promise that was kept and answered."""
        return self.is_unanswered or not self.promised


@dataclass(frozen=True, slots=True)
class NumberState:
    """A number that reaches the person, in the order in which the person's numbers are to be tried.

    `calls`: every call made to the number, for anybody (this person included, answered promises left out),
    oldest first. `usable` False with the code `why_not`: wrong, dead, or not to be called by the list's own
    word.
    """

    number_id: int
    owner: Owner
    usable: bool = True
    why_not: str | None = None
    opted_out: bool = False
    calls: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class PersonState:
    """Everything about a person on which the hard rules depend.

    `attempts` oldest first, over all programmes. `opened_at`: when the entry was (re-)opened; the total cap
    counts from there. `eighteen_on`: the 18th birthday (None: unknown, treated as adult). `pause_until`: a
    pause that somebody set (a skip's "not before", a supervisor's); a soft refusal is read from the attempts.
    `messages`: when messages were sent. `ever_reached`: the young person answered or replied at least once,
    in whatever way. `segment`: the group that the programme declares for the learning rule, never a protected
    trait. `answered_slots`: the hours at which they were heard otherwise than by a call of ours (a call received).
    `hinted_slots`: the hours that somebody who answered for them named, as a guardian does.
    """

    person_id: int
    zone: ZoneInfo
    numbers: tuple[NumberState, ...] = ()
    attempts: tuple[PastAttempt, ...] = ()
    opened_at: datetime | None = None
    eighteen_on: date | None = None
    opposed: bool = False
    pause_until: datetime | None = None
    messages: tuple[datetime, ...] = ()
    ever_reached: bool = False
    segment: str = ""
    answered_slots: tuple[Slot, ...] = ()
    hinted_slots: tuple[Slot, ...] = ()

    def __post_init__(self) -> None:
        if any(later.at < earlier.at for earlier, later in pairwise(self.attempts)):
            object.__setattr__(self, "attempts", tuple(sorted(self.attempts, key=lambda attempt: attempt.at)))

    def is_minor_on(self, day: date) -> bool:
        """True before the 18th birthday."""
        return self.eighteen_on is not None and day < self.eighteen_on

    def since_opening(self, moments: tuple[datetime, ...]) -> int:
        """How many of these instants come after the entry was (re-)opened."""
        return sum(self.opened_at is None or moment >= self.opened_at for moment in moments)

    @cached_property
    def calls(self) -> tuple[datetime, ...]:
        """When the calls that count were made, oldest first."""
        return tuple(attempt.at for attempt in self.attempts if attempt.counts)

    @cached_property
    def calls_since_opening(self) -> int:
        """How many calls the total cap has counted so far."""
        return self.since_opening(self.calls)
