"""Tables of planning: what the retry rule has learnt, how full the blocks were, other routes than calls.

The learnt numbers are rows that are never changed: each night writes a new version, and one row per programme says
which version is in force, since when learning is frozen, and how far the night's work has come.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.database import Base, Identifier, JsonValue
from callcentre.planning.kinds import FitSource, StepResult, StepState

__all__ = [
    "BlockRecord",
    "CallHistory",
    "FitSource",
    "RetryFit",
    "RetryLearning",
    "RouteMailing",
    "RouteStep",
    "SecondCalls",
    "SlotLoad",
    "StepResult",
    "StepState",
]


class RetryFit(Base):
    """A version of the learnt numbers; `numbers` is a `callcentre.retry.profiles.Fit`, `basis` what it rests on."""

    __tablename__ = "retry_fits"
    __table_args__ = (UniqueConstraint("programme_id", "version"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    version: Mapped[int]
    made_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(String(8))
    numbers: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    basis: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)


class RetryLearning(Base):
    """Where a programme's learning stands: the version in force, a freeze, and how far the night's work has come."""

    __tablename__ = "retry_learning"

    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"), primary_key=True)
    fit_id: Mapped[int | None] = mapped_column(ForeignKey("retry_fits.id"))
    frozen_at: Mapped[datetime | None]
    frozen_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    frozen_reason: Mapped[str | None] = mapped_column(Text)
    counted_until: Mapped[datetime | None]
    """What happened before this is counted; None: nobody's calls are yet."""
    counting_since: Mapped[datetime | None]
    """When the count that is under way began; None: none is."""
    counted_person: Mapped[int | None] = mapped_column(Identifier)
    """The last person whom that count has done."""
    planned_fit_id: Mapped[int | None] = mapped_column(ForeignKey("retry_fits.id"))
    """The version by which everybody's next hour was last chosen, or is being chosen."""
    planned_entry: Mapped[int | None] = mapped_column(Identifier)
    """The last queue entry that the planning under way has done; None: none is under way."""


class CallHistory(Base):
    """What the calls to one person's own numbers showed, as the learning sees it: counts and faded sums by slot.

    A fading call weighs 2 ** (days since a fixed date / half-life), so that no row is touched when time passes.
    """

    __tablename__ = "call_histories"

    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"), primary_key=True)
    segment: Mapped[str] = mapped_column(String(40), default="")
    unanswered_0: Mapped[int] = mapped_column(SmallInteger, default=0)
    unanswered_1: Mapped[int] = mapped_column(SmallInteger, default=0)
    unanswered_2: Mapped[int] = mapped_column(SmallInteger, default=0)
    unanswered_3: Mapped[int] = mapped_column(SmallInteger, default=0)
    unanswered_4: Mapped[int] = mapped_column(SmallInteger, default=0)
    answered_0: Mapped[int] = mapped_column(SmallInteger, default=0)
    answered_1: Mapped[int] = mapped_column(SmallInteger, default=0)
    answered_2: Mapped[int] = mapped_column(SmallInteger, default=0)
    answered_3: Mapped[int] = mapped_column(SmallInteger, default=0)
    answered_4: Mapped[int] = mapped_column(SmallInteger, default=0)
    missed_weight_0: Mapped[float] = mapped_column(default=0.0)
    missed_weight_1: Mapped[float] = mapped_column(default=0.0)
    missed_weight_2: Mapped[float] = mapped_column(default=0.0)
    missed_weight_3: Mapped[float] = mapped_column(default=0.0)
    missed_weight_4: Mapped[float] = mapped_column(default=0.0)
    taken_weight_0: Mapped[float] = mapped_column(default=0.0)
    taken_weight_1: Mapped[float] = mapped_column(default=0.0)
    taken_weight_2: Mapped[float] = mapped_column(default=0.0)
    taken_weight_3: Mapped[float] = mapped_column(default=0.0)
    taken_weight_4: Mapped[float] = mapped_column(default=0.0)


class SecondCalls(Base):
    """Faded calls to a person's second numbers in one slot: unanswered, answered, and those that led to a contact."""

    __tablename__ = "second_calls"

    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"), primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    unanswered: Mapped[float] = mapped_column(default=0.0)
    answered: Mapped[float] = mapped_column(default=0.0)
    contacts: Mapped[float] = mapped_column(default=0.0)


class SlotLoad(Base):
    """Which part of those who wanted a slot could lately be called in it: 1 is room for all."""

    __tablename__ = "slot_loads"

    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"), primary_key=True)
    slot: Mapped[str] = mapped_column(String(12), primary_key=True)
    served_part: Mapped[float]
    blocks: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime]


class BlockRecord(Base):
    """A block that is over: how many were called in it and how many it left over, and the slot's load after it."""

    __tablename__ = "block_records"
    __table_args__ = (UniqueConstraint("programme_id", "starts_at"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    slot: Mapped[str] = mapped_column(String(12))
    day: Mapped[date]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    called: Mapped[int]
    left_over: Mapped[int]
    served_part: Mapped[float]


class RouteStep(Base):
    """One step of the other routes for a person: what to do, from when, by whom it was done and what came of it.

    A round of steps belongs to one opening of the entry (`opened_at`); when the entry is opened again the rest is
    cancelled. The programme's file says which steps there are; what a step was is kept here as it was then.
    """

    __tablename__ = "route_steps"
    __table_args__ = (
        UniqueConstraint("entry_id", "opened_at", "position"),
        Index("ix_route_steps_due", "programme_id", "state", "due_at"),
        Index("ix_route_steps_person_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entries.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"))
    opened_at: Mapped[datetime]
    """When the entry was opened, as the entry has it: names the round."""
    position: Mapped[int] = mapped_column(SmallInteger)
    route: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(12))
    wait_days: Mapped[int] = mapped_column(SmallInteger, default=0)
    state: Mapped[str] = mapped_column(String(12))
    why_not: Mapped[str | None] = mapped_column(String(40))
    due_at: Mapped[datetime | None]
    """From when it may be done; once sent, until when an answer is waited for."""
    result: Mapped[str | None] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    mailing_id: Mapped[int | None] = mapped_column(ForeignKey("route_mailings.id"), index=True)


class RouteMailing(Base):
    """A merge file of letters or e-mails that was prepared, and when it was sent."""

    __tablename__ = "route_mailings"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    route: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(12))
    made_at: Mapped[datetime]
    made_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    sent_at: Mapped[datetime | None]
    sent_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
