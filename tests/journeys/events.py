"""What happened, read from the tables with plain SQL: nothing here knows the program's own classes or rules."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Call:
    """One dialling."""

    id: int
    person: int
    number: int | None
    at: datetime
    zone: ZoneInfo
    result: str | None
    promise: int | None
    token: str
    was_corrected: bool = False

    @property
    def local(self) -> datetime:
        return self.at.astimezone(self.zone)


@dataclass(frozen=True)
class Promise:
    """A promised time and what became of it."""

    id: int
    person: int
    at: datetime
    state: str
    settled_by: int | None


@dataclass(frozen=True)
class Held:
    """A lease: who had whom, from when to when."""

    token: str
    person: int
    officer: int
    start: datetime
    end: datetime
    ending: str
    lane: int


@dataclass(frozen=True)
class Stop:
    """An opt-out of a number or an opposition of a person: from when, until when it was taken back."""

    target: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Step:
    """A row of the funnel: a stage entered, or one taken back."""

    id: int
    person: int
    stage: str
    at: datetime
    recorded_at: datetime
    reverses: int | None


@dataclass(frozen=True)
class Events:
    """Everything that the recount looks at."""

    end: datetime
    calls: list[Call]
    promises: list[Promise]
    leases: list[Held]
    opt_outs: list[Stop]
    oppositions: list[Stop]
    steps: list[Step]
    reopened: dict[int, list[datetime]]
    """When people's total count began anew, by person."""
    numbers: dict[int, set[int]] = field(default_factory=dict)
    """The numbers of each person."""
    open_turns: int = 0

    def by_person(self) -> dict[int, list[Call]]:
        calls = defaultdict(list)
        for call in sorted(self.calls, key=lambda call: (call.at, call.id)):
            calls[call.person].append(call)
        return dict(calls)


def read_events(file: Path, *, end: datetime) -> Events:
    """Read a SQLite file."""
    connection = sqlite3.connect(file)
    try:
        return _read(connection, end)
    finally:
        connection.close()


def _read(db: sqlite3.Connection, end: datetime) -> Events:
    calls = db.execute(
        "SELECT a.id, a.person_id, a.number_id, a.started_at, y.zone,"
        " CASE WHEN a.corrected_at IS NULL THEN a.disposition END, a.callback_id, a.lease_token,"
        " a.correction_reason FROM attempts a JOIN young_people y ON y.id = a.person_id WHERE a.direction = 'outbound'"
    ).fetchall()
    numbers = defaultdict(set)
    for person, number in db.execute("SELECT person_id, number_id FROM person_numbers"):
        numbers[person].add(number)
    reopened = defaultdict(list)
    for person, at in db.execute(
        "SELECT subject_id, at FROM audit_events WHERE action IN ('reopened', 'number_added') ORDER BY at"
    ):
        reopened[int(person)].append(_instant(at))
    return Events(
        end=end,
        calls=[
            Call(i, person, number, _instant(at), ZoneInfo(zone), result, promise, token, why is not None)
            for i, person, number, at, zone, result, promise, token, why in calls
        ],
        promises=[
            Promise(i, person, _instant(at), state, settled_by)
            for i, person, at, state, settled_by in db.execute(
                "SELECT id, person_id, promised_at, state, settled_by_attempt FROM callbacks"
            )
        ],
        leases=[
            Held(token, person, officer, _instant(start), _instant(until), ending, lane)
            for token, person, officer, start, until, ending, lane in db.execute(
                "SELECT token, person_id, officer_id, granted_at, ended_at, ending, lane FROM lease_log"
            )
        ],
        opt_outs=_stops(db, "SELECT number_id, at, revoked_at FROM opt_outs", end),
        oppositions=_stops(db, "SELECT person_id, at, revoked_at FROM oppositions", end),
        steps=[
            Step(i, person, stage, _instant(at), _instant(recorded), reverses)
            for i, person, stage, at, recorded, reverses in db.execute(
                "SELECT id, person_id, stage, at, recorded_at, reverses_id FROM stage_changes ORDER BY id"
            )
        ],
        reopened=dict(reopened),
        numbers=dict(numbers),
        open_turns=db.execute("SELECT count(*) FROM turns WHERE token IS NOT NULL").fetchone()[0],
    )


def _stops(db: sqlite3.Connection, query: str, end: datetime) -> list[Stop]:
    return [
        Stop(target, _instant(at), _instant(until) if until else end)
        for target, at, until in db.execute(query)
    ]


def _instant(text: Any) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
