"""The telephone provider, for an administrator: is it set up, does it answer, what it tells us, what it costs."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from callcentre import phone
from callcentre.funnel import queries as funnel
from callcentre.funnel.stages import Stage
from callcentre.outreach import events, figures
from callcentre.outreach.provider import NotSent, OutgoingMessage, ProviderFailure, Refused
from callcentre.web import message_words
from callcentre.web.context import now, runtime
from callcentre.web.i18n import gettext, mark
from callcentre.web.transaction import database, end_transaction

blueprint = Blueprint("provider", __name__, url_prefix="/provider")

WANTED = (
    ("twilio_account_sid", mark("compte")),
    ("twilio_auth_token", mark("jeton de signature")),
    ("twilio_number", mark("numéro unique")),
    ("public_url", mark("adresse publique")),
    ("twilio_messaging_service_sid", mark("service d’envoi (facultatif)")),
    ("twilio_whatsapp_from", mark("WhatsApp (facultatif)")),
    ("twilio_api_key_sid", mark("clé pour le téléphone du navigateur (facultatif)")),
)
MODES = {
    "offline": mark("Hors ligne : rien ne part."),
    "sandbox": mark("Essai : seuls les numéros fictifs, d’essai ou permis sont joints."),
    "live": mark("Réel : appels et messages partent."),
}
SEEN_FOR = timedelta(days=7)


@blueprint.get("")
def show() -> str:
    """Show everything about the provider."""
    session, of = database(), runtime()
    desk = of.desk(session)
    costs = figures.costs(
        session,
        desk.programme_id,
        zone=desk.programme.tz,
        now=now(),
        message_cents=of.settings.message_cents,
        call_minute_cents=of.settings.call_minute_cents,
    )
    fortnight = funnel.timeline(session, desk.programme_id, [now() - timedelta(days=14)])
    return render_template(
        "provider.html",
        mode=gettext(MODES[of.settings.mode]),
        stand_in=bool(of.settings.twilio_api_url),
        wanted=[(label, bool(getattr(of.settings, name))) for name, label in WANTED],
        health=events.health(session, since=(now() - SEEN_FOR).astimezone(desk.programme.tz).date()),
        traffic=figures.traffic(session, desk.programme_id, now=now()),
        costs=costs,
        contacts=fortnight.entered[Stage.CONTACTED][1],
        total=sum(cost.cents for cost in costs),
        states=message_words.STATES,
    )


@blueprint.post("/check")
def check() -> BaseResponse:
    """Ask the provider whether our credentials are right."""
    end_transaction()
    try:
        name = runtime().provider.check()
    except Refused as problem:
        flash(gettext("L’opérateur refuse ces identifiants (code %(code)s).", code=problem.code), "attention")
    except ProviderFailure:
        flash(gettext("L’opérateur n’a pas répondu."), "attention")
    else:
        flash(gettext("L’opérateur répond : compte « %(name)s ».", name=name))
    return redirect("/provider")


@blueprint.post("/test")
def test_message() -> BaseResponse:
    """Send a test message to a number typed here; it passes the same last gate as any other."""
    end_transaction()
    number = phone.parse(request.form.get("number", ""), runtime().programme.region)
    if number.e164 is None or not number.callable:
        flash(gettext("Ce numéro ne peut pas recevoir de message."), "attention")
        return redirect("/provider")
    outgoing = OutgoingMessage(str(uuid4()), number.e164, gettext("Essai d'envoi : tout va bien."))
    try:
        receipt = runtime().provider.send(outgoing)
    except Refused as problem:
        why = message_words.why(str(problem.code))
        flash(gettext("Le message d’essai est refusé : %(why)s.", why=why), "attention")
    except NotSent:
        flash(gettext("L’opérateur demande d’attendre : rien n’est parti."), "attention")
    except ProviderFailure:
        flash(gettext("Nul ne sait si le message est parti : regardez le téléphone."), "attention")
    else:
        flash(gettext("Message d’essai accepté (%(status)s).", status=receipt.status))
    return redirect("/provider")
