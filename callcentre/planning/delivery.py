"""Sends what is due: marked in one transaction, asked of the provider outside of any, the result kept in another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from callcentre.database import reading, writing
from callcentre.directory.models import Programme as ProgrammeRow
from callcentre.outreach import calls, messages
from callcentre.outreach.kinds import Channel, MessageKind
from callcentre.outreach.message_models import Message
from callcentre.outreach.provider import NotSent, OutgoingMessage, Provider, ProviderFailure, Refused
from callcentre.outreach.sending import Bar
from callcentre.people.models import PhoneNumber
from callcentre.planning import touches
from callcentre.planning import writing as rules
from callcentre.planning.eligibility import stopped
from callcentre.programmes import Programme

RECONCILE_AFTER = timedelta(minutes=15)
"""A message whose end the provider has not told by then is asked about."""


@dataclass(frozen=True)
class Post:
    """What sending needs: the sessions, the programmes by code, and the provider."""

    sessions: sessionmaker[Session]
    programmes: Mapping[str, Programme]
    provider: Provider


@dataclass(frozen=True, slots=True)
class _Parcel:
    message_id: int
    programme_id: int
    number_id: int
    message: OutgoingMessage


def send_due(post: Post, *, now: datetime, limit: int) -> int:
    """Send at most `limit` messages whose time has come; return how many the provider was asked for.

    One at a time, so that a process that is killed leaves one unknown result and not many.
    """
    with writing(post.sessions) as session:
        messages.give_up_abandoned(session, now=now)
    asked = 0
    while asked < limit:
        parcel = _next(post, now)
        if parcel is None:
            break
        asked += 1
        if not _ask(post, parcel, now):
            break  # the provider is down or wants less: the rest waits for the next round
    return asked


def look_up_unknown(post: Post, *, now: datetime, limit: int = 20) -> int:
    """Settle unknown results with what the provider knows; return how many were looked at."""
    with reading(post.sessions) as session:
        rows = messages.to_look_up(session, now=now, limit=limit)
        wanted = [(row.id, _e164(session, row.number_id), Channel(row.channel)) for row in rows]
    for message_id, number, channel in wanted:
        try:
            found = post.provider.sent_to(number, channel)
        except ProviderFailure:
            with writing(post.sessions) as session:
                messages.look_later(session, message_id, now=now)
            break  # it may be down: the others come first in the next round
        with writing(post.sessions) as session:
            messages.looked_up(session, message_id, found, now=now)
    return len(wanted)


def reconcile(post: Post, *, now: datetime, limit: int = 50) -> int:
    """Ask what became of messages whose end nobody told; return how many were asked about."""
    with reading(post.sessions) as session:
        rows = messages.to_reconcile(session, now=now, older_than=RECONCILE_AFTER, limit=limit)
        wanted = [(row.uid, row.provider_sid or "") for row in rows]
    for uid, sid in wanted:
        try:
            known = post.provider.message(sid)
        except Refused:
            continue
        except ProviderFailure:
            break
        with writing(post.sessions) as session:
            told = messages.told(
                session, uid, sid=sid, status=known.status, error_code=known.error_code, now=now
            )
            if told is not None and known.error_code == messages.OPTED_OUT_THERE:
                _ask_again(session, post, told.programme_id, told.number_id, now)
    return len(wanted)


def reconcile_calls(post: Post, *, now: datetime, limit: int = 50) -> int:
    """Ask what became of calls whose end nobody told; return how many were asked about."""
    with reading(post.sessions) as session:
        wanted = [(row.uid, row.parent_sid) for row in calls.to_reconcile(session, now=now, limit=limit)]
    for uid, sid in wanted:
        try:
            officer = post.provider.call_state(sid) if sid else None
            legs = post.provider.legs_of(sid) if sid else []
        except Refused:
            officer, legs = None, []
        except ProviderFailure:
            break
        with writing(post.sessions) as session:
            calls.reconciled(session, uid, officer, legs, now=now)
    return len(wanted)


def _next(post: Post, now: datetime) -> _Parcel | None:
    """Mark the next message that may leave; those that may not are put off or blocked on the way."""
    with writing(post.sessions) as session:
        while True:
            found = messages.due(session, now=now, limit=1)
            if not found:
                return None
            if (parcel := _prepare(session, post, found[0], now)) is not None:
                return parcel


def _prepare(session: Session, post: Post, message: Message, now: datetime) -> _Parcel | None:
    if now > message.not_after:
        messages.postpone(message, until=now, why=message.why or "too_late")
        session.flush()
        return None
    programme = _programme(session, post, message.programme_id)
    people = messages.recipients(session, [message.id])[message.id]
    wanted = tuple(person for person in people if touches.is_wanted(session, message, person))
    kind, channel = MessageKind(message.kind), Channel(message.channel)
    approved = message.content is not None
    ask = rules.Ask(
        message.programme_id,
        kind,
        message.number_id,
        wanted or tuple(people),
        bool(wanted),
        channel,
        approved,
    )
    verdict = rules.judge(session, programme, ask, now=now)
    if message.written_by is None and verdict.bar in (Bar.NO_CONSENT, Bar.WINDOW_CLOSED):
        messages.by_text(message)
        channel = Channel.SMS
        verdict = rules.judge(session, programme, replace(ask, channel=channel, approved=False), now=now)
    if verdict.bar is None:
        messages.begin(session, message, people=verdict.recipients, now=now)
        number = _e164(session, message.number_id)
        outgoing = OutgoingMessage(message.uid, number, message.body, channel, message.content)
        return _Parcel(message.id, message.programme_id, message.number_id, outgoing)
    if verdict.until is not None:
        messages.postpone(message, until=verdict.until, why=verdict.bar.value)
    else:
        messages.block(message, verdict.bar.value)
    session.flush()
    return None


def _ask(post: Post, parcel: _Parcel, now: datetime) -> bool:
    """Ask the provider once and keep the result; False when it is better not to go on now."""
    try:
        receipt = post.provider.send(parcel.message)
    except Refused as error:
        with writing(post.sessions) as session:
            if messages.refused(session, parcel.message_id, error.code, now=now):
                _ask_again(session, post, parcel.programme_id, parcel.number_id, now)
        return True
    except NotSent:
        with writing(post.sessions) as session:
            messages.not_sent(session, parcel.message_id, now=now)
        return False
    except ProviderFailure:
        with writing(post.sessions) as session:
            messages.unknown(session, parcel.message_id, now=now)
        return False
    with writing(post.sessions) as session:
        messages.accepted(session, parcel.message_id, receipt, now=now)
    return True


def _ask_again(session: Session, post: Post, programme_id: int, number_id: int, now: datetime) -> None:
    """Ask again about everybody on a number that turned out to have said stop."""
    programme = _programme(session, post, programme_id)
    stopped(session, programme, programme_id, number_id, now=now)


def _programme(session: Session, post: Post, programme_id: int) -> Programme:
    code = session.scalar(select(ProgrammeRow.code).where(ProgrammeRow.id == programme_id))
    return post.programmes[code or ""]


def _e164(session: Session, number_id: int) -> str:
    return session.get_one(PhoneNumber, number_id).e164
