"""Who is at work now: every presence expires unless it is renewed by a page that is open and seen."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callcentre.accounts.kinds import PauseReason, PresenceState
from callcentre.accounts.models import Presence
from callcentre.database import UtcDateTime
from callcentre.statements import Prepared

PRESENCE_LIFETIME = timedelta(seconds=120)
"""As long as a lease: a page renews both every thirty seconds while it is visible."""


_SEEN = Prepared(
    text(
        """
        INSERT INTO presences (user_id, state, since, seen_at) VALUES (:user, 'available', :now, :now)
        ON CONFLICT (user_id) DO UPDATE SET seen_at = excluded.seen_at, since = CASE
          WHEN presences.state = 'available' AND presences.seen_at < :gone THEN excluded.since
          ELSE presences.since END
        RETURNING state
        """
    ).bindparams(bindparam("now", type_=UtcDateTime()), bindparam("gone", type_=UtcDateTime()))
)
"""One statement, since every claim and every renewal begins with it; two tabs that arrive at once wait here."""


def seen(session: Session, user_id: int, *, now: datetime) -> PresenceState:
    """Renew an officer's presence and return its state; an expired pause is still a pause."""
    asked = {"user": user_id, "now": now, "gone": now - PRESENCE_LIFETIME}
    return PresenceState(_SEEN.value(session, asked))


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
