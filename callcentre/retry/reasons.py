"""Why somebody is called now, later or not at all: codes with parameters, and their sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from typing import Any, Self

from babel.dates import format_date, format_time

Value = int | str


class ReasonCode(StrEnum):
    """Every reason that the pages and the API can be given; stable."""

    # Hard rules on the person
    OPPOSED = "opposed"
    TOTAL_CAP = "total_cap"
    PAUSED = "paused"
    SOFT_REFUSAL = "soft_refusal"
    OUTSIDE_HOURS = "outside_hours"
    CLOSED_DAY = "closed_day"
    PERIOD_CAP = "period_cap"
    CONTACT_CAP = "contact_cap"
    DAY_CAP = "day_cap"
    SAME_DAY_GAP = "same_day_gap"
    OTHER_SLOT = "other_slot"
    OTHER_WEEKDAY = "other_weekday"
    # Hard rules on a number
    NUMBER_UNKNOWN = "number_unknown"
    NUMBER_UNUSABLE = "number_unusable"
    OPTED_OUT = "opted_out"
    GUARDIAN_OF_ADULT = "guardian_of_adult"
    GUARDIANS_NOT_CALLED = "guardians_not_called"
    NUMBER_TOTAL_CAP = "number_total_cap"
    NUMBER_PERIOD_CAP = "number_period_cap"
    NUMBER_DAY_CAP = "number_day_cap"
    NUMBER_GAP = "number_gap"
    # Why this hour
    FIRST_CALL = "first_call"
    ANOTHER_HOUR = "another_hour"
    NEW_ROUND = "new_round"
    SATURDAY = "saturday"
    QUICK_RETRY = "quick_retry"
    PUT_OFF = "put_off"
    EARLIER = "earlier"
    # Why this hour, by the rule that learns
    LEARNT_FIRST = "learnt_first"
    LEARNT_HOUR = "learnt_hour"
    LEARNT_ONLY = "learnt_only"
    LEARNT_ANSWERED = "learnt_answered"
    LEARNT_HINTED = "learnt_hinted"
    LEARNT_OTHERS_ANSWERED = "learnt_others_answered"
    LEARNT_SECOND = "learnt_second"
    LEARNT_SOONER = "learnt_sooner"
    LEARNT_AHEAD = "learnt_ahead"
    LEARNT_RESTED = "learnt_rested"
    LEARNT_EARLIER = "learnt_earlier"
    LEARNT_EARLIER_SECOND = "learnt_earlier_second"
    # Ends
    NEVER_REACHED = "never_reached"
    NO_LONGER_REACHED = "no_longer_reached"
    OPTED_OUT_EVERYWHERE = "opted_out_everywhere"
    NO_NUMBER = "no_number"
    NO_PERMITTED_HOUR = "no_permitted_hour"
    # The queue's own
    READY = "ready"
    LEASED = "leased"
    NUMBER_IN_USE = "number_in_use"
    PROMISED = "promised"
    REPLIED = "replied"
    CALLED_US = "called_us"
    TO_SETTLE = "to_settle"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Reason:
    """A code and the values of its sentence; the values are text and numbers only, so that JSON holds them.

    Parameters by name: `day` an ISO local date, `time` and `until` "HH:MM" local, `slot` and `…_slot` a slot, `slots`
    and `…_slots` slots joined by commas, `weekday` an ISO weekday as a number, `other_number` "second" when the other
    slot's chance is that of a relative's number; the rest are counts (`…one_in`: 8 for "1 in 8").
    """

    code: ReasonCode
    params: Mapping[str, Value] = field(default_factory=dict, hash=False)

    def as_json(self) -> dict[str, Any]:
        """`{"code": …, "params": {…}}`, to store or to send."""
        return {"code": self.code.value, "params": dict(self.params)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reason that `as_json` wrote."""
        return cls(ReasonCode(data["code"]), dict(data.get("params", {})))


def reason(code: ReasonCode, **params: Value) -> Reason:
    """A reason with its parameters by name."""
    return Reason(code, params)


