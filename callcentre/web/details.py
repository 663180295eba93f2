"""Contact details to find: the work of the other routes, one step at a time, and what came of it."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from callcentre.accounts.kinds import Role
from callcentre.audit import trail
from callcentre.desk import corrections
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.people.kinds import NumberOwner
from callcentre.planning import route_queries, routes
from callcentre.planning.kinds import StepResult
from callcentre.programmes import RouteKind
from callcentre.web import labels, tables
from callcentre.web.card_view import OWNER_LABELS
from callcentre.web.context import now, runtime, user
from callcentre.web.formats import in_zone
from callcentre.web.forms import choice_of
from callcentre.web.guards import only
from callcentre.web.i18n import gettext, words
from callcentre.web.looks import looked_through
from callcentre.web.route_words import WHY_NOT
from callcentre.web.transaction import database

blueprint = Blueprint("details", __name__, url_prefix="/details")

HOME = "/details"


@blueprint.get("")
def index() -> str:
    """Show what is to do, by route."""
    return _page()


@blueprint.post("/steps/<int:step_id>")
def record(step_id: int) -> ResponseReturnValue:
    """Note what came of a step; a number that was found re-opens the person at once."""
    result = choice_of(StepResult, request.form.get("result"))
    number = request.form.get("new_number", "").strip()
    if number:
        result = StepResult.FOUND
    try:
        with database().begin_nested():
            message = _record(step_id, result, number)
    except (InvalidInput, NotAllowed) as problem:
        error = {f"step-{step_id}": gettext(problem.message)}
        return _page(errors=error, step_id=step_id), problem.status
    flash(message)
    return redirect(_back())


def _record(step_id: int, result: StepResult | None, number: str) -> str:
    session, desk = database(), runtime().desk(database())
    person_id = route_queries.step_person(session, desk.programme_id, step_id)
    if person_id is None:
        raise NotFound("step")
    if result is None or result is StepResult.BY_PLAN:
        raise InvalidInput("Indiquez ce que la démarche a donné.", field="result")
    if result is StepResult.FOUND:
        if not number:
            raise InvalidInput("Indiquez le nouveau numéro.", field="new_number")
        owner = choice_of(NumberOwner, request.form.get("new_number_owner")) or NumberOwner.YOUNG_PERSON
        corrections.add_number(session, desk, person_id, number, owner, by=user().id, now=now())
    note = request.form.get("note", "")
    routes.record(session, step_id, result, note=note, by=user().id, now=now())
    if result is not StepResult.FOUND:
        return gettext("Démarche notée.")
    why_out = route_queries.why_out(session, desk.programme_id, person_id)
    if why_out is None:
        return gettext("Numéro ajouté : la personne est de nouveau dans la file.")
    return gettext(
        "Numéro ajouté ; la personne reste hors de la file (%(reason)s).", reason=labels.reason_label(why_out)
    )


@blueprint.post("/mailings")
@only(Role.SUPERVISOR)
def prepare() -> ResponseReturnValue:
    """Gather the due letters or e-mails of a route in one merge file."""
    code = request.form.get("route", "")
    route = next((one for one in runtime().programme.routes if one.code == code), None)
    if route is None:
        raise NotFound("route")
    desk = runtime().desk(database())
    try:
        routes.prepare_mailing(
            database(), desk.programme_id, route.code, RouteKind(route.kind), by=user().id, now=now()
        )
    except NotAllowed as problem:
        flash(gettext(problem.message), "attention")
        return redirect(_back())
    flash(gettext("Fichier préparé : téléchargez-le, puis dites quand l’envoi est parti."))
    return redirect(f"{HOME}#mailings")


@blueprint.get("/mailings/<int:mailing_id>.<kind>")
@only(Role.SUPERVISOR)
def download(mailing_id: int, kind: str) -> Response:
    """The merge file, for a word processor or a mailing tool; that somebody saw so many people is written down."""
    desk = runtime().desk(database())
    found = route_queries.mail_lines(database(), desk.programme_id, mailing_id, today=in_zone(now()).date())
    if found is None or kind not in ("csv", "xlsx"):
        raise NotFound("mailing")
    mailing, lines = found
    looked_through(len(lines))
    header = (
        gettext("Référence"),
        gettext("Destinataire"),
        gettext("Jeune"),
        gettext("Courriel"),
        gettext("Adresse"),
        gettext("Code postal"),
        gettext("Commune"),
    )
    rows = [
        (
            line.reference,
            gettext("Aux responsables de %(name)s", name=line.name)
            if mailing.kind == RouteKind.LETTER and line.recipient
            else line.name,
            line.name,
            line.email,
            line.address,
            line.postal_code,
            line.commune,
        )
        for line in lines
    ]
    return tables.file(kind, f"envoi-{mailing_id}", header, rows)


@blueprint.post("/mailings/<int:mailing_id>/sent")
@only(Role.SUPERVISOR)
def sent(mailing_id: int) -> ResponseReturnValue:
    """Note that a merge file's letters were posted."""
    session = database()
    routes.mailing_sent(session, mailing_id, by=user().id, now=now())
    trail.record(
        session,
        "mailing_sent",
        "programme",
        runtime().desk(session).programme_id,
        by=user().id,
        now=now(),
        details={"mailing": mailing_id},
    )
    flash(gettext("Envoi noté : une réponse est attendue le temps prévu, puis la suite vient d’elle-même."))
    return redirect(f"{HOME}#mailings")


def _back() -> str:
    route = request.form.get("route", "")
    known = {one.code for one in runtime().programme.routes}
    return f"{HOME}?route={route}" if route in known else HOME


def _page(errors: dict[str, str] | None = None, step_id: int | None = None) -> str:
    session, desk = database(), runtime().desk(database())
    code = request.args.get("route") or request.form.get("route") or None
    programme_routes = {route.code: route for route in desk.programme.routes}
    chosen = programme_routes.get(code or "")
    figures = route_queries.route_figures(session, desk.programme_id)
    items = route_queries.work_list(
        session, desk.programme_id, today=in_zone(now()).date(), route=chosen.code if chosen else None
    )
    looked_through(len(items))
    may_mail = user().role is Role.SUPERVISOR
    is_shown = step_id in {item.step.id for item in items}
    return render_template(
        "details.html",
        figures=figures,
        items=items,
        routes=[(route.code, words(route.labels)) for route in desk.programme.routes],
        route_label={route.code: words(route.labels) for route in desk.programme.routes},
        route_hint={route.code: words(route.hints) for route in desk.programme.routes if route.hints},
        chosen=chosen.code if chosen else None,
        mailings=route_queries.mailings(session, desk.programme_id) if may_mail else [],
        to_prepare=route_queries.letters_to_prepare(session, desk.programme_id, chosen.code)
        if may_mail and chosen and chosen.kind in routes.MAILED
        else 0,
        why_not=WHY_NOT,
        reason_label=labels.reason_label,
        owner_labels=OWNER_LABELS,
        errors=errors or {},
        step_id=step_id,
        refused_for=route_queries.step_person(session, desk.programme_id, step_id)
        if step_id is not None and not is_shown
        else None,
        typed=request.form,
    )
