"""What the templates of the desk show beside the card itself: choices, labels, times to promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callcentre.callqueue.kinds import Lane
from callcentre.desk.card import Card, NumberOnCard
from callcentre.desk.context import Desk
from callcentre.desk.free_times import Usual, UsualTime, open_days, usual_times
from callcentre.dispositions import Disposition, Group
from callcentre.people.kinds import NumberOwner, NumberVerdict
from callcentre.retry.comparison import Rated
from callcentre.retry.explaining import Explanation
from callcentre.retry.reasons import SLOT_WORDS, Reason, sentence
from callcentre.support.kinds import SolutionKind
from callcentre.web.formats import day_long, day_short, hour
from callcentre.web.i18n import gettext, language, mark, typography, words

GROUPS = ((Group.REACHED, mark("Joint")), (Group.NOT_REACHED, mark("Non joint")), (Group.END, mark("Fin")))

OWNER_LABELS = {
    NumberOwner.YOUNG_PERSON: mark("Le jeune"),
    NumberOwner.GUARDIAN: mark("Un responsable"),
    NumberOwner.OTHER: mark("Quelqu’un d’autre"),
}

VERDICTS = {
    NumberVerdict.UNVERIFIED: ("○", mark("non vérifié"), ""),
    NumberVerdict.CONFIRMED: ("✓", mark("confirmé"), "done"),
    NumberVerdict.DOUBTFUL: ("▲", mark("douteux"), "attention"),
    NumberVerdict.WRONG: ("■", mark("faux numéro"), "attention"),
    NumberVerdict.DEAD: ("■", mark("hors service"), "attention"),
}

SOLUTION_LABELS = {
    SolutionKind.SCHOOL: mark("Retour en formation scolaire"),
    SolutionKind.APPRENTICESHIP: mark("Apprentissage"),
    SolutionKind.VOCATIONAL_TRAINING: mark("Formation professionnelle"),
    SolutionKind.JOB: mark("Emploi"),
    SolutionKind.CIVIC_SERVICE: mark("Service civique"),
    SolutionKind.E2C: mark("École de la 2e chance"),
    SolutionKind.EPIDE: mark("EPIDE"),
    SolutionKind.SMV: mark("Service militaire volontaire"),
    SolutionKind.QUALIFICATION: mark("Diplôme ou titre obtenu"),
}

_LANES = {
    Lane.LIVE_INBOUND: mark("Fiche ouverte par vous : appel reçu, visite ou recherche."),
    Lane.MISSED_INBOUND: mark("La personne a appelé sans obtenir personne : on la rappelle."),
    Lane.REPLY: mark("La personne a répondu à un message et demande un appel."),
}

_HALF_HOUR = timedelta(minutes=30)

_OWN_KEYS = {"call": "c", "note": "n", "pause": "p", "skip": "k", "undo": "z"}
"""Single keys of the card besides the code book's; a programme's own choice of a letter comes first."""


@dataclass(frozen=True)
class Choice:
    """A disposition as a button; `opens` and `needs` name the fields that it opens and those it cannot go without."""

    code: str
    label: str
    key: str
    hint: str
    opens: str
    needs: str


@dataclass(frozen=True)
class TimeChoice:
    """A time to promise, in words."""

    value: str
    label: str


def groups_of(desk: Desk) -> list[tuple[str, str, list[Choice]]]:
    """Return the code book by group (code, words, choices) in the order of the programme's file."""
    entries = [entry for entry in desk.programme.code_book().values() if not entry.is_retired]
    return [
        (
            group.value,
            gettext(label),
            [_choice(entry, gettext(label)) for entry in entries if entry.group is group],
        )
        for group, label in GROUPS
    ]


def own_keys(desk: Desk) -> dict[str, str]:
    """Return the single keys of the card's own controls, without those that the code book takes."""
    taken = {entry.key for entry in desk.programme.code_book().values() if not entry.is_retired}
    return {control: key for control, key in _OWN_KEYS.items() if key not in taken}


def why_now(card: Card, desk: Desk, now: datetime) -> str:
    """Return, in one sentence, why this person is on the desk; a slot named is the one that it is now.

    A sentence with chances is shown as it was worked out: they belong to the slot that it names.
    """
    return why_served(card.lease.lane, card.why, ZoneInfo(card.person.zone), desk, now)


def why_served(lane: Lane, why: Reason, zone: ZoneInfo, desk: Desk, now: datetime) -> str:
    """Return the same sentence for a lease whose card is not at hand."""
    if lane in _LANES:
        return gettext(_LANES[lane])
    block = desk.policy.hours.block_at(now, zone)
    if block is None or "slot" not in why.params or "one_in" in why.params:
        return in_words(why)
    return in_words(Reason(why.code, {**why.params, "slot": block.slot.value}))


