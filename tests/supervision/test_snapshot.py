"""The picture of now, on both databases."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from callcentre.accounts import presence
from callcentre.accounts.kinds import PauseReason, Role
from callcentre.callqueue.days import ensure_day
from callcentre.callqueue.kinds import Lane
from callcentre.callqueue.models import LeaseLog, QueueEntry, Turn
from callcentre.desk.models import OutcomeConflict
from callcentre.funnel import changes
from callcentre.funnel.stages import Stage
from callcentre.intake.models import ListFile
from callcentre.outreach.models import Attempt, Callback, CallbackState
from callcentre.people.models import OptOut, PhoneNumber
from callcentre.supervision.picture import Bucket, OfficerNow, OfficerState, Picture, PromiseState
from callcentre.supervision.snapshot import COUNT_AGAIN_AFTER, Observer
from tests.funnel.ground import NOW, add_people, add_programme, add_user, programme

MINUTE = timedelta(minutes=1)
PROGRAMME = programme()


class World:
    """Two officers, twenty people of two territories, and an observer."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.programme_id, self.territories = add_programme(session)
        self.lea, self.tom = add_user(session, "lea"), add_user(session, "tom")
        add_user(session, "sonia", role=Role.SUPERVISOR)
        for territory in self.territories:
            add_people(session, 10, programme_id=self.programme_id, territory_id=territory)
        self.entries = list(session.query(QueueEntry).order_by(QueueEntry.id))
        for entry in self.entries:
            entry.eligible_at, entry.reason = NOW - MINUTE, {"code": "first_call", "params": {}}
        session.flush()
        self.observer = self.new_observer()

    def new_observer(self) -> Observer:
        return Observer(PROGRAMME, self.programme_id, settle_after=30 * MINUTE)

    def take(self, after: timedelta = timedelta(0)) -> Picture:
        return self.observer.take(self.session, now=NOW + after)

    def officer(self, number: int, after: timedelta = timedelta(0)) -> OfficerNow:
        return next(one for one in self.take(after).officers if one.id == number)

    def turn(self, n: int, *, officer: int | None = None, lane: Lane = Lane.ORDINARY, due: int = -5) -> Turn:
        entry = self.entries[n]
        turn = Turn(
            entry_id=entry.id,
            person_id=entry.person_id,
            programme_id=entry.programme_id,
            territory_id=entry.territory_id,
            lane=int(lane),
            due_at=NOW + due * MINUTE,
            due_until=NOW + 60 * MINUTE,
            token=f"token{n}" if officer else None,
            officer_id=officer,
            granted_at=NOW - 4 * MINUTE if officer else None,
            granted_on=date(2026, 11, 23) if officer else None,
            renewed_at=NOW - MINUTE if officer else None,
            lease_until=NOW + MINUTE if officer else None,
            due_weights=f"{entry.territory_id}:10" if officer else None,
        )
        self.session.add(turn)
        self.session.flush()
        return turn

    def attempt(self, n: int, officer: int, *, code: str | None = None, ago: int = 3) -> Attempt:
        attempt = Attempt(
            programme_id=self.programme_id,
            entry_id=self.entries[n].id,
            person_id=self.entries[n].person_id,
            officer_id=officer,
            lease_token=f"past{n}",
            lane=int(Lane.ORDINARY),
            started_at=NOW - ago * MINUTE,
            ended_at=None if code is None else NOW - (ago - 1) * MINUTE,
            slot="morning",
            local_date=date(2026, 11, 23),
            disposition=code,
        )
        self.session.add(attempt)
        self.session.flush()
        return attempt

    def call(self, n: int, officer: int) -> tuple[Turn, Attempt]:
        turn, attempt = self.turn(n, officer=officer), self.attempt(n, officer)
        turn.attempt_id = attempt.id
        self.session.flush()
        return turn, attempt

    def promise(self, n: int, minutes: int, *, officer: int | None) -> None:
        self.session.add(
            Callback(
                programme_id=self.programme_id,
                entry_id=self.entries[n].id,
                person_id=self.entries[n].person_id,
                officer_id=officer,
                promised_at=NOW + minutes * MINUTE,
                promised_by=self.lea,
                created_at=NOW - 60 * MINUTE,
                state=CallbackState.PROMISED,
            )
        )
        self.session.flush()


@pytest.fixture
def world(session: Session) -> World:
    return World(session)


