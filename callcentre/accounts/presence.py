"""Who is at work now: every presence expires unless it is renewed by a page that is open and seen."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callcentre.accounts.kinds import PauseReason, PresenceState
from callcentre.accounts.models import Presence

PRESENCE_LIFETIME = timedelta(seconds=120)
"""As long as a lease: a page renews both every thirty seconds while it is visible."""


def seen(session: Session, user_id: int, *, now: datetime) -> PresenceState:
    """Renew an officer's presence and return its state; an expired pause is still a pause."""
    presence = session.get(Presence, user_id)
    if presence is None:
        presence = _enter(session, user_id, PresenceState.AVAILABLE, now)
    elif presence.state is PresenceState.AVAILABLE and presence.seen_at < now - PRESENCE_LIFETIME:
        presence.since = now
    presence.seen_at = now
    session.flush()
    return presence.state


def pause(session: Session, user_id: int, reason: PauseReason, *, now: datetime) -> None:
    """Stop serving an officer until `resume`; pausing again only changes the reason."""
    presence = session.get(Presence, user_id) or _enter(session, user_id, PresenceState.PAUSED, now)
    if presence.state is not PresenceState.PAUSED:
        presence.state, presence.since = PresenceState.PAUSED, now
    presence.reason, presence.seen_at = reason, now
    session.flush()


def resume(session: Session, user_id: int, *, now: datetime) -> None:
    """Serve an officer again."""
    presence = session.get(Presence, user_id) or _enter(session, user_id, PresenceState.AVAILABLE, now)
    if presence.state is not PresenceState.AVAILABLE:
        presence.state, presence.reason, presence.since = PresenceState.AVAILABLE, None, now
    presence.seen_at = now
    session.flush()


def leave(session: Session, user_id: int) -> None:
    """End a presence at once, on signing out."""
    session.execute(delete(Presence).where(Presence.user_id == user_id))


def _enter(session: Session, user_id: int, state: PresenceState, now: datetime) -> Presence:
    presence = Presence(user_id=user_id, state=state, reason=None, since=now, seen_at=now)
    try:
        with session.begin_nested():
            session.add(presence)
    except IntegrityError:  # two tabs arrived at once: the other one has entered
        return session.get_one(Presence, user_id, populate_existing=True)
    return presence
