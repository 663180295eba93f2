"""Undoing an import gives everything back, as long as nobody has worked on its people."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Table, select
from sqlalchemy.orm import Session, sessionmaker

from callcentre.callqueue import entries
from callcentre.callqueue.models import QueueEntry
from callcentre.database import Base, reading, writing
from callcentre.errors import NotAllowed
from callcentre.intake import importing, undoing
from callcentre.intake.kinds import ListState
from callcentre.outreach.models import Attempt
from callcentre.people import merges
from callcentre.people.models import PhoneNumber, YoungPerson
from callcentre.planning import routes
from callcentre.planning.eligibility import reconsider
from callcentre.planning.kinds import StepResult, StepState
from callcentre.planning.models import RouteStep
from tests.anything import add_row, rows_about
from tests.builders import a_user
from tests.intake import ground
from tests.intake.ground import NOW, csv_list

LATER = NOW + timedelta(days=1)
GOES_WITH_THEM = {
    "young_people", "guardians", "national_ids", "person_numbers", "queue_entries", "stage_changes", "turns",
    "list_rows", "list_changes", "duplicate_pairs", "route_steps",
}  # fmt: skip
DECEMBER = date(2026, 11, 16)
FIRST = csv_list(
    {
        "Nom": "MARTIN",
        "Prénom": "Léa",
        "INE": "0123456789A",
        "Portable": "06 39 98 00 01",
        "PSAD": "PSAD Marseille Nord",
    },
    {"Nom": "BERNARD", "Prénom": "Noé", "Tél. responsable": "04 65 71 00 01"},
    {"Nom": "PETIT", "Prénom": "Inès"},
)
SECOND = csv_list(
    {"Nom": "MARTIN", "Prénom": "Léa", "INE": "012345678AB", "Mail": "lea@exemple.fr",
     "Portable": "06 39 98 00 01 / 06 39 98 00 02", "CP": "13100", "RNE": "0139115M",
     "Tél. responsable": "04 65 71 00 02 (mère)", "PSAD": "PSAD Aix-en-Provence"},
    {"Nom": "PETIT", "Prénom": "Inès"},
    {"Nom": "ROUX", "Prénom": "Adam", "Portable": "06 39 98 00 03"},
    {"Nom": "DURAND", "Prénom": "Jade", "Né(e) le": "31/02/2008"},
)  # fmt: skip


def snapshot(sessions: sessionmaker[Session]) -> dict[str, Any]:
    """Everything about people, whatever the table."""
    with reading(sessions) as session:
        found: dict[str, Any] = {}
        for name in (
            "young_people", "national_ids", "guardians", "phone_numbers", "person_numbers", "queue_entries",
            "stage_changes", "duplicate_pairs", "list_changes",
        ):  # fmt: skip
            table = Base.metadata.tables[name]
            left_out = {"updated_at"}
            rows = session.execute(select(table).order_by(table.c.id)).mappings()
            found[name] = [{k: v for k, v in row.items() if k not in left_out} for row in rows]
        return found


def test_whatever_is_written_about_a_person_bars_undoing_or_goes_with_them(
    sessions: sessionmaker[Session],
) -> None:
    """Table by table, as the metadata names them: nothing is left that refers to somebody who is gone."""
    ground.import_list(sessions, csv_list({"Nom": "BERNARD", "Prénom": "Noé"}))
    for table, column in merges.references():
        done = ground.import_list(sessions, csv_list({"Nom": f"{table.name} {column.name}", "Prénom": "Léa"}))
        with reading(sessions) as session:
            person_id = session.scalars(select(YoungPerson.id).order_by(YoungPerson.id.desc())).first() or 0
        with writing(sessions) as session:
            if not rows_about(session, column, person_id):
                write_about(session, table, column, person_id)
        before = snapshot(sessions)
        with writing(sessions) as session:
            found = undoing.look(session, done.list_file_id, programme=ground.programme(), now=LATER)
            if not found.is_possible:
                assert table.name not in GOES_WITH_THEM, table.name
                with pytest.raises(NotAllowed):
                    undoing.undo(session, done.list_file_id, programme=ground.programme(), now=LATER)
                continue
        assert table.name in GOES_WITH_THEM, table.name
        undo(sessions, done.list_file_id)
        assert snapshot(sessions) != before
        with reading(sessions) as session:
            left = [one.name for one, where in merges.references() if rows_about(session, where, person_id)]
            assert left == []
            assert session.get(YoungPerson, person_id) is None


def write_about(session: Session, table: Table, column: Column[Any], person_id: int) -> None:
    entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == person_id)).one()
    number_id = session.scalar(select(PhoneNumber.id))
    if number_id is None:
        add_row(session, Base.metadata.tables["phone_numbers"], {})
        number_id = session.scalars(select(PhoneNumber.id)).one()
    known = {
        "programmes": entry.programme_id,
        "territories": entry.territory_id,
        "users": a_user(session, "supervisor", now=NOW),
        "young_people": session.scalars(select(YoungPerson.id).order_by(YoungPerson.id)).first() or 0,
        "queue_entries": entry.id,
        "phone_numbers": number_id,
    }
    add_row(session, table, known, **{column.name: person_id})


def undo(sessions: sessionmaker[Session], list_file_id: int) -> undoing.Undone:
    with writing(sessions) as session:
        return undoing.undo(session, list_file_id, programme=ground.programme(), now=LATER)


def test_undoing_gives_back_what_was_before(both_sessions: sessionmaker[Session]) -> None:
    ground.import_list(both_sessions, FIRST)
    before = snapshot(both_sessions)
    done = ground.import_list(both_sessions, SECOND, list_date=DECEMBER, now=LATER)
    assert (done.counts["updated"], done.counts["created"]) == (1, 1)
    undone = undo(both_sessions, done.list_file_id)
    assert (undone.removed, undone.restored) == (1, 1)
    assert snapshot(both_sessions) == before
    rows = ground.rows(both_sessions, done.list_file_id)
    assert {(row.person_id, row.raw) for row in rows} == {(None, ())}
    assert len(rows) == 4
    assert [person.in_current_list for person in ground.people(both_sessions)] == [True] * 3


def test_an_undone_list_can_be_imported_again(both_sessions: sessionmaker[Session]) -> None:
    ground.import_list(both_sessions, FIRST)
    first = ground.import_list(both_sessions, SECOND, list_date=DECEMBER, now=LATER)
    people = [(p.family_name, p.ines, p.numbers) for p in ground.people(both_sessions)]
    undo(both_sessions, first.list_file_id)
    again = ground.import_list(both_sessions, SECOND, list_date=DECEMBER, now=LATER)
    assert (again.list_file_id, again.state, again.counts) == (
        first.list_file_id,
        ListState.IMPORTED,
        first.counts,
    )
    assert [(p.family_name, p.ines, p.numbers) for p in ground.people(both_sessions)] == people


def test_an_undone_list_lets_a_closed_person_rest(sessions: sessionmaker[Session]) -> None:
    ground.import_list(sessions, FIRST)
    with writing(sessions) as session:
        entry = session.scalars(select(QueueEntry).order_by(QueueEntry.id)).first()
        assert entry is not None
        entries.close(
            session,
            entry,
            reason="never_reached",
            reopened_by="new_list supervisor",
            now=NOW - timedelta(days=9),
        )
    before = snapshot(sessions)
    done = ground.import_list(sessions, SECOND, list_date=DECEMBER, now=LATER)
    with reading(sessions) as session:
        assert session.get_one(QueueEntry, 1).state == "open"
    undo(sessions, done.list_file_id)
    assert snapshot(sessions) == before


def call(session: Session, family_name: str, user: int) -> None:
    person = session.scalars(select(YoungPerson).where(YoungPerson.family_name == family_name)).one()
    entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == person.id)).one()
    session.add(
        Attempt(
            programme_id=entry.programme_id, entry_id=entry.id, person_id=person.id, officer_id=user, lane=4,
            lease_token="t", started_at=LATER, local_date=LATER.date(),
            number_id=session.scalars(select(PhoneNumber.id)).first(),
        )
    )  # fmt: skip


@pytest.mark.parametrize(("called", "possible"), [("ROUX", False), ("MARTIN", False), ("BERNARD", True)])
def test_nobody_who_was_called_loses_their_call(
    sessions: sessionmaker[Session], called: str, possible: bool
) -> None:
    ground.import_list(sessions, FIRST)
    done = ground.import_list(sessions, SECOND, list_date=DECEMBER, now=LATER)
    with writing(sessions) as session:
        call(session, called, a_user(session, "officer", now=NOW))
    with reading(sessions) as session:
        found = undoing.look(session, done.list_file_id, programme=ground.programme(), now=LATER)
    assert (found.is_possible, found.obstacles.get("called", 0)) == (possible, 0 if possible else 1)
    if not possible:
        before = snapshot(sessions)
        with pytest.raises(NotAllowed):
            undo(sessions, done.list_file_id)
        assert snapshot(sessions) == before


def lose(session: Session, now: datetime) -> int:
    """Let the retry rule look at everybody; return who has no number that is usable."""
    programme = ground.programme()
    people = session.scalars(select(YoungPerson.id)).all()
    reconsider(
        session, programme, session.scalars(select(QueueEntry.programme_id)).first() or 0, people, now=now
    )
    return session.scalars(
        select(QueueEntry.person_id).where(QueueEntry.closed_reason == "details_to_find")
    ).one()


def test_who_has_no_usable_number_and_was_not_looked_for_goes_with_the_import(
    both_sessions: sessionmaker[Session],
) -> None:
    done = ground.import_list(both_sessions, csv_list({"Nom": "BERNARD", "Prénom": "Noé"}))
    with writing(both_sessions) as session:
        person = lose(session, LATER)
        assert session.scalars(select(RouteStep).where(RouteStep.person_id == person)).all()
    assert undo(both_sessions, done.list_file_id).removed == 1
    with reading(both_sessions) as session:
        assert session.scalars(select(RouteStep)).all() == []


def test_who_was_looked_for_by_another_route_bars_undoing(sessions: sessionmaker[Session]) -> None:
    ground.import_list(sessions, csv_list({"Nom": "BERNARD", "Prénom": "Noé"}))
    with writing(sessions) as session:
        lose(session, NOW)
        user = a_user(session, "officer", now=NOW)
    second = csv_list({"Nom": "BERNARD", "Prénom": "Noé", "Mail": "noe@exemple.fr"})
    done = ground.import_list(sessions, second, list_date=DECEMBER, now=LATER)
    with writing(sessions) as session:
        due = session.scalars(select(RouteStep).where(RouteStep.state == StepState.DUE)).one()
        routes.record(session, due.id, StepResult.NOTHING, by=user, now=LATER)
        found = undoing.look(session, done.list_file_id, programme=ground.programme(), now=LATER)
    assert found.obstacles == {"changed_since": 1}


def test_an_import_under_a_later_one_stays(sessions: sessionmaker[Session]) -> None:
    first = ground.import_list(sessions, FIRST)
    ground.import_list(sessions, SECOND, list_date=DECEMBER, now=LATER)
    with reading(sessions) as session:
        found = undoing.look(session, first.list_file_id, programme=ground.programme(), now=LATER)
    assert found.obstacles == {"later_list": 2}


def test_after_a_month_it_is_too_late(sessions: sessionmaker[Session]) -> None:
    done = ground.import_list(sessions, FIRST)
    with reading(sessions) as session:
        found = undoing.look(
            session, done.list_file_id, programme=ground.programme(), now=NOW + timedelta(days=31)
        )
    assert found.too_late


def test_a_list_that_is_being_imported_is_not_undone(sessions: sessionmaker[Session]) -> None:
    ready = ground.prepared(FIRST)
    with writing(sessions) as session:
        list_id = importing.receive(session, ready, programme=ground.programme(), now=NOW)
        importing.start(session, list_id)
    with pytest.raises(NotAllowed):
        undo(sessions, list_id)
