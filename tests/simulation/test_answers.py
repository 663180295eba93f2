"""The answer to a request: what would reach the target agrees with playing it again; the report says it in words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callcentre.programmes import Programme
from callcentre.simulation.advice import cheapest, levers
from callcentre.simulation.arms import Change, Way
from callcentre.simulation.figures import Interval
from callcentre.simulation.files import as_html, as_pdf
from callcentre.simulation.record import Year
from callcentre.simulation.refusals import Cancelled, CannotSimulate
from callcentre.simulation.report import report_of
from callcentre.simulation.request import TODAY, TRIED, Request, Resolution
from callcentre.simulation.result import Result, simulate
from callcentre.simulation.words import rules as say_rules
from tests.simulation.ground import programme, settings

SMALL = Request(
    programme="bouches-du-rhone", people=60, days=40, seeds=2, controls=(Way.RECYCLE,), advice=True
)


def _simulate(request: Request, folder: Path, house: Programme | None = None) -> Result:
    return simulate(request, house or programme(), live=settings(folder), folder=folder / "work", processes=1)


@pytest.fixture(scope="module")
def missed(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A small request that misses the target of 60 %."""
    return _simulate(SMALL, tmp_path_factory.mktemp("missed"))


def test_a_missed_target_says_what_else_was_tried(missed: Result) -> None:
    assert not missed.is_reached
    assert missed.target == pytest.approx(0.6, abs=0.001)
    tried = [lever.change.values for lever in missed.levers]
    assert tried[:4] == [{"attempts": 10}, {"repaired": 0.5}, {"saturday": True}, {"adult_guardians": True}]
    assert tried[-1] == {"attempts": 10, "repaired": 0.5, "saturday": True, "adult_guardians": True}


def test_what_is_said_of_a_setting_agrees_with_playing_it_again(missed: Result, tmp_path: Path) -> None:
    for lever in (missed.levers[1], missed.levers[-1]):
        again = _simulate(
            SMALL.model_copy(update={"change": lever.change, "advice": False, "controls": ()}), tmp_path
        )
        tried = next(one for one in again.arms if one.name == TRIED)
        assert tried.rate == lever.rate
        assert tried.calls == lever.calls


def test_a_result_survives_being_kept(missed: Result) -> None:
    assert Result.from_json(missed.as_json()) == missed


def test_a_target_within_reach_needs_no_advice(tmp_path: Path) -> None:
    house = programme()
    easy = house.stages["contacted"].model_copy(update={"target": 1})
    found = _simulate(
        SMALL, tmp_path, house.model_copy(update={"stages": {**house.stages, "contacted": easy}})
    )
    assert found.is_reached
    assert found.levers == ()
    assert "est atteinte" in report_of(found, "fr").verdict


def test_the_smallest_change_that_suffices_is_recommended(missed: Result) -> None:
    assert cheapest(missed.levers, 0.0) in [lever for lever in missed.levers if len(lever.change.values) == 1]
    assert cheapest(missed.levers, 1.1) is None


def test_a_change_that_chance_alone_may_undo_is_said_to_do_on_average(missed: Result) -> None:
    lever = missed.levers[0]
    barely, surely = (
        replace(missed, levers=(replace(lever, rate=Interval(0.62, low, 0.68)),)) for low in (0.56, 0.61)
    )
    for found, words, cell in ((barely, "suffirait en moyenne", "en moyenne"), (surely, "suffirait,", "oui")):
        report = report_of(found, "fr")
        assert words in report.lead[-1]
        assert report.tables[1].rows[0][2] == cell
    assert "la chance seule peut faire manquer la cible" in report_of(barely, "fr").lead[-1]


