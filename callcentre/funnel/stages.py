"""The rules of the funnel, pure: what entering a stage brings, what forbids it, what can be taken back.

By person, exits are within accompanied, accompanied within contacted, contacted within "to contact", and
their dates follow the same order. Side counters rest on a stage: a guardian reached says nothing of the young
person; "already in a solution" and "already accompanied" count as contacted and bar the stages that follow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """The four stages, then the side counters."""

    TO_CONTACT = "to_contact"
    CONTACTED = "contacted"
    ACCOMPANIED = "accompanied"
    POSITIVE_EXIT = "positive_exit"
    GUARDIAN_REACHED = "guardian_reached"
    ALREADY_IN_SOLUTION = "already_in_solution"
    ALREADY_ACCOMPANIED = "already_accompanied"


ORDER = (Stage.TO_CONTACT, Stage.CONTACTED, Stage.ACCOMPANIED, Stage.POSITIVE_EXIT)
"""The stages of the funnel, the widest first."""

SIDE = (Stage.GUARDIAN_REACHED, Stage.ALREADY_IN_SOLUTION, Stage.ALREADY_ACCOMPANIED)
"""The counters beside the funnel."""

ALREADY = frozenset({Stage.ALREADY_IN_SOLUTION, Stage.ALREADY_ACCOMPANIED})
"""People who count as contacted, are shown apart, and are never accompanied or exits of this programme."""

_BELOW: Mapping[Stage, Stage | None] = {
    Stage.TO_CONTACT: None,
    Stage.CONTACTED: Stage.TO_CONTACT,
    Stage.ACCOMPANIED: Stage.CONTACTED,
    Stage.POSITIVE_EXIT: Stage.ACCOMPANIED,
    Stage.GUARDIAN_REACHED: Stage.TO_CONTACT,
    Stage.ALREADY_IN_SOLUTION: Stage.CONTACTED,
    Stage.ALREADY_ACCOMPANIED: Stage.CONTACTED,
}


@dataclass(frozen=True, slots=True)
class Refused:
    """The stage cannot be entered because of `because`, which the person holds."""

    because: Stage


def requires(stage: Stage) -> tuple[Stage, ...]:
    """The stages that somebody in `stage` is in as well, the widest first."""
    below = _BELOW[stage]
    return () if below is None else (*requires(below), below)


def entering(stage: Stage, held: Collection[Stage]) -> tuple[Stage, ...] | Refused:
    """What to add for somebody who holds `held`: missing earlier stages, then `stage`; nothing if held.

    Somebody whom the programme accompanies already is not counted again as "already …" elsewhere.
    """
    if stage in held:
        return ()
    if stage in ALREADY and Stage.ACCOMPANIED in held:
        return ()
    if stage in (Stage.ACCOMPANIED, Stage.POSITIVE_EXIT):
        for other in SIDE:
            if other in ALREADY and other in held:
                return Refused(other)
    return tuple(needed for needed in (*requires(stage), stage) if needed not in held)


def taken_back(wanted: Iterable[Stage], held: Collection[Stage]) -> frozenset[Stage]:
    """Which of the `wanted` stages can be reversed: those that no other held stage rests on."""
    wanted = frozenset(wanted) & frozenset(held)
    kept = frozenset(held) - wanted
    needed = {below for stage in kept for below in requires(stage)}
    return wanted - needed


def is_nested(held: Collection[Stage]) -> bool:
    """Whether every held stage has those that it rests on."""
    return all(below in held for stage in held for below in requires(stage))
