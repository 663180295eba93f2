"""What a reply means: pure reading of short messages in French and English.

A stop is always obeyed. Anything else is acted upon only when little else was written; a message that says more is
shown to an officer with the guess beside it. Nothing is ever dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from callcentre.outreach.stops import POLITE, Forbids, forbidden, plain_words


class Meaning(StrEnum):
    """What somebody wants who answers a message."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    CALLBACK = "callback"
    INTEREST = "interest"
    REFUSAL = "refusal"
    QUESTION = "question"
    WRONG_NUMBER = "wrong_number"
    AUTOMATIC = "automatic"
    UNCLEAR = "unclear"


CONTACTS = frozenset({Meaning.CALLBACK, Meaning.INTEREST, Meaning.REFUSAL, Meaning.QUESTION})
"""Meanings that count as contact; a stop, a wrong number and an automatic answer do not."""


@dataclass(frozen=True, slots=True)
class Wish:
    """When to be called: a day, an hour, both, or neither (as soon as possible)."""

    day: date | None = None
    at: time | None = None

    @property
    def is_vague(self) -> bool:
        """True when no time was named at all."""
        return self.day is None and self.at is None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a message was read as. `certain` False: an officer reads it before anything follows from it.

    `wish` belongs to `CALLBACK`: the local day and hour asked for.
    """

    meaning: Meaning
    certain: bool = True
    wish: Wish = Wish()


ASIDE_WORDS = 5
"""A message with more words than this besides those that were understood is for an officer to read."""

_AUTOMATIC = re.compile(
    r"\b(reponse automatique|message automatique|automatic reply|auto ?reply|out of office"
    r"|je conduis|en train de conduire|i m driving|ne recoit pas de (sms|messages))\b"
)
_WRONG = re.compile(
    r"\b((mauvais|faux) (numero|num)|erreur de (numero|destinataire|personne)|tromp\w+ de (numero|personne|num)"
    r"|vous vous trompez|wrong (number|person)|connais pas|n est (pas|plus) (son|le) numero"
    r"|(pas|plus) (son|le bon) numero)\b"
)
_LATER = re.compile(
    r"\b(plus tard|later|toute? a l heure|un autre (jour|moment)|une autre fois|pas (tout )?de suite)\b"
)
_DENIES = re.compile(
    r"(?<!pourquoi )(?<!hesitez )\bpas\b(?! avant| de (soucis?|probleme|pb))|\bplus\b(?! tot)"
    r"|\b(jamais|aucun\w*|never|not|dont|don t)\b"
)
"""What makes the wish for a call its contrary: "je peux pas demain 15h"."""
_CALL_ME = re.compile(r"\b(r?app?el\w*|call (me|back)|phone me|ring me|telephon\w+|joign\w+)\b")
_YES = re.compile(
    r"\b(oui|ouais|ouai|oui oui|yes|yep|yeah|ok|okay|dac|d accord|daccord|volontiers|bien sur|avec plaisir|carrement"
    r"|interesse\w*|m interesse|je veux bien|sure)\b"
)
_NO = re.compile(
    r"\b(non|nan|no|nope|pas interesse\w*|m interesse pas|pas besoin|ca ira|pas envie|not interested|no thanks"
    r"|non merci|pas (pour )?(moi|le moment|maintenant)|veux pas|ne souhaite pas)\b"
)
_ASKS = re.compile(
    r"^(c est (qui|quoi|pour quoi|pourquoi|ou)|qui|quoi|pourquoi|pour quoi|comment|quand|ou|quel\w*|combien|est ce que"
    r"|vous etes qui|who|what|why|when|where|how|which)\b"
)
_DAYS = {
    name: number
    for number, names in enumerate(
        ("lundi monday", "mardi tuesday", "mercredi wednesday", "jeudi thursday", "vendredi friday",
         "samedi saturday", "dimanche sunday")
    )
    for name in names.split()
}  # fmt: skip
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("janvier january", "fevrier february", "mars march", "avril april", "mai may", "juin june", "juillet july",
         "aout august", "septembre september", "octobre october", "novembre november", "decembre december"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_PARTS = {
    "apres midi": time(15), "aprem": time(15), "apm": time(15), "afternoon": time(15), "matin": time(10),
    "matinee": time(10), "morning": time(10), "midi": time(12), "noon": time(12), "soir": time(18),
    "soiree": time(18), "evening": time(18), "tonight": time(18),
}  # fmt: skip
"""The hour that stands for a part of the day."""
_PART = re.compile(rf"\b({'|'.join(_PARTS)})\b")
_CLOCK = re.compile(r"\b(\d{1,2}) ?(?:h|heures?|:) ?([0-5]\d)?\b|\b(\d{1,2})(?: ?: ?([0-5]\d))? ?(am|pm)\b")
_IN = re.compile(
    r"\b(?:dans|in) (\d{1,2}|une?|a|an|deux|two|trois|three) ?"
    r"(minutes?|mins?|mn|heures?|hours?|h|jours?|days?|semaines?|weeks?)\b"
)
_DATE = re.compile(rf"\b(\d{{1,2}}) ?(?:/ ?(\d{{1,2}})|({'|'.join(_MONTHS)}))\b")
_WEEKDAY = re.compile(rf"\b({'|'.join(_DAYS)})\b")
_TODAY = re.compile(
    r"\b(aujourd hui|ce (matin|midi|soir)|cet (aprem|apres midi)|cette apres midi|today|tonight)\b"
)
_NEXT_WEEK = re.compile(r"\b(la )?semaine prochaine\b|\bnext week\b")
_WORDS = {"un": 1, "une": 1, "a": 1, "an": 1, "deux": 2, "two": 2, "trois": 3, "three": 3}
EARLIEST_MORNING = 8
"""An hour before this one, without "am", is meant for the afternoon: "rappel 6h" is 18:00."""


def read(text: str, now: datetime) -> Reply:
    """Return what a message means; `now` is the local time at which it came, against which "demain" is read."""
    plain = plain_words(text)
    words = plain.split()
    if not words:
        return Reply(Meaning.UNCLEAR, certain=False)
    forbids = forbidden(text)
    if forbids is Forbids.EVERYTHING:
        return Reply(Meaning.OPT_OUT)
    if _AUTOMATIC.search(plain):
        return Reply(Meaning.AUTOMATIC)
    if words[0] in {"start", "unstop"} and len(words) == 1:
        return Reply(Meaning.OPT_IN)
    if match := _WRONG.search(plain):
        return Reply(Meaning.WRONG_NUMBER, certain=_aside(plain, match.group()) <= ASIDE_WORDS)
    reply = _wanted(text, plain, now)
    return reply if forbids is None else replace(reply, certain=False)


def wished_at(wish: Wish, now: datetime) -> datetime:
    """Return the local instant of a wish: `now` for a vague one, a bare hour's next time."""
    if wish.is_vague:
        return now
    at = wish.at or time(10)
    day = wish.day or now.date()
    moment = datetime.combine(day, at, now.tzinfo)
    if moment > now:
        return moment
    if wish.day is None:
        return moment + timedelta(days=1)
    return now if wish.at is None else moment


