"""Figures: the funnel against its targets, and the live picture of the room, once or as a stream."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, current_app, jsonify, request

from callcentre.accounts import queries as accounts
from callcentre.accounts.kinds import Role
from callcentre.supervision.reports import funnel_report
from callcentre.web import streams, supervision
from callcentre.web.api.blueprint import blueprint
from callcentre.web.context import now, runtime, visitor
from callcentre.web.guards import only, passive
from callcentre.web.i18n import language
from callcentre.web.transaction import database, end_transaction, reading


@blueprint.get("/funnel")
@only(Role.SUPERVISOR)
def funnel() -> Response:
    """Show each stage against its target, by territory, officer and week."""
    return jsonify(funnel_report(database(), runtime().programme, now=now()).as_json())


@blueprint.get("/supervision")
@only(Role.SUPERVISOR)
def picture() -> Response:
    """Show the room as it is now: ids and counts, no name of a young person."""
    return jsonify(_hub().current().picture.as_json())


@blueprint.get("/supervision/events")
@only(Role.SUPERVISOR)
@passive
def events() -> Response:
    """Send the picture at once and whenever it changes, as an event stream."""
    hub = _hub()
    last_id = request.headers.get("Last-Event-ID") or request.args.get("last_event_id", "")
    allowed = streams.device_check() if visitor().token_id is None else token_check()
    return streams.answer(
        hub, language=language(), last_event_id=last_id, still_allowed=allowed, as_json=True
    )


def _hub() -> streams.Hub:
    """The hub that the pages watch too: one picture a second, whoever looks."""
    programme_id = runtime().desk(database()).programme_id
    end_transaction()
    return streams.hub(programme_id, supervision.render)


def token_check() -> Callable[[], bool]:
    """A way to ask later whether the token still opens the stream."""
    context, clock = current_app.app_context, runtime().clock
    token = request.headers["Authorization"].partition(" ")[2].strip()

    def ask() -> bool:
        with context(), reading() as session:
            found = accounts.visitor_of_token(session, token, now=clock.now())
        return found is not None and found.user.role is Role.SUPERVISOR

    return ask
