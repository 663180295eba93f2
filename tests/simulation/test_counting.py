"""Counting a year: violations recounted from calls alone, intervals, differences with the same luck."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from callcentre.retry.policy import policy_of
from callcentre.retry.slots import Slot
from callcentre.simulation.figures import ArmFigures, Interval, figures
from callcentre.simulation.population import Line
from callcentre.simulation.record import Made, Year, violations
from tests.simulation.ground import programme

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 11, 23, 10, 30, tzinfo=PARIS)
DAY = timedelta(days=1)


def _call(
    at: datetime, slot: Slot, *, answered: bool = False, promised: bool = False, repeated: bool = False
) -> Made:
    return Made(
        1, at, slot, Line.OWN, contact=answered, answered=answered, promised=promised, repeated=repeated
    )


def _broken(*calls: Made, openings: tuple[datetime, ...] = ()) -> dict[str, int]:
    house = programme()
    found = violations(calls, house, policy_of(house).hours, {1: openings})
    return {name: count for name, count in found.items() if count}


def test_calls_at_other_hours_of_other_days_break_nothing() -> None:
    assert not _broken(
        _call(MONDAY, Slot.MORNING),
        _call(MONDAY + DAY + timedelta(hours=8), Slot.EVENING),
        _call(MONDAY + 2 * DAY + timedelta(hours=2), Slot.MIDDAY),
        _call(MONDAY + 3 * DAY + timedelta(hours=5), Slot.AFTERNOON),
    )


def test_the_same_slot_or_weekday_is_found() -> None:
    assert _broken(_call(MONDAY, Slot.MORNING), _call(MONDAY + DAY, Slot.MORNING)) == {"slot": 1}
    assert _broken(
        _call(MONDAY, Slot.MORNING), _call(MONDAY + 7 * DAY + timedelta(hours=8), Slot.EVENING)
    ) == {"weekday": 1}


def test_two_calls_a_day_are_found_unless_one_repeats_a_busy_line() -> None:
    later = MONDAY + timedelta(minutes=30)
    assert _broken(_call(MONDAY, Slot.MORNING), _call(later, Slot.MORNING)) == {"day": 1, "slot": 1}
    assert not _broken(_call(MONDAY, Slot.MORNING, repeated=True), _call(later, Slot.MORNING))


def test_promises_are_bound_by_the_hours_alone() -> None:
    answered = _call(MONDAY, Slot.MORNING, answered=True)
    assert not _broken(answered, _call(MONDAY + timedelta(hours=1), Slot.MORNING, promised=True))
    night = MONDAY.replace(hour=22)
    assert _broken(answered, _call(night, Slot.EVENING, promised=True)) == {"hours": 1}


def test_caps_are_counted_from_the_last_opening() -> None:
    slots = (Slot.MORNING, Slot.EVENING, Slot.MIDDAY, Slot.AFTERNOON)
    days = [MONDAY + timedelta(days=11 * n) for n in range(14)]
    calls = [_call(day, slots[n % 4]) for n, day in enumerate(days) if day.isoweekday() < 6][:9]
    assert len(calls) == 9
    assert _broken(*calls)["total"] == 1
    assert "total" not in _broken(*calls, openings=(calls[4].at,))


def test_four_calls_in_thirty_days_are_the_most() -> None:
    hours = ((Slot.MORNING, 0), (Slot.EVENING, 8), (Slot.MIDDAY, 2), (Slot.AFTERNOON, 5), (Slot.MORNING, 0))
    calls = [_call(MONDAY + n * DAY + timedelta(hours=at), slot) for n, (slot, at) in enumerate(hours)]
    assert _broken(*calls) == {"period": 1}


def _year(seed: int, contacts: int, calls: int) -> Year:
    return Year(
        arm="today",
        seed=seed,
        people=100,
        contacts=contacts,
        calls=calls,
        calls_before=calls,
        days_mean=10.0,
        days_median=9.0,
        segments={"all": (100, contacts)},
        slots={slot.value: calls // 5 for slot in Slot},
        room={slot.value: calls for slot in Slot},
        violations={"slot": 0},
        ends={"open": 100 - contacts, "appointment": contacts},
        months=(contacts,),
    )


def test_an_interval_is_students_and_one_year_has_none() -> None:
    assert Interval.of([4.0]) == Interval(4.0)
    found = Interval.of([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.low == pytest.approx(2.0 - 4.30 / 3**0.5)
    assert found.is_above_nothing is None
    assert Interval.of([5.0, 5.1, 5.2]).is_above_nothing is True
    assert Interval.of([-5.0, -5.1]).is_above_nothing is False


def test_arms_are_compared_year_by_year() -> None:
    first = [_year(1, 40, 400), _year(2, 80, 400)]
    other = [_year(1, 44, 400), _year(2, 88, 400)]
    found = figures(other, first)
    assert found.more_contacts.mean == found.more_contacts.low == pytest.approx(0.1)
    assert found.fewer_calls.mean == pytest.approx(1 / 1.1 - 1)
    assert found.rate.mean == pytest.approx(0.66)
    assert found.load["morning"] == pytest.approx(0.2)
    assert found.ends["open"] == pytest.approx(0.34)
    assert found.months == [pytest.approx(0.66)]
    assert ArmFigures.from_json(found.as_json()) == found
    assert Year.from_json(first[0].as_json()) == first[0]
