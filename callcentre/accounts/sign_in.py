"""Signing in and out: throttled attempts, revocable sessions of one device each, personal tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from callcentre.accounts.models import ApiToken, Presence, SignInFailure, User, UserSession
from callcentre.accounts.secrets import new_token, token_hash
from callcentre.accounts.users import normalise_login
from callcentre.errors import InvalidInput, NotFound

FAILURES_REMEMBERED = timedelta(minutes=15)
FAILURES_PER_LOGIN = 5
FAILURES_PER_ADDRESS = 20
"""An office of eight shares one address: it gets more than a login does."""
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True)
class SessionLimits:
    """How long a signed-in device lasts: unused, and at most."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True)
class Account:
    """What a sign-in needs to know of a login; the hash never goes further than the comparison."""

    user_id: int
    password_hash: str
    is_active: bool


def account_of(session: Session, login: str) -> Account | None:
    """Return the account of a login, open or closed, or None."""
    user = session.scalar(select(User).where(User.login == normalise_login(login)))
    return None if user is None else Account(user.id, user.password_hash, user.is_active)


def wait_before_sign_in(session: Session, login: str, address: str, *, now: datetime) -> timedelta:
    """Return how long this login from this address must wait; zero when it may try now.

    The wait doubles with each failure beyond the allowance, from 30 seconds to 15 minutes after the last.
    """
    waits: list[timedelta] = [timedelta(0)]
    for column, value, allowed in (
        (SignInFailure.login_hash, normalise_login(login), FAILURES_PER_LOGIN),
        (SignInFailure.address_hash, address, FAILURES_PER_ADDRESS),
    ):
        count, last = session.execute(
            select(func.count(), func.max(SignInFailure.at)).where(
                column == token_hash(value), SignInFailure.at > now - FAILURES_REMEMBERED
            )
        ).one()
        if count >= allowed:
            wait = min(FIRST_WAIT * 2 ** min(count - allowed, 10), LONGEST_WAIT)
            waits.append(last + wait - now)
    return max(waits)


def record_failure(session: Session, login: str, address: str, *, now: datetime) -> None:
    """Remember a refused sign-in, and forget those that no longer count."""
    session.execute(delete(SignInFailure).where(SignInFailure.at <= now - FAILURES_REMEMBERED))
    session.add(
        SignInFailure(login_hash=token_hash(normalise_login(login)), address_hash=token_hash(address), at=now)
    )
    session.flush()


def open_session(
    session: Session, user_id: int, *, address: str, device: str, limits: SessionLimits, now: datetime
) -> str:
    """Sign a device in and return the token of its cookie; the login's failures are forgotten."""
    login = session.scalar(select(User.login).where(User.id == user_id))
    if login is None:
        raise NotFound("user")
    session.execute(delete(SignInFailure).where(SignInFailure.login_hash == token_hash(login)))
    session.execute(
        delete(UserSession).where(
            UserSession.user_id == user_id, UserSession.expires_at <= now - timedelta(days=30)
        )
    )
    token = new_token("ccs")
    session.add(
        UserSession(
            user_id=user_id,
            token_hash=token_hash(token),
            created_at=now,
            last_seen_at=now,
            expires_at=now + limits.absolute,
            address=address[:64],
            device=device[:200],
        )
    )
    session.flush()
    return token


def touch_session(session: Session, session_id: int, *, now: datetime) -> None:
    """Push back the idle end of a session."""
    session.execute(
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.last_seen_at < now)
        .values(last_seen_at=now)
    )


def close_session(session: Session, session_id: int, *, user_id: int, now: datetime) -> bool:
    """Sign one device of a user out; False when it was not theirs or no longer signed in."""
    result = session.execute(
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return _rows(result) == 1


def close_all_sessions(session: Session, user_id: int, *, now: datetime, keep: int | None = None) -> int:
    """Sign a user out of every device but `keep`, the presence too when none is kept; returns how many."""
    statement = update(UserSession).where(
        UserSession.user_id == user_id, UserSession.revoked_at.is_(None), UserSession.expires_at > now
    )
    if keep is not None:
        statement = statement.where(UserSession.id != keep)
    else:
        session.execute(delete(Presence).where(Presence.user_id == user_id))
    return _rows(session.execute(statement.values(revoked_at=now)))


def create_token(
    session: Session, user_id: int, name: str, *, now: datetime, lifetime: timedelta | None = None
) -> str:
    """Make a personal token and return it, once; only its hash is kept."""
    name = name.strip()
    if not 1 <= len(name) <= 80:
        raise InvalidInput("Donnez au jeton un nom de 80 signes au plus.", field="name")
    token = new_token("cct")
    session.add(
        ApiToken(
            user_id=user_id,
            name=name,
            token_hash=token_hash(token),
            ending=token[-4:],
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime,
        )
    )
    session.flush()
    return token


def revoke_token(session: Session, token_id: int, *, user_id: int, now: datetime) -> bool:
    """End a personal token at once; False when it was not theirs or had ended."""
    result = session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return _rows(result) == 1


def mark_token_used(session: Session, token_id: int, *, now: datetime) -> None:
    """Remember when a token last opened the API."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))


def _rows(result: object) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount
