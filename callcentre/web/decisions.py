"""What a supervisor decides: settle or undo a result, answer a refusal, free a card, weigh a territory, bring back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from callcentre.accounts.kinds import Role
from callcentre.audit.kinds import Place
from callcentre.callqueue.days import set_weight
from callcentre.desk import decisions, kinds, settling, undo
from callcentre.desk.kinds import DecisionKind
from callcentre.desk.outcomes import Outcome
from callcentre.directory import queries as directory
from callcentre.dispositions import Disposition, Need
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.planning import route_queries
from callcentre.supervision import cases
from callcentre.web import labels
from callcentre.web.context import now, runtime, user
from callcentre.web.formats import in_zone
from callcentre.web.forms import choice_of, whole_number
from callcentre.web.guards import only
from callcentre.web.i18n import gettext, mark, words
from callcentre.web.looks import looked
from callcentre.web.transaction import database

blueprint = Blueprint("decisions", __name__, url_prefix="/supervision")

HOME = "/supervision"

REFUSAL_CHOICES = {
    DecisionKind.REFUSAL_GOES_ON: mark("Continuer d’appeler le jeune, sur ses autres numéros"),
    DecisionKind.REFUSAL_STOPS: mark("Ne plus appeler le jeune : il sort de la file"),
    DecisionKind.REFUSAL_LIFTED: mark("C’était une erreur de saisie : lever le STOP du responsable"),
}
"""What may be decided about a guardian's refusal, in words."""


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
    settling.settle_conflict(database(), runtime().desk(database()), conflict_id, by=user().id, now=now())
    flash(gettext("Résultat classé. Il reste écrit dans le journal."))
    return redirect(HOME)


@blueprint.get("/refusals/<int:opt_out_id>")
def refusal(opt_out_id: int) -> str:
    """Show a guardian's refusal, and what may be decided about it."""
    return _refusal(opt_out_id)


@blueprint.post("/refusals/<int:opt_out_id>")
@only(Role.SUPERVISOR)
def decide_refusal(opt_out_id: int) -> str | BaseResponse:
    """Decide what a guardian's refusal means for the young person."""
    choice = choice_of(DecisionKind, request.form.get("choice"))
    try:
        if choice is None:
            raise InvalidInput("Choisissez une décision.", field="choice")
        with database().begin_nested():
            settling.decide_refusal(
                database(),
                runtime().desk(database()),
                opt_out_id,
                choice,
                reason=request.form.get("reason", ""),
                by=user().id,
                now=now(),
            )
    except (InvalidInput, NotAllowed) as problem:
        field = getattr(problem, "field", None) or "choice"
        page = _refusal(opt_out_id, {field: gettext(problem.message)}, typed=request.form)
        return make_response(page, problem.status)
    flash(gettext("Décision enregistrée."))
    return redirect(HOME)


@blueprint.get("/decisions")
def latest() -> str:
    """Show what was decided lately: when, by whom, what, about whom, why."""
    desk = runtime().desk(database())
    return render_template(
        "supervision/decisions.html",
        decisions=decisions.latest(database(), desk.programme_id),
        decision_labels=labels.DECISIONS,
    )


@blueprint.get("/calls/<int:attempt_id>/undo")
def result(attempt_id: int) -> str:
    """Show the result that a supervisor is about to take back, and what that changes."""
    return _result(attempt_id)


@blueprint.post("/calls/<int:attempt_id>/undo")
@only(Role.SUPERVISOR)
def undo_result(attempt_id: int) -> str | BaseResponse:
    """Take back a result that was entered by mistake, for a reason."""
    one = _known_result(attempt_id)
    try:
        with database().begin_nested():
            undo.undo_for_reason(
                database(),
                runtime().desk(database()),
                attempt_id,
                reason=request.form.get("reason", ""),
                by=user().id,
                now=now(),
            )
    except (InvalidInput, NotAllowed) as problem:
        field = getattr(problem, "field", None) or "reason"
        page = _result(attempt_id, {field: gettext(problem.message)}, typed=request.form)
        return make_response(page, problem.status)
    flash(gettext("Résultat annulé. L’appel reste compté ; la raison est écrite dans l’histoire."))
    return redirect(f"/people/{one.person_id}")


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
    why_out = route_queries.why_out(database(), desk.programme_id, person_id)
    if why_out is None:
        flash(gettext("De retour dans la file."))
    else:
        reason = labels.reason_label(why_out)
        flash(gettext("Sans effet : aussitôt ressorti de la file (%(reason)s).", reason=reason), "attention")
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
    one = _known(person_id)
    looked(Place.DECISION, person_id)
    return render_template(
        "supervision/person.html",
        one=one,
        reason_label=labels.reason_label,
        errors=errors or {},
    )


def _refusal(opt_out_id: int, errors: dict[str, str] | None = None, typed: Any = None) -> str:
    found = cases.refusal_case(database(), runtime().desk(database()).programme_id, opt_out_id)
    if found is None:
        raise NotFound("Ce refus n’existe pas.")
    if found.person_id is not None:
        looked(Place.DECISION, found.person_id)
    return render_template(
        "supervision/refusal.html",
        one=found,
        choices=[(choice.value, gettext(REFUSAL_CHOICES[choice])) for choice in kinds.REFUSAL_CHOICES],
        decision_labels=labels.DECISIONS,
        may_act=user().role is Role.SUPERVISOR,
        typed=typed or {},
        errors=errors or {},
    )


def _result(attempt_id: int, errors: dict[str, str] | None = None, typed: Any = None) -> str:
    one = _known_result(attempt_id)
    return render_template(
        "supervision/result.html",
        one=one,
        disposition=labels.disposition_label(runtime().programme, one.disposition),
        decision_labels=labels.DECISIONS,
        may_act=user().role is Role.SUPERVISOR,
        typed=typed or {},
        errors=errors or {},
    )


def _known_result(attempt_id: int) -> cases.ResultCase:
    found = cases.result_case(database(), runtime().desk(database()).programme_id, attempt_id)
    if found is None:
        raise NotFound("Cet appel n’existe pas.")
    looked(Place.DECISION, found.person_id)
    return found


def _known(person_id: int) -> cases.PersonCase:
    desk = runtime().desk(database())
    found = cases.person_case(database(), desk.programme_id, person_id)
    if found is None:
        raise NotFound("Cette personne n’est pas dans ce programme.")
    return found
