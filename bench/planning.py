"""The night of many people: calls counted, numbers fitted, everybody planned anew; and claims meanwhile.

    python -m bench.planning --people 1000000 --database sqlite

The first night counts everybody from nothing, the usual one after it what a day has brought. Each runs in processes of
its own while this one claims twenty times a second, a hundred times as often as eight officers do.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session, sessionmaker

from bench.population import populate
from bench.servers import a_database
from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import Turn
from callcentre.clock import ManualClock
from callcentre.database import has_one_writer, writing
from callcentre.desk import serving
from callcentre.migrations import upgrade
from callcentre.outreach.kinds import MessageKind, MessageState
from callcentre.outreach.message_models import Message, MessageRecipient
from callcentre.outreach.models import Attempt
from callcentre.planning import together
from callcentre.planning.counting import count_calls
from callcentre.planning.refit import fit_again
from callcentre.planning.replan import replan
from callcentre.programmes import Programme
from callcentre.retry.slots import USUAL_SLOTS, Slot
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import load_settings

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
    messages: list[dict[str, Any]] = []
    for person in range(1, people + 1):
        if random_.random() < CALLED:
            calls = list(_calls(person, programme_id, random_))
            rows += calls
            messages += _messages(calls)
        if len(rows) >= AT_ONCE or person == people:
            with writing(sessions) as session:
                session.execute(insert(Attempt), rows)
                session.execute(insert(Message), messages)
                recipients = [{"message_id": one["id"], "person_id": one["number_id"]} for one in messages]
                session.execute(insert(MessageRecipient), recipients)
            rows, messages = [], []
    return programme_id


def _messages(calls: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The messages of the plan: a notice before the first call, a word after two in vain."""
    steps = {0: MessageKind.PRE_NOTICE, 1: MessageKind.UNANSWERED}
    for turn, kind in steps.items():
        if turn < len(calls):
            person, at = calls[turn]["person_id"], calls[turn]["started_at"]
            yield {
                "id": 2 * person + turn,
                "uid": f"{person}-{turn}",
                "programme_id": calls[turn]["programme_id"],
                "step": kind.value,
                "kind": kind,
                "number_id": person,
                "body": "",
                "created_at": at,
                "due_at": at,
                "not_after": at,
                "state": MessageState.SENT,
                "sent_at": at,
            }


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


def night(
    sessions: sessionmaker[Session], programme: Programme, programme_id: int, now: datetime = NIGHT
) -> list[Part]:
    """Do the night's work once, part by part."""

    def fitted() -> int:
        return int(fit_again(sessions, programme, programme_id, now) is not None)

    return [
        _timed("people counted", lambda: count_calls(sessions, programme, programme_id, now)),
        _timed("fits", fitted),
        _timed("plans changed", lambda: replan(sessions, programme, programme_id, now)),
    ]


def memory_megabytes() -> float:
    """The most memory that this process has used, and each of those that it began, as if all at the same time."""
    largest = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(size * count for size, count in zip(largest, (1, together.HANDS), strict=True)) / 1024


def _timed(name: str, work: Callable[[], int]) -> Part:
    wall, processor = time.perf_counter(), _processor()
    done = work()
    return Part(name, done, time.perf_counter() - wall, _processor() - processor)


