"""Messages from the plan to the provider and back: the row first, then the request, then what became of it.

A request that may or may not have been processed is never simply repeated: the message is looked up by its number and
text, adopted when it is found, sent once more only after it was looked for twice in vain, and else left to a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, case, delete, func, select, update
from sqlalchemy.orm import Session

from callcentre.bulk import insert_rows
from callcentre.outreach.kinds import MESSAGE_RANK, Channel, MessageKind, MessageState
from callcentre.outreach.message_models import Message, MessageRecipient
from callcentre.outreach.provider import Receipt
from callcentre.people import opt_outs

OPTED_OUT_THERE = 21610
"""The provider's code for a number that told it to stop: our own list takes that over."""
LOOK_AFTER = timedelta(seconds=60)
"""How long after an unknown result the message is looked for."""
LOOKS = 2
"""How often it is looked for in vain before it is sent once more."""
REQUESTS = 2
"""Requests that may have reached the provider, at most; after them a person decides."""
ABANDONED_AFTER = timedelta(seconds=90)
"""A request without a result for so long was cut off with its process: its result is unknown."""
LATER = timedelta(minutes=1)
"""How long to wait when the provider certainly did nothing."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to write down: who, what, from when, until when. `recipients`: person ids."""

    programme_id: int
    step: str
    kind: MessageKind
    number_id: int
    body: str
    recipients: tuple[int, ...]
    due_at: datetime
    not_after: datetime
    channel: Channel = Channel.SMS
    content: dict[str, Any] | None = None
    written_by: int | None = None


def write(session: Session, draft: Draft, *, now: datetime) -> int:
    """Write a message down, once for each programme, step and number; return its id.

    Somebody else on the same number becomes a recipient of the message that stands; one that was held back before the
    provider was asked is planned again for them.
    """
    row = {
        "uid": str(uuid4()),
        "programme_id": draft.programme_id,
        "step": draft.step,
        "kind": draft.kind.value,
        "channel": draft.channel.value,
        "content": draft.content,
        "number_id": draft.number_id,
        "body": draft.body,
        "written_by": draft.written_by,
        "created_at": now,
        "due_at": draft.due_at,
        "not_after": draft.not_after,
        "state": MessageState.PLANNED.value,
        "requests": 0,
        "looked_up": 0,
        "rank": -1,
    }
    insert_rows(session, Message.__table__, [row], skip_known=True)
    message_id = session.scalar(
        select(Message.id).where(
            Message.programme_id == draft.programme_id,
            Message.step == draft.step,
            Message.number_id == draft.number_id,
        )
    )
    assert message_id is not None
    newcomers = sorted(set(draft.recipients).difference(recipients(session, [message_id])[message_id]))
    if newcomers:
        _plan_again(session, message_id, draft)
    people = [{"message_id": message_id, "person_id": person} for person in newcomers]
    insert_rows(session, MessageRecipient.__table__, people, skip_known=True)
    return message_id


def _plan_again(session: Session, message_id: int, draft: Draft) -> None:
    """Plan anew, in the words of a draft, a message that never left: it was held back for others on the number."""
    session.execute(
        update(Message)
        .where(
            Message.id == message_id,
            Message.state.in_((MessageState.BLOCKED, MessageState.CANCELLED)),
            Message.requests == 0,
        )
        .values(
            state=MessageState.PLANNED,
            why=None,
            channel=draft.channel.value,
            content=draft.content,
            body=draft.body,
            due_at=draft.due_at,
            not_after=draft.not_after,
        )
    )


def body_of(session: Session, programme_id: int, step: str) -> str | None:
    """Return the words that were written down for a step, or None when there are none yet."""
    return session.scalar(
        select(Message.body).where(Message.programme_id == programme_id, Message.step == step).limit(1)
    )


def counted_at() -> ColumnElement[datetime]:
    """From when a message counts for the caps: one that may have left counts like one that did; NULL for the others."""
    may_have_left = Message.state.in_((MessageState.SENDING, MessageState.UNKNOWN, MessageState.TO_CHECK))
    return func.coalesce(Message.sent_at, case((may_have_left, Message.requested_at)))


