"""Rows of a list put right by hand: released from quarantine, corrected in place, set aside."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.intake import quarantine, queries, received
from callcentre.intake.kinds import Fate
from callcentre.intake.queries import ListFileView
from callcentre.web import list_rows, list_words
from callcentre.web.context import now, user
from callcentre.web.forms import whole_number
from callcentre.web.i18n import gettext
from callcentre.web.list_pages import note, programme_of, settled_meanwhile
from callcentre.web.transaction import database

blueprint = Blueprint("list_corrections", __name__, url_prefix="/lists")

blueprint.register_error_handler(NotAllowed, settled_meanwhile)

_ROW = "/<int:list_id>/rows/<int:row_id>"


@blueprint.post(f"{_ROW}/release")
def release(list_id: int, row_id: int) -> BaseResponse:
    """Correct a quarantined row and let it in, if nothing bars it any more."""
    cells = _cells()
    who = request.form.get("who", "")
    file = _file_of(list_id, row_id)
    settled = quarantine.release(
        database(),
        row_id,
        cells,
        programme=programme_of(file),
        now=now(),
        by=user().id,
        onto=_person_of(row_id, file, who),
        as_new=who == "new",
    )
    note("quarantined_row_released", list_id, row=row_id, fate=str(settled.fate))
    row = queries.row(database(), row_id)
    if settled.fate is Fate.QUARANTINED:
        text = gettext(
            "Corrections gardées, mais la ligne %(row)s reste en quarantaine.", row=list_rows.label(row)
        )
        flash(text, "attention")
        return redirect(_back(list_id, f"row-{row_id}"), 303)
    fate = gettext(list_words.FATES[settled.fate].label)
    flash(gettext("Ligne %(row)s libérée : %(fate)s.", row=list_rows.label(row), fate=fate))
    return redirect(_back(list_id, "rows"), 303)


@blueprint.post(f"{_ROW}/correct")
def correct(list_id: int, row_id: int) -> BaseResponse:
    """Put right a row that was let in with a remark; its person gets what the row says now."""
    file = _file_of(list_id, row_id)
    try:
        settled = quarantine.correct(
            database(), row_id, _cells(), programme=programme_of(file), now=now(), by=user().id
        )
    except InvalidInput as problem:
        flash(f"{gettext('Rien n’a été changé.')} {gettext(problem.message)}", "attention")
        return redirect(f"/lists/{list_id}?correct={row_id}#row-{row_id}", 303)
    note("row_corrected", list_id, row=row_id)
    row = queries.row(database(), row_id)
    if settled.reasons:
        flash(gettext("Ligne %(row)s corrigée ; il lui reste une remarque.", row=list_rows.label(row)))
    else:
        flash(gettext("Ligne %(row)s corrigée.", row=list_rows.label(row)))
    return redirect(f"/lists/{list_id}?flagged=1#rows", 303)


def _cells() -> dict[str, str]:
    return {
        name.removeprefix("cell."): text for name, text in request.form.items() if name.startswith("cell.")
    }


@blueprint.post(f"{_ROW}/set-aside")
def set_aside(list_id: int, row_id: int) -> BaseResponse:
    """Leave a quarantined row out for good."""
    _file_of(list_id, row_id)
    quarantine.set_aside(database(), row_id, now=now(), by=user().id, who=user().display_name)
    note("quarantined_row_set_aside", list_id, row=row_id)
    flash(gettext("Ligne %(row)s écartée.", row=list_rows.label(queries.row(database(), row_id))))
    return redirect(_back(list_id, "rows"), 303)


def _file_of(list_id: int, row_id: int) -> ListFileView:
    if queries.row(database(), row_id).list_file_id != list_id:
        raise NotFound("row")
    return queries.list_file(database(), list_id)


def _person_of(row_id: int, file: ListFileView, who: str) -> int | None:
    """The known person that was chosen for a row; only one of those whom it may be."""
    chosen = whole_number(who)
    if chosen is None:
        return None
    possible = received.possible_people(database(), row_id, programme=programme_of(file))
    if chosen not in {person.ref for person in possible}:
        raise InvalidInput("Cette personne n’est pas l’une de celles dont la ligne peut parler.", field="who")
    return chosen


def _back(list_id: int, anchor: str) -> str:
    page = whole_number(request.form.get("page")) or 1
    return f"/lists/{list_id}?fate=quarantined&page={page}#{anchor}"
