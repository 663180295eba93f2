"""Figures by territory, and that every figure opens exactly the people it counts, on both databases."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from callcentre.callqueue.kinds import Lane
from callcentre.callqueue.models import QueueEntry, Turn
from callcentre.errors import NotAllowed
from callcentre.funnel import changes
from callcentre.funnel import queries as funnel
from callcentre.funnel.stages import ORDER, Stage, is_nested
from callcentre.outreach.models import Attempt, Callback
from callcentre.supervision import figures, queries
from callcentre.supervision.figures import Behind
from callcentre.supervision.picture import Bucket
from callcentre.supervision.reports import funnel_report
from tests.funnel.ground import NOW, add_people, add_programme, add_user, programme

DAY = timedelta(days=1)
PROGRAMME = programme()


class World:
    """Sixty people of two territories, two officers, and some weeks of stages."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.programme_id, self.territories = add_programme(session)
        self.officers = [add_user(session, name) for name in ("lea", "tom")]
        self.people = [
            person
            for territory in self.territories
            for person in add_people(session, 30, programme_id=self.programme_id, territory_id=territory)
        ]
        changes.advance_many(
            session, programme_id=self.programme_id, person_ids=self.people, at=NOW - 70 * DAY, now=NOW
        )
        draw = random.Random(5)
        for _ in range(150):
            try:
                added = changes.advance(
                    session,
                    programme_id=self.programme_id,
                    person_id=draw.choice(self.people),
                    stage=draw.choice(list(Stage)),
                    at=NOW - draw.randrange(60) * DAY,
                    now=NOW,
                    cause="test",
                    by=draw.choice(self.officers),
                )
            except NotAllowed:
                continue
            if draw.random() < 0.2:
                changes.reverse(session, added, at=NOW, by=None, cause="undo")

    def promise(self, entry: QueueEntry, at: datetime) -> None:
        """Promise somebody a call."""
        self.session.add(
            Callback(
                programme_id=self.programme_id,
                entry_id=entry.id,
                person_id=entry.person_id,
                promised_at=at,
                promised_by=self.officers[0],
                created_at=NOW,
            )
        )

    def hold(self, entry: QueueEntry) -> None:
        """Give somebody's card to an officer."""
        self.session.add(
            Turn(
                entry_id=entry.id,
                person_id=entry.person_id,
                programme_id=entry.programme_id,
                territory_id=entry.territory_id,
                due_at=NOW,
                due_until=NOW + DAY,
                token="a card",
                officer_id=self.officers[0],
            )
        )

    def behind(self, **which: object) -> list[int]:
        found = figures.everybody(
            self.session,
            PROGRAMME,
            self.programme_id,
            Behind(**which),  # type: ignore[arg-type]
            now=NOW,
        )
        return [line.person_id for line in found]


@pytest.fixture
def world(session: Session) -> World:
    return World(session)


def test_every_figure_of_the_report_opens_as_many_people(world: World) -> None:
    report = funnel_report(world.session, PROGRAMME, now=NOW)
    assert sum(one.count for one in report.stages) > 60
    for one in report.stages:
        assert len(world.behind(stage=one.stage)) == one.count
    for stage, count in report.side.items():
        assert len(world.behind(stage=stage)) == count
    for row in report.territories:
        for stage, count in row.counts.items():
            assert len(world.behind(stage=stage, territory_id=row.id)) == count
    for row in report.officers:
        for stage, count in row.counts.items():
            assert len(world.behind(stage=stage, officer_id=row.id)) == count
    for week in report.weeks:
        for stage, count in week.counts.items():
            assert len(world.behind(stage=stage, week=week.monday)) == count


def test_territories_add_up_to_the_whole(world: World) -> None:
    report = funnel_report(world.session, PROGRAMME, now=NOW)
    for one in report.stages:
        assert sum(row.counts[one.stage] for row in report.territories) == one.count


def test_the_stages_of_the_report_are_nested(world: World) -> None:
    report = funnel_report(world.session, PROGRAMME, now=NOW)
    for row in report.territories:
        counts = [row.counts[stage] for stage in ORDER]
        assert counts == sorted(counts, reverse=True)
    for person in world.people:
        assert is_nested([e.stage for e in funnel.stages_of(world.session, world.programme_id, person)])


def test_the_report_compares_with_the_target_to_date_and_looks_ahead(world: World) -> None:
    report = funnel_report(world.session, PROGRAMME, now=NOW)
    contacted = report.figures(Stage.CONTACTED)
    assert contacted.target == 1964
    assert 0 < contacted.to_date < contacted.target
    assert contacted.gap == contacted.count - contacted.to_date
    assert contacted.pace.needed > 0
    assert contacted.forecast is not None
    assert (
        contacted.count
        <= contacted.forecast.low
        <= contacted.forecast.middle
        <= contacted.forecast.high
        <= 60
    )
    exits, accompanied = report.figures(Stage.POSITIVE_EXIT), report.figures(Stage.ACCOMPANIED)
    assert exits.forecast is not None
    assert accompanied.forecast is not None
    assert exits.forecast.high <= accompanied.forecast.high <= contacted.forecast.high
    assert report.as_json()["stages"]["contacted"]["forecast"]["confidence"] == 0.8