def in_words(why: Reason) -> str:
    """Return a reason as a sentence in the language of the page."""
    return typography(sentence(why, language())) if language() == "fr" else sentence(why, language())


@dataclass(frozen=True, slots=True)
class HourLine:
    """One slot compared for somebody's next call: its chance in words, and why it is or is not the one."""

    slot: str
    chance: str
    is_chosen: bool
    note: str


def hours_compared(explained: Explanation | None) -> list[HourLine]:
    """Return the slots that the programme opens, best chance first; nothing where no chances decided."""
    if explained is None or explained.comparison is None:
        return []
    found = explained.comparison
    rated = sorted((found.chosen, *found.others), key=lambda one: -one.rate)
    closed = {slot: in_words(rule) for slot, rule in explained.closed.items()}
    return [
        HourLine(
            slot=SLOT_WORDS[one.slot][language()],
            chance=_chance(one),
            is_chosen=one is found.chosen,
            note=gettext("déjà essayé")
            if one.slot in found.tried and one.slot not in closed
            else closed.get(one.slot, ""),
        )
        for one in rated
        if one.slot in closed or one.slot not in found.forbidden
    ]


def _chance(rated: Rated) -> str:
    if rated.is_second:
        return gettext("1 appel sur %(one_in)s, numéro d’un proche", one_in=rated.one_in)
    return gettext("1 appel sur %(one_in)s", one_in=rated.one_in)


def owner_of(number: NumberOnCard) -> str:
    """Return whose number it is."""
    if number.owner == NumberOwner.YOUNG_PERSON:
        return gettext("Son numéro")
    if number.owner == NumberOwner.GUARDIAN:
        return (
            gettext("Responsable : %(name)s", name=number.guardian)
            if number.guardian
            else gettext("Responsable")
        )
    return number.label or gettext("Autre numéro")


def usual_choices(desk: Desk, zone: str, now: datetime) -> list[TimeChoice]:
    """Return the times that are said most often, in words: in an hour, this evening, tomorrow morning…"""
    place = ZoneInfo(zone)
    today = now.astimezone(place).date()
    return [
        TimeChoice(time.at.isoformat(), _usual_words(time, today_is=(time.day - today).days, zone=zone))
        for time in usual_times(desk.policy.hours, place, now=now)
    ]


def slot_choices(
    desk: Desk, zone: str, now: datetime, promised: Sequence[datetime] = ()
) -> list[tuple[str, list[TimeChoice]]]:
    """Return every half hour that may be promised over the next open days, by day; those taken say so."""
    days = []
    taken_words = gettext("déjà un rappel")
    for free in open_days(desk.policy.hours, ZoneInfo(zone), now=now):
        day, times = day_short(free.day), []
        for at in free.times:
            taken = any(at <= other < at + _HALF_HOUR for other in promised)
            label = f"{day} – {hour(at, zone)}"
            times.append(TimeChoice(at.isoformat(), f"{label} ({taken_words})" if taken else label))
        days.append((day_long(free.day), times))
    return days


def _choice(entry: Disposition, group: str) -> Choice:
    label = words(entry.labels)
    before, colon, after = label.partition(":")
    if colon and before.strip() == group:  # "Joint : rendez-vous pris" stands under "Joint"
        label = after.strip()[:1].upper() + after.strip()[1:]
    return Choice(
        code=entry.code,
        label=label,
        key=entry.key,
        hint=words(entry.hints) if entry.hints else "",
        opens=" ".join(need.value for need in (*entry.needs, *entry.asks)),
        needs=" ".join(need.value for need in entry.needs),
    )


def _usual_words(time: UsualTime, *, today_is: int, zone: str) -> str:
    if time.usual in (Usual.IN_ONE_HOUR, Usual.IN_TWO_HOURS):
        label = gettext("Dans 1 h") if time.usual is Usual.IN_ONE_HOUR else gettext("Dans 2 h")
    elif today_is == 0:
        label = gettext(_TODAY[time.usual])
    elif today_is == 1:
        label = gettext(_TOMORROW[time.usual])
    else:
        label = gettext(_THAT_DAY[time.usual], day=day_short(time.at, zone))
    return f"{label}, {hour(time.at, zone)}"


_TODAY = {
    Usual.MORNING: mark("Ce matin"),
    Usual.AFTERNOON: mark("Cet après-midi"),
    Usual.EVENING: mark("Ce soir"),
}
_TOMORROW = {
    Usual.MORNING: mark("Demain matin"),
    Usual.AFTERNOON: mark("Demain après-midi"),
    Usual.EVENING: mark("Demain soir"),
}
_THAT_DAY = {
    Usual.MORNING: mark("%(day)s, matin"),
    Usual.AFTERNOON: mark("%(day)s, après-midi"),
    Usual.EVENING: mark("%(day)s, soir"),
}
