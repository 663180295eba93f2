"""The list files: checked first, imported with live progress, reported, undone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from flask import Blueprint, Response, flash, jsonify, make_response, redirect, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from callcentre.accounts import queries as accounts
from callcentre.desk import pairs
from callcentre.errors import NotAllowed
from callcentre.intake import (
    checking,
    importing,
    profiles,
    queries,
    received,
    reports,
    undoing,
    unmapped,
)
from callcentre.intake.apart import read_list
from callcentre.intake.kinds import ListState
from callcentre.intake.mapping import ColumnWords, load_column_words
from callcentre.intake.preparing import PreparedList, prepare
from callcentre.intake.reader import Refusal
from callcentre.programmes import Programme
from callcentre.web.context import now, runtime, user
from callcentre.web.formats import in_zone, number
from callcentre.web.forms import typed_date
from callcentre.web.guards import passive, wants_json
from callcentre.web.i18n import gettext, language, typography
from callcentre.web.imports import imports
from callcentre.web.list_checks import ListCheck, checks, preview
from callcentre.web.list_pages import (
    check_page,
    note,
    page_words,
    programme_labels,
    programme_of,
    progress_of,
    report_page,
    settled_meanwhile,
    shared,
)
from callcentre.web.transaction import database, end_transaction, reading

blueprint = Blueprint("lists", __name__, url_prefix="/lists")
blueprint.register_error_handler(NotAllowed, settled_meanwhile)

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LIST = "/<int:list_id>"


@dataclass(frozen=True)
class Typed:
    """What the form of a new list holds; a browser never gives back a chosen file, so only its name."""

    programme: str = ""
    list_date: str = ""
    file_name: str = ""
    errors: dict[str, str] = field(default_factory=dict)


# ---- all lists, and a new one


@blueprint.get("")
def index() -> str:
    """Show every list file."""
    people = {one.id: one.display_name for one in accounts.users(database())}
    return render_template(
        "lists.html",
        files=queries.list_files(database()),
        people=people,
        labels=programme_labels(),
        pairs=pairs.count_open(database()),
        **page_words(),
    )


@blueprint.get("/new")
def new() -> str:
    """Show the form of a new list."""
    return _form(Typed(programme=runtime().settings.programme, list_date=_today()))


@blueprint.post("/new")
def check_new() -> BaseResponse:
    """Read a list and say what importing it would do; the list is kept, its people are not written."""
    programme = runtime().programmes.get(request.form.get("programme", ""))
    list_date = typed_date(request.form.get("list_date"))
    file = request.files.get("file")
    errors = _problems(programme, list_date, file)
    if errors or programme is None or list_date is None or file is None:
        return _refused(errors, file)
    content, name = file.read(), file.filename or ""
    with reading() as session:
        remembered = profiles.remembered(session)
    prepared = prepare(
        content, name, programme=programme, list_date=list_date, words=column_words(), remembered=remembered
    )
    if isinstance(prepared, Refusal):
        list_id = _keep_unmapped(prepared, content, name, programme, list_date)
        return (
            _refused({"file": _refusal(prepared)}, file)
            if list_id is None
            else _go(f"/lists/{list_id}/columns")
        )
    with reading() as session:
        known = received.known_list(session, prepared, programme=programme)
    if known is not None and known.state not in {ListState.CHECKED, ListState.UNDONE}:
        return _go(f"/lists/{known.id}?again=1")
    return _go(f"/lists/{receive(prepared, programme)}")


def _keep_unmapped(
    refusal: Refusal, content: bytes, name: str, programme: Programme, list_date: date
) -> int | None:
    """Keep a table whose columns somebody may yet name, and return its id; None for what is no such table."""
    if refusal.code not in unmapped.NAMEABLE:
        return None
    found = read_list(content, name)
    if isinstance(found, Refusal) or not unmapped.can_be_named(refusal, found):
        return None
    list_id = unmapped.keep(
        database(),
        content,
        name,
        programme=programme,
        list_date=list_date,
        refusal=refusal,
        now=now(),
        by=user().id,
    )
    end_transaction()
    return list_id


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(_error: RequestEntityTooLarge) -> Response:
    """A file beyond the limit is not read at all; its form is shown again with the limit beside the field."""
    megabytes = runtime().settings.upload_megabytes
    message = gettext(
        "Ce fichier dépasse la limite de %(n)s Mo ; rien n’a été importé. Coupez-le en plusieurs listes.",
        n=number(megabytes),
    )
    typed = Typed(runtime().settings.programme, _today(), errors={"file": message})
    response = make_response(_form(typed), 413)
    response.headers["Connection"] = "close"
    return response


def _problems(
    programme: Programme | None, list_date: date | None, file: FileStorage | None
) -> dict[str, str]:
    errors = {}
    if file is None or not file.filename:
        errors["file"] = gettext("Choisissez le fichier de la liste, en CSV ou en XLSX.")
    if programme is None:
        errors["programme"] = gettext("Choisissez le programme de la liste.")
    if list_date is None:
        errors["list_date"] = gettext(
            "Cette date ne se lit pas : écrivez-la jj/mm/aaaa, par exemple 24/11/2026."
        )
    elif list_date > in_zone(now()).date():
        errors["list_date"] = gettext(
            "Cette date est dans le futur : écrivez le jour où la liste a été faite."
        )
    return errors


def _refused(errors: dict[str, str], file: FileStorage | None) -> Response:
    form = request.form
    name = file.filename if file is not None else None
    typed = Typed(form.get("programme", ""), form.get("list_date", ""), name or "", errors)
    return make_response(_form(typed), 422)


def _form(typed: Typed) -> str:
    return render_template(
        "lists_new.html",
        typed=typed,
        errors=typed.errors,
        programmes=programme_labels().items(),
        largest=runtime().settings.upload_megabytes,
    )


def receive(prepared: PreparedList, programme: Programme) -> int:
    """Check a list, then keep it with what the check counted."""
    with reading() as session:
        plan = checking.check(session, prepared, programme=programme)
    list_id = importing.receive(
        database(), prepared, programme=programme, now=now(), by=user().id, expected=plan.counts
    )
    end_transaction()
    checks().keep(list_id, ListCheck(plan, preview(prepared), now()))
    return list_id


# ---- one list


@blueprint.get(_LIST)
def show(list_id: int) -> str | BaseResponse:
    """Show a list as far as it has come: its check, its progress, or its report."""
    file = queries.list_file(database(), list_id)
    if file.state is ListState.UNMAPPED:
        return redirect(f"/lists/{list_id}/columns", 303)
    if file.state is ListState.CHECKED:
        return check_page(file)
    if file.state is ListState.IMPORTING:
        return render_template("lists_progress.html", progress=progress_of(file), **shared(file))
    return report_page(file)


@blueprint.post(f"{_LIST}/import")
def begin(list_id: int) -> BaseResponse:
    """Import a checked list, or go on with an interrupted one; a second click changes nothing."""
    before = queries.list_file(database(), list_id).state
    progress = importing.start(database(), list_id)
    if before in {ListState.CHECKED, ListState.FAILED}:
        note("list_import_started", list_id)
    end_transaction()
    if progress.is_running:
        checks().forget(list_id)
        imports().begin(runtime(), list_id)
    return redirect(f"/lists/{list_id}", 303)


@blueprint.post(f"{_LIST}/drop")
def drop(list_id: int) -> BaseResponse:
    """Forget a list that was only checked."""
    received.drop(database(), list_id)
    note("list_dropped", list_id)
    checks().forget(list_id)
    flash(gettext("Liste abandonnée : le fichier est effacé, personne n’a été ajouté."))
    return redirect("/lists", 303)


@blueprint.get(f"{_LIST}/progress")
@passive
def progress(list_id: int) -> Response:
    """Tell a page how far an import has come."""
    return jsonify(progress_of(queries.list_file(database(), list_id)))


@blueprint.get(f"{_LIST}/report.json")
def report(list_id: int) -> Response:
    """Give the whole report for a program."""
    response = jsonify(reports.file_report(database(), list_id))
    response.headers["Content-Disposition"] = f'attachment; filename="liste-{list_id}.json"'
    return response


@blueprint.post(f"{_LIST}/quarantine.xlsx")
def quarantined(list_id: int) -> Response:
    """Give the quarantined rows as they came, with their reasons; who took them is written down."""
    return _workbook(list_id, "quarantaine", with_remarks=False)


@blueprint.post(f"{_LIST}/remarks.xlsx")
def with_remarks(list_id: int) -> Response:
    """Give every row that has something to put right, as it came, with its reasons."""
    return _workbook(list_id, "a-corriger", with_remarks=True)


def _workbook(list_id: int, name: str, *, with_remarks: bool) -> Response:
    body = reports.quarantine_workbook(database(), list_id, language=language(), with_remarks=with_remarks)
    note("quarantine_exported", list_id)
    response = Response(body, mimetype=_XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{list_id}.xlsx"'
    return response


@blueprint.get(f"{_LIST}/undo")
def ask_undo(list_id: int) -> str:
    """Say what undoing a whole import would take back, or why it cannot be undone."""
    file = queries.list_file(database(), list_id)
    found = undoing.look(database(), list_id, programme=programme_of(file), now=now())
    return render_template("lists_undo.html", undoable=found, **shared(file))


@blueprint.post(f"{_LIST}/undo")
def undo(list_id: int) -> BaseResponse:
    """Undo a whole import, while none of its people was called."""
    file = queries.list_file(database(), list_id)
    if request.form.get("sure") != "yes":
        flash(gettext("Cochez la case pour confirmer : rien n’a été changé."), "attention")
        return redirect(f"/lists/{list_id}/undo", 303)
    undone = undoing.undo(database(), list_id, programme=programme_of(file), now=now(), by=user().id)
    note("list_import_undone", list_id, removed=undone.removed, restored=undone.restored)
    flash(
        gettext(
            "Import défait : %(removed)s personnes retirées, %(restored)s remises comme avant.",
            removed=number(undone.removed),
            restored=number(undone.restored),
        )
    )
    return redirect(f"/lists/{list_id}", 303)


def _refusal(refusal: Refusal) -> str:
    text = refusal.words(language())
    return typography(text) if language() == "fr" else text


def column_words() -> ColumnWords:
    """The words by which columns are recognised."""
    return load_column_words(runtime().settings.config_dir / "list_columns.toml")


def _today() -> str:
    return f"{in_zone(now()):%d/%m/%Y}"


def _go(location: str) -> BaseResponse:
    return jsonify(location=location) if wants_json() else redirect(location, 303)
