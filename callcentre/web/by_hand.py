"""Somebody typed by hand: a walk-in, a school head's signal; judged cell by cell like a row of a list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from callcentre.intake import by_hand
from callcentre.intake.by_hand import Origin, Typed
from callcentre.people.register import Change
from callcentre.web import list_words
from callcentre.web.context import now, runtime, user
from callcentre.web.formats import in_zone
from callcentre.web.forms import choice_of, typed_date, whole_number
from callcentre.web.i18n import gettext, mark, words
from callcentre.web.transaction import database

blueprint = Blueprint("by_hand", __name__, url_prefix="/people/new")

ORIGINS = {
    Origin.WALK_IN: mark("La personne s’est présentée ou a téléphoné"),
    Origin.SCHOOL: mark("Signalement d’un établissement"),
    Origin.PARTNER: mark("Signalement d’un partenaire"),
}


@blueprint.get("")
def form() -> str:
    """Show the empty form, with what a search had typed."""
    return _page({"signalled_on": f"{in_zone(now()):%d/%m/%Y}", "origin": Origin.WALK_IN.value})


@blueprint.post("")
def enter() -> BaseResponse:
    """Let somebody into the queue, or show what to correct or to choose."""
    typed = request.form.to_dict()
    day, origin = typed_date(typed.get("signalled_on")), choice_of(Origin, typed.get("origin"))
    errors = _problems(day)
    if errors or day is None:
        return make_response(_page(typed, errors), 422)
    found = by_hand.enter_person(
        database(),
        typed,
        programme=runtime().programme,
        signalled_on=day,
        origin=origin or Origin.WALK_IN,
        now=now(),
        by=user().id,
        onto=whole_number(typed.get("who")),
        as_new=typed.get("who") == "new",
    )
    if found.person_id is None:
        said = {name: list_words.sentence(reason) for name, reason in found.errors.items()}
        return make_response(_page(typed, said, found), 422)
    flash(_told(found))
    for reason in found.remarks:
        flash(list_words.sentence(reason), "info")
    return redirect(f"/people/{found.person_id}", 303)


def _problems(day: date | None) -> dict[str, str]:
    if day is None:
        return {"signalled_on": gettext("Cette date ne se lit pas : écrivez-la jj/mm/aaaa.")}
    if day > in_zone(now()).date():
        return {"signalled_on": gettext("Cette date est dans le futur : écrivez le jour du signalement.")}
    return {}


def _told(found: Typed) -> str:
    match found.change:
        case Change.CREATED:
            return gettext("Personne ajoutée : elle a sa place dans la file.")
        case Change.UPDATED:
            return gettext("Cette personne était connue : sa fiche est complétée.")
        case _:
            return gettext("Cette personne était connue, rien de neuf : rien n’a été changé.")


def _page(
    typed: Mapping[str, str], errors: Mapping[str, str] | None = None, found: Typed | None = None
) -> str:
    programme = runtime().programme
    return render_template(
        "by_hand.html",
        typed=typed,
        errors=dict(errors or {}),
        possible=() if found is None else found.possible,
        origins=[(origin.value, gettext(label)) for origin, label in ORIGINS.items()],
        territories=[(one.code, one.label) for one in programme.territories],
        months=programme.intake.minor_clock_months,
        programme_label=words(programme.labels),
    )
