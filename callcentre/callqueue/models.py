"""Tables of the queue: who belongs to a programme, whose turn it is and who holds the right to call.

A *queue entry* is a person's place in a programme and lives as long as the programme. A *turn* exists only while the
person is planned into a block or held by an officer: it is the small hot table that a claim searches. Claiming sets
the turn's token; the unique columns make it impossible to hold a person twice or two people at once. What ended is
appended to the lease log, from which the balance between territories is recomputed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, Integer, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.callqueue.kinds import EntryState, Lane, LeaseEnding
from callcentre.database import Base, Identifier, JsonValue

__all__ = [
    "EntryState",
    "Lane",
    "LeaseEnding",
    "LeaseLog",
    "NumberLock",
    "QueueEntry",
    "TerritoryDay",
    "Turn",
]


class QueueEntry(Base):
    """A person's place in a programme: open or closed, and from when they may be planned again.

    `eligible_at` is the earliest instant at which the retry rule allows a call (None while nothing is possible);
    `reason` holds the code and parameters of the sentence that explains it. Every exit names reason, instant and
    what re-opens it. `opened_at` starts a fresh total cap when the person is re-opened.
    """

    __tablename__ = "queue_entries"
    __table_args__ = (
        UniqueConstraint("programme_id", "person_id"),
        Index("ix_queue_entries_eligible", "programme_id", "state", "eligible_at"),
        Index("ix_queue_entries_preferred", "programme_id", "state", "preferred_at"),
        Index("ix_queue_entries_person_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"))
    territory_id: Mapped[int] = mapped_column(ForeignKey("territories.id"))
    state: Mapped[str] = mapped_column(String(8), default=EntryState.OPEN)
    opened_at: Mapped[datetime]
    list_file_id: Mapped[int | None] = mapped_column(Identifier)
    eligible_at: Mapped[datetime | None]
    eligible_until: Mapped[datetime | None]
    """End of the block that `eligible_at` begins; a missed block is planned again."""
    preferred_at: Mapped[datetime | None]
    preferred_until: Mapped[datetime | None]
    """The block that the retry rule would rather take; idle officers may be given people before it."""
    priority: Mapped[int] = mapped_column(SmallInteger, default=1)
    """0 for a minor whose legal clock runs out soon, 1 for a first attempt, 2 for the rest."""
    worth: Mapped[float | None] = mapped_column(Float)
    """What the retry rule expects of a call in the preferred block; orders people of one priority."""
    number_id: Mapped[int | None] = mapped_column(ForeignKey("phone_numbers.id"))
    paused_until: Mapped[datetime | None]
    reason: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    deadline: Mapped[date | None]
    """Last day of a minor's legal clock (three months after the school's signal), when there is one."""
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str | None] = mapped_column(String(40))
    reopened_by: Mapped[str | None] = mapped_column(String(120))
    """What would re-open a closed entry, as codes separated by spaces."""
    version: Mapped[int] = mapped_column(default=0)
    """Grows with every outcome; an outcome sent with an expired token is accepted only at the version it saw."""


class Turn(Base):
    """A person planned into a block, and the lease on them once an officer took it.

    Ready while `token` is None; leased from the claim on. `due_weights` remembers, as "territory:weight" pairs,
    which territories had due people at the claim and what each weighed, so that shares can be recomputed.
    """

    __tablename__ = "turns"
    __table_args__ = (
        Index(
            "ix_turns_head",
            "programme_id",
            "territory_id",
            "priority",
            "due_at",
            sqlite_where=text("token IS NULL AND lane = 4"),
            postgresql_where=text("token IS NULL AND lane = 4"),
        ),
        Index(
            "ix_turns_urgent",
            "programme_id",
            "lane",
            "due_at",
            sqlite_where=text("token IS NULL AND lane < 4"),
            postgresql_where=text("token IS NULL AND lane < 4"),
        ),
        Index(
            "ix_turns_leased",
            "programme_id",
            "lease_until",
            sqlite_where=text("token IS NOT NULL"),
            postgresql_where=text("token IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entries.id"), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"), unique=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    territory_id: Mapped[int] = mapped_column(ForeignKey("territories.id"))
    lane: Mapped[int] = mapped_column(SmallInteger, default=int(Lane.ORDINARY))
    priority: Mapped[int] = mapped_column(SmallInteger, default=2)
    due_at: Mapped[datetime]
    due_until: Mapped[datetime]
    number_id: Mapped[int | None] = mapped_column(ForeignKey("phone_numbers.id"))
    reason: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    callback_id: Mapped[int | None] = mapped_column(Identifier)
    reserved_for: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    team_from: Mapped[datetime | None]
    """From when a reserved promise is open to the whole team."""
    shares_number: Mapped[bool] = mapped_column(default=False)
    token: Mapped[str | None] = mapped_column(String(43), unique=True)
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), unique=True)
    granted_at: Mapped[datetime | None]
    granted_on: Mapped[date | None]
    renewed_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    due_weights: Mapped[str | None] = mapped_column(Text)
    attempt_id: Mapped[int | None] = mapped_column(Identifier)


class NumberLock(Base):
    """A number that is reached by a leased person: everybody else who shares it waits."""

    __tablename__ = "number_locks"

    number_id: Mapped[int] = mapped_column(ForeignKey("phone_numbers.id"), primary_key=True)
    turn_id: Mapped[int] = mapped_column(ForeignKey("turns.id"), index=True)


class LeaseLog(Base):
    """A lease that ended: append-only, the memory of the balance and of who held which token."""

    __tablename__ = "lease_log"
    __table_args__ = (Index("ix_lease_log_day", "programme_id", "granted_on", "id"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    token: Mapped[str] = mapped_column(String(43), unique=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entries.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"), index=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    territory_id: Mapped[int] = mapped_column(ForeignKey("territories.id"))
    officer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    lane: Mapped[int] = mapped_column(SmallInteger)
    entry_version: Mapped[int] = mapped_column(Integer)
    due_weights: Mapped[str | None] = mapped_column(Text)
    granted_on: Mapped[date]
    granted_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    ending: Mapped[str] = mapped_column(String(10))
    skip_reason: Mapped[str | None] = mapped_column(String(200))


class TerritoryDay(Base):
    """What a territory weighs on a civil day: its open people at the day's start, or the supervisor's figure."""

    __tablename__ = "territory_days"

    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"), primary_key=True)
    territory_id: Mapped[int] = mapped_column(ForeignKey("territories.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    weight: Mapped[float] = mapped_column(Float)
