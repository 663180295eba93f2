"""The five classes of hours, and how the usual week is cut into them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from enum import StrEnum

Span = tuple[time, time]
"""From (included) and until (excluded), in local time of one day."""


class Slot(StrEnum):
    """A class of hours; "another slot" means another one of these."""

    MORNING = "morning"
    MIDDAY = "midday"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    SATURDAY = "saturday"


USUAL_SLOTS: Mapping[Slot, tuple[Span, ...]] = {
    Slot.MORNING: ((time(10), time(12)),),
    Slot.MIDDAY: ((time(12), time(13)), (time(14), time(15))),
    Slot.AFTERNOON: ((time(15), time(17, 30)),),
    Slot.EVENING: ((time(17, 30), time(20)),),
    Slot.SATURDAY: ((time(10), time(13)),),
}
"""Local hours of each slot; Saturday's hold on Saturdays only, the others from Monday to Friday."""

SATURDAY = 6
"""ISO number of the weekday."""


def slots_of(isoweekday: int) -> frozenset[Slot]:
    """The slots that can exist on a weekday (1 is Monday): none on Sunday."""
    if isoweekday < SATURDAY:
        return frozenset(Slot) - {Slot.SATURDAY}
    return frozenset({Slot.SATURDAY}) if isoweekday == SATURDAY else frozenset()
