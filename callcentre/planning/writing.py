"""What the rules of sending need to know of a message's number and people, read from the tables."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from babel.dates import format_date
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcentre import phone
from callcentre.callqueue.models import Turn
from callcentre.outreach import consents
from callcentre.outreach.kinds import Channel, MessageKind
from callcentre.outreach.message_models import Message
from callcentre.outreach.messages import counted_at
from callcentre.outreach.models import Attempt, Callback, CallbackState
from callcentre.outreach.segments import fold
from callcentre.outreach.sending import Destination, Recipient, SendingLimits, Verdict, may_leave
from callcentre.people.kinds import SET_ASIDE
from callcentre.people.models import OptOut, PersonNumber, PhoneNumber
from callcentre.phone import NumberKind
from callcentre.planning.policies import policy_of
from callcentre.planning.states import states_of
from callcentre.programmes import PERIOD, MessageConfig, Programme

LOOKED_BACK = PERIOD + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ask:
    """A message that would like to leave."""

    programme_id: int
    kind: MessageKind
    number_id: int
    recipients: tuple[int, ...]
    wanted: bool = True
    channel: Channel = Channel.SMS
    approved: bool = False
    """True when the words are a template that WhatsApp knows."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What our sender can do. `answerable`: what people answer reaches us; `whatsapp`: it may write there too."""

    answerable: bool
    whatsapp: bool = False


def judge(session: Session, programme: Programme, ask: Ask, *, now: datetime) -> Verdict:
    """Tell whether a message may leave now, for whom, or when to ask again."""
    policy = policy_of(programme)
    people = _people(session, programme, ask, now)
    return may_leave(
        ask.kind,
        _destination(session, ask, now),
        people,
        hours=policy.hours,
        limits=limits_of(programme),
        now=now,
        approved=ask.approved,
    )


def limits_of(programme: Programme) -> SendingLimits:
    """The limits of messages in the units of the rules."""
    return SendingLimits(
        messages_in_period=programme.messaging.per_30_days,
        contacts_in_period=programme.limits.contacts_per_30_days,
        from_call=timedelta(minutes=programme.messaging.minutes_from_call),
    )


def text_of(
    programme: Programme,
    template: MessageConfig,
    *,
    language: str | None,
    answerable: bool,
    at: datetime | None = None,
) -> str:
    """Return a template's text for somebody, in the plain alphabet if so set; `at` (local) gives day and time."""
    words = template.text(_spoken(language), answerable=answerable)
    words = words.format(**_fields(programme, _spoken(language), at))
    return fold(words) if programme.messaging.folds_to_plain else words


def content_of(
    programme: Programme, template: MessageConfig, *, language: str | None, at: datetime | None = None
) -> tuple[str, dict[str, Any]] | None:
    """Return a template's text and what WhatsApp wants instead of it, or None when it was approved in no such language.

    What WhatsApp wants is the name of the approved template and its fields, numbered as they appear in the text.
    """
    spoken = _spoken(language)
    name = template.whatsapp.get(spoken)
    if name is None:
        return None
    words, fields = template.text(spoken, answerable=True), _fields(programme, spoken, at)
    numbered = dict.fromkeys(re.findall(r"{(\w+)}", words))
    variables = {str(place): fields[field] for place, field in enumerate(numbered, start=1)}
    return words.format(**fields), {"sid": name, "variables": variables}


def _spoken(language: str | None) -> str:
    return "en" if language == "en" else "fr"


def _fields(programme: Programme, spoken: str, at: datetime | None) -> dict[str, str]:
    names = programme.messaging.service or programme.service
    return {
        "service": names.get(spoken) or names["fr"],
        "phone": phone.display(programme.phone or ""),
        "link": programme.messaging.link,
        "day": _day(at.date(), spoken) if at else "",
        "time": _time(at.time(), spoken) if at else "",
    }


def _people(session: Session, programme: Programme, ask: Ask, now: datetime) -> list[Recipient]:
    states = states_of(session, programme, ask.programme_id, ask.recipients)
    calls = _next_calls(session, ask.recipients)
    return [
        Recipient(
            person_id=person_id,
            zone=state.zone,
            messages=state.messages,
            calls=tuple(attempt.at for attempt in state.attempts if attempt.at > now - LOOKED_BACK),
            next_call=calls.get(person_id),
            opposed=state.opposed,
            wanted=ask.wanted,
        )
        for person_id, state in states.items()
    ]


def _destination(session: Session, ask: Ask, now: datetime) -> Destination:
    number_id = ask.number_id
    number = session.get_one(PhoneNumber, number_id)
    stopped = session.scalar(
        select(func.count())
        .select_from(OptOut)
        .where(OptOut.number_id == number_id, OptOut.revoked_at.is_(None))
    )
    links = session.execute(
        select(PersonNumber.callable, PersonNumber.verdict).where(PersonNumber.number_id == number_id)
    ).all()
    answers = ask.kind is MessageKind.ANSWER  # whoever wrote from a number reads what is answered there
    sent = session.scalars(
        select(counted_at()).where(
            Message.number_id == number_id,
            counted_at() > now - LOOKED_BACK,
            Message.kind != MessageKind.ANSWER,
        )
    )
    called = session.scalars(
        select(Attempt.started_at)
        .where(
            Attempt.number_id == number_id,
            Attempt.direction == "outbound",
            Attempt.started_at > now - LOOKED_BACK,
        )
        .order_by(Attempt.started_at)
    )
    return Destination(
        opted_out=bool(stopped),
        textable=number.kind == NumberKind.MOBILE,
        usable=answers or not links or any(link.callable and link.verdict not in SET_ASIDE for link in links),
        messages=tuple(sorted(sent)),
        calls=tuple(called),
        whatsapp=consents.of_number(session, number_id) if ask.channel is Channel.WHATSAPP else None,
    )


def _next_calls(session: Session, person_ids: Collection[int]) -> dict[int, datetime]:
    """When people are to be called, as far as it is fixed, by a turn, a promise, or an officer who holds them."""
    found: dict[int, datetime] = {}
    turns = session.execute(
        select(Turn.person_id, Turn.due_at, Turn.granted_at).where(Turn.person_id.in_(list(person_ids)))
    )
    promises = session.execute(
        select(Callback.person_id, Callback.promised_at, Callback.promised_at).where(
            Callback.person_id.in_(list(person_ids)),
            Callback.state == CallbackState.PROMISED,
            Callback.settled_at.is_(None),
        )
    )
    for person_id, due_at, granted_at in [*turns, *promises]:
        moment = granted_at or due_at
        found[person_id] = min(moment, found.get(person_id, moment))
    return found


def _day(day: date, language: str) -> str:
    return format_date(day, "EEEE d MMMM", locale=language)


def _time(at: time, language: str) -> str:
    return f"{at:%H:%M}" if language == "en" else f"{at.hour}h{at:%M}" if at.minute else f"{at.hour}h"
