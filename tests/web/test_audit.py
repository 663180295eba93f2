"""Who looked at whom: written once for each look, shown to administrators alone, forgotten after its time."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from callcentre.audit.models import AuditEvent, PersonView
from callcentre.database import reading, writing
from callcentre.desk.kinds import DecisionKind
from callcentre.web import audit
from tests.web.programs import Room, a_room
from tests.web.site import send, text_of
from workers import jobs


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Iterator[Room]:
    with a_room(tmp_path, sqlite_url, people=3) as room:
        yield room


def looks(room: Room) -> list[tuple[int, int | None, str, int]]:
    """Who saw whom, where, how many."""
    with reading(room.site.runtime.sessions) as session:
        rows = session.scalars(select(PersonView).order_by(PersonView.id))
        return [(row.user_id, row.person_id, row.place, row.people) for row in rows]


def test_a_page_that_is_looked_at_is_written_down_once_for_a_while(room: Room) -> None:
    supervisor, who = room.site.client("supervisor"), room.world.people[0]
    me = room.site.ids["supervisor"]
    for _ in range(3):
        supervisor.get(f"/people/{who}")
    assert looks(room) == [(me, who, "page", 1)]
    room.site.clock.advance(timedelta(minutes=11))
    supervisor.get(f"/people/{who}")
    room.site.client("officer").get(f"/people/{who}")
    assert looks(room)[1:] == [(me, who, "page", 1), (room.site.ids["officer"], who, "page", 1)]


def test_somebody_who_does_not_exist_was_not_looked_at(room: Room) -> None:
    assert room.site.client("supervisor").get("/people/4321").status_code == 404
    assert looks(room) == []


def test_cards_searches_lists_and_programs_are_looks_too(room: Room) -> None:
    officer, me = room.site.client("officer"), room.site.ids["officer"]
    send(officer, "/desk/next")
    officer.get("/desk")
    ((_, first, place, _),) = looks(room)
    assert place == "card"
    send(officer, "/desk/search", q="Essai2")
    assert looks(room)[-1] == (me, room.world.people[1], "search", 1)
    room.site.client("supervisor").get("/people")
    assert looks(room)[-1] == (room.site.ids["supervisor"], None, "list", 3)
    served = room.program("colleague").next()
    assert looks(room)[-1] == (room.site.ids["colleague"], served["lease"]["person_id"], "card", 1)
    room.program("colleague").get(f"/people/{first}")
    assert looks(room)[-1] == (room.site.ids["colleague"], first, "page", 1)


def test_the_journal_is_for_administrators_and_narrows_to_a_person_or_an_account(room: Room) -> None:
    who, other = room.world.people[:2]
    room.site.client("supervisor").get(f"/people/{who}")
    room.site.client("officer").get(f"/people/{other}")
    assert room.site.client("supervisor").get("/audit").status_code == 403
    admin = room.site.client("admin")
    said = text_of(admin.get("/audit"))
    assert "Sophie Garnier fiche complète" in said
    assert "Camille Roux fiche complète" in said
    assert "Camille Roux fiche" not in text_of(admin.get(f"/audit?person={who}"))
    assert "Sophie Garnier fiche" not in text_of(admin.get(f"/audit?user={room.site.ids['officer']}"))
    assert f"/audit?person={who}" in admin.get(f"/people/{who}").text


def test_the_journal_shows_what_was_changed(room: Room) -> None:
    served = room.program().next()
    room.program().wrap(served, "opposition")
    supervisor = room.site.client("supervisor")
    person = served["lease"]["person_id"]
    send(supervisor, f"/supervision/people/{person}/opposition", why="Mauvaise touche")
    said = text_of(room.site.client("admin").get("/audit?what=changes"))
    assert "Sophie Garnier Opposition levée" in said
    assert "Mauvaise touche" not in said


def test_no_look_reaches_a_log(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        room.site.client("supervisor").get(f"/people/{room.world.people[0]}")
    assert "Essai" not in caplog.text


def test_looks_and_changes_are_forgotten_after_their_time(room: Room) -> None:
    served = room.program().next()
    room.program().wrap(served, "guardian_refusal")
    room.site.client("supervisor").get(f"/people/{served['lease']['person_id']}")
    runtime, start = room.site.runtime, room.site.clock.now()

    def left() -> tuple[int, int]:
        with reading(runtime.sessions) as session:
            return (
                len(session.scalars(select(PersonView)).all()),
                len(session.scalars(select(AuditEvent)).all()),
            )

    before = left()
    assert min(before) > 0
    for days, expected in ((364, before), (366, (0, 0))):
        with writing(runtime.sessions) as session:
            jobs.forget_audit(session, runtime, start + timedelta(days=days))
        assert left() == expected


def test_whatever_is_written_down_has_words_of_its_own() -> None:
    writers = {"trail.record": 1, "note": 0, "_note": 1}
    written = {kind.value for kind in DecisionKind}
    for path in Path(audit.__file__).parent.parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in writers:
                said = call.args[writers[ast.unparse(call.func)] :][:1]
                written |= {str(one.value) for one in said if isinstance(one, ast.Constant)}
            if (
                isinstance(call, ast.keyword)
                and call.arg == "action"
                and isinstance(call.value, ast.Constant)
            ):
                written.add(str(call.value.value))
    assert {"learning_taken_back", "list_import_undone", "list_dropped_refused"} <= written
    assert written == set(audit.ACTIONS)


def test_who_froze_learning_or_went_back_and_why_stays_after_it_is_resumed(room: Room) -> None:
    supervisor, admin = room.site.client("supervisor"), room.site.client("admin")
    send(supervisor, "/supervision/hours/freeze", reason="Nouvelle équipe")
    send(supervisor, "/supervision/hours/freeze", reason="Chiffres étranges")
    send(supervisor, "/supervision/hours/versions/0", why="Retour au départ")
    send(supervisor, "/supervision/hours/resume")
    said = text_of(admin.get("/audit?what=changes"))
    for line in (
        "Apprentissage des heures gelé Nouvelle équipe",
        "Apprentissage des heures gelé Chiffres étranges",
        "Retour à une version des heures apprises version 0 · Retour au départ",
        "Apprentissage des heures repris",
    ):
        assert line in said
