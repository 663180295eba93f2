"""The inbox of messages and missed calls, and writing to a young person."""

from __future__ import annotations

from flask import Blueprint, Response, flash, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from callcentre.callqueue import lease as leases
from callcentre.desk import conversation, texts
from callcentre.desk.context import Desk
from callcentre.errors import InvalidInput, NotAllowed, Unavailable
from callcentre.outreach.kinds import Channel
from callcentre.outreach.provider import ProviderFailure, Refused
from callcentre.outreach.segments import fold, measure
from callcentre.web import message_words
from callcentre.web.context import now, runtime, user
from callcentre.web.desk import Unsent, card_page
from callcentre.web.errors import is_local
from callcentre.web.formats import moment
from callcentre.web.guards import passive
from callcentre.web.i18n import gettext
from callcentre.web.transaction import database, end_transaction

blueprint = Blueprint("messaging", __name__, url_prefix="/inbox")


@blueprint.get("")
def show() -> str:
    """Show what came in and waits: mine first, then everybody's."""
    return _page()


@blueprint.post("/message/<int:row_id>/done", defaults={"kind": "message"})
@blueprint.post("/call/<int:row_id>/done", defaults={"kind": "call"})
def done(kind: str, row_id: int) -> BaseResponse:
    """Take something out of the inbox."""
    conversation.settle(database(), kind, row_id, by=user().id, now=now())
    flash(gettext("C’est noté : traité."))
    return redirect("/inbox")


@blueprint.get("/call/<int:row_id>/recording")
def recording(row_id: int) -> BaseResponse:
    """Give what a caller left on the voicemail to be listened to; nothing of it is kept here."""
    session = database()
    sid = conversation.recording_of(session, runtime().desk(session), row_id)
    end_transaction()
    try:
        sound = runtime().provider.recording(sid)
    except Refused:
        raise Unavailable(gettext("L’opérateur n’a plus cet enregistrement.")) from None
    except ProviderFailure:
        raise Unavailable(gettext("L’opérateur n’a pas répondu : réessayez dans un instant.")) from None
    return Response(sound, mimetype="audio/wav")


@blueprint.post("/message/<int:row_id>/answer")
def answer(row_id: int) -> BaseResponse:
    """Answer a message, and take it out of the inbox."""
    session = database()
    desk = runtime().desk(session)
    try:
        texts.answer(session, desk, row_id, request.form.get("body", ""), by=user().id, now=now())
    except InvalidInput as problem:
        typed = {row_id: request.form.get("body", "")}
        return make_response(_page({f"body-{row_id}": gettext(problem.message)}, typed), 422)
    except NotAllowed as problem:
        unsent = Unsent(request.form.get("body", ""), Channel.SMS, gettext(problem.message))
        return make_response(_page(unsent=unsent), problem.status)
    conversation.settle(session, "message", row_id, by=user().id, now=now())
    flash(gettext("Réponse envoyée."))
    return redirect("/inbox")


@blueprint.post("/people/<int:person_id>")
def write(person_id: int) -> BaseResponse:
    """Write to somebody; says when it leaves, since it never does within an hour of a call."""
    session = database()
    desk = runtime().desk(session)
    body = request.form.get("body", "")
    channel = Channel.WHATSAPP if request.form.get("channel") == Channel.WHATSAPP else Channel.SMS
    try:
        written = texts.write(
            session,
            desk,
            person_id,
            body,
            by=user().id,
            now=now(),
            key=request.form.get("key") or None,
            channel=channel,
        )
    except InvalidInput as problem:
        return _unsent(desk, person_id, Unsent(body, channel, gettext(problem.message)), problem.status)
    except NotAllowed as problem:
        why = message_words.refusal(problem.reason)
        return _unsent(desk, person_id, Unsent(body, channel, why), problem.status)
    if written.why is None:
        flash(gettext("Message en route."))
    else:
        why = message_words.why(written.why)
        flash(
            gettext("Message gardé : il partira %(when)s (%(why)s).", when=moment(written.leaves_at), why=why)
        )
    return _back(person_id)


@blueprint.post("/people/<int:person_id>/numbers/<int:number_id>/whatsapp")
def agree(person_id: int, number_id: int) -> BaseResponse:
    """Note whether somebody agreed to be written to on WhatsApp."""
    agreed = request.form.get("agreed") == "yes"
    texts.agree_to_whatsapp(database(), person_id, number_id, agreed=agreed, by=user().id, now=now())
    flash(gettext("Accord pour WhatsApp noté.") if agreed else gettext("Accord pour WhatsApp retiré."))
    return redirect(f"/people/{person_id}")


@blueprint.post("/measure")
@passive
def measured() -> BaseResponse:
    """Say what a text would cost and which characters make it dear; folded where the programme folds."""
    text = request.form.get("body", "")[:2000]
    folded = fold(text) if runtime().programme.messaging.folds_to_plain else text
    cost = measure(folded)
    return jsonify(
        parts=cost.parts,
        left=cost.left,
        units=cost.units,
        costly="".join(cost.costly),
        words=message_words.cost(cost),
    )


def _unsent(desk: Desk, person_id: int, unsent: Unsent, status: int) -> BaseResponse:
    """Show the person's card again with what was typed and why it did not leave; only the reason when it is gone."""
    lease = leases.of_officer(database(), user().id)
    if lease is not None and lease.person_id == person_id:
        return make_response(card_page(desk, lease, unsent=unsent), status)
    flash(unsent.why, "attention")
    return _back(person_id)


def _back(person_id: int) -> BaseResponse:
    after = request.form.get("next", "")
    return redirect(after if is_local(after) else f"/people/{person_id}")


def _page(
    errors: dict[str, str] | None = None,
    typed: dict[int, str] | None = None,
    unsent: Unsent | None = None,
) -> str:
    session = database()
    desk = runtime().desk(session)
    return render_template(
        "inbox.html",
        waiting=conversation.inbox(session, desk, officer_id=user().id),
        meanings=message_words.MEANINGS,
        kinds=message_words.KINDS,
        contact_kinds=message_words.CONTACTS,
        state_words=message_words.state,
        quick=[gettext(words) for words in message_words.QUICK_ANSWERS],
        errors=errors or {},
        typed=typed or {},
        unsent=unsent,
    )
