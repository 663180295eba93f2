"""What comes in by message: acted upon at once where its meaning is certain and it is clear who wrote, else shown.

A stop is obeyed whoever uses the number. Everything else needs one person: the only one whom the number reaches, or
the only one whom our last message to it was for. On a guardian's number it is the guardian who writes: no contact with
the young person, and a refusal of theirs stops that number. What is not acted upon waits in the officers' inbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from callcentre import phone
from callcentre.audit import trail
from callcentre.callqueue import entries, turns
from callcentre.callqueue.models import EntryState, Lane, QueueEntry
from callcentre.desk import heard, promises
from callcentre.desk.context import Desk
from callcentre.desk.serving import owner_of
from callcentre.dispositions import NumberSign
from callcentre.funnel import changes
from callcentre.funnel.stages import Refused, Stage, entering
from callcentre.outreach import callbacks, consents, messages
from callcentre.outreach.kinds import Channel, InboundState, MessageKind, MessageState
from callcentre.outreach.message_models import InboundMessage, Message, MessageRecipient
from callcentre.outreach.messages import Draft
from callcentre.outreach.models import Attempt
from callcentre.outreach.replies import CONTACTS, Meaning, Reply, read, wished_at
from callcentre.people import numbers, opt_outs
from callcentre.people.kinds import NumberOwner
from callcentre.people.models import YoungPerson
from callcentre.planning import routes
from callcentre.planning.blocks import call_next
from callcentre.planning.eligibility import hold_rounds, reconsider, stopped
from callcentre.planning.states import states_of, zone_of
from callcentre.retry.plan import never_callable
from callcentre.retry.reasons import ReasonCode, reason
from callcentre.retry.state import PersonState
from callcentre.support import appointments

ANSWERS_FOR = timedelta(days=30)
"""How long after our last message or call an answer belongs to whoever wrote or called."""
ANSWER_LIVES = timedelta(hours=12)
"""An answer of ours that could not be sent by then is no longer sent."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as the provider gave it. `sender`: E.164, or whatever stands for one; `media`: pictures sent along."""

    sid: str
    sender: str
    body: str
    channel: Channel = Channel.SMS
    media: int = 0


@dataclass
class _Done:
    """What followed from a message, kept with it."""

    people: list[int] = field(default_factory=list)
    stages: list[int] = field(default_factory=list)
    opt_out: int | None = None
    callback: int | None = None
    called: bool = False

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value not in (None, [], False)}


@dataclass(frozen=True, slots=True)
class _Case:
    """A message from a number, with what is needed to act upon it."""

    session: Session
    desk: Desk
    reply: Reply
    channel: Channel
    number_id: int
    officer_id: int | None
    now: datetime
    done: _Done


def take_in(session: Session, desk: Desk, incoming: Incoming, *, now: datetime) -> InboundMessage:
    """Take a message in, once for each identifier of the provider, and act upon it as far as that is safe."""
    known = session.scalar(select(InboundMessage).where(InboundMessage.provider_sid == incoming.sid))
    if known is not None:
        return known
    number_id = _number(session, incoming.sender, desk.programme.region)
    people = _people(session, number_id, now)
    zone = zone_of(session, people[0]) if len(people) == 1 else desk.programme.tz
    reply = read(incoming.body, now.astimezone(zone))
    done = _Done(people=people)
    row = InboundMessage(
        provider_sid=incoming.sid,
        programme_id=desk.programme_id,
        number_id=number_id,
        sender=incoming.sender,
        channel=incoming.channel,
        body=incoming.body,
        media=incoming.media,
        received_at=now,
        meaning=reply.meaning,
        certain=reply.certain,
        officer_id=_officer(session, number_id, now),
        result={},
    )
    acted = reply.meaning is Meaning.AUTOMATIC
    if number_id is not None and reply.meaning is not Meaning.WRONG_NUMBER:
        heard.from_number(session, desk, number_id, now=now)
    if number_id is not None and not acted:
        if incoming.channel is Channel.WHATSAPP:
            consents.heard(session, number_id, now=now)
        acted = _act(_Case(session, desk, reply, incoming.channel, number_id, row.officer_id, now, done))
    row.state = InboundState.AUTOMATIC if acted and not incoming.media else InboundState.OPEN
    row.result = done.as_json()
    session.add(row)
    session.flush()
    return row


def _act(case: _Case) -> bool:
    """Do what the message asks for; False when somebody has to read it."""
    meaning = case.reply.meaning
    if meaning is Meaning.OPT_OUT:
        case.done.opt_out = stop(case.session, case.desk, case.number_id, source="message", now=case.now)
        return True
    if meaning is Meaning.OPT_IN:
        return _opt_in(case.session, case.desk, case.number_id, case.now)
    if len(case.done.people) != 1:
        return False
    entry = _entry(case.session, case.desk, case.done.people[0])
    if entry is None:
        return False
    if meaning is Meaning.WRONG_NUMBER:
        return case.reply.certain and _not_theirs(case, entry)
    state = states_of(case.session, case.desk.programme, case.desk.programme_id, [entry.person_id])
    if heard.is_wrong(state[entry.person_id], case.number_id):
        return False  # perhaps a stranger, perhaps the young person after all: an officer reads it
    owner = NumberOwner(owner_of(case.session, entry.person_id, case.number_id))
    if meaning in CONTACTS and owner is NumberOwner.YOUNG_PERSON:
        case.done.stages = _contacted(case.session, case.desk, entry.person_id, case.now)
    return case.reply.certain and _act_for_one(case, entry, state[entry.person_id], owner)


