"""Counting a year: violations recounted from calls alone, intervals, differences with the same luck."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from callcentre.dispositions import RetryKind
from callcentre.retry.policy import policy_of
from callcentre.retry.slots import Slot
from callcentre.simulation.figures import ArmFigures, Interval, figures
from callcentre.simulation.population import Line
from callcentre.simulation.record import VIOLATIONS, Made, Year, violations
from callcentre.simulation.words import rule
from tests.simulation.ground import programme

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 11, 23, 10, 30, tzinfo=PARIS)
DAY = timedelta(days=1)


def _call(
    at: datetime,
    slot: Slot,
    *,
    line: Line = Line.OWN,
    answered: bool = False,
    promised: bool = False,
    kind: RetryKind | None = None,
) -> Made:
    return Made(1, at, slot, line, contact=answered, answered=answered, promised=promised, kind=kind)


def _broken(
    *calls: Made,
    openings: tuple[datetime, ...] = (),
    born: date = date(2009, 5, 17),
    per_day: int = 1,
    adults: bool = False,
) -> dict[str, int]:
    house = programme()
    limits = {"calls_per_day": per_day, "call_adult_guardians": adults}
    house = house.model_copy(update={"limits": house.limits.model_copy(update=limits)})
    found = violations(calls, house, policy_of(house).hours, {1: openings}, {1: born})
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
    assert _broken(_call(MONDAY, Slot.MORNING), _call(later, Slot.MORNING)) == {"day": 1, "gap": 1, "slot": 1}
    assert not _broken(_call(MONDAY, Slot.MORNING, kind=RetryKind.BUSY), _call(later, Slot.MORNING))


def test_two_calls_of_a_day_are_two_hours_apart_where_two_are_allowed() -> None:
    first, noon = _call(MONDAY, Slot.MORNING), MONDAY + timedelta(minutes=100)
    assert _broken(first, _call(noon, Slot.MIDDAY), per_day=2) == {"gap": 1}
    assert not _broken(first, _call(noon + timedelta(minutes=20), Slot.MIDDAY), per_day=2)


def test_a_busy_line_is_repeated_once_and_not_at_once() -> None:
    busy = [_call(MONDAY + n * timedelta(minutes=20), Slot.MORNING, kind=RetryKind.BUSY) for n in range(3)]
    assert not _broken(*busy[:2])
    assert _broken(*busy) == {"repeat": 1, "day": 1, "gap": 1, "slot": 1}
    hasty = _call(MONDAY + timedelta(minutes=10), Slot.MORNING)
    assert _broken(busy[0], hasty) == {"repeat": 1}
    elsewhere = _call(MONDAY + timedelta(minutes=20), Slot.MORNING, line=Line.FOUND)
    assert _broken(busy[0], elsewhere) == {"day": 1, "gap": 1, "slot": 1}


def test_a_repeat_of_a_busy_line_is_outside_the_days_count() -> None:
    calls = (
        _call(MONDAY, Slot.MORNING, kind=RetryKind.BUSY),
        _call(MONDAY + timedelta(minutes=30), Slot.MORNING),
        _call(MONDAY + timedelta(hours=8), Slot.EVENING),
    )
    assert not _broken(*calls, per_day=2)
    assert _broken(*calls) == {"day": 1}


def test_calls_within_sixty_days_of_a_soft_refusal_are_found() -> None:
    refused = _call(MONDAY, Slot.MORNING, answered=True, kind=RetryKind.SOFT_REFUSAL)
    evening = MONDAY + timedelta(hours=8)
    assert _broken(refused, _call(evening + 59 * DAY, Slot.EVENING)) == {"refusal": 1}
    assert not _broken(refused, _call(evening + 60 * DAY, Slot.EVENING))
    assert not _broken(refused, _call(evening + 2 * DAY, Slot.EVENING, promised=True))


@pytest.mark.parametrize("promised", [False, True])
def test_any_call_after_an_opposition_is_found(promised: bool) -> None:
    opposed = _call(MONDAY, Slot.MORNING, answered=True, kind=RetryKind.OPPOSITION)
    later = MONDAY + 100 * DAY + timedelta(hours=5)
    assert _broken(opposed, _call(later, Slot.AFTERNOON, promised=promised)) == {"opposition": 1}


def test_a_call_on_a_guardians_number_that_refused_is_found() -> None:
    refused = _call(MONDAY, Slot.MORNING, line=Line.GUARDIAN, kind=RetryKind.GUARDIAN_REFUSAL)
    evening = MONDAY + DAY + timedelta(hours=8)
    assert _broken(refused, _call(evening, Slot.EVENING, line=Line.GUARDIAN)) == {"opposition": 1}
    assert not _broken(refused, _call(evening, Slot.EVENING))


def test_a_call_to_an_adults_guardian_is_found() -> None:
    call = _call(MONDAY, Slot.MORNING, line=Line.GUARDIAN, promised=True)
    assert _broken(call, born=date(2008, 11, 23)) == {"guardian": 1}
    assert not _broken(call, born=date(2008, 11, 24))
    assert not _broken(call, born=date(2008, 11, 23), adults=True)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_rule_that_is_recounted_has_a_name(language: str) -> None:
    assert len({rule(name, language) for name in VIOLATIONS}) == len(VIOLATIONS)


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
