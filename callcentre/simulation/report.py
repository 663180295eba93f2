"""A simulation's result in words and tables, in French or English: one text for the page, the file and the PDF."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from babel.numbers import format_decimal

from callcentre.simulation import words
from callcentre.simulation.advice import Lever
from callcentre.simulation.figures import ArmFigures, Interval
from callcentre.simulation.record import VIOLATIONS
from callcentre.simulation.request import TODAY, TRIED, Resolution
from callcentre.simulation.result import Result
from callcentre.simulation.words import say

_BEFORE = re.compile(r" (?=[:;!?%»])|(?<=«) ")
_LEAST_PART = 0.005
"""Endings of fewer people than this part are not listed."""


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row names it."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Report:
    """The whole report; `reached` says whether the target is."""

    title: str
    subtitle: str
    made: tuple[str, ...]
    """When and by whom it was played, if that is known, and the rules of that day."""
    reached: bool
    verdict: str
    lead: tuple[str, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]


def report_of(found: Result, language: str, *, at: datetime | None = None, by: str = "") -> Report:
    """Say a result in words; `at`, when it was begun, is shown as it stands, so it is in the programme's zone."""
    return _Writer(found, "en" if language.startswith("en") else "fr", at, by).write()


def arm_name(found: Result, name: str, language: str) -> str:
    """The name of an arm in words."""
    if name == TODAY and not found.request.change.values:
        return say("arm_programme", language)
    return say(f"arm_{name}", language)