def test_an_officer_is_away_free_paused_reading_on_a_call(world: World) -> None:
    assert world.officer(world.lea).state is OfficerState.AWAY
    presence.seen(world.session, world.lea, now=NOW)
    assert (world.officer(world.lea).state, world.officer(world.lea).since) == (OfficerState.FREE, NOW)
    presence.pause(world.session, world.lea, PauseReason.MEETING, now=NOW)
    paused = world.officer(world.lea)
    assert (paused.state, paused.reason) == (OfficerState.PAUSED, "meeting")
    presence.resume(world.session, world.lea, now=NOW)
    turn = world.turn(0, officer=world.lea)
    reading = world.officer(world.lea)
    assert (reading.state, reading.since) == (OfficerState.READING, NOW - 4 * MINUTE)
    assert reading.territory == "PSAD Marseille Nord"
    attempt = world.attempt(0, world.lea)
    turn.attempt_id = attempt.id
    on_call = world.officer(world.lea)
    assert (on_call.state, on_call.since) == (OfficerState.ON_CALL, NOW - 3 * MINUTE)
    attempt.ended_at = NOW - MINUTE
    assert world.officer(world.lea).state is OfficerState.WRAP_UP


def test_an_officer_who_walked_away_from_an_open_call_is_away(world: World) -> None:
    world.call(0, world.lea)
    assert world.officer(world.lea).state is OfficerState.ON_CALL
    (lea, _) = world.take(31 * MINUTE).officers
    assert (lea.state, lea.holds_lease) == (OfficerState.AWAY, True)
    assert len(world.take(31 * MINUTE).todo.to_settle) == 1


def test_officers_are_in_the_order_of_the_alphabet_with_their_day(world: World) -> None:
    world.attempt(1, world.tom, code="interested")
    world.attempt(2, world.tom, code="no_answer")
    world.attempt(3, world.tom, code="interested", ago=24 * 60)
    picture = world.take()
    assert [officer.name for officer in picture.officers] == ["Lea", "Tom"]
    assert (picture.officers[1].calls, picture.officers[1].contacts) == (2, 1)
    assert (picture.calls_today, picture.contacts_today) == (2, 1)


def test_a_corrected_result_is_a_call_but_no_contact(world: World) -> None:
    world.attempt(1, world.tom, code="interested").corrected_at = NOW
    picture = world.take()
    assert (picture.calls_today, picture.contacts_today, picture.results) == (1, 0, ())


def test_the_queue_shows_who_is_ready_by_lane_and_since_when(world: World) -> None:
    world.turn(0)
    world.turn(1, lane=Lane.PROMISE, due=-9)
    world.turn(2, due=5)
    world.turn(3, officer=world.lea)
    picture = world.take()
    assert picture.ready_count == 2
    assert (picture.ready_in(Lane.PROMISE), picture.ready_in(Lane.ORDINARY)) == (1, 1)
    assert picture.oldest_due == NOW - 9 * MINUTE
    assert picture.leased == 1


def test_promises_are_next_at_risk_late_or_missed(world: World) -> None:
    presence.seen(world.session, world.lea, now=NOW)
    world.promise(0, 30, officer=world.tom)
    world.promise(1, 5, officer=world.tom)
    world.promise(2, 5, officer=world.lea)
    world.promise(3, 5, officer=None)
    world.promise(4, -5, officer=world.lea)
    world.promise(5, -61, officer=world.lea)
    world.promise(6, 24 * 60, officer=world.lea)
    states = {one.person_id: one.state for one in world.take().todo.promises}
    assert [states.get(entry.person_id) for entry in world.entries[:7]] == [
        PromiseState.NEXT,
        PromiseState.AT_RISK,
        PromiseState.NEXT,
        PromiseState.NEXT,
        PromiseState.LATE,
        PromiseState.MISSED,
        None,
    ]
    assert world.take().todo.promise_counts[PromiseState.NEXT] == 3


def test_a_call_without_a_sign_of_life_is_to_settle(world: World) -> None:
    turn, attempt = world.call(0, world.lea)
    assert world.take().todo.to_settle == ()
    (open_call,) = world.take(30 * MINUTE).todo.to_settle
    assert (open_call.attempt_id, open_call.officer, open_call.person) == (attempt.id, "Lea", "Camille N.")
    assert world.take(20 * MINUTE).todo.to_settle == ()
    assert turn.attempt_id == attempt.id