def _wanted(text: str, plain: str, now: datetime) -> Reply:
    wish, said = _wish(plain, now)
    call = _CALL_ME.search(plain)
    no, yes = _NO.search(plain), _YES.search(_NO.sub(" ", plain))
    later = _LATER.search(plain)
    denies = _DENIES.search(_LATER.sub(" ", _NO.sub(" ", plain)))
    asks = "?" in text or _ASKS.search(plain) is not None
    if (call and not no) or not wish.is_vague:
        rest = _aside(plain, said, *(found.group() for found in (call, yes, no, later) if found))
        clear = not (denies or _unread(plain, said, wish) or (wish.is_vague and (asks or later)))
        clear = clear and not (no and (wish.day is None or wish.at is None))
        return Reply(Meaning.CALLBACK, certain=rest <= ASIDE_WORDS and clear, wish=wish)
    if asks:
        return Reply(Meaning.QUESTION, certain=False)
    if (yes is None) == (no is None):
        return Reply(Meaning.UNCLEAR, certain=False)
    found = yes or no
    assert found is not None
    certain = _aside(plain, found.group()) <= ASIDE_WORDS
    return Reply(Meaning.INTEREST if yes else Meaning.REFUSAL, certain=certain)


def _wish(plain: str, now: datetime) -> tuple[Wish, str]:
    """Return when to be called, and the words that said so."""
    if match := _IN.search(plain):
        return _in(match, now), match.group()
    at, said_time = _hour(plain)
    day, said_day = _day(plain, now)
    return Wish(day, at), f"{said_day} {said_time}"


def _in(match: re.Match[str], now: datetime) -> Wish:
    count = _WORDS.get(match[1]) or int(match[1])
    unit = match[2][0] if match[2] != "mn" else "m"
    length = {
        "m": timedelta(minutes=1),
        "h": timedelta(hours=1),
        "s": timedelta(days=7),
        "w": timedelta(days=7),
    }
    if unit in "jd":
        return Wish(now.date() + timedelta(days=count))
    then = now + count * length[unit]
    return (
        Wish(then.date()) if unit in "sw" else Wish(then.date(), then.time().replace(second=0, microsecond=0))
    )


def _hour(plain: str) -> tuple[time | None, str]:
    for match in _CLOCK.finditer(plain):
        hour = int(match[1] or match[3])
        minute = int(match[2] or match[4] or 0)
        if hour < 12 and (match[5] == "pm" or (match[5] is None and 0 < hour < EARLIEST_MORNING)):
            hour += 12
        if hour < 24:
            return time(hour, minute), match.group()
    if part := _PART.search(plain):
        return _PARTS[part[1]], part.group()
    return None, ""


def _day(plain: str, now: datetime) -> tuple[date | None, str]:
    today = now.date()
    for words, ahead in (("apres demain", 2), ("demain", 1), ("dem1", 1), ("tomorrow", 1)):
        if re.search(rf"\b{words}\b", plain):
            return today + timedelta(days=ahead), words
    if match := _TODAY.search(plain):
        return today, match.group()
    if match := _NEXT_WEEK.search(plain):
        return today + timedelta(days=7 - today.weekday()), match.group()
    if match := _DATE.search(plain):
        day = _dated(match, today)
        return day, match.group() if day else ""
    if match := _WEEKDAY.search(plain):
        ahead = (_DAYS[match[1]] - today.weekday()) % 7
        return today + timedelta(days=ahead or 7), match.group()
    return None, ""


def _dated(match: re.Match[str], today: date) -> date | None:
    month = int(match[2]) if match[2] else _MONTHS[match[3]]
    for year in (today.year, today.year + 1):
        try:
            day = date(year, month, int(match[1]))
        except ValueError:
            continue
        if day >= today:
            return day
    return None


def _unread(plain: str, said: str, wish: Wish) -> bool:
    """Tell whether a number was not understood: a date that does not exist, another telephone number."""
    rest = plain if wish.is_vague else _CLOCK.sub(" ", plain)
    return any(re.search(r"\d", word) and word not in said.split() for word in rest.split())


def _aside(plain: str, *understood: str) -> int:
    """Return how many words say something else."""
    known = {word for phrase in understood for word in phrase.split()}
    return sum(word not in known and word not in POLITE for word in plain.split())
