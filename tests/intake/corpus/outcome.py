"""Importing a file of the corpus into an empty database, and comparing what came of it with its expected result."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from callcentre.database import writing
from callcentre.directory.programmes import synchronise
from callcentre.intake import importing
from callcentre.intake.preparing import PreparedList, prepare
from callcentre.intake.queries import ExportedPerson, RowView
from callcentre.intake.reader import Refusal
from tests.intake import ground
from tests.intake.corpus.registry import SEED, Build, Case, Expected, Person

_MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Outcome:
    """What came of a file."""

    refusal: Refusal | None
    prepared: PreparedList | None
    rows: dict[str, RowView]
    people: tuple[ExportedPerson, ...]

    @property
    def in_words(self) -> str:
        """One line for the coverage page."""
        if self.refusal is not None:
            return f"refused, `{self.refusal.code}`: “{self.refusal.en}”"
        fates = Counter(str(row.fate) for row in self.rows.values())
        reasons = sorted({str(reason.code) for row in self.rows.values() for reason in row.reasons})
        said = ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items()))
        return f"{said}; says {', '.join(f'`{code}`' for code in reasons)}" if reasons else said


def import_case(case: Case, sessions: sessionmaker[Session]) -> Outcome:
    """Import what comes before a case, then the case, into an empty database."""
    with writing(sessions) as session:
        synchronise(session, [ground.programme()])
    for number, build in enumerate(case.earlier):
        _import_earlier(build, case, number, sessions)
    if case.between is not None:
        case.between(sessions)
    prepared = _prepare(case.content(), case.file_name, case.list_date)
    if isinstance(prepared, Refusal):
        return Outcome(prepared, None, {}, tuple(ground.people(sessions)))
    done = importing.import_file(sessions, prepared, programme=ground.programme(), now=_noon(case.list_date))
    named = len(prepared.sheets) > 1
    rows = {_key(row, named): row for row in ground.rows(sessions, done.progress.list_file_id)}
    return Outcome(None, prepared, rows, tuple(ground.people(sessions)))


def _import_earlier(build: Build, case: Case, number: int, sessions: sessionmaker[Session]) -> None:
    day = case.list_date - _MONTH * (len(case.earlier) - number)
    prepared = _prepare(build(Random(f"{SEED}:{case.name}:{number}")), f"{number}-{case.file_name}", day)
    assert not isinstance(prepared, Refusal), prepared.en
    importing.import_file(sessions, prepared, programme=ground.programme(), now=_noon(day))


def _prepare(content: bytes, name: str, day: date) -> PreparedList | Refusal:
    return prepare(content, name, programme=ground.programme(), list_date=day, words=ground.column_words())


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ground.NOW.tzinfo) + timedelta(days=1)


def _key(row: RowView, named: bool) -> str:
    return f"{row.sheet}!{row.number}" if named else str(row.number)


def page_line(case: Case, outcome: Outcome, *, is_expected: bool = True) -> str:
    """What the coverage page says of a file."""
    about, told = (text.replace("|", "\\|") for text in (case.about, outcome.in_words))
    return f"| `{case.name}` | {about} | {told} | {'✓' if is_expected else '✗'} |"


def differences(case: Case, outcome: Outcome) -> list[str]:
    """Where the outcome is not what was expected; empty when all is well."""
    expected = case.expected
    code = None if outcome.refusal is None else str(outcome.refusal.code)
    if expected.refused != code:
        return [f"refused: {code}, expected {expected.refused}"]
    found = [*_fates(expected, outcome), *_people(expected, outcome)]
    if outcome.prepared is not None:
        found += _reading(expected, outcome.prepared)
        found += _lost_rows(outcome.prepared, outcome)
    return found


def _fates(expected: Expected, outcome: Outcome) -> list[str]:
    found = []
    for key, wanted in expected.rows.items():
        fate, *reasons = (wanted,) if isinstance(wanted, str) else wanted
        row = outcome.rows.get(key)
        if row is None:
            found.append(f"row {key} has no fate")
            continue
        said = {str(reason.code) for reason in row.reasons}
        if str(row.fate) != fate or not set(reasons) <= said:
            found.append(f"row {key}: {row.fate} {sorted(said)}, expected {fate} {reasons}")
    if expected.others is not None:
        found += [
            f"row {key}: {row.fate} {[str(r.code) for r in row.reasons]}, expected {expected.others}"
            for key, row in outcome.rows.items()
            if key not in expected.rows and str(row.fate) != expected.others
        ]
    return found


def _people(expected: Expected, outcome: Outcome) -> list[str]:
    if expected.people is None and not expected.has:
        return []
    left = list(outcome.people)
    found = []
    for wanted in (*(expected.people or ()), *expected.has):
        candidates = [one for one in left if _is(one, wanted)]
        if not candidates:
            found.append(f"{wanted.family_name} {wanted.first_name} {wanted.birth_date} is not there")
            continue
        fitting = [one for one in candidates if not _unlike(one, wanted)]
        left.remove((fitting or candidates)[0])
        found += [] if fitting else _unlike(candidates[0], wanted)
    if expected.people is not None:
        found += [f"{one.family_name} {one.first_name} {one.birth_date} is there too" for one in left]
    return found


def _is(found: ExportedPerson, wanted: Person) -> bool:
    names = (found.family_name, found.first_name, found.birth_date.isoformat())
    return names == (wanted.family_name, wanted.first_name, wanted.birth_date)


def _unlike(found: ExportedPerson, wanted: Person) -> list[str]:
    who = f"{wanted.family_name} {wanted.first_name}"
    differs = []
    numbers = tuple(sorted(number.e164 for number in found.numbers if number.callable))
    if wanted.callable is not None and numbers != tuple(sorted(wanted.callable)):
        differs.append(f"{who}: callable {numbers}, expected {tuple(sorted(wanted.callable))}")
    owners = {number.e164: str(number.owner) for number in found.numbers}
    differs += [
        f"{who}: {e164} is of {owners.get(e164)}, expected {owner}"
        for e164, owner in wanted.owners.items()
        if owners.get(e164) != owner
    ]
    for name, value in wanted.values.items():
        held: Any = getattr(found, name)
        held = held.isoformat() if isinstance(held, date) else held
        if held != value:
            differs.append(f"{who}: {name} is {held!r}, expected {value!r}")
    return differs


def _reading(expected: Expected, prepared: PreparedList) -> list[str]:
    said = {**prepared.mapping_json()}
    found = [
        f"{name}: {said.get(name)!r}, expected {value!r}"
        for name, value in expected.read.items()
        if said.get(name) != (list(value) if isinstance(value, tuple) else value)
    ]
    notes = {str(note.code) for note in getattr(prepared.read, "notes", ())}
    found += [f"note {code} is missing among {sorted(notes)}" for code in expected.notes if code not in notes]
    named = len(prepared.sheets) > 1
    cells = {
        f"{sheet.name}!{row.number}" if named else str(row.number): tuple(row.cells)
        for sheet, _ in prepared.sheets
        for row in sheet.rows
    }
    found += [
        f"cells of {key}: {cells.get(key)}, expected {wanted}"
        for key, wanted in expected.cells.items()
        if cells.get(key) != tuple(wanted)
    ]
    return found


def _lost_rows(prepared: PreparedList, outcome: Outcome) -> list[str]:
    """Every row of a sheet that is read has a fate, but for its header."""
    named = len(prepared.sheets) > 1
    lost = [
        f"row {key} has no fate"
        for sheet, mapping in prepared.sheets
        for row in sheet.rows
        if (key := f"{sheet.name}!{row.number}" if named else str(row.number)) not in outcome.rows
        and row.number != mapping.header_row
    ]
    if len(outcome.rows) != prepared.rows_total:
        lost.append(f"{len(outcome.rows)} fates for {prepared.rows_total} rows")
    return lost
