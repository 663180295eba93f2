"""Making an officer's call through the provider: who may, on which line, under which attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from callcentre.errors import NotAllowed, NotFound
from callcentre.outreach import calls
from callcentre.outreach.calls import Caps
from callcentre.outreach.kinds import CallChannel
from callcentre.outreach.models import Attempt
from callcentre.outreach.provider import Provider, ProviderFailure, Receipt
from callcentre.people.models import PhoneNumber
from callcentre.settings import Settings


@dataclass(frozen=True, slots=True)
class Ringing:
    """A call that is about to be asked for: our name of it, and the officer's telephone."""

    uid: str
    line: str


def can_bridge(session: Session, provider: Provider, officer_id: int) -> bool:
    """Tell whether an officer's calls go through the provider: there is one, and they have a telephone on file."""
    return provider.can_call and calls.line_of(session, officer_id) is not None


def own_attempt(session: Session, attempt_id: int, *, officer_id: int) -> Attempt:
    """Return an officer's own attempt; raises NotFound for anybody else's."""
    attempt = session.get(Attempt, attempt_id)
    if attempt is None or attempt.officer_id != officer_id:
        raise NotFound("attempt")
    return attempt


def prepare(
    session: Session,
    attempt_id: int,
    *,
    officer_id: int,
    settings: Settings,
    provider: Provider,
    now: datetime,
) -> Ringing:
    """Open the provider's side of an attempt; raises NotAllowed in words when the officer must dial by hand."""
    attempt = own_attempt(session, attempt_id, officer_id=officer_id)
    line = calls.line_of(session, officer_id)
    if not provider.can_call or line is None:
        raise NotAllowed(
            "Indiquez votre téléphone dans votre compte pour appeler en un clic.", reason="no_line"
        )
    if attempt.disposition is not None or attempt.number_id is None:
        raise NotAllowed("Le résultat de cet appel est déjà enregistré.", reason="attempt_closed")
    if not provider.may_reach(session.get_one(PhoneNumber, attempt.number_id).e164):
        raise NotAllowed("Ce numéro ne peut pas être appelé par la plateforme.", reason="not_reachable")
    caps = Caps(settings.calls_per_hour, settings.calls_per_day)
    call = calls.open_call(session, attempt, CallChannel.BRIDGE, caps=caps, now=now)
    return Ringing(call.uid, line)


def look_for(provider: Provider, line: str) -> Receipt | None:
    """After an unknown result: find the call that may be ringing the officer, rather than ring them twice."""
    try:
        going_on = provider.calls_to(line)
    except ProviderFailure:
        return None
    return going_on[0] if going_on else None
