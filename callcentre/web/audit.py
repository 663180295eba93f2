"""The administrator's journal: who looked at whom, who changed what, for as long as it is kept."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from callcentre.accounts import queries as accounts
from callcentre.audit import queries
from callcentre.audit.kinds import Place
from callcentre.audit.queries import Change, Look
from callcentre.planning.kinds import StepResult
from callcentre.supervision.queries import names
from callcentre.web import labels
from callcentre.web.context import runtime
from callcentre.web.forms import choice_of, whole_number
from callcentre.web.i18n import gettext, mark, ngettext
from callcentre.web.route_words import RESULTS
from callcentre.web.transaction import database

blueprint = Blueprint("audit", __name__, url_prefix="/audit")

PLACES = {
    Place.CARD: mark("fiche d’appel"),
    Place.PAGE: mark("fiche complète"),
    Place.COMPARISON: mark("comparaison"),
    Place.SEARCH: mark("résultat de recherche"),
    Place.DECISION: mark("page de décision"),
    Place.LIST: mark("liste"),
}

ACTIONS = {
    **{kind.value: label for kind, label in labels.DECISIONS.items()},
    "guardian_refused": mark("Refus d’un responsable noté"),
    "learning_frozen": mark("Apprentissage des heures gelé"),
    "learning_resumed": mark("Apprentissage des heures repris"),
    "learning_taken_back": mark("Retour à une version des heures apprises"),
    "list_dropped": mark("Liste abandonnée"),
    "list_dropped_imported": mark("Liste déposée dans le dossier, importée"),
    "list_dropped_refused": mark("Liste déposée dans le dossier, refusée"),
    "list_import_started": mark("Import d’une liste lancé"),
    "list_import_undone": mark("Import d’une liste défait"),
    "list_profile_forgotten": mark("Colonnes d’une liste oubliées"),
    "mailing_prepared": mark("Fichier d’envoi préparé"),
    "mailing_sent": mark("Envoi noté comme parti"),
    "number_added": mark("Numéro ajouté"),
    "number_to_check": mark("Numéro à vérifier de nouveau"),
    "opposition_recorded": mark("Opposition enregistrée"),
    "people_exported": mark("Liste de personnes exportée"),
    "person_typed": mark("Personne ajoutée à la main"),
    "people_merged": mark("Deux fiches réunies"),
    "people_unmerged": mark("Fiches séparées de nouveau"),
    "people_kept_apart": mark("Deux fiches laissées distinctes"),
    "quarantine_exported": mark("Lignes en quarantaine téléchargées"),
    "quarantined_row_released": mark("Ligne libérée de la quarantaine"),
    "quarantined_row_set_aside": mark("Ligne en quarantaine écartée"),
    "route_step": mark("Démarche notée"),
    "row_corrected": mark("Ligne d’une liste corrigée"),
}
"""What was done, in words."""


@blueprint.get("")
def index() -> str:
    """Show looks or changes, newest first, of one user or about one person when the address names them."""
    session, ask = database(), request.args
    shows_changes = ask.get("what") == "changes"
    user_id, person_id = whole_number(ask.get("user")), whole_number(ask.get("person"))
    read = queries.changes if shows_changes else queries.looks
    found = read(session, user_id=user_id, person_id=person_id, page=whole_number(ask.get("page")) or 1)
    people = {line_person for line in found.lines if (line_person := _person_of(line)) is not None}
    return render_template(
        "audit.html",
        found=found,
        shows_changes=shows_changes,
        user_id=user_id,
        person_id=person_id,
        people=names(session, people | ({person_id} if person_id is not None else set())),
        users={one.id: one.display_name for one in accounts.users(session)},
        person_of=_person_of,
        what_of=_what,
        details_of=_details,
        keep_days=runtime().settings.audit_days,
        address=_address,
    )


def _person_of(line: Look | Change) -> int | None:
    if isinstance(line, Look):
        return line.person_id
    return line.subject_id if line.subject == "person" else None


def _what(line: Look | Change) -> str:
    if isinstance(line, Look):
        if line.person_id is None:
            return ngettext("liste de %(n)s personne", "liste de %(n)s personnes", line.people)
        return gettext(PLACES[line.place])
    words = ACTIONS.get(line.action)
    return gettext(words) if words else line.action.replace("_", " ")


def _details(line: Look | Change) -> str:
    """Which version and why, what a step gave; nothing for most lines."""
    if isinstance(line, Look):
        return ""
    version, result = line.details.get("version"), choice_of(StepResult, line.details.get("result"))
    said = [
        "" if version is None else gettext("version %(version)s", version=version),
        gettext(RESULTS[result]) if result else "",
        line.details.get("reason", ""),
    ]
    return " · ".join(filter(None, said))


def _address(**changed: Any) -> dict[str, Any]:
    """The filters of this page with some changed, as the query of its address."""
    kept = {name: request.args.get(name) for name in ("what", "user", "person")} | changed
    return {name: value for name, value in kept.items() if value}
