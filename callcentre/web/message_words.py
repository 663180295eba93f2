"""Messages in words: what was meant, where one stands, why it waits, what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from callcentre.desk.conversation import Line
from callcentre.outreach.segments import Encoding, Segments
from callcentre.outreach.sending import WhatsApp
from callcentre.web.context import now
from callcentre.web.formats import day
from callcentre.web.i18n import gettext, mark, ngettext

MEANINGS = {
    "opt_out": mark("STOP"),
    "opt_in": mark("veut de nouveau être contacté"),
    "callback": mark("sans doute : demande un appel"),
    "interest": mark("sans doute : oui"),
    "refusal": mark("sans doute : non"),
    "question": mark("une question"),
    "wrong_number": mark("sans doute : mauvais numéro"),
    "automatic": mark("réponse automatique"),
    "unclear": mark("à lire"),
}

KINDS = {
    "message": mark("Message reçu"),
    "voicemail": mark("Message vocal"),
    "missed": mark("Appel manqué"),
    "wants_call": mark("A demandé à être rappelé"),
    "closed": mark("A appelé hors des heures"),
    "answered": mark("Appel que vous avez pris"),
}

CONTACTS = {"school": mark("établissement"), "partner": mark("partenaire")}
"""Who of the directory calls or writes."""

QUICK_ANSWERS = (
    mark("Bonjour, nous sommes la plateforme d'appui aux jeunes. Quand pouvons-nous vous appeler ?"),
    mark("Merci, c'est noté."),
    mark("Désolés, c'est une erreur : nous ne vous contacterons plus sur ce numéro."),
)

_WHY = {
    "opted_out": mark("ce numéro a dit STOP"),
    "opposed": mark("ce jeune s’est opposé à tout contact"),
    "landline": mark("ce n’est pas un mobile"),
    "unusable": mark("ce numéro est faux ou hors service"),
    "outside_hours": mark("hors des heures d’appel"),
    "near_a_call": mark("pas de message dans l’heure d’un appel"),
    "message_cap": mark("limite de messages"),
    "contact_cap": mark("limite d’appels et de messages"),
    "no_longer_wanted": mark("ce n’est plus utile"),
    "no_consent": mark("pas d’accord pour WhatsApp"),
    "window_closed": mark("plus de 24 heures depuis son dernier message"),
    "no_mobile": mark("aucun mobile à qui écrire"),
    "provider_busy": mark("l’opérateur demande d’attendre"),
    "unknown": mark("l’opérateur n’a pas répondu : recherche en cours"),
    "not_found": mark("l’opérateur n’en sait rien : à vérifier"),
}

_PROVIDER = {
    21211: mark("numéro refusé par l’opérateur"),
    21408: mark("destination non permise"),
    21610: mark("ce numéro a dit STOP"),
    21612: mark("aucun chemin vers ce numéro"),
    21614: mark("ce n’est pas un mobile"),
    30003: mark("téléphone injoignable"),
    30005: mark("numéro inconnu"),
    30006: mark("ligne fixe"),
    30007: mark("filtré par l’opérateur"),
    63007: mark("l’expéditeur WhatsApp n’est pas le nôtre"),
    63015: mark("ce numéro n’a pas rejoint l’essai de WhatsApp"),
    63016: mark("plus de 24 heures depuis son dernier message"),
}

STATES = {
    "planned": mark("prévu"),
    "sending": mark("en cours d’envoi"),
    "unknown": mark("envoi incertain"),
    "to_check": mark("à vérifier"),
    "blocked": mark("non envoyé"),
    "cancelled": mark("annulé"),
    "failed": mark("refusé par l’opérateur"),
}

_STATUSES = {
    "recorded": mark("enregistré, non envoyé (hors ligne)"),
    "delivered": mark("remis"),
    "read": mark("lu"),
    "undelivered": mark("non remis"),
    "failed": mark("non remis"),
    "sent": mark("envoyé"),
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a number agreed to on WhatsApp, in words; `stands`: for messages of the plan too."""

    words: str
    stands: bool


def agreements(found: Mapping[int, WhatsApp]) -> dict[int, Agreement]:
    """Return what numbers agreed to on WhatsApp, by number; those for which it says nothing now are left out."""
    said: dict[int, Agreement] = {}
    for number_id, agreed in found.items():
        if agreed.standing is not None:
            words = gettext("WhatsApp : accord du %(day)s", day=day(agreed.standing))
            said[number_id] = Agreement(words, stands=True)
        elif agreed.is_open(now()):
            said[number_id] = Agreement(gettext("WhatsApp : répondre sous 24 h"), stands=False)
    return said


def why(code: str) -> str:
    """Return why a message waits or did not leave."""
    if code.isdecimal():
        words = _PROVIDER.get(int(code))
        return gettext(words) if words else gettext("refus %(code)s de l’opérateur", code=code)
    return gettext(_WHY[code]) if code in _WHY else code


def refusal(code: str) -> str:
    """Return the sentence for a message that can never leave."""
    return gettext("Ce message ne peut pas partir : %(why)s.", why=why(code))


def state(line: Line) -> str:
    """Return where a message of ours stands, in a few words."""
    words = gettext(STATES[line.state]) if line.state in STATES else ""
    if not words:
        words = gettext(_STATUSES.get(line.status or "", mark("envoyé")))
    return f"{words} ({why(line.why)})" if line.why else words


def cost(measured: Segments) -> str:
    """Return what a text costs and what makes it dear."""
    if not measured.parts:
        return ""
    parts = ngettext("%(n)s SMS", "%(n)s SMS", measured.parts)
    room = gettext("%(left)s signes libres", left=measured.left)
    if measured.encoding is Encoding.GSM_7:
        return f"{parts} · {room}"
    dear = gettext("les signes %(signs)s doublent le prix", signs=" ".join(measured.costly[:6]))
    return f"{parts} · {room} · {dear}"
