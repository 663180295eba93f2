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
        calls_in_period=draw(st.integers(1, 5)),
        calls_in_all=draw(st.integers(2, 12)),
        contacts_in_period=draw(st.integers(1, 8)),
        soft_refusal=timedelta(days=draw(st.sampled_from([7, 60]))),
        guardian_attempts=draw(st.frozensets(st.integers(1, 8), max_size=4)),
        calls_adult_guardians=draw(st.booleans()),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Policies over all of the above, with plain rotation."""
    return Policy(draw(calling_hours()), draw(limits()))


@st.composite
def person_states(draw: st.DrawFn, policy: Policy, now: datetime) -> PersonState:
    """A person whose numbers, household and history may have any shape that ends before `now`."""
    zone = draw(zones)
    number_ids = draw(st.lists(st.integers(1, 9), max_size=4, unique=True))
    history = past_attempts(policy, zone, now, number_ids)
    attempts = tuple(draw(st.lists(history, max_size=9))) if number_ids else ()
    return PersonState(
        person_id=draw(st.integers(1, 10**6)),
        zone=zone,
        attempts=attempts,
        numbers=tuple(draw(number_states(number_id, attempts, now)) for number_id in number_ids),
        opened_at=draw(st.none() | moments_before(now, 300)),
        eighteen_on=draw(st.none() | days),
        opposed=draw(st.sampled_from([False] * 9 + [True])),
        pause_until=draw(st.none() | st.integers(-30, 90).map(lambda d: now + timedelta(days=d))),
        messages=tuple(sorted(draw(st.lists(moments_before(now, 60), max_size=3)))),
        ever_reached=draw(st.booleans()),
    )


@st.composite
def past_attempts(
    draw: st.DrawFn, policy: Policy, zone: ZoneInfo, now: datetime, number_ids: list[int]
) -> PastAttempt:
    """A call of the last months, mostly inside a block as calls are."""
    at = draw(moments_before(now, 90 if draw(st.booleans()) else 3))
    block = next(iter(policy.hours.blocks_from(at, zone, days=8)), None)
    if block is not None and block.start + timedelta(minutes=5) < now and not draw(st.booleans()):
        at = max(at, block.start)
    inside = policy.hours.block_at(at, zone)
    return PastAttempt(
        at=at,
        number_id=draw(st.sampled_from(number_ids)),
        kind=draw(st.sampled_from([*RetryKind, RetryKind.NO_ANSWER, RetryKind.BUSY, None])),
        slot=inside.slot if inside else None,
        local_date=at.astimezone(zone).date(),
        promised=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def number_states(
    draw: st.DrawFn, number_id: int, attempts: tuple[PastAttempt, ...], now: datetime
) -> NumberState:
    """A number with the person's own calls on it, and sometimes a sibling's."""
    own = [a.at for a in attempts if a.number_id == number_id and a.counts]
    others = draw(st.lists(moments_before(now, 40), max_size=2))
    usable = draw(st.sampled_from([True] * 4 + [False]))
    return NumberState(
        number_id=number_id,
        owner=draw(st.sampled_from([Owner.YOUNG_PERSON, Owner.YOUNG_PERSON, Owner.GUARDIAN, Owner.OTHER])),
        usable=usable,
        why_not=None if usable else "wrong",
        opted_out=draw(st.sampled_from([False] * 6 + [True])),
        calls=tuple(sorted([*own, *others])),
    )


def moments_before(now: datetime, days_back: int) -> st.SearchStrategy[datetime]:
    """Instants up to `days_back` days before `now`, to the minute."""
    return st.integers(1, days_back * 24 * 60).map(lambda back: now - timedelta(minutes=back))
