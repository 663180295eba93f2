"""The night of a million people: calls counted, numbers fitted, everybody planned anew; and claims meanwhile."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session, sessionmaker

from bench.population import populate
from callcentre.callqueue.models import Turn
from callcentre.database import writing
from callcentre.outreach.models import Attempt
from callcentre.planning.counting import count_calls
from callcentre.planning.refit import fit_again
from callcentre.planning.replan import replan
from callcentre.programmes import Programme
from callcentre.retry.slots import USUAL_SLOTS, Slot

NIGHT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
CALLED = 0.6
"""Part of the people who were called before."""
MOST_CALLS = 7
DAYS = 300
AT_ONCE = 20_000
_WEEKDAY = tuple(slot for slot in Slot if slot is not Slot.SATURDAY)


def prepare(sessions: sessionmaker[Session], programme: Programme, *, people: int, seed: int = 0) -> int:
    """Fill an empty database with people and the calls of a year; return the programme's id."""
    programme_id = populate(sessions, programme, people=people, officers=8, now=NIGHT, seed=seed)
    random_ = random.Random(seed)
    with writing(sessions) as session:
        session.execute(delete(Turn))
    rows: list[dict[str, Any]] = []
    for person in range(1, people + 1):
        if random_.random() < CALLED:
            rows.extend(_calls(person, programme_id, random_))
        if len(rows) >= AT_ONCE or person == people:
            with writing(sessions) as session:
                session.execute(insert(Attempt), rows)
            rows = []
    return programme_id


def _calls(person: int, programme_id: int, random_: random.Random) -> Iterator[dict[str, Any]]:
    days = sorted(random_.sample(range(1, DAYS), random_.randint(1, MOST_CALLS)), reverse=True)
    for turn, ago in enumerate(days):
        day = (NIGHT - timedelta(days=ago)).date()
        slot = random_.choice(_WEEKDAY)
        start, _end = USUAL_SLOTS[slot][0]
        at = datetime(day.year, day.month, day.day, start.hour - 1, random_.randrange(30, 60), tzinfo=UTC)
        answered = random_.random() < 0.12
        yield {
            "programme_id": programme_id,
            "entry_id": person,
            "person_id": person,
            "number_id": person,
            "owner": "young_person",
            "officer_id": person % 8 + 1,
            "lease_token": f"{person}-{turn}",
            "sequence": 1,
            "lane": 4,
            "direction": "outbound",
            "started_at": at,
            "ended_at": at + timedelta(minutes=2),
            "slot": slot.value,
            "local_date": day,
            "disposition": "interested" if answered else "no_answer",
            "retry_kind": "callback" if answered else "no_answer",
        }
        if answered:
            return


@dataclass(frozen=True)
class Part:
    """One part of the night: how many people or entries, and the seconds it took on the wall and on the processor."""

    name: str
    done: int
    wall: float
    processor: float


def night(sessions: sessionmaker[Session], programme: Programme, programme_id: int) -> list[Part]:
    """Do the night's work once, part by part."""

    def fitted() -> int:
        with writing(sessions) as session:
            return int(fit_again(session, programme, programme_id, NIGHT) is not None)

    return [
        _timed("people counted", lambda: count_calls(sessions, programme, programme_id, NIGHT)),
        _timed("fits", fitted),
        _timed("plans changed", lambda: replan(sessions, programme, programme_id, NIGHT)),
    ]


def memory_megabytes() -> float:
    """The most memory that this process has used."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _timed(name: str, work: Callable[[], int]) -> Part:
    wall, processor = time.perf_counter(), time.process_time()
    done = work()
    return Part(name, done, time.perf_counter() - wall, time.process_time() - processor)
