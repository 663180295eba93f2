"""The "what if" page: a change of policy tried on invented people, with its progress and its report."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
)
from markupsafe import Markup
from pydantic import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from callcentre.errors import ConfigurationError, NotAllowed, NotFound
from callcentre.programmes import Programme
from callcentre.simulation import runs
from callcentre.simulation.arms import Change, Way
from callcentre.simulation.files import as_html, as_pdf
from callcentre.simulation.report import Report, arm_name, report_of
from callcentre.simulation.request import Request, Resolution, way_of
from callcentre.simulation.result import LEARNT, Result
from callcentre.simulation.runs import Run, RunState
from callcentre.simulation.words import changes as in_words
from callcentre.simulation.worlds import World, load_worlds
from callcentre.web import charts
from callcentre.web.context import now, runtime, user
from callcentre.web.formats import in_zone, number, percent
from callcentre.web.guards import passive
from callcentre.web.i18n import gettext, language, mark, words

blueprint = Blueprint("what_if", __name__, url_prefix="/what-if")
log = logging.getLogger(__name__)

STATES = {
    RunState.RUNNING: mark("en cours"),
    RunState.DONE: mark("terminée"),
    RunState.FAILED: mark("échouée"),
    RunState.CANCELLED: mark("arrêtée"),
    RunState.INTERRUPTED: mark("interrompue"),
}
ATTEMPTS = range(3, 11)


@dataclass(frozen=True)
class Size:
    """How much is played."""

    label: str
    people: int | None
    """None: as many as the world has."""
    seeds: int
    resolution: Resolution = Resolution.LIGHT


SIZES = {
    "quick": Size(mark("Coup d’œil : 3 années de 400 jeunes"), 400, 3),
    "usual": Size(mark("Usuelle : 5 années de 1 000 jeunes"), 1000, 5),
    "precise": Size(mark("Précise : 12 années de 1 000 jeunes"), 1000, 12),
    "full": Size(mark("Une année entière par les verbes réels du logiciel"), None, 1, Resolution.FULL),
}


# ---- asking


@blueprint.get("")
def index() -> str:
    """Show the form, and the simulations that were made."""
    return _page(_as_it_is(runtime().programme))


@blueprint.post("")
def begin() -> BaseResponse:
    """Start a simulation of what the form asks, beside everything else."""
    programme = runtime().programme
    form = request.form.to_dict()
    try:
        asked = _asked(form, programme)
    except (ValidationError, ValueError, KeyError):
        problem = gettext("Ce réglage ne se lit pas : choisissez dans les listes.")
        return make_response(_page(form, problem), 422)
    try:
        run_id, process = runs.start(runtime().settings, asked, by=user().display_name, now=now())
    except NotAllowed as refusal:
        return make_response(_page(form, gettext(refusal.message)), refusal.status)
    _processes()[run_id] = process
    return redirect(f"/what-if/{run_id}", 303)


def _page(typed: Mapping[str, str], problem: str = "") -> str:
    _reap()
    worlds, known = _worlds(), runs.runs(runtime().settings)
    return render_template(
        "what_if.html",
        typed={**_as_it_is(runtime().programme), **typed},
        problem=problem,
        running=next((run for run in known if run.is_running), None),
        worlds=worlds,
        world_choices=[(code, words(world.labels)) for code, world in worlds.items()],
        size_choices=[(code, gettext(size.label)) for code, size in SIZES.items()],
        **_choices(),
        runs=[(run, _began(run)) for run in known],
        states=STATES,
        in_words=lambda change: in_words(change, language()),
    )


def _choices() -> dict[str, list[tuple[str, str]]]:
    """What may be chosen in each list; the rule of today is always among it."""
    today = _as_it_is(runtime().programme)
    none = gettext("aucun")
    learnt = [(LEARNT, gettext("selon ce qui est appris"))] if today["guardian_attempts"] == LEARNT else []
    lists = {
        "attempt_choices": ("attempts", [(str(n), str(n)) for n in ATTEMPTS]),
        "per_day_choices": ("per_day", [("1", "1"), ("2", "2")]),
        "guardian_choices": (
            "guardian_attempts",
            [*learnt, ("3-6-8", "3, 6, 8"), ("2-4-6", "2, 4, 6"), ("never", none)],
        ),
        "share_choices": ("control_share", [(str(n), percent(n, 100)) for n in (0, 10, 20, 50)]),
        "repaired_choices": (
            "repaired",
            [("0", none), *((str(n), percent(n, 100)) for n in (25, 50, 75))],
        ),
    }
    return {
        name: choices if today[field] in dict(choices) else [(today[field], today[field]), *choices]
        for name, (field, choices) in lists.items()
    }


def _as_it_is(programme: Programme) -> dict[str, str]:
    """The form's values that change nothing."""
    limits, constants = programme.limits, programme.constants
    return {
        "world": "ordinary",
        "size": "usual",
        "attempts": str(limits.calls_in_all),
        "per_day": str(limits.calls_per_day),
        "evening": _yes(any(end.hour >= 19 for _, end in programme.hours.weekdays)),
        "saturday": _yes(bool(programme.hours.saturday)),
        "adult_guardians": _yes(limits.call_adult_guardians),
        "guardian_attempts": _guardians(programme),
        "control_share": str(round(100 * constants.control_share)) if constants is not None else "0",
        "repaired": "0",
        "way": way_of(programme).value,
    }


