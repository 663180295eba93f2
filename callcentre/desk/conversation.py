"""What was written to and from somebody's numbers, and what waits in the inbox."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from callcentre.accounts.models import User
from callcentre.callqueue.models import QueueEntry
from callcentre.desk.context import Desk
from callcentre.errors import NotFound
from callcentre.outreach.kinds import Channel, InboundOutcome, InboundState, MessageState
from callcentre.outreach.message_models import InboundCall, InboundMessage, Message, MessageRecipient
from callcentre.people.models import PersonNumber, YoungPerson
from callcentre.programmes import ContactConfig

LEFT = frozenset(InboundOutcome) - {InboundOutcome.ANSWERED}
"""How a call ended that nobody took."""
SHOWN = 30
"""Lines of a conversation, and things of the inbox, at most."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message. `state` of ours: where it stands; `by`: the officer who wrote it, None for one of the plan."""

    at: datetime
    ours: bool
    body: str
    channel: Channel
    number_id: int | None
    state: str = ""
    status: str | None = None
    why: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person who may have written or called."""

    person_id: int
    first_name: str
    family_name: str
    in_queue: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that came in and that somebody has to look at; `mine` when the asking officer called or wrote last."""

    kind: str
    """`message`, `voicemail`, `missed`, `wants_call`, `closed`, or `answered` by the asking officer."""
    id: int
    at: datetime
    sender: str | None
    number_id: int | None
    body: str
    meaning: str
    media: int
    mine: bool
    people: tuple[Somebody, ...]
    lines: tuple[Line, ...]
    seconds: int | None = None
    contact: ContactConfig | None = None
    """The school or partner of the directory whose number it is."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many things wait in the inbox, and how many of them for the asking officer first."""

    everybody: int
    mine: int


def conversation(session: Session, person_id: int, *, limit: int = SHOWN) -> list[Line]:
    """Return what was written to and from a person, the oldest of the latest first."""
    numbers = list(session.scalars(select(PersonNumber.number_id).where(PersonNumber.person_id == person_id)))
    written = select(MessageRecipient.message_id).where(MessageRecipient.person_id == person_id)
    return _lines(session, numbers, or_(Message.id.in_(written), Message.number_id.in_(numbers)), limit)


def inbox(session: Session, desk: Desk, *, officer_id: int) -> list[Waiting]:
    """Return what waits: the asking officer's first, then everybody's, the oldest first."""
    messages = session.scalars(
        select(InboundMessage)
        .where(_waits(desk, officer_id)[0])
        .order_by(InboundMessage.received_at)
        .limit(SHOWN)
    ).all()
    calls = session.scalars(
        select(InboundCall).where(_waits(desk, officer_id)[1]).order_by(InboundCall.received_at).limit(SHOWN)
    ).all()
    waiting = [_message(session, desk, row, officer_id) for row in messages]
    waiting += [_call(session, desk, row, officer_id) for row in calls]
    return sorted(waiting, key=lambda one: (one.kind != InboundOutcome.ANSWERED, not one.mine, one.at))


def waiting_count(session: Session, desk: Desk, *, officer_id: int) -> Count:
    """Return how many things wait in the inbox."""
    messages, calls = _waits(desk, officer_id)
    everybody = mine = 0
    for whose, waits in ((InboundMessage.officer_id, messages), (InboundCall.officer_id, calls)):
        own = func.sum(case((whose == officer_id, 1), else_=0))
        found, owned = session.execute(select(func.count(), own).where(waits)).one()
        everybody, mine = everybody + found, mine + int(owned or 0)
    return Count(everybody, mine)


