"""What came of one played year: the calls that were made, counted afresh; pure.

The violations are recounted from the calls alone, by the programme's numbers and without the rules that planned them.
What a simulation does not play is not recounted: nobody shares a number, so that the caps of a number are those of its
person; no messages are sent, so that the cap of calls and messages together is not met; nobody sets a pause.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from statistics import mean, median
from typing import Any, Self

from callcentre.dispositions import RetryKind
from callcentre.programmes import PERIOD, Programme
from callcentre.retry.slots import Slot
from callcentre.retry.windows import CallingHours
from callcentre.simulation.population import Line, Someone

VIOLATIONS = (
    "hours",
    "day",
    "gap",
    "period",
    "total",
    "slot",
    "weekday",
    "repeat",
    "refusal",
    "opposition",
    "guardian",
)
"""House rules that are checked."""
_FAILED = (RetryKind.BUSY, RetryKind.TECHNICAL)
_ADULT_AGE = 18


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
    kind: RetryKind | None = None
    """What the result means for the next call."""


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
        violations=violations(
            calls, house, hours, openings, births={one.index: one.birth_date for one in arrived}
        ),
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
    births: Mapping[int, date] | None = None,
) -> dict[str, int]:
    """Calls that break a rule of the house, by rule; promises are not bound by the plan and its caps.

    `openings`: when people were re-opened, by person; each gives a new total. `births`: who is missing there is taken
    for an adult, as the rules do.
    """
    found = Counter(dict.fromkeys(VIOLATIONS, 0))
    of_person: dict[int, list[Made]] = defaultdict(list)
    for call in calls:
        of_person[call.person].append(call)
    for person, made in of_person.items():
        found.update(_broken(made, house, hours, (openings or {}).get(person, ())))
        found.update(_unwanted(made, house, (births or {}).get(person)))
    return dict(found)


def _unwanted(made: Sequence[Made], house: Programme, birth_date: date | None) -> Iterator[str]:
    """Calls of one person after a refusal, or to somebody who may not be called for them."""
    opposed, refused_at, stopped = False, None, set()
    for call in made:
        if call.line is not None:
            if opposed or call.line in stopped:
                yield "opposition"
            if call.line is Line.GUARDIAN and not house.limits.call_adult_guardians:
                day = call.at.astimezone(house.tz).date()
                if birth_date is None or _age(birth_date, day) >= _ADULT_AGE:
                    yield "guardian"
            pause = timedelta(days=house.limits.soft_refusal_days)
            if refused_at is not None and call.at < refused_at + pause and not call.promised:
                yield "refusal"
        if call.kind is RetryKind.OPPOSITION:
            opposed = True
        elif call.kind is RetryKind.GUARDIAN_REFUSAL:
            stopped.add(call.line)
        elif call.kind is RetryKind.SOFT_REFUSAL:
            refused_at = call.at


def _age(birth_date: date, day: date) -> int:
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (not had_birthday)


def _broken(
    made: Sequence[Made], house: Programme, hours: CallingHours, openings: Sequence[datetime]
) -> Iterator[str]:
    """The rules on how often and when that one person's calls broke, in order of time."""
    counted: list[Made] = []
    of_days: list[Made] = []
    tried: set[Slot] = set()
    last: Made | None = None
    was_repeat = False
    for call in made:
        if call.line is not None:
            if not hours.is_open(call.at, house.tz):
                yield "hours"
            follows = _follows_failed(call, last, house)
            is_repeat = follows and not was_repeat
            if not call.promised:
                yield from _too_many(call, counted, openings, house)
                if follows and (was_repeat or _is_hasty(call, last, house)):
                    yield "repeat"
                if not is_repeat:
                    yield from _too_alike(call, last, of_days, tried, house)
            if not (call.promised and call.answered):
                counted.append(call)
                of_days += [] if is_repeat else [call]
            was_repeat = is_repeat
        if not call.answered and call.slot is not None:
            tried.add(call.slot)
            if hours.weekday_slots <= tried:
                tried.clear()
        last = call


def _follows_failed(call: Made, last: Made | None, house: Programme) -> bool:
    """Whether a call comes so soon after a busy or failed one, on the same line, that it repeats it."""
    if last is None or last.kind not in _FAILED or last.line != call.line:
        return False
    return call.at - last.at <= timedelta(minutes=house.limits.quick_retry_minutes[1])


def _is_hasty(call: Made, last: Made | None, house: Programme) -> bool:
    return last is not None and call.at - last.at < timedelta(minutes=house.limits.quick_retry_minutes[0])


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
    call: Made, last: Made | None, of_days: Sequence[Made], tried: set[Slot], house: Programme
) -> Iterator[str]:
    """Too many on the day, too soon after another, the same slot, the same weekday as before."""
    day = call.at.astimezone(house.tz).date()
    today = [one for one in of_days if one.at.astimezone(house.tz).date() == day]
    if len(today) >= house.limits.calls_per_day:
        yield "day"
    before_it = last.at if last is not None and last.line is not None else None
    if (
        before_it is not None
        and before_it.astimezone(house.tz).date() == day
        and call.at - before_it < timedelta(hours=house.limits.gap_hours_same_day)
    ):
        yield "gap"
    unanswered = last is not None and not last.answered
    if call.slot in tried or (last is not None and unanswered and last.slot == call.slot):
        yield "slot"
    before = last.at.astimezone(house.tz).date() if last is not None else None
    if unanswered and before is not None and before != day and before.isoweekday() == day.isoweekday():
        yield "weekday"
