"""The append-only table of how far each young person has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.database import Base, Identifier, JsonValue


class StageChange(Base):
    """A person entered a stage, or an earlier entry is taken back by a row that names it in `reverses_id`.

    `stage` is a value of `callcentre.funnel.stages.Stage`. Nothing is overwritten: a correction is a new dated row.
    """

    __tablename__ = "stage_changes"
    __table_args__ = (
        Index("ix_stage_changes_person", "programme_id", "person_id"),
        Index("ix_stage_changes_stage", "programme_id", "stage", "at"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"))
    stage: Mapped[str] = mapped_column(String(24))
    at: Mapped[datetime]
    """When the stage was entered (or left), which may be before it was recorded."""
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    cause: Mapped[str] = mapped_column(String(40))
    """`list`, a disposition's code, `appointment_kept`, `support_started`, `solution`, `implied` or `undo`."""
    attempt_id: Mapped[int | None] = mapped_column(Identifier)
    details: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("stage_changes.id"), unique=True)