def _not_theirs(case: _Case, entry: QueueEntry) -> bool:
    """Set the number aside for the person whose it is not."""
    session, desk, person_id = case.session, case.desk, entry.person_id
    numbers.judge(
        session, person_id=person_id, number_id=case.number_id, sign=NumberSign.STRANGER, now=case.now
    )
    reconsider(session, desk.programme, desk.programme_id, [person_id], now=case.now)
    return True


def _act_for_one(case: _Case, entry: QueueEntry, state: PersonState, owner: NumberOwner) -> bool:
    session, desk, now, meaning = case.session, case.desk, case.now, case.reply.meaning
    asks = meaning in (Meaning.CALLBACK, Meaning.INTEREST)
    if asks and never_callable(state, desk.policy, number_id=case.number_id, now=now) is not None:
        return False  # a call that would be refused is not promised
    if entry.state != EntryState.OPEN and meaning is not Meaning.REFUSAL:
        if "inbound" not in (entry.reopened_by or "").split():
            return False
        entries.reopen(session, entry, now=now)
    if entry.state != EntryState.OPEN and entry.closed_reason not in routes.IN_ROUND:
        return False  # nobody calls them or looks for them: there is nothing to pause
    if appointments.planned_for(session, desk.programme_id, entry.person_id, after=now):
        return False  # "yes" and "no" answer the reminder of an appointment: an officer reads them
    match meaning:
        case Meaning.CALLBACK if not case.reply.wish.is_vague:
            _promise(case, entry)
        case Meaning.CALLBACK | Meaning.INTEREST:
            why = reason(ReasonCode.REPLIED)
            call_next(session, desk.programme, entry, Lane.REPLY, why, number_id=case.number_id, now=now)
            case.done.called = True
        case Meaning.REFUSAL if owner is NumberOwner.YOUNG_PERSON:
            _pause(case, entry)
        case Meaning.REFUSAL if owner is NumberOwner.GUARDIAN:
            _refused_by_guardian(case, entry)
        case _:
            return False
    return True


def stop(
    session: Session,
    desk: Desk,
    number_id: int,
    *,
    source: str,
    now: datetime,
    person_id: int | None = None,
) -> int:
    """Stop everything on a number, for everybody whom it reaches, within this transaction; return the opt-out's id.

    `person_id`: whom a guardian's refusal is about.
    """
    opt_out_id = opt_outs.opt_out(session, number_id=number_id, source=source, person_id=person_id, now=now)
    consents.withdraw(session, number_id, now=now)
    messages.cancel_for_number(session, number_id)
    for person_id in stopped(session, desk.programme, desk.programme_id, number_id, now=now):
        entry = _entry(session, desk, person_id)
        if entry is not None and entry.state == EntryState.OPEN:
            promises.restore(session, desk, entry, now=now)
    return opt_out_id


def _opt_in(session: Session, desk: Desk, number_id: int, now: datetime) -> bool:
    """Take back a stop that this very number had sent; nobody else's, and no opposition."""
    if not opt_outs.opt_back_in(session, number_id, now=now):
        return False
    reached = opt_outs.people_reached_by(session, number_id)
    for person_id in sorted(reached):
        for entry in entries.closed_by(session, person_id, "opted_out"):
            entries.reopen(session, entry, now=now)
    reconsider(session, desk.programme, desk.programme_id, reached, now=now)
    return True


def _promise(case: _Case, entry: QueueEntry) -> None:
    """Promise the hour asked for, or the nearest permitted one, and say so in answer."""
    session, desk, now = case.session, case.desk, case.now
    zone = zone_of(session, entry.person_id)
    wished = wished_at(case.reply.wish, now.astimezone(zone))
    at = desk.policy.hours.nearest_open(wished, zone, not_before=now) or wished
    callback = callbacks.promise(
        session,
        programme_id=desk.programme_id,
        entry_id=entry.id,
        person_id=entry.person_id,
        promised_at=at,
        by=case.officer_id,
        officer_id=case.officer_id,
        number_id=case.number_id,
        attempt_id=None,
        note=None,
        now=now,
    )
    promises.put(session, desk, entry, callback, at)
    case.done.callback = callback.id
    person = session.get_one(YoungPerson, entry.person_id)
    answer(
        session,
        desk,
        case.number_id,
        promises.confirmation(desk, at.astimezone(zone), asked=at == wished, language=person.language),
        step=f"promise-{callback.id}",
        people=[entry.person_id],
        channel=case.channel,
        now=now,
    )


