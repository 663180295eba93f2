"""What the light simulation has learnt: the calls grouped by equal history, as the nightly refit takes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from callcentre.retry.learning import Group, SecondTally, refit
from callcentre.retry.profiles import NONE, SLOTS, Fit, History, first_fit
from callcentre.retry.slots import Slot
from callcentre.tuning import RetryTuning

_Key = tuple[str, tuple[int, ...], tuple[int, ...]]


@dataclass(slots=True)
class _Sums:
    """A person's, or a group's, calls by slot, weighed by their age."""

    people: int = 0
    missed: list[float] = field(default_factory=lambda: [0.0] * len(SLOTS))
    taken: list[float] = field(default_factory=lambda: [0.0] * len(SLOTS))

    def add(self, other: _Sums, sign: int) -> None:
        """Add, or with -1 take away."""
        self.people += sign * other.people
        for slot in range(len(SLOTS)):
            self.missed[slot] += sign * other.missed[slot]
            self.taken[slot] += sign * other.taken[slot]


@dataclass(slots=True)
class _Second:
    unanswered: float = 0.0
    answered: float = 0.0
    contacts: float = 0.0


class Lessons:
    """Learns from every call; `fit` is that of the last night."""

    def __init__(self, tuning: RetryTuning) -> None:
        self._tuning = tuning
        self._of_person: dict[int, tuple[_Key, _Sums]] = {}
        self._groups: dict[_Key, _Sums] = {}
        self._seconds = [_Second() for _ in SLOTS]
        self.fit: Fit = first_fit(tuning)

    def note(self, person: int, history: History, *, day: int, weighs: bool = True) -> None:
        """Take in what a person's calls show now, after a call on this day; `weighs`: an ordinary one."""
        key = (history.segment, history.unanswered, history.answered)
        before, sums = self._of_person.get(person, ((history.segment, NONE, NONE), _Sums(people=1)))
        if key == before:
            return
        group = self._groups.get(before)
        if group is not None and person in self._of_person:
            group.add(sums, -1)
            if group.people == 0:
                del self._groups[before]
        weight = self._weight(day) if weighs else 0.0
        for slot in range(len(SLOTS)):
            sums.missed[slot] += weight * (key[1][slot] - before[1][slot])
            sums.taken[slot] += weight * (key[2][slot] - before[2][slot])
        self._groups.setdefault(key, _Sums()).add(sums, +1)
        self._of_person[person] = (key, sums)

    def note_second(self, slot: Slot, *, answered: bool, day: int) -> None:
        """Take in a call to a second number."""
        second = self._seconds[SLOTS.index(slot)]
        if answered:
            second.answered += self._weight(day)
        else:
            second.unanswered += self._weight(day)

    def note_contact_by_second(self, slot: Slot, *, day: int) -> None:
        """Take in that a second number, answered in this slot, led to the young person."""
        self._seconds[SLOTS.index(slot)].contacts += self._weight(day)

    def night(self, today: date, *, day: int) -> Fit:
        """Refit, and return what holds from now on."""
        scale = self._weight(day)
        groups = [
            Group(
                segment,
                unanswered,
                answered,
                sums.people,
                tuple(value / scale for value in sums.missed),
                tuple(value / scale for value in sums.taken),
            )
            for (segment, unanswered, answered), sums in self._groups.items()
        ]
        seconds = [
            SecondTally(slot, second.unanswered / scale, second.answered / scale, second.contacts / scale)
            for slot, second in enumerate(self._seconds)
        ]
        self.fit = refit(self.fit, groups, seconds, tuning=self._tuning, today=today)
        return self.fit

    def _weight(self, day: int) -> float:
        return float(2 ** (day / self._tuning.half_life_days))
