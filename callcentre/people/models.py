"""Tables of the young people, their numbers, their guardians, and who asked not to be called.

A telephone number is one row whoever uses it, so that a household is simply "who is linked to this number"; the
link says whose it is for this person and whether it proved right.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.database import Base, Identifier, JsonValue
from callcentre.people.kinds import NumberOwner, NumberVerdict, PairState

__all__ = [
    "DuplicatePair",
    "Guardian",
    "Merge",
    "NationalId",
    "NumberOwner",
    "NumberVerdict",
    "Opposition",
    "OptOut",
    "PersonNumber",
    "PhoneNumber",
    "YoungPerson",
]


class YoungPerson(Base):
    """A young person on a list; `sort_name` is the unaccented, case-folded "family first" for sorting and search."""

    __tablename__ = "young_people"
    __table_args__ = (
        Index("ix_young_people_sort_name_birth_date", "sort_name", "birth_date"),
        Index("ix_young_people_birth_date", "birth_date"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    family_name: Mapped[str] = mapped_column(String(120))
    usual_name: Mapped[str | None] = mapped_column(String(120))
    first_name: Mapped[str] = mapped_column(String(120))
    sort_name: Mapped[str] = mapped_column(String(260))
    birth_date: Mapped[date]
    sex: Mapped[str | None] = mapped_column(String(1))
    email: Mapped[str | None] = mapped_column(String(254))
    address: Mapped[str | None] = mapped_column(String(300))
    postal_code: Mapped[str | None] = mapped_column(String(5))
    commune: Mapped[str | None] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(40), default="Europe/Paris")
    language: Mapped[str | None] = mapped_column(String(8))
    school_id: Mapped[int | None] = mapped_column(ForeignKey("schools.id"))
    class_label: Mapped[str | None] = mapped_column(String(80))
    training_label: Mapped[str | None] = mapped_column(String(200))
    training_code: Mapped[str | None] = mapped_column(String(11))
    exit_date: Mapped[date | None]
    exit_reason: Mapped[str | None] = mapped_column(String(200))
    verified: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    """Fields that an officer confirmed, as {field: ISO instant}; a list file never overwrites them."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class NationalId(Base):
    """An identifier that a person has or had (kind `ine` or `siei`); the same one never belongs to two people."""

    __tablename__ = "national_ids"
    __table_args__ = (UniqueConstraint("kind", "value"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    value: Mapped[str] = mapped_column(String(40))
    added_at: Mapped[datetime]


class Guardian(Base):
    """A legal representative of a young person; `rank` 1 or 2 as on the list."""

    __tablename__ = "guardians"
    __table_args__ = (UniqueConstraint("person_id", "rank"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"))
    rank: Mapped[int]
    family_name: Mapped[str | None] = mapped_column(String(120))
    first_name: Mapped[str | None] = mapped_column(String(120))
    relation: Mapped[str | None] = mapped_column(String(40))


class PhoneNumber(Base):
    """A telephone number in E.164, once, whoever uses it; `kind` is a value of `callcentre.phone.NumberKind`."""

    __tablename__ = "phone_numbers"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    e164: Mapped[str] = mapped_column(String(16), unique=True)
    reversed_digits: Mapped[str] = mapped_column(String(16), index=True)
    """The digits backwards, so that "ends with 12 34" is a prefix search on an index."""
    kind: Mapped[str] = mapped_column(String(16))


class PersonNumber(Base):
    """That a number reaches a person: whose it is, in which order to try it, and what the calls have shown."""

    __tablename__ = "person_numbers"
    __table_args__ = (
        UniqueConstraint("person_id", "number_id"),
        Index("ix_person_numbers_number_id", "number_id"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"))
    number_id: Mapped[int] = mapped_column(ForeignKey("phone_numbers.id"))
    owner: Mapped[str] = mapped_column(String(16))
    guardian_id: Mapped[int | None] = mapped_column(ForeignKey("guardians.id"))
    label: Mapped[str | None] = mapped_column(String(80))
    position: Mapped[int]
    callable: Mapped[bool] = mapped_column(default=True)
    """False when the list itself says not to call it, or its kind forbids it; `why_not` then holds the code."""
    why_not: Mapped[str | None] = mapped_column(String(40))
    verdict: Mapped[str] = mapped_column(String(16), default=NumberVerdict.UNVERIFIED)
    verdict_at: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(String(16), default="list")
    """Where it came from: `list`, `officer` or `inbound`."""
    added_at: Mapped[datetime]


class OptOut(Base):
    """A request not to be reached on a number any more, whoever uses it; the row stays when it is revoked."""

    __tablename__ = "opt_outs"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    number_id: Mapped[int] = mapped_column(ForeignKey("phone_numbers.id"), index=True)
    source: Mapped[str] = mapped_column(String(16))
    """`message`, `voice`, `guardian` or `provider`."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("young_people.id"))
    attempt_id: Mapped[int | None] = mapped_column(Identifier)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    revoked_reason: Mapped[str | None] = mapped_column(Text)


class Opposition(Base):
    """A young person's refusal to be contacted at all: every number, every programme, surviving every import."""

    __tablename__ = "oppositions"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"), index=True)
    source: Mapped[str] = mapped_column(String(16))
    attempt_id: Mapped[int | None] = mapped_column(Identifier)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    revoked_reason: Mapped[str | None] = mapped_column(Text)


class DuplicatePair(Base):
    """Two records that may be one person, for somebody to look at; `one_id` is always the smaller id."""

    __tablename__ = "duplicate_pairs"
    __table_args__ = (
        UniqueConstraint("one_id", "other_id"),
        Index("ix_duplicate_pairs_state", "state", "id"),
        Index("ix_duplicate_pairs_other_id", "other_id"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    one_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"))
    state: Mapped[str] = mapped_column(String(10), default=PairState.OPEN)
    reason: Mapped[str] = mapped_column(String(24))
    """Why it was proposed: a value of `callcentre.people.kinds.Likeness`."""
    found_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class Merge(Base):
    """That two records were made one: the kept one holds everything, the journal knows what came from the other.

    The record that went stays, empty of numbers and places, so that the merge can be taken back whole.
    """

    __tablename__ = "merges"
    __table_args__ = (Index("ix_merges_gone_id", "gone_id"), Index("ix_merges_kept_id", "kept_id"))

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    kept_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"))
    gone_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"))
    merged_at: Mapped[datetime]
    merged_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    journal: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
