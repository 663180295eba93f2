"""Without a provider: messages are recorded and shown, calls are made by link, nothing leaves."""

from __future__ import annotations

from callcentre.outreach.kinds import Channel
from callcentre.outreach.provider import OutgoingCall, OutgoingMessage, Receipt, Refused

NO_CALLS = 0
"""The code of what only a provider can do."""


class Offline:
    """Records what would have been sent."""

    name = "offline"
    can_call = False
    can_receive = False
    can_whatsapp = False

    def may_reach(self, number: str) -> bool:
        """Nothing leaves."""
        return False

    def send(self, message: OutgoingMessage) -> Receipt:
        """Say that the message was recorded."""
        return Receipt(sid=f"offline-{message.uid}", status="recorded")

    def sent_to(self, to: str, channel: Channel) -> list[Receipt]:
        """Nothing was ever sent."""
        return []

    def message(self, sid: str) -> Receipt:
        """A recorded message stays recorded."""
        return Receipt(sid=sid, status="recorded")

    def call(self, call: OutgoingCall) -> Receipt:
        """Calls are made by link."""
        raise Refused(NO_CALLS)

    def calls_to(self, to: str) -> list[Receipt]:
        """No call is carried."""
        return []

    def call_state(self, sid: str) -> Receipt:
        """No call is carried."""
        raise Refused(NO_CALLS)

    def legs_of(self, sid: str) -> list[Receipt]:
        """No call is carried."""
        return []

    def hang_up(self, sid: str) -> None:
        """There is nothing to end."""

    def recording(self, sid: str) -> bytes:
        """Nobody can leave a message."""
        raise Refused(NO_CALLS)

    def softphone_token(self, identity: str) -> str | None:
        """There is no telephone in the browser."""
        return None

    def check(self) -> str:
        """There is no account."""
        raise Refused(NO_CALLS)
