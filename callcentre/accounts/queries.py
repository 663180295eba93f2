"""Every read of the accounts, returning frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, bindparam, select, text
from sqlalchemy.orm import Session

from callcentre.accounts.kinds import Density, Language, PauseReason, PresenceState, Role, Theme
from callcentre.accounts.models import ApiToken, OfficerTerritory, Presence, User, UserSession
from callcentre.accounts.presence import PRESENCE_LIFETIME
from callcentre.accounts.secrets import token_hash
from callcentre.database import UtcDateTime
from callcentre.statements import Prepared


@dataclass(frozen=True)
class UserView:
    """A user as pages and verbs see one."""

    id: int
    login: str
    display_name: str
    role: Role
    language: Language
    theme: Theme
    density: Density
    single_keys: bool
    is_active: bool
    must_change_password: bool
    created_at: datetime
    territory_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Visitor:
    """Who makes a request: a user with a signed-in device, or with a personal token."""

    user: UserView
    session_id: int | None = None
    token_id: int | None = None
    last_seen_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Device:
    """A signed-in device of a user."""

    id: int
    device: str
    address: str
    created_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True)
class TokenView:
    """A personal token, without its secret."""

    id: int
    name: str
    ending: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class OfficerPresence:
    """An officer who is at work."""

    user_id: int
    display_name: str
    state: PresenceState
    reason: PauseReason | None
    since: datetime
    seen_at: datetime


_OF_TOKEN = (
    select(User, ApiToken)
    .join(ApiToken, ApiToken.user_id == User.id)
    .where(
        ApiToken.token_hash == bindparam("hash"),
        ApiToken.revoked_at.is_(None),
        (ApiToken.expires_at.is_(None)) | (ApiToken.expires_at > bindparam("now", type_=UtcDateTime())),
        User.is_active.is_(True),
    )
)


def visitor_of_session(session: Session, token: str, *, idle: timedelta, now: datetime) -> Visitor | None:
    """Return who holds a session cookie, or None when it ended, was revoked, or the account was closed."""
    row = session.execute(
        select(User, UserSession)
        .join(UserSession, UserSession.user_id == User.id)
        .where(
            UserSession.token_hash == token_hash(token),
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
            UserSession.last_seen_at > now - idle,
            User.is_active.is_(True),
        )
    ).one_or_none()
    if row is None:
        return None
    user, device = row
    return Visitor(
        user=_view(user),
        session_id=device.id,
        last_seen_at=device.last_seen_at,
        ends_at=min(device.expires_at, device.last_seen_at + idle),
    )


def visitor_of_token(session: Session, token: str, *, now: datetime) -> Visitor | None:
    """Return who holds a personal token, or None when it ended or the account was closed."""
    row = session.execute(_OF_TOKEN, {"hash": token_hash(token), "now": now}).one_or_none()
    if row is None:
        return None
    user, kept = row
    return Visitor(user=_view(user), token_id=kept.id, last_seen_at=kept.last_used_at)


def user(session: Session, user_id: int) -> UserView | None:
    """Return one user with the PSADs they follow, or None."""
    found = session.get(User, user_id)
    return None if found is None else _view(found, territories_of(session, user_id))


def user_by_login(session: Session, login: str) -> UserView | None:
    """Return the user of a login, or None."""
    found = session.scalar(select(User).where(User.login == login.strip().casefold()))
    return None if found is None else _view(found, territories_of(session, found.id))


def users(session: Session, *, role: Role | None = None, active_only: bool = False) -> tuple[UserView, ...]:
    """Return users by name, with the PSADs each follows."""
    statement: Select[User] = select(User).order_by(User.display_name, User.id)
    if role is not None:
        statement = statement.where(User.role == role)
    if active_only:
        statement = statement.where(User.is_active.is_(True))
    followed: dict[int, list[int]] = {}
    for user_id, territory_id in session.execute(
        select(OfficerTerritory.user_id, OfficerTerritory.territory_id).order_by(
            OfficerTerritory.territory_id
        )
    ):
        followed.setdefault(user_id, []).append(territory_id)
    return tuple(_view(found, tuple(followed.get(found.id, ()))) for found in session.scalars(statement))


_TERRITORIES = Prepared(
    text("SELECT territory_id FROM officer_territories WHERE user_id = :user ORDER BY territory_id")
)


def territories_of(session: Session, user_id: int) -> tuple[int, ...]:
    """Return the ids of the PSADs that an officer is the correspondent of."""
    return tuple(_TERRITORIES.values(session, {"user": user_id}))


def devices(session: Session, user_id: int, *, idle: timedelta, now: datetime) -> tuple[Device, ...]:
    """Return the devices on which a user is signed in, the most recent first."""
    rows = session.scalars(
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
            UserSession.last_seen_at > now - idle,
        )
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
    )
    return tuple(Device(row.id, row.device, row.address, row.created_at, row.last_seen_at) for row in rows)


def tokens(session: Session, user_id: int, *, now: datetime) -> tuple[TokenView, ...]:
    """Return the tokens of a user that still open the API."""
    rows = session.scalars(
        select(ApiToken)
        .where(
            ApiToken.user_id == user_id,
            ApiToken.revoked_at.is_(None),
            (ApiToken.expires_at.is_(None)) | (ApiToken.expires_at > now),
        )
        .order_by(ApiToken.created_at, ApiToken.id)
    )
    return tuple(
        TokenView(row.id, row.name, row.ending, row.created_at, row.expires_at, row.last_used_at)
        for row in rows
    )


def presence_of(
    session: Session, user_id: int, *, now: datetime, within: timedelta = PRESENCE_LIFETIME
) -> OfficerPresence | None:
    """Return one officer's presence, or None when they are not at work."""
    row = session.execute(_presences(now - within).where(User.id == user_id)).one_or_none()
    return None if row is None else _presence(*row)


def officers_present(
    session: Session, now: datetime, *, within: timedelta = PRESENCE_LIFETIME
) -> tuple[OfficerPresence, ...]:
    """Return the officers at work now, available or paused, by name."""
    rows = session.execute(_presences(now - within).order_by(User.display_name, User.id))
    return tuple(_presence(*row) for row in rows)


def _presences(since: datetime) -> Select[Presence, str]:
    return (
        select(Presence, User.display_name)
        .join(User, User.id == Presence.user_id)
        .where(Presence.seen_at > since, User.is_active.is_(True))
    )


def _presence(row: Presence, display_name: str) -> OfficerPresence:
    return OfficerPresence(row.user_id, display_name, row.state, row.reason, row.since, row.seen_at)


def _view(row: User, territory_ids: tuple[int, ...] = ()) -> UserView:
    return UserView(
        id=row.id,
        login=row.login,
        display_name=row.display_name,
        role=row.role,
        language=row.language,
        theme=row.theme,
        density=row.density,
        single_keys=row.single_keys,
        is_active=row.is_active,
        must_change_password=row.must_change_password,
        created_at=row.created_at,
        territory_ids=territory_ids,
    )
