"""The funnel page: where people are against the targets to date, the week's pace, the forecast, and its exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request
from markupsafe import Markup

from callcentre.funnel import targets
from callcentre.funnel.stages import ORDER, SIDE, Stage
from callcentre.supervision.reports import FunnelReport, StageFigures, funnel_report
from callcentre.web import charts, labels, tables
from callcentre.web.context import now, runtime
from callcentre.web.formats import day, number, percent
from callcentre.web.forms import choice_of
from callcentre.web.i18n import gettext, words
from callcentre.web.people import people_url
from callcentre.web.transaction import database

blueprint = Blueprint("funnel", __name__, url_prefix="/funnel")

FOLLOWED = ORDER[1:]
"""The stages that grow over the period; the people to contact come with the lists."""


@blueprint.get("")
def index() -> str:
    """Show the funnel; `?stage=` chooses the one whose curve is drawn."""
    programme = runtime().programme
    report = funnel_report(database(), programme, now=now())
    chosen = choice_of(Stage, request.args.get("stage"))
    stage = chosen if chosen in FOLLOWED else Stage.CONTACTED
    return render_template(
        "funnel.html",
        report=report,
        stage=stage,
        order=ORDER,
        followed=FOLLOWED,
        side=SIDE,
        stage_label=lambda one: labels.stage_label(programme, one),
        definitions={one: words(programme.stages[one].definition) for one in ORDER},
        people_url=people_url,
        place=labels.place,
        funnel_chart=_funnel_chart(report),
        curve_chart=_curve_chart(report, stage),
        weeks_chart=_weeks_chart(report, stage),
        recent_days=targets.RECENT_DAYS,
        confidence=round(100 * targets.CONFIDENCE),
        advice={one: _advice(report, report.figures(one)) for one in FOLLOWED},
    )


@blueprint.get("/export.csv", defaults={"kind": "csv"})
@blueprint.get("/export.xlsx", defaults={"kind": "xlsx"})
def export(kind: str) -> Response:
    """Give the figures as a file: counts only, no person."""
    report = funnel_report(database(), runtime().programme, now=now())
    header = [
        gettext("Tableau"),
        gettext("Ligne"),
        *(labels.stage_label(runtime().programme, one) for one in Stage),
    ]
    return tables.file(kind, "parcours", header, _rows(report))


def _rows(report: FunnelReport) -> list[list[Any]]:
    def line(table: str, label: str, values: Mapping[Stage, int | None]) -> list[Any]:
        return [table, label, *(values.get(stage) for stage in Stage)]

    whole = gettext("Ensemble")
    figures = {one.stage: one for one in report.stages}
    rows = [
        line(
            whole,
            gettext("Personnes"),
            {stage: one.count for stage, one in figures.items()} | dict(report.side),
        ),
        line(whole, gettext("Cible"), {stage: one.target for stage, one in figures.items()}),
        line(whole, gettext("Cible à ce jour"), {stage: one.to_date for stage, one in figures.items()}),
        line(whole, gettext("Écart"), {stage: one.gap for stage, one in figures.items()}),
        line(
            whole,
            gettext("Prévision basse"),
            {stage: one.forecast.low if one.forecast else None for stage, one in figures.items()},
        ),
        line(
            whole,
            gettext("Prévision haute"),
            {stage: one.forecast.high if one.forecast else None for stage, one in figures.items()},
        ),
    ]
    rows += [line(gettext("PSAD"), row.label, dict(row.counts)) for row in report.territories]
    rows += [line(gettext("Saisi par"), row.label, dict(row.counts)) for row in report.officers]
    rows += [line(gettext("Semaine du"), day(week.monday), dict(week.counts)) for week in report.weeks]
    return rows


def _funnel_chart(report: FunnelReport) -> Markup:
    programme = runtime().programme
    contacted = report.figures(Stage.CONTACTED)
    return charts.funnel(
        "funnel",
        title=gettext("Personnes à chaque étape du parcours"),
        description=gettext(
            "%(count)s jeunes contactés sur %(target)s visés, soit %(part)s ; %(to_date)s étaient attendus à ce jour.",
            count=number(contacted.count),
            target=number(contacted.target),
            part=percent(contacted.count, contacted.target),
            to_date=number(contacted.to_date),
        ),
        bars=[
            charts.Bar(labels.stage_label(programme, one.stage), one.count, one.target, one.to_date)
            for one in report.stages
        ],
        to_date_label=gettext("attendu à ce jour"),
    )


def _curve_chart(report: FunnelReport, stage: Stage) -> Markup:
    figures = report.figures(stage)
    total, points = 0, []
    for week in report.weeks:
        total += week.counts[stage]
        end = min(week.monday + timedelta(days=6), report.today)
        if end >= report.first_day:
            points.append(charts.Point(end, total))
    goal = [
        charts.Point(report.first_day, 0),
        *(
            charts.Point(one, targets.target_to_date(figures.target, report.days, one))
            for one in report.days[:: max(1, len(report.days) // 40)][1:]
        ),
        charts.Point(report.last_day, figures.target),
    ]
    forecast = figures.forecast
    return charts.curve(
        "curve",
        title=gettext(
            "%(stage)s : réalisé, cible et prévision", stage=labels.stage_label(runtime().programme, stage)
        ),
        description=_forecast_sentence(figures),
        points=points,
        goal=goal,
        band=None
        if forecast is None
        else charts.Band(report.last_day, forecast.low, forecast.middle, forecast.high),
        labels=(gettext("réalisé"), gettext("cible"), gettext("prévision")),
    )


def _weeks_chart(report: FunnelReport, stage: Stage) -> Markup:
    pace = report.figures(stage).pace
    weeks = report.weeks[-16:]
    return charts.columns(
        "weeks",
        title=gettext(
            "%(stage)s : entrées par semaine", stage=labels.stage_label(runtime().programme, stage)
        ),
        description=gettext(
            "Cette semaine : %(done)s, pour %(needed)s nécessaires.",
            done=number(pace.done),
            needed=number(pace.needed),
        ),
        weeks=[charts.Point(week.monday, week.counts[stage]) for week in weeks],
        needed=pace.needed,
    )


def _forecast_sentence(figures: StageFigures) -> str:
    forecast = figures.forecast
    if forecast is None:
        return gettext("Il est trop tôt pour prévoir.")
    return gettext(
        "À ce rythme, entre %(low)s et %(high)s en fin de période, pour %(target)s visés.",
        low=number(forecast.low),
        high=number(forecast.high),
        target=number(figures.target),
    )


def _advice(report: FunnelReport, figures: StageFigures) -> str:
    """What would close the gap, in people per working day, beside what is done now."""
    left = report.working_days - report.days_over
    missing = figures.target - figures.count
    if missing <= 0:
        return gettext("La cible de la période est atteinte.")
    if not left:
        return gettext("La période est finie : il manque %(n)s personnes.", n=number(missing))
    needed = gettext("Il en faut %(rate)s par jour ouvré", rate=number(missing / left, 1))
    forecast = figures.forecast
    if forecast is None:
        return gettext("%(needed)s jusqu’à la fin.", needed=needed)
    return gettext(
        "%(needed)s jusqu’à la fin ; il y en a eu %(rate)s par jour ces dernières semaines.",
        needed=needed,
        rate=number(forecast.recent / forecast.recent_days, 1),
    )
