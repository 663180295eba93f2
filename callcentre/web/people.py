"""The people behind a figure: a list with its address, its pages and its export."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from callcentre.accounts import queries as accounts
from callcentre.audit import trail
from callcentre.desk import why_not
from callcentre.desk.why_not import Answer
from callcentre.directory import queries as directory
from callcentre.errors import InvalidInput, NotFound
from callcentre.funnel.stages import Stage
from callcentre.supervision import figures
from callcentre.supervision.figures import Behind, Line
from callcentre.supervision.picture import Bucket
from callcentre.web import card_view, labels, tables
from callcentre.web.context import now, runtime, user
from callcentre.web.formats import day, day_long, in_zone, moment
from callcentre.web.forms import whole_number
from callcentre.web.i18n import gettext, mark
from callcentre.web.looks import looked_through
from callcentre.web.transaction import database, writing

blueprint = Blueprint("people", __name__, url_prefix="/people")


@dataclass(frozen=True)
class Choice:
    """One thing that the list is limited to, in words, and the address of the list without it."""

    text: str
    without: str


@blueprint.get("")
def index() -> str:
    """Show the people behind the figure that the address names."""
    programme, programme_id = runtime().programme, _programme_id()
    behind = _behind()
    found = figures.people(
        database(),
        programme,
        programme_id,
        behind,
        now=now(),
        page=whole_number(request.args.get("page")) or 1,
    )
    looked_through(len(found.lines))
    shown = [line.person_id for line in found.lines]
    return render_template(
        "people.html",
        found=found,
        answers=why_not.answers(database(), runtime().desk(database()), shown, now=now()),
        behind=behind,
        title=_title(behind),
        choices=_choices(programme_id),
        page_url=lambda page: people_url(**_arguments(page=page)),
        export_url=lambda kind: people_url(f"/export.{kind}", **_arguments(page=None)),
        stage_label=lambda stage: labels.stage_label(programme, stage),
        disposition_label=lambda code: labels.disposition_label(programme, code),
        answer_label=labels.answer_label,
        place=labels.place,
        buckets=labels.BUCKETS,
        today=in_zone(now()).date(),
    )


@blueprint.get("/export.csv", defaults={"kind": "csv"})
@blueprint.get("/export.xlsx", defaults={"kind": "xlsx"})
def export(kind: str) -> Response:
    """Give all the people behind the figure as a file; who took it, and what it held, is written down."""
    behind = _behind()
    lines = figures.everybody(database(), runtime().programme, _programme_id(), behind, now=now())
    with writing() as session:
        trail.record(
            session, "people_exported", "list", None, by=user().id, now=now(),
            details={"people": len(lines), "figure": _arguments(page=None)},
        )  # fmt: skip
    header = [
        gettext(text)
        for text in (
            _NUMBER,
            _FAMILY,
            _FIRST,
            _BIRTH,
            _PLACE,
            _STAGE,
            _ENTERED,
            _CALLED,
            _RESULT,
            _QUEUE,
            _WHY,
            _WHEN,
        )
    ]
    everybody = [line.person_id for line in lines]
    answers = why_not.answers(database(), runtime().desk(database()), everybody, now=now())
    return tables.file(kind, "personnes", header, [_row(line, answers[line.person_id]) for line in lines])


_NUMBER, _FAMILY, _FIRST = mark("N°"), mark("Nom"), mark("Prénom")
_BIRTH, _PLACE, _STAGE = mark("Date de naissance"), mark("PSAD"), mark("Étape")
_ENTERED, _CALLED, _RESULT = mark("Entrée dans l’étape"), mark("Dernier appel"), mark("Résultat")
_QUEUE, _WHY, _WHEN = mark("File"), mark("Pourquoi pas maintenant"), mark("Prochain appel")


def people_url(path: str = "", **filters: object) -> str:
    """The address of the list behind a figure; filters that are None or False are left out."""
    given = {name: _written(value) for name, value in filters.items() if value not in (None, False, "")}
    return f"/people{path}?{urlencode(given)}" if given else f"/people{path}"


def _written(value: object) -> str:
    return "1" if value is True else value.isoformat() if isinstance(value, date) else str(value)


def _behind() -> Behind:
    """What the address asks for; raises InvalidInput for what it cannot mean."""
    ask = request.args
    return Behind(
        stage=_one_of(Stage, "stage"),
        territory_id=_number("territory"),
        officer_id=_number("officer"),
        week=_day("week"),
        bucket=_one_of(Bucket, "bucket"),
        reason=ask.get("reason") or None,
        lane=figures.lane_of(ask.get("lane")),
        ready="ready" in ask,
        leased="leased" in ask,
        promised="promised" in ask,
        late="late" in ask,
        called_on=_day("called"),
        contacts_only="contacts" in ask,
        served_on=_day("served"),
    )


def _arguments(**changed: object) -> dict[str, Any]:
    return {**request.args.to_dict(), **changed}


def _one_of(kind: Any, name: str) -> Any:
    text = request.args.get(name)
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise InvalidInput(
            "Cette adresse de liste n’est pas complète ; repartez du chiffre.", field=name
        ) from None


def _number(name: str) -> int | None:
    text = request.args.get(name)
    if not text:
        return None
    number = whole_number(text)
    if number is None:
        raise InvalidInput("Cette adresse de liste n’est pas complète ; repartez du chiffre.", field=name)
    return number


def _day(name: str) -> date | None:
    text = request.args.get(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput(
            "Cette adresse de liste n’est pas complète ; repartez du chiffre.", field=name
        ) from None


def _title(behind: Behind) -> str:
    if behind.stage is not None:
        return labels.stage_label(runtime().programme, behind.stage)
    if behind.called_on is not None:
        return gettext("Contacts de la journée") if behind.contacts_only else gettext("Appels de la journée")
    if behind.served_on is not None:
        return gettext("Servis par la file")
    if behind.ready:
        return gettext("Prêts à être appelés")
    if behind.leased:
        return gettext("Fiches ouvertes")
    if behind.late:
        return gettext("Rappels en retard")
    if behind.promised:
        return gettext("Rappels promis")
    if behind.bucket is not None:
        return gettext(labels.BUCKETS[behind.bucket])
    return gettext("Personnes")


def _choices(programme_id: int) -> list[Choice]:
    """What the list is limited to besides its title, each of which can be taken away."""
    ask = request.args
    choices: list[Choice] = []

    def add(name: str, text: str) -> None:
        choices.append(Choice(text, people_url(**_arguments(**{name: None, "page": None}))))

    territory, officer = _number("territory"), _number("officer")
    if territory is not None:
        places = {place.id: place.label for place in directory.territories(database(), programme_id)}
        add("territory", places.get(territory, "?"))
    if officer is not None:
        found = accounts.user(database(), officer)
        add("officer", gettext("par %(name)s", name=found.display_name if found else "?"))
    if ask.get("week"):
        add("week", gettext("semaine du %(day)s", day=day_long(_day("week"))))
    if ask.get("called") or ask.get("served"):
        name = "called" if ask.get("called") else "served"
        add(name, day_long(_day(name)))
    if ask.get("reason"):
        add("reason", labels.reason_label(ask["reason"]))
    if ask.get("lane"):
        add("lane", gettext(labels.LANES.get(ask["lane"], ask["lane"])))
    return choices


def _row(line: Line, answer: Answer) -> list[Any]:
    programme, call = runtime().programme, line.last_call
    return [
        line.person_id,
        line.family_name,
        line.first_name,
        day(line.birth_date),
        line.territory,
        labels.stage_label(programme, line.stage),
        "" if line.entered_at is None else moment(line.entered_at),
        "" if call is None else moment(call.at),
        "" if call is None else labels.disposition_label(programme, call.disposition),
        gettext(labels.BUCKETS[line.bucket]),
        card_view.in_words(answer.reason),
        "" if answer.next_call is None else moment(answer.next_call),
    ]


def _programme_id() -> int:
    found = directory.programme_id(database(), runtime().programme.code)
    if found is None:
        raise NotFound("Ce programme n’a encore aucune liste.")
    return found
