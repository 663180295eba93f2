"""Claim, and claim with outcome, against a bare update by primary key, in the same run.

100,000 people in 30 territories, all rules of the balance on; one lease per officer, so each claim of the claim-only
measure is another officer's. Rounds are interleaved and the ratio is taken inside each.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy import text

from bench.measuring import Measure, Operation, measure, middle
from bench.population import populate, programme_of
from callcentre.callqueue import lease as leases
from callcentre.callqueue.ledger import Ledger
from callcentre.clock import ManualClock
from callcentre.database import make_engine, make_session_factory, writing
from callcentre.desk import serving, wrap_up
from callcentre.desk.outcomes import Outcome
from callcentre.migrations import upgrade
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import load_settings

NOW = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
OFFICERS = 30_000
CLIENTS = (1, 8, 64)
_BARE = text("UPDATE queue_entries SET version = version + 1 WHERE id = :id")
_FREE = text(
    "UPDATE turns SET token = NULL, officer_id = NULL, granted_at = NULL, granted_on = NULL, renewed_at = NULL, "
    "lease_until = NULL, due_weights = NULL, attempt_id = NULL WHERE token IS NOT NULL"
)


@dataclass(frozen=True)
class Row:
    """The medians of one database and number of clients."""

    database: str
    clients: int
    bare: Measure
    claim: Measure
    cycle: Measure
    claim_ratio: float
    cycle_ratio: float


def rows(
    url: str, *, people: int, rounds: int, cache: float, clients: tuple[int, ...] = CLIENTS
) -> Iterator[Row]:
    """Measure on an empty database; `cache`: seconds for which the order of territories may be used again."""
    with populated(url, people=people, cache=cache) as (runtime, programme_id):
        for number in clients:
            yield _row(runtime, programme_id, people, number, rounds)


@contextmanager
def populated(url: str, *, people: int, cache: float) -> Iterator[tuple[Runtime, int]]:
    """A runtime over a database full of people, 30 territories, and officers enough for every claim."""
    with TemporaryDirectory() as folder:
        settings = load_settings({"CALLCENTRE_DATABASE_URL": url, "CALLCENTRE_DATA_DIR": folder})
        made = build_runtime(settings, clock=ManualClock(NOW))
        programme = programme_of(made.programme, 30)
        made.engine.dispose()
        engine = make_engine(url, pool_size=max(CLIENTS) + 8)
        runtime = replace(
            made,
            engine=engine,
            sessions=make_session_factory(engine),
            programmes={programme.code: programme},
            ledger=Ledger(timedelta(seconds=cache)),
        )
        upgrade(runtime.engine)
        programme_id = populate(
            runtime.sessions, programme, people=people, officers=OFFICERS, now=NOW - timedelta(minutes=5)
        )
        yield runtime, programme_id
        runtime.engine.dispose()


def _row(runtime: Runtime, programme_id: int, people: int, clients: int, rounds: int) -> Row:
    times = max(15, 480 // clients)
    operations = (_bare(runtime, people), _claim(runtime, programme_id), _cycle(runtime))
    taken: list[list[Measure]] = []
    for _ in range(rounds):
        taken.append([measure(operation, clients=clients, times=times) for operation in operations])
        _free(runtime)
    bare, claim, cycle = (middle([one[n] for one in taken]) for n in range(3))
    return Row(
        runtime.engine.dialect.name,
        clients,
        bare,
        claim,
        cycle,
        median(one[1].rate / one[0].rate for one in taken),
        median(one[2].rate / one[0].rate for one in taken),
    )


def _bare(runtime: Runtime, people: int) -> Operation:
    chosen = random.Random(1)

    def operation(_client: int, _turn: int) -> None:
        with writing(runtime.sessions) as session:
            session.execute(_BARE, {"id": chosen.randint(1, people)})

    return operation


def _claim(runtime: Runtime, programme_id: int) -> Operation:
    officers = count(100)
    lifetime = timedelta(seconds=120)

    def operation(_client: int, _turn: int) -> None:
        with writing(runtime.sessions) as session:
            lease = leases.claim_next(
                session,
                runtime.ledger,
                programme_id=programme_id,
                officer_id=next(officers),
                day=NOW.date(),
                now=runtime.clock.now(),
                lifetime=lifetime,
            )
        assert lease is not None

    return _ticking(runtime, operation)


def _cycle(runtime: Runtime) -> Operation:
    def operation(client: int, _turn: int) -> None:
        officer, now = client + 1, runtime.clock.now()
        with writing(runtime.sessions) as session:
            lease = serving.serve_next(session, runtime.desk(session), officer_id=officer, now=now)
        assert not isinstance(lease, serving.Nothing)
        with writing(runtime.sessions) as session:
            wrap_up.wrap_up(
                session,
                runtime.desk(session),
                lease.token,
                Outcome("no_answer"),
                officer_id=officer,
                key=lease.token,
                now=now,
            )

    return _ticking(runtime, operation)


def _ticking(runtime: Runtime, operation: Operation) -> Operation:
    """Let the clock go on a little at each operation, so that what is cached for a while is looked at again."""
    assert isinstance(runtime.clock, ManualClock)
    advance: Callable[[timedelta], datetime] = runtime.clock.advance

    def ticking(client: int, turn: int) -> None:
        advance(timedelta(milliseconds=1))
        operation(client, turn)

    return ticking


def _free(runtime: Runtime) -> None:
    """Give back what the claim-only measure took; a minute later the ledger has forgotten it."""
    with writing(runtime.sessions) as session:
        session.execute(text("DELETE FROM number_locks"))
        session.execute(_FREE)
    assert isinstance(runtime.clock, ManualClock)
    runtime.clock.advance(timedelta(minutes=1))
