"""Claims and outcomes a second against a bare update by primary key, interleaved, with all balance rules on."""

from __future__ import annotations

import itertools
import random
import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from bench.clients import Crew, Work, a_crew
from bench.population import populate, programme_of
from bench.report import percentiles, say
from bench.servers import a_database, version
from callcentre.callqueue import lease as leases
from callcentre.callqueue.ledger import Ledger
from callcentre.clock import ShiftedClock, SystemClock
from callcentre.database import make_engine, make_session_factory, writing
from callcentre.desk import serving
from callcentre.desk.context import Desk
from callcentre.desk.outcomes import Outcome
from callcentre.desk.wrap_up import wrap_up
from callcentre.directory import queries as directory
from callcentre.migrations import upgrade
from callcentre.programmes import load_programme
from callcentre.settings import ROOT, load_settings

MONDAY_TEN = datetime.fromisoformat("2026-11-23T10:05:00+01:00")
TERRITORIES, PEOPLE = 30, 100_000
CLIENTS = (1, 8, 64)
OFFICERS = 20_000
"""Accounts: a client that only claims does so as another officer each time."""
CACHE_SECONDS = {1: 0.0, 8: 0.0, 64: 1.0}
"""How long a look at the balance is used again; up to about fifty officers it is taken at every claim."""
KINDS = ("floor", "claim", "serve", "cycle")

_FLOOR = text("UPDATE turns SET lease_until = :until WHERE id = :id")
_RESET = (
    text("DELETE FROM number_locks"),
    text(
        "UPDATE turns SET token = NULL, officer_id = NULL, granted_at = NULL, granted_on = NULL, renewed_at = NULL,"
        " lease_until = NULL, due_weights = NULL, attempt_id = NULL WHERE token IS NOT NULL"
    ),
)


def main(*, rounds: int = 5, seconds: float = 3.0, people: int = PEOPLE) -> dict[str, Any]:
    """Measure both databases with 1, 8 and 64 clients."""
    results: dict[str, Any] = {}
    for kind in ("sqlite", "postgresql"):
        with a_database(kind) as url:
            engine = make_engine(url)
            upgrade(engine)
            programme = programme_of(
                load_programme(ROOT / "config/programmes/bouches-du-rhone.toml"), TERRITORIES
            )
            say(f"\n{version(url)}: {people:,} people, {TERRITORIES} territories")
            populate(
                make_session_factory(engine), programme, people=people, officers=OFFICERS, now=MONDAY_TEN
            )
            for clients in CLIENTS:
                with a_crew(clients, _works, url, people, CACHE_SECONDS[clients]) as crew:
                    results[f"{kind} {clients}"] = _rounds(crew, engine, rounds, seconds)
            engine.dispose()
    return results


def _rounds(crew: Crew, engine: Any, rounds: int, seconds: float) -> dict[str, Any]:
    for kind in KINDS:  # plans, caches and connections are warm before anything counts
        crew.run(kind, 0.5)
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        for kind in KINDS:
            _reset(engine)
            figures = crew.run(kind, seconds)
            rates[kind].append(figures.rate)
            for part, values in figures.seconds.items():
                taken.setdefault(part, []).extend(values)
    result: dict[str, Any] = {}
    for kind in KINDS:
        ratios = [rate / floor for rate, floor in zip(rates[kind], rates["floor"], strict=True)]
        result[kind] = {
            "per_second": round(statistics.median(rates[kind]), 1),
            "ratio": round(statistics.median(ratios), 2),
            "ratios": [round(ratio, 2) for ratio in ratios],
        }
    for part, values in taken.items():
        result[part] = {**result.get(part, {}), **percentiles(values)}
    say(f"{crew.clients} clients")
    for name, figures_ in result.items():
        say(f"  {name:10} {figures_}")
    return result


def _reset(engine: Any) -> None:
    """Give every claimed person back, so that each slice begins alike."""
    with engine.connect() as connection:
        connection = connection.execution_options(sqlite_begin="IMMEDIATE")
        for statement in _RESET:
            connection.execute(statement)
        connection.commit()
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM turns"))
            connection.execute(text("VACUUM number_locks"))


class _Works:
    """What the clients of one process work with."""

    def __init__(self, url: str, people: int, cache_seconds: float, first: int) -> None:
        programme = programme_of(
            load_programme(ROOT / "config/programmes/bouches-du-rhone.toml"), TERRITORIES
        )
        settings = load_settings(
            {"CALLCENTRE_DATABASE_URL": url, "CALLCENTRE_SECRET_KEY": "for a measurement"}
        )
        self.engine = make_engine(url, pool_size=64)
        self.sessions = make_session_factory(self.engine)
        self.clock = ShiftedClock(MONDAY_TEN, SystemClock().now())
        self.people = people
        with self.sessions() as session:
            programme_id = directory.programme_id(session, programme.code)
        assert programme_id is not None
        self.desk = Desk(programme, programme_id, settings, Ledger(timedelta(seconds=cache_seconds)))
        self.fresh: Iterator[int] = itertools.cycle(
            range(1000 + first * 200, 1000 + first * 200 + OFFICERS // 2 - 1000)
        )

    def __call__(self, kind: str, client: int) -> Work:
        """Return a client's work of a kind."""
        chance = random.Random(client)
        keys = itertools.count()
        match kind:
            case "floor":
                return lambda: self._floor(chance)
            case "claim":
                return self._claim
            case "serve":
                return self._serve
            case _:
                return lambda: self._cycle(client + 1, f"{client}-{time.time_ns()}-{next(keys)}")

    def _floor(self, chance: random.Random) -> dict[str, float]:
        start = time.perf_counter()
        with writing(self.sessions) as session:
            session.execute(_FLOOR, {"until": None, "id": chance.randrange(1, self.people // 2)})
        return {"floor": time.perf_counter() - start}

    def _claim(self) -> dict[str, float] | None:
        officer, now = next(self.fresh), self.clock.now()
        start = time.perf_counter()
        with writing(self.sessions) as session:
            lease = leases.claim_next(
                session,
                self.desk.ledger,
                programme_id=self.desk.programme_id,
                officer_id=officer,
                day=self.desk.day(now),
                now=now,
                lifetime=self.desk.lifetime,
            )
        return None if lease is None else {"claim": time.perf_counter() - start}

    def _serve(self) -> dict[str, float] | None:
        officer = next(self.fresh)
        start = time.perf_counter()
        with writing(self.sessions) as session:
            served = serving.serve_next(session, self.desk, officer_id=officer, now=self.clock.now())
        return None if isinstance(served, serving.Nothing) else {"serve": time.perf_counter() - start}

    def _cycle(self, officer: int, key: str) -> dict[str, float] | None:
        start = time.perf_counter()
        with writing(self.sessions) as session:
            served = serving.serve_next(session, self.desk, officer_id=officer, now=self.clock.now())
        if isinstance(served, serving.Nothing):
            return None
        between = time.perf_counter()
        with writing(self.sessions) as session:
            wrap_up(
                session,
                self.desk,
                served.token,
                Outcome("no_answer"),
                officer_id=officer,
                key=key,
                now=self.clock.now(),
            )
        end = time.perf_counter()
        return {"cycle": end - start, "cycle: served": between - start, "cycle: outcome": end - between}


def _works(url: str, people: int, cache_seconds: float, first: int) -> _Works:
    return _Works(url, people, cache_seconds, first)
