"""A person's telephone numbers: adding one that was given in a call, and what the calls show of each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcentre import phone
from callcentre.errors import InvalidInput
from callcentre.people.models import NumberOwner, NumberVerdict, PersonNumber, PhoneNumber


def number_row(session: Session, e164: str, kind: str) -> PhoneNumber:
    """Return the one row of a number, made when it is new."""
    row = session.scalar(select(PhoneNumber).where(PhoneNumber.e164 == e164))
    if row is None:
        row = PhoneNumber(e164=e164, reversed_digits=e164[:0:-1], kind=kind)
        session.add(row)
        session.flush()
    return row


def add(
    session: Session,
    *,
    person_id: int,
    text: str,
    owner: NumberOwner,
    region: str,
    now: datetime,
    source: str = "officer",
) -> int:
    """Add a number that somebody gave; return its number id. Refuses one that may not be called, in words."""
    parsed = phone.parse(text, region)
    if parsed.e164 is None or not parsed.callable:
        raise InvalidInput(
            "Ce numéro ne peut pas être appelé : %(number)s.", field="new_number", number=text.strip()[:30]
        )
    number = number_row(session, parsed.e164, parsed.kind.value)
    link = session.scalar(
        select(PersonNumber).where(PersonNumber.person_id == person_id, PersonNumber.number_id == number.id)
    )
    if link is None:
        last = session.scalar(
            select(func.max(PersonNumber.position)).where(PersonNumber.person_id == person_id)
        )
        link = PersonNumber(
            person_id=person_id,
            number_id=number.id,
            owner=owner.value,
            position=(last or 0) + 1,
            callable=True,
            source=source,
            added_at=now,
        )
        session.add(link)
    link.owner, link.callable, link.why_not = owner.value, True, None
    link.verdict, link.verdict_at = NumberVerdict.UNVERIFIED, now
    session.flush()
    return number.id


def judge(
    session: Session, *, person_id: int, number_id: int, verdict: NumberVerdict, now: datetime
) -> dict[str, str]:
    """Record what a call showed of a number; return the former verdicts by link id, for an undo.

    A number that is wrong is wrong for this person; one that is dead is dead for everybody.
    """
    query = select(PersonNumber).where(PersonNumber.number_id == number_id)
    if verdict is not NumberVerdict.DEAD:
        query = query.where(PersonNumber.person_id == person_id)
    before: dict[str, str] = {}
    for link in session.scalars(query):
        before[str(link.id)] = link.verdict
        link.verdict, link.verdict_at = verdict, now
    session.flush()
    return before


def restore_verdicts(session: Session, before: dict[str, str], *, now: datetime) -> None:
    """Put former verdicts back."""
    for link_id, verdict in before.items():
        link = session.get(PersonNumber, int(link_id))
        if link is not None:
            link.verdict, link.verdict_at = verdict, now
    session.flush()


def remove_added(session: Session, *, person_id: int, number_id: int) -> None:
    """Take back a number that was added by mistake: it is kept, and no longer called for this person."""
    link = session.scalar(
        select(PersonNumber).where(PersonNumber.person_id == person_id, PersonNumber.number_id == number_id)
    )
    if link is not None and link.source == "officer":
        link.callable, link.why_not = False, "taken_back"
        session.flush()