def _waits(desk: Desk, officer_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What waits of messages and of calls; a call that an officer took is theirs until they have dealt with it."""
    taken = (InboundCall.outcome == InboundOutcome.ANSWERED) & (InboundCall.officer_id == officer_id)
    return (
        and_(InboundMessage.programme_id == desk.programme_id, InboundMessage.state == InboundState.OPEN),
        and_(
            InboundCall.programme_id == desk.programme_id,
            InboundCall.state == InboundState.OPEN,
            or_(InboundCall.outcome.in_(LEFT), taken),
        ),
    )


def recording_of(session: Session, desk: Desk, call_id: int) -> str:
    """The provider's name of what a caller left on the voicemail; raises NotFound."""
    row = session.get(InboundCall, call_id)
    if row is None or row.programme_id != desk.programme_id or row.recording_sid is None:
        raise NotFound("recording")
    return row.recording_sid


def settle(session: Session, kind: str, row_id: int, *, by: int, now: datetime) -> None:
    """Take something out of the inbox; doing it twice does nothing more."""
    row: InboundMessage | InboundCall | None
    row = session.get(InboundMessage, row_id) if kind == "message" else session.get(InboundCall, row_id)
    if row is None:
        raise NotFound("inbox")
    if row.state == InboundState.OPEN:
        row.state, row.handled_by, row.handled_at = InboundState.DONE, by, now
    session.flush()


def _message(session: Session, desk: Desk, row: InboundMessage, officer_id: int) -> Waiting:
    numbers = [] if row.number_id is None else [row.number_id]
    return Waiting(
        kind="message",
        id=row.id,
        at=row.received_at,
        sender=row.sender,
        number_id=row.number_id,
        body=row.body,
        meaning=row.meaning,
        media=row.media,
        mine=row.officer_id == officer_id,
        people=tuple(_people(session, numbers, row.programme_id)),
        lines=tuple(_lines(session, numbers, Message.number_id.in_(numbers), 8)),
        contact=desk.programme.contact_of(row.sender),
    )


def _call(session: Session, desk: Desk, row: InboundCall, officer_id: int) -> Waiting:
    numbers = [] if row.number_id is None else [row.number_id]
    return Waiting(
        kind=row.outcome or InboundOutcome.MISSED,
        id=row.id,
        at=row.received_at,
        sender=row.caller,
        number_id=row.number_id,
        body="",
        meaning="",
        media=0,
        mine=row.officer_id == officer_id,
        people=tuple(_people(session, numbers, row.programme_id)),
        lines=tuple(_lines(session, numbers, Message.number_id.in_(numbers), 4)),
        seconds=row.recording_seconds if row.recording_sid else None,
        contact=desk.programme.contact_of(row.caller),
    )


def _people(session: Session, numbers: Collection[int], programme_id: int) -> Iterable[Somebody]:
    rows = session.execute(
        select(YoungPerson.id, YoungPerson.first_name, YoungPerson.family_name, QueueEntry.state)
        .join(PersonNumber, PersonNumber.person_id == YoungPerson.id)
        .outerjoin(
            QueueEntry, (QueueEntry.person_id == YoungPerson.id) & (QueueEntry.programme_id == programme_id)
        )
        .where(PersonNumber.number_id.in_(numbers))
        .order_by(YoungPerson.sort_name)
    )
    for person_id, first_name, family_name, state in rows:
        yield Somebody(person_id, first_name, family_name, state is not None)


def _lines(session: Session, numbers: Collection[int], ours: ColumnElement[bool], limit: int) -> list[Line]:
    sent = session.execute(
        select(Message, User.display_name)
        .outerjoin(User, User.id == Message.written_by)
        .where(ours)
        .order_by(Message.created_at.desc())
        .limit(limit)
    )
    lines = [
        Line(
            at=message.sent_at or message.due_at,
            ours=True,
            body=message.body,
            channel=Channel(message.channel),
            number_id=message.number_id,
            state=MessageState(message.state).value,
            status=message.provider_status,
            why=message.why,
            by=name,
        )
        for message, name in sent
    ]
    came = session.scalars(
        select(InboundMessage)
        .where(InboundMessage.number_id.in_(numbers))
        .order_by(InboundMessage.received_at.desc())
        .limit(limit)
    )
    lines += [Line(row.received_at, False, row.body, Channel(row.channel), row.number_id) for row in came]
    return sorted(lines, key=lambda line: line.at)[-limit:]
