"""What is said in a call of the demonstration, as the officer would type it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from callcentre.desk.outcomes import AppointmentAsked, Outcome
from callcentre.dispositions import Disposition, Need, RetryKind
from callcentre.people.kinds import NumberOwner
from callcentre.retry.windows import CallingHours

PARTNERS = (
    "Mission locale (fictive) du Vieux-Port",
    "CIO (fictif) des Calanques",
    "MLDS (fictive), bassin Nord",
    "École de la deuxième chance (fictive)",
    "CFA (fictif) de la Crau",
    "Centre social (fictif) des Lavandes",
)
NOTES: dict[RetryKind, tuple[str, ...]] = {
    RetryKind.CALLBACK: ("Disponible plus tard, plutôt intéressé.", "En cours de réflexion, à rappeler.", ""),
    RetryKind.THIRD_PARTY: ("Sa mère transmettra.", "Un proche a répondu, absent pour le moment.", ""),
    RetryKind.SOFT_REFUSAL: ("Ne souhaite pas en parler pour l'instant.", ""),
    RetryKind.DONE: ("Situation expliquée, échange cordial.", ""),
    RetryKind.OPPOSITION: ("Ne veut plus être appelé.",),
    RetryKind.WRONG_NUMBER: ("Ne connaît pas ce nom.", ""),
}
REASONS = ("Déménagement hors du département.", "Signalé par erreur.", "Parti à l'étranger.")


def outcome(
    random: Random,
    disposition: Disposition,
    *,
    number_id: int | None,
    hours: CallingHours,
    zone: ZoneInfo,
    now: datetime,
    new_number: str,
) -> Outcome:
    """Return what the officer sends: the disposition with every field that it needs, and some that it asks for."""
    wanted = set(disposition.needs)
    wanted |= {ask for ask in disposition.asks if random.random() < 0.3}
    callback_at = promised_time(random, hours, zone, now) if Need.CALLBACK_AT in wanted else None
    return Outcome(
        disposition=disposition.code,
        number_id=number_id,
        note=random.choice(NOTES.get(disposition.retry, ("",))),
        callback_at=callback_at,
        callback_for_team=callback_at is not None and random.random() < 0.25,
        new_number=new_number if Need.NEW_NUMBER in wanted else "",
        new_number_owner=NumberOwner.YOUNG_PERSON,
        reason=random.choice(REASONS) if Need.REASON in wanted else "",
        appointment=_appointment(random, hours, zone, now) if Need.APPOINTMENT in wanted else None,
    )


def promised_time(random: Random, hours: CallingHours, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Return a time to call back within the calling windows, later today or in the next ten days."""
    local = now.astimezone(zone)
    quarter = time(random.choice((10, 11, 12, 14, 15, 16, 17, 17, 18, 18)), random.choice((0, 15, 30, 45)))
    day = local.date() + timedelta(days=random.choice((0, 1, 1, 2, 2, 3, 4, 6, 8, 10)))
    wish = datetime.combine(day, quarter, zone)
    return hours.nearest_open(wish, zone, not_before=now + timedelta(hours=1))


def _appointment(random: Random, hours: CallingHours, zone: ZoneInfo, now: datetime) -> AppointmentAsked:
    day = now.astimezone(zone).date() + timedelta(days=random.randint(2, 14))
    while hours.is_closed(day, zone) or day.isoweekday() > 5:
        day += timedelta(days=1)
    at = datetime.combine(day, time(random.choice((9, 10, 11, 14, 15, 16)), random.choice((0, 30))), zone)
    return AppointmentAsked(random.choice(PARTNERS), at)
