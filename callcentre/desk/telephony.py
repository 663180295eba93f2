"""Making an officer's call through the provider: who may, on which line, under which attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from callcentre.desk.serving import refuse_after_stop
from callcentre.errors import NotAllowed, NotFound
from callcentre.outreach import calls
from callcentre.outreach.calls import Caps
from callcentre.outreach.kinds import CallChannel
from callcentre.outreach.models import Attempt
from callcentre.outreach.provider import Provider, ProviderFailure, Receipt
from callcentre.people.models import PhoneNumber
from callcentre.settings import Settings


@dataclass(frozen=True, slots=True)
class Telephone:
    """What an officer calls with: who they are, what is set up, and the provider."""

    officer_id: int
    settings: Settings
    provider: Provider

    @property
    def has_browser(self) -> bool:
        """Whether it may be the browser."""
        return self.provider.can_call and self.settings.has_softphone


@dataclass(frozen=True, slots=True)
class Ringing:
    """A call that is about to be asked for: our name of it, and the officer's telephone."""

    uid: str
    line: str


def ways(session: Session, telephone: Telephone) -> tuple[CallChannel, ...]:
    """Return how an officer's calls are made, each the fallback of the one before; a link is always there."""
    found: list[CallChannel] = []
    if telephone.has_browser:
        found.append(CallChannel.SOFTPHONE)
    if telephone.provider.can_call and calls.line_of(session, telephone.officer_id) is not None:
        found.append(CallChannel.BRIDGE)
    return (*found, CallChannel.LINK)


def own_attempt(session: Session, attempt_id: int, *, officer_id: int) -> Attempt:
    """Return an officer's own attempt; raises NotFound for anybody else's."""
    attempt = session.get(Attempt, attempt_id)
    if attempt is None or attempt.officer_id != officer_id:
        raise NotFound("attempt")
    return attempt


def prepare(session: Session, attempt_id: int, telephone: Telephone, *, now: datetime) -> Ringing:
    """Open the provider's side of an attempt; raises NotAllowed in words when the officer must dial by hand."""
    line = calls.line_of(session, telephone.officer_id)
    if not telephone.provider.can_call or line is None:
        raise NotAllowed(
            "Indiquez votre téléphone dans votre compte pour appeler en un clic.", reason="no_line"
        )
    return Ringing(_open(session, attempt_id, telephone, CallChannel.BRIDGE, now=now), line)


def prepare_softphone(
    session: Session, attempt_id: int, telephone: Telephone, *, now: datetime
) -> tuple[str, str]:
    """Open the provider's side of an attempt for the browser's telephone; return our name of it and the officer's pass.

    The browser names the attempt and nothing else: its number is looked up when the provider asks whom to ring.
    """
    identity = calls.identity(telephone.officer_id)
    token = telephone.provider.softphone_token(identity) if telephone.has_browser else None
    if token is None:
        raise NotAllowed("Le téléphone du navigateur n’est pas installé ici.", reason="no_softphone")
    return _open(session, attempt_id, telephone, CallChannel.SOFTPHONE, now=now), token


def _open(
    session: Session, attempt_id: int, telephone: Telephone, channel: CallChannel, *, now: datetime
) -> str:
    attempt = own_attempt(session, attempt_id, officer_id=telephone.officer_id)
    if attempt.disposition is not None or attempt.number_id is None:
        raise NotAllowed("Le résultat de cet appel est déjà enregistré.", reason="attempt_closed")
    refuse_after_stop(session, attempt)
    if not telephone.provider.may_reach(session.get_one(PhoneNumber, attempt.number_id).e164):
        raise NotAllowed("Ce numéro ne peut pas être appelé par la plateforme.", reason="not_reachable")
    caps = Caps(telephone.settings.calls_per_hour, telephone.settings.calls_per_day)
    return calls.open_call(session, attempt, channel, caps=caps, now=now).uid


def look_for(provider: Provider, line: str) -> list[Receipt]:
    """After an unknown result: find the call that may be ringing the officer, rather than ring them twice."""
    try:
        return provider.calls_to(line)
    except ProviderFailure:
        return []
