"""The "what if" page: who sees it, what it asks for, a run from its button to its report."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callcentre.simulation import runs
from callcentre.simulation.arms import Change
from callcentre.simulation.figures import ArmFigures, Interval
from callcentre.simulation.request import Request, Resolution
from callcentre.simulation.result import Result
from callcentre.simulation.runs import RunState, Status
from tests.web.site import Site, send, text_of

FORM = {
    "attempts": "8",
    "per_day": "1",
    "evening": "yes",
    "saturday": "no",
    "guardian_attempts": "learnt",
    "adult_guardians": "no",
    "control_share": "0",
    "repaired": "0",
    "world": "ordinary",
    "size": "quick",
}


@pytest.fixture
def supervisor(site: Site) -> Iterator[FlaskClient]:
    """A supervisor's browser; whatever they began is ended after the test."""
    yield site.client("supervisor")
    for process in site.app.extensions.get("simulations", {}).values():
        process.kill()
        process.wait()


def _post(client: FlaskClient, path: str, fields: dict[str, str] | None = None) -> TestResponse:
    return send(client, path, page="/what-if", **(fields or {}))


def _arm(name: str) -> ArmFigures:
    some = Interval(0.55, 0.52, 0.58)
    return ArmFigures(
        name=name,
        seeds=3,
        people=400,
        rate=some,
        contacts=some,
        calls=some,
        calls_per_contact=some,
        days=some,
        worst_segment=some,
        more_contacts=some,
        fewer_calls=some,
        segments={"minor": some},
        load={"morning": 0.5, "midday": 0.5, "afternoon": 0.5, "evening": 0.5, "saturday": -1.0},
        calls_by_slot=dict.fromkeys(("morning", "midday", "afternoon", "evening", "saturday"), 10.0),
        violations={"slot": 0.0},
        ends={"open": 0.2, "appointment": 0.8},
        months=[0.1],
    )


def _keep(site: Site, state: RunState, run_id: str = "20261120-100000") -> str:
    """A run that was made before, with its result if it is done."""
    folder = site.runtime.settings.data_dir / runs.FOLDER / run_id
    folder.mkdir(parents=True)
    asked = Request(programme="bouches-du-rhone", people=400, seeds=3, change=Change(attempts=10))
    kept = {"request": asked.model_dump(mode="json"), "by": "Sophie Garnier"}
    (folder / "request.json").write_text(json.dumps(kept), encoding="utf-8")
    runs.write_status(folder, Status(state, "2026-11-20T10:00:00+00:00"))
    if state is RunState.DONE:
        world = {
            "code": "ordinary",
            "labels": {"fr": "Ordinaire", "en": "Ordinary"},
            "description": {"fr": "Une année.", "en": "A year."},
            "days": 365,
            "people": 400,
        }
        segments = {"minor": {"fr": "Mineurs", "en": "Minors"}}
        found = Result(asked, world, segments, 0.6, (_arm("today"), _arm("tried")))
        runs.write_result(folder, found)
    return run_id


def test_officers_do_not_see_it(site: Site) -> None:
    assert site.client("officer").get("/what-if").status_code == 403


def test_the_form_shows_the_rules_of_today(supervisor: FlaskClient) -> None:
    page = supervisor.get("/what-if").get_data(as_text=True)
    assert '<option value="8" selected>8</option>' in page
    assert '<option value="learnt" selected>' in page
    assert "Ordinaire" in page
    assert "Aucune pour l’instant." in page


def test_only_what_differs_is_a_change(site: Site, supervisor: FlaskClient) -> None:
    answer = _post(supervisor, "/what-if", {**FORM, "attempts": "10", "saturday": "yes", "repaired": "50"})
    assert answer.status_code == 303
    run = runs.runs(site.runtime.settings)[0]
    assert answer.location == f"/what-if/{run.id}"
    assert run.request.change == Change(attempts=10, saturday=True, repaired=0.5)
    assert (run.request.people, run.request.seeds, run.by) == (400, 3, "Sophie Garnier")


