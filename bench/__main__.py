"""`make bench`: measures what docs/performance.md reports, and prints it."""

from __future__ import annotations

import argparse
import signal
import sys

from bench import claims, importing, serving_http
from bench.places import PEOPLE, a_place
from bench.report import machine, say

PARTS = ("claims", "api", "import")
DATABASES = ("sqlite", "postgresql")


def main() -> None:
    """Run the parts that were asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)}; all by default")
    parser.add_argument("--database", choices=DATABASES, help="only this one; both by default")
    parser.add_argument("--people", type=int, default=PEOPLE, help="people in the queue that claims search")
    parser.add_argument(
        "--rows", type=int, default=0, help="rows of the list that is imported; the sample by default"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds whose median is shown")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds of each kind of work in a round")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(unknown)}")
    parts = set(asked.parts or PARTS)
    databases = (asked.database,) if asked.database else DATABASES
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # even then no database server is left behind
    say(machine())
    for kind in databases if parts & {"claims", "api"} else ():
        with a_place(kind, asked.people) as place:
            if "claims" in parts:
                claims.measure(place, rounds=asked.rounds, seconds=asked.seconds)
            if "api" in parts:
                serving_http.measure(place, seconds=10 * asked.seconds)
    if "import" in parts:
        importing.measure(databases, rows=asked.rows, rounds=asked.rounds)


if __name__ == "__main__":
    main()