def test_conflicts_refusals_and_imports_are_shown(world: World) -> None:
    person = world.entries[0].person_id
    number = PhoneNumber(e164="+33639981234", reversed_digits="43218993633", kind="mobile")
    world.session.add(number)
    world.session.flush()
    world.session.add_all(
        [
            OutcomeConflict(
                officer_id=world.tom, person_id=person, token="x", outcome={"disposition": "busy"}, at=NOW
            ),
            OutcomeConflict(officer_id=world.tom, token="y", outcome={}, at=NOW, settled_at=NOW),
            OptOut(number_id=number.id, source="guardian", person_id=person, at=NOW - MINUTE),
            OptOut(number_id=number.id, source="message", person_id=person, at=NOW - MINUTE),
            ListFile(
                programme_id=world.programme_id, name="liste.csv", digest="d", list_date=date(2026, 11, 1),
                state="importing", rows_done=40, rows_total=100, uploaded_at=NOW,
            ),
        ]
    )  # fmt: skip
    world.session.flush()
    picture = world.take()
    (conflict,) = picture.todo.conflicts
    assert (conflict.officer, conflict.disposition, conflict.person_id) == ("Tom", "busy", person)
    assert [refusal.person_id for refusal in picture.todo.refusals] == [person]
    assert picture.todo.decisions == 2
    assert [(one.name, one.done, one.total) for one in picture.imports] == [("liste.csv", 40, 100)]


def test_the_balance_shows_served_and_share_once_the_day_is_weighed(world: World) -> None:
    assert [territory.weight for territory in world.take().territories] == [None, None]
    ensure_day(world.session, world.programme_id, day=date(2026, 11, 23))
    world.turn(0)
    first, second = world.territories
    for n, territory in enumerate((first, first, second)):
        world.session.add(
            LeaseLog(
                token=f"t{n}", entry_id=world.entries[n].id, person_id=world.entries[n].person_id,
                programme_id=world.programme_id, territory_id=territory, officer_id=world.lea, lane=4,
                entry_version=0, due_weights=f"{first}:10 {second}:10", granted_on=date(2026, 11, 23),
                granted_at=NOW, ended_at=NOW, ending="closed",
            )
        )  # fmt: skip
    world.session.flush()
    one, two = world.take().territories
    assert (one.weight, one.served, one.share, one.ready, one.is_due) == (10.0, 2, 1.5, 1, True)
    assert (two.weight, two.served, two.share, two.ready, two.is_due) == (10.0, 1, 1.5, 0, False)


def test_stages_follow_their_changes(world: World) -> None:
    people = [entry.person_id for entry in world.entries]
    changes.advance_many(world.session, programme_id=world.programme_id, person_ids=people, at=NOW, now=NOW)
    assert world.take().stages[Stage.TO_CONTACT] == 20
    added = changes.advance(
        world.session,
        programme_id=world.programme_id,
        person_id=people[0],
        stage=Stage.CONTACTED,
        at=NOW,
        now=NOW,
        cause="interested",
    )
    assert world.take().stages[Stage.CONTACTED] == 1
    changes.reverse(world.session, added, at=NOW, by=None, cause="undo")
    assert world.take().stages[Stage.CONTACTED] == 0


def test_stages_stay_right_over_many_changes(world: World) -> None:
    world.take()
    people = add_people(
        world.session, 700, programme_id=world.programme_id, territory_id=world.territories[0]
    )
    for start in range(0, 700, 250):
        part = people[start : start + 250]
        changes.advance_many(world.session, programme_id=world.programme_id, person_ids=part, at=NOW, now=NOW)
        assert world.take().stages[Stage.TO_CONTACT] == min(700, start + 250)
    assert world.new_observer().take(world.session, now=NOW).stages == world.take().stages


def test_counts_over_everybody_have_an_age(world: World) -> None:
    assert world.take().waiting_in(Bucket.NOW) == 20
    world.entries[0].state = "closed"
    world.session.flush()
    assert world.take(COUNT_AGAIN_AFTER / 2).slow.counted_at == NOW
    assert world.take(COUNT_AGAIN_AFTER / 2).waiting_in(Bucket.CLOSED) == 0
    assert world.take(COUNT_AGAIN_AFTER).waiting_in(Bucket.CLOSED) == 1


def test_the_digest_is_the_same_in_another_process_and_changes_with_an_outcome(world: World) -> None:
    digest = world.take().digest
    assert world.take(MINUTE / 60).digest == digest
    assert world.new_observer().take(world.session, now=NOW + MINUTE / 30).digest == digest
    world.attempt(4, world.tom, code="no_answer")
    assert world.take(MINUTE / 20).digest != digest


def test_the_picture_for_programs_names_no_young_person(world: World) -> None:
    world.promise(0, 5, officer=None)
    text = json.dumps(world.take().as_json())
    assert "Camille" not in text
    assert json.loads(text)["todo"]["promises"][0]["person_id"] == world.entries[0].person_id


def test_a_picture_takes_the_same_few_queries_whatever_there_is_to_see(world: World) -> None:
    world.take()
    for n in range(6):
        world.promise(n, n, officer=world.lea)
        world.turn(n)
        world.attempt(n, world.tom, code="no_answer")
    seen: list[str] = []
    event.listen(world.session.get_bind(), "before_cursor_execute", lambda *args: seen.append(args[2]))
    world.take(MINUTE / 60)
    assert len(seen) == 15
