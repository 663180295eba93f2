"""Every way in which the API refuses: the status, a stable code, the field, words in the language asked for."""

from __future__ import annotations

import logging
import runpy
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callcentre.accounts import queries, sign_in, users
from callcentre.accounts.kinds import Language
from callcentre.database import writing
from callcentre.people.opt_outs import opt_out
from tests.builders import CONFIG
from tests.web.programs import API, Program, Room, a_room, error_of

TOMORROW = "2026-11-24T11:00:00+01:00"


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Iterator[Room]:
    with a_room(tmp_path, sqlite_url) as room:
        yield room


# --- who asks


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer nonsense", "Basic b2ZmaWNlcjpzZWNyZXQ="])
def test_without_a_good_token_nothing_opens(room: Room, sent: str) -> None:
    answer = room.site.app.test_client().post(f"{API}/leases", headers={"Authorization": sent})
    assert answer.status_code == 401
    assert error_of(answer)["code"] == "signed_out"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_token_is_over_at_once(room: Room) -> None:
    program = room.program()
    program.next()
    now, officer = room.site.clock.now(), room.site.ids["officer"]
    with writing(room.site.runtime.sessions) as session:
        token = queries.tokens(session, officer, now=now)[0]
        sign_in.revoke_token(session, token.id, user_id=officer, now=now)
    assert program.post("/leases").status_code == 401


def test_an_expired_token_is_over(room: Room) -> None:
    now = room.site.clock.now()
    with writing(room.site.runtime.sessions) as session:
        token = sign_in.create_token(
            session, room.site.ids["officer"], "short", now=now, lifetime=timedelta(hours=1)
        )
    program = Program(room.site.app.test_client(), token)
    assert program.post("/leases").status_code == 201
    room.site.clock.advance(timedelta(hours=1))
    assert program.post("/leases").status_code == 401


def test_a_closed_account_takes_its_tokens_with_it(room: Room) -> None:
    program = room.program()
    with writing(room.site.runtime.sessions) as session:
        users.set_active(session, room.site.ids["officer"], False, now=room.site.clock.now())
    assert program.post("/leases").status_code == 401


@pytest.mark.parametrize(
    ("login", "method", "path"),
    [
        ("supervisor", "POST", "/leases"),
        ("admin", "POST", "/leases"),
        ("admin", "GET", "/people/1"),
        ("officer", "GET", "/funnel"),
        ("officer", "GET", "/supervision"),
        ("officer", "GET", "/supervision/events"),
        ("officer", "POST", "/lists"),
        ("supervisor", "POST", "/lists"),
        ("officer", "GET", "/lists/1"),
    ],
)
def test_each_role_has_its_own_part(room: Room, login: str, method: str, path: str) -> None:
    answer = room.program(login).ask(method, path)
    assert answer.status_code == 403
    assert error_of(answer)["code"] == "forbidden"


def test_a_cookie_alone_changes_nothing(room: Room) -> None:
    client = room.site.client("officer")
    assert client.post(f"{API}/leases").status_code == 403
    assert client.get(f"{API}/people/{room.world.people[0]}").status_code == 200


# --- what is sent


def test_an_outcome_needs_a_key(room: Room) -> None:
    program = room.program()
    served = program.next()
    answer = program.post(f"/leases/{served['lease']['token']}/outcome", {"disposition": "no_answer"})
    assert answer.status_code == 400
    assert error_of(answer)["code"] == "idempotency_key_missing"
    for key in ("k" * 81, "two words", "clé"):
        refused = program.wrap(served, "no_answer", key=key)
        assert (refused.status_code, error_of(refused)["field"]) == (422, "Idempotency-Key")


@pytest.mark.parametrize("sent", ["", "{", "no_answer", '{"disposition": "\\ud800"}'])
def test_what_is_not_json_is_said_so(room: Room, sent: str) -> None:
    program = room.program()
    token = program.next()["lease"]["token"]
    answer = program.client.post(
        f"{API}/leases/{token}/outcome",
        data=sent,
        headers={"Authorization": f"Bearer {program.token}", "Idempotency-Key": "k"},
    )
    assert answer.status_code == (422 if sent == "" else 400)
    assert error_of(answer)["code"] == ("invalid" if sent == "" else "not_json")


