"""Whatever table refers to a person: a merge takes its rows along, and taking it back gives them back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Table, select
from sqlalchemy.orm import Session

from callcentre.callqueue.models import QueueEntry
from callcentre.database import make_engine, make_session_factory, reading, writing
from callcentre.outreach.models import Attempt
from callcentre.people import merges
from callcentre.people.models import PersonNumber
from callcentre.planning.counting import count_part
from callcentre.planning.models import CallHistory, RouteStep, SecondCalls
from callcentre.retry.bench_adapter import usual_tuning
from tests.anything import add_row, rows_about
from tests.builders import the_programme
from tests.desk.test_merging import NOW, OTHER, Two, a_call, two_records

STAYS = {
    "merges": "the merge itself",
    "duplicate_pairs": "what was said of two records",
    "list_changes": "of imports that a merge keeps from being undone",
    "stage_changes": "only ever added to: taken back there, entered again for the other",
}
COMPUTED = {"turns": "planned anew", "call_histories": "counted anew", "second_calls": "counted anew"}
SETTLED: dict[str, dict[str, Any]] = {
    "oppositions": {"revoked_at": NOW},
    "callbacks": {"state": "kept"},
    "route_steps": {"state": "done"},
}
REPLANNED = {"eligible_at", "eligible_until", "preferred_at", "preferred_until", "reason", "number_id",
             "priority", "worth", "updated_at"}  # fmt: skip


@pytest.fixture
def two(database_url: str) -> Iterator[Two]:
    """The two records, in a programme that counts what calls show."""
    engine = make_engine(database_url)
    yield two_records(make_session_factory(engine), the_programme().with_constants(usual_tuning()))
    engine.dispose()


def references() -> list[tuple[Table, Column[Any]]]:
    found = [(table, column) for table, column in merges.references() if table.name not in STAYS]
    assert len(found) >= 20
    return found


def write_of_everything(session: Session, two: Two, person_id: int) -> None:
    """A row of every table that refers to people, unless there is one."""
    entry = session.scalar(select(QueueEntry.id).where(QueueEntry.person_id == person_id))
    number = session.scalar(select(PersonNumber.number_id).where(PersonNumber.person_id == person_id))
    known = {
        "programmes": two.world.programme_id,
        "users": two.world.users["supervisor"],
        "territories": next(iter(two.world.territories.values())),
        "young_people": person_id,
        "queue_entries": entry or 0,
        "phone_numbers": number or 0,
    }
    for table, column in references():
        if table.name not in COMPUTED and not rows_about(session, column, person_id):
            add_row(session, table, known, **{column.name: person_id}, **SETTLED.get(table.name, {}))
    a_call(session, two.world, person_id, OTHER, owner="guardian", sequence=2)
    count_part(session, two.world.programme, two.world.programme_id, [two.one, two.two])


def held(two: Two, person_id: int) -> dict[str, list[dict[str, Any]]]:
    with reading(two.sessions) as session:
        return {
            f"{table.name}.{column.name}": [
                {name: value for name, value in row.items() if name not in REPLANNED}
                for row in rows_about(session, column, person_id)
            ]
            for table, column in references()
            if table.name != "turns"
        }


def test_every_table_that_refers_to_people_is_merged_and_given_back(two: Two) -> None:
    with writing(two.sessions) as session:
        write_of_everything(session, two, two.two)
    before = held(two, two.one), held(two, two.two)
    assert [name for name, rows in before[1].items() if not rows] == [], "a table of which nothing is tried"

    merge_id = two.merge()
    kept, gone = held(two, two.one), held(two, two.two)
    assert {name: rows for name, rows in gone.items() if rows} == {}
    lost = [name for name, rows in kept.items() if not rows]
    assert lost == []

    two.unmerge(merge_id)
    assert held(two, two.one) == before[0]
    assert held(two, two.two) == before[1]


def test_what_the_calls_to_both_have_shown_is_counted_together(two: Two) -> None:
    with writing(two.sessions) as session:
        for person_id in (two.one, two.two):
            count_part(session, two.world.programme, two.world.programme_id, [person_id])
    two.merge()
    with reading(two.sessions) as session:
        assert session.scalars(select(CallHistory.unanswered_0)).all() == [2]
        assert session.scalars(select(SecondCalls.slot)).all() == []


def test_a_message_that_went_to_both_is_the_kept_ones_once_and_both_again_afterwards(two: Two) -> None:
    table = next(table for table, _ in merges.references() if table.name == "message_recipients")
    with writing(two.sessions) as session:
        link = session.scalars(select(PersonNumber.number_id)).first()
        known = {"programmes": two.world.programme_id, "phone_numbers": link or 0, "young_people": two.one}
        message = add_row(session, table, known)["message_id"]
        add_row(session, table, known, message_id=message, person_id=two.two)
    merge_id = two.merge()
    with reading(two.sessions) as session:
        assert session.execute(select(table.c.person_id)).all() == [(two.one,)]
    two.unmerge(merge_id)
    with reading(two.sessions) as session:
        assert set(session.scalars(select(table.c.person_id))) == {two.one, two.two}


def test_two_rounds_that_began_at_one_instant_become_one(two: Two) -> None:
    with writing(two.sessions) as session:
        for person_id in (two.one, two.two):
            entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == person_id)).one()
            for position, state in enumerate(("done", "due", "waiting")):
                session.add(
                    RouteStep(
                        programme_id=two.world.programme_id, entry_id=entry.id, person_id=person_id,
                        opened_at=NOW - timedelta(days=30), position=position, route=f"r{position}", kind="task",
                        state=state, created_at=NOW,
                    )
                )  # fmt: skip
    steps = select(RouteStep.person_id, RouteStep.position, RouteStep.state).order_by(RouteStep.id)
    with reading(two.sessions) as session:
        before = session.execute(steps).all()
    merge_id = two.merge()
    with reading(two.sessions) as session:
        assert [(row.person_id, row.state) for row in session.execute(steps)] == [
            *((two.one, state) for state in ("done", "due", "waiting")),
            *((two.one, state) for state in ("done", "cancelled", "cancelled")),
        ]
        assert session.scalars(select(Attempt.person_id).distinct()).all() == [two.one]
    two.unmerge(merge_id)
    with reading(two.sessions) as session:
        assert session.execute(steps).all() == before
