"""Tables of the desk: what is being typed, what was sent or came too late, what a supervisor decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.database import Base, Identifier, JsonValue


class Draft(Base):
    """What an officer has typed about a person and not sent yet."""

    __tablename__ = "drafts"

    officer_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime]


class OutcomeSubmission(Base):
    """An outcome that was accepted or kept as a conflict, once per officer and idempotency key.

    `response` is given again on replay; `before` holds what an undo puts back.
    """

    __tablename__ = "outcome_submissions"
    __table_args__ = (UniqueConstraint("officer_id", "idempotency_key"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    officer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    idempotency_key: Mapped[str] = mapped_column(String(80))
    body_digest: Mapped[str] = mapped_column(String(64))
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempts.id"), index=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("queue_entries.id"))
    accepted: Mapped[bool]
    response: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    before: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    created_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class OutcomeConflict(Base):
    """An outcome sent with a superseded lease: kept and shown until a supervisor settles it."""

    __tablename__ = "outcome_conflicts"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    officer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("young_people.id"))
    token: Mapped[str] = mapped_column(String(43))
    outcome: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class Decision(Base):
    """What a supervisor decided about somebody, and why; only ever added to.

    `kind` is a value of `callcentre.desk.kinds.DecisionKind`. `attempt_id`: the call that it is about. `opt_out_id`:
    the guardian's refusal that it answers, once.
    """

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_programme_id_at", "programme_id", "at"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("young_people.id"), index=True)
    kind: Mapped[str] = mapped_column(String(24))
    at: Mapped[datetime]
    decided_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(Text, default="")
    attempt_id: Mapped[int | None] = mapped_column(Identifier)
    opt_out_id: Mapped[int | None] = mapped_column(ForeignKey("opt_outs.id"), unique=True)
