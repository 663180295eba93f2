"""The comparison that explains a choice: the chance now against the other hours, and what was already tried.

    found = compare(...)                 a Comparison, from the numbers that decided
    found.reason()                       a Reason, stored with the entry and spoken by `reasons.sentence`

The words say "about 1 in 8" and never a profile's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from callcentre.retry.reasons import Reason, ReasonCode, reason
from callcentre.retry.slots import Slot


@dataclass(frozen=True, slots=True)
class Rated:
    """One slot's chance that a call is answered, or, on a second number, that it leads to the young person.

    `days`: until its turn, the queue included. `is_second`: on a second number, the better one in this slot.
    """

    slot: Slot
    rate: float
    days: float = 0.0
    is_second: bool = False

    @property
    def one_in(self) -> int:
        """Calls for one answer, rounded; at most 100."""
        return min(100, max(1, round(1 / self.rate))) if self.rate > 0 else 100


@dataclass(frozen=True, slots=True)
class Heard:
    """Slots in which a call found the young person (a call of theirs included) or somebody else, or was said to."""

    person: tuple[Slot, ...] = ()
    hinted: tuple[Slot, ...] = ()
    others: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The slot chosen, the others that the programme opens (best first), and what this person's history holds.

    `forbidden`: slots that a hard rule closes to the next call, for now. `heard`: in which somebody once answered,
    where that counts. `left_out`: permitted slots that have no part in the best use of all calls that are left.
    """

    chosen: Rated
    others: tuple[Rated, ...] = ()
    tried: tuple[Slot, ...] = ()
    heard: Heard = Heard()
    forbidden: tuple[Slot, ...] = ()
    left_out: tuple[Slot, ...] = ()

    @property
    def is_second(self) -> bool:
        """Whether the call goes to a second number."""
        return self.chosen.is_second

    def reason(self) -> Reason:
        """One sentence: the chance now, the best other hour that is left, and what was tried."""
        left = [rated for rated in self.others if rated.slot not in self.forbidden]
        params = self._params(left[0] if left else None)
        if self.tried:
            params["slots"] = ",".join(self.tried)
        kind = self._kind(left)
        if kind in self._answers:
            params["answered_slots"] = ",".join(self._answers[kind])
        if kind == "sooner":
            params["wait_days"] = max(1, ceil(left[0].days))
        return reason(_CODES[kind], **params)

    def earlier(self, planned: Slot) -> Reason:
        """One sentence for a call made before its hour: the chance now, and that of the slot that was planned."""
        code = ReasonCode.LEARNT_EARLIER_SECOND if self.is_second else ReasonCode.LEARNT_EARLIER
        return reason(code, **self._params(next(rated for rated in self.others if rated.slot is planned)))

    @property
    def _answers(self) -> dict[str, tuple[Slot, ...]]:
        """By the kind of sentence that tells them, what is most telling first."""
        heard = self.heard
        answers = {"answered": heard.person, "hinted": heard.hinted, "others": heard.others}
        return {kind: slots for kind, slots in answers.items() if slots}

    def _params(self, other: Rated | None) -> dict[str, int | str]:
        params: dict[str, int | str] = {"slot": self.chosen.slot.value, "one_in": self.chosen.one_in}
        if other is not None:
            params |= {"other_slot": other.slot.value, "other_one_in": other.one_in}
            if other.is_second:
                params["other_number"] = "second"
        return params

    def _kind(self, left: list[Rated]) -> str:
        if self.is_second:
            return "second"
        if left and left[0].rate > self.chosen.rate:
            if left[0].slot in self.left_out:
                return "ahead"
            return "sooner" if left[0].days > self.chosen.days else "rested"
        if self._answers:
            of_this_slot = (kind for kind, slots in self._answers.items() if self.chosen.slot in slots)
            return next(of_this_slot, next(iter(self._answers)))
        if not left:
            return "only"
        return "again" if self.tried else "first"


_CODES = {
    "first": ReasonCode.LEARNT_FIRST,
    "again": ReasonCode.LEARNT_HOUR,
    "only": ReasonCode.LEARNT_ONLY,
    "answered": ReasonCode.LEARNT_ANSWERED,
    "hinted": ReasonCode.LEARNT_HINTED,
    "others": ReasonCode.LEARNT_OTHERS_ANSWERED,
    "sooner": ReasonCode.LEARNT_SOONER,
    "ahead": ReasonCode.LEARNT_AHEAD,
    "rested": ReasonCode.LEARNT_RESTED,
    "second": ReasonCode.LEARNT_SECOND,
}
