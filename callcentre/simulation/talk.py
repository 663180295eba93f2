"""What is said once a call was made: the entry of the programme's code book, and the time that was promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import inf
from random import Random
from zoneinfo import ZoneInfo

from callcentre.demo import conversations
from callcentre.demo.temperaments import CodeBook, Ring
from callcentre.desk.outcomes import Outcome
from callcentre.dispositions import Disposition, Need, RetryKind
from callcentre.programmes import Programme
from callcentre.retry.profiles import SLOTS
from callcentre.retry.windows import CallingHours
from callcentre.simulation.population import Dial, Line, Population, Someone

UNANSWERED = frozenset({RetryKind.NO_ANSWER, RetryKind.BUSY, RetryKind.TECHNICAL, RetryKind.THIRD_PARTY})
FAILED = frozenset({RetryKind.WRONG_NUMBER, RetryKind.DEAD_NUMBER})
SETTLED = frozenset({RetryKind.CALLBACK, RetryKind.SOFT_REFUSAL, RetryKind.OPPOSITION, RetryKind.DONE})
"""The young person said what comes next; whatever else leaves a call unanswered."""
LATE_ENDS = frozenset({"never_reached", "details_to_find", "other_routes"})
"""Reasons to look for another number once the calls are over."""
HOURS_THOUGHT_OF = 3
"""How much a relative knows of when the young person is to be had: of so many hours they name the best."""


@dataclass(frozen=True, slots=True)
class Said:
    """How a call ended: its entry of the code book, and the hour at which to call back if one was agreed."""

    disposition: Disposition
    callback_at: datetime | None = None


@dataclass(frozen=True)
class Talks:
    """The conversations of a population with a programme's team."""

    population: Population
    programme: Programme
    hours: CallingHours
    code_book: CodeBook

    @classmethod
    def of(cls, population: Population, programme: Programme, hours: CallingHours) -> Talks:
        """The conversations by the code book, but for entries that say whose voicemail it was."""
        plain = tuple(entry for entry in programme.code_book().values() if entry.sign is None)
        return cls(population, programme, hours, CodeBook(plain))

    def after(self, someone: Someone, dial: Dial, happened: Ring) -> Said:
        """What the officer records of a call."""
        random = Random(f"{self.population.seed}|{someone.index}|{dial.ordinal}|talk")  # noqa: S311
        if happened is Ring.SOMEBODY_ELSE and dial.line is Line.GUARDIAN:
            return self._with_guardian(random, someone, dial)
        entry = self.code_book.draw(random, happened, someone.temperament, is_follow_up=dial.expected)
        needs_time = Need.CALLBACK_AT in entry.needs
        return Said(entry, self._promised(random, dial.at) if needs_time else None)

    def outcome(self, said: Said, someone: Someone, dial: Dial, *, number_id: int | None) -> Outcome:
        """The same as an officer sends it."""
        random = Random(f"{self.population.seed}|{someone.index}|{dial.ordinal}|outcome")  # noqa: S311
        drawn = conversations.outcome(
            random,
            said.disposition,
            number_id=number_id,
            hours=self.hours,
            zone=self.programme.tz,
            now=dial.at,
            new_number="",
        )
        return Outcome(
            disposition=drawn.disposition,
            number_id=number_id,
            callback_at=said.callback_at,
            callback_for_team=said.callback_at is not None,
            reason=drawn.reason,
            appointment=drawn.appointment,
        )

    def _with_guardian(self, random: Random, someone: Someone, dial: Dial) -> Said:
        passes_on = someone.luck_of(dial.ordinal).talk < self.population.world.calls.guardian_passes_on
        if passes_on:
            entry = self._third_party()
            knows_when = Need.CALLBACK_AT in {*entry.needs, *entry.asks}
            return Said(entry, self._named(random, someone, dial.at) if knows_when else None)
        return Said(
            self.code_book.draw(random, Ring.SOMEBODY_ELSE, someone.temperament, is_follow_up=dial.expected)
        )

    def _third_party(self) -> Disposition:
        entries = [one for one in self.programme.code_book().values() if not one.is_retired]
        return next((one for one in entries if one.retry is RetryKind.THIRD_PARTY), entries[0])

    def _named(self, random: Random, someone: Someone, now: datetime) -> datetime | None:
        """The hour that a relative names: of some that occur to them, that at which the young person answers most."""
        hours = (self._promised(random, now) for _ in range(HOURS_THOUGHT_OF))
        return max(
            (hour for hour in hours if hour is not None),
            key=lambda hour: self._answers_at(someone, hour),
            default=None,
        )

    def _answers_at(self, someone: Someone, hour: datetime) -> float:
        block = self.hours.block_at(hour, self.programme.tz)
        return someone.own[SLOTS.index(block.slot)] if block is not None else -inf

    def _promised(self, random: Random, now: datetime) -> datetime | None:
        zone: ZoneInfo = self.programme.tz
        return conversations.promised_time(random, self.hours, zone, now)
