"""The OpenAPI 3.1 document: one table of operations; the schemas are those of the bodies and shapes themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from flask import Response, jsonify
from pydantic import TypeAdapter

from callcentre.web.addresses import LARGEST_ID
from callcentre.web.api import bodies, shapes
from callcentre.web.api.blueprint import blueprint
from callcentre.web.guards import open_to_all

VERSION = "1.0"
_REFERENCE = "#/components/schemas/{model}"
_JSON = "application/json"
_NOT_A_LETTER = re.compile(r"[^a-z]+")


@dataclass(frozen=True)
class Operation:
    """One operation: what it does, who may ask for it, what it takes, and what it answers by status.

    A response is a shape, a ready schema, or None for an empty body.
    """

    method: str
    path: str
    summary: str
    roles: str
    responses: dict[int, Any]
    errors: tuple[int, ...] = ()
    body: type[bodies.Body] | None = None
    description: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    headers: dict[int, dict[str, Any]] = field(default_factory=dict)


_TOKEN = {
    "name": "token",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,43}$"},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "1 to 80 characters, new for every outcome and the same for every sending of it; kept 30 days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 80, "pattern": "^[!-~]+$"},
}
_REPLAY = {
    "Idempotent-Replay": {
        "description": "`true` when this outcome had been received before.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "Language of the sentences: `fr` (default) or `en`.",
    "schema": {"type": "string", "default": "fr", "examples": ["fr", "en"]},
}
_OBJECT = {"type": "object"}
_COUNT = {"type": "integer", "minimum": 0}
_FUNNEL = {
    "type": "object",
    "required": [
        "programme",
        "made_at",
        "period",
        "working_days",
        "stages",
        "side",
        "territories",
        "officers",
        "weeks",
    ],
    "properties": {
        "programme": {"type": "string"},
        "made_at": {"type": "string", "format": "date-time"},
        "period": _OBJECT,
        "working_days": _OBJECT,
        "stages": {
            "type": "object",
            "description": "By stage: `count`, `target`, `target_to_date`, `gap`, `today`, `week`, `forecast`.",
            "additionalProperties": {
                "type": "object",
                "required": ["count", "target", "target_to_date", "gap", "today", "week", "forecast"],
            },
        },
        "side": {"type": "object", "additionalProperties": _COUNT},
        "territories": {"type": "array", "items": _OBJECT},
        "officers": {"type": "array", "items": _OBJECT},
        "weeks": {"type": "array", "items": _OBJECT},
    },
}
_PICTURE = {
    "type": "object",
    "required": [
        "taken_at",
        "digest",
        "officers",
        "ready",
        "leased",
        "todo",
        "territories",
        "stages",
        "slow",
    ],
    "properties": {
        "taken_at": {"type": "string", "format": "date-time"},
        "digest": {"type": "string", "description": "Names what is shown; the id of the stream's events."},
        "officers": {"type": "array", "items": _OBJECT},
        "ready": {
            "type": "array",
            "items": _OBJECT,
            "description": "Who can be claimed now, by territory and lane.",
        },
        "ready_count": _COUNT,
        "oldest_due": {"type": ["string", "null"], "format": "date-time"},
        "leased": _COUNT,
        "todo": {"type": "object", "description": "Promises, calls to settle, results that came too late."},
        "territories": {
            "type": "array",
            "items": _OBJECT,
            "description": "Served, share and weight of each.",
        },
        "stages": {"type": "object", "additionalProperties": _COUNT},
        "slow": {
            "type": "object",
            "description": "Counts over everybody, with the instant they were counted.",
        },
    },
}
_UPLOAD = {
    "type": "object",
    "required": ["file", "programme", "list_date"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "CSV or XLSX."},
        "programme": {"type": "string", "description": "Code of the programme."},
        "list_date": {
            "type": "string",
            "format": "date",
            "description": "The date at which ages are judged.",
        },
        "check": {"type": "string", "enum": ["true", "false"], "default": "false"},
    },
}
_OFFICERS, _READERS = "officers", "officers and supervisors"
_OPTIONAL_BODIES = frozenset({bodies.UndoBody})
"""An officer takes back a result of their own without a word."""

OPERATIONS = (
    Operation(
        "post",
        "/leases",
        "Take the next person",
        _OFFICERS,
        {201: shapes.ServedShape, 200: {"oneOf": [shapes.ServedShape, shapes.IdleShape]}},
        description="201 with a new lease; 200 with the one that is held already (a reload, a second tab), or with "
        "`lease` null when nobody is due, and then why and when somebody is.",
    ),
    Operation(
        "patch",
        "/leases/{token}",
        "Renew a lease",
        _OFFICERS,
        {200: shapes.LeaseShape},
        (404, 409),
        description="To be sent every 30 seconds while the card is worked on. 409: a colleague has the person now.",
        extra={"parameters": [_TOKEN]},
    ),
    Operation(
        "delete",
        "/leases/{token}",
        "Give a person back untouched",
        _OFFICERS,
        {204: None},
        (404, 409),
        description="Giving back what is no longer held does nothing. 409 once a call was started: send its outcome.",
        extra={"parameters": [_TOKEN]},
    ),
    Operation(
        "post",
        "/leases/{token}/skip",
        "Pass over a person",
        _OFFICERS,
        {204: None},
        (400, 404, 409, 413, 422),
        bodies.SkipBody,
        "Not an attempt. `reason` is a code of the programme; they come back at `not_before`, else in 30 minutes.",
        {"parameters": [_TOKEN]},
    ),
    Operation(
        "post",
        "/leases/{token}/attempts",
        "Say that a number is being called",
        _OFFICERS,
        {201: shapes.StartedShape},
        (400, 404, 409, 413, 422),
        bodies.AttemptBody,
        "The attempt exists from here on and the lease never goes back by itself. The same number twice is one "
        "attempt. 409 with `reason` when a rule forbids the call now.",
        {"parameters": [_TOKEN]},
    ),
    Operation(
        "post",
        "/leases/{token}/outcome",
        "Record the result of a call",
        _OFFICERS,
        {201: shapes.OutcomeShape, 200: shapes.OutcomeShape},
        (400, 404, 409, 413, 422),
        bodies.OutcomeBody,
        "Counts once for each key: sent again it answers the same (200 with `undone` once it was taken back), with "
        "another body 422. 409 with `kept` true: a colleague has the person, the result waits for a supervisor.",
        {"parameters": [_TOKEN, _KEY]},
        {201: _REPLAY, 200: _REPLAY, 409: _REPLAY},
    ),
    Operation(
        "post",
        "/outcomes/{attempt_id}/undo",
        "Take back a result",
        _READERS,
        {200: shapes.UndoneShape},
        (400, 404, 409, 413, 422),
        bodies.UndoBody,
        "By its author, for five minutes, while nobody else has the person; then by a supervisor, whose `reason` is "
        "kept (an officer's request needs no body). The call itself still counts.",
        extra={"parameters": ["attempt_id"]},
    ),
    Operation(
        "get",
        "/people/{person_id}",
        "Show a person",
        _READERS,
        {200: shapes.PersonPage},
        (404,),
        description="With numbers, attempts and stages, and why they are not being served and when they will be.",
        extra={"parameters": ["person_id"]},
    ),
    Operation(
        "post",
        "/people",
        "Add a person by hand",
        "officers, supervisors and administrators",
        {201: shapes.EnteredShape, 200: shapes.EnteredShape},
        (400, 404, 413, 422),
        bodies.PersonBody,
        "A walk-in, or a school head's signal. Cells are judged like those of a list, and one that cannot be used is "
        "refused by name. 200 when the person was known, or when `possible` asks who is meant: send again with `onto` "
        "or `as_new`. Sent again, the same person changes nothing.",
    ),
    Operation(
        "post",
        "/people/search",
        "Find people",
        _READERS,
        {200: shapes.SearchShape},
        (400, 413, 422),
        bodies.SearchBody,
        "By any form of a number, its last four digits, or a name. A POST keeps both out of addresses.",
    ),
    Operation("get", "/funnel", "Read the funnel", "supervisors", {200: _FUNNEL}),
    Operation("get", "/supervision", "Read the picture of now", "supervisors", {200: _PICTURE}),
    Operation(
        "get",
        "/supervision/events",
        "Follow the picture of now",
        "supervisors",
        {200: "text/event-stream"},
        (503,),
        description="Server-sent events: `state` with the whole picture, at once and whenever it changes, `beat` every "
        "15 seconds, `bye` when the token or session ended. 503: too many streams, ask `/supervision` instead.",
        extra={
            "parameters": [
                {
                    "name": "last_event_id",
                    "in": "query",
                    "required": False,
                    "description": "The last digest seen, for those who cannot send Last-Event-ID.",
                    "schema": {"type": "string"},
                }
            ]
        },
    ),
    Operation(
        "post",
        "/lists",
        "Check a list, or have it imported",
        "administrators",
        {201: shapes.ListShape, 200: shapes.CheckShape},
        (400, 413, 422),
        description="`check=true` answers 200 and writes nothing; else 201, and the import runs on by itself: follow "
        "it at `Location`. The same file for the same date is the same list.",
        extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD}}}},
        headers={201: {"Location": {"description": "Where to follow it.", "schema": {"type": "string"}}}},
    ),
    Operation(
        "get",
        "/lists/{list_id}",
        "Follow a list",
        "administrators and supervisors",
        {200: shapes.ListShape},
        (404,),
        extra={"parameters": ["list_id"]},
    ),
    Operation("get", "/openapi.json", "Read this document", "everybody", {200: _OBJECT}),
)
"""Every operation of the API; a test holds it equal to the addresses that exist."""

_ERRORS = {
    400: "The request cannot be read: not JSON, or a header is missing.",
    401: "No token, or one that is wrong, revoked or expired.",
    403: "The role of this account does not permit it.",
    404: "There is no such thing.",
    409: "A rule of the operation, or what a colleague has just done, forbids it.",
    413: "Too large.",
    422: "A value cannot be used; `field` names it.",
    503: "Unavailable for the moment; try again later.",
}


@blueprint.get("/openapi.json")
@open_to_all
def openapi() -> Response:
    """Describe the API to programs."""
    return jsonify(document())


@cache
def document() -> dict[str, Any]:
    """Return the document, made once."""
    schemas, refs = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(f"/api/v1{operation.path}", {})[operation.method] = _operation(operation, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Outreach call centre",
            "version": VERSION,
            "description": "The verbs of the officer's desk and the figures of supervision, for programs. Instants are "
            "ISO 8601 with a zone. Sentences follow Accept-Language. Errors say what happened and what to do.",
        },
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A personal token (`add-token`).",
                },
                "cookie": {"type": "apiKey", "in": "cookie", "name": "callcentre_session"},
            },
            "schemas": schemas | {"Error": _error_schema()},
        },
    }


def _schemas() -> tuple[dict[str, Any], dict[type, dict[str, Any]]]:
    """Return the schemas by name, and a reference to each body and shape that an operation names."""
    answered = [kind for o in OPERATIONS for kind in _shapes_in(o.responses.values())]
    asked = [o.body for o in OPERATIONS if o.body is not None]
    inputs: list[tuple[type, Any, TypeAdapter[Any]]] = [
        *((kind, "serialization", shapes.adapter(kind)) for kind in dict.fromkeys(answered)),
        *((kind, "validation", TypeAdapter(kind)) for kind in dict.fromkeys(asked)),
    ]
    found, definitions = TypeAdapter.json_schemas(inputs, ref_template=_REFERENCE)
    return definitions.get("$defs", {}), {kind: schema for (kind, _mode), schema in found.items()}


def _shapes_in(values: Any) -> list[type]:
    found: list[type] = []
    for value in values:
        if isinstance(value, type):
            found.append(value)
        elif isinstance(value, dict):
            found += _shapes_in(value.get("oneOf", ()))
    return found


def _operation(operation: Operation, refs: dict[type, dict[str, Any]]) -> dict[str, Any]:
    is_open = operation.path == "/openapi.json"
    described: dict[str, Any] = {
        "operationId": f"{operation.method}{_NOT_A_LETTER.sub('_', operation.path)}".strip("_"),
        "summary": operation.summary,
        "description": f"{operation.description} For {operation.roles}.".strip(),
        "parameters": [_parameter(p) for p in operation.extra.get("parameters", ())]
        + ([] if is_open else [_LANGUAGE]),
        "responses": {
            str(status): _response(status, value, operation, refs)
            for status, value in sorted(operation.responses.items())
        },
    }
    if is_open:
        described["security"] = []
    errors = operation.errors if is_open else (401, 403, *operation.errors)
    described["responses"] |= {str(status): _error(status, operation) for status in sorted(errors)}
    if operation.body is not None:
        required = operation.body not in _OPTIONAL_BODIES
        described["requestBody"] = {
            "required": required,
            "content": {_JSON: {"schema": refs[operation.body]}},
        }
    elif "requestBody" in operation.extra:
        described["requestBody"] = operation.extra["requestBody"]
    return described


def _parameter(parameter: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(parameter, dict):
        return parameter
    whole = {"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID}
    return {"name": parameter, "in": "path", "required": True, "schema": whole}


def _response(
    status: int, value: Any, operation: Operation, refs: dict[type, dict[str, Any]]
) -> dict[str, Any]:
    response: dict[str, Any] = {"description": "Done." if value is None else operation.summary + "."}
    if isinstance(value, str):
        response["content"] = {value: {"schema": {"type": "string"}}}
    elif value is not None:
        response["content"] = {_JSON: {"schema": _resolved(value, refs)}}
    if status in operation.headers:
        response["headers"] = operation.headers[status]
    return response


def _resolved(value: Any, refs: dict[type, dict[str, Any]]) -> dict[str, Any]:
    if isinstance(value, type):
        return refs[value]
    if "oneOf" in value:
        return {"oneOf": [refs[kind] for kind in value["oneOf"]]}
    schema: dict[str, Any] = value
    return schema


def _error(status: int, operation: Operation) -> dict[str, Any]:
    response: dict[str, Any] = {"description": _ERRORS[status]}
    if operation.path != "/supervision/events" or status != 503:
        response["content"] = {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    if status in operation.headers:
        response["headers"] = operation.headers[status]
    return response


def _error_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["error", "kept"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": {"type": "string", "description": "Stable, for programs."},
                    "message": {"type": "string", "description": "What happened."},
                    "todo": {"type": "string", "description": "What to do about it."},
                    "field": {"type": "string", "description": "The field to correct."},
                    "reason": {
                        "type": "string",
                        "description": "The rule that forbids it, as a stable code.",
                    },
                },
            },
            "kept": {"type": "boolean", "description": "Whether what was sent was kept all the same."},
        },
    }
