"""What a supervisor decides on the pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from callcentre.callqueue.models import QueueEntry
from callcentre.database import reading, writing
from callcentre.desk import serving, wrap_up
from callcentre.desk.models import OutcomeConflict
from callcentre.desk.outcomes import Outcome
from callcentre.directory.models import Territory
from callcentre.outreach.models import Attempt
from callcentre.people.models import Opposition, OptOut, PersonNumber
from tests.builders import a_number, a_person
from tests.web.programs import Room, a_room
from tests.web.site import send, text_of

HALF_AN_HOUR = timedelta(minutes=31)


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Iterator[Room]:
    with a_room(tmp_path, sqlite_url, people=4) as room:
        yield room


@pytest.fixture
def small_room(tmp_path: Path, sqlite_url: str) -> Iterator[Room]:
    """One person only, whom two officers can but share."""
    with a_room(tmp_path, sqlite_url, people=1) as room:
        yield room


@pytest.fixture
def supervisor(room: Room) -> FlaskClient:
    return room.site.client("supervisor")


def test_an_abandoned_call_gets_its_result_from_the_supervisor(room: Room, supervisor: FlaskClient) -> None:
    served = room.program().next()
    room.program().call(served)
    person = served["lease"]["person_id"]
    room.site.clock.advance(HALF_AN_HOUR)
    assert f"/supervision/people/{person}/settle" in supervisor.get("/supervision").text
    page = text_of(supervisor.get(f"/supervision/people/{person}/settle"))
    assert "Camille Roux" in page
    answer = send(
        supervisor, f"/supervision/people/{person}/settle", disposition="no_answer", note="Vu avec elle"
    )
    assert answer.headers["Location"] == "/supervision"
    with reading(room.site.runtime.sessions) as session:
        attempt = session.scalars(select(Attempt)).one()
        assert (attempt.disposition, attempt.note) == ("no_answer", "Vu avec elle")
    assert f"/supervision/people/{person}/settle" not in supervisor.get("/supervision").text
    assert supervisor.get(f"/supervision/people/{person}/settle").status_code == 302


def test_a_call_still_under_way_is_not_settled_by_somebody_else(room: Room, supervisor: FlaskClient) -> None:
    served = room.program().next()
    room.program().call(served)
    answer = send(
        supervisor, f"/supervision/people/{served['lease']['person_id']}/settle", disposition="no_answer"
    )
    assert answer.status_code == 409


def test_a_result_that_needs_more_is_refused_with_what_was_typed(room: Room, supervisor: FlaskClient) -> None:
    served = room.program().next()
    room.program().call(served)
    room.site.clock.advance(HALF_AN_HOUR)
    path = f"/supervision/people/{served['lease']['person_id']}/settle"
    answer = send(supervisor, path, disposition="interested", note="À garder")
    assert answer.status_code == 422
    assert "Choisissez un résultat" in text_of(answer)
    assert "À garder" in text_of(answer)
    answer = send(supervisor, path, disposition="out_of_scope", note="")
    assert answer.status_code == 422


def test_a_late_result_is_read_and_put_aside(small_room: Room) -> None:
    room, supervisor = small_room, small_room.site.client("supervisor")
    served = room.program().next()
    send(supervisor, f"/supervision/officers/{room.site.ids['officer']}")
    taken = room.program("colleague").next()
    assert taken["lease"]["person_id"] == served["lease"]["person_id"]
    late = room.program().wrap(served, "not_now", note="Trop tard")
    assert (late.status_code, late.get_json()["kept"]) == (409, True)
    with reading(room.site.runtime.sessions) as session:
        number = session.scalars(select(OutcomeConflict.id)).one()
    page = text_of(supervisor.get(f"/supervision/conflicts/{number}"))
    assert "Trop tard" in page
    assert "Refuse pour le moment" in page
    send(supervisor, f"/supervision/conflicts/{number}")
    assert f"/supervision/conflicts/{number}" not in supervisor.get("/supervision").text
    assert "déjà classé" in text_of(supervisor.get(f"/supervision/conflicts/{number}"))


def test_a_card_that_nobody_calls_is_freed(room: Room, supervisor: FlaskClient) -> None:
    room.program().next()
    officer = room.site.ids["officer"]
    assert f"/supervision/officers/{officer}" in supervisor.get("/supervision").text
    assert "Libérer la fiche" in text_of(supervisor.get(f"/supervision/officers/{officer}"))
    send(supervisor, f"/supervision/officers/{officer}")
    assert room.program("supervisor").get("/supervision").get_json()["leased"] == 0
    assert "plus de fiche à libérer" in text_of(supervisor.get(f"/supervision/officers/{officer}"))


def test_a_territory_is_weighed_and_given_back_its_people(room: Room, supervisor: FlaskClient) -> None:
    territory = room.world.territories["marseille-nord"]

    def weight() -> int | None:
        with reading(room.site.runtime.sessions) as session:
            return session.get_one(Territory, territory).weight

    assert "Marseille Nord" in text_of(supervisor.get("/supervision/territories"))
    send(supervisor, f"/supervision/territories/{territory}", weight="250")
    assert weight() == 250
    for wrong in ("beaucoup", "0"):
        answer = send(supervisor, f"/supervision/territories/{territory}", weight=wrong)
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
    assert weight() == 250
    send(supervisor, f"/supervision/territories/{territory}", weight="")
    assert weight() is None


def test_a_mistaken_opposition_is_taken_back_with_a_reason(room: Room, supervisor: FlaskClient) -> None:
    served = room.program().next()
    person = served["lease"]["person_id"]
    room.program().wrap(served, "opposition")
    path = f"/supervision/people/{person}"
    assert "Opposition enregistrée" in text_of(supervisor.get(path))
    assert send(supervisor, f"{path}/opposition", why=" ").status_code == 422
    assert send(supervisor, f"{path}/opposition", why="Mauvaise touche").status_code == 302
    with reading(room.site.runtime.sessions) as session:
        opposition = session.scalars(select(Opposition)).one()
        assert (opposition.revoked_reason, opposition.revoked_by) == (
            "Mauvaise touche",
            room.site.ids["supervisor"],
        )
        assert session.scalars(select(QueueEntry.state).where(QueueEntry.person_id == person)).one() == "open"


def test_somebody_who_left_the_queue_is_brought_back_with_a_reason(
    room: Room, supervisor: FlaskClient
) -> None:
    served = room.program().next()
    person = served["lease"]["person_id"]
    room.program().wrap(served, "has_solution")
    path = f"/supervision/people/{person}"
    assert "déjà une solution" in text_of(supervisor.get(path))
    assert send(supervisor, f"{path}/reopen", reason="").status_code == 422
    send(supervisor, f"{path}/reopen", reason="Solution abandonnée")
    assert "Dans la file" in text_of(supervisor.get(path))
    said = text_of(supervisor.get(f"/people/{person}"))
    assert "Remis dans la file · Sophie Garnier Solution abandonnée" in said
    assert "Solution abandonnée" in text_of(supervisor.get("/supervision/decisions"))


def refused(room: Room, **person: Any) -> tuple[int, int]:
    """A guardian refuses; return the young person and the refusal."""
    with writing(room.site.runtime.sessions) as session:
        desk, me, now = room.site.runtime.desk(session), room.site.ids["officer"], room.site.clock.now()
        who = a_person(session, room.world, now=now, guardian_numbers=[a_number()], **person)
        lease = serving.open_card(session, desk, who, officer_id=me, now=now)
        number = session.scalars(
            select(PersonNumber.number_id).where(
                PersonNumber.person_id == who, PersonNumber.owner == "guardian"
            )
        ).one()
        serving.start_attempt(session, desk, lease.token, officer_id=me, number_id=number, now=now)
        outcome = Outcome("guardian_refusal", note="Le père ne veut plus")
        wrap_up.wrap_up(session, desk, lease.token, outcome, officer_id=me, key=lease.token, now=now)
        return who, session.scalars(select(OptOut.id).where(OptOut.person_id == who)).one()


def test_a_guardians_refusal_waits_until_a_supervisor_decided(room: Room, supervisor: FlaskClient) -> None:
    who, refusal = refused(room)
    path = f"/supervision/refusals/{refusal}"
    assert path in supervisor.get("/supervision").text
    page = text_of(supervisor.get(path))
    assert "Camille Roux" in page
    assert "Le père ne veut plus" in page
    assert "1 autre numéro peut être appelé" in page
    assert send(supervisor, path, choice="refusal_goes_on").status_code == 302
    assert path not in supervisor.get("/supervision").text
    assert "déjà décidé" in text_of(supervisor.get(path))
    assert "on continue d’appeler le jeune · Sophie Garnier" in text_of(supervisor.get(f"/people/{who}"))
    assert send(supervisor, path, choice="refusal_stops", reason="Trop tard").status_code == 409


def test_a_refusal_may_end_the_calls_for_a_reason(room: Room, supervisor: FlaskClient) -> None:
    who, refusal = refused(room)
    path = f"/supervision/refusals/{refusal}"
    answer = send(supervisor, path, choice="refusal_stops", reason=" ")
    assert answer.status_code == 422
    assert "Indiquez la raison" in text_of(answer)
    assert send(supervisor, path, choice="none of them").status_code == 422
    send(supervisor, path, choice="refusal_stops", reason="La famille part à l’étranger")
    with reading(room.site.runtime.sessions) as session:
        entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == who)).one()
        assert (entry.state, entry.closed_reason) == ("closed", "guardian_refused")
    assert "refus d’un responsable" in text_of(supervisor.get(f"/people/{who}"))


def test_a_refusal_entered_by_mistake_is_lifted(room: Room, supervisor: FlaskClient) -> None:
    _, refusal = refused(room)
    send(supervisor, f"/supervision/refusals/{refusal}", choice="refusal_lifted", reason="Mauvaise touche")
    with reading(room.site.runtime.sessions) as session:
        stop = session.get_one(OptOut, refusal)
        assert (stop.revoked_reason, stop.revoked_by) == ("Mauvaise touche", room.site.ids["supervisor"])
    assert f"/supervision/refusals/{refusal}" not in supervisor.get("/supervision").text


def test_a_mistaken_result_is_undone_after_its_five_minutes(room: Room, supervisor: FlaskClient) -> None:
    served = room.program().next()
    person = served["lease"]["person_id"]
    made = room.program().wrap(served, "opposition").get_json()["attempt_id"]
    room.site.clock.advance(timedelta(hours=2))
    path = f"/supervision/calls/{made}/undo"
    assert path in supervisor.get(f"/people/{person}").text
    assert path not in room.site.client("admin").get(f"/people/{person}").text
    assert "Ne plus appeler" in text_of(supervisor.get(path))
    answer = send(supervisor, path, reason="")
    assert (answer.status_code, "Indiquez la raison" in text_of(answer)) == (422, True)
    assert send(supervisor, path, reason="Voulait la touche « rappeler »").status_code == 302
    said = text_of(supervisor.get(f"/people/{person}"))
    assert "Résultat annulé par un superviseur · Sophie Garnier Voulait la touche" in said
    assert path not in supervisor.get(f"/people/{person}").text
    assert "déjà annulé" in text_of(supervisor.get(path))
    assert send(supervisor, path, reason="Encore").status_code == 409


def test_only_a_supervisor_undoes_and_answers_refusals(room: Room) -> None:
    _, refusal = refused(room)
    for login in ("admin", "officer"):
        client = room.site.client(login)
        assert send(client, f"/supervision/refusals/{refusal}", choice="refusal_goes_on").status_code == 403
        assert send(client, "/supervision/calls/1/undo", reason="x").status_code == 403


def test_a_program_of_a_supervisor_undoes_with_a_reason(room: Room) -> None:
    served = room.program().next()
    made = room.program().wrap(served, "has_solution").get_json()["attempt_id"]
    room.site.clock.advance(timedelta(hours=2))
    assert room.program().post(f"/outcomes/{made}/undo").status_code == 409
    program = room.program("supervisor")
    assert program.post(f"/outcomes/{made}/undo", {}).status_code == 422
    done = program.post(f"/outcomes/{made}/undo", {"reason": "Mauvaise touche"})
    assert (done.status_code, done.get_json()["undone"], done.get_json()["lease"]) == (200, True, None)


def test_what_does_not_exist_is_said_not_to(supervisor: FlaskClient) -> None:
    for path in ("people/999", "conflicts/999", "refusals/999", "calls/999/undo"):
        assert supervisor.get(f"/supervision/{path}").status_code == 404
