"""Tables of what follows a contact: appointments, entries into support, solutions with their evidence."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.database import Base, Identifier
from callcentre.support.kinds import AppointmentState


class Appointment(Base):
    """A meeting with a partner; kept, it makes the person *accompanied*."""

    __tablename__ = "appointments"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"), index=True)
    partner: Mapped[str] = mapped_column(String(200))
    starts_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default=AppointmentState.PLANNED)
    made_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime]
    made_in: Mapped[int | None] = mapped_column(Identifier)
    settled_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(Text)


class Solution(Base):
    """A solution that started, dated, with its kind and evidence; `withdrawn_at` when it proved untrue."""

    __tablename__ = "solutions"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"), index=True)
    kind: Mapped[str] = mapped_column(String(24))
    started_on: Mapped[date]
    evidence: Mapped[str] = mapped_column(String(12))
    recorded_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(Text)