def _processor() -> float:
    """Seconds on the processor, those of processes that have ended included."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


MORNING = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
CLAIMS = 400
EVERY = 0.05
"""Seconds between two claims."""
TURN = 20
"""Claims before a night is held, and before it goes on."""


def claims(runtime: Runtime, *, times: int = CLAIMS) -> list[float]:
    """Claim and give back so many times, officers in turn; return the milliseconds of each claim, in order."""
    took = []
    for turn in range(times):
        officer = turn % 8 + 1
        time.sleep(EVERY)
        start = time.perf_counter()
        with writing(runtime.sessions) as session:
            lease = serving.serve_next(session, runtime.desk(session), officer_id=officer, now=MORNING)
        took.append(1000 * (time.perf_counter() - start))
        assert isinstance(lease, Lease), lease
        with writing(runtime.sessions) as session:
            serving.release(session, lease.token, officer_id=officer, now=MORNING)
    return sorted(took)


def _night_of(url: str, folder: str, now: datetime) -> tuple[list[Part], float]:
    """The night in a process of its own."""
    runtime = _runtime(url, folder)
    parts = night(runtime.sessions, runtime.programme, 1, now)
    return parts, memory_megabytes()


def _runtime(url: str, folder: str) -> Runtime:
    settings = {
        "CALLCENTRE_DATABASE_URL": url,
        "CALLCENTRE_DATA_DIR": folder,
        "CALLCENTRE_SECRET_KEY": "for a measurement",
    }
    return build_runtime(load_settings(settings), clock=ManualClock(MORNING))


def main() -> None:
    """Prepare, claim alone, then claim while the night runs; print what each took."""
    parser = argparse.ArgumentParser(prog="python -m bench.planning", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callcentre-bench-") as folder, a_database(asked.database) as url:
        runtime = _runtime(url, folder)
        upgrade(runtime.engine)
        prepare(runtime.sessions, runtime.programme, people=asked.people)
        print(f"{asked.people} people on {asked.database}")
        claims(runtime, times=40)
        _say("claims alone", claims(runtime))
        for name, at in (("first", NIGHT), ("usual", NIGHT + timedelta(days=1))):
            _measure_night(runtime, url, folder, name, at)
        _measure_claims(runtime, url, folder, NIGHT + timedelta(days=2))
        runtime.engine.dispose()


def _measure_night(runtime: Runtime, url: str, folder: str, name: str, at: datetime) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        running = pool.submit(_night_of, url, folder, at)
        meanwhile: list[float] = []
        while not running.done():
            meanwhile += claims(runtime, times=40)
        parts, megabytes = running.result()
    print(f"{name} night: {sum(part.wall for part in parts):.1f} s, {megabytes:.0f} MB")
    for part in parts:
        print(f"{part.name:16} {part.done:9}  {part.wall:7.1f} s  ({part.processor:.1f} s of processor)")
    _say("claims meanwhile", sorted(meanwhile))
    _say("claims after", claims(runtime))


def _measure_claims(runtime: Runtime, url: str, folder: str, at: datetime) -> None:
    """Claim in turns beside a night and while the same night is held, so that a host's moods fall on both alike."""
    beside: list[float] = []
    held: list[float] = []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=os.setpgrp) as pool:
        group = pool.submit(os.getpid).result()
        running = pool.submit(_night_of, url, folder, at)
        while not running.done():
            beside += claims(runtime, times=TURN)
            with _held(runtime.sessions, group):
                held += claims(runtime, times=TURN)
    _say("night held", sorted(held))
    _say("night running", sorted(beside))
    means = [sum(took) / len(took) for took in (beside, held)]
    print(f"a claim beside the night takes {means[0] / means[1]:.2f} of one while it is held, on average")


@contextmanager
def _held(sessions: sessionmaker[Session], group: int) -> Iterator[None]:
    """Hold the processes of a group, none of them in the middle of writing."""
    os.killpg(group, signal.SIGSTOP)
    try:
        while not _may_write(sessions):
            os.killpg(group, signal.SIGCONT)
            time.sleep(0.001)
            os.killpg(group, signal.SIGSTOP)
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


def _may_write(sessions: sessionmaker[Session]) -> bool:
    """Whether nobody holds the writer's place of SQLite; on a server there is none."""
    if not has_one_writer(sessions):
        return True
    other = sqlite3.connect(str(sessions.kw["bind"].url.database), timeout=0.0, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        other.close()
    return True


def _say(name: str, took: list[float]) -> None:
    mean, p50, p95 = sum(took) / len(took), took[len(took) // 2], took[len(took) * 95 // 100]
    print(
        f"{name:17} {len(took):6}  mean {mean:6.2f}  p50 {p50:6.2f}  p95 {p95:6.2f}  longest {took[-1]:6.1f} ms"
    )


if __name__ == "__main__":
    main()
