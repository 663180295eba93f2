"""Claims and outcomes a second against a bare update by primary key, interleaved, with all balance rules on."""

from __future__ import annotations

import itertools
import random
import sqlite3
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import Engine, bindparam, text

from bench.clients import Crew, Work, a_crew
from bench.places import MONDAY_TEN, OFFICERS, Place
from bench.report import percentiles, say, spread
from callcentre.callqueue import lease as leases
from callcentre.clock import ShiftedClock, SystemClock
from callcentre.database import REQUEST, UtcDateTime, make_engine, writing
from callcentre.desk import serving
from callcentre.desk.outcomes import Outcome
from callcentre.desk.wrap_up import wrap_up

CLIENTS = (1, 8, 64)
CACHE_SECONDS = {1: "0", 8: "0", 64: "1"}
"""How long a look at the balance is used again; up to about fifty officers it is taken at every claim."""
FLOOR = "floor"
KINDS = {
    "driver": "bare update, driver alone",
    FLOOR: "bare update, in the product's transaction",
    "claim": "claim",
    "serve": "claim as the desk makes it",
    "cycle": "claim + outcome",
}
PARTS = {**KINDS, "outcome": "of which the outcome"}

_FLOOR = text("UPDATE turns SET lease_until = :until WHERE id = :id").bindparams(
    bindparam("until", type_=UtcDateTime())
)
_RESET = (
    text("DELETE FROM number_locks"),
    text(
        "UPDATE turns SET token = NULL, officer_id = NULL, granted_at = NULL, granted_on = NULL, renewed_at = NULL,"
        " lease_until = NULL, due_weights = NULL, attempt_id = NULL WHERE token IS NOT NULL OR lease_until IS NOT NULL"
    ),
)


@dataclass
class _Rounds:
    """What several rounds of one kind of work showed."""

    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def measure(place: Place, *, rounds: int, seconds: float) -> None:
    """Print what 1, 8 and 64 clients achieve."""
    say(
        f"\n{place.name}: {place.people:,} people, 30 territories, medians of {rounds} rounds of {seconds:g} s\n"
    )
    say("| clients | | per second | of the bare update | p50 ms | p95 ms | p99 ms |")
    say("|---|---|---|---|---|---|---|")
    engine = make_engine(place.settings["CALLCENTRE_DATABASE_URL"])
    for clients in CLIENTS:
        with a_crew(clients, _Works, place, CACHE_SECONDS[clients]) as crew:
            _show(clients, _measure(crew, engine, rounds, seconds))
    engine.dispose()


def _measure(crew: Crew, engine: Engine, rounds: int, seconds: float) -> dict[str, _Rounds]:
    found = {part: _Rounds() for part in PARTS}
    for kind in KINDS:  # connections, plans and caches are warm before anything counts
        crew.run(kind, max(1.0, crew.clients / 10))
    for _ in range(rounds):
        for kind in KINDS:
            _reset(engine)
            figures = crew.run(kind, seconds)
            found[kind].rates.append(figures.rate)
            for part, values in figures.seconds.items():
                found[part].seconds += values
    return found


def _show(clients: int, found: dict[str, _Rounds]) -> None:
    floor = found[FLOOR].rates
    for part, words in PARTS.items():
        rates = found[part].rates
        rate = f"{statistics.median(rates):,.0f}" if rates else ""
        ratio = spread([one / bare for one, bare in zip(rates, floor, strict=True)]) if rates else ""
        say(f"| {clients} | {words} | {rate} | {ratio} | {percentiles(found[part].seconds)} |")


def _reset(engine: Engine) -> None:
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

    def __init__(self, place: Place, cache_seconds: str, first: int) -> None:
        self._runtime = place.runtime(
            ShiftedClock(MONDAY_TEN, SystemClock().now()), balance_cache_seconds=cache_seconds
        )
        self._sessions, self._clock = self._runtime.sessions, self._runtime.clock
        with self._sessions() as session:
            self._desk = self._runtime.desk(session)
        self._rows = place.people // 2
        others = range(1000 + first * 200, OFFICERS)
        self._fresh: Iterator[int] = itertools.cycle(others[: OFFICERS // 2 - 1000])
        self._drivers: dict[int, tuple[Any, str]] = {}
        self._keys = itertools.count()

    def __call__(self, kind: str, client: int) -> Work:
        """Return a client's work of a kind."""
        chance = random.Random(client)
        work = {
            "driver": lambda: self._bare(client, chance),
            "floor": lambda: self._floor(chance),
            "claim": self._claim,
            "serve": self._serve,
        }
        return work.get(kind, lambda: self._cycle(client + 1))

    def _bare(self, client: int, chance: random.Random) -> dict[str, float]:
        if client not in self._drivers:
            self._drivers[client] = self._connect()
        connection, sql = self._drivers[client]
        now = self._clock.now()
        until = now if isinstance(connection, psycopg.Connection) else f"{now:%Y-%m-%d %H:%M:%S.%f}"
        start = time.perf_counter()
        connection.execute(sql, (until, chance.randrange(1, self._rows)))
        return {"driver": time.perf_counter() - start}

    def _connect(self) -> tuple[Any, str]:
        """Return a connection of the driver's own, a transaction for each statement, and the statement."""
        url, mark = self._runtime.engine.url, "%s"
        if self._runtime.engine.dialect.name == "postgresql":
            plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
            connection: Any = psycopg.connect(plain, autocommit=True)
        else:
            connection = sqlite3.connect(
                str(url.database), REQUEST.at_most, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA synchronous=NORMAL")
            mark = "?"
        return connection, f"UPDATE turns SET lease_until = {mark} WHERE id = {mark}"

    def _floor(self, chance: random.Random) -> dict[str, float]:
        start = time.perf_counter()
        with writing(self._sessions) as session:
            session.execute(_FLOOR, {"id": chance.randrange(1, self._rows), "until": self._clock.now()})
        return {"floor": time.perf_counter() - start}

    def _claim(self) -> dict[str, float] | None:
        officer, now, desk = next(self._fresh), self._clock.now(), self._desk
        start = time.perf_counter()
        with writing(self._sessions) as session:
            lease = leases.claim_next(
                session,
                desk.ledger,
                programme_id=desk.programme_id,
                officer_id=officer,
                day=desk.day(now),
                now=now,
                lifetime=desk.lifetime,
            )
        return None if lease is None else {"claim": time.perf_counter() - start}

    def _serve(self) -> dict[str, float] | None:
        officer = next(self._fresh)
        start = time.perf_counter()
        with writing(self._sessions) as session:
            served = serving.serve_next(session, self._desk, officer_id=officer, now=self._clock.now())
        return None if isinstance(served, serving.Nothing) else {"serve": time.perf_counter() - start}

    def _cycle(self, officer: int) -> dict[str, float] | None:
        key = f"{officer}-{time.time_ns()}-{next(self._keys)}"
        start = time.perf_counter()
        with writing(self._sessions) as session:
            served = serving.serve_next(session, self._desk, officer_id=officer, now=self._clock.now())
        if isinstance(served, serving.Nothing):
            return None
        between = time.perf_counter()
        with writing(self._sessions) as session:
            now, said = self._clock.now(), Outcome("no_answer")
            wrap_up(session, self._desk, served.token, said, officer_id=officer, key=key, now=now)
        end = time.perf_counter()
        return {"cycle": end - start, "outcome": end - between}
