"""Messages that belong to the plan of calls: a notice before the first, a word after the n-th in vain, a reminder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Select, String, cast, false, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.directory import queries as directory
from callcentre.dispositions import RetryKind
from callcentre.outreach import consents, messages
from callcentre.outreach.kinds import Channel, MessageKind
from callcentre.outreach.message_models import Message, MessageRecipient
from callcentre.outreach.messages import Draft
from callcentre.outreach.models import Attempt
from callcentre.people.kinds import SET_ASIDE, NumberOwner
from callcentre.people.models import OptOut, PersonNumber, PhoneNumber, YoungPerson
from callcentre.phone import NumberKind
from callcentre.planning.policies import policy_of
from callcentre.planning.writing import Sender, content_of, text_of
from callcentre.programmes import MessageConfig, Programme
from callcentre.retry.windows import CallingHours
from callcentre.support.kinds import AppointmentState
from callcentre.support.models import Appointment

AT_ONCE = 500
"""Messages written in one go at most."""
UNANSWERED_DAYS = timedelta(days=3)
"""A word after an unanswered call goes within so many days of it, or not at all."""
REMINDED_BEFORE = timedelta(hours=1)
"""A reminder leaves so long before the appointment, or not at all."""
_IN_VAIN = tuple(
    kind.value for kind in (RetryKind.NO_ANSWER, RetryKind.BUSY, RetryKind.TECHNICAL, RetryKind.THIRD_PARTY)
)


@dataclass(frozen=True, slots=True)
class _Touch:
    person_id: int
    step: str
    due_at: datetime
    not_after: datetime
    at: datetime | None = None


def plan_touches(
    session: Session,
    programme: Programme,
    programme_id: int,
    *,
    sender: Sender,
    now: datetime,
    at_once: int = AT_ONCE,
) -> int:
    """Write down the messages that the plan calls for now, `at_once` of each template at most; return how many.

    Only people whom a message can be written to are looked for, so that nobody waits behind those whom none can reach.
    """
    written = 0
    for template in programme.messaging.templates:
        for touch in list(_touches(session, programme, template, programme_id, now, at_once)):
            written += _write(session, programme, programme_id, template, touch, sender=sender, now=now)
    return written


def plan_all_touches(
    session: Session, programmes: Mapping[str, Programme], *, sender: Sender, now: datetime
) -> int:
    """Write down the messages that every programme's plan calls for; return how many."""
    written = 0
    for programme in programmes.values():
        programme_id = directory.programme_id(session, programme.code)
        if programme_id is not None:
            written += plan_touches(session, programme, programme_id, sender=sender, now=now)
    return written


def number_for_text(session: Session, person_id: int) -> int | None:
    """Return the number to write to: the young person's own first usable mobile that did not opt out, or None."""
    return session.scalar(
        _for_text(PersonNumber.number_id)
        .where(PersonNumber.person_id == person_id)
        .order_by(PersonNumber.position, PersonNumber.id)
        .limit(1)
    )


def is_wanted(session: Session, message: Message, person_id: int) -> bool:
    """Tell whether what a message of the plan is for still stands for a person."""
    if message.kind == MessageKind.REMINDER:
        appointment = session.get(Appointment, int(message.step.rpartition("-")[2]))
        return appointment is not None and appointment.state == AppointmentState.PLANNED
    if message.kind not in (MessageKind.PRE_NOTICE, MessageKind.UNANSWERED):
        return True
    entry = session.scalar(
        select(QueueEntry).where(
            QueueEntry.programme_id == message.programme_id, QueueEntry.person_id == person_id
        )
    )
    if entry is None or entry.state != EntryState.OPEN:
        return False
    if message.kind == MessageKind.UNANSWERED:
        return _last_was_in_vain(session, person_id)
    called = select(Attempt.id).where(Attempt.person_id == person_id, Attempt.started_at >= entry.opened_at)
    return session.scalar(called.limit(1)) is None


def _last_was_in_vain(session: Session, person_id: int) -> bool:
    last = session.scalar(
        select(Attempt.retry_kind)
        .where(Attempt.person_id == person_id, Attempt.ended_at.is_not(None))
        .order_by(Attempt.started_at.desc(), Attempt.id.desc())
        .limit(1)
    )
    return last in _IN_VAIN


def _touches(
    session: Session,
    programme: Programme,
    template: MessageConfig,
    programme_id: int,
    now: datetime,
    at_once: int,
) -> Iterator[_Touch]:
    match template.kind:
        case "pre_notice":
            days = programme.messaging.pre_notice_days
            yield from _never_called(session, template, programme_id, days, now, at_once)
        case "unanswered":
            yield from _unanswered(session, template, programme_id, now, at_once)
        case "reminder":
            hours = policy_of(programme).hours
            yield from _appointments(session, template, programme_id, hours, now, at_once)


def _never_called(
    session: Session,
    template: MessageConfig,
    programme_id: int,
    notice_days: int,
    now: datetime,
    at_once: int,
) -> Iterator[_Touch]:
    days = timedelta(days=notice_days)
    rows = session.execute(
        select(QueueEntry.person_id, QueueEntry.opened_at)
        .where(
            QueueEntry.programme_id == programme_id,
            QueueEntry.state == EntryState.OPEN,
            QueueEntry.opened_at > now - days,
            QueueEntry.person_id.in_(_for_text(PersonNumber.person_id)),
            QueueEntry.person_id.not_in(_written(programme_id, template.code)),
            QueueEntry.person_id.not_in(select(Attempt.person_id).where(Attempt.started_at > now - days)),
        )
        .order_by(QueueEntry.priority, QueueEntry.id)
        .limit(at_once)
    )
    for person_id, opened_at in rows:
        yield _Touch(person_id, template.code, now, opened_at + days)


