"""Tables of the accounts: users, devices, tokens, failed sign-ins, presence, PSADs followed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.accounts.kinds import Density, Language, PauseReason, PresenceState, Role, Theme
from callcentre.database import Base, Identifier


def _code(kind: type[StrEnum]) -> Enum:
    """A StrEnum kept as its text, without a type or a check of the database: retired values stay readable."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=20,
        values_callable=lambda k: [m.value for m in k],
    )


class User(Base):
    """Somebody who signs in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    login: Mapped[str] = mapped_column(String(80), unique=True)
    display_name: Mapped[str] = mapped_column(String(120))
    role: Mapped[Role] = mapped_column(_code(Role))
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    language: Mapped[Language] = mapped_column(_code(Language), default=Language.FRENCH)
    theme: Mapped[Theme] = mapped_column(_code(Theme), default=Theme.AUTO)
    density: Mapped[Density] = mapped_column(_code(Density), default=Density.NORMAL)
    single_keys: Mapped[bool] = mapped_column(default=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    password_changed_at: Mapped[datetime]


class UserSession(Base):
    """One signed-in device; the browser holds a random token, the table only its hash."""

    __tablename__ = "user_sessions"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(64), default="")
    device: Mapped[str] = mapped_column(String(200), default="")


class ApiToken(Base):
    """A personal token of the JSON API; shown once, kept as a hash."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    ending: Mapped[str] = mapped_column(String(4))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignInFailure(Base):
    """A refused sign-in; login and address are hashed, since a password is sometimes typed as a login."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (
        Index(None, "login_hash", "at"),
        Index(None, "address_hash", "at"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    login_hash: Mapped[str] = mapped_column(String(64))
    address_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class Presence(Base):
    """An officer at work; counts only while `seen_at` is recent, so a sleeping laptop goes by itself."""

    __tablename__ = "presences"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[PresenceState] = mapped_column(_code(PresenceState))
    reason: Mapped[PauseReason | None] = mapped_column(_code(PauseReason))
    since: Mapped[datetime]
    seen_at: Mapped[datetime]


class OfficerTerritory(Base):
    """An officer who is the correspondent of a PSAD: a tie-break of the queue, never a reservation."""

    __tablename__ = "officer_territories"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    territory_id: Mapped[int] = mapped_column(
        ForeignKey("territories.id", ondelete="CASCADE"), primary_key=True, index=True
    )
