"""What the pages of one list show: its check, its progress, its report, its rows."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from callcentre.accounts import queries as accounts
from callcentre.audit import trail
from callcentre.desk import pairs
from callcentre.errors import NotAllowed, NotFound
from callcentre.intake import checking, queries, received, reports, undoing
from callcentre.intake.kinds import Fate, ListState, Problem, problem_words
from callcentre.intake.queries import ListFileView
from callcentre.intake.reasons import ReasonCode
from callcentre.programmes import Programme
from callcentre.web import list_rows, list_words
from callcentre.web.context import now, runtime, user
from callcentre.web.formats import number
from callcentre.web.forms import choice_of, whole_number
from callcentre.web.i18n import gettext, language, ngettext, words
from callcentre.web.imports import imports
from callcentre.web.list_checks import ListCheck, checks, preview
from callcentre.web.transaction import database, reading


def check_page(file: ListFileView) -> str:
    """What importing a list would do."""
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
        **shared(file),
    )


def _check_again(file: ListFileView) -> ListCheck:
    with reading() as session:
        prepared = received.read_received(received.received(session, file.id), programme_of(file))
        plan = checking.check(session, prepared, programme=programme_of(file))
    return checks().keep(file.id, ListCheck(plan, preview(prepared), now()))


def report_page(file: ListFileView) -> str:
    """What an import did, row by row."""
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
        **shared(file),
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


def progress_of(file: ListFileView) -> dict[str, Any]:
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


def shared(file: ListFileView) -> dict[str, Any]:
    """What every page of one list shows."""
    by = None if file.uploaded_by is None else accounts.user(database(), file.uploaded_by)
    return {
        "file": file,
        "by": by.display_name if by else "",
        "programme_label": programme_labels().get(file.programme_code, file.programme_code),
        "interruption": _interruption(file) if file.state is ListState.FAILED else "",
        **page_words(),
    }


def page_words() -> dict[str, Any]:
    """The words that the templates of lists use."""
    return {"w": list_words, "Fate": Fate, "ListState": ListState}


def _import_button(people: int) -> str:
    if not people:
        return gettext("Importer la liste")
    return ngettext("Importer %(n)s personne", "Importer %(n)s personnes", people)


def programme_labels() -> dict[str, str]:
    """Every programme's name, by its code."""
    return {code: words(programme.labels) for code, programme in runtime().programmes.items()}


def programme_of(file: ListFileView) -> Programme:
    """The programme of a list."""
    found = runtime().programmes.get(file.programme_code)
    if found is None:
        raise NotFound("programme")
    return found


def note(action: str, list_id: int, **details: Any) -> None:
    """Write into the journal what was done with a list."""
    trail.record(database(), action, "list_file", list_id, by=user().id, now=now(), details=details)


def settled_meanwhile(error: NotAllowed) -> BaseResponse:
    """What a colleague, or a first click, has done already: say so on the list's page."""
    flash(gettext(error.message), "attention")
    list_id = (request.view_args or {}).get("list_id")
    return redirect(f"/lists/{list_id}" if list_id else "/lists", 303)
