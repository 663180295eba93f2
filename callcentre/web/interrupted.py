"""What somebody had typed when their session ended: kept for them alone, shown in words, sent by a button."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app, render_template, request
from itsdangerous import BadData, URLSafeSerializer
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from callcentre.callqueue import lease as leases
from callcentre.desk import card
from callcentre.errors import NotFound
from callcentre.planning import route_queries
from callcentre.web import labels
from callcentre.web.card_view import OWNER_LABELS, SOLUTION_LABELS
from callcentre.web.context import now, runtime
from callcentre.web.history_words import EVIDENCE_LABELS
from callcentre.web.i18n import gettext, mark, words
from callcentre.web.route_words import RESULTS
from callcentre.web.security import sender_of_form
from callcentre.web.transaction import database

NEVER_CARRIED = frozenset({"csrf_token", "password", "new_password", "again", "current_password", "carried"})
"""Fields that are not shown again nor sent again after a new sign-in."""

CARRIED_AT_MOST = 200_000
"""Characters of typed fields that a page gives back; a note is far shorter."""

_TYPED: Mapping[str, str] = {
    "new_number": mark("Nouveau numéro"),
    "note": mark("Note"),
    "reason": mark("Raison"),
    "why": mark("Raison"),
    "body": mark("Message"),
    "callback_date": mark("Date du rappel, jj/mm/aaaa"),
    "callback_time": mark("Heure du rappel"),
    "partner": mark("Rendez-vous avec"),
    "appointment_date": mark("Date"),
    "appointment_time": mark("Heure"),
    "support_partner": mark("Avec qui"),
    "support_date": mark("Depuis le"),
    "solution_date": mark("Commencée le"),
    "solution_note": mark("Précision"),
    "display_name": mark("Nom vu par les collègues"),
    "login": mark("Identifiant"),
    "line": mark("Numéro de votre poste"),
    "name": mark("Nom d’un nouveau jeton"),
    "list_date": mark("Date de la liste"),
    "signalled_on": mark("Date du signalement"),
    "family_name": mark("Nom"),
    "first_name": mark("Prénom"),
    "birth_date": mark("Date de naissance"),
    "phone": mark("Numéros"),
    "email": mark("Courriel"),
    "address": mark("Adresse"),
    "postal_code": mark("Code postal"),
    "commune": mark("Commune"),
    "guardian_family_name": mark("Nom du responsable"),
    "guardian_first_name": mark("Prénom du responsable"),
    "guardian_relation": mark("Lien"),
    "guardian_phone": mark("Numéros du responsable"),
    "school": mark("Établissement"),
    "class_label": mark("Classe"),
    "exit_date": mark("Date de sortie"),
    "exit_reason": mark("Motif de sortie"),
}
"""The words of what is typed by hand; what has none here is sent again too, and not shown."""

_CHOSEN: Mapping[str, tuple[str, Mapping[Any, str]]] = {
    "new_number_owner": (mark("À qui ?"), OWNER_LABELS),
    "result": (mark("Résultat"), RESULTS),
    "solution_kind": (mark("Solution"), SOLUTION_LABELS),
    "evidence": (mark("Preuve"), EVIDENCE_LABELS),
}
"""The words of lists to choose from, and of what is chosen in them."""


@dataclass(frozen=True)
class Interrupted:
    """A form that did not arrive: whose page sent it, where to, and what it said."""

    user_id: int
    action: str
    fields: tuple[tuple[str, str], ...]


def sent() -> Interrupted | None:
    """Return the form of this request; None when it is too long, or nobody can tell whose page it was."""
    owner, fields = sender_of_form(), _fields()
    if owner is None or fields is None:
        return None
    return Interrupted(owner, request.full_path.rstrip("?"), fields)


def pack(form: Interrupted) -> str:
    """Return an interrupted form as one hidden field, signed: nobody makes it another user's."""
    return str(_packing().dumps([form.user_id, form.action, form.fields]))


def unpack(carried: str) -> Interrupted | None:
    """Return an interrupted form; None when it was not packed here."""
    try:
        user_id, action, fields = _packing().loads(carried)
    except BadData:
        return None
    return Interrupted(user_id, action, tuple((name, value) for name, value in fields))


def page(form: Interrupted, *, signed_in_now: bool = False) -> str:
    """Return the page that shows an interrupted form to its author, with a button that sends it."""
    return render_template(
        "resend.html",
        action=form.action,
        fields=form.fields,
        shown=_in_words(form.fields),
        subject=_subject(form),
        signed_in_now=signed_in_now,
    )


def _fields() -> tuple[tuple[str, str], ...] | None:
    try:
        fields = tuple((k, v) for k, v in request.form.items(multi=True) if k not in NEVER_CARRIED and v)
    except RequestEntityTooLarge:
        return None
    return fields if sum(len(k) + len(v) for k, v in fields) <= CARRIED_AT_MOST else None


def _packing() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="interrupted-form")


def _in_words(fields: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    programme = runtime().programme
    shown = []
    for name, value in fields:
        if name == "disposition":
            shown.append((gettext("Résultat"), labels.disposition_label(programme, value)))
        elif name in _CHOSEN and value in _CHOSEN[name][1]:
            label, choices = _CHOSEN[name]
            shown.append((gettext(label), gettext(choices[value])))
        elif name in _TYPED:
            skipped = programme.skip_reasons.get(value) if name == "reason" else None
            shown.append((gettext(_TYPED[name]), words(skipped) if skipped else value))
    return shown


def _subject(form: Interrupted) -> str | None:
    """The name of the person whom the form is about, where its address or a field tells."""
    try:
        _endpoint, values = current_app.url_map.bind("").match(form.action.partition("?")[0], method="POST")
        return _name({**dict(form.fields), **values})
    except (HTTPException, NotFound):
        return None


def _name(said: Mapping[str, Any]) -> str | None:
    session = database()
    person_id: int | None = None
    if str(said.get("person_id", "")).isdecimal():
        person_id = int(said["person_id"])
    elif isinstance(said.get("step_id"), int):
        person_id = route_queries.step_person(session, runtime().desk(session).programme_id, said["step_id"])
    elif (lease := leases.of_token(session, str(said.get("token", "")))) is not None:
        person_id = lease.person_id
    if person_id is None:
        return None
    person = card.person(session, runtime().desk(session), person_id, now=now())
    return f"{person.first_name} {person.family_name}"
