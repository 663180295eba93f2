"""What the demonstration's people are like: hidden odds that decide how each call ends. Pure, and seeded.

The odds of an answer by hour are the five profiles of the retry rule's evidence. Whatever is drawn depends on the
seed and on what it is about alone, so that the same seed plays the same days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from callcentre.dispositions import Disposition, Need, NumberSign, RetryKind
from callcentre.people.kinds import NumberOwner
from callcentre.retry.slots import Slot

HOURS = (Slot.MORNING, Slot.MIDDAY, Slot.AFTERNOON, Slot.EVENING, Slot.SATURDAY)
PROFILES: tuple[tuple[float, tuple[float, ...]], ...] = (
    (0.30, (0.17, 0.24, 0.27, 0.24, 0.18)),
    (0.22, (0.08, 0.12, 0.14, 0.30, 0.22)),
    (0.12, (0.28, 0.24, 0.20, 0.15, 0.22)),
    (0.20, (0.06, 0.06, 0.06, 0.07, 0.06)),
    (0.16, (0.004, 0.004, 0.004, 0.004, 0.004)),
)
"""(share of the people, odds of an answer in each of HOURS): daytime, evening, morning, rarely, not by this number."""
WRONG, DEAD = 0.05, 0.04
"""Parts of the numbers of a list that belong to a stranger, or to nobody."""
GIVEN = 0.45
"""Odds of an answer on a number that somebody gave during a call."""
GUARDIAN = 0.35
EXPECTED = 0.75
"""Odds of an answer at a time that was promised."""
REFUSES = 0.25
"""Part of the relatives who answer and want no further call."""
BUSY, TECHNICAL = 0.06, 0.02


class Ring(StrEnum):
    """What happens when a number rings."""

    YOUNG_PERSON = "young_person"
    SOMEBODY_ELSE = "somebody_else"
    STRANGER = "stranger"
    STRANGERS_VOICEMAIL = "strangers_voicemail"
    DEAD = "dead"
    BUSY = "busy"
    TECHNICAL = "technical"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Temperament:
    """A person's hidden odds: of answering in each slot, of being willing, of keeping an appointment."""

    answers: Mapping[Slot, float]
    willing: float
    punctual: float


def temperament(random: Random) -> Temperament:
    """Draw a person's temperament."""
    weights = [share for share, _ in PROFILES]
    odds = random.choices([odds for _, odds in PROFILES], weights)[0]
    return Temperament(
        answers=dict(zip(HOURS, odds, strict=True)),
        willing=random.betavariate(4, 2.5),
        punctual=random.betavariate(5, 2.5),
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A number as it is dialled: whose it is said to be, what it is in truth, whether its owner expects the call."""

    owner: str
    was_given: bool
    is_expected: bool
    slot: Slot | None
    is_wrong: bool = False
    is_dead: bool = False


def line(truth: Random, *, owner: str, was_given: bool, is_expected: bool, slot: Slot | None) -> Line:
    """Return a line with what is true of it, drawn from its own `truth`; a number that was given is right."""
    drawn = truth.random()
    return Line(
        owner=owner,
        was_given=was_given,
        is_expected=is_expected,
        slot=slot,
        is_wrong=not was_given and drawn < WRONG,
        is_dead=not was_given and WRONG <= drawn < WRONG + DEAD,
    )


def ring(random: Random, person: Temperament, dialled: Line) -> Ring:
    """Draw what happens on a line."""
    if dialled.is_dead:
        return Ring.DEAD
    drawn = random.random()
    if drawn < TECHNICAL:
        return Ring.TECHNICAL
    if drawn < TECHNICAL + BUSY:
        return Ring.BUSY
    if dialled.is_wrong:
        return random.choice((Ring.STRANGER, Ring.STRANGER, Ring.STRANGERS_VOICEMAIL, Ring.NOBODY))
    if dialled.owner == NumberOwner.YOUNG_PERSON:
        return Ring.YOUNG_PERSON if random.random() < _odds(person, dialled) else Ring.NOBODY
    if random.random() >= GUARDIAN:
        return Ring.NOBODY
    return Ring.YOUNG_PERSON if random.random() < 0.15 else Ring.SOMEBODY_ELSE


def _odds(person: Temperament, dialled: Line) -> float:
    own = person.answers.get(dialled.slot, 0.1) if dialled.slot is not None else 0.1
    if dialled.is_expected:
        return EXPECTED
    return max(own, GIVEN) if dialled.was_given else own


class CodeBook:
    """The dispositions of a programme, found by what they mean and not by their codes."""

    def __init__(self, entries: Sequence[Disposition]) -> None:
        self._usable = [entry for entry in entries if not entry.is_retired]

    def draw(self, random: Random, happened: Ring, person: Temperament, *, is_follow_up: bool) -> Disposition:
        """Draw how a call ends, given what happened on the line."""
        match happened:
            case Ring.YOUNG_PERSON:
                return self._spoken(random, person, is_follow_up)
            case Ring.SOMEBODY_ELSE:
                refused = random.random() < REFUSES
                return self._one(random, RetryKind.GUARDIAN_REFUSAL if refused else RetryKind.THIRD_PARTY)
            case Ring.STRANGER:
                return self._one(random, RetryKind.WRONG_NUMBER)
            case Ring.STRANGERS_VOICEMAIL:
                return self._not_taken(random, NumberSign.OTHER_NAME)
            case Ring.DEAD:
                return self._one(random, RetryKind.DEAD_NUMBER)
            case Ring.BUSY:
                return self._one(random, RetryKind.BUSY)
            case Ring.TECHNICAL:
                return self._one(random, RetryKind.TECHNICAL)
            case _:
                return self.unanswered(random)

    def unanswered(self, random: Random) -> Disposition:
        """Draw one of the entries for a call that nobody took on the young person's own line."""
        return self._not_taken(random, None, NumberSign.OWN_NAME)

    def _not_taken(self, random: Random, *signs: NumberSign | None) -> Disposition:
        found = [
            entry for entry in self._usable if entry.retry is RetryKind.NO_ANSWER and entry.sign in signs
        ]
        return random.choice(found) if found else self._one(random, RetryKind.NO_ANSWER)

    def _spoken(self, random: Random, person: Temperament, is_follow_up: bool) -> Disposition:
        drawn = random.random()
        if drawn < 0.03:
            return self._one(random, RetryKind.OPPOSITION)
        if drawn < 0.05:
            return self._ending(random, is_contact=False)
        if not is_follow_up and drawn < 0.18:
            return self._ending(random, is_contact=True)
        if random.random() > person.willing:
            return self._one(random, RetryKind.SOFT_REFUSAL if random.random() < 0.4 else RetryKind.CALLBACK)
        if random.random() < (0.75 if is_follow_up else 0.5):
            return self._appointment(random)
        return self._one(random, RetryKind.CALLBACK)

    def _appointment(self, random: Random) -> Disposition:
        found = [entry for entry in self._usable if Need.APPOINTMENT in entry.needs]
        return random.choice(found) if found else self._one(random, RetryKind.CALLBACK)

    def _ending(self, random: Random, *, is_contact: bool) -> Disposition:
        found = [
            entry
            for entry in self._usable
            if entry.retry is RetryKind.DONE
            and entry.is_contact is is_contact
            and Need.APPOINTMENT not in entry.needs
        ]
        return random.choice(found) if found else self._one(random, RetryKind.CALLBACK)

    def _one(self, random: Random, kind: RetryKind) -> Disposition:
        found = [entry for entry in self._usable if entry.retry is kind]
        return random.choice(found or self._usable)