def _pause(case: _Case, entry: QueueEntry) -> None:
    """Leave the person in peace for as long as a soft refusal lasts, in every programme, by calls and by other ways.

    Another programme plans them anew, by its own rules, once the pause is over.
    """
    session, desk, now = case.session, case.desk, case.now
    until = now + desk.policy.limits.soft_refusal
    for place in entries.open_ones(session, entry.person_id):
        place.paused_until = max(until, place.paused_until or until)
        callbacks.cancel(session, person_id=place.person_id, programme_id=place.programme_id, now=now)
        if place.programme_id != desk.programme_id:
            entries.look_again(place, at=place.paused_until)
    for left_as in routes.IN_ROUND:
        for place in entries.closed_by(session, entry.person_id, left_as):
            place.paused_until = max(until, place.paused_until or until)
    hold_rounds(session, entry.person_id, until=until)
    turns.withdraw(session, entry.person_id)
    messages.cancel_for_person(session, entry.person_id)
    reconsider(session, desk.programme, desk.programme_id, [entry.person_id], now=now)


def _refused_by_guardian(case: _Case, entry: QueueEntry) -> None:
    """Stop a guardian's number; a supervisor decides what it means for the young person."""
    session, person_id = case.session, entry.person_id
    case.done.opt_out = stop(
        session, case.desk, case.number_id, source="guardian", person_id=person_id, now=case.now
    )
    trail.record(session, "guardian_refused", "person", person_id, by=None, now=case.now)


def answer(
    session: Session,
    desk: Desk,
    number_id: int,
    body: str,
    *,
    step: str,
    people: list[int],
    channel: Channel,
    now: datetime,
    by: int | None = None,
) -> int:
    """Write an answer to what a number sent us; it leaves at once, unless the number opted out."""
    draft = Draft(
        programme_id=desk.programme_id,
        step=step,
        kind=MessageKind.ANSWER,
        number_id=number_id,
        body=body,
        recipients=tuple(people),
        due_at=now,
        not_after=now + ANSWER_LIVES,
        channel=channel,
        written_by=by,
    )
    return messages.write(session, draft, now=now)


def _contacted(session: Session, desk: Desk, person_id: int, now: datetime) -> list[int]:
    held = changes.held_changes(session, programme_id=desk.programme_id, person_id=person_id)
    if isinstance(entering(Stage.CONTACTED, held), Refused):
        return []
    return changes.advance(
        session,
        programme_id=desk.programme_id,
        person_id=person_id,
        stage=Stage.CONTACTED,
        at=now,
        now=now,
        cause="message",
    )


def _number(session: Session, sender: str, region: str) -> int | None:
    """Return the sender's number, known or new: a stop from a stranger's must hold when a list brings it later."""
    parsed = phone.parse(sender, region)
    return None if parsed.e164 is None else numbers.number_row(session, parsed.e164, parsed.kind.value).id


def _people(session: Session, number_id: int | None, now: datetime) -> list[int]:
    """Return whom a message is from, as far as can be told: several when several people use the number.

    Those for whom the number proved wrong only when it is nobody else's.
    """
    if number_id is None:
        return []
    reached = opt_outs.people_reached_by(session, number_id)
    reached = reached - numbers.wrong_for(session, number_id) or reached
    if len(reached) > 1:
        reached = reached & _written_to(session, number_id, now) or reached
    return sorted(reached)


def _written_to(session: Session, number_id: int, now: datetime) -> set[int]:
    """Return whom our last message to a number was for; nobody once it is old, or somebody else was called there."""
    last = session.scalar(
        select(Message)
        .where(
            Message.number_id == number_id,
            Message.state == MessageState.SENT,
            Message.sent_at > now - ANSWERS_FOR,
        )
        .order_by(Message.sent_at.desc(), Message.id.desc())
        .limit(1)
    )
    if last is None:
        return set()
    written = set(
        session.scalars(select(MessageRecipient.person_id).where(MessageRecipient.message_id == last.id))
    )
    called = select(Attempt.person_id).where(
        Attempt.number_id == number_id, Attempt.started_at >= last.sent_at
    )
    return written if written.issuperset(session.scalars(called)) else set()


def _officer(session: Session, number_id: int | None, now: datetime) -> int | None:
    """Return who called or wrote to the number last: the answer is shown to them first."""
    if number_id is None:
        return None
    since = now - ANSWERS_FOR
    called = select(Attempt.officer_id.label("officer"), Attempt.started_at.label("at")).where(
        Attempt.number_id == number_id, Attempt.started_at > since
    )
    wrote = select(Message.written_by, Message.sent_at).where(
        Message.number_id == number_id, Message.written_by.is_not(None), Message.sent_at > since
    )
    both = union_all(called, wrote).subquery()
    return session.scalar(select(both.c.officer).order_by(both.c.at.desc()).limit(1))


def _entry(session: Session, desk: Desk, person_id: int) -> QueueEntry | None:
    return session.scalar(
        select(QueueEntry).where(
            QueueEntry.programme_id == desk.programme_id, QueueEntry.person_id == person_id
        )
    )
