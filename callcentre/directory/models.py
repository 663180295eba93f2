"""Tables of the operation's surroundings: programmes, their territories, schools, and what this database is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.database import Base, Identifier


class Installation(Base):
    """Facts about this database itself, such as the demo mark that `demo-history` asks for."""

    __tablename__ = "installation"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))


class Programme(Base):
    """A programme that has records; what it is made of lives in `config/programmes/<code>.toml`."""

    __tablename__ = "programmes"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    label: Mapped[str] = mapped_column(String(200))


class Territory(Base):
    """A local platform (PSAD) of a programme; `weight` is a supervisor's override of its share, else None."""

    __tablename__ = "territories"
    __table_args__ = (UniqueConstraint("programme_id", "code"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    code: Mapped[str] = mapped_column(String(60))
    label: Mapped[str] = mapped_column(String(120))
    position: Mapped[int]
    weight: Mapped[int | None]
    weight_changed_at: Mapped[datetime | None]


class School(Base):
    """An establishment by its UAI code; known by name only when the list gives no code."""

    __tablename__ = "schools"
    __table_args__ = (UniqueConstraint("uai", "name"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    uai: Mapped[str | None] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(200))
    commune: Mapped[str | None] = mapped_column(String(120))