def sentence(why: Reason, language: str = "fr") -> str:
    """The reason in words, in English or else in French; a missing value reads "…"."""
    spoken = "en" if language.startswith("en") else "fr"
    words = _Gaps({"other_number": ""})
    words |= {name: _in_words(name, value, spoken) for name, value in why.params.items()}
    is_as_good = why.params.get("one_in") == why.params.get("other_one_in")
    words["against"] = _AGAINST[spoken][is_as_good].format_map(words)
    return SENTENCES[why.code][spoken].format_map(words)


class _Gaps(dict[str, str]):
    """Shows a missing parameter as an ellipsis: an old stored reason must never break a page."""

    def __missing__(self, key: str) -> str:
        return "…"


def _in_words(name: str, value: Value, language: str) -> str:
    match name:
        case "day" if not value:
            return "…"
        case "day":
            return format_date(date.fromisoformat(str(value)), "EEEE d MMMM", locale=language)
        case "time" | "until":
            return format_time(time.fromisoformat(str(value)), _CLOCK[language], locale=language)
        case "weekday":
            monday_first = date(2024, 1, int(value))  # 1 January 2024 was a Monday
            return format_date(monday_first, "EEEE", locale=language)
        case "closed":
            return CLOSED_WORDS.get(str(value), {}).get(language, str(value))
        case "slot" | "slots" | "other_slot" | "answered_slots":
            return ", ".join(
                SLOT_WORDS.get(slot, {}).get(language, slot) for slot in str(value).split(",") if slot
            )
        case "other_number":
            return _SECOND_NUMBER[language]
        case _:
            return str(value)


_AGAINST = {
    "fr": (
        "contre 1 sur {other_one_in} au créneau {other_slot}{other_number}",
        "à peu près comme au créneau {other_slot}{other_number}",
    ),
    "en": (
        "against 1 in {other_one_in} in the {other_slot} slot{other_number}",
        "much as in the {other_slot} slot{other_number}",
    ),
}
"""What another slot's chance is, where it differs from that of the slot in so many words, and where it does not."""
_SECOND_NUMBER = {"fr": ", numéro d'un proche", "en": ", a relative's number"}
_CLOCK = {"fr": "H 'h' mm", "en": "HH:mm"}

SLOT_WORDS: Mapping[str, Mapping[str, str]] = {
    "morning": {"fr": "matin", "en": "morning"},
    "midday": {"fr": "midi", "en": "midday"},
    "afternoon": {"fr": "après-midi", "en": "afternoon"},
    "evening": {"fr": "soirée", "en": "evening"},
    "saturday": {"fr": "samedi", "en": "Saturday"},
}

CLOSED_WORDS: Mapping[str, Mapping[str, str]] = {
    "appointment": {"fr": "rendez-vous pris", "en": "appointment made"},
    "has_solution": {"fr": "a déjà une solution", "en": "already in a solution"},
    "supported_elsewhere": {"fr": "déjà accompagné ailleurs", "en": "already supported elsewhere"},
    "opposition": {"fr": "opposition à tout contact", "en": "objects to any contact"},
    "opposed": {"fr": "opposition à tout contact", "en": "objects to any contact"},
    "opted_out": {"fr": "STOP sur ses numéros", "en": "STOP on their numbers"},
    "out_of_scope": {"fr": "hors périmètre", "en": "out of scope"},
    "never_reached": {"fr": "injoignable, jamais joint", "en": "unreachable, never reached"},
    "no_longer_reached": {"fr": "ne répond plus", "en": "no longer answers"},
    "details_to_find": {"fr": "coordonnées à retrouver", "en": "contact details to find"},
    "other_routes": {"fr": "autres voies essayées", "en": "other routes are being tried"},
    "guardian_refused": {"fr": "refus d'un responsable", "en": "a guardian refused"},
}
"""Why people leave the queue; a programme's own words beyond these are shown as they are written."""

