"""The list files: checked first, imported with live progress, their report row by row, quarantine corrected."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, jsonify, make_response, redirect, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from callcentre.accounts import queries as accounts
from callcentre.audit import trail
from callcentre.desk import pairs
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.intake import (
    checking,
    importing,
    profiles,
    quarantine,
    queries,
    received,
    reports,
    undoing,
    unmapped,
)
from callcentre.intake.apart import read_list
from callcentre.intake.kinds import Fate, ListState, Problem, problem_words
from callcentre.intake.mapping import ColumnWords, load_column_words
from callcentre.intake.preparing import PreparedList, prepare
from callcentre.intake.queries import ListFileView
from callcentre.intake.reader import Refusal
from callcentre.intake.reasons import ReasonCode
from callcentre.programmes import Programme
from callcentre.web import list_rows, list_words
from callcentre.web.context import now, runtime, user
from callcentre.web.formats import in_zone, number
from callcentre.web.forms import choice_of, typed_date, whole_number
from callcentre.web.guards import passive, wants_json
from callcentre.web.i18n import gettext, language, ngettext, typography, words
from callcentre.web.imports import imports
from callcentre.web.list_checks import ListCheck, checks, preview
from callcentre.web.transaction import database, end_transaction, reading

blueprint = Blueprint("lists", __name__, url_prefix="/lists")

LARGEST_ID = 2**63 - 1
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LIST = f"/<int(min=1, max={LARGEST_ID}):list_id>"
_ROW = f"{_LIST}/rows/<int(min=1, max={LARGEST_ID}):row_id>"


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
        labels=_programmes(),
        pairs=pairs.count_open(database()),
        **_words(),
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
        programmes=_programmes().items(),
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
        return _check_page(file)
    if file.state is ListState.IMPORTING:
        return render_template("lists_progress.html", progress=_progress(file), **_page(file))
    return _report_page(file)


@blueprint.post(f"{_LIST}/import")
def begin(list_id: int) -> BaseResponse:
    """Import a checked list, or go on with an interrupted one; a second click changes nothing."""
    before = queries.list_file(database(), list_id).state
    progress = importing.start(database(), list_id)
    if before in {ListState.CHECKED, ListState.FAILED}:
        _note("list_import_started", list_id)
    end_transaction()
    if progress.is_running:
        checks().forget(list_id)
        imports().begin(runtime(), list_id)
    return redirect(f"/lists/{list_id}", 303)


@blueprint.post(f"{_LIST}/drop")
def drop(list_id: int) -> BaseResponse:
    """Forget a list that was only checked."""
    received.drop(database(), list_id)
    _note("list_dropped", list_id)
    checks().forget(list_id)
    flash(gettext("Liste abandonnée : le fichier est effacé, personne n’a été ajouté."))
    return redirect("/lists", 303)


@blueprint.get(f"{_LIST}/progress")
@passive
def progress(list_id: int) -> Response:
    """Tell a page how far an import has come."""
    return jsonify(_progress(queries.list_file(database(), list_id)))


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
    _note("quarantine_exported", list_id)
    response = Response(body, mimetype=_XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{list_id}.xlsx"'
    return response


@blueprint.get(f"{_LIST}/undo")
def ask_undo(list_id: int) -> str:
    """Say what undoing a whole import would take back, or why it cannot be undone."""
    file = queries.list_file(database(), list_id)
    found = undoing.look(database(), list_id, programme=programme_of(file), now=now())
    return render_template("lists_undo.html", undoable=found, **_page(file))


@blueprint.post(f"{_LIST}/undo")
def undo(list_id: int) -> BaseResponse:
    """Undo a whole import, while none of its people was called."""
    file = queries.list_file(database(), list_id)
    if request.form.get("sure") != "yes":
        flash(gettext("Cochez la case pour confirmer : rien n’a été changé."), "attention")
        return redirect(f"/lists/{list_id}/undo", 303)
    undone = undoing.undo(database(), list_id, programme=programme_of(file), now=now(), by=user().id)
    _note("list_import_undone", list_id, removed=undone.removed, restored=undone.restored)
    flash(
        gettext(
            "Import défait : %(removed)s personnes retirées, %(restored)s remises comme avant.",
            removed=number(undone.removed),
            restored=number(undone.restored),
        )
    )
    return redirect(f"/lists/{list_id}", 303)


# ---- quarantined rows


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
    _note("quarantined_row_released", list_id, row=row_id, fate=str(settled.fate))
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
    _note("row_corrected", list_id, row=row_id)
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
    _note("quarantined_row_set_aside", list_id, row=row_id)
    flash(gettext("Ligne %(row)s écartée.", row=list_rows.label(queries.row(database(), row_id))))
    return redirect(_back(list_id, "rows"), 303)


@blueprint.errorhandler(NotAllowed)
def settled_meanwhile(error: NotAllowed) -> BaseResponse:
    """What a colleague, or a first click, has done already: say so on the list's page."""
    flash(gettext(error.message), "attention")
    list_id = (request.view_args or {}).get("list_id")
    return redirect(f"/lists/{list_id}" if list_id else "/lists", 303)


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


