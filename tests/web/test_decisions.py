"""What a supervisor decides on the pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from callcentre.callqueue.models import QueueEntry
from callcentre.database import reading
from callcentre.desk.models import OutcomeConflict
from callcentre.directory.models import Territory
from callcentre.outreach.models import Attempt
from callcentre.people.models import Opposition
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


def test_what_does_not_exist_is_said_not_to(supervisor: FlaskClient) -> None:
    for path in ("/supervision/people/999", "/supervision/conflicts/999"):
        assert supervisor.get(path).status_code == 404
