"""Reading what an officer says of a call: the fields that the chosen disposition opens, and no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from werkzeug.datastructures import MultiDict

from callcentre.desk.context import Desk
from callcentre.desk.outcomes import NOTE_LENGTH, AppointmentAsked, Outcome
from callcentre.dispositions import Disposition, Need
from callcentre.people.kinds import NumberOwner
from callcentre.web.formats import moment
from callcentre.web.forms import choice_of, typed_date, typed_time, whole_number
from callcentre.web.i18n import gettext

AT_A_SLOT, AT_A_DATE = "slot", "date"
"""Values of `callback_choice` beside the instants themselves: one of the list, or a date that is typed."""


@dataclass
class Reading:
    """What was read; `errors` by name of field; `offer`: the nearest time that may be promised instead."""

    outcome: Outcome | None = None
    errors: dict[str, str] = field(default_factory=dict)
    offer: datetime | None = None


def read(form: MultiDict[str, str], desk: Desk, *, now: datetime) -> Reading:
    """Return the outcome that a form says, or what to correct in it."""
    found = Reading()
    disposition = desk.disposition(form.get("disposition", ""))
    if disposition is None:
        found.errors["disposition"] = gettext("Choisissez un résultat de la liste.")
    note = form.get("note", "").strip()
    if len(note) > NOTE_LENGTH:
        found.errors["note"] = gettext("La note dépasse %(n)s caractères.", n=NOTE_LENGTH)
    if disposition is None:
        return found
    values: _Values = {}
    for need in (*disposition.needs, *disposition.asks):
        values |= _READERS[need](form, desk, found, now)
    _require(disposition, values, found)
    if not found.errors:
        number_id = whole_number(form.get("number_id"))
        also_for = tuple(
            person for text in form.getlist("also_for") if (person := whole_number(text)) is not None
        )
        found.outcome = Outcome(disposition.code, number_id=number_id, note=note, also_for=also_for, **values)
    return found


_Values = dict[str, Any]


def _read_callback(form: Mapping[str, str], desk: Desk, found: Reading, now: datetime) -> _Values:
    at = _promised_at(form, desk, found)
    team = form.get("callback_for") == "team"
    if at is None:
        return {}
    zone = _zone(form, desk)
    hours = desk.policy.hours
    if at <= now or not hours.is_open(at, zone):
        found.offer = hours.nearest_open(max(at, now), zone, not_before=now)
        what = (
            gettext("L’heure promise est déjà passée.")
            if at <= now
            else gettext("L’heure promise est hors des heures d’appel.")
        )
        near = (
            gettext("Le plus proche : %(moment)s.", moment=moment(found.offer, zone.key))
            if found.offer
            else ""
        )
        found.errors["callback_at"] = f"{what} {near}".strip()
    return {"callback_at": at, "callback_for_team": team}


def _promised_at(form: Mapping[str, str], desk: Desk, found: Reading) -> datetime | None:
    choice = form.get("callback_choice", "")
    if choice == AT_A_DATE or (not choice and form.get("callback_date", "").strip()):
        return _typed_instant(form, desk, found, "callback_date", "callback_time")
    if choice in ("", AT_A_SLOT):
        choice = form.get("callback_slot", "")
    if not choice:
        return None
    try:
        at = datetime.fromisoformat(choice)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        found.errors["callback_at"] = gettext("Choisissez un moment de la liste.")
        return None
    return at.astimezone(UTC)


def _read_appointment(form: Mapping[str, str], desk: Desk, found: Reading, now: datetime) -> _Values:
    partner = form.get("partner", "").strip()
    if not any(form.get(name, "").strip() for name in ("partner", "appointment_date", "appointment_time")):
        return {}
    at = _typed_instant(form, desk, found, "appointment_date", "appointment_time")
    if not 1 <= len(partner) <= 200:
        found.errors["partner"] = gettext("Indiquez avec qui est le rendez-vous, en 200 signes au plus.")
    if at is not None and at <= now:
        found.errors["appointment_date"] = gettext("Le rendez-vous doit être à venir.")
    if at is None or "partner" in found.errors:
        return {}
    return {"appointment": AppointmentAsked(partner, at)}


def _read_number(form: Mapping[str, str], _desk: Desk, _found: Reading, _now: datetime) -> _Values:
    typed = form.get("new_number", "").strip()
    owner = choice_of(NumberOwner, form.get("new_number_owner")) or NumberOwner.YOUNG_PERSON
    return {"new_number": typed, "new_number_owner": owner} if typed else {}


def _read_reason(form: Mapping[str, str], _desk: Desk, _found: Reading, _now: datetime) -> _Values:
    typed = form.get("reason", "").strip()
    return {"reason": typed[:500]} if typed else {}


_READERS: Mapping[Need, Callable[[Mapping[str, str], Desk, Reading, datetime], _Values]] = {
    Need.CALLBACK_AT: _read_callback,
    Need.NEW_NUMBER: _read_number,
    Need.REASON: _read_reason,
    Need.APPOINTMENT: _read_appointment,
}

_VALUE_OF = {
    Need.CALLBACK_AT: "callback_at",
    Need.NEW_NUMBER: "new_number",
    Need.REASON: "reason",
    Need.APPOINTMENT: "appointment",
}


def _require(disposition: Disposition, values: _Values, found: Reading) -> None:
    if found.errors:
        return
    missing = {
        Need.CALLBACK_AT: gettext("Indiquez quand rappeler."),
        Need.NEW_NUMBER: gettext("Indiquez le nouveau numéro."),
        Need.REASON: gettext("Indiquez la raison."),
        Need.APPOINTMENT: gettext("Indiquez avec qui et quand est le rendez-vous."),
    }
    for need in disposition.needs:
        if _VALUE_OF[need] not in values:
            found.errors[FIRST_FIELD[need]] = missing[need]


FIRST_FIELD = {
    Need.CALLBACK_AT: "callback_at",
    Need.NEW_NUMBER: "new_number",
    Need.REASON: "reason",
    Need.APPOINTMENT: "partner",
}
"""The field of the page to which an error about a need leads."""


def field_of(named: str | None) -> str:
    """Return the field of the page to which an error of a verb leads."""
    known = {need.value: name for need, name in FIRST_FIELD.items()}
    return known.get(named or "", {"starts_at": "appointment_date"}.get(named or "", named or "disposition"))


def _typed_instant(
    form: Mapping[str, str], desk: Desk, found: Reading, day_field: str, time_field: str
) -> datetime | None:
    day, at = typed_date(form.get(day_field)), typed_time(form.get(time_field))
    if day is None:
        found.errors[day_field] = gettext("Écrivez la date sous la forme jj/mm/aaaa.")
    if at is None:
        found.errors[time_field] = gettext("Écrivez l’heure sous la forme 14:30.")
    if day is None or at is None:
        return None
    return datetime.combine(day, at, _zone(form, desk)).astimezone(UTC)


def _zone(form: Mapping[str, str], desk: Desk) -> ZoneInfo:
    """The young person's zone, which the page sends back; the programme's when it is none."""
    try:
        return ZoneInfo(form.get("zone") or desk.programme.zone)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return desk.programme.tz
