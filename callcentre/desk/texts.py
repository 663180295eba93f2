"""Messages that officers write: from a template or by hand, under the same rules as those of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.accounts.models import User
from callcentre.desk import inbound
from callcentre.desk.context import Desk
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.outreach import consents, messages
from callcentre.outreach.kinds import Channel, InboundState, MessageKind
from callcentre.outreach.message_models import InboundMessage
from callcentre.outreach.messages import Draft
from callcentre.outreach.segments import fold, measure
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
    """Write a message to a young person's own mobile; raises in words when it may never leave.

    `key` names the form: sent twice it is one message, and InvalidInput is raised if the words are others.
    """
    body, step = _checked(desk, body, channel), f"manual-{key or uuid4()}"[:80]
    if messages.body_of(session, desk.programme_id, step) not in (None, body):
        raise InvalidInput(
            "Un autre message a déjà été envoyé d’ici. Celui-ci ne l’est pas : relisez-le, puis envoyez-le.",
            field="body",
        )
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
        step=step,
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
    """Answer what somebody wrote, once; it leaves at once, and uses up no cap.

    The same answer sent twice is one; raises NotAllowed when the message was dealt with otherwise.
    """
    row = session.get(InboundMessage, inbound_id, with_for_update=True)
    if row is None or row.number_id is None:
        raise NotFound("inbox")
    channel, step = Channel(row.channel), f"answer-{inbound_id}"
    body = _checked(desk, body, channel)
    if row.state != InboundState.OPEN and messages.body_of(session, desk.programme_id, step) != body:
        raise _dealt_with(session, row, by)
    people = list(
        session.scalars(select(PersonNumber.person_id).where(PersonNumber.number_id == row.number_id))
    )
    return inbound.answer(
        session,
        desk,
        row.number_id,
        body,
        step=step,
        people=people,
        channel=channel,
        now=now,
        by=by,
    )


def _dealt_with(session: Session, row: InboundMessage, by: int) -> NotAllowed:
    """The refusal to answer a message that no longer waits, naming the colleague who dealt with it."""
    colleague = None if row.handled_by in (None, by) else session.get(User, row.handled_by)
    if colleague is None:
        return NotAllowed("Ce message est déjà traité : votre réponse n’est pas partie.", reason="answered")
    return NotAllowed(
        "%(name)s a déjà traité ce message : votre réponse n’est pas partie.",
        reason="answered",
        name=colleague.display_name,
    )


def _checked(desk: Desk, body: str, channel: Channel) -> str:
    """Return the words as they would leave, in the plain alphabet if the programme's texts are written in it."""
    body = body.strip()
    if not body:
        raise InvalidInput("Écrivez le message.", field="body")
    if channel is Channel.SMS and desk.programme.messaging.folds_to_plain:
        body = fold(body)
    if len(body) > LONGEST or measure(body).parts > MOST_PARTS:
        raise InvalidInput("Ce message est trop long : quatre parties au plus.", field="body")
    return body
