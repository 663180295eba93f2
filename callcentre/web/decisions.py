"""What a supervisor decides: settle a call or a late result, free a card, weigh a territory, bring somebody back."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from callcentre.callqueue.days import set_weight
from callcentre.desk import settling
from callcentre.desk.outcomes import Outcome
from callcentre.directory import queries as directory
from callcentre.dispositions import Disposition, Need
from callcentre.errors import InvalidInput, NotFound
from callcentre.supervision import cases
from callcentre.web import labels
from callcentre.web.context import now, runtime, user
from callcentre.web.formats import in_zone
from callcentre.web.forms import whole_number
from callcentre.web.i18n import gettext, words
from callcentre.web.transaction import database

blueprint = Blueprint("decisions", __name__, url_prefix="/supervision")

HOME = "/supervision"


@blueprint.get("/people/<int:person_id>/settle")
def call(person_id: int) -> str | BaseResponse:
    """Show the form that gives an abandoned call its result."""
    return _call(person_id)


@blueprint.post("/people/<int:person_id>/settle")
def settle_call(person_id: int) -> str | BaseResponse:
    """Give an abandoned call its result, in the officer's place."""
    code, note = request.form.get("disposition", ""), request.form.get("note", "").strip()
    chosen = next((entry for entry in _settling_dispositions() if entry.code == code), None)
    if chosen is None:
        return _call(person_id, {"disposition": gettext("Choisissez un résultat de la liste.")}, code, note)
    asks_reason = Need.REASON in chosen.needs
    outcome = Outcome(code, note="" if asks_reason else note, reason=note if asks_reason else "")
    try:
        settling.settle_attempt(
            database(), runtime().desk(database()), person_id, outcome, by=user().id, now=now()
        )
    except InvalidInput as problem:
        field = "note" if problem.field == "reason" else problem.field or ""
        return _call(person_id, {field: gettext(problem.message)}, code, note)
    flash(gettext("Résultat enregistré."))
    return redirect(HOME)


@blueprint.get("/conflicts/<int:conflict_id>")
def conflict(conflict_id: int) -> str:
    """Show a result that came too late, as it was sent."""
    found = cases.conflict_case(database(), conflict_id)
    if found is None:
        raise NotFound("Ce résultat n’existe pas.")
    programme = runtime().programme
    return render_template(
        "supervision/conflict.html",
        one=found,
        disposition=labels.disposition_label(programme, found.outcome.get("disposition")),
    )


@blueprint.post("/conflicts/<int:conflict_id>")
def settle_conflict(conflict_id: int) -> BaseResponse:
    """Put a late result aside once it has been dealt with."""
    settling.settle_conflict(database(), conflict_id, by=user().id, now=now())
    flash(gettext("Résultat classé. Il reste écrit dans le journal."))
    return redirect(HOME)


@blueprint.get("/officers/<int:officer_id>")
def held(officer_id: int) -> str:
    """Show the card that an officer holds without having called."""
    return render_template("supervision/held.html", one=cases.held_case(database(), officer_id))


@blueprint.post("/officers/<int:officer_id>")
def release(officer_id: int) -> BaseResponse:
    """Give that card back to the queue."""
    settling.release_officer(database(), officer_id, by=user().id, now=now())
    flash(gettext("La fiche est de nouveau dans la file."))
    return redirect(HOME)


@blueprint.get("/territories")
def territories() -> str:
    """Show what each territory weighs."""
    return _territories()


@blueprint.post("/territories/<int:territory_id>")
def weigh(territory_id: int) -> str | BaseResponse:
    """Change what a territory weighs from now on; an empty field goes back to its open people."""
    typed = request.form.get("weight", "").strip()
    weight = whole_number(typed)
    if typed and weight is None:
        return _refused_weight(territory_id, gettext("Écrivez un nombre entier, ou laissez vide."))
    try:
        set_weight(database(), territory_id, weight=weight, day=in_zone(now()).date(), now=now())
    except InvalidInput as problem:
        return _refused_weight(territory_id, gettext(problem.message))
    flash(gettext("Poids changé : il compte dès la prochaine fiche servie."))
    return redirect(f"{HOME}/territories")


@blueprint.get("/people/<int:person_id>")
def person(person_id: int) -> str:
    """Show what a supervisor may decide about somebody."""
    return _person(person_id)


@blueprint.post("/people/<int:person_id>/reopen")
def reopen(person_id: int) -> str | BaseResponse:
    """Bring somebody back into the queue, with a reason."""
    desk = runtime().desk(database())
    one = _known(person_id)
    try:
        settling.reopen(
            database(), desk, one.entry_id, reason=request.form.get("reason", ""), by=user().id, now=now()
        )
    except InvalidInput as problem:
        return make_response(_person(person_id, {"reason": gettext(problem.message)}), 422)
    flash(gettext("De retour dans la file."))
    return redirect(f"{HOME}/people/{person_id}")


@blueprint.post("/people/<int:person_id>/opposition")
def revoke(person_id: int) -> str | BaseResponse:
    """Take back an opposition that was recorded by mistake, with a reason."""
    desk = runtime().desk(database())
    one = _known(person_id)
    reason = request.form.get("why", "").strip()
    if one.opposition_id is None:
        raise NotFound("Aucune opposition n’est enregistrée.")
    if not reason:
        return make_response(_person(person_id, {"why": gettext("Indiquez la raison.")}), 422)
    settling.revoke_opposition(database(), desk, one.opposition_id, reason=reason, by=user().id, now=now())
    flash(gettext("Opposition retirée. La raison est écrite dans le journal."))
    return redirect(f"{HOME}/people/{person_id}")


def _settling_dispositions() -> list[Disposition]:
    """The results that can be given without having been on the call: those that need at most a reason."""
    book = runtime().programme.code_book().values()
    return [entry for entry in book if not entry.is_retired and set(entry.needs) <= {Need.REASON}]


def _call(
    person_id: int, errors: dict[str, str] | None = None, code: str = "technical", note: str = ""
) -> str | BaseResponse:
    found = cases.call_case(database(), person_id)
    if found is None:
        flash(gettext("Cet appel a déjà son résultat."), "info")
        return redirect(HOME)
    page = render_template(
        "supervision/call.html",
        one=found,
        choices=[(entry.code, words(entry.labels)) for entry in _settling_dispositions()],
        code=code,
        note=note,
        errors=errors or {},
    )
    return make_response(page, 422 if errors else 200)


def _territories(errors: dict[str, str] | None = None) -> str:
    desk = runtime().desk(database())
    return render_template(
        "supervision/territories.html",
        territories=directory.territories(database(), desk.programme_id),
        errors=errors or {},
    )


def _refused_weight(territory_id: int, message: str) -> BaseResponse:
    return make_response(_territories({f"weight-{territory_id}": message}), 422)


def _person(person_id: int, errors: dict[str, str] | None = None) -> str:
    return render_template(
        "supervision/person.html",
        one=_known(person_id),
        reason_label=labels.reason_label,
        errors=errors or {},
    )


def _known(person_id: int) -> cases.PersonCase:
    desk = runtime().desk(database())
    found = cases.person_case(database(), desk.programme_id, person_id)
    if found is None:
        raise NotFound("Cette personne n’est pas dans ce programme.")
    return found
