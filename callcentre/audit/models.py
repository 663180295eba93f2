"""Tables of what happened: who changed what and who looked at whom, append-only; and what the background jobs did."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.database import Base, Identifier, JsonValue


class AuditEvent(Base):
    """Who changed or exported what; identifiers and codes, never a name or a number."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_subject", "subject", "subject_id"),
        Index("ix_audit_events_at", "at"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(24))
    subject_id: Mapped[int | None] = mapped_column(Identifier)
    details: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)


class PersonView(Base):
    """Somebody saw a young person, or a list of `people` of them (`person_id` None); identifiers only.

    `place` is a value of `callcentre.audit.kinds.Place`. The people are no foreign keys: the row outlives them.
    """

    __tablename__ = "person_views"
    __table_args__ = (
        Index("ix_person_views_person_id_at", "person_id", "at"),
        Index("ix_person_views_user_id_at", "user_id", "at"),
        Index("ix_person_views_at", "at"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    at: Mapped[datetime]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    person_id: Mapped[int | None] = mapped_column(Identifier)
    place: Mapped[str] = mapped_column(String(12))
    people: Mapped[int] = mapped_column(default=1)


class JobRun(Base):
    """The last run of a background job; `done_for` is the civil day that a nightly job has covered."""

    __tablename__ = "job_runs"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    last_started_at: Mapped[datetime | None]
    last_finished_at: Mapped[datetime | None]
    last_ok: Mapped[bool | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    done_for_date: Mapped[date | None]


class SchedulerLeader(Base):
    """The one scheduler that may run jobs now; another takes over when `expires_at` has passed."""

    __tablename__ = "scheduler_leader"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    holder: Mapped[str] = mapped_column(String(80))
    expires_at: Mapped[datetime]
