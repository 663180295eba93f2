"""Promises that can no longer be kept as they were given: the first card of nobody, on both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcentre.callqueue.models import Lane, QueueEntry, Turn
from callcentre.desk import serving
from callcentre.desk.context import Desk
from callcentre.outreach import callbacks
from callcentre.outreach.models import Callback, CallbackState
from callcentre.people.kinds import NumberOwner
from callcentre.people.models import PersonNumber, YoungPerson
from callcentre.planning.blocks import plan, plan_current_block
from tests.builders import a_number
from tests.contracts.conftest import MONDAY_TEN, Office
from workers import jobs


def promised_by_guardian(office: Office) -> int:
    """A minor three days before coming of age, whose guardian asks for a call in four days; return the person."""
    birthday = office.now.date() + timedelta(days=3)
    born = date(birthday.year - 18, birthday.month, birthday.day)
    one = office.add("Zoé", guardian_numbers=[a_number()], birth_date=born)
    lease = office.write(
        lambda s, d: serving.open_card(s, d, one, officer_id=office.user("officer"), now=office.now)
    )
    office.call(lease, number_of(office, one, NumberOwner.GUARDIAN))
    office.say(lease, "call_back", callback_at=office.now + timedelta(days=4))
    office.later(days=4)
    return one


def number_of(office: Office, person: int, owner: NumberOwner) -> int:
    query = select(PersonNumber.number_id).where(
        PersonNumber.person_id == person, PersonNumber.owner == owner
    )
    return office.read(lambda s, _: s.scalars(query).one())


def plan_now(office: Office) -> None:
    office.write(lambda s, d: plan(s, d.programme, now=office.now))


def test_a_guardians_promise_to_somebody_who_came_of_age_is_kept_on_their_own_number(office: Office) -> None:
    one = promised_by_guardian(office)
    plan_now(office)
    lease = office.take()
    assert (lease.person_id, lease.lane) == (one, Lane.PROMISE)
    assert lease.number_id == number_of(office, one, NumberOwner.YOUNG_PERSON)
    assert office.call(lease)


def test_a_promise_that_no_number_can_keep_ends_and_the_next_person_is_served(office: Office) -> None:
    one = promised_by_guardian(office)

    def spoil(session: Session, _desk: Desk) -> None:
        own = PersonNumber.owner == NumberOwner.YOUNG_PERSON
        session.execute(update(PersonNumber).where(PersonNumber.person_id == one, own).values(verdict="dead"))

    office.write(spoil)
    plan_now(office)
    assert office.take().person_id != one
    states = office.read(
        lambda s, _: s.scalars(select(Callback.state).where(Callback.person_id == one)).all()
    )
    assert states == [CallbackState.CANCELLED]
    assert office.read(lambda s, _: s.scalar(select(Turn.id).where(Turn.person_id == one))) is None
    left = select(QueueEntry.closed_reason).where(QueueEntry.person_id == one)
    assert office.read(lambda s, _: s.scalar(left)) == "details_to_find"


def test_a_promise_outside_of_the_hours_waits_and_is_not_ended(office: Office) -> None:
    one = promised_by_guardian(office)

    def younger(session: Session, _desk: Desk) -> None:
        minor = {"birth_date": date(2009, 5, 17), "zone": "Indian/Reunion"}
        session.execute(update(YoungPerson).where(YoungPerson.id == one).values(minor))

    office.write(younger)
    office.later(hours=10)  # the evening there
    plan_now(office)
    states = office.read(
        lambda s, _: s.scalars(select(Callback.state).where(Callback.person_id == one)).all()
    )
    assert states != [CallbackState.CANCELLED]


@pytest.mark.parametrize(("closed", "opens_after"), [(40, 42), (800, None)])
def test_a_promise_outlasts_a_long_closure(office: Office, closed: int, opens_after: int | None) -> None:
    lease = office.take()
    office.say(lease, "call_back", callback_at=office.now + timedelta(hours=1))
    office.close_for(closed)
    for day in (1, 2, 9):
        office.clock.move_to(MONDAY_TEN + timedelta(days=day))
        office.write(lambda s, _: plan_current_block(s, office.runtime.programmes.values(), office.now))
        assert isinstance(office.serve(), serving.Nothing)
    if opens_after is None:
        office.runtime.programmes[office.world.programme.code] = office.world.programme  # opened after all
        opens_after = 22
    office.clock.move_to(MONDAY_TEN + timedelta(days=opens_after))
    plan_now(office)
    kept = office.take()
    assert (kept.person_id, kept.lane) == (lease.person_id, Lane.PROMISE)


def test_each_programme_says_when_its_promises_are_missed(office: Office) -> None:
    other = office.second_programme([], promise_missed_minutes=15)
    people = office.world.people[:2]

    def promise(session: Session, desk: Desk) -> None:
        for person, programme_id in zip(people, (desk.programme_id, other.programme_id), strict=True):
            entry = session.scalars(select(QueueEntry.id).where(QueueEntry.person_id == person)).one()
            callbacks.promise(
                session,
                programme_id=programme_id,
                entry_id=entry,
                person_id=person,
                promised_at=office.now,
                by=None,
                officer_id=None,
                number_id=None,
                attempt_id=None,
                note=None,
                now=office.now,
            )

    office.write(promise)
    states = []
    for _ in range(2):
        office.later(minutes=31)
        office.write(lambda s, _: jobs.mark_missed_callbacks(s, office.runtime, office.now))
        states.append(office.read(lambda s, _: s.scalars(select(Callback.state).order_by(Callback.id)).all()))
    assert states == [["promised", "missed"], ["missed", "missed"]]
