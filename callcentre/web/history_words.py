"""What happened to a person, in words: one line for each event of their history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from callcentre.desk.history import Event, EventKind
from callcentre.desk.kinds import DecisionKind
from callcentre.funnel.stages import Stage
from callcentre.planning.kinds import StepResult
from callcentre.programmes import Programme
from callcentre.retry.reasons import Reason
from callcentre.support.kinds import AppointmentState, Evidence, SolutionKind
from callcentre.web import labels
from callcentre.web.card_view import SOLUTION_LABELS, in_words
from callcentre.web.formats import day, moment, phone
from callcentre.web.forms import choice_of
from callcentre.web.i18n import gettext, mark, words
from callcentre.web.route_words import RESULTS


@dataclass(frozen=True)
class Line:
    """An event as it is read: a shape, a sentence, what qualifies it, who did it, what was written."""

    at: datetime
    shape: str
    title: str
    state: str
    by: str | None
    note: str | None
    is_corrected: bool
    attempt_id: int | None = None
    why: str = ""
    """Why a call was made at its hour."""


APPOINTMENT_LABELS = {
    AppointmentState.PLANNED: ("○", mark("prévu"), "info"),
    AppointmentState.KEPT: ("✓", mark("honoré"), "done"),
    AppointmentState.MISSED: ("▲", mark("non honoré"), "attention"),
    AppointmentState.CANCELLED: ("■", mark("annulé"), ""),
}

EVIDENCE_LABELS = {
    Evidence.DECLARED: mark("déclarée"),
    Evidence.CONFIRMED: mark("confirmée par un tiers"),
    Evidence.DOCUMENT: mark("prouvée par un document"),
}

_PROMISES = {
    "promised": mark("à faire"),
    "kept": mark("tenu"),
    "missed": mark("manqué"),
    "cancelled": mark("annulé"),
}

_FATES = {
    "created": mark("inscrit par la liste %(list)s"),
    "updated": mark("mis à jour par la liste %(list)s"),
    "unchanged": mark("de nouveau sur la liste %(list)s, sans changement"),
    "duplicate": mark("en double sur la liste %(list)s"),
    "quarantined": mark("ligne retenue de la liste %(list)s"),
    "ignored": mark("ligne ignorée de la liste %(list)s"),
}

_SOURCES = {
    "voice": mark("dit par téléphone"),
    "guardian": mark("demandé par un responsable"),
    "message": mark("reçu par message"),
    "provider": mark("reçu par l’opérateur"),
    "office": mark("dit en dehors d’un appel"),
}


def lines_of(events: tuple[Event, ...], programme: Programme) -> list[Line]:
    """Return a person's history in words, newest first."""
    return [_line(event, programme) for event in events]


def source_of(code: str) -> str:
    """Return where a stop came from."""
    return gettext(_SOURCES[code]) if code in _SOURCES else code


def _line(event: Event, programme: Programme) -> Line:
    shape, title, state = _WRITERS[event.kind](event, programme)
    return Line(
        at=event.at,
        shape=shape,
        title=title,
        state=state,
        by=event.by,
        note=event.text if event.kind in _WITH_NOTE else None,
        is_corrected=event.is_corrected,
        attempt_id=event.attempt_id,
        why=_why(event),
    )


_WITH_NOTE = frozenset(
    {
        EventKind.ATTEMPT,
        EventKind.SOLUTION,
        EventKind.ROUTE,
        EventKind.OPPOSITION_TAKEN_BACK,
        EventKind.OPT_OUT_TAKEN_BACK,
        EventKind.DECISION,
    }
)

_Words = tuple[str, str, str]


def _attempt(event: Event, programme: Programme) -> _Words:
    result = labels.disposition_label(programme, event.code or None)
    where = gettext("au %(number)s", number=phone(event.number)) if event.number else ""
    title = gettext("Appel reçu : %(result)s", result=result) if event.extra == "inbound" else result
    return "●", title, where


def _promise(event: Event, _programme: Programme) -> _Words:
    state = gettext(_PROMISES.get(event.code, event.code))
    if event.extra == "team":
        state = f"{state} · {gettext('pour l’équipe')}"
    return "◷", gettext("Rappel promis pour %(when)s", when=_moment(event.about)), state


