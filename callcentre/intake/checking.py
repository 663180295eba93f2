"""What importing a list would do, row by row and person by person; reads only, writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from callcentre.directory import queries as directory
from callcentre.intake import current
from callcentre.intake.candidates import name_of
from callcentre.intake.current import Gone
from callcentre.intake.deciding import Chunk, Decider, Decision
from callcentre.intake.entering import Entrant, Ground, expected, load_ground, load_places
from callcentre.intake.kinds import Fate
from callcentre.intake.preparing import PreparedList
from callcentre.intake.reasons import Reason, ReasonCode
from callcentre.people.candidates import Candidate
from callcentre.people.comparing import FieldChange, compare
from callcentre.people.register import Change, Registered, load_states, registered
from callcentre.programmes import Programme
from callcentre.retry.zones import zone_of

ROWS_AT_ONCE = 250
_PEOPLE = frozenset({Fate.CREATED, Fate.UPDATED, Fate.UNCHANGED, Fate.DUPLICATE})


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """What would happen, or has happened, to a row."""

    sheet: str
    number: int
    fate: Fate
    reasons: tuple[Reason, ...]
    name: str
    """Whom the row speaks of, as written; empty when nobody can be told."""
    changed: tuple[str, ...] = ()
    differences: tuple[FieldChange, ...] = ()
    """From what to what, for somebody who is known."""
    candidate: Candidate | None = None
    """The canonical values, only when they were asked for."""


@dataclass(frozen=True)
class Plan:
    """What an import would do, nothing written."""

    rows: tuple[PlannedRow, ...]
    counts: dict[str, int]
    mapping: dict[str, Any]
    gone: tuple[Gone, ...] = ()
    """The people of the programme's newest list whom this one does not name."""
    is_older: bool = False
    """Whether a newer list was imported before: then only blanks would be filled."""
    changed_fields: dict[str, int] = field(default_factory=dict)
    """How many people would have each field changed."""

    @property
    def names_few(self) -> bool:
        """Whether more people are gone than named: a complement under a new date, perhaps, and no whole list."""
        named = sum(row.fate in _PEOPLE for row in self.rows)
        return len(self.gone) > named

    @property
    def flagged(self) -> int:
        """How many rows that go in carry a remark."""
        return sum(bool(row.reasons) for row in self.rows if row.fate in _PEOPLE)


def check(
    session: Session, prepared: PreparedList, *, programme: Programme, with_values: bool = False
) -> Plan:
    """What would happen to each row of a list; writes nothing. `with_values` keeps the canonical values."""
    programme_id = directory.programme_id(session, programme.code)
    list_date = prepared.scope.list_date
    ground = None if programme_id is None else ground_of(session, programme_id, programme)
    is_older = programme_id is not None and current.is_older(session, programme_id, list_date)
    decider = Decider(session, list_file_id=None, only_blanks=is_older)
    rows: list[PlannedRow] = []
    met: set[int] = set()
    source = prepared.rows()
    while part := list(islice(source, ROWS_AT_ONCE)):
        chunk = decider.decide(part)
        done = _expected(session, chunk, programme, ground, list_date)
        rows += [planned(decision, done, with_values=with_values) for decision in chunk.decisions]
        met.update(ref for ref in chunk.groups if ref > 0)
    gone: tuple[Gone, ...] = ()
    if programme_id is not None and not is_older:
        gone = current.gone(session, programme_id, list_date, met)
    return Plan(
        tuple(rows),
        counts(Counter(row.fate for row in rows)),
        prepared.mapping_json(),
        gone,
        is_older,
        dict(Counter(name for row in rows if row.fate is Fate.UPDATED for name in row.changed).most_common()),
    )


def counts(counted: Mapping[str, int]) -> dict[str, int]:
    """A number for each fate."""
    return {str(fate): counted.get(fate, 0) for fate in Fate}


def planned(decision: Decision, done: Mapping[int, Registered], *, with_values: bool = False) -> PlannedRow:
    """A decided row with what writing its person did, or would do."""
    row = decision.row
    candidate = row.outcome if isinstance(row.outcome, Candidate) else None
    name = name_of(row.outcome)
    values = candidate if with_values else None
    if decision.fate is not None or decision.ref is None:
        fate = decision.fate or Fate.IGNORED
        return PlannedRow(row.sheet, row.number, fate, decision.reasons, name, candidate=values)
    result = done[decision.ref]
    kept = tuple(Reason(ReasonCode.VERIFIED_KEPT, about) for about in result.kept)
    return PlannedRow(
        row.sheet,
        row.number,
        Fate(result.change),
        (*decision.reasons, *kept),
        name,
        result.changed,
        result.differences,
        values,
    )


def zone_name(candidate: Candidate, programme: Programme) -> str:
    """The zone that a candidate lives in: by postal code, else the programme's."""
    return zone_of(candidate.postal_code, programme.tz).key


def ground_of(session: Session, programme_id: int, programme: Programme) -> Ground:
    """A programme's side of an import."""
    return load_ground(session, programme_id, programme.intake.minor_clock_months)


def _expected(
    session: Session, chunk: Chunk, programme: Programme, ground: Ground | None, list_date: date
) -> dict[int, Registered]:
    """What writing each group of a chunk would do, by its reference."""
    known = [ref for ref in chunk.groups if ref > 0]
    states = load_states(session, known)
    places = load_places(session, ground, known) if ground is not None else {}
    done: dict[int, Registered] = {}
    for ref, group in chunk.groups.items():
        if group.person_id is None:
            done[ref] = Registered(ref, Change.CREATED)
            continue
        zone = zone_name(group.candidate, programme)
        found = compare(states[ref], group.candidate, zone=zone, only_blanks=group.only_blanks)
        entered: tuple[str, ...] = ("queue",)
        if group.is_repeated:
            entered = ()
        elif ground is not None:
            entrant = Entrant(ref, group.candidate, found.gives_number)
            entered = expected(entrant, places.get(ref), ground, list_date)
        done[ref] = with_entry(registered(states[ref], found), entered)
    return done


def with_entry(result: Registered, entered: tuple[str, ...]) -> Registered:
    """What registering somebody and entering the queue did together."""
    if not entered or result.change is Change.CREATED:
        return result
    return replace_entered(result, entered)


def replace_entered(result: Registered, entered: tuple[str, ...]) -> Registered:
    """The same result with what changed of the person's place."""
    return replace(
        result,
        change=Change.UPDATED,
        changed=(*result.changed, *entered),
        differences=(*result.differences, *(FieldChange(name, None, None) for name in entered)),
    )
