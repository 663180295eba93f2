"""A person's telephone numbers: adding one that was given in a call, and what the calls show of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcentre import phone
from callcentre.bulk import in_parts
from callcentre.dispositions import NumberSign
from callcentre.errors import InvalidInput, NotFound
from callcentre.people.kinds import SET_ASIDE
from callcentre.people.models import NumberOwner, NumberVerdict, PersonNumber, PhoneNumber


@dataclass(frozen=True, slots=True)
class Given:
    """A number that somebody gave; `is_new` False when it was already one to call for this person."""

    number_id: int
    is_new: bool


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
) -> Given:
    """Add a number that somebody gave; one that is known already stays as it is, with what the calls have shown.

    Refuses in words one that may not be called, and one that a call has shown to be wrong or dead: see `try_again`.
    """
    parsed = phone.parse(text, region)
    if parsed.e164 is None or not parsed.callable:
        raise InvalidInput(
            "Ce numéro ne peut pas être appelé : %(number)s.", field="new_number", number=text.strip()[:30]
        )
    number = number_row(session, parsed.e164, parsed.kind.value)
    link = session.scalar(
        select(PersonNumber).where(PersonNumber.person_id == person_id, PersonNumber.number_id == number.id)
    )
    if link is not None and link.verdict in SET_ASIDE:
        raise InvalidInput(
            "Ce numéro est déjà sur la fiche, mais écarté : la fiche permet de dire qu’il est à vérifier de nouveau.",
            field="new_number",
        )
    if link is not None and link.callable:
        return Given(number.id, is_new=False)
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
    return Given(number.id, is_new=True)


def try_again(session: Session, *, person_id: int, number_id: int, now: datetime) -> bool:
    """Let a number that was judged wrong or dead be called again for a person; False when it was not judged so.

    Raises NotFound for a number that is not theirs.
    """
    link = session.scalar(
        select(PersonNumber).where(PersonNumber.person_id == person_id, PersonNumber.number_id == number_id)
    )
    if link is None:
        raise NotFound("number")
    if link.verdict not in SET_ASIDE:
        return False
    link.verdict, link.verdict_at = NumberVerdict.UNVERIFIED, now
    link.callable, link.why_not = True, None
    session.flush()
    return True


def verdict_after(before: NumberVerdict, sign: NumberSign) -> NumberVerdict:
    """What is thought of a number once a call showed this sign, after all the calls before it.

    The young person's own voice settles it; a second voicemail with another name makes a doubt a certainty; a name
    heard on a voicemail never brings back a number at which a stranger answered.
    """
    match sign:
        case NumberSign.ANSWERED:
            return NumberVerdict.CONFIRMED
        case NumberSign.STRANGER:
            return NumberVerdict.WRONG
        case NumberSign.DEAD_TONE:
            return NumberVerdict.DEAD
        case NumberSign.OWN_NAME:
            return NumberVerdict.WRONG if before is NumberVerdict.WRONG else NumberVerdict.CONFIRMED
        case NumberSign.OTHER_NAME:
            again = before in (NumberVerdict.DOUBTFUL, NumberVerdict.WRONG)
            return NumberVerdict.WRONG if again else NumberVerdict.DOUBTFUL


def judge(
    session: Session, *, person_id: int, number_id: int, sign: NumberSign, now: datetime
) -> dict[str, str]:
    """Record what a call showed of a number; return the former verdicts by link id, for an undo.

    A number that is wrong is wrong for this person; one that is dead is dead for everybody. Another name on the
    voicemail says nothing of a number that is not the young person's own.
    """
    query = select(PersonNumber).where(PersonNumber.number_id == number_id)
    if sign is not NumberSign.DEAD_TONE:
        query = query.where(PersonNumber.person_id == person_id)
    if sign is NumberSign.OTHER_NAME:
        query = query.where(PersonNumber.owner == NumberOwner.YOUNG_PERSON)
    before: dict[str, str] = {}
    for link in session.scalars(query):
        before[str(link.id)] = link.verdict
        link.verdict, link.verdict_at = verdict_after(NumberVerdict(link.verdict), sign), now
    session.flush()
    return before


def revive(session: Session, number_id: int, *, now: datetime) -> set[int]:
    """Take back that a number is dead: a call or a message came from it. Return the people for whom it had been."""
    links = session.scalars(
        select(PersonNumber).where(
            PersonNumber.number_id == number_id, PersonNumber.verdict == NumberVerdict.DEAD
        )
    ).all()
    for link in links:
        link.verdict, link.verdict_at = NumberVerdict.UNVERIFIED, now
    session.flush()
    return {link.person_id for link in links}


def wrong_for(session: Session, number_id: int) -> set[int]:
    """Return the ids of the people for whom a number proved to be somebody else's."""
    query = select(PersonNumber.person_id).where(
        PersonNumber.number_id == number_id, PersonNumber.verdict == NumberVerdict.WRONG
    )
    return set(session.scalars(query))


def dead_among(session: Session, number_ids: Collection[int]) -> set[int]:
    """Return which of these numbers are dead, by the latest that was found of each, whoever it was found for."""
    latest: dict[int, str] = {}
    for part in in_parts(number_ids):
        judged = (
            select(PersonNumber.number_id, PersonNumber.verdict)
            .where(PersonNumber.number_id.in_(part), PersonNumber.verdict_at.is_not(None))
            .order_by(PersonNumber.verdict_at)
        )
        latest.update((number_id, verdict) for number_id, verdict in session.execute(judged))
    return {number_id for number_id, verdict in latest.items() if verdict == NumberVerdict.DEAD}


def restore_verdicts(
    session: Session, before: dict[str, str], *, judged_at: datetime, now: datetime
) -> set[int]:
    """Put former verdicts back, of the numbers that nobody has judged since `judged_at`; return whose they are."""
    people: set[int] = set()
    for link_id, verdict in before.items():
        link = session.get(PersonNumber, int(link_id))
        if link is not None and link.verdict_at == judged_at:
            link.verdict, link.verdict_at = verdict, now
            people.add(link.person_id)
    session.flush()
    return people


def remove_added(session: Session, *, person_id: int, number_id: int) -> None:
    """Take back a number that was added by mistake: it is kept, and no longer called for this person."""
    link = session.scalar(
        select(PersonNumber).where(PersonNumber.person_id == person_id, PersonNumber.number_id == number_id)
    )
    if link is not None and link.source == "officer":
        link.callable, link.why_not = False, "taken_back"
        session.flush()