def _guardians(programme: Programme) -> str:
    """Which calls to a minor go to a guardian today."""
    attempts, constants = programme.limits.guardian_attempts, programme.constants
    if not attempts:
        return "never"
    by_worth = constants is not None and (constants.preference, constants.second_number) == (LEARNT, LEARNT)
    return LEARNT if by_worth else "-".join(map(str, attempts))


def _asked(form: Mapping[str, str], programme: Programme) -> Request:
    """The request that a form makes; only what differs from today is a change."""
    today = _as_it_is(programme)
    read: dict[str, Any] = {
        "attempts": int,
        "per_day": int,
        "evening": _is_yes,
        "saturday": _is_yes,
        "adult_guardians": _is_yes,
        "guardian_attempts": str,
        "control_share": _part,
        "repaired": _part,
    }
    changed = {
        name: convert(form[name])
        for name, convert in read.items()
        if form.get(name, today[name]) != today[name]
    }
    size, world = SIZES[form["size"]], _worlds()[form["world"]]
    return Request(
        programme=programme.code,
        world=world.code,
        people=size.people or world.people,
        seeds=size.seeds,
        resolution=size.resolution,
        controls=(Way.ROTATION,)
        if size.resolution is Resolution.FULL
        else (Way.LEARNT, Way.ROTATION, Way.EVENING_FIRST, Way.RECYCLE),
        change=Change.model_validate(changed),
    )


# ---- one simulation


@blueprint.get("/<run_id>")
def show(run_id: str) -> str:
    """Show how far a simulation is, or what came of it."""
    _reap()
    run = runs.run(runtime().settings, run_id)
    if run.status.state is not RunState.DONE:
        return render_template(
            "what_if_run.html", run=run, progress=_progress(run), states=STATES, change=_change(run)
        )
    found = runs.result(runtime().settings, run_id)
    report = _said(run, found)
    return render_template(
        "what_if_report.html",
        run=run,
        report=report,
        change=_change(run),
        chart=_chart(found, report),
    )


@blueprint.get("/<run_id>/progress")
@passive
def progress(run_id: str) -> Response:
    """Tell a page how far a simulation is."""
    _reap()
    return jsonify(_progress(runs.run(runtime().settings, run_id)))


@blueprint.post("/<run_id>/cancel")
def cancel(run_id: str) -> BaseResponse:
    """Stop a simulation."""
    if runs.cancel(runtime().settings, run_id):
        flash(gettext("La simulation s’arrête ; rien n’en est gardé."))
    else:
        flash(gettext("Cette simulation était déjà à sa fin ; rien n’a changé."), "info")
    return redirect(f"/what-if/{run_id}", 303)


@blueprint.post("/<run_id>/delete")
def delete(run_id: str) -> BaseResponse:
    """Forget a simulation."""
    runs.delete(runtime().settings, run_id)
    flash(gettext("Simulation effacée."))
    return redirect("/what-if", 303)


@blueprint.get("/<run_id>/report.<kind>")
def report(run_id: str, kind: str) -> Response:
    """Give the report as a file."""
    if kind not in {"html", "pdf"}:
        raise NotFound("simulation")
    settings = runtime().settings
    said = _said(runs.run(settings, run_id), runs.result(settings, run_id))
    body = as_pdf(said, language()) if kind == "pdf" else as_html(said, language())
    answer = Response(body, mimetype="application/pdf" if kind == "pdf" else "text/html")
    answer.headers["Content-Disposition"] = f'attachment; filename="simulation-{run_id}.{kind}"'
    return answer


def _said(run: Run, found: Result) -> Report:
    return report_of(found, language(), at=in_zone(_began(run)), by=run.by)


def _progress(run: Run) -> dict[str, Any]:
    status = run.status
    percent = 0 if not status.whole else min(99, 100 * status.done // status.whole)
    stage = (
        mark("Années jouées : %(n)s %%") if status.stage == "arms" else mark("Réglages essayés : %(n)s %%")
    )
    return {
        "done": status.done,
        "total": status.whole or 1,
        "percent": percent,
        "stage": status.stage,
        "text": gettext(stage, n=number(percent)) if status.whole else gettext("Préparation…"),
        "location": "" if run.is_running else f"/what-if/{run.id}",
    }


def _chart(found: Result, said: Report) -> Markup:
    shares = [
        charts.Share(arm_name(found, one.name, language()), round(100 * one.rate.mean), 100 * found.target)
        for one in found.arms
    ]
    return charts.percentages(
        "what-if",
        title=gettext("Part des jeunes contactés"),
        description=said.verdict,
        shares=shares,
        share_label=gettext("cible"),
    )


def _change(run: Run) -> str:
    return in_words(run.request.change, language())


def _began(run: Run) -> datetime:
    return datetime.fromisoformat(run.status.started_at)


def _worlds() -> dict[str, World]:
    """The worlds of the configuration; none when they cannot be read, which the page then says."""
    try:
        return load_worlds(runtime().settings.config_dir / "worlds")
    except ConfigurationError as error:
        log.error("worlds cannot be read: %s", error.file)
        return {}


def _processes() -> dict[str, subprocess.Popen[bytes]]:
    known = current_app.extensions.setdefault("simulations", {})
    return cast("dict[str, subprocess.Popen[bytes]]", known)


def _reap() -> None:
    """Let go of processes of this application that have ended."""
    known = _processes()
    for run_id in [run_id for run_id, process in known.items() if process.poll() is not None]:
        known.pop(run_id, None)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _is_yes(text: str) -> bool:
    return {"yes": True, "no": False}[text]


def _part(text: str) -> float:
    return int(text) / 100
