"""Two records made one and taken apart: nothing of either is lost, and whoever said stop stays obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from callcentre.callqueue.models import EntryState, QueueEntry, Turn
from callcentre.database import make_engine, make_session_factory, reading, writing
from callcentre.desk import merging
from callcentre.errors import NotAllowed
from callcentre.funnel import changes
from callcentre.funnel import queries as funnel
from callcentre.funnel.stages import Stage
from callcentre.outreach.models import Attempt
from callcentre.people import merges, opt_outs
from callcentre.people.kinds import NumberVerdict
from callcentre.people.models import (
    Guardian,
    Merge,
    NationalId,
    Opposition,
    OptOut,
    PersonNumber,
    PhoneNumber,
    YoungPerson,
)
from callcentre.programmes import Programme
from tests.builders import World, a_person, a_programme, a_user, the_programme

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SHARED, OWN, OTHER = "+33639980001", "+33639980002", "+33639980003"


@dataclass(frozen=True)
class Two:
    """Two records of one person, with all that hangs on each."""

    sessions: sessionmaker[Session]
    world: World
    one: int
    two: int

    def merge(self, now: datetime = LATER) -> int:
        """Merge the second into the first."""
        with writing(self.sessions) as session:
            return merging.merge(
                session,
                {self.world.programme.code: self.world.programme},
                kept_id=self.one,
                gone_id=self.two,
                by=self.world.users["supervisor"],
                now=now,
            ).id

    def unmerge(self, merge_id: int, now: datetime = LATER + timedelta(hours=1)) -> None:
        """Take the merge back."""
        with writing(self.sessions) as session:
            programmes = {self.world.programme.code: self.world.programme}
            merging.unmerge(session, programmes, merge_id, by=self.world.users["supervisor"], now=now)


@pytest.fixture
def two(database_url: str) -> Iterator[Two]:
    """Two records with a number in common and one each, a call each, ids, guardians, stages."""
    engine = make_engine(database_url)
    yield two_records(make_session_factory(engine), the_programme())
    engine.dispose()


def two_records(sessions: sessionmaker[Session], programme: Programme) -> Two:
    """The two records, written."""
    with writing(sessions) as session:
        world = a_programme(session, programme)
        world.users["supervisor"] = a_user(session, "supervisor", now=NOW)
        one = a_person(session, world, now=NOW, numbers=[SHARED, OWN], guardian_numbers=["+33465710001"])
        two = a_person(
            session,
            world,
            now=NOW,
            numbers=[OTHER, SHARED],
            guardian_numbers=["+33465710002"],
            deadline=date(2027, 1, 15),
            territory="unassigned",
        )
        for person_id, ine in ((one, "1234567890A"), (two, "123456789AB")):
            session.add(NationalId(person_id=person_id, kind="ine", value=ine, added_at=NOW))
        session.get_one(YoungPerson, two).email = "lina@exemple.fr"
        for person_id, stage, at in (
            (one, Stage.TO_CONTACT, NOW - timedelta(days=1)),
            (two, Stage.CONTACTED, NOW - timedelta(days=9)),
        ):
            changes.advance(
                session,
                programme_id=world.programme_id,
                person_id=person_id,
                stage=stage,
                at=at,
                now=NOW,
                cause="list",
            )
        for person_id, e164 in ((one, OWN), (two, OTHER)):
            a_call(session, world, person_id, e164)
        numbers = select(PersonNumber).where(PersonNumber.person_id == two).order_by(PersonNumber.position)
        link = session.scalars(numbers).all()[1]
        link.verdict, link.verdict_at = NumberVerdict.WRONG, NOW
    return Two(sessions, world, one, two)


def a_call(
    session: Session, world: World, person_id: int, e164: str, *, owner: str | None = None, sequence: int = 1
) -> None:
    number = session.scalar(select(PhoneNumber.id).where(PhoneNumber.e164 == e164))
    entry = session.scalar(select(QueueEntry.id).where(QueueEntry.person_id == person_id))
    session.add(
        Attempt(
            programme_id=world.programme_id,
            entry_id=entry,
            person_id=person_id,
            number_id=number,
            owner=owner,
            sequence=sequence,
            lane=4,
            officer_id=world.users["supervisor"],
            lease_token=f"t{person_id}",
            started_at=NOW,
            slot="morning",
            local_date=NOW.date(),
            disposition="no_answer",
            retry_kind="no_answer",
        )
    )
    session.flush()


def everything(two: Two, person_id: int) -> dict[str, Any]:
    """All that hangs on a record; what the retry rule computes anew is left out."""
    with reading(two.sessions) as session:
        person = session.get_one(YoungPerson, person_id)
        found: dict[str, Any] = {
            "person": {c.name: getattr(person, c.name) for c in YoungPerson.__table__.columns}
        }
        found["person"].pop("updated_at")
        for model, left_out in (
            (Guardian, ()),
            (NationalId, ()),
            (PersonNumber, ()),
            (Attempt, ()),
            (Opposition, ()),
            (
                QueueEntry,
                (
                    "eligible_at",
                    "eligible_until",
                    "preferred_at",
                    "preferred_until",
                    "reason",
                    "number_id",
                    "priority",
                ),
            ),
        ):
            rows = session.scalars(select(model).where(model.person_id == person_id).order_by(model.id))
            found[model.__tablename__] = [
                {c.name: getattr(row, c.name) for c in model.__table__.columns if c.name not in left_out}
                for row in rows
            ]
        path = funnel.stages_of(session, two.world.programme_id, person_id)
        found["stages"] = {(entered.stage, entered.at, entered.cause) for entered in path}
        return found


def test_a_merge_gathers_everything_and_its_undoing_gives_everything_back(two: Two) -> None:
    before = everything(two, two.one), everything(two, two.two)
    merge_id = two.merge()
    merged, gone = everything(two, two.one), everything(two, two.two)
    assert {row["value"] for row in merged["national_ids"]} == {"1234567890A", "123456789AB"}
    assert len(merged["person_numbers"]) == 5, "the shared number once"
    assert len(merged["guardians"]) == 1, "both name the same guardian"
    assert len(merged["attempts"]) == 2
    assert merged["person"]["email"] == "lina@exemple.fr"
    assert {stage: at for stage, at, _ in merged["stages"]} == {
        Stage.TO_CONTACT: NOW - timedelta(days=9),
        Stage.CONTACTED: NOW - timedelta(days=9),
    }, "entered once, at the earlier date"
    (place,) = merged["queue_entries"]
    assert place["deadline"] == date(2027, 1, 15)
    for table in ("queue_entries", "person_numbers", "attempts", "national_ids", "guardians"):
        assert gone[table] == []
    assert gone["stages"] == set()

    two.unmerge(merge_id)
    assert everything(two, two.one) == before[0]
    assert everything(two, two.two) == before[1]


def test_a_number_proved_wrong_under_one_record_is_wrong_for_both(two: Two) -> None:
    two.merge()
    with reading(two.sessions) as session:
        shared = session.scalar(
            select(PersonNumber)
            .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
            .where(PersonNumber.person_id == two.one, PhoneNumber.e164 == SHARED)
        )
        assert shared is not None
        assert shared.verdict == NumberVerdict.WRONG


@pytest.mark.parametrize("opposed", ["one", "two"])
def test_an_opposition_survives_a_merge_and_its_undoing(two: Two, opposed: str) -> None:
    person_id = getattr(two, opposed)
    with writing(two.sessions) as session:
        opt_outs.oppose(session, person_id=person_id, source="voice", now=NOW)
    merge_id = two.merge()
    with reading(two.sessions) as session:
        entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == two.one)).one()
        assert (entry.state, entry.closed_reason) == (EntryState.CLOSED, "opposition")
        assert session.scalar(select(func.count()).select_from(Turn)) == 0
    two.unmerge(merge_id)
    with reading(two.sessions) as session:
        standing = set(session.scalars(select(Opposition.person_id).where(Opposition.revoked_at.is_(None))))
        assert standing == {person_id}
        entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == person_id)).one()
        assert (entry.state, entry.closed_reason) == (EntryState.CLOSED, "opposition")


def test_an_opposition_said_while_merged_holds_for_both_afterwards(two: Two) -> None:
    merge_id = two.merge()
    with writing(two.sessions) as session:
        opt_outs.oppose(session, person_id=two.one, source="voice", now=LATER + timedelta(minutes=5))
    two.unmerge(merge_id)
    with reading(two.sessions) as session:
        standing = set(session.scalars(select(Opposition.person_id).where(Opposition.revoked_at.is_(None))))
        assert standing == {two.one, two.two}
        states = set(session.scalars(select(QueueEntry.closed_reason)))
        assert states == {"opposition"}


def test_an_opt_out_stays_on_its_number(two: Two) -> None:
    with writing(two.sessions) as session:
        number = session.scalar(select(PhoneNumber.id).where(PhoneNumber.e164 == OTHER))
        assert number is not None
        opt_outs.opt_out(session, number_id=number, source="message", now=NOW, person_id=two.two)
    merge_id = two.merge()
    two.unmerge(merge_id)
    with reading(two.sessions) as session:
        (row,) = session.scalars(select(OptOut)).all()
        assert (row.number_id, row.person_id, row.revoked_at) == (number, two.two, None)


def test_a_merged_record_stands_for_the_one_that_went(two: Two) -> None:
    merge_id = two.merge()
    with reading(two.sessions) as session:
        assert merges.kept_of(session, [two.one, two.two]) == {two.two: two.one}
    with pytest.raises(NotAllowed):
        two.merge()
    two.unmerge(merge_id)
    with pytest.raises(NotAllowed):
        two.unmerge(merge_id)
    with reading(two.sessions) as session:
        assert merges.kept_of(session, [two.two]) == {}
        assert session.scalar(select(func.count()).select_from(Merge)) == 1


def test_nobody_is_merged_under_a_colleagues_hands(two: Two) -> None:
    with writing(two.sessions) as session:
        entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == two.two)).one()
        session.add(
            Turn(
                entry_id=entry.id,
                person_id=two.two,
                programme_id=entry.programme_id,
                due_at=NOW,
                territory_id=entry.territory_id,
                due_until=LATER,
                token="held",
                officer_id=two.world.users["supervisor"],
                granted_at=NOW,
                renewed_at=NOW,
                lease_until=LATER,
            )
        )
    with pytest.raises(NotAllowed):
        two.merge()
