"""Tables of what happened: the append-only audit trail, and what the background jobs did."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.database import Base, Identifier, JsonValue


class AuditEvent(Base):
    """Who looked at or changed what; identifiers only, never a name or a number."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_subject", "subject", "subject_id"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(24))
    subject_id: Mapped[int | None] = mapped_column(Identifier)
    details: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)


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