def due(session: Session, *, now: datetime, limit: int) -> list[Message]:
    """Return planned messages whose time has come, oldest first; locked, so that two workers do not share one."""
    query = (
        select(Message)
        .where(Message.state == MessageState.PLANNED, Message.due_at <= now)
        .order_by(Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(query))


def recipients(session: Session, message_ids: Collection[int]) -> dict[int, list[int]]:
    """Return the person ids of each message."""
    found: dict[int, list[int]] = {message_id: [] for message_id in message_ids}
    rows = session.execute(
        select(MessageRecipient.message_id, MessageRecipient.person_id)
        .where(MessageRecipient.message_id.in_(list(message_ids)))
        .order_by(MessageRecipient.person_id)
    )
    for message_id, person_id in rows:
        found[message_id].append(person_id)
    return found


def begin(session: Session, message: Message, *, people: Iterable[int], now: datetime) -> None:
    """Note that the provider is about to be asked; whom the rules left out is no recipient any more."""
    message.state, message.why = MessageState.SENDING, None
    message.requests += 1
    message.requested_at = now
    session.execute(
        delete(MessageRecipient).where(
            MessageRecipient.message_id == message.id, MessageRecipient.person_id.not_in(list(people))
        )
    )
    session.flush()


def postpone(message: Message, *, until: datetime, why: str) -> None:
    """Let a message wait; one that would no longer make sense is cancelled."""
    if until > message.not_after:
        message.state, message.why = MessageState.CANCELLED, why
    else:
        message.due_at, message.why = until, why


def by_text(message: Message) -> None:
    """Let a message go as a text: WhatsApp is barred to it."""
    message.channel, message.content = Channel.SMS.value, None


def block(message: Message, why: str) -> None:
    """A message that must not leave."""
    message.state, message.why = MessageState.BLOCKED, why


def accepted(session: Session, message_id: int, receipt: Receipt, *, now: datetime) -> None:
    """The provider took it; a callback may have told so before."""
    message = session.get_one(Message, message_id, with_for_update=True)
    message.provider_sid = receipt.sid
    if message.state != MessageState.SENT:
        message.state, message.sent_at = MessageState.SENT, now
    _apply(message, receipt.status, receipt.error_code)
    session.flush()


def refused(session: Session, message_id: int, code: int, *, now: datetime) -> bool:
    """The provider will not send it; True when the number had opted out there, which is then our rule too."""
    message = session.get_one(Message, message_id, with_for_update=True)
    message.state, message.error_code, message.why = MessageState.FAILED, code, str(code)
    if code != OPTED_OUT_THERE:
        session.flush()
        return False
    message.state, message.why = MessageState.BLOCKED, "opted_out"
    opt_outs.opt_out(session, number_id=message.number_id, source="provider", now=now)
    cancel_for_number(session, message.number_id)
    session.flush()
    return True


def not_sent(session: Session, message_id: int, *, now: datetime) -> None:
    """Nothing happened: it waits its turn again."""
    message = session.get_one(Message, message_id, with_for_update=True)
    if message.state == MessageState.SENDING:
        message.requests -= 1
        message.state = MessageState.PLANNED
        postpone(message, until=now + LATER, why="provider_busy")
    session.flush()


def unknown(session: Session, message_id: int, *, now: datetime) -> None:
    """Nobody knows: it is looked up in a while."""
    message = session.get_one(Message, message_id, with_for_update=True)
    if message.state == MessageState.SENDING:  # a callback may have settled it meanwhile
        message.state, message.due_at, message.why = MessageState.UNKNOWN, now + LOOK_AFTER, "unknown"
    session.flush()


def give_up_abandoned(session: Session, *, now: datetime) -> int:
    """Requests cut off with their process have an unknown result; return how many."""
    cut = session.execute(
        update(Message)
        .where(Message.state == MessageState.SENDING, Message.requested_at < now - ABANDONED_AFTER)
        .values(state=MessageState.UNKNOWN, due_at=now, why="unknown")
        .returning(Message.id)
    ).all()
    return len(cut)


def to_look_up(session: Session, *, now: datetime, limit: int) -> list[Message]:
    """Return the messages whose result is unknown and whose time to be looked for has come."""
    query = (
        select(Message)
        .where(Message.state == MessageState.UNKNOWN, Message.due_at <= now)
        .order_by(Message.due_at, Message.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def looked_up(session: Session, message_id: int, found: Sequence[Receipt], *, now: datetime) -> None:
    """Settle an unknown result with what the provider has for the number: adopt, send once more, or ask a person."""
    message = session.get_one(Message, message_id, with_for_update=True)
    if message.state != MessageState.UNKNOWN:
        return
    asked = message.requested_at or message.created_at
    known = set(
        session.scalars(
            select(Message.provider_sid).where(Message.provider_sid.in_([one.sid for one in found]))
        )
    )
    mine = [
        one
        for one in found
        if one.sid not in known
        and (one.body == message.body or message.content is not None)
        and (one.created_at is None or one.created_at >= asked - LOOK_AFTER)
    ]
    if mine:
        accepted(session, message_id, mine[-1], now=now)
        return
    message.looked_up += 1
    if message.looked_up < LOOKS:
        message.due_at = now + LOOK_AFTER
    elif message.requests < REQUESTS and now <= message.not_after:
        message.state, message.due_at, message.looked_up = MessageState.PLANNED, now, 0
    else:
        message.state, message.why = MessageState.TO_CHECK, "not_found"
    session.flush()


def look_later(session: Session, message_id: int, *, now: datetime) -> None:
    """The provider did not say what it has for the number: others are looked for before it is again."""
    message = session.get_one(Message, message_id, with_for_update=True)
    if message.state == MessageState.UNKNOWN:
        message.due_at = now + LOOK_AFTER
    session.flush()


def told(
    session: Session, uid: str, *, sid: str, status: str, error_code: int | None, now: datetime
) -> Message | None:
    """Take in a callback about a message of ours: only a higher rank changes its state. None for one not ours.

    Whatever became of the request here, it has left: it is not sent again.

    The code of a stop that only the provider knew makes it our own; the caller asks about its people again.
    """
    message = session.scalar(select(Message).where(Message.uid == uid).with_for_update())
    if message is None:
        return None
    if message.provider_sid is None:
        message.provider_sid = sid
    if message.state != MessageState.SENT:
        # it overtook the answer, or comes after we had given up: what the provider tells of, it has taken
        message.state, message.why = MessageState.SENT, None
    if message.sent_at is None:
        message.sent_at = now
    if message.provider_sid == sid:
        _apply(message, status, error_code)
    if error_code == OPTED_OUT_THERE:
        opt_outs.opt_out(session, number_id=message.number_id, source="provider", now=now)
        cancel_for_number(session, message.number_id)
    session.flush()
    return message


def cancel_for_number(session: Session, number_id: int) -> int:
    """Block what is planned for a number that opted out; return how many."""
    stopped = session.execute(
        update(Message)
        .where(Message.number_id == number_id, Message.state == MessageState.PLANNED)
        .values(state=MessageState.BLOCKED, why="opted_out")
        .returning(Message.id)
    ).all()
    return len(stopped)


def cancel_for_person(
    session: Session, person_id: int, *, kinds: Collection[MessageKind] = tuple(MessageKind)
) -> int:
    """Cancel what is planned for a person and nobody else; return how many."""
    alone = (
        select(MessageRecipient.message_id)
        .group_by(MessageRecipient.message_id)
        .having(func.min(MessageRecipient.person_id) == person_id, func.count() == 1)
    )
    stopped = session.execute(
        update(Message)
        .where(
            Message.id.in_(alone),
            Message.state == MessageState.PLANNED,
            Message.kind.in_([kind.value for kind in kinds]),
        )
        .values(state=MessageState.CANCELLED, why="no_longer_wanted")
        .returning(Message.id)
    ).all()
    return len(stopped)


def to_reconcile(session: Session, *, now: datetime, older_than: timedelta, limit: int) -> list[Message]:
    """Return messages that the provider took and whose end it never told; oldest first."""
    open_ = [
        status
        for status, rank in MESSAGE_RANK.items()
        if rank < MESSAGE_RANK["sent"] and status != "recorded"
    ]
    query = (
        select(Message)
        .where(
            Message.state == MessageState.SENT,
            Message.provider_status.in_(open_),
            Message.sent_at < now - older_than,
            Message.sent_at > now - timedelta(days=3),
        )
        .order_by(Message.sent_at)
        .limit(limit)
    )
    return list(session.scalars(query))


def _apply(message: Message, status: str, error_code: int | None) -> None:
    """Let a state of the provider stand if it ranks higher than what is known; a code once known is kept."""
    rank = MESSAGE_RANK.get(status, -1)
    if rank > message.rank:
        message.provider_status, message.rank = status, rank
        if error_code is not None:
            message.error_code = error_code
    elif rank == message.rank and message.error_code is None:
        message.error_code = error_code