# ---- what the pages show


def _check_page(file: ListFileView) -> str:
    found = checks().get(file, now()) or _check_again(file)
    fate, reason = (
        choice_of(Fate, request.args.get("fate")),
        choice_of(ReasonCode, request.args.get("reason")),
    )
    rows = [list_rows.planned(row) for row in found.rows(fate, reason)]
    with reading() as session:
        earlier = received.earlier_imports(session, file.id)
    return render_template(
        "lists_check.html",
        check=found,
        earlier=earlier,
        page=list_rows.page_of(rows, len(rows), whole_number(request.args.get("page"))),
        fate=fate,
        reason=reason,
        button=_import_button(found.people),
        **_page(file),
    )


def _check_again(file: ListFileView) -> ListCheck:
    with reading() as session:
        prepared = received.read_received(received.received(session, file.id), programme_of(file))
        plan = checking.check(session, prepared, programme=programme_of(file))
    return checks().keep(file.id, ListCheck(plan, preview(prepared), now()))


def _report_page(file: ListFileView) -> str:
    fate, reason = (
        choice_of(Fate, request.args.get("fate")),
        choice_of(ReasonCode, request.args.get("reason")),
    )
    flagged = request.args.get("flagged") == "1"
    counts = queries.count_rows(database(), file.id)
    page = _stored_page(
        file, fate, reason, flagged=flagged, total=counts[fate] if fate else sum(counts.values())
    )
    held, programme = fate is Fate.QUARANTINED, programme_of(file)
    return render_template(
        "lists_report.html",
        counts=counts,
        total=sum(counts.values()),
        fate=fate,
        reason=reason,
        reasons=queries.count_reasons(database(), file.id),
        flagged=flagged,
        page=page,
        rows=[list_rows.held(row, programme) if held else list_rows.stored(row) for row in page.rows],
        correcting=_correcting(file, programme),
        gone=reports.gone_from(database(), file),
        may_undo=file.state is ListState.IMPORTED and undoing.is_in_time(file.finished_at, programme, now()),
        pairs=pairs.count_open(database()),
        again=request.args.get("again") == "1",
        finished=request.args.get("finished") == "1",
        **_page(file),
    )


def _stored_page(
    file: ListFileView, fate: Fate | None, reason: ReasonCode | None, *, flagged: bool, total: int
) -> list_rows.Page:
    """A page of a list's rows: cut out by the database, unless their reasons have to be looked into."""
    wanted, fates = whole_number(request.args.get("page")), [fate] if fate else []
    if flagged or reason is not None:
        rows = queries.rows(database(), file.id, fates=fates, flagged_only=flagged, reason=reason)
        return list_rows.page_of(rows, len(rows), wanted)
    page = list_rows.page_at(total, wanted)
    found = queries.rows(database(), file.id, fates=fates, limit=list_rows.PER_PAGE, offset=page.first)
    return page.holding(found)


