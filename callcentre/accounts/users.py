"""What can be done to an account: create, change, disable, give a password, give PSADs to follow."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from callcentre.accounts.kinds import Density, Language, Role, Theme
from callcentre.accounts.models import OfficerTerritory, Presence, User, UserSession
from callcentre.accounts.secrets import check_password_rules, hash_password
from callcentre.errors import InvalidInput, NotAllowed, NotFound

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,79}")


def normalise_login(login: str) -> str:
    """Return a login as it is kept: no surrounding space, no capitals."""
    return login.strip().casefold()


def create_user(
    session: Session,
    login: str,
    *,
    display_name: str,
    role: Role,
    password: str,
    now: datetime,
    language: Language = Language.FRENCH,
    must_change_password: bool = False,
) -> int:
    """Create an account and return its id; raises `InvalidInput` for a bad or taken login, or password."""
    login, display_name = normalise_login(login), display_name.strip()
    if not _LOGIN.fullmatch(login):
        raise InvalidInput(
            "L’identifiant compte 2 à 80 signes : lettres sans accent, chiffres, point, tiret ou @.",
            field="login",
        )
    if session.scalar(select(User.id).where(User.login == login)) is not None:
        raise InvalidInput("Cet identifiant est déjà pris ; choisissez-en un autre.", field="login")
    _check_name(display_name)
    check_password_rules(password, login=login)
    user = User(
        login=login,
        display_name=display_name,
        role=role,
        password_hash=hash_password(password),
        must_change_password=must_change_password,
        language=language,
        created_at=now,
        password_changed_at=now,
    )
    session.add(user)
    session.flush()
    return user.id


def change_password(
    session: Session, user_id: int, password: str, *, now: datetime, temporary: bool = False
) -> None:
    """Give a new password; a temporary one must be changed at the next sign-in."""
    user = _get(session, user_id)
    check_password_rules(password, login=user.login)
    user.password_hash = hash_password(password)
    user.password_changed_at = now
    user.must_change_password = temporary
    session.flush()


def rename(session: Session, user_id: int, display_name: str) -> None:
    """Change the name that colleagues see."""
    _check_name(display_name.strip())
    _get(session, user_id).display_name = display_name.strip()
    session.flush()


def set_role(session: Session, user_id: int, role: Role) -> None:
    """Change what a user may do; the last active administrator keeps the role."""
    user = _get(session, user_id)
    if user.role is Role.ADMINISTRATOR and role is not Role.ADMINISTRATOR:
        _refuse_for_last_administrator(session, user)
    user.role = role
    session.flush()


def set_active(session: Session, user_id: int, is_active: bool, *, now: datetime) -> None:
    """Open or close an account; closing signs it out everywhere at once. Nothing of its work is lost."""
    user = _get(session, user_id)
    if not is_active:
        _refuse_for_last_administrator(session, user)
        session.execute(
            update(UserSession)
            .where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        session.execute(delete(Presence).where(Presence.user_id == user_id))
    user.is_active = is_active
    session.flush()


def set_preferences(
    session: Session,
    user_id: int,
    *,
    language: Language | None = None,
    theme: Theme | None = None,
    density: Density | None = None,
    single_keys: bool | None = None,
) -> None:
    """Change how the pages look to one user; what is None stays."""
    user = _get(session, user_id)
    user.language = language or user.language
    user.theme = theme or user.theme
    user.density = density or user.density
    user.single_keys = user.single_keys if single_keys is None else single_keys
    session.flush()


def set_territories(session: Session, user_id: int, territory_ids: Iterable[int]) -> None:
    """Say which PSADs an officer is the correspondent of, replacing what was said before."""
    _get(session, user_id)
    session.execute(delete(OfficerTerritory).where(OfficerTerritory.user_id == user_id))
    for territory_id in sorted(set(territory_ids)):
        session.add(OfficerTerritory(user_id=user_id, territory_id=territory_id))
    session.flush()


def _get(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("user")
    return user


def _check_name(display_name: str) -> None:
    if not 1 <= len(display_name) <= 120:
        raise InvalidInput(
            "Indiquez le nom que verront les collègues, en 120 signes au plus.", field="display_name"
        )


def _refuse_for_last_administrator(session: Session, user: User) -> None:
    if user.role is not Role.ADMINISTRATOR:
        return
    other = session.scalar(
        select(User.id)
        .where(User.role == Role.ADMINISTRATOR, User.is_active.is_(True), User.id != user.id)
        .limit(1)
    )
    if other is None:
        raise NotAllowed(
            "C’est le dernier compte administrateur ; nommez-en un autre d’abord.",
            reason="last_administrator",
        )
