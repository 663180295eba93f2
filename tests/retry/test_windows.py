"""Windows, blocks, holidays and zones."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcentre.errors import ConfigurationError
from callcentre.programmes import load_programme
from callcentre.retry.limits import Limits
from callcentre.retry.policy import limits_of, policy_of
from callcentre.retry.slots import Slot
from callcentre.retry.windows import USUAL_SATURDAY, CallingHours
from callcentre.retry.zones import HOLIDAY_SUBDIVISIONS, zone_of
from tests import strategies

PARIS = ZoneInfo("Europe/Paris")
HOURS = CallingHours.of()
PROGRAMME = Path(__file__).parents[2] / "config" / "programmes" / "bouches-du-rhone.toml"


def paris(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), PARIS).astimezone(UTC)


WEDNESDAY = date(2026, 9, 9)


def test_a_weekday_has_its_blocks_with_midday_in_two_pieces() -> None:
    blocks = HOURS.blocks_on(WEDNESDAY, PARIS)
    assert [(b.slot, b.start.astimezone(PARIS).time(), b.end.astimezone(PARIS).time()) for b in blocks] == [
        (Slot.MORNING, time(10), time(12)),
        (Slot.MIDDAY, time(12), time(13)),
        (Slot.MIDDAY, time(14), time(15)),
        (Slot.AFTERNOON, time(15), time(17, 30)),
        (Slot.EVENING, time(17, 30), time(20)),
    ]


def test_saturday_opens_only_if_asked_and_sunday_never() -> None:
    saturday, sunday = date(2026, 9, 12), date(2026, 9, 13)
    assert HOURS.blocks_on(saturday, PARIS) == ()
    with_saturday = CallingHours.of(saturday=USUAL_SATURDAY)
    assert [block.slot for block in with_saturday.blocks_on(saturday, PARIS)] == [Slot.SATURDAY]
    assert with_saturday.blocks_on(sunday, PARIS) == ()


def test_the_eleven_public_holidays_and_the_programmes_own_are_closed() -> None:
    year = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    closed = [day for day in year if HOURS.is_closed(day, PARIS)]
    assert len(closed) == 11
    assert date(2026, 5, 14) in closed  # Ascension
    bridge = date(2026, 5, 15)
    assert not HOURS.is_closed(bridge, PARIS)
    assert CallingHours.of(closed_days=[bridge]).blocks_on(bridge, PARIS) == ()


def test_edges_belong_to_the_block_that_begins() -> None:
    assert not HOURS.is_open(paris(WEDNESDAY, 9, 59), PARIS)
    assert HOURS.is_open(paris(WEDNESDAY, 10), PARIS)
    noon = HOURS.block_at(paris(WEDNESDAY, 12), PARIS)
    assert noon is not None
    assert noon.slot is Slot.MIDDAY
    assert not HOURS.is_open(paris(WEDNESDAY, 13), PARIS)
    assert not HOURS.is_open(paris(WEDNESDAY, 20), PARIS)


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        (paris(WEDNESDAY, 11), paris(WEDNESDAY, 11)),
        (paris(WEDNESDAY, 13, 10), paris(WEDNESDAY, 12, 50)),
        (paris(WEDNESDAY, 13, 40), paris(WEDNESDAY, 14)),
        (paris(WEDNESDAY, 20, 30), paris(WEDNESDAY, 19, 50)),
        (paris(WEDNESDAY, 7), paris(WEDNESDAY, 10)),
        (paris(date(2026, 11, 11), 11), paris(date(2026, 11, 10), 19, 50)),
    ],
)
def test_a_promise_moves_to_the_nearest_open_time(asked: datetime, offered: datetime) -> None:
    assert HOURS.nearest_open(asked, PARIS, not_before=paris(date(2026, 9, 1), 10)) == offered


def test_a_promise_is_never_offered_in_the_past() -> None:
    asked = paris(WEDNESDAY, 20, 5)
    assert HOURS.nearest_open(asked, PARIS, not_before=asked) == paris(WEDNESDAY + timedelta(days=1), 10)


@settings(deadline=None)
@given(strategies.calling_hours(), strategies.moments, strategies.moments, strategies.zones)
def test_what_is_offered_for_a_promise_is_open_and_not_past(
    hours: CallingHours, asked: datetime, now: datetime, zone: ZoneInfo
) -> None:
    offered = hours.nearest_open(asked, zone, not_before=now)
    assert offered is not None
    assert offered >= now
    assert hours.is_open(offered, zone)
    assert (offered == asked) == (asked >= now and hours.is_open(asked, zone))


@settings(deadline=None)
@given(strategies.calling_hours(), strategies.moments, strategies.zones)
def test_blocks_come_in_order_apart_and_on_their_local_date(
    hours: CallingHours, moment: datetime, zone: ZoneInfo
) -> None:
    blocks = list(hours.blocks_from(moment, zone, days=15))
    assert all(block.start < block.end and block.end > moment for block in blocks)
    assert all(a.end <= b.start for a, b in itertools.pairwise(blocks))
    for block in blocks:
        last = block.end - timedelta(seconds=1)
        assert block.start.astimezone(zone).date() == last.astimezone(zone).date() == block.date
        assert hours.block_at(last, zone) == block
        assert not hours.is_closed(block.date, zone)


@given(st.sampled_from(sorted(HOLIDAY_SUBDIVISIONS)), st.integers(2024, 2032))
def test_every_overseas_calendar_is_known(zone: str, year: int) -> None:
    assert HOURS.is_closed(date(year, 7, 14), ZoneInfo(zone))


@pytest.mark.parametrize(
    ("postal_code", "zone"),
    [
        ("13001", "Europe/Paris"),
        ("20090", "Europe/Paris"),
        ("97110", "America/Guadeloupe"),
        ("97133", "America/St_Barthelemy"),
        ("97150", "America/Marigot"),
        ("97200", "America/Martinique"),
        ("97300", "America/Cayenne"),
        ("97400", "Indian/Reunion"),
        ("97500", "America/Miquelon"),
        ("97600", "Indian/Mayotte"),
        ("98600", "Pacific/Wallis"),
        ("98 714", "Pacific/Tahiti"),
        ("98800", "Pacific/Noumea"),
        ("", "Indian/Reunion"),
        (None, "Indian/Reunion"),
        ("ABCDE", "Indian/Reunion"),
        ("1300", "Indian/Reunion"),
        ("99100", "Indian/Reunion"),
    ],
)
def test_the_zone_comes_from_the_postal_code_else_from_the_programme(
    postal_code: str | None, zone: str
) -> None:
    assert zone_of(postal_code, ZoneInfo("Indian/Reunion")).key == zone


def test_hours_without_a_slot_or_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="no slot"):
        CallingHours.of(weekdays=((time(9), time(13)),))
    with pytest.raises(ValueError, match="follow"):
        CallingHours.of(weekdays=((time(14), time(20)), (time(10), time(13))))


def test_the_programmes_file_gives_the_usual_policy() -> None:
    programme = load_programme(PROGRAMME)
    policy = policy_of(programme)
    assert policy.limits == Limits() == limits_of(programme.limits)
    assert policy.hours.windows[1] == HOURS.windows[1]
    assert policy.hours.blocks_on(WEDNESDAY, PARIS) == HOURS.blocks_on(WEDNESDAY, PARIS)


def test_a_programme_with_hours_outside_its_slots_names_key_and_remedy() -> None:
    programme = load_programme(PROGRAMME)
    early = programme.model_copy(
        update={"hours": programme.hours.model_copy(update={"weekdays": ((time(8), time(13)),)})}
    )
    with pytest.raises(ConfigurationError, match="exactly one slot"):
        policy_of(early)