def test_a_run_is_followed_and_stopped(site: Site, supervisor: FlaskClient) -> None:
    path = _post(supervisor, "/what-if", FORM).location
    assert "Arrêter la simulation" in supervisor.get(path).get_data(as_text=True)
    told = supervisor.get(f"{path}/progress").get_json()
    assert told["location"] == ""
    assert 0 <= told["percent"] <= 99
    second = _post(supervisor, "/what-if", FORM)
    assert second.status_code == 409
    assert "déjà en cours" in text_of(second)
    assert f'<a href="{path}">Voir la simulation en cours</a>' in second.get_data(as_text=True)
    assert _post(supervisor, f"{path}/cancel").status_code == 303
    site.app.extensions["simulations"][path.rsplit("/", 1)[1]].wait(timeout=240)
    assert supervisor.get(f"{path}/progress").get_json()["location"] == path
    assert "arrêtée avant sa fin" in text_of(supervisor.get(path))
    _post(supervisor, f"{path}/cancel")
    assert "était déjà à sa fin" in text_of(supervisor.get(path))


def test_a_choice_that_is_not_offered_is_refused(site: Site, supervisor: FlaskClient) -> None:
    for wrong in ({"attempts": "many"}, {"world": "nowhere"}, {"size": "huge"}, {"evening": "perhaps"}):
        answer = _post(supervisor, "/what-if", {**FORM, **wrong})
        assert answer.status_code == 422
        assert "ne se lit pas" in text_of(answer)
    assert runs.runs(site.runtime.settings) == []


def test_the_report_is_shown_and_given_as_files(site: Site, supervisor: FlaskClient) -> None:
    run_id = _keep(site, RunState.DONE)
    page = text_of(supervisor.get(f"/what-if/{run_id}"))
    assert "n’est pas atteinte" in page
    assert "10 appels en tout" in page
    assert "Politiques comparées" in page
    made = "Faite le 20/11/2026 à 11:00, par Sophie Garnier."
    assert "Simulation du 20/11/2026 : Ordinaire" in page
    assert made in page
    pdf = supervisor.get(f"/what-if/{run_id}/report.pdf")
    assert pdf.mimetype == "application/pdf"
    assert pdf.data.startswith(b"%PDF-")
    html = supervisor.get(f"/what-if/{run_id}/report.html")
    assert "attachment" in html.headers["Content-Disposition"]
    assert made in text_of(html)
    assert supervisor.get(f"/what-if/{run_id}/report.exe").status_code == 404
    assert _post(supervisor, f"/what-if/{run_id}/delete").status_code == 303
    assert supervisor.get(f"/what-if/{run_id}").status_code == 404


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RunState.RUNNING, "interrompue avant sa fin"),
        (RunState.CANCELLED, "arrêtée avant sa fin"),
        (RunState.FAILED, "n’a pas pu se terminer"),
    ],
)
def test_a_run_without_a_result_says_why(
    site: Site, supervisor: FlaskClient, state: RunState, words: str
) -> None:
    run_id = _keep(site, state)
    assert words in text_of(supervisor.get(f"/what-if/{run_id}"))


def test_names_that_are_no_runs_are_not_found(supervisor: FlaskClient) -> None:
    assert supervisor.get("/what-if/nothing").status_code == 404
    assert supervisor.get("/what-if/..%2F..").status_code in {308, 404}


def test_the_full_size_plays_the_whole_world_through_the_real_verbs(
    site: Site, supervisor: FlaskClient
) -> None:
    assert _post(supervisor, "/what-if", {**FORM, "size": "full"}).status_code == 303
    asked = runs.runs(site.runtime.settings)[0].request
    assert (asked.resolution, asked.people, asked.seeds) == (Resolution.FULL, 3274, 1)