def test_a_body_that_is_too_large_is_refused_before_it_is_read(room: Room) -> None:
    program = room.program()
    answer = program.wrap(program.next(), "no_answer", note="x" * 70_000)
    assert answer.status_code == 413
    assert error_of(answer)["code"] == "too_large"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "disposition"),
        ({"disposition": 5}, "disposition"),
        ({"disposition": "invented"}, "disposition"),
        ({"disposition": "no_answer", "notes": "x"}, "notes"),
        ({"disposition": "no_answer", "note": "x" * 4001}, "note"),
        ({"disposition": "no_answer", "note": "x\x00"}, "note"),
        ({"disposition": "no_answer", "number_id": "1"}, "number_id"),
        ({"disposition": "no_answer", "number_id": 0}, "number_id"),
        ({"disposition": "no_answer", "number_id": 2**63}, "number_id"),
        ({"disposition": "no_answer", "number_id": 99_999}, "number_id"),
        ({"disposition": "call_back"}, "callback_at"),
        ({"disposition": "call_back", "callback_at": "2026-11-24T11:00:00"}, "callback_at"),
        ({"disposition": "call_back", "callback_at": "tomorrow"}, "callback_at"),
        ({"disposition": "call_back", "callback_at": 1795518000}, "callback_at"),
        ({"disposition": "call_back", "callback_at": "0001-01-01T00:00:00+14:00"}, "callback_at"),
        ({"disposition": "call_back", "callback_at": "2026-11-23T09:59:59+01:00"}, "callback_at"),
        ({"disposition": "call_back", "callback_at": "2027-06-24T11:00:00+02:00"}, "callback_at"),
        (
            {"disposition": "call_back", "callback_at": TOMORROW, "callback_for_team": "yes"},
            "callback_for_team",
        ),
        ({"disposition": "appointment"}, "appointment"),
        ({"disposition": "appointment", "appointment": {"partner": "CIO"}}, "appointment.starts_at"),
        ({"disposition": "out_of_scope"}, "reason"),
        ({"disposition": "wrong_number", "new_number": "12"}, "new_number"),
        ({"disposition": "wrong_number", "new_number_owner": "neighbour"}, "new_number_owner"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(room: Room, sent: dict[str, Any], field: str) -> None:
    program = room.program()
    served = program.next()
    answer = program.post(f"/leases/{served['lease']['token']}/outcome", sent, Idempotency_Key="k")
    assert answer.status_code == 422
    assert error_of(answer)["field"] == field
    assert error_of(answer)["message"]
    again = program.wrap(served, "no_answer", key="k")
    assert again.status_code == 201, "a refused outcome uses up neither its key nor its lease"


def test_an_appointment_lies_ahead(room: Room) -> None:
    program = room.program()
    past = {"partner": "CIO Aubagne", "starts_at": "2026-11-20T10:00:00+01:00"}
    answer = program.wrap(program.next(), "appointment", appointment=past)
    assert (answer.status_code, error_of(answer)["field"]) == (422, "starts_at")


def test_a_number_of_somebody_else_is_not_taken(room: Room) -> None:
    program, colleague = room.program(), room.program("colleague")
    theirs = colleague.next()["numbers"][0]["id"]
    served = program.next()
    for answer in (program.call(served, theirs), program.wrap(served, "no_answer", number_id=theirs)):
        assert answer.status_code in {409, 422}
        assert error_of(answer).get("field") == "number_id" or error_of(answer)["reason"] == "number_unknown"


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("2026-11-24T13:30:00+01:00", "24/11/2026"),  # the lunch hour
        ("2026-11-29T11:00:00+01:00", "30/11/2026"),  # a Sunday
        ("2026-12-25T11:00:00+01:00", "24/12/2026"),  # Christmas
    ],
)
def test_a_promise_outside_the_windows_is_offered_the_nearest(room: Room, asked: str, nearest: str) -> None:
    program = room.program()
    answer = program.wrap(program.next(), "call_back", callback_at=asked)
    assert (answer.status_code, error_of(answer)["field"]) == (422, "callback_at")
    assert nearest in error_of(answer)["message"] or nearest[:5] in error_of(answer)["message"]


def test_an_offset_is_as_good_as_another(room: Room) -> None:
    program = room.program()
    served = program.next()
    first = program.wrap(served, "call_back", key="k", callback_at="2026-11-24T11:00:00+01:00")
    again = program.wrap(served, "call_back", key="k", callback_at="2026-11-24T10:00:00Z")
    assert first.status_code == again.status_code == 201
    assert first.get_json() == again.get_json()
    assert first.get_json()["next"]["at"] == "2026-11-24T10:00:00Z"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "reason"),
        ({"reason": "tired"}, "reason"),
        ({"reason": "known_person", "not_before": "2026-11-23T08:00:00+01:00"}, "not_before"),
        ({"reason": "known_person", "not_before": "2026-11-24T10:00:00"}, "not_before"),
    ],
)
def test_a_skip_has_a_reason_and_a_time_ahead(room: Room, sent: dict[str, Any], field: str) -> None:
    program = room.program()
    answer = program.post(f"/leases/{program.next()['lease']['token']}/skip", sent)
    assert (answer.status_code, error_of(answer)["field"]) == (422, field)


