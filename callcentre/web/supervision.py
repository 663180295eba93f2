"""The supervisor's live page: what everybody is doing, what waits for a decision, how the queue stands."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, jsonify, render_template, request

from callcentre.accounts.kinds import PauseReason
from callcentre.directory import queries as directory
from callcentre.supervision.picture import Picture, PromiseState
from callcentre.web import charts, labels, streams
from callcentre.web.context import runtime
from callcentre.web.formats import in_zone, number
from callcentre.web.forms import choice_of
from callcentre.web.guards import passive
from callcentre.web.i18n import gettext, language, ngettext
from callcentre.web.layout import PAUSE_LABELS
from callcentre.web.people import people_url
from callcentre.web.streams import Fragments, Hub
from callcentre.web.transaction import database, end_transaction

blueprint = Blueprint("supervision", __name__, url_prefix="/supervision")

PARTS = ("figures", "officers", "balance", "todo", "promises", "results", "waiting")
"""The fragments of the page; the id of each on the page is `live-` and its name."""

LONG_CALL = timedelta(minutes=15)
"""From when the length of a call is shown as long: never a judgement, a reason to look."""


@blueprint.get("")
def index() -> str:
    """Show the picture of now; the page then follows by itself."""
    hub = _hub()
    if hub is None:
        return render_template("supervision.html", parts=None, at=None)
    frame = hub.current()
    fragments, _ = hub.draw(frame, language())
    return render_template("supervision.html", parts=fragments, at=hub.hour(frame))


@blueprint.get("/live.json")
@passive
def live() -> Response:
    """The fragments once, for a page whose stream was refused or cut."""
    hub = _hub()
    if hub is None:
        return jsonify(fragments={}, at="")
    frame = hub.current()
    fragments, _ = hub.draw(frame, language())
    return jsonify(fragments=fragments, at=hub.hour(frame), id=frame.picture.digest)


@blueprint.get("/events")
@passive
def events() -> Response:
    """The fragments as they change, as an event stream."""
    hub = _hub()
    if hub is None:
        return Response("", 503, {"Retry-After": str(streams.RETRY_AFTER_SECONDS)})
    end_transaction()
    last = request.headers.get("Last-Event-ID") or request.args.get("last_event_id", "")
    allowed = streams.device_check()
    return streams.answer(hub, language=language(), last_event_id=last, still_allowed=allowed)


def render(picture: Picture, previous: Picture | None) -> tuple[Fragments, str]:
    """Draw every fragment of a picture in the current language, and say what is new since the one before."""
    programme = runtime().programme
    values = {
        "p": picture,
        "people_url": people_url,
        "stage_label": lambda stage: labels.stage_label(programme, stage),
        "disposition_label": lambda code: labels.disposition_label(programme, code),
        "pause_label": _pause_label,
        "reason_label": labels.reason_label,
        "place": labels.place,
        "is_today": lambda instant: in_zone(instant).date() == picture.day,
        "officer_states": labels.OFFICER_STATES,
        "promise_states": labels.PROMISE_STATES,
        "buckets": labels.BUCKETS,
        "lanes": labels.LANES,
        "long_call": int(LONG_CALL.total_seconds()),
        "chart": _balance_chart(picture),
    }
    drawn = {f"live-{part}": render_template(f"supervision/{part}.html", **values) for part in PARTS}
    return drawn, "" if previous is None else _news(previous, picture)


def _hub() -> Hub | None:
    """The hub of the programme, or None while the database does not know the programme."""
    programme_id = directory.programme_id(database(), runtime().programme.code)
    return None if programme_id is None else streams.hub(programme_id, render)


def _balance_chart(picture: Picture) -> str:
    shares = [
        charts.Share(labels.place(territory.label), territory.served, territory.share)
        for territory in picture.territories
        if territory.weight is not None
    ]
    if not shares:
        return ""
    furthest = max(abs(share.share - share.served) for share in shares)
    return charts.balance(
        "balance",
        title=gettext("Appels ordinaires servis par PSAD aujourd’hui"),
        description=gettext(
            "Le plus grand écart entre les appels servis et la part due est de %(gap)s.",
            gap=number(furthest, 1),
        ),
        shares=shares,
        share_label=gettext("part due à cette heure"),
    )


def _pause_label(code: str | None) -> str:
    reason = choice_of(PauseReason, code)
    return "" if reason is None else gettext(PAUSE_LABELS[reason])


def _news(before: Picture, after: Picture) -> str:
    """One sentence on what newly waits for somebody; numbers that only move are not read out."""
    if len(after.todo.to_settle) > len(before.todo.to_settle):
        return ngettext(
            "%(n)s appel sans résultat à régler.",
            "%(n)s appels sans résultat à régler.",
            len(after.todo.to_settle),
        )
    if len(after.todo.conflicts) > len(before.todo.conflicts):
        return ngettext(
            "%(n)s résultat arrivé trop tard à régler.",
            "%(n)s résultats arrivés trop tard à régler.",
            len(after.todo.conflicts),
        )
    late = [
        sum(p.todo.promise_counts[s] for s in (PromiseState.LATE, PromiseState.MISSED))
        for p in (before, after)
    ]
    if late[1] > late[0]:
        return ngettext("%(n)s rappel promis en retard.", "%(n)s rappels promis en retard.", late[1])
    return ""
