"""Hypothesis strategies that more than one feature uses: calendars, policies and histories of calls."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from callcentre.dispositions import RetryKind
from callcentre.retry.limits import Limits
from callcentre.retry.policy import Policy
from callcentre.retry.slots import Span
from callcentre.retry.state import NumberState, Owner, PastAttempt, PersonState
from callcentre.retry.windows import CallingHours

ZONES = tuple(
    ZoneInfo(key)
    for key in ("Europe/Paris", "Indian/Reunion", "America/Martinique", "America/Miquelon", "Pacific/Noumea")
)
FIRST_MOMENT = datetime(2026, 1, 5, tzinfo=UTC)
LAST_MOMENT = datetime(2028, 1, 5, tzinfo=UTC)

zones = st.sampled_from(ZONES)
minutes = st.integers(0, int((LAST_MOMENT - FIRST_MOMENT) / timedelta(minutes=1)))
moments = minutes.map(lambda count: FIRST_MOMENT + timedelta(minutes=count))
days = st.dates(FIRST_MOMENT.date(), LAST_MOMENT.date())

_seldom = st.sampled_from([False, False, False, True])
_USUAL_RESULTS = (RetryKind.NO_ANSWER,) * 8 + (RetryKind.BUSY, RetryKind.TECHNICAL) * 2

_number_ids: st.SearchStrategy[list[int]] = st.sampled_from([[1], [1, 2], [1, 2, 3], [4, 1, 2, 3], []])

_WHOLE_DAY: tuple[Span, ...] = ((time(10), time(13)), (time(14), time(20)))
_DAYS: tuple[tuple[Span, ...], ...] = (
    _WHOLE_DAY,
    ((time(10), time(13)),),
    ((time(14), time(20)),),
    ((time(11), time(12, 30)), (time(16), time(18))),
)


@st.composite
def calling_hours(draw: st.DrawFn) -> CallingHours:
    """Usual and unusual weeks, with or without Saturday, with days closed."""
    closed = frozenset(draw(st.lists(days, max_size=5)))
    weekdays = draw(st.sampled_from(_DAYS)) if draw(st.booleans()) else _WHOLE_DAY
    saturday = ((time(10), time(13)),) if draw(st.booleans()) else ()
    return CallingHours.of(weekdays=weekdays, saturday=saturday, closed_days=closed)


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    """Stricter and looser caps than the default."""
    return Limits(
        calls_per_day=draw(st.integers(1, 2)),
        calls_in_period=draw(st.integers(2, 6)),
        calls_in_all=draw(st.integers(4, 12)),
        contacts_in_period=draw(st.integers(3, 8)),
        soft_refusal=timedelta(days=draw(st.sampled_from([7, 60]))),
        guardian_attempts=draw(st.frozensets(st.integers(1, 8), max_size=4)),
        calls_adult_guardians=draw(st.booleans()),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Policies over all of the above, with plain rotation."""
    return Policy(draw(calling_hours()), draw(limits()))


@st.composite
def situations(draw: st.DrawFn) -> tuple[PersonState, Policy, datetime]:
    """A person, a policy and an instant, which is mostly one at which calling is open in Paris."""
    policy, now = draw(policies()), draw(moments)
    if not draw(_seldom):
        opening = policy.hours.next_opening(now, ZONES[0])
        now = (opening or now) + timedelta(minutes=draw(st.integers(0, 300)))
    return draw(person_states(policy, now)), policy, now


@st.composite
def person_states(draw: st.DrawFn, policy: Policy, now: datetime) -> PersonState:
    """A person whose numbers, household and history may have any shape that ends before `now`."""
    zone = draw(zones)
    number_ids = draw(_number_ids)
    history = past_attempts(policy, zone, now, number_ids)
    attempts = tuple(draw(st.lists(history, max_size=9))) if number_ids else ()
    if draw(_seldom) and number_ids:
        attempts = (*attempts, draw(past_attempts(policy, zone, now, number_ids, hours_back=2)))
    return PersonState(
        person_id=draw(st.integers(1, 10**6)),
        zone=zone,
        attempts=attempts,
        numbers=tuple(draw(number_states(number_id, attempts, now)) for number_id in number_ids),
        opened_at=draw(st.none() | moments_before(now, 300 * 24)),
        eighteen_on=draw(st.none() | days),
        opposed=draw(_seldom) and draw(_seldom),
        pause_until=now + timedelta(days=draw(st.integers(-30, 90))) if draw(_seldom) else None,
        messages=tuple(sorted(draw(st.lists(moments_before(now, 60 * 24), max_size=3)))),
        ever_reached=draw(st.booleans()),
    )


@st.composite
def past_attempts(
    draw: st.DrawFn,
    policy: Policy,
    zone: ZoneInfo,
    now: datetime,
    number_ids: list[int],
    *,
    hours_back: int = 90 * 24,
) -> PastAttempt:
    """A call of the last hours, days or months, mostly inside a block as calls are."""
    at = draw(moments_before(now, hours_back))
    block = next(policy.hours.blocks_from(at, zone, days=8), None)
    if block is not None and block.start < now and not draw(_seldom):
        at = max(at, block.start)
    inside = policy.hours.block_at(at, zone)
    return PastAttempt(
        at=at,
        number_id=draw(st.sampled_from(number_ids)),
        kind=draw(st.sampled_from([*_USUAL_RESULTS, *RetryKind, None])),
        slot=inside.slot if inside else None,
        local_date=at.astimezone(zone).date(),
        promised=draw(_seldom),
    )


@st.composite
def number_states(
    draw: st.DrawFn, number_id: int, attempts: tuple[PastAttempt, ...], now: datetime
) -> NumberState:
    """A number with the person's own calls on it, and sometimes a sibling's."""
    own = [a.at for a in attempts if a.number_id == number_id and a.counts]
    others = draw(st.lists(moments_before(now, 40 * 24), max_size=2)) if draw(_seldom) else []
    usable = not draw(_seldom)
    return NumberState(
        number_id=number_id,
        owner=draw(st.sampled_from([Owner.YOUNG_PERSON, Owner.YOUNG_PERSON, Owner.GUARDIAN, Owner.OTHER])),
        usable=usable,
        why_not=None if usable else "wrong",
        opted_out=draw(_seldom) and draw(_seldom),
        calls=tuple(sorted([*own, *others])),
    )


def moments_before(now: datetime, hours_back: int) -> st.SearchStrategy[datetime]:
    """Instants up to `hours_back` hours before `now`, to the minute."""
    return st.integers(1, hours_back * 60).map(lambda back: now - timedelta(minutes=back))