@pytest.mark.parametrize(
    "sent", [{}, {"number": "", "name": ""}, {"number": "06", "name": "x"}, {"number": 6}]
)
def test_a_search_is_by_number_or_by_name(room: Room, sent: dict[str, Any]) -> None:
    assert room.program().post("/people/search", sent).status_code == 422


# --- what the rules forbid


def test_once_a_call_was_made_its_result_is_owed(room: Room) -> None:
    program = room.program()
    served = program.next()
    lease = f"/leases/{served['lease']['token']}"
    assert program.call(served).status_code == 201
    for answer in (program.ask("DELETE", lease), program.post(f"{lease}/skip", {"reason": "known_person"})):
        assert answer.status_code == 409
        assert error_of(answer)["reason"] == "attempt_open"


def test_a_number_that_said_stop_cannot_be_clicked(room: Room) -> None:
    program = room.program()
    served = program.next()
    number = served["numbers"][0]["id"]
    with writing(room.site.runtime.sessions) as session:
        opt_out(session, number_id=number, source="message", now=room.site.clock.now())
    answer = program.call(served, number)
    assert answer.status_code == 409
    assert error_of(answer)["reason"] == "opted_out"
    assert error_of(answer)["message"].startswith("STOP")


def test_what_does_not_exist_is_not_found(room: Room) -> None:
    officer, supervisor = room.program(), room.program("supervisor")
    served = officer.next()
    unknown = {"lease": {"token": "never-given"}}
    for answer in (
        officer.get("/people/999999"),
        officer.get("/people/99999999999999999999"),
        officer.post("/outcomes/999999/undo"),
        officer.wrap(unknown, "no_answer"),
        officer.get("/nothing"),
        supervisor.get("/lists/999999"),
    ):
        assert answer.status_code == 404, answer.request.path
        assert error_of(answer)["code"] == "not_found"
    assert officer.ask("PATCH", "/leases/never-given").status_code == 409
    assert officer.ask("PUT", f"/leases/{served['lease']['token']}").status_code == 405


def test_the_result_of_a_colleague_is_not_mine_to_undo(room: Room) -> None:
    program, colleague = room.program(), room.program("colleague")
    done = colleague.wrap(colleague.next(), "no_answer").get_json()
    assert program.post(f"/outcomes/{done['attempt_id']}/undo").status_code == 404


# --- in words


def test_sentences_follow_the_language_that_is_asked_for(room: Room) -> None:
    program = room.program()
    with writing(room.site.runtime.sessions) as session:
        users.set_preferences(session, room.site.ids["officer"], language=Language.ENGLISH)
    person = room.world.people[0]
    program.wrap(program.next(), "no_answer")
    said = {
        spoken: [
            error_of(program.post("/people/search", {}, **headers))["message"],
            program.get(f"/people/{person}", **headers).get_json()["why_not_now"]["sentence"],
        ]
        for spoken, headers in {
            "default": {},
            "fr": {"Accept_Language": "fr-FR,fr;q=0.9,en;q=0.5"},
            "en": {"Accept_Language": "en-GB"},
            "de": {"Accept_Language": "de"},
        }.items()
    }
    assert said["default"] == said["fr"] == said["de"]
    assert said["fr"][0].startswith("Indiquez un numéro")
    assert said["en"][0].startswith("Give a number")
    assert "possible again" in said["en"][1]


def test_neither_tokens_nor_numbers_reach_a_log(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    program = room.program()
    served = program.next()
    program.call(served)
    program.wrap(served, "wrong_number", note="the neighbour answered", new_number="0639989999")
    program.post("/people/search", {"number": served["numbers"][0]["e164"]})
    program.ask("PATCH", f"/leases/{served['lease']['token']}")
    secrets = (
        program.token,
        served["lease"]["token"],
        served["numbers"][0]["e164"],
        "0639989999",
        "neighbour",
    )
    assert [secret for secret in secrets if secret in caplog.text] == []


def test_the_server_writes_no_addresses_down() -> None:
    server = runpy.run_path(str(CONFIG / "gunicorn.conf.py"))
    assert server["accesslog"] is None
    wanted = server["access_log_format"]
    assert [
        part for part in ("%(r)s", "%(U)s", "%(q)s", "%(f)s", "%({authorization}i)s") if part in wanted
    ] == []