def _stage(event: Event, programme: Programme) -> _Words:
    label = labels.stage_label(programme, Stage(event.code))
    return (
        "▲",
        gettext("Étape : %(stage)s", stage=label),
        gettext("à compter du %(day)s", day=day(event.about)),
    )


def _stage_back(event: Event, programme: Programme) -> _Words:
    label = labels.stage_label(programme, Stage(event.code))
    return "▽", gettext("Étape retirée : %(stage)s", stage=label), ""


def _appointment(event: Event, _programme: Programme) -> _Words:
    title = gettext("Rendez-vous pris avec %(partner)s", partner=event.text or "")
    state = gettext(APPOINTMENT_LABELS[AppointmentState(event.code)][1])
    return "□", title, f"{_moment(event.about)} · {state}"


def _solution(event: Event, _programme: Programme) -> _Words:
    title = gettext("Solution : %(kind)s", kind=gettext(SOLUTION_LABELS[SolutionKind(event.code)]))
    evidence = gettext(EVIDENCE_LABELS[Evidence(event.extra or "declared")])
    return "★", title, f"{gettext('depuis le %(day)s', day=day(event.about))} · {evidence}"


def _solution_withdrawn(event: Event, _programme: Programme) -> _Words:
    kind = gettext(SOLUTION_LABELS[SolutionKind(event.code)])
    return "☆", gettext("Solution retirée : %(kind)s", kind=kind), ""


def _opt_out(event: Event, _programme: Programme) -> _Words:
    return "■", gettext("STOP sur le %(number)s", number=phone(event.number)), source_of(event.code)


def _opt_out_back(event: Event, _programme: Programme) -> _Words:
    return "□", gettext("STOP levé sur le %(number)s", number=phone(event.number)), _undone(event)


def _opposition(event: Event, _programme: Programme) -> _Words:
    return "■", gettext("Opposition à tout contact"), source_of(event.code)


def _opposition_back(event: Event, _programme: Programme) -> _Words:
    return "□", gettext("Opposition levée"), _undone(event)


def _list_row(event: Event, _programme: Programme) -> _Words:
    text = gettext(_FATES.get(event.code, _FATES["unchanged"]), list=event.text or "")
    state = gettext("liste du %(day)s, ligne %(row)s", day=day(event.about), row=event.extra or "")
    return "◆", text[:1].upper() + text[1:], state


def _skipped(event: Event, programme: Programme) -> _Words:
    reason = programme.skip_reasons.get(event.code)
    return "○", gettext("Fiche passée"), words(reason) if reason else event.code


def _decision(event: Event, _programme: Programme) -> _Words:
    return "◇", gettext(labels.DECISIONS[DecisionKind(event.code)]), ""


def _route(event: Event, programme: Programme) -> _Words:
    route = next((one for one in programme.routes if one.code == event.code), None)
    title = gettext("Autre voie : %(route)s", route=words(route.labels) if route else event.code)
    result = choice_of(StepResult, event.extra)
    return "◇", title, gettext(RESULTS[result]) if result else ""


_WRITERS: Mapping[EventKind, Callable[[Event, Programme], _Words]] = {
    EventKind.ATTEMPT: _attempt,
    EventKind.PROMISE: _promise,
    EventKind.STAGE: _stage,
    EventKind.STAGE_TAKEN_BACK: _stage_back,
    EventKind.APPOINTMENT: _appointment,
    EventKind.SOLUTION: _solution,
    EventKind.SOLUTION_WITHDRAWN: _solution_withdrawn,
    EventKind.OPT_OUT: _opt_out,
    EventKind.OPT_OUT_TAKEN_BACK: _opt_out_back,
    EventKind.OPPOSITION: _opposition,
    EventKind.OPPOSITION_TAKEN_BACK: _opposition_back,
    EventKind.LIST_ROW: _list_row,
    EventKind.SKIPPED: _skipped,
    EventKind.ROUTE: _route,
    EventKind.DECISION: _decision,
}


def _why(event: Event) -> str:
    """The reason that was stored with a call; one that is no longer known is left out."""
    try:
        return in_words(Reason.from_json(event.why)) if event.why else ""
    except (KeyError, ValueError):
        return ""


def _undone(event: Event) -> str:
    return gettext("résultat annulé") if event.extra == "undo" else ""


def _moment(about: datetime | date | None) -> str:
    return moment(about) if isinstance(about, datetime) else day(about)
