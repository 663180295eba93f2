"""The comparison that explains a choice: the chance now against the other hours, and what was already tried.

    found = compare(...)                 a Comparison, from the numbers that decided
    found.reason()                       a Reason, stored with the entry and spoken by `reasons.sentence`
    found.as_json()                      the whole comparison, for the card, the history and the API

The words say "about 1 in 8" and never a profile's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from callcentre.retry.reasons import Reason, ReasonCode, reason
from callcentre.retry.slots import Slot


@dataclass(frozen=True, slots=True)
class Rated:
    """One slot's chance that a call is answered, or, on a second number, that it leads to the young person.

    `days`: until its turn, the queue included.
    """

    slot: Slot
    rate: float
    days: float = 0.0

    @property
    def one_in(self) -> int:
        """Calls for one answer, rounded; at most 100."""
        return min(100, max(1, round(1 / self.rate))) if self.rate > 0 else 100


@dataclass(frozen=True, slots=True)
class Comparison:
    """The slot chosen, the others that the programme opens (best first), and what this person's history holds.

    `forbidden`: slots that a hard rule closes to the next call, for now. `answered`: slots in which they once answered.
    `left_out`: permitted slots that have no part in the best use of all calls that are left.
    """

    chosen: Rated
    others: tuple[Rated, ...] = ()
    tried: tuple[Slot, ...] = ()
    answered: tuple[Slot, ...] = ()
    forbidden: tuple[Slot, ...] = ()
    left_out: tuple[Slot, ...] = ()
    is_second: bool = False

    def reason(self) -> Reason:
        """One sentence: the chance now, the best other hour that is left, and what was tried."""
        left = [rated for rated in self.others if rated.slot not in self.forbidden]
        params: dict[str, int | str] = {"slot": self.chosen.slot.value, "one_in": self.chosen.one_in}
        if left:
            params |= {"other_slot": left[0].slot.value, "other_one_in": left[0].one_in}
        if self.tried:
            params["slots"] = ",".join(self.tried)
        if self.answered:
            params["answered_slots"] = ",".join(self.answered)
        kind = self._kind(left)
        if kind == "sooner":
            params["wait_days"] = max(1, ceil(left[0].days))
        return reason(_CODES[kind], **params)

    def as_json(self) -> dict[str, Any]:
        """The comparison as plain values."""
        return {
            "chosen": {"slot": self.chosen.slot.value, "rate": self.chosen.rate},
            "others": [{"slot": rated.slot.value, "rate": rated.rate} for rated in self.others],
            "tried": [slot.value for slot in self.tried],
            "answered": [slot.value for slot in self.answered],
            "forbidden": [slot.value for slot in self.forbidden],
            "left_out": [slot.value for slot in self.left_out],
            "is_second": self.is_second,
        }

    def _kind(self, left: list[Rated]) -> str:
        if self.is_second:
            return "second"
        if left and left[0].rate > self.chosen.rate:
            if left[0].slot in self.left_out:
                return "ahead"
            return "sooner" if left[0].days > self.chosen.days else "rested"
        if self.answered:
            return "answered"
        if not left:
            return "only"
        return "again" if self.tried else "first"


_CODES = {
    "first": ReasonCode.LEARNT_FIRST,
    "again": ReasonCode.LEARNT_HOUR,
    "only": ReasonCode.LEARNT_ONLY,
    "answered": ReasonCode.LEARNT_ANSWERED,
    "sooner": ReasonCode.LEARNT_SOONER,
    "ahead": ReasonCode.LEARNT_AHEAD,
    "rested": ReasonCode.LEARNT_RESTED,
    "second": ReasonCode.LEARNT_SECOND,
}
