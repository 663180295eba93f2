"""Is the program alive, and can it work: for the machine that watches it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from callcentre.web.context import runtime
from callcentre.web.transaction import database_problem

blueprint = Blueprint("health", __name__, url_prefix="/health")


@blueprint.get("/live")
def live() -> Response:
    """Say that the process answers."""
    return jsonify(status="ok")


@blueprint.get("/ready")
def ready() -> tuple[Response, int]:
    """Say whether the database answers with the tables of this version."""
    problem = database_problem(runtime())
    if problem is None:
        return jsonify(status="ok"), 200
    remedy = {
        "unreachable": "The database does not answer: check its address and that it runs.",
        "migrations": "Its tables are not those of this version: run `flask --app wsgi db-upgrade`.",
    }
    return jsonify(status="unavailable", problem=problem, remedy=remedy[problem]), 503
