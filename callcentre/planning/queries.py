"""What pages and the API read of the learnt numbers, with what they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.accounts.models import User
from callcentre.planning.fits import used
from callcentre.planning.models import (
    BlockRecord,
    RetryFit,
    RetryLearning,
    SlotLoad,
)
from callcentre.programmes import Programme
from callcentre.retry.profiles import SLOTS, Fit, History, chances, first_fit, interval
from callcentre.retry.waiting import Load, queue_days

VERSIONS_SHOWN = 30
BLOCKS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Chance:
    """A rate with its 95 % interval and the calls (faded or plain) that it rests on."""

    rate: float
    low: float
    high: float
    calls: float

    @classmethod
    def of(cls, rate: float, calls: float) -> Chance:
        """The rate with the interval of so many calls."""
        return cls(rate, *interval(rate, calls), calls)


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A profile of availability: its part of the people, and its chances by slot."""

    name: str
    share: float
    chances: tuple[Chance, ...]
    is_fixed: bool


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A segment: how many of its people were called, and the chance of a first call by slot."""

    code: str
    people: float
    first_call: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the learnt numbers, as a line of the list of versions."""

    version: int
    made_at: datetime
    source: str
    people: int
    calls: int
    is_in_force: bool


@dataclass(frozen=True, slots=True)
class LoadRow:
    """How full a slot is: the part of those who wanted it that could be called lately, and the days that it costs."""

    slot: str
    served_part: float
    blocks: int
    queue_days: float


@dataclass(frozen=True, slots=True)
class BlockRow:
    """A block that is over."""

    day: date
    slot: str
    called: int
    left_over: int


@dataclass(frozen=True, slots=True)
class Arm:
    """People called under one way of choosing hours, and how many of them answered in person."""

    people: int
    contacted: int
    calls: int


@dataclass(frozen=True, slots=True)
class LearntHours:
    """Everything that the page of learnt numbers shows; `raw` are plain counts, untouched by any model."""

    version: int
    made_at: datetime | None
    source: str
    frozen_at: datetime | None
    frozen_by: str | None
    frozen_reason: str | None
    people: int
    raw: tuple[Chance, ...]
    raw_answers: tuple[int, ...]
    first_call: tuple[Chance, ...]
    """What a first call may expect, given what was tried; the interval rests on the slot's faded calls."""
    profiles: tuple[ProfileRow, ...]
    segments: tuple[SegmentRow, ...]
    second: tuple[Chance, ...]
    second_worth: float
    load: tuple[LoadRow, ...]
    blocks: tuple[BlockRow, ...]
    versions: tuple[Version, ...]
    arms: dict[str, Arm]
    control_share: float
    counted_until: datetime | None


def learnt_hours(session: Session, programme: Programme, programme_id: int) -> LearntHours | None:
    """Return the numbers in force and their history; None for a programme that only rotates."""
    tuning = programme.constants
    if tuning is None:
        return None
    found = session.execute(
        select(RetryLearning, RetryFit, User.display_name)
        .outerjoin(RetryFit, RetryFit.id == RetryLearning.fit_id)
        .outerjoin(User, User.id == RetryLearning.frozen_by)
        .where(RetryLearning.programme_id == programme_id)
    ).first()
    learning, row, frozen_by = found if found is not None else (None, None, None)
    if row is not None and used(programme, row.id) is None:
        row = None
    fit = first_fit(tuning) if row is None else Fit.from_json(row.numbers)
    basis: dict[str, Any] = {} if row is None else row.basis
    calls, answers = basis.get("calls", [0] * len(SLOTS)), basis.get("answers", [0] * len(SLOTS))
    load = _load(session, programme, programme_id)
    return LearntHours(
        version=0 if row is None else row.version,
        made_at=None if row is None else row.made_at,
        source="prior" if row is None else row.source,
        frozen_at=learning.frozen_at if learning else None,
        frozen_by=frozen_by,
        frozen_reason=learning.frozen_reason if learning else None,
        people=basis.get("people", 0),
        raw=tuple(
            Chance.of(answered / made if made else 0.0, made)
            for answered, made in zip(answers, calls, strict=True)
        ),
        raw_answers=tuple(answers),
        first_call=_first_call(fit),
        profiles=_profiles(fit, programme),
        segments=tuple(
            SegmentRow(code, people, chances(fit, History(segment=code)))
            for code, people in sorted(fit.people.items())
            if code
        ),
        second=tuple(
            Chance.of(rate, count)
            for rate, count in zip(fit.second_rates, fit.second_counts or (0.0,) * len(SLOTS), strict=True)
        ),
        second_worth=fit.second_worth,
        load=load,
        blocks=_blocks(session, programme_id),
        versions=_versions(session, programme_id, None if row is None else row.id),
        arms={name: Arm(**arm) for name, arm in basis.get("arms", {}).items()},
        control_share=tuning.control_share,
        counted_until=learning.counted_until if learning else None,
    )


def _first_call(fit: Fit) -> tuple[Chance, ...]:
    calls = [sum(row[place] for row in fit.counts) for place in range(len(SLOTS))]
    return tuple(Chance.of(rate, count) for rate, count in zip(chances(fit, History()), calls, strict=True))


def _profiles(fit: Fit, programme: Programme) -> tuple[ProfileRow, ...]:
    fixed = {
        profile.name
        for profile in (programme.constants.profiles if programme.constants else ())
        if profile.is_fixed
    }
    whole = sum(fit.people.values())
    shares = [
        sum(fit.people[code] * row[place] for code, row in fit.shares.items()) / whole
        if whole
        else fit.usual_shares[place]
        for place in range(len(fit.names))
    ]
    counts = fit.counts or ((0.0,) * len(SLOTS),) * len(fit.names)
    return tuple(
        ProfileRow(
            name,
            shares[place],
            tuple(
                Chance.of(rate, count) for rate, count in zip(fit.rates[place], counts[place], strict=True)
            ),
            name in fixed,
        )
        for place, name in enumerate(fit.names)
    )


def _load(session: Session, programme: Programme, programme_id: int) -> tuple[LoadRow, ...]:
    rows = {
        row.slot: row
        for row in session.scalars(select(SlotLoad).where(SlotLoad.programme_id == programme_id))
    }
    assert programme.constants is not None
    load = Load(tuple(rows[s].served_part if s in rows else 1.0 for s in SLOTS))
    return tuple(
        LoadRow(
            slot.value,
            load.served[place],
            rows[slot].blocks if slot in rows else 0,
            queue_days(load, slot, programme.constants),
        )
        for place, slot in enumerate(SLOTS)
    )


def _blocks(session: Session, programme_id: int) -> tuple[BlockRow, ...]:
    rows = session.scalars(
        select(BlockRecord)
        .where(BlockRecord.programme_id == programme_id, BlockRecord.called + BlockRecord.left_over > 0)
        .order_by(BlockRecord.starts_at.desc())
        .limit(BLOCKS_SHOWN)
    )
    return tuple(BlockRow(row.day, row.slot, row.called, row.left_over) for row in rows)


def _versions(session: Session, programme_id: int, in_force: int | None) -> tuple[Version, ...]:
    rows = session.execute(
        select(RetryFit.id, RetryFit.version, RetryFit.made_at, RetryFit.source, RetryFit.basis)
        .where(RetryFit.programme_id == programme_id)
        .order_by(RetryFit.version.desc())
        .limit(VERSIONS_SHOWN)
    )
    return tuple(
        Version(
            version,
            made_at,
            source,
            basis.get("people", 0),
            sum(basis.get("calls", ())),
            fit_id == in_force,
        )
        for fit_id, version, made_at, source, basis in rows
    )
