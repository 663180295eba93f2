"""The officer's call through the provider: rings their own telephone first; falls back on dialling by hand."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, send_file
from werkzeug.wrappers import Response as BaseResponse

from callcentre.desk import telephony
from callcentre.desk.telephony import Ringing, Telephone
from callcentre.errors import NotAllowed, NotFound
from callcentre.outreach import calls
from callcentre.outreach.calls import CallView
from callcentre.outreach.provider import OutgoingCall, ProviderFailure, Refused, Unknown
from callcentre.web.context import now, runtime, user
from callcentre.web.errors import answer
from callcentre.web.guards import passive
from callcentre.web.i18n import gettext, mark
from callcentre.web.transaction import database, end_transaction, writing

blueprint = Blueprint("telephony", __name__, url_prefix="/telephony")

STEPS = {
    "asking": mark("Appel demandé…"),
    "officer_rings": mark("Votre téléphone sonne : décrochez, puis tapez 1."),
    "press_key": mark("Tapez 1 sur votre téléphone pour appeler le jeune."),
    "rings": mark("Ça sonne chez le jeune…"),
    "talking": mark("En communication."),
    "ended": mark("L’appel est terminé."),
    "failed": mark("L’appel n’a pas pu passer par la plateforme : composez le numéro vous-même."),
}
WAYS = {
    "softphone": mark("Un clic : l’appel passe par ce navigateur."),
    "bridge": mark("Un clic : votre téléphone sonne, vous tapez 1."),
    "link": mark("Vous composez le numéro vous-même."),
}
HINTS = {
    "answered": mark("Quelqu’un a décroché."),
    "machine": mark("Sans doute un répondeur : à vous de dire."),
    "no_answer": mark("Personne n’a décroché."),
    "busy": mark("La ligne était occupée."),
    "failed": mark("Le numéro n’a pas pu être joint."),
}


def telephone() -> Telephone:
    """Return what the signed-in officer calls with."""
    return Telephone(user().id, runtime().settings, runtime().provider)


@blueprint.post("/attempts/<int:attempt_id>/bridge")
def bridge(attempt_id: int) -> BaseResponse:
    """Ring the officer; the attempt exists already, and stays the same whatever becomes of the call."""
    try:
        ringing = telephony.prepare(database(), attempt_id, telephone(), now=now())
    except NotAllowed as problem:
        return answer(409, code=problem.code, message=gettext(problem.message), reason=problem.reason)
    end_transaction()  # the provider is asked outside of any transaction
    _ask(attempt_id, ringing)
    return jsonify(_shown(attempt_id))


@blueprint.post("/attempts/<int:attempt_id>/softphone")
def softphone(attempt_id: int) -> BaseResponse:
    """Give the officer's browser what it needs to call: a pass of its own, and our name of the call, never a number."""
    try:
        uid, token = telephony.prepare_softphone(database(), attempt_id, telephone(), now=now())
    except NotAllowed as problem:
        return answer(409, code=problem.code, message=gettext(problem.message), reason=problem.reason)
    return jsonify(attempt=uid, token=token, script="/telephony/softphone.js")


@blueprint.get("/softphone.js")
@passive
def softphone_script() -> BaseResponse:
    """Give the provider's own script for the browser, as it was installed."""
    settings = runtime().settings
    if not settings.has_softphone:
        raise NotFound("softphone")
    return send_file(settings.softphone_file, mimetype="text/javascript", max_age=86_400)


@blueprint.get("/attempts/<int:attempt_id>")
@passive
def state(attempt_id: int) -> BaseResponse:
    """Say how far the call has come, and which result it would pre-fill."""
    telephony.own_attempt(database(), attempt_id, officer_id=user().id)
    return jsonify(_shown(attempt_id))


def _ask(attempt_id: int, ringing: Ringing) -> None:
    provider = runtime().provider
    try:
        receipt = provider.call(OutgoingCall(ringing.uid, ringing.line))
    except Unknown:
        going_on = telephony.look_for(provider, ringing.line)
        with writing() as session:
            found = calls.not_ours_yet(session, going_on)
            if found is None:
                calls.failed(session, attempt_id, None, now=now())
            else:
                calls.asked(session, attempt_id, found)
    except ProviderFailure as problem:
        code = problem.code if isinstance(problem, Refused) else None
        with writing() as session:
            calls.failed(session, attempt_id, code, now=now())
    else:
        with writing() as session:
            calls.asked(session, attempt_id, receipt)


def _shown(attempt_id: int) -> dict[str, Any]:
    view = calls.view(database(), attempt_id)
    if view is None:
        return {"step": "none"}
    return {
        "step": view.step,
        "words": " ".join([gettext(STEPS[view.step]), *_hint_words(view)]),
        "disposition": _disposition(view),
        "over": view.step in {"ended", "failed"},
    }


def _hint_words(view: CallView) -> list[str]:
    return [gettext(HINTS[view.hint.value])] if view.hint is not None else []


def _disposition(view: CallView) -> str | None:
    if view.hint is None:
        return None
    return runtime().programme.telephony.hints().get(view.hint.value)
