"""Tables of messages, the provider's events, what came in, and the calls that the provider carries."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcentre.database import Base, Identifier
from callcentre.outreach.kinds import Channel, InboundState, MessageState


class Message(Base):
    """A message of ours to a number: written before anything is asked of the provider, never deleted.

    One row for each programme, step and number, with all its recipients, so that two siblings on one phone get one
    message. `uid` is our own name for it in the provider's callbacks, which may come before the provider's answer.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("programme_id", "step", "number_id"),
        Index("ix_messages_state_due_at", "state", "due_at"),
        Index("ix_messages_number_id_sent_at", "number_id", "sent_at"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    step: Mapped[str] = mapped_column(String(80))
    """What the message is in the plan, e.g. `unanswered-2`; unique by programme and number."""
    kind: Mapped[str] = mapped_column(String(12))
    channel: Mapped[str] = mapped_column(String(10), default=Channel.SMS)
    number_id: Mapped[int] = mapped_column(ForeignKey("phone_numbers.id"))
    body: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What WhatsApp wants instead of the text: `{"sid": name of an approved template, "variables": its fields}`."""
    written_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """The officer who wrote it; None for a message of the plan."""
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    not_after: Mapped[datetime]
    """When it no longer makes sense and is cancelled instead."""
    state: Mapped[str] = mapped_column(String(10), default=MessageState.PLANNED)
    why: Mapped[str | None] = mapped_column(String(40))
    """The rule or the provider's code that blocked, postponed or failed it."""
    requests: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often the provider was asked to send it."""
    looked_up: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How often it was looked for in vain after an unknown result."""
    requested_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    """When the provider took it."""
    provider_sid: Mapped[str | None] = mapped_column(String(64), unique=True)
    provider_status: Mapped[str | None] = mapped_column(String(20))
    rank: Mapped[int] = mapped_column(SmallInteger, default=-1)
    error_code: Mapped[int | None]


class MessageRecipient(Base):
    """A person whom a message is for."""

    __tablename__ = "message_recipients"
    __table_args__ = (Index("ix_message_recipients_person_id", "person_id"),)

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("young_people.id"), primary_key=True)


class ProviderEvent(Base):
    """Something that the provider told us, once; it carries no number and no text."""

    __tablename__ = "provider_events"
    __table_args__ = (
        UniqueConstraint("kind", "sid", "status", "sequence"),
        Index("ix_provider_events_received_at", "received_at"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    sid: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(20))
    sequence: Mapped[int] = mapped_column(default=0)
    subject: Mapped[str | None] = mapped_column(String(36))
    """Our own name of the message or call, from the address that was called back; None when it is not ours."""
    error_code: Mapped[int | None]
    received_at: Mapped[datetime]
    known: Mapped[bool]
    """False for an event about something that we do not know."""


class WebhookCount(Base):
    """How many requests of the provider were taken or refused on a day, and when the last one came."""

    __tablename__ = "webhook_counts"

    day: Mapped[date] = mapped_column(primary_key=True)
    verdict: Mapped[str] = mapped_column(String(12), primary_key=True)
    """`accepted`, `repeated`, `forged` or `malformed`."""
    number: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime]


class InboundMessage(Base):
    """A message that somebody sent us; acted upon once, or in an inbox until an officer has looked at it."""

    __tablename__ = "inbound_messages"
    __table_args__ = (
        Index("ix_inbound_messages_state", "state", "received_at"),
        Index("ix_inbound_messages_number_id", "number_id", "received_at"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    provider_sid: Mapped[str] = mapped_column(String(64), unique=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    number_id: Mapped[int | None] = mapped_column(ForeignKey("phone_numbers.id"))
    sender: Mapped[str] = mapped_column(String(40))
    """As the provider gave it: a number nobody of ours has, or the name of a company, has no `number_id`."""
    channel: Mapped[str] = mapped_column(String(10), default=Channel.SMS)
    body: Mapped[str] = mapped_column(Text)
    media: Mapped[int] = mapped_column(SmallInteger, default=0)
    """Pictures or recordings that came with it; they are not fetched."""
    received_at: Mapped[datetime]
    meaning: Mapped[str] = mapped_column(String(16))
    certain: Mapped[bool]
    state: Mapped[str] = mapped_column(String(10), default=InboundState.OPEN)
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Whose inbox it is in: who wrote or called last; None for everybody's."""
    handled_at: Mapped[datetime | None]
    handled_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    result: Mapped[dict[str, Any]]
    """What followed: `{"callbacks": [ids], "opt_out": id, "stages": [ids], "people": [ids]}`, as far as it did."""


class ProviderCall(Base):
    """The provider's side of one attempt: the officer's leg and the young person's."""

    __tablename__ = "provider_calls"

    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    officer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    channel: Mapped[str] = mapped_column(String(10))
    opened_at: Mapped[datetime]
    parent_sid: Mapped[str | None] = mapped_column(String(64), unique=True)
    parent_status: Mapped[str | None] = mapped_column(String(20))
    parent_rank: Mapped[int] = mapped_column(SmallInteger, default=-1)
    child_sid: Mapped[str | None] = mapped_column(String(64), unique=True)
    child_status: Mapped[str | None] = mapped_column(String(20))
    child_rank: Mapped[int] = mapped_column(SmallInteger, default=-1)
    accepted_at: Mapped[datetime | None]
    """When the officer pressed the key that calls the young person."""
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    seconds: Mapped[int | None]
    """How long the young person's leg lasted, in seconds."""
    answered_by: Mapped[str | None] = mapped_column(String(24))
    """What the machine detection took it for: a hint only."""
    error_code: Mapped[int | None]


class OfficerLine(Base):
    """The telephone on which an officer is rung for a bridged call."""

    __tablename__ = "officer_lines"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    e164: Mapped[str] = mapped_column(String(16))
    updated_at: Mapped[datetime]


class InboundCall(Base):
    """A call that came in on the single number."""

    __tablename__ = "inbound_calls"
    __table_args__ = (Index("ix_inbound_calls_state", "state", "received_at"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    provider_sid: Mapped[str] = mapped_column(String(64), unique=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programmes.id"))
    number_id: Mapped[int | None] = mapped_column(ForeignKey("phone_numbers.id"))
    caller: Mapped[str | None] = mapped_column(String(40))
    """None when the number is hidden."""
    received_at: Mapped[datetime]
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Who took the call, or whose task it is."""
    outcome: Mapped[str | None] = mapped_column(String(12))
    """`answered`, `wants_call`, `voicemail`, `missed` or `closed`; None while it goes on."""
    ended_at: Mapped[datetime | None]
    recording_sid: Mapped[str | None] = mapped_column(String(64))
    recording_seconds: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(10), default=InboundState.OPEN)
    handled_at: Mapped[datetime | None]
    handled_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class ChannelConsent(Base):
    """That a number agreed to a channel that needs consent of its own (WhatsApp), and when it last wrote there."""

    __tablename__ = "channel_consents"

    number_id: Mapped[int] = mapped_column(ForeignKey("phone_numbers.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(10), primary_key=True)
    given_at: Mapped[datetime]
    given_how: Mapped[str] = mapped_column(String(20))
    """`inbound` when the person wrote first, `officer` when they agreed by voice."""
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    last_inbound_at: Mapped[datetime | None]
    """Free text may be sent for 24 hours after it; later only an approved template."""
    withdrawn_at: Mapped[datetime | None]