SENTENCES: Mapping[ReasonCode, Mapping[str, str]] = {
    ReasonCode.OPPOSED: {
        "fr": "La personne s'est opposée à tout contact : elle ne sera plus jamais appelée.",
        "en": "This person objected to any contact: they will never be called again.",
    },
    ReasonCode.TOTAL_CAP: {
        "fr": "Le maximum de {cap} appels en tout est atteint.",
        "en": "The maximum of {cap} calls in all has been reached.",
    },
    ReasonCode.PAUSED: {
        "fr": "En pause jusqu'au {day} à {time}.",
        "en": "Paused until {day} at {time}.",
    },
    ReasonCode.SOFT_REFUSAL: {
        "fr": "« Pas maintenant » : {days} jours sans appel, de nouveau possible le {day}.",
        "en": "“Not now”: {days} days without a call, possible again on {day}.",
    },
    ReasonCode.OUTSIDE_HOURS: {
        "fr": "Hors des heures d'appel ; elles reprennent le {day} à {time} (heure de la personne).",
        "en": "Outside calling hours; they resume on {day} at {time} (the person's own time).",
    },
    ReasonCode.CLOSED_DAY: {
        "fr": "Jour férié ou de fermeture ({day}) : personne n'est appelé.",
        "en": "Public holiday or closed day ({day}): nobody is called.",
    },
    ReasonCode.PERIOD_CAP: {
        "fr": "{cap} appels en {days} jours : de nouveau possible le {day} à {time}.",
        "en": "{cap} calls in {days} days: possible again on {day} at {time}.",
    },
    ReasonCode.CONTACT_CAP: {
        "fr": "{cap} appels et messages en {days} jours : de nouveau possible le {day} à {time}.",
        "en": "{cap} calls and messages in {days} days: possible again on {day} at {time}.",
    },
    ReasonCode.DAY_CAP: {
        "fr": "Déjà appelé ce jour (limite par jour : {cap}) ; de nouveau possible le {day}.",
        "en": "Already called that day (limit per day: {cap}); possible again on {day}.",
    },
    ReasonCode.SAME_DAY_GAP: {
        "fr": "Trop tôt après le dernier appel ; de nouveau possible à {time}.",
        "en": "Too soon after the last call; possible again at {time}.",
    },
    ReasonCode.OTHER_SLOT: {
        "fr": "Pas au créneau {slot} : déjà essayé ({slots}) ; on change d'heure avant de recommencer.",
        "en": "Not in the {slot} slot: already tried ({slots}); another hour comes first.",
    },
    ReasonCode.OTHER_WEEKDAY: {
        "fr": "Dernier appel un {weekday}, sans joindre la personne : on essaie un autre jour de la semaine.",
        "en": "The last call, on a {weekday}, did not reach this person: another day of the week comes first.",
    },
    ReasonCode.NUMBER_UNKNOWN: {
        "fr": "Ce numéro n'est pas celui de cette personne.",
        "en": "This number is not one of this person's.",
    },
    ReasonCode.NUMBER_UNUSABLE: {
        "fr": "Ce numéro est écarté : faux, hors service ou à ne pas appeler.",
        "en": "This number is set aside: wrong, out of service or not to be called.",
    },
    ReasonCode.OPTED_OUT: {
        "fr": "STOP reçu pour ce numéro : il n'est plus appelé.",
        "en": "STOP received for this number: it is no longer called.",
    },
    ReasonCode.GUARDIAN_OF_ADULT: {
        "fr": "La personne est majeure : le programme n'appelle pas ses proches.",
        "en": "This person is an adult: the programme does not call their relatives.",
    },
    ReasonCode.GUARDIANS_NOT_CALLED: {
        "fr": "Le programme n'appelle pas les responsables.",
        "en": "The programme does not call guardians.",
    },
    ReasonCode.NUMBER_TOTAL_CAP: {
        "fr": "Le maximum de {cap} appels sur ce numéro est atteint, toutes personnes confondues.",
        "en": "The maximum of {cap} calls to this number has been reached, whoever they were for.",
    },
    ReasonCode.NUMBER_PERIOD_CAP: {
        "fr": "{cap} appels sur ce numéro en {days} jours : de nouveau possible le {day} à {time}.",
        "en": "{cap} calls to this number in {days} days: possible again on {day} at {time}.",
    },
    ReasonCode.NUMBER_DAY_CAP: {
        "fr": "Numéro déjà appelé ce jour (limite par jour : {cap}) ; de nouveau possible le {day}.",
        "en": "Number already called that day (limit per day: {cap}); possible again on {day}.",
    },
    ReasonCode.NUMBER_GAP: {
        "fr": "Ce numéro vient d'être appelé ; de nouveau possible à {time}.",
        "en": "This number was called a short while ago; possible again at {time}.",
    },
    ReasonCode.FIRST_CALL: {
        "fr": "Premier appel, créneau {slot}.",
        "en": "First call, in the {slot} slot.",
    },
    ReasonCode.ANOTHER_HOUR: {
        "fr": "Un autre créneau : {slot}. Déjà essayé : {slots}.",
        "en": "Another slot: {slot}. Already tried: {slots}.",
    },
    ReasonCode.NEW_ROUND: {
        "fr": "Toutes les heures ont été essayées : nouveau tour, créneau {slot}.",
        "en": "Every hour has been tried: a new round, in the {slot} slot.",
    },
    ReasonCode.SATURDAY: {
        "fr": "Le samedi, en plus des créneaux de la semaine.",
        "en": "Saturday, besides the slots of the week.",
    },
    ReasonCode.QUICK_RETRY: {
        "fr": "Occupé ou coupé : un seul nouvel essai, entre {time} et {until}.",
        "en": "Busy or cut off: tried once more, between {time} and {until}.",
    },
    ReasonCode.PUT_OFF: {
        "fr": "Reporté au {day} à {time} : appelé à la première heure permise ensuite.",
        "en": "Put off until {day} at {time}: called at the first hour permitted after that.",
    },
    ReasonCode.EARLIER: {
        "fr": "Avancé, faute d'autre appel à faire : créneau {slot} au lieu du créneau {other_slot}, qui était prévu.",
        "en": (
            "Brought forward, since nobody else is due: in the {slot} slot, not in the {other_slot} slot that was "
            "planned."
        ),
    },
    ReasonCode.LEARNT_FIRST: {
        "fr": "Premier appel, créneau {slot} : environ 1 appel sur {one_in} aboutit pour cette personne, {against}.",
        "en": "First call, in the {slot} slot: about 1 call in {one_in} is answered, {against}.",
    },
    ReasonCode.LEARNT_HOUR: {
        "fr": "Créneau {slot} : environ 1 appel sur {one_in} aboutit, {against}. Déjà essayé : {slots}.",
        "en": "In the {slot} slot about 1 call in {one_in} is answered, {against}. Already tried: {slots}.",
    },
    ReasonCode.LEARNT_ONLY: {
        "fr": "Créneau {slot}, le seul permis pour l'instant : environ 1 appel sur {one_in} aboutit.",
        "en": "The {slot} slot, the only one permitted for now: about 1 call in {one_in} is answered.",
    },
    ReasonCode.LEARNT_ANSWERED: {
        "fr": (
            "Créneau {slot} : environ 1 appel sur {one_in} aboutit ; a déjà répondu au créneau "
            "{answered_slots}."
        ),
        "en": (
            "In the {slot} slot about 1 call in {one_in} is answered; this person once answered "
            "in the {answered_slots} slot."
        ),
    },
    ReasonCode.LEARNT_HINTED: {
        "fr": (
            "Créneau {slot} : environ 1 appel sur {one_in} aboutit ; un proche a indiqué le créneau "
            "{answered_slots}."
        ),
        "en": (
            "In the {slot} slot about 1 call in {one_in} is answered; somebody close to them named the "
            "{answered_slots} slot."
        ),
    },
    ReasonCode.LEARNT_OTHERS_ANSWERED: {
        "fr": (
            "Créneau {slot} : environ 1 appel sur {one_in} aboutit ; quelqu'un d'autre a déjà répondu au créneau "
            "{answered_slots}."
        ),
        "en": (
            "In the {slot} slot about 1 call in {one_in} is answered; somebody else once answered "
            "in the {answered_slots} slot."
        ),
    },
    ReasonCode.LEARNT_SOONER: {
        "fr": (
            "Créneau {slot} : environ 1 appel sur {one_in} aboutit ; le créneau {other_slot} "
            "(1 sur {other_one_in}{other_number}) ne viendrait que dans {wait_days} j environ."
        ),
        "en": (
            "In the {slot} slot about 1 call in {one_in} is answered; the {other_slot} slot "
            "(1 in {other_one_in}{other_number}) would only come in about {wait_days} days."
        ),
    },
    ReasonCode.LEARNT_AHEAD: {
        "fr": (
            "Créneau {slot} : environ 1 appel sur {one_in} aboutit. Le créneau {other_slot} "
            "(1 sur {other_one_in}{other_number}) n'a pas de place dans le meilleur emploi des appels qui restent."
        ),
        "en": (
            "In the {slot} slot about 1 call in {one_in} is answered. The {other_slot} slot "
            "(1 in {other_one_in}{other_number}) has no part in the best use of the calls that are left."
        ),
    },
    ReasonCode.LEARNT_RESTED: {
        "fr": (
            "Créneau {slot} : environ 1 appel sur {one_in} aboutit ; le créneau {other_slot} "
            "(1 sur {other_one_in}{other_number}) viendrait trop tôt après le dernier appel."
        ),
        "en": (
            "In the {slot} slot about 1 call in {one_in} is answered; the {other_slot} slot "
            "(1 in {other_one_in}{other_number}) would come too soon after the last call."
        ),
    },
    ReasonCode.LEARNT_SECOND: {
        "fr": "Numéro d'un proche, créneau {slot} : environ 1 appel sur {one_in} mène à la personne.",
        "en": "A relative's number, in the {slot} slot: about 1 call in {one_in} leads to this person.",
    },
    ReasonCode.LEARNT_EARLIER: {
        "fr": (
            "Avancé, faute d'autre appel à faire : au créneau {slot} environ 1 appel sur {one_in} aboutit, "
            "{against}, qui était prévu."
        ),
        "en": (
            "Brought forward, since nobody else is due: in the {slot} slot about 1 call in {one_in} is "
            "answered, {against}, which was planned."
        ),
    },
    ReasonCode.LEARNT_EARLIER_SECOND: {
        "fr": (
            "Avancé, faute d'autre appel à faire : numéro d'un proche, créneau {slot} : environ 1 appel sur "
            "{one_in} mène à la personne ; le créneau {other_slot} était prévu."
        ),
        "en": (
            "Brought forward, since nobody else is due: a relative's number, in the {slot} slot: about 1 call in "
            "{one_in} leads to this person; the {other_slot} slot was planned."
        ),
    },
    ReasonCode.NEVER_REACHED: {
        "fr": "Injoignable : {cap} appels, jamais joint.",
        "en": "Unreachable: {cap} calls, never reached.",
    },
    ReasonCode.NO_LONGER_REACHED: {
        "fr": "Perdu de vue : {cap} appels ; joint auparavant, ne répond plus.",
        "en": "Lost from sight: {cap} calls; reached before, no longer answers.",
    },
    ReasonCode.OPTED_OUT_EVERYWHERE: {
        "fr": "STOP reçu : aucun autre numéro ne peut être appelé.",
        "en": "STOP received: no other number may be called.",
    },
    ReasonCode.NO_NUMBER: {
        "fr": "Aucun numéro utilisable : coordonnées à retrouver.",
        "en": "No usable number: contact details to find.",
    },
    ReasonCode.NO_PERMITTED_HOUR: {
        "fr": "Les heures d'appel du programme ne permettent aucun nouvel essai.",
        "en": "The programme's calling hours permit no further attempt.",
    },
    ReasonCode.READY: {
        "fr": "Peut être appelé maintenant ; attend son tour dans la file.",
        "en": "May be called now; waiting for their turn in the queue.",
    },
    ReasonCode.LEASED: {
        "fr": "Sa fiche est ouverte : quelqu'un s'en occupe.",
        "en": "Their card is open: somebody is dealing with them.",
    },
    ReasonCode.NUMBER_IN_USE: {
        "fr": "Un collègue est sur ce numéro.",
        "en": "A colleague is on this number.",
    },
    ReasonCode.PROMISED: {
        "fr": "Rappel promis le {day} à {time}.",
        "en": "A call was promised on {day} at {time}.",
    },
    ReasonCode.REPLIED: {
        "fr": "A répondu par message et souhaite être appelé.",
        "en": "Answered by message and would like to be called.",
    },
    ReasonCode.CALLED_US: {
        "fr": "A cherché à nous joindre le {day} à {time}.",
        "en": "Tried to call us on {day} at {time}.",
    },
    ReasonCode.CLOSED: {
        "fr": "Sorti de la file le {day} : {closed}.",
        "en": "Left the queue on {day}: {closed}.",
    },
    ReasonCode.TO_SETTLE: {
        "fr": "Un appel attend encore son résultat.",
        "en": "A call is still waiting for its result.",
    },
}
"""Two sentences for every code; a test holds the list complete."""
