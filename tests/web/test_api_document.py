"""The OpenAPI document tells the truth: every address is in it, and answers are as it says, whatever is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from callcentre.web.api.openapi import OPERATIONS, document
from tests.web.programs import Program, Room, a_room

PATHS = sorted(
    (method, path)
    for path, operations in document()["paths"].items()
    for method in operations
    if path != "/api/v1/supervision/events"  # a stream has no end; it is tested apart
)
EXAMPLES = 10
LOGINS = {"lists": "admin", "funnel": "supervisor", "supervision": "supervisor"}


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Iterator[Room]:
    with a_room(tmp_path, sqlite_url, people=120) as room:
        yield room


def test_every_address_is_documented_and_every_documented_address_exists(room: Room) -> None:
    exist = {
        (method.lower(), re.sub(r"<(?:[^:>]+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in room.site.app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    documented = {(method, path) for path, operations in document()["paths"].items() for method in operations}
    assert documented == exist
    assert len(OPERATIONS) == len(documented)


def test_anybody_may_read_the_document(room: Room) -> None:
    answer = room.site.app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.get_json() == document()
    assert answer.get_json()["openapi"].startswith("3.1")


def test_every_schema_is_valid_and_every_reference_leads_somewhere() -> None:
    whole = document()
    assert {ref for ref in _references(whole) if _target(whole, ref) is None} == set()
    for schema in whole["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_every_operation_says_what_it_does_and_how_it_refuses() -> None:
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert "For " in operation["description"], (method, path)
            if path != "/api/v1/openapi.json":
                assert {"401", "403"} <= set(operation["responses"]), (method, path)
    ids = [o["operationId"] for operations in document()["paths"].values() for o in operations.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_whatever_is_sent_is_answered_as_documented(room: Room, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", room.site.app)
    for method, path in PATHS:
        if mode is GenerationMode.POSITIVE or _can_be_wrong(method, path):
            _play(room, schema, method, path, mode)


def _play(room: Room, schema: Any, method: str, path: str, mode: GenerationMode) -> None:
    part = path.removeprefix("/api/v1/").split("/")[0]
    program = room.program(LOGINS.get(part, "officer"))
    operation = schema[path][method.upper()]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def play(case: Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE and "{token}" in path:
            case.path_parameters["token"] = program.next()["lease"]["token"]
        response = case.call(headers={"Authorization": f"Bearer {program.token}"})
        checks: list[Any] = [
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ]
        if mode is GenerationMode.NEGATIVE and part != "lists":
            checks.append(negative_data_rejection)
        case.validate_response(response, checks=checks)

    play()


def _can_be_wrong(method: str, path: str) -> bool:
    operation = document()["paths"][path][method]
    return "requestBody" in operation or any(p["in"] == "path" for p in operation["parameters"])


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _target(whole: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        whole = whole.get(step, {})
    return whole or None


def test_a_program_without_a_lease_token_cannot_guess_one(room: Room) -> None:
    mine, other = room.program(), room.program("colleague")
    served = mine.next()
    for method, rest, body in _uses(served):
        answer = other.ask(method, f"/leases/{served['lease']['token']}{rest}", body, Idempotency_Key="guess")
        assert answer.status_code in {204, 404, 409}, (method, rest)
    assert mine.ask("PATCH", f"/leases/{served['lease']['token']}").status_code == 200
    again: Program = mine
    assert again.post("/leases").get_json()["lease"]["token"] == served["lease"]["token"]


def _uses(served: dict[str, Any]) -> list[tuple[str, str, Any]]:
    return [
        ("PATCH", "", None),
        ("DELETE", "", None),
        ("POST", "/skip", {"reason": "known_person"}),
        ("POST", "/attempts", {"number_id": served["numbers"][0]["id"]}),
        ("POST", "/outcome", {"disposition": "no_answer"}),
    ]
