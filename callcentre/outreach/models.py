"""Tables of how people are reached: attempts and promised callbacks (messages join them with the provider)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.database import Base, Identifier, JsonValue


class CallbackState(StrEnum):
    """What became of a promised time."""

    PROMISED = "promised"
    KEPT = "kept"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Attempt(Base):
    """One dialling of one number for one person; it exists from the click on, and is never deleted.

    `disposition` is None while it is open. `slot` and `local_date` are those of the young person's zone. An undone
    result leaves the attempt with `corrected_at`; it still counts as a call that was made.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        Index("ix_attempts_person_id_started_at", "person_id", "started_at"),
        Index("ix_attempts_number_id_started_at", "number_id", "started_at"),
        Index("ix_attempts_programme_id_started_at", "programme_id", "started_at"),
        Index("ix_attempts_officer_id_started_at", "officer_id", "started_at"),
        Index("ix_attempts_ended_at", "ended_at"),
        Index(
            "ix_attempts_corrected_at",
            "corrected_at",
            sqlite_where=text("corrected_at IS NOT NULL"),
            postgresql_where=text("corrected_at IS NOT NULL"),
        ),
        UniqueConstraint("lease_token", "number_id", "sequence"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entries.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"))
    number_id: Mapped[int | None] = mapped_column(ForeignKey("phone_numbers.id"))
    owner: Mapped[str | None] = mapped_column(String(16))
    officer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    lease_token: Mapped[str] = mapped_column(String(43))
    sequence: Mapped[int] = mapped_column(default=1)
    """1 for the first dialling of this number under this lease, 2 for the next."""
    lane: Mapped[int]
    callback_id: Mapped[int | None] = mapped_column(ForeignKey("callbacks.id"))
    direction: Mapped[str] = mapped_column(String(8), default="outbound")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    slot: Mapped[str | None] = mapped_column(String(12))
    """None when the call was made outside every slot, as a late record shows."""
    local_date: Mapped[date]
    disposition: Mapped[str | None] = mapped_column(String(40))
    retry_kind: Mapped[str | None] = mapped_column(String(16))
    """The value of `callcentre.dispositions.RetryKind` at the time, so that a later code book changes no history."""
    note: Mapped[str | None] = mapped_column(Text)
    corrected_at: Mapped[datetime | None]
    corrected_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    correction_reason: Mapped[str | None] = mapped_column(Text)
    why: Mapped[dict[str, Any] | None] = mapped_column(JsonValue)
    """Why this person was called at this hour, as the retry rule said it then."""


class Callback(Base):
    """A promised time; `officer_id` None means anybody of the team."""

    __tablename__ = "callbacks"
    __table_args__ = (Index("ix_callbacks_state_promised_at", "state", "promised_at"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entries.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"), index=True)
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    number_id: Mapped[int | None] = mapped_column(ForeignKey("phone_numbers.id"))
    promised_at: Mapped[datetime]
    promised_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """None when the person asked for it in writing."""
    promised_in: Mapped[int | None] = mapped_column(Identifier)
    """The attempt in which it was promised."""
    created_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default=CallbackState.PROMISED)
    retried: Mapped[bool] = mapped_column(default=False)
    """True once the promise went unanswered and its one retry half an hour later was set."""
    settled_at: Mapped[datetime | None]
    settled_by_attempt: Mapped[int | None] = mapped_column(Identifier)
    note: Mapped[str | None] = mapped_column(Text)