def test_an_empty_database_has_a_report(session: Session) -> None:
    report = funnel_report(session, PROGRAMME, now=NOW)
    assert [one.count for one in report.stages] == [0, 0, 0, 0]
    assert report.territories == ()


def test_the_report_takes_the_same_few_queries_whatever_the_number_of_people(world: World) -> None:
    seen: list[str] = []
    event.listen(world.session.get_bind(), "before_cursor_execute", lambda *args: seen.append(args[2]))
    funnel_report(world.session, PROGRAMME, now=NOW)
    assert len(seen) == 7
    seen.clear()
    figures.people(world.session, PROGRAMME, world.programme_id, Behind(stage=Stage.CONTACTED), now=NOW)
    assert len(seen) == 5


def test_a_list_is_by_name_and_in_pages(world: World) -> None:
    pages = [
        figures.people(world.session, PROGRAMME, world.programme_id, Behind(), now=NOW, page=page)
        for page in (1, 2, 99)
    ]
    assert [len(page.lines) for page in pages] == [50, 10, 10]
    assert {page.total for page in pages} == {60}
    names = [line.family_name for page in pages[:2] for line in page.lines]
    assert names == sorted(names)


def test_a_line_says_how_far_and_when_last_called(world: World) -> None:
    person, entry = (
        world.people[0],
        world.session.query(QueueEntry).filter_by(person_id=world.people[0]).one(),
    )
    for hours, code in ((30, "no_answer"), (2, "voicemail")):
        world.session.add(
            Attempt(
                programme_id=world.programme_id,
                entry_id=entry.id,
                person_id=person,
                officer_id=world.officers[0],
                lease_token=f"t{hours}",
                lane=int(Lane.ORDINARY),
                started_at=NOW - timedelta(hours=hours),
                ended_at=NOW,
                slot="morning",
                local_date=date(2026, 11, 23),
                disposition=code,
            )
        )
    world.session.flush()
    line = figures.people(world.session, PROGRAMME, world.programme_id, Behind(), now=NOW).lines[0]
    assert line.person_id == person
    assert line.last_call == figures.LastCall(NOW - timedelta(hours=2), "voicemail")
    held = [e.stage for e in funnel.stages_of(world.session, world.programme_id, person)]
    assert line.stage is funnel.furthest(held)


def test_people_are_found_by_what_the_queue_does_with_them(world: World) -> None:
    entries = world.session.query(QueueEntry).order_by(QueueEntry.id).limit(10).all()
    closed, paused, now, today, later, nothing, ready, passed, promised, held = entries
    for entry in world.session.query(QueueEntry):
        entry.eligible_at = entry.preferred_at = NOW + 30 * DAY
        entry.eligible_until = NOW + 31 * DAY
        entry.reason = {"code": "other_slot", "params": {}}
    closed.state, closed.closed_reason, closed.eligible_at = "closed", "opposition", None
    paused.paused_until = NOW + DAY
    now.eligible_at = NOW - DAY
    today.eligible_at = NOW + timedelta(hours=3)
    later.eligible_at = NOW + DAY
    nothing.eligible_at, nothing.reason = None, {"code": "no_permitted_hour", "params": {}}
    ready.eligible_at = ready.preferred_at = NOW - timedelta(minutes=5)
    ready.reason = {"code": "quick_retry", "params": {}}
    passed.eligible_at, passed.eligible_until = NOW - DAY, NOW - timedelta(hours=20)
    world.promise(promised, NOW + timedelta(hours=2))
    world.hold(held)
    world.session.flush()
    waiting = queries.waiting(world.session, world.programme_id, now=NOW, tomorrow=NOW + timedelta(hours=12))
    assert {(w.bucket, w.reason): w.count for w in waiting} == {
        (Bucket.CLOSED, "opposition"): 1,
        (Bucket.PAUSED, "paused"): 1,
        (Bucket.NOW, "other_slot"): 1,
        (Bucket.NOW, "ready"): 1,
        (Bucket.RESERVE, "reserve"): 1,
        (Bucket.HELD, "leased"): 1,
        (Bucket.TODAY, "promised"): 1,
        (Bucket.TODAY, "other_slot"): 1,
        (Bucket.LATER, "other_slot"): 51,
        (Bucket.NOTHING, "no_permitted_hour"): 1,
    }
    for one in waiting:
        assert len(world.behind(bucket=one.bucket, reason=one.reason)) == one.count
    assert world.behind(bucket=Bucket.CLOSED, reason="opposition") == [closed.person_id]


def test_people_ready_and_people_held_are_found_by_their_turn(world: World) -> None:
    entries = world.session.query(QueueEntry).order_by(QueueEntry.id).limit(3).all()
    for n, entry in enumerate(entries):
        world.session.add(
            Turn(
                entry_id=entry.id,
                person_id=entry.person_id,
                programme_id=entry.programme_id,
                territory_id=entry.territory_id,
                lane=int(Lane.PROMISE if n == 0 else Lane.ORDINARY),
                due_at=NOW - timedelta(minutes=5),
                due_until=NOW + timedelta(hours=1),
                token="held" if n == 2 else None,
                officer_id=world.officers[0] if n == 2 else None,
            )
        )
    world.session.flush()
    assert world.behind(ready=True) == [entries[0].person_id, entries[1].person_id]
    assert world.behind(ready=True, lane=Lane.PROMISE) == [entries[0].person_id]
    assert world.behind(leased=True) == [entries[2].person_id]
