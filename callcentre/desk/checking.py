"""Whether an outcome can be recorded as it was sent; what cannot names the field to correct."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callcentre.desk.context import Desk
from callcentre.desk.outcomes import NOTE_LENGTH, Outcome
from callcentre.dispositions import Disposition, Need
from callcentre.errors import InvalidInput

PROMISE_AHEAD = timedelta(days=90)
"""How far ahead a call may be promised."""


def check(desk: Desk, outcome: Outcome, *, now: datetime) -> Disposition:
    """Return the outcome's entry of the code book; raises InvalidInput naming the field to correct."""
    disposition = desk.disposition(outcome.disposition)
    if disposition is None:
        raise InvalidInput("Choisissez un résultat de la liste.", field="disposition")
    if len(outcome.note) > NOTE_LENGTH:
        raise InvalidInput("La note dépasse %(length)s caractères.", field="note", length=NOTE_LENGTH)
    for need in disposition.needs:
        _require(need, outcome)
    if outcome.callback_at is not None and outcome.callback_at <= now:
        raise InvalidInput("L'heure promise est déjà passée.", field="callback_at")
    if outcome.callback_at is not None and outcome.callback_at > now + PROMISE_AHEAD:
        raise InvalidInput("Une promesse se donne à 90 jours au plus.", field="callback_at")
    return disposition


def check_promise(desk: Desk, outcome: Outcome, zone: ZoneInfo, *, now: datetime) -> None:
    """Refuse a promise outside the calling hours of the person's zone, naming the nearest time inside them."""
    if outcome.callback_at is None or desk.policy.hours.is_open(outcome.callback_at, zone):
        return
    nearest = desk.policy.hours.nearest_open(outcome.callback_at, zone, not_before=now)
    if nearest is None:
        raise InvalidInput("L'heure promise est hors des heures d'appel.", field="callback_at")
    raise InvalidInput(
        "L'heure promise est hors des heures d'appel ; la plus proche : %(nearest)s.",
        field="callback_at",
        nearest=f"{nearest.astimezone(zone):%d/%m/%Y %H:%M}",
    )


def _require(need: Need, outcome: Outcome) -> None:
    missing = {
        Need.CALLBACK_AT: outcome.callback_at is None,
        Need.NEW_NUMBER: not outcome.new_number.strip(),
        Need.REASON: not outcome.reason.strip(),
        Need.APPOINTMENT: outcome.appointment is None,
    }
    words = {
        Need.CALLBACK_AT: "Indiquez quand rappeler.",
        Need.NEW_NUMBER: "Indiquez le nouveau numéro.",
        Need.REASON: "Indiquez la raison.",
        Need.APPOINTMENT: "Indiquez avec qui et quand est le rendez-vous.",
    }
    if missing[need]:
        raise InvalidInput(words[need], field=need.value)
