"""Lists: checking one, having one imported, and following how far it has come."""

from __future__ import annotations

from datetime import date

from flask import Response, request

from callcentre.accounts.kinds import Role
from callcentre.errors import InvalidInput
from callcentre.intake import checking, importing, profiles, queries
from callcentre.intake.mapping import load_column_words
from callcentre.intake.preparing import PreparedList, prepare
from callcentre.intake.queries import ListFileView
from callcentre.intake.reader import Refusal
from callcentre.programmes import Programme
from callcentre.web.addresses import LARGEST_ID
from callcentre.web.api import shapes
from callcentre.web.api.blueprint import blueprint
from callcentre.web.context import now, runtime, user
from callcentre.web.guards import only
from callcentre.web.i18n import language
from callcentre.web.imports import imports
from callcentre.web.transaction import database, end_transaction, reading

ROWS_SHOWN = 200
"""Rows with a remark that a check tells; the counts are of all."""

_YES, _NO = frozenset({"true", "1"}), frozenset({"", "false", "0"})


@blueprint.post("/lists")
@only(Role.ADMINISTRATOR)
def receive() -> Response:
    """Check a list file, or have it imported; the same list sent again is the same list."""
    programme = _programme()
    list_date = _date(request.form.get("list_date", ""))
    is_check = _is_yes(request.form.get("check", ""))
    prepared = _prepared(programme, list_date)
    if is_check:
        with reading() as session:
            return shapes.answer(_checked(checking.check(session, prepared, programme=programme)))
    list_id = importing.receive(database(), prepared, programme=programme, now=now(), by=user().id)
    importing.start(database(), list_id)
    found = queries.list_file(database(), list_id)
    end_transaction()
    if found.state == "importing":
        imports().begin(runtime(), list_id)  # beside the answer; should this process end, the worker goes on
    response = shapes.answer(_shape(found), 201)
    response.headers["Location"] = f"/api/v1/lists/{list_id}"
    return response


@blueprint.get(f"/lists/<int(min=1, max={LARGEST_ID}):list_id>")
@only(Role.ADMINISTRATOR, Role.SUPERVISOR)
def show_list(list_id: int) -> Response:
    """Show how far a list has come."""
    return shapes.answer(_shape(queries.list_file(database(), list_id)))


def _programme() -> Programme:
    code = request.form.get("programme", "")
    found = runtime().programmes.get(code)
    if found is None:
        raise InvalidInput("Ce programme n’existe pas.", field="programme")
    return found


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            "Écrivez la date au format ISO 8601, par exemple 2026-11-24.", field="list_date"
        ) from error


def _is_yes(text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise InvalidInput("Ce champ attend true ou false.", field="check")
    return text.lower() in _YES


def _prepared(programme: Programme, list_date: date) -> PreparedList:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidInput("Joignez le fichier de la liste.", field="file")
    with reading() as session:
        remembered = profiles.remembered(session)
    prepared = prepare(
        file.read(),
        file.filename,
        programme=programme,
        list_date=list_date,
        words=load_column_words(runtime().settings.config_dir / "list_columns.toml"),
        remembered=remembered,
    )
    if isinstance(prepared, Refusal):
        raise InvalidInput(prepared.words(language()), field="file")
    return prepared


def _checked(plan: checking.Plan) -> shapes.CheckShape:
    told = [row for row in plan.rows if row.reasons]
    return shapes.CheckShape(
        checked=True,
        rows_total=len(plan.rows),
        counts=plan.counts,
        flagged=plan.flagged,
        rows=[
            shapes.CheckedRow(
                row.sheet, row.number, row.fate.value, [reason.words(language()) for reason in row.reasons]
            )
            for row in told[:ROWS_SHOWN]
        ],
    )


def _shape(found: ListFileView) -> shapes.ListShape:
    return shapes.ListShape(
        id=found.id,
        name=found.name,
        list_date=found.list_date,
        state=found.state.value,
        rows_done=found.rows_done,
        rows_total=found.rows_total,
        counts=found.counts,
        problem=found.problem,
    )
