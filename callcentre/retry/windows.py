"""When calling is allowed: windows, public holidays, and the blocks into which a day is cut.

Everything is computed in the young person's zone and handed out in UTC. A *block* is one stretch of a slot on
a date: midday (12-13 and 14-15) gives two blocks with the same slot and date, so that a block never spans a
closed hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

import holidays

from callcentre.retry.slots import SATURDAY, USUAL_SLOTS, Slot, Span, slots_of
from callcentre.retry.zones import HOLIDAY_SUBDIVISIONS

USUAL_DAY: tuple[Span, ...] = ((time(10), time(13)), (time(14), time(20)))
"""Monday to Friday, the windows of French decree 2022-1313 (art. D. 223-9 of the consumer code)."""
USUAL_SATURDAY: tuple[Span, ...] = ((time(10), time(13)),)

_DAY = timedelta(days=1)
_SEARCH_DAYS = 366


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a slot on a local date; `start` (included) and `end` (excluded) are aware UTC."""

    slot: Slot
    date: date
    start: datetime
    end: datetime


@dataclass(frozen=True, eq=False)
class CallingHours:
    """A programme's calling windows per ISO weekday, its slots and the days on which it is closed.

    `windows`: 1 (Monday) to 6 (Saturday) -> local spans; a missing day is closed. `closed_days` add to the
    public holidays. Raises ValueError when spans are out of order, when an hour of a window belongs to no slot,
    or when the holidays of the country are not known.
    """

    windows: Mapping[int, tuple[Span, ...]]
    slots: Mapping[Slot, tuple[Span, ...]] = field(default_factory=lambda: USUAL_SLOTS)
    closed_days: frozenset[date] = frozenset()
    country: str = "FR"
    _patterns: dict[tuple[date, str], tuple[Block, ...]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        _check_country(self.country)
        for isoweekday, spans in self.windows.items():
            _check_spans(spans, f"weekday {isoweekday}")
            pieces = tuple((start, end) for _, start, end in self._pieces(isoweekday))
            _check_spans(pieces, f"weekday {isoweekday}, slots")
            if sum(map(_length, pieces), timedelta()) != sum(map(_length, spans), timedelta()):
                raise ValueError(f"weekday {isoweekday}: a calling hour belongs to no slot")

    @classmethod
    def of(
        cls,
        *,
        weekdays: Sequence[Span] = USUAL_DAY,
        saturday: Sequence[Span] = (),
        slots: Mapping[Slot, tuple[Span, ...]] = USUAL_SLOTS,
        closed_days: Iterable[date] = (),
        country: str = "FR",
    ) -> CallingHours:
        """The same windows from Monday to Friday, and Saturday's when it is open."""
        windows = dict.fromkeys(range(1, SATURDAY), tuple(weekdays)) | {SATURDAY: tuple(saturday)}
        return cls(windows, slots=slots, closed_days=frozenset(closed_days), country=country)

    @cached_property
    def weekday_slots(self) -> frozenset[Slot]:
        """The slots that open from Monday to Friday: those that a cycle of attempts must cover."""
        return frozenset(slot for day in range(1, SATURDAY) for slot, _, _ in self._pieces(day))

    @cached_property
    def open_slots(self) -> frozenset[Slot]:
        """Every slot that opens in a usual week."""
        return frozenset(slot for day in range(1, SATURDAY + 1) for slot, _, _ in self._pieces(day))

    @cached_property
    def open_weekdays(self) -> frozenset[int]:
        """ISO weekdays on which anything opens in a usual week."""
        return frozenset(day for day in range(1, SATURDAY + 1) if self._pieces(day))

    def is_closed(self, day: date, zone: ZoneInfo) -> bool:
        """True on a public holiday of the zone and on the programme's own closed days."""
        return day in self.closed_days or day in _public_holidays(self.country, zone.key, day.year)

    def pattern_on(self, day: date, zone: ZoneInfo) -> tuple[Block, ...]:
        """The blocks that the weekday would have, were it not closed; `blocks_on` is what callers want."""
        key = (day, zone.key)
        blocks = self._patterns.get(key)
        if blocks is None:
            blocks = self._patterns[key] = tuple(
                Block(slot, day, _utc(day, start, zone), _utc(day, end, zone))
                for slot, start, end in self._pieces(day.isoweekday())
            )
        return blocks

    def blocks_on(self, day: date, zone: ZoneInfo) -> tuple[Block, ...]:
        """The blocks of a local date, in order; none when it is closed."""
        return () if self.is_closed(day, zone) else self.pattern_on(day, zone)

    def blocks_from(self, moment: datetime, zone: ZoneInfo, *, days: int) -> Iterator[Block]:
        """The blocks that end after `moment`, in order, over `days` local dates from that of `moment` on."""
        first = moment.astimezone(zone).date()
        for offset in range(days):
            for block in self.blocks_on(first + offset * _DAY, zone):
                if block.end > moment:
                    yield block

    def block_at(self, moment: datetime, zone: ZoneInfo) -> Block | None:
        """The block that holds `moment`, or None when calling is closed."""
        day = moment.astimezone(zone).date()
        return next((b for b in self.blocks_on(day, zone) if b.start <= moment < b.end), None)

    def is_open(self, moment: datetime, zone: ZoneInfo) -> bool:
        """True when a call may start at `moment`."""
        return self.block_at(moment, zone) is not None

    def next_opening(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """`moment` when calling is open, else when it next opens; None if it does not within a year."""
        block = next(self.blocks_from(moment, zone, days=_SEARCH_DAYS), None)
        return max(block.start, moment) if block else None

    def nearest_open(
        self,
        moment: datetime,
        zone: ZoneInfo,
        *,
        not_before: datetime,
        margin: timedelta = timedelta(minutes=10),
    ) -> datetime | None:
        """The time to promise: `moment` when open, else the nearest open one at or after `not_before`.

        A promise moved back to the end of a window is set `margin` before it, so that it can still be kept.
        """
        if moment >= not_before and self.is_open(moment, zone):
            return moment
        after = self.next_opening(max(moment, not_before), zone)
        before = self._last_open_before(moment, zone, margin)
        if before is None or before < not_before or not self.is_open(before, zone):
            return after
        return after if after is not None and after - moment < moment - before else before

    def _last_open_before(self, moment: datetime, zone: ZoneInfo, margin: timedelta) -> datetime | None:
        day = moment.astimezone(zone).date()
        for offset in range(_SEARCH_DAYS):
            ended = [b for b in self.blocks_on(day - offset * _DAY, zone) if b.end <= moment]
            if ended:
                return max(ended[-1].start, ended[-1].end - margin)
        return None

    def _pieces(self, isoweekday: int) -> list[tuple[Slot, time, time]]:
        """The weekday's windows cut by the slots, in order."""
        pieces = [
            (slot, max(opens, start), min(closes, end))
            for opens, closes in self.windows.get(isoweekday, ())
            for slot in slots_of(isoweekday)
            for start, end in self.slots.get(slot, ())
            if max(opens, start) < min(closes, end)
        ]
        return sorted(pieces, key=lambda piece: piece[1])


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which a local date begins."""
    return _utc(day, time(), zone)


@lru_cache(maxsize=512)
def _public_holidays(country: str, zone: str, year: int) -> frozenset[date]:
    subdivision = HOLIDAY_SUBDIVISIONS.get(zone) if country == "FR" else None
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))


def _utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def _length(span: Span) -> timedelta:
    start, end = span
    return datetime.combine(date.min, end) - datetime.combine(date.min, start)


def _check_country(country: str) -> None:
    try:
        _public_holidays(country, "", date.min.year)
    except NotImplementedError as error:
        raise ValueError(f"the public holidays of {country!r} are not known") from error


def _check_spans(spans: tuple[Span, ...], where: str) -> None:
    edges = [edge for span in spans for edge in span]
    if any(start >= end for start, end in spans) or edges != sorted(edges):
        raise ValueError(f"{where}: hours must follow one another, each from before until")
