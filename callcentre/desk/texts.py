"""Messages that officers write: from a template or by hand, under the same rules as those of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.desk import inbound
from callcentre.desk.context import Desk
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.outreach import consents, messages
from callcentre.outreach.kinds import Channel, MessageKind
from callcentre.outreach.message_models import InboundMessage
from callcentre.outreach.messages import Draft
from callcentre.outreach.segments import measure
from callcentre.people.kinds import NumberOwner
from callcentre.people.models import PersonNumber, YoungPerson
from callcentre.planning import touches
from callcentre.planning.writing import Ask, judge, text_of

LONGEST = 1000
"""Characters of a message at most."""
MOST_PARTS = 4
WAITS = timedelta(days=3)
"""How long a message that may not leave at once is kept for."""


@dataclass(frozen=True, slots=True)
class Written:
    """A message that was written down: when it leaves, and the rule that keeps it until then, if one does."""

    message_id: int
    leaves_at: datetime
    why: str | None


def templates(
    session: Session, desk: Desk, person_id: int, *, answerable: bool
) -> dict[str, tuple[str, str]]:
    """Return the messages that officers may send somebody: code to label (French) and text in their language."""
    person = session.get_one(YoungPerson, person_id)
    return {
        template.code: (
            template.labels["fr"],
            text_of(desk.programme, template, language=person.language, answerable=answerable),
        )
        for template in desk.programme.messaging.templates
        if template.kind == "manual"
    }


def whatsapp_of(session: Session, person_id: int, *, now: datetime) -> bool:
    """Tell whether officers may write to somebody on WhatsApp now: they wrote there within the last day."""
    number_id = touches.number_for_text(session, person_id)
    return number_id is not None and consents.of_number(session, number_id).is_open(now)


def agree_to_whatsapp(
    session: Session, person_id: int, number_id: int, *, agreed: bool, by: int, now: datetime
) -> None:
    """Note that a young person agreed to WhatsApp on a number of their own, or no longer does; raises NotFound."""
    link = session.scalar(
        select(PersonNumber).where(
            PersonNumber.person_id == person_id,
            PersonNumber.number_id == number_id,
            PersonNumber.owner == NumberOwner.YOUNG_PERSON,
        )
    )
    if link is None:
        raise NotFound("number")
    if agreed:
        consents.give(session, number_id, by=by, now=now)
    else:
        consents.withdraw(session, number_id, now=now)


def write(
    session: Session,
    desk: Desk,
    person_id: int,
    body: str,
    *,
    by: int,
    now: datetime,
    key: str | None = None,
    channel: Channel = Channel.SMS,
) -> Written:
    """Write a message to a young person's own mobile; raises in words when it may never leave."""
    body = _checked(body)
    number_id = touches.number_for_text(session, person_id)
    if number_id is None:
        raise NotAllowed(
            "Aucun numéro de mobile de ce jeune ne peut recevoir de message.", reason="no_mobile"
        )
    ask = Ask(desk.programme_id, MessageKind.MANUAL, number_id, (person_id,), channel=channel)
    verdict = judge(session, desk.programme, ask, now=now)
    if verdict.bar is not None and verdict.until is None:
        raise NotAllowed(
            "Ce message ne peut pas partir : %(why)s.", reason=verdict.bar.value, why=verdict.bar.value
        )
    leaves = verdict.until or now
    draft = Draft(
        programme_id=desk.programme_id,
        step=f"manual-{key or uuid4()}"[:80],
        kind=MessageKind.MANUAL,
        number_id=number_id,
        body=body,
        recipients=(person_id,),
        due_at=leaves,
        not_after=max(leaves, now) + WAITS,
        channel=channel,
        written_by=by,
    )
    message_id = messages.write(session, draft, now=now)
    return Written(message_id, leaves, verdict.bar.value if verdict.bar else None)


def answer(session: Session, desk: Desk, inbound_id: int, body: str, *, by: int, now: datetime) -> int:
    """Answer what somebody wrote; it leaves at once, and uses up no cap."""
    row = session.get(InboundMessage, inbound_id)
    if row is None or row.number_id is None:
        raise NotFound("inbox")
    people = list(
        session.scalars(select(PersonNumber.person_id).where(PersonNumber.number_id == row.number_id))
    )
    return inbound.answer(
        session,
        desk,
        row.number_id,
        _checked(body),
        step=f"answer-{inbound_id}",
        people=people,
        channel=Channel(row.channel),
        now=now,
        by=by,
    )


def _checked(body: str) -> str:
    body = body.strip()
    if not body:
        raise InvalidInput("Écrivez le message.", field="body")
    if len(body) > LONGEST or measure(body).parts > MOST_PARTS:
        raise InvalidInput("Ce message est trop long : quatre parties au plus.", field="body")
    return body