def test_a_report_tells_when_and_by_whom_it_was_made_and_the_rules_of_that_day(missed: Result) -> None:
    at = datetime(2026, 11, 23, 10, 5, tzinfo=ZoneInfo("Europe/Paris"))
    report = report_of(missed, "en", at=at, by="Sophie Garnier")
    assert report.title == "Simulation of 23/11/2026: Ordinary"
    by, rules = report.made
    assert by == "Made on 23/11/2026 at 10:05, by Sophie Garnier."
    assert rules.startswith("The rules of that day: 8 calls in all, 1 call(s) a day, 4 calls in 30 days; ")
    assert "Monday to Friday 10:00–13:00, 14:00–20:00; Saturday closed; guardian where it is learnt" in rules
    assert rules.endswith("; guardians of minors only; rule that learns.")
    for line in report.made:
        assert line in as_html(report, "en").decode()
    plan = {**(missed.rules or {}), "guardian_attempts": [3, 6, 8], "saturday": [["10:00", "13:00"]]}
    assert "samedi 10:00–13:00 ; responsable aux appels 3, 6, 8" in say_rules(plan, "fr")
    old = {name: value for name, value in missed.as_json().items() if name != "rules"}
    assert report_of(Result.from_json(old), "en").made == ()


def test_only_what_differs_from_today_is_a_lever() -> None:
    house = programme()
    generous = house.model_copy(update={"limits": house.limits.model_copy(update={"calls_in_all": 12})})
    tried = [change.values for change in levers(generous, Change(saturday=True), repaired=0.6)]
    assert {"saturday": True, "adult_guardians": True} in tried
    assert not [values for values in tried if "attempts" in values or "repaired" in values]


def test_the_change_is_compared_with_today(tmp_path: Path) -> None:
    request = SMALL.model_copy(update={"change": Change(attempts=3), "advice": False})
    found = _simulate(request, tmp_path)
    assert [one.name for one in found.arms] == [TODAY, TRIED, "recycle"]
    assert found.judged.name == TRIED
    assert found.arms[0].more_contacts.mean == 0
    assert found.arms[1].calls.mean <= found.arms[0].calls.mean
    assert "3 calls in all" in report_of(found, "en").lead[0]


def test_the_real_verbs_answer_requests_too(tmp_path: Path) -> None:
    request = Request(
        programme="bouches-du-rhone",
        people=30,
        days=14,
        seeds=1,
        controls=(),
        resolution=Resolution.FULL,
        advice=False,
    )
    found = _simulate(request, tmp_path)
    assert found.judged.calls.mean > 0
    assert "verbes réels" in " ".join(report_of(found, "fr").notes)
    assert list((tmp_path / "work").iterdir()) == []


def test_several_processes_say_the_same_as_one(missed: Result, tmp_path: Path) -> None:
    request = SMALL.model_copy(update={"advice": False})
    found = simulate(request, programme(), live=settings(tmp_path), folder=tmp_path, processes=2)
    assert found.arms == missed.arms


def test_an_unknown_world_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(CannotSimulate, match=r"no world nowhere; known: .*ordinary"):
        _simulate(SMALL.model_copy(update={"world": "nowhere"}), tmp_path)


def test_it_stops_when_it_is_told_to(tmp_path: Path) -> None:
    def stop(done: int, _whole: int) -> None:
        if done > 100:
            raise Cancelled("The simulation was stopped.")

    with pytest.raises(Cancelled):
        simulate(SMALL, programme(), live=settings(tmp_path), folder=tmp_path, processes=1, report=stop)


def test_the_report_is_whole_in_both_languages(missed: Result) -> None:
    french, english = report_of(missed, "fr"), report_of(missed, "en")
    assert "n’est pas atteinte" in french.verdict
    assert "is missed" in english.verdict
    assert [len(table.rows) for table in french.tables] == [len(table.rows) for table in english.tables]
    for report in (french, english):
        for table in report.tables:
            assert all(len(row) == len(table.heads) for row in table.rows)
        text = " ".join([report.title, report.verdict, *report.lead, *report.notes])
        assert not re.search(r"[{}]|\bNone\b(?! of)|\bnan\b", text)


def test_the_report_is_a_page_and_a_pdf_that_stand_by_themselves(missed: Result) -> None:
    report = report_of(missed, "fr")
    page = as_html(report, "fr").decode()
    assert page.startswith("<!doctype html>")
    assert not re.search(r"https?://|<script|<link", page)
    assert page.count("<table>") == len(report.tables)
    pdf = as_pdf(report, "fr")
    assert pdf.startswith(b"%PDF-")
    assert pdf == as_pdf(report, "fr")


def test_a_year_keeps_what_its_report_needs() -> None:
    assert {"segments", "slots", "room", "violations", "ends", "months"} <= set(Year.__dataclass_fields__)