class _Writer:
    def __init__(self, found: Result, language: str, at: datetime | None, by: str) -> None:
        self.found, self.language, self.at, self.by = found, language, at, by

    def write(self) -> Report:
        found = self.found
        return Report(
            title=self._text(self._title()),
            subtitle=self._text(self._of(found.world["description"])),
            made=tuple(map(self._text, self._made())),
            reached=found.is_reached,
            verdict=self._text(self._verdict()),
            lead=tuple(map(self._text, self._lead())),
            tables=tuple(self._tables()),
            notes=tuple(map(self._text, self._notes())),
        )

    # ---- sentences

    def _title(self) -> str:
        world = self._of(self.found.world["labels"])
        if self.at is None:
            return say("title", self.language, world=world)
        return say("title_of_day", self.language, world=world, day=f"{self.at:%d/%m/%Y}")

    def _made(self) -> Iterable[str]:
        if self.at is not None:
            said = {"day": f"{self.at:%d/%m/%Y}", "hour": f"{self.at:%H:%M}", "by": self.by}
            yield say("made_by" if self.by else "made", self.language, **said)
        if self.found.rules:
            yield say("rules", self.language, rules=words.rules(self.found.rules, self.language))

    def _verdict(self) -> str:
        found, judged = self.found, self.found.judged
        barely = judged.rate.barely_reaches(found.target)
        key = "barely" if barely else "reached" if found.is_reached else "missed"
        return say(
            key,
            self.language,
            arm=self._name(judged.name),
            rate=self._percent(judged.rate),
            target=self._percent(Interval(found.target)),
        )

    def _lead(self) -> Iterable[str]:
        found, judged = self.found, self.found.judged
        if judged.name == TRIED:
            yield say("tried", self.language, changes=words.changes(found.request.change, self.language))
            yield self._difference(judged)
        if found.is_reached:
            return
        yield say("why", self.language, ends=self._why(judged))
        yield from self._what_would()

    def _difference(self, judged: ArmFigures) -> str:
        surely = judged.more_contacts.is_above_nothing
        key = "by_chance" if surely is None else "surely"
        return say(
            key,
            self.language,
            contacts=self._signed(judged.more_contacts),
            calls=self._signed(judged.fewer_calls),
        )

    def _why(self, judged: ArmFigures) -> str:
        parts = [
            f"{words.end(name, self.language)} {self._percent(Interval(part))}"
            for name, part in sorted(judged.ends.items(), key=lambda item: -item[1])
            if name in words.NOT_REACHED and part >= _LEAST_PART
        ]
        return ", ".join(parts) or "–"

    def _what_would(self) -> Iterable[str]:
        found, best = self.found, self.found.best_lever
        if not found.levers:
            return
        if best is not None:
            yield say(
                "would_barely" if best.rate.barely_reaches(found.target) else "would",
                self.language,
                changes=words.changes(best.change, self.language),
                rate=self._percent(best.rate),
                calls=self._number(best.calls.mean),
            )
        else:
            most = max(found.levers, key=lambda lever: lever.rate.mean)
            yield say(
                "would_not",
                self.language,
                changes=words.changes(most.change, self.language),
                rate=self._percent(most.rate),
            )

    def _notes(self) -> Iterable[str]:
        request, judged = self.found.request, self.found.judged
        yield say(
            "played_full" if request.resolution is Resolution.FULL else "played_light",
            self.language,
            seeds=judged.seeds,
            people=self._number(self.found.world["people"]),
            days=self.found.world["days"],
        )
        yield say("one_seed" if judged.seeds < 2 else "intervals", self.language)
        yield say("luck", self.language)
        yield say("invented", self.language)

    # ---- tables

    def _tables(self) -> Iterable[Table]:
        yield self._main()
        if self.found.levers:
            yield self._levers()
        yield self._segments()
        yield self._load()
        yield self._ends()

    def _main(self) -> Table:
        heads = ("policy", "contacted", "contacts", "calls", "per_contact", "days", "worst", "broken")
        rows = tuple(
            (
                self._name(one.name),
                self._percent(one.rate),
                "–" if one is self.found.arms[0] else self._signed(one.more_contacts),
                self._number(one.calls.mean),
                self._range(one.calls_per_contact, 1),
                self._range(one.days, 1),
                self._percent(one.worst_segment),
                self._broken(one),
            )
            for one in self.found.arms
        )
        return self._table("main", heads, rows, note=say("main_note", self.language))

    def _levers(self) -> Table:
        rows = tuple(
            (
                words.changes(one.change, self.language),
                self._percent(one.rate),
                self._yes(one),
                self._number(one.calls.mean),
                self._range(one.calls_per_contact, 1),
            )
            for one in self.found.levers
        )
        note = say(
            "levers_note",
            self.language,
            seeds=self.found.lever_seeds,
            people=self._number(self.found.lever_people),
        )
        return self._table(
            "levers", ("change", "contacted", "enough", "calls", "per_contact"), rows, note=note
        )

    def _segments(self) -> Table:
        codes = list(self.found.judged.segments)
        heads = ("policy", *(self._of(self.found.segments[code]) for code in codes))
        rows = tuple(
            (self._name(one.name), *(self._percent(one.segments.get(code, Interval(0))) for code in codes))
            for one in self.found.arms
        )
        return self._table("segments", heads, rows)

    def _load(self) -> Table:
        slots = [slot for slot, part in self.found.judged.load.items() if part >= 0]
        heads = ("policy", *(words.slot(slot, self.language) for slot in slots))
        rows = tuple(
            (self._name(one.name), *(self._loaded(one, slot) for slot in slots)) for one in self.found.arms
        )
        return self._table("load", heads, rows)

    def _ends(self) -> Table:
        names = sorted(
            {n for one in self.found.arms for n, part in one.ends.items() if part >= _LEAST_PART},
            key=lambda name: -self.found.judged.ends.get(name, 0.0),
        )
        rows = tuple(
            (
                words.end(name, self.language),
                *(self._percent(Interval(one.ends.get(name, 0.0))) for one in self.found.arms),
            )
            for name in names
        )
        return self._table("ends", ("end", *(self._name(one.name) for one in self.found.arms)), rows)

    def _table(
        self, name: str, heads: Iterable[str], rows: tuple[tuple[str, ...], ...], *, note: str = ""
    ) -> Table:
        said = (words.head(head, self.language) for head in heads)
        return Table(
            self._text(say(f"table_{name}", self.language)),
            tuple(map(self._text, said)),
            tuple(tuple(map(self._text, row)) for row in rows),
            self._text(note),
        )

    # ---- cells

    def _loaded(self, one: ArmFigures, slot: str) -> str:
        part = one.load.get(slot, -1.0)
        return (
            "–" if part < 0 else f"{self._number(one.calls_by_slot[slot])} ({self._percent(Interval(part))})"
        )

    def _broken(self, one: ArmFigures) -> str:
        broken = [(name, one.violations[name]) for name in VIOLATIONS if one.violations.get(name)]
        if not broken:
            return "0"
        parts = ", ".join(
            f"{words.rule(name, self.language)} {self._yearly(count)}" for name, count in broken
        )
        return f"{self._yearly(sum(count for _, count in broken))} ({parts})"

    def _yearly(self, count: float) -> str:
        """A mean over years, in which one in several years is not nothing."""
        return self._number(count, 0 if count.is_integer() or count >= 10 else 1)

    def _yes(self, lever: Lever) -> str:
        target = self.found.target
        barely = lever.rate.barely_reaches(target)
        return say("on_average" if barely else "yes" if lever.reaches(target) else "no", self.language)

    def _name(self, name: str) -> str:
        return arm_name(self.found, name, self.language)

    def _of(self, labels: Mapping[str, str]) -> str:
        return labels.get(self.language) or labels["fr"]

    def _percent(self, part: Interval) -> str:
        return self._range(Interval(*(None if v is None else 100 * v for v in _ends_of(part))), 1, " %")  # type: ignore[arg-type]

    def _range(self, value: Interval, digits: int, unit: str = "") -> str:
        if value.low is None or value.high is None:
            return f"{self._number(value.mean, digits)}{unit}"
        half = (value.high - value.low) / 2
        return f"{self._number(value.mean, digits)}{unit} ± {self._number(half, digits)}"

    def _signed(self, part: Interval) -> str:
        if part.low is None or part.high is None:
            return f"{self._sign(part.mean)} %"
        return f"{self._sign(part.mean)} % [{self._sign(part.low)} ; {self._sign(part.high)}]"

    def _sign(self, part: float) -> str:
        text = self._number(100 * part, 1)
        return text if text.startswith("-") else f"+{text}"

    def _number(self, value: float, digits: int = 0) -> str:
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(round(value, digits), pattern, locale=self.language)

    def _text(self, text: str) -> str:
        """French spaces that must not break."""
        if self.language == "en":
            return text.replace(" %", "%")
        return _BEFORE.sub("\N{NO-BREAK SPACE}", text)


def _ends_of(part: Interval) -> tuple[float | None, float | None, float | None]:
    return part.mean, part.low, part.high
