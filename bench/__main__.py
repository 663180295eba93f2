"""`make bench`: measures what docs/performance.md reports, and prints it."""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from sqlalchemy.engine import make_url

from bench import claims, importing, serving_http
from tests import postgresql

PARTS = ("claims", "api", "import")


def main() -> None:
    """Run the parts that were asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)}; all by default")
    parser.add_argument("--people", type=int, default=100_000, help="people in the queue that claims search")
    parser.add_argument("--rounds", type=int, default=5, help="rounds whose median is shown")
    parser.add_argument(
        "--cache", type=float, default=0.05, help="seconds the order of territories is used again"
    )
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(unknown)}")
    parts = asked.parts or PARTS
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(f"SQLite {sqlite3.sqlite_version}, {asked.people} people, {asked.rounds} rounds", flush=True)
    server = postgresql.start(os.getpid(), "callcentre_bench")
    with TemporaryDirectory() as name:
        folder = Path(name)
        if "claims" in parts:
            _claims(folder, server, asked)
        if "api" in parts:
            urls = {"sqlite": f"sqlite:///{folder / 'api.sqlite3'}", "postgresql": database(server, "api")}
            serving_http.report(folder, urls)
        if "import" in parts:
            importing.report(folder, lambda label: database(server, label), rounds=asked.rounds)


def _claims(folder: Path, server: str, asked: argparse.Namespace) -> None:
    for url in (f"sqlite:///{folder / 'claims.sqlite3'}", database(server, "claims")):
        for row in claims.rows(url, people=asked.people, rounds=asked.rounds, cache=asked.cache):
            print(f"{row.database:<11}{row.clients:>3} clients  bare update     {row.bare}")
            print(f"{'':<23} claim           {row.claim}  x {row.claim_ratio:.2f}")
            print(f"{'':<23} claim + outcome {row.cycle}  x {row.cycle_ratio:.2f}", flush=True)


def database(server: str, label: str) -> str:
    """Make an empty database on a server that stops with this process; return its address."""
    url = make_url(server)
    name = f"callcentre_bench_{os.getpid()}_{label}"
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return url.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)


if __name__ == "__main__":
    main()
