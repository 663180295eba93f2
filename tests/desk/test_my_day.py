"""An officer's day and a person's history, read on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.clock import ManualClock
from callcentre.database import reading, writing
from callcentre.desk import corrections, drafts, history, my_day, serving, undo, wrap_up
from callcentre.desk.context import Desk
from callcentre.desk.history import EventKind
from callcentre.desk.outcomes import Outcome
from callcentre.people.kinds import NumberOwner
from callcentre.people.models import PersonNumber
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import load_settings
from tests.builders import World, a_person, make_world

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday, 10:00 in France."""


@dataclass
class Place:
    """An operation with one officer at the desk, who calls at `now`."""

    runtime: Runtime
    world: World
    now: datetime = NOW
    submissions: list[int] = field(default_factory=list)

    @property
    def me(self) -> int:
        """The officer."""
        return self.world.users["officer"]

    def desk(self, session: Session) -> Desk:
        """The programme's desk."""
        return self.runtime.desk(session)

    def call(self, outcome: Outcome, person: int | None = None) -> int:
        """Serve, call and wrap up; return who was called."""
        with writing(self.runtime.sessions) as session:
            desk = self.desk(session)
            lease = (
                serving.open_card(session, desk, person, officer_id=self.me, now=self.now)
                if person is not None
                else serving.serve_next(session, desk, officer_id=self.me, now=self.now)
            )
            assert not isinstance(lease, serving.Nothing)
            number = session.scalars(
                select(PersonNumber.number_id).where(PersonNumber.person_id == lease.person_id)
            ).first()
            assert number is not None
            serving.start_attempt(
                session, desk, lease.token, officer_id=self.me, number_id=number, now=self.now
            )
            done = wrap_up.wrap_up(
                session, desk, lease.token, outcome, officer_id=self.me, key=lease.token, now=self.now
            )
            assert done.submission_id is not None
            self.submissions.append(done.submission_id)
            return lease.person_id


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Iterator[Place]:
    """Three people due, on SQLite and on PostgreSQL."""
    settings = load_settings(
        {
            "CALLCENTRE_DATA_DIR": str(tmp_path),
            "CALLCENTRE_DATABASE_URL": database_url,
            "CALLCENTRE_SECRET_KEY": "for tests only",
        }
    )
    runtime = build_runtime(settings, clock=ManualClock(NOW))
    yield Place(runtime, make_world(runtime.sessions, NOW, people=3))
    runtime.engine.dispose()


def test_day_counts_calls_contacts_and_promises(place: Place) -> None:
    place.call(Outcome("no_answer"))
    called = place.call(Outcome("call_back", callback_at=NOW + timedelta(hours=2), note="après la réunion"))
    place.call(Outcome("interested", callback_at=NOW + timedelta(days=1)))
    with reading(place.runtime.sessions) as session:
        day = my_day.my_day(session, place.desk(session), officer_id=place.me, now=NOW)
    assert (day.calls, day.contacts, day.promised_later) == (3, 2, 1)
    assert [(promise.person_id, promise.note) for promise in day.promises] == [(called, "après la réunion")]


def test_somebody_waits_until_all_are_called(place: Place) -> None:
    def waits() -> bool:
        with reading(place.runtime.sessions) as session:
            return my_day.somebody_waits(session, place.desk(session), officer_id=place.me, now=NOW)

    assert waits()
    for _ in place.world.people:
        place.call(Outcome("no_answer"))
    assert not waits()


def test_last_result_is_shown_until_it_can_no_longer_be_undone(place: Place) -> None:
    called = place.call(Outcome("no_answer"))
    with reading(place.runtime.sessions) as session:
        desk = place.desk(session)
        last = my_day.last_result(session, desk, officer_id=place.me, now=NOW)
        late = my_day.last_result(session, desk, officer_id=place.me, now=NOW + timedelta(minutes=6))
    assert last is not None
    assert (last.person_id, last.disposition, last.undo_until) == (
        called,
        "no_answer",
        NOW + timedelta(minutes=5),
    )
    assert last.next_at is not None
    assert late is None


def test_undone_result_waits_for_the_call_under_way(place: Place) -> None:
    first = place.call(Outcome("no_answer"))
    with writing(place.runtime.sessions) as session:
        desk = place.desk(session)
        second = serving.serve_next(session, desk, officer_id=place.me, now=NOW)
        assert not isinstance(second, serving.Nothing)
        undone = undo.undo(session, desk, place.submissions[0], officer_id=place.me, now=NOW)
        assert undone.lease is None
        assert undo.take_up_again(session, desk, officer_id=place.me, now=NOW) is None
        serving.release(session, second.token, officer_id=place.me, now=NOW)
        again = undo.take_up_again(session, desk, officer_id=place.me, now=NOW)
        assert again is not None
        assert (again.person_id, again.attempt_id) == (first, undone.attempt_id)


def test_history_holds_everything_once_newest_first(place: Place) -> None:
    person = place.call(Outcome("guardian_refusal", note="La mère refuse"))
    with writing(place.runtime.sessions) as session:
        desk = place.desk(session)
        corrections.oppose(
            session, desk, person, source="office", by=place.me, now=NOW + timedelta(minutes=9)
        )
        file = history.file_of(session, desk.programme_id, person)
    kinds = [event.kind for event in file.events]
    assert kinds[0] is EventKind.OPPOSITION
    assert kinds.count(EventKind.ATTEMPT) == kinds.count(EventKind.OPT_OUT) == 1
    assert EventKind.STAGE in kinds
    assert [event.at for event in file.events] == sorted((event.at for event in file.events), reverse=True)
    assert file.opposition is not None
    assert len(file.opt_outs) == 1


def test_number_given_to_two_people_counts_for_both(place: Place) -> None:
    with writing(place.runtime.sessions) as session:
        desk = place.desk(session)
        other = a_person(session, place.world, now=NOW, numbers=[])
        for person in (place.world.people[0], other):
            corrections.add_number(
                session, desk, person, "06 39 98 44 55", NumberOwner.YOUNG_PERSON, by=place.me, now=NOW
            )
        shared = session.scalars(select(PersonNumber.number_id).where(PersonNumber.person_id == other)).one()
        linked = session.scalars(select(PersonNumber.person_id).where(PersonNumber.number_id == shared)).all()
    assert set(linked) == {place.world.people[0], other}


def test_kept_notes_are_the_officers_own(place: Place) -> None:
    with writing(place.runtime.sessions) as session:
        for officer in ("officer", "colleague"):
            drafts.save(
                session,
                officer_id=place.world.users[officer],
                person_id=place.world.people[0],
                body=f"note de {officer}",
                now=NOW,
            )
        notes = my_day.kept_notes(session, officer_id=place.me)
    assert [note.body for note in notes] == ["note de officer"]
