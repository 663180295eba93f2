"""The queue of possible duplicates, and the merges made: every read of them, side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcentre.accounts.models import User
from callcentre.bulk import in_parts
from callcentre.callqueue.models import QueueEntry
from callcentre.directory.models import School, Territory
from callcentre.errors import NotFound
from callcentre.outreach.models import Attempt
from callcentre.people.kinds import IdKind, Likeness, PairState
from callcentre.people.models import (
    DuplicatePair,
    Guardian,
    Merge,
    NationalId,
    Opposition,
    PersonNumber,
    PhoneNumber,
    YoungPerson,
)


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record as somebody compares it with another."""

    id: int
    family_name: str
    first_name: str
    usual_name: str | None
    birth_date: date
    sex: str | None
    ines: tuple[str, ...]
    numbers: tuple[tuple[str, str], ...]
    """Number and owner, in order."""
    guardians: tuple[str, ...]
    email: str | None
    address: str
    school: str | None
    class_label: str | None
    exit_date: date | None
    territory: str | None
    calls: int
    is_opposed: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PairView:
    """Two records that may be one person."""

    id: int
    reason: Likeness
    state: PairState
    one: RecordView
    other: RecordView
    found_at: datetime


@dataclass(frozen=True, slots=True)
class MergeView:
    """A merge that stands."""

    id: int
    kept: RecordView
    gone: RecordView
    merged_at: datetime
    by: str | None


def count_open(session: Session) -> int:
    """How many pairs wait."""
    query = select(func.count()).select_from(DuplicatePair).where(DuplicatePair.state == PairState.OPEN)
    return session.scalar(query) or 0


def open_pairs(session: Session, *, limit: int, offset: int = 0) -> tuple[PairView, ...]:
    """The pairs that wait, oldest first."""
    rows = session.scalars(
        select(DuplicatePair)
        .where(DuplicatePair.state == PairState.OPEN)
        .order_by(DuplicatePair.id)
        .limit(limit)
        .offset(offset)
    ).all()
    found = records(session, {person_id for row in rows for person_id in (row.one_id, row.other_id)})
    return tuple(_pair(row, found) for row in rows)


def pair(session: Session, pair_id: int) -> PairView:
    """One pair; raises NotFound."""
    row = session.get(DuplicatePair, pair_id, populate_existing=True)
    if row is None:
        raise NotFound("Ces deux fiches ne sont pas dans la file des doublons.")
    return _pair(row, records(session, (row.one_id, row.other_id)))


def merges(session: Session, *, limit: int) -> tuple[MergeView, ...]:
    """The merges that stand, newest first."""
    rows = session.execute(
        select(Merge, User.display_name)
        .outerjoin(User, User.id == Merge.merged_by)
        .where(Merge.undone_at.is_(None))
        .order_by(Merge.id.desc())
        .limit(limit)
    ).all()
    ids = {person_id for row, _ in rows for person_id in (row.kept_id, row.gone_id)}
    found = records(session, ids)
    return tuple(
        MergeView(row.id, found[row.kept_id], found[row.gone_id], row.merged_at, by) for row, by in rows
    )


def merge_between(session: Session, one_id: int, other_id: int) -> int | None:
    """The merge that stands between two records, if there is one."""
    return session.scalar(
        select(Merge.id).where(
            Merge.kept_id.in_((one_id, other_id)),
            Merge.gone_id.in_((one_id, other_id)),
            Merge.undone_at.is_(None),
        )
    )


def _pair(row: DuplicatePair, found: dict[int, RecordView]) -> PairView:
    return PairView(
        row.id,
        Likeness(row.reason),
        PairState(row.state),
        found[row.one_id],
        found[row.other_id],
        row.found_at,
    )


def records(session: Session, ids: Collection[int]) -> dict[int, RecordView]:
    """These records, in a fixed number of statements."""
    found: dict[int, RecordView] = {}
    for part in in_parts(ids):
        ines, numbers, guardians = _held(session, part)
        calls = dict(
            session.execute(
                select(Attempt.person_id, func.count())
                .where(Attempt.person_id.in_(part), Attempt.direction == "outbound")
                .group_by(Attempt.person_id)
            ).all()
        )
        opposed = set(
            session.scalars(
                select(Opposition.person_id).where(
                    Opposition.person_id.in_(part), Opposition.revoked_at.is_(None)
                )
            )
        )
        places = dict(
            session.execute(
                select(QueueEntry.person_id, Territory.label)
                .join(Territory, Territory.id == QueueEntry.territory_id)
                .where(QueueEntry.person_id.in_(part))
            ).all()
        )
        people = select(YoungPerson, School.name).outerjoin(School, School.id == YoungPerson.school_id)
        for person, school in session.execute(people.where(YoungPerson.id.in_(part))):
            found[person.id] = RecordView(
                id=person.id,
                family_name=person.family_name,
                first_name=person.first_name,
                usual_name=person.usual_name,
                birth_date=person.birth_date,
                sex=person.sex,
                ines=tuple(ines[person.id]),
                numbers=tuple(numbers[person.id]),
                guardians=tuple(guardians[person.id]),
                email=person.email,
                address=" ".join(filter(None, (person.address, person.postal_code, person.commune))),
                school=school,
                class_label=person.class_label,
                exit_date=person.exit_date,
                territory=places.get(person.id),
                calls=calls.get(person.id, 0),
                is_opposed=person.id in opposed,
                created_at=person.created_at,
            )
    return found


def _held(
    session: Session, part: list[int]
) -> tuple[dict[int, list[str]], dict[int, list[tuple[str, str]]], dict[int, list[str]]]:
    """Identifiers, numbers with their owners, and guardians."""
    ines: defaultdict[int, list[str]] = defaultdict(list)
    numbers: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    guardians: defaultdict[int, list[str]] = defaultdict(list)
    held = select(NationalId.person_id, NationalId.value).where(
        NationalId.person_id.in_(part), NationalId.kind == IdKind.INE
    )
    for person_id, value in session.execute(held.order_by(NationalId.id)):
        ines[person_id].append(value)
    links = (
        select(PersonNumber.person_id, PhoneNumber.e164, PersonNumber.owner)
        .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
        .where(PersonNumber.person_id.in_(part))
        .order_by(PersonNumber.position, PersonNumber.id)
    )
    for person_id, e164, owner in session.execute(links):
        numbers[person_id].append((e164, owner))
    known = select(Guardian).where(Guardian.person_id.in_(part)).order_by(Guardian.rank)
    for one in session.scalars(known):
        said = " ".join(filter(None, (one.first_name, one.family_name)))
        guardians[one.person_id].append(f"{said} ({one.relation})" if one.relation else said)
    return ines, numbers, guardians