def _unanswered(
    session: Session, template: MessageConfig, programme_id: int, now: datetime, at_once: int
) -> Iterator[_Touch]:
    recent = (
        select(Attempt.person_id)
        .where(
            Attempt.programme_id == programme_id,
            Attempt.started_at > now - UNANSWERED_DAYS,
            Attempt.retry_kind.in_(_IN_VAIN),
        )
        .distinct()
    )
    last = func.max(Attempt.started_at)
    rows = session.execute(
        select(Attempt.person_id, last)
        .join(
            QueueEntry,
            (QueueEntry.person_id == Attempt.person_id) & (QueueEntry.programme_id == Attempt.programme_id),
        )
        .where(
            Attempt.programme_id == programme_id,
            Attempt.person_id.in_(recent),
            Attempt.person_id.in_(_for_text(PersonNumber.person_id)),
            Attempt.person_id.not_in(_written(programme_id, template.code)),
            Attempt.retry_kind.in_(_IN_VAIN),
            Attempt.started_at >= QueueEntry.opened_at,
            QueueEntry.state == EntryState.OPEN,
        )
        .group_by(Attempt.person_id)
        .having(func.count() == template.after_unanswered)
        .order_by(last, Attempt.person_id)
        .limit(at_once)
    )
    for person_id, called_at in rows:
        yield _Touch(person_id, template.code, now, called_at + UNANSWERED_DAYS)


def _appointments(
    session: Session,
    template: MessageConfig,
    programme_id: int,
    hours: CallingHours,
    now: datetime,
    at_once: int,
) -> Iterator[_Touch]:
    ahead = timedelta(hours=template.hours_before or 0)
    step = literal(f"{template.code}-") + cast(Appointment.id, String)
    written = select(Message.id).where(Message.programme_id == programme_id, Message.step == step)
    to_come = (
        Appointment.programme_id == programme_id,
        Appointment.state == AppointmentState.PLANNED,
        Appointment.starts_at > now,
    )
    person = YoungPerson.id == Appointment.person_id
    zones = session.scalars(select(YoungPerson.zone).join(Appointment, person).where(*to_come).distinct())
    soon = [
        (YoungPerson.zone == zone) & (Appointment.starts_at <= _reminded_until(hours, zone, ahead, now))
        for zone in zones
    ]
    rows = session.scalars(
        select(Appointment)
        .join(YoungPerson, person)
        .where(
            *to_come,
            or_(false(), *soon),
            Appointment.person_id.in_(_for_text(PersonNumber.person_id)),
            ~written.exists(),
        )
        .order_by(Appointment.starts_at, Appointment.id)
        .limit(at_once)
    )
    for row in rows:
        before = row.starts_at - REMINDED_BEFORE
        yield _Touch(row.person_id, f"{template.code}-{row.id}", now, before, row.starts_at)


def _reminded_until(hours: CallingHours, zone: str, ahead: timedelta, now: datetime) -> datetime:
    """Return the start of the last appointment to remind of now: also of one before which nothing opens any more."""
    there = ZoneInfo(zone)
    block = hours.block_at(now, there)
    reopens = hours.next_opening(block.end, there) if block else None
    return max(now + ahead, reopens + REMINDED_BEFORE) if reopens else now + ahead


def _for_text(column: InstrumentedAttribute[int]) -> Select[int]:
    """People and the numbers that may be written to: the young person's own usable mobiles that did not opt out."""
    stopped = select(OptOut.number_id).where(OptOut.revoked_at.is_(None))
    return (
        select(column)
        .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
        .where(
            PersonNumber.owner == NumberOwner.YOUNG_PERSON,
            PersonNumber.callable,
            PersonNumber.verdict.not_in(SET_ASIDE),
            PhoneNumber.kind == NumberKind.MOBILE,
            PersonNumber.number_id.not_in(stopped),
        )
    )


def _written(programme_id: int, step: str) -> Select[int]:
    return (
        select(MessageRecipient.person_id)
        .join(Message, Message.id == MessageRecipient.message_id)
        .where(Message.programme_id == programme_id, Message.step == step)
    )


def _write(
    session: Session,
    programme: Programme,
    programme_id: int,
    template: MessageConfig,
    touch: _Touch,
    *,
    sender: Sender,
    now: datetime,
) -> int:
    number_id = number_for_text(session, touch.person_id)
    if number_id is None:
        return 0
    person = session.get_one(YoungPerson, touch.person_id)
    at = touch.at.astimezone(ZoneInfo(person.zone)) if touch.at else None
    approved = None
    if sender.whatsapp and consents.of_number(session, number_id).standing is not None:
        approved = content_of(programme, template, language=person.language, at=at)
    if approved is not None:
        channel, (body, content) = Channel.WHATSAPP, approved
    else:
        channel, content = Channel.SMS, None
        body = text_of(programme, template, language=person.language, answerable=sender.answerable, at=at)
    draft = Draft(
        programme_id=programme_id,
        step=touch.step,
        kind=MessageKind(template.kind),
        number_id=number_id,
        body=body,
        recipients=(touch.person_id,),
        due_at=touch.due_at,
        not_after=touch.not_after,
        channel=channel,
        content=content,
    )
    messages.write(session, draft, now=now)
    return 1
