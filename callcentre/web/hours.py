"""Best hours: what was learnt of when people answer, with intervals and counts; versions, freeze, going back."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from callcentre.accounts.kinds import Role
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.planning import fits, queries, refit
from callcentre.planning.kinds import FitSource
from callcentre.retry.profiles import SLOTS
from callcentre.web.context import now, runtime, user
from callcentre.web.forms import whole_number
from callcentre.web.guards import only
from callcentre.web.i18n import gettext, mark, words
from callcentre.web.transaction import database, reading

blueprint = Blueprint("hours", __name__, url_prefix="/supervision/hours")

HOME = "/supervision/hours"
PEOPLE_NEEDED = 15_000
"""People per arm from which the gain of the learnt rule over rotation would show, by the simulations."""

PROFILES = {
    "daytime": mark("Plutôt en journée"),
    "evening": mark("Plutôt le soir"),
    "morning": mark("Plutôt le matin"),
    "rarely": mark("Répond rarement"),
    "not_by_this_number": mark("Pas par ce numéro"),
}
SOURCES = {
    FitSource.PRIOR: mark("valeurs de départ"),
    FitSource.NIGHTLY: mark("apprentissage de la nuit"),
    FitSource.BY_HAND: mark("apprentissage demandé"),
}


@blueprint.get("")
def index() -> str:
    """Show the numbers in force."""
    return _page()


@blueprint.post("/freeze")
@only(Role.SUPERVISOR)
def freeze() -> ResponseReturnValue:
    """Keep the numbers in force until learning is resumed."""
    try:
        fits.freeze(
            database(), _programme_id(), reason=request.form.get("reason", ""), by=user().id, now=now()
        )
    except InvalidInput as problem:
        return make_response(_page({"reason": gettext(problem.message)}), 422)
    flash(gettext("Apprentissage gelé : ces chiffres restent en vigueur."))
    return redirect(HOME)


@blueprint.post("/resume")
@only(Role.SUPERVISOR)
def resume() -> ResponseReturnValue:
    """Let the next night learn again."""
    fits.resume(database(), _programme_id(), by=user().id, now=now())
    flash(gettext("L’apprentissage reprend la nuit prochaine."))
    return redirect(HOME)


@blueprint.post("/versions/<int(max=2147483647):version>")
@only(Role.SUPERVISOR)
def go_back(version: int) -> ResponseReturnValue:
    """Put an older version in force, and freeze it."""
    typed = request.form.get("why", "")
    if not _learns():
        raise NotAllowed(
            "L’apprentissage est arrêté dans la configuration : les valeurs de départ restent en vigueur."
        )
    try:
        fits.go_back(database(), _programme_id(), version, reason=typed, by=user().id, now=now())
    except InvalidInput as problem:
        return make_response(_page({"why": gettext(problem.message)}, version), 422)
    flash(
        gettext(
            "Version %(version)s en vigueur, apprentissage gelé. "
            "Les heures de chacun suivent dans les minutes qui viennent.",
            version=version,
        )
    )
    return redirect(HOME)


@blueprint.post("/learn")
@only(Role.SUPERVISOR)
def learn() -> ResponseReturnValue:
    """Fit the numbers now to the calls that are counted already."""
    with reading() as session:
        desk = runtime().desk(session)
    made = refit.fit_again(runtime().sessions, desk.programme, desk.programme_id, now(), by_hand=True)
    flash(
        gettext("Nouvelle version en vigueur. Les heures de chacun suivent dans les minutes qui viennent.")
        if made is not None
        else gettext("Rien à apprendre : aucun appel compté, ou apprentissage gelé."),
        "done" if made is not None else "info",
    )
    return redirect(HOME)


def _programme_id() -> int:
    return runtime().desk(database()).programme_id


def _learns() -> bool:
    constants = runtime().desk(database()).programme.constants
    return constants is not None and constants.learns


def _page(errors: dict[str, str] | None = None, asked: int | None = None) -> str:
    desk = runtime().desk(database())
    learnt = queries.learnt_hours(database(), desk.programme, desk.programme_id)
    if learnt is None:
        raise NotFound("Ce programme n’apprend pas les heures.")
    labels = {slot.code: words(slot.labels) for slot in desk.programme.slots}
    open_slots = [place for place, slot in enumerate(SLOTS) if slot in desk.policy.hours.open_slots]
    known = {0, *(one.version for one in learnt.versions)}
    typed = whole_number(request.args.get("version"))
    asked = asked if asked is not None or typed not in known else typed
    return render_template(
        "supervision/hours.html",
        learnt=learnt,
        slots=[(place, labels.get(SLOTS[place], SLOTS[place])) for place in open_slots],
        slot_label=labels,
        profiles=PROFILES,
        sources=SOURCES,
        segments={segment.code: words(segment.labels) for segment in desk.programme.segments},
        is_rotation=desk.programme.constants is None or desk.programme.constants.preference == "rotation",
        learns=_learns(),
        needed=PEOPLE_NEEDED,
        asked=asked,
        may_decide=user().role is Role.SUPERVISOR,
        errors=errors or {},
    )
