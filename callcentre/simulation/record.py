"""What came of one played year: the calls that were made, counted afresh; pure.

The violations are recounted from the calls alone, by the programme's numbers and without the rules that planned them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from statistics import mean, median
from typing import Any, Self

from callcentre.programmes import PERIOD, Programme
from callcentre.retry.slots import Slot
from callcentre.retry.windows import CallingHours
from callcentre.simulation.population import Line, Someone

VIOLATIONS = ("hours", "day", "period", "total", "slot", "weekday")
"""House rules that are checked."""
_QUICK = timedelta(minutes=75)
"""A repeat this soon after a busy or failed call is the quick retry, outside the day's count."""


@dataclass(frozen=True, slots=True)
class Made:
    """A call as it was made; `line` None: the young person rang us."""

    person: int
    at: datetime
    slot: Slot | None
    line: Line | None
    contact: bool
    answered: bool
    """The young person settled what comes next; a parent or a stranger leaves the call unanswered."""
    promised: bool = False
    repeated: bool = False
    """The line was busy or failed: one repeat within the hour is permitted."""


@dataclass(frozen=True)
class Year:
    """The figures of one arm under one seed."""

    arm: str
    seed: int
    people: int
    """People whose list came before the end."""
    contacts: int
    calls: int
    calls_before: int
    """Those of them that were made to people not yet contacted; the others follow a contact up."""
    days_mean: float
    """From the list's arrival to the first contact, among the contacted."""
    days_median: float
    segments: dict[str, tuple[int, int]]
    """(people, contacted) by segment."""
    slots: dict[str, int]
    """Calls made by slot."""
    room: dict[str, int]
    """Calls that the team could have made by slot."""
    violations: dict[str, int]
    ends: dict[str, int]
    """Where everybody stands at the end, by reason; `open`: still to be called."""
    months: tuple[int, ...] = ()
    """People contacted for the first time in each 30 days."""
    details: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Part of the people who were contacted."""
        return self.contacts / max(1, self.people)

    @property
    def calls_per_contact(self) -> float:
        """Calls to people not yet contacted for each one who was."""
        return self.calls_before / max(1, self.contacts)

    @property
    def worst_segment(self) -> float:
        """The contacted part of the segment that fares worst, among segments of 20 people or more."""
        rates = [reached / people for people, reached in self.segments.values() if people >= 20]
        return min(rates, default=self.rate)

    @property
    def violated(self) -> int:
        """Calls that a house rule forbids."""
        return sum(self.violations.values())

    def as_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The figures that `as_json` wrote."""
        segments = {code: (people, reached) for code, (people, reached) in data["segments"].items()}
        return cls(**{**data, "segments": segments, "months": tuple(data["months"])})


def summarise(
    arm: str,
    seed: int,
    *,
    calls: Sequence[Made],
    people: Iterable[Someone],
    start: datetime,
    room: Mapping[Slot, float],
    ends: Mapping[str, int],
    house: Programme,
    hours: CallingHours,
    openings: Mapping[int, Sequence[datetime]] | None = None,
) -> Year:
    """Count a year; `house` is the programme whose rules the calls are checked against."""
    arrived = list(people)
    first: dict[int, datetime] = {}
    for call in calls:
        if call.contact:
            first.setdefault(call.person, call.at)
    days = [
        (first[one.index] - start) / timedelta(days=1) - one.arrives_on
        for one in arrived
        if one.index in first
    ]
    segments: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in arrived:
        segments[one.segment][0] += 1
        segments[one.segment][1] += one.index in first
    dialled = [call for call in calls if call.line is not None]
    counted = Counter(call.slot.value for call in dialled if call.slot is not None)
    months = Counter(max(0, (at - start) // PERIOD) for at in first.values())
    return Year(
        arm=arm,
        seed=seed,
        people=len(arrived),
        contacts=len(first),
        calls=len(dialled),
        calls_before=sum(call.person not in first or call.at <= first[call.person] for call in dialled),
        days_mean=mean(days) if days else 0.0,
        days_median=median(days) if days else 0.0,
        segments={code: (people, reached) for code, (people, reached) in sorted(segments.items())},
        slots={slot.value: counted[slot.value] for slot in Slot},
        room={slot.value: round(room.get(slot, 0)) for slot in Slot},
        violations=violations(calls, house, hours, openings),
        ends=dict(sorted(ends.items())),
        months=tuple(months[number] for number in range(max(months, default=-1) + 1)),
        details=_details(dialled, calls),
    )


def _details(dialled: Sequence[Made], calls: Sequence[Made]) -> dict[str, float]:
    return {
        "promised": sum(call.promised for call in dialled),
        "guardian": sum(call.line is Line.GUARDIAN for call in dialled),
        "found": sum(call.line is Line.FOUND for call in dialled),
        "rang_us": sum(call.line is None for call in calls),
    }


def violations(
    calls: Iterable[Made],
    house: Programme,
    hours: CallingHours,
    openings: Mapping[int, Sequence[datetime]] | None = None,
) -> dict[str, int]:
    """Calls that break a rule of the house, by rule; promised calls are bound by the hours alone.

    `openings`: when people were re-opened, by person; each gives a new total.
    """
    found = Counter(dict.fromkeys(VIOLATIONS, 0))
    of_person: dict[int, list[Made]] = defaultdict(list)
    for call in calls:
        of_person[call.person].append(call)
    for person, made in of_person.items():
        found.update(_broken(made, house, hours, (openings or {}).get(person, ())))
    return dict(found)


def _broken(
    made: Sequence[Made], house: Programme, hours: CallingHours, openings: Sequence[datetime]
) -> Iterator[str]:
    """The rules that one person's calls broke, in order of time."""
    counted: list[Made] = []
    tried: set[Slot] = set()
    last: Made | None = None
    for call in made:
        if call.line is not None:
            if not hours.is_open(call.at, house.tz):
                yield "hours"
            if not call.promised:
                yield from _too_many(call, counted, openings, house)
                if last is None or not (last.repeated and call.at - last.at <= _QUICK):
                    yield from _too_alike(call, last, counted, tried, house)
            if not (call.promised and call.answered):
                counted.append(call)
        if not call.answered and call.slot is not None:
            tried.add(call.slot)
            if hours.weekday_slots <= tried:
                tried.clear()
        last = call


def _too_many(
    call: Made, counted: Sequence[Made], openings: Sequence[datetime], house: Programme
) -> Iterator[str]:
    """More than the total since the last opening, more than the cap of thirty days."""
    opened = max((at for at in openings if at <= call.at), default=None)
    if sum(opened is None or one.at >= opened for one in counted) >= house.limits.calls_in_all:
        yield "total"
    if sum(one.at > call.at - PERIOD for one in counted) >= house.limits.calls_per_30_days:
        yield "period"


def _too_alike(
    call: Made, last: Made | None, counted: Sequence[Made], tried: set[Slot], house: Programme
) -> Iterator[str]:
    """The same day, the same slot, the same weekday as before."""
    day = call.at.astimezone(house.tz).date()
    if sum(one.at.astimezone(house.tz).date() == day for one in counted) >= house.limits.calls_per_day:
        yield "day"
    unanswered = last is not None and not last.answered
    if call.slot in tried or (last is not None and unanswered and last.slot == call.slot):
        yield "slot"
    before = last.at.astimezone(house.tz).date() if last is not None else None
    if unanswered and before is not None and before != day and before.isoweekday() == day.isoweekday():
        yield "weekday"
