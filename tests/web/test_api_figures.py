"""Figures and lists for programs: the funnel, the picture of now, its stream, and imports that are followed."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select
from werkzeug.test import TestResponse

from callcentre.accounts import queries, sign_in
from callcentre.database import reading, writing
from callcentre.intake.models import ListFile
from callcentre.people.models import YoungPerson
from callcentre.web.api import figures
from callcentre.web.imports import Imports
from tests.web.programs import API, Program, Room, a_room, error_of

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
LIST_DATE = "2026-11-21"


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Iterator[Room]:
    with a_room(tmp_path, sqlite_url) as room:
        yield room


# --- the funnel and the picture of now


def test_the_funnel_counts_what_officers_record(room: Room) -> None:
    program, supervisor = room.program(), room.program("supervisor")
    program.wrap(program.next(), "not_now")
    report = supervisor.get("/funnel").get_json()
    assert report["programme"] == "bouches-du-rhone"
    assert (report["stages"]["contacted"]["count"], report["stages"]["contacted"]["target"]) == (1, 1964)
    assert [row["label"] for row in report["officers"] if row["counts"]["contacted"]] == ["Camille Roux"]


def test_the_picture_names_officers_and_no_young_person(room: Room) -> None:
    served = room.program().next()
    picture = room.program("supervisor").get("/supervision").get_json()
    states = {officer["name"]: officer["state"] for officer in picture["officers"]}
    assert states["Camille Roux"] == "reading"
    assert picture["leased"] == 1
    assert served["person"]["family_name"] not in json.dumps(picture, ensure_ascii=False)


def test_the_stream_begins_with_the_picture_and_its_id(room: Room) -> None:
    supervisor = room.program("supervisor")
    events = _events(supervisor)
    name, number, picture = next(events)
    assert (name, number) == ("state", picture["digest"])
    assert picture["leased"] == 0
    room.program().next()
    name, number, picture = next(events)
    assert (name, picture["leased"]) == ("state", 1)
    events.close()
    resumed = _events(supervisor, last_event_id=number)
    room.program("colleague").next()
    assert next(resumed)[2]["leased"] == 2, "what was seen is not sent again"
    resumed.close()


def test_a_stream_ends_with_its_token(room: Room) -> None:
    supervisor, now = room.program("supervisor"), room.site.clock.now()
    with room.site.app.test_request_context(headers={"Authorization": f"Bearer {supervisor.token}"}):
        still_allowed = figures.token_check()
    assert still_allowed()
    with writing(room.site.runtime.sessions) as session:
        owner = room.site.ids["supervisor"]
        token = queries.tokens(session, owner, now=now)[0]
        sign_in.revoke_token(session, token.id, user_id=owner, now=now)
    assert not still_allowed()


def test_a_page_may_follow_with_its_cookie(room: Room) -> None:
    answer = room.site.client("supervisor").get(f"{API}/supervision/events", buffered=False)
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    answer.close()


def _events(program: Program, last_event_id: str = "") -> Generator[tuple[str, str, dict[str, Any]]]:
    answer = program.get(f"/supervision/events?last_event_id={last_event_id}")
    assert answer.status_code == 200
    try:
        for chunk in answer.iter_encoded():
            fields = dict(line.split(": ", 1) for line in chunk.decode().strip().split("\n"))
            if "event" in fields and fields["event"] != "beat":
                yield fields["event"], fields.get("id", ""), json.loads(fields["data"])
    finally:
        answer.close()


# --- how many statements a claim costs


def test_a_claim_with_its_card_costs_few_statements(tmp_path: Path, sqlite_url: str) -> None:
    with a_room(tmp_path, sqlite_url, people=80) as room:  # enough of them that the claim need not plan
        _count_statements(room)


def _count_statements(room: Room) -> None:
    program = room.program()
    for _ in range(3):
        program.wrap(program.next(), "no_answer")
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    event.listen(room.site.runtime.engine, "before_cursor_execute", note)
    served = program.next()
    claim = [statement for statement in said if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE"))]
    assert len(claim) <= 28, "\n".join(" ".join(statement.split())[:120] for statement in claim)
    said.clear()
    assert program.ask("PATCH", f"/leases/{served['lease']['token']}").status_code == 200
    renewal = [statement for statement in said if not statement.startswith("BEGIN")]
    assert len(renewal) <= 4, renewal


# --- lists


def test_a_check_says_what_would_happen_and_writes_nothing(room: Room) -> None:
    program = room.program("admin")
    answer = _send(program, "classeur.xlsx", check="true")
    assert answer.status_code == 200
    checked = answer.get_json()
    assert checked["checked"]
    assert checked["rows_total"] == sum(checked["counts"].values()) == 200
    assert checked["counts"]["created"] > 150
    assert _count(room, ListFile) == 0


def test_an_import_is_followed_to_its_end_and_twice_is_once(room: Room) -> None:
    program, before = room.program("admin"), _count(room, YoungPerson)
    received = _send(program, "classeur.xlsx")
    assert received.status_code == 201
    assert received.headers["Location"] == f"{API}/lists/{received.get_json()['id']}"
    done = _followed(room, program, received)
    assert (done["state"], done["rows_done"], done["rows_total"]) == ("imported", 200, 200)
    expected = json.loads(gzip.decompress((SAMPLES / "classeur.expected.json.gz").read_bytes()))
    assert done["counts"]["created"] == _count(room, YoungPerson) - before <= len(expected["people"])
    again = _followed(room, program, _send(program, "classeur.xlsx"))
    assert again == done
    assert program.get(f"/lists/{done['id']}").get_json() == done


def test_rows_with_a_remark_are_told_in_words(room: Room) -> None:
    checked = _send(room.program("admin"), "brouillonne.csv", check="true").get_json()
    assert checked["rows"]
    assert all(row["reasons"] and row["row"] for row in checked["rows"])
    english = _send(room.program("admin"), "brouillonne.csv", check="true", language="en").get_json()
    assert english["rows"][0]["reasons"] != checked["rows"][0]["reasons"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"programme": "elsewhere"}, "programme"),
        ({"list_date": "21/11/2026"}, "list_date"),
        ({"check": "maybe"}, "check"),
        ({"file_name": ""}, "file"),
        ({"content": b"\x00\x01\x02"}, "file"),
        ({"content": "Nom;Prénom\nDupont;Lina\n".encode()}, "file"),
    ],
)
def test_a_list_that_cannot_be_read_says_why(room: Room, fields: dict[str, Any], field: str) -> None:
    answer = _send(room.program("admin"), "classeur.xlsx", **fields)
    assert (answer.status_code, error_of(answer)["field"]) == (422, field)
    assert _count(room, ListFile) == 0


def _send(program: Program, name: str, *, language: str = "fr", **fields: Any) -> TestResponse:
    content = fields.pop("content", (SAMPLES / name).read_bytes())
    data = {
        "programme": "bouches-du-rhone",
        "list_date": LIST_DATE,
        "file": (io.BytesIO(content), fields.pop("file_name", name)),
        **fields,
    }
    headers = {"Authorization": f"Bearer {program.token}", "Accept-Language": language}
    return program.client.post(f"{API}/lists", data=data, headers=headers)


def _followed(room: Room, program: Program, received: TestResponse) -> dict[str, Any]:
    number = received.get_json()["id"]
    running = room.site.app.extensions.get("imports")
    if isinstance(running, Imports):
        running.wait(number)
    found: dict[str, Any] = program.get(f"/lists/{number}").get_json()
    return found


def _count(room: Room, table: type) -> int:
    with reading(room.site.runtime.sessions) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