def _correcting(file: ListFileView, programme: Programme) -> list_rows.HeldRow | None:
    """The row that is being put right in place, if the address names one."""
    row_id = whole_number(request.args.get("correct"))
    if row_id is None:
        return None
    row = queries.row(database(), row_id)
    if row.list_file_id != file.id or not row.is_correctable:
        return None
    return list_rows.held(row, programme)


def _progress(file: ListFileView) -> dict[str, Any]:
    """How far an import has come, in figures and in words; `location` once there is nothing more to wait for."""
    values = {"done": number(file.rows_done), "total": number(file.rows_total)}
    stopped = file.state is ListState.IMPORTING and imports().has_stopped(file.id)
    running = file.state is ListState.IMPORTING
    return {
        "state": file.state.value,
        "done": file.rows_done,
        "total": file.rows_total,
        "percent": 100 * file.rows_done // max(1, file.rows_total),
        "text": gettext("%(done)s sur %(total)s", **values),
        "counts": [list_words.fate_count(fate, file.counts[fate]) for fate in Fate if file.counts[fate]],
        "problem": _interruption(file) if stopped else None,
        "location": None if running else f"/lists/{file.id}?finished=1",
    }


def _interruption(file: ListFileView) -> str:
    """What stopped an import, what was kept and what to do."""
    values = {"done": number(file.rows_done), "total": number(file.rows_total)}
    if file.problem == Problem.UNREADABLE:
        return problem_words(file.problem, language())
    is_full = file.problem in (None, Problem.STORAGE_FULL)
    cause = (
        gettext("Il n’y a plus de place pour enregistrer.")
        if is_full
        else gettext("La base de données a refusé d’écrire.")
    )
    kept = gettext("%(done)s lignes sur %(total)s sont importées et gardées, rien n’est perdu.", **values)
    todo = (
        gettext(
            "Faites de la place sur le serveur, puis reprenez : l’import continuera là où il s’est arrêté."
        )
        if is_full
        else gettext("Reprenez : l’import continuera là où il s’est arrêté.")
    )
    return f"{cause} {kept} {todo}"


def _page(file: ListFileView) -> dict[str, Any]:
    """What every page of one list shows."""
    by = None if file.uploaded_by is None else accounts.user(database(), file.uploaded_by)
    return {
        "file": file,
        "by": by.display_name if by else "",
        "programme_label": _programmes().get(file.programme_code, file.programme_code),
        "interruption": _interruption(file) if file.state is ListState.FAILED else "",
        **_words(),
    }


def _words() -> dict[str, Any]:
    return {"w": list_words, "Fate": Fate, "ListState": ListState}


def _import_button(people: int) -> str:
    if not people:
        return gettext("Importer la liste")
    return ngettext("Importer %(n)s personne", "Importer %(n)s personnes", people)


def _refusal(refusal: Refusal) -> str:
    text = refusal.words(language())
    return typography(text) if language() == "fr" else text


def column_words() -> ColumnWords:
    """The words by which columns are recognised."""
    return load_column_words(runtime().settings.config_dir / "list_columns.toml")


def _programmes() -> dict[str, str]:
    return {code: words(programme.labels) for code, programme in runtime().programmes.items()}


def programme_of(file: ListFileView) -> Programme:
    """The programme of a list."""
    found = runtime().programmes.get(file.programme_code)
    if found is None:
        raise NotFound("programme")
    return found


def _today() -> str:
    return f"{in_zone(now()):%d/%m/%Y}"


def _go(location: str) -> BaseResponse:
    return jsonify(location=location) if wants_json() else redirect(location, 303)


def _note(action: str, list_id: int, **details: Any) -> None:
    trail.record(database(), action, "list_file", list_id, by=user().id, now=now(), details=details)
