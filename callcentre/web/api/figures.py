"""Figures: the funnel against its targets, and the live picture of the room, once or as a stream."""

from __future__ import annotations

from flask import Response, jsonify

from callcentre.accounts.kinds import Role
from callcentre.supervision.reports import funnel_report
from callcentre.supervision.snapshot import Observer
from callcentre.web.api.blueprint import blueprint
from callcentre.web.context import now, runtime
from callcentre.web.guards import only
from callcentre.web.transaction import database, reading


@blueprint.get("/funnel")
@only(Role.SUPERVISOR)
def funnel() -> Response:
    """Show each stage against its target, by territory, officer and week."""
    return jsonify(funnel_report(database(), runtime().programme, now=now()).as_json())


@blueprint.get("/supervision")
@only(Role.SUPERVISOR)
def supervision() -> Response:
    """Show the room as it is now: ids and counts, no name of a young person."""
    with reading() as session:
        desk = runtime().desk(session)
        picture = Observer(desk.programme, desk.programme_id, settle_after=desk.settle_after).take(
            session, now=now()
        )
    return jsonify(picture.as_json())
