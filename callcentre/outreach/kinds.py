"""The enumerations of messages, calls through the provider, and what comes in."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """How a message travels."""

    SMS = "sms"
    WHATSAPP = "whatsapp"


class MessageKind(StrEnum):
    """What a message is for; `ANSWER` replies to what the person wrote and uses up no cap."""

    PRE_NOTICE = "pre_notice"
    UNANSWERED = "unanswered"
    REMINDER = "reminder"
    MANUAL = "manual"
    ANSWER = "answer"


class MessageState(StrEnum):
    """Where a message of ours stands.

    `PLANNED` waits for its time; `SENDING` is being asked of the provider; `SENT` was accepted by it (what became of
    it then is `provider_status`); `UNKNOWN` may or may not have left and is looked up; `TO_CHECK` could not be found
    out; `BLOCKED` must not leave (a stop, a cap, a landline); `CANCELLED` is no longer wanted; `FAILED` was refused.
    """

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    TO_CHECK = "to_check"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED = frozenset(
    {
        MessageState.SENT,
        MessageState.TO_CHECK,
        MessageState.BLOCKED,
        MessageState.CANCELLED,
        MessageState.FAILED,
    }
)
"""States in which nothing more is asked of the provider."""

MESSAGE_RANK = {
    "scheduled": 0, "recorded": 0, "accepted": 1, "queued": 2, "sending": 3, "sent": 4, "delivered": 5,
    "undelivered": 5, "failed": 5, "canceled": 5, "read": 6,
}  # fmt: skip
"""The provider's states of a message in order: a later event of a lower rank changes nothing."""

CALL_RANK = {
    "queued": 0, "initiated": 1, "ringing": 2, "in-progress": 3, "answered": 3, "completed": 4, "busy": 4,
    "failed": 4, "no-answer": 4, "canceled": 4,
}  # fmt: skip
"""The provider's states of a call in order."""


class CallChannel(StrEnum):
    """How an officer's call is made, each the fallback of the one before."""

    SOFTPHONE = "softphone"
    BRIDGE = "bridge"
    LINK = "link"


class EventKind(StrEnum):
    """What the provider tells us about."""

    MESSAGE_STATUS = "message_status"
    INBOUND_MESSAGE = "inbound_message"
    OFFICER_LEG = "officer_leg"
    PERSON_LEG = "person_leg"
    MACHINE = "machine"
    INBOUND_CALL = "inbound_call"
    RECORDING = "recording"


class InboundState(StrEnum):
    """Whether somebody still has to look at what came in."""

    OPEN = "open"
    """In the inbox of the officers."""
    DONE = "done"
    """Acted upon by an officer."""
    AUTOMATIC = "automatic"
    """Understood and acted upon by itself."""


class InboundOutcome(StrEnum):
    """How a call that came in ended; all but `ANSWERED` are called back."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    WANTS_CALL = "wants_call"
    MISSED = "missed"
    CLOSED = "closed"
