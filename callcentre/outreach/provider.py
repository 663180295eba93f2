"""What we ask of a telephone provider, whoever it is, and the four ways in which it may fail.

A request either succeeded, was refused for good, certainly did nothing, or nobody knows: only the third may simply be
repeated. No call of this protocol is made inside a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from callcentre.outreach.kinds import Channel

INSIST = "#rc=5&rp=all"
"""Added to the addresses that are called back: five repeats after any failure, where one after some is the default.

It is for the provider alone, and not signed.
"""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message to send. `uid`: our name for it, which comes back in callbacks; `to`: E.164.

    `content`: for WhatsApp, the approved template and its fields that go instead of the text.
    """

    uid: str
    to: str
    body: str
    channel: Channel = Channel.SMS
    content: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """A bridged call: the officer's telephone rings first. `to`: the officer's own number, E.164."""

    uid: str
    to: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider knows of a message or a call. `body` and `created_at` only where they were asked for."""

    sid: str
    status: str
    error_code: int | None = None
    body: str = ""
    created_at: datetime | None = None
    answered_by: str | None = None
    seconds: int | None = None


class ProviderFailure(Exception):
    """Base of what may go wrong with a request; carries no number and no text."""


class Refused(ProviderFailure):
    """The provider will never do it; `code` is its own number for the reason."""

    def __init__(self, code: int) -> None:
        super().__init__(f"refused with {code}")
        self.code = code


class NotSent(ProviderFailure):
    """Certainly nothing happened (too many requests, nobody answered the connection): ask again later."""


class Unknown(ProviderFailure):
    """Nobody knows whether it happened (time-out, connection cut, a fault of theirs): look it up, never just repeat."""


class Provider(Protocol):
    """A telephone provider."""

    @property
    def name(self) -> str:
        """`offline` or `twilio`."""

    @property
    def can_call(self) -> bool:
        """Whether calls can be bridged."""

    @property
    def can_receive(self) -> bool:
        """Whether what people answer reaches us."""

    @property
    def can_whatsapp(self) -> bool:
        """Whether messages can go by WhatsApp."""

    def may_reach(self, number: str) -> bool:
        """Whether a request may ever go to this number (E.164)."""

    def send(self, message: OutgoingMessage) -> Receipt:
        """Send a message once; raises a `ProviderFailure`."""

    def sent_to(self, to: str, channel: Channel) -> list[Receipt]:
        """The latest messages to a number, newest first, with body and instant; raises a `ProviderFailure`."""

    def message(self, sid: str) -> Receipt:
        """What became of a message."""

    def call(self, call: OutgoingCall) -> Receipt:
        """Ring the officer, to bridge them to the person of the attempt; raises a `ProviderFailure`."""

    def calls_to(self, to: str) -> list[Receipt]:
        """The latest calls to a number that have not ended."""

    def call_state(self, sid: str) -> Receipt:
        """What became of a call."""

    def legs_of(self, sid: str) -> list[Receipt]:
        """What became of the calls that a call made."""

    def hang_up(self, sid: str) -> None:
        """End a call; one that has ended already is left alone."""

    def recording(self, sid: str) -> bytes:
        """What a caller left on our voicemail, as WAV; raises a `ProviderFailure`."""

    def softphone_token(self, identity: str) -> str | None:
        """A short-lived pass for the browser's telephone, or None where there is none."""

    def check(self) -> str:
        """Return the account's own name if the credentials are right; raises a `ProviderFailure`."""
