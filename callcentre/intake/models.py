"""Tables of how people arrive: list files and the fate of each of their rows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.database import Base, Identifier, JsonValue


class ListFile(Base):
    """One delivery for one programme; its bytes are beside it (`ListBytes`)."""

    __tablename__ = "list_files"
    __table_args__ = (UniqueConstraint("programme_id", "digest", "list_date"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    list_date: Mapped[date]
    state: Mapped[str] = mapped_column(String(12))
    """A value of `callcentre.intake.kinds.ListState`."""
    mapping: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    rows_total: Mapped[int] = mapped_column(default=0)
    rows_done: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    problem: Mapped[str | None] = mapped_column(Text)
    """Why it failed, a value of `callcentre.intake.kinds.Problem`; pages have the words."""
    uploaded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    uploaded_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    worker: Mapped[str | None] = mapped_column(String(80))
    """Who is applying it now; taken over when `worker_seen_at` is old."""
    worker_seen_at: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(String(10), default="page", server_default="page")
    """How it came: `page`, `command`, `api` or `folder`."""
    compared_at: Mapped[datetime | None]
    """When its new people were compared with the others, for the queue of possible duplicates."""


class ListBytes(Base):
    """The bytes of a list, kept until every row has its fate, so that an import can be gone on with.

    Apart from the list's own row: SQLite writes a whole row again for each of its changes.
    """

    __tablename__ = "list_bytes"

    list_file_id: Mapped[int] = mapped_column(ForeignKey("list_files.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ListRow(Base):
    """One row of a list file: its fate, why, and, while it is quarantined, what it holds."""

    __tablename__ = "list_rows"
    __table_args__ = (
        UniqueConstraint("list_file_id", "sheet", "row_number"),
        Index("ix_list_rows_fate", "list_file_id", "fate"),
        Index("ix_list_rows_person_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    list_file_id: Mapped[int] = mapped_column(ForeignKey("list_files.id"))
    sheet: Mapped[str] = mapped_column(String(80), default="")
    row_number: Mapped[int]
    fate: Mapped[str] = mapped_column(String(12))
    reasons: Mapped[list[Any]] = mapped_column(JsonValue, default=list)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("young_people.id"))
    cells: Mapped[dict[str, Any] | None] = mapped_column(JsonValue)
    """The row as it was read, kept only while there is something in it to correct, and until `purge_on`."""
    purge_on: Mapped[date | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class ListChange(Base):
    """What an import changed of a person who was known: the values before, so that the import can be undone."""

    __tablename__ = "list_changes"
    __table_args__ = (
        Index("ix_list_changes_list_file_id", "list_file_id", "id"),
        Index("ix_list_changes_person_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    list_file_id: Mapped[int] = mapped_column(ForeignKey("list_files.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"))
    before: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    at: Mapped[datetime]


class ListProfile(Base):
    """How somebody named the columns of a list, kept for the next list with the same headers."""

    __tablename__ = "list_profiles"
    __table_args__ = (UniqueConstraint("signature"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    signature: Mapped[str] = mapped_column(String(16))
    """The mark of the headers; the headers themselves are not kept."""
    columns: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    """Fields by "#position": {"#3": "phone", "#4": ""}."""
    made_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime]
