"""`python -m bench.retry`: policies in simulated years, with common luck; prints the tables of docs/performance.md.

python -m bench.retry                                   every world here, 20 years each
python -m bench.retry --worlds FOLDER_OR_FILE … --seeds 5 --ablate --json OUT
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from bench.report import say
from bench.retry.comparing import ABLATIONS, CONTROLS, PRODUCT, Played, play
from bench.retry.tables import ablation_table, world_table
from bench.retry.world import HERE


def main() -> None:
    """Play the years that were asked for and print what they show."""
    parser = argparse.ArgumentParser(prog="python -m bench.retry", description=__doc__)
    parser.add_argument("--worlds", nargs="*", type=Path, default=[HERE], help="files, or folders of files")
    parser.add_argument("--seeds", type=int, default=20, help="years played in each world")
    parser.add_argument("--first", type=int, default=0, help="number of the first year")
    parser.add_argument("--ablate", action="store_true", help="also the rule without each of its parts")
    parser.add_argument("--only", nargs="*", help="these ablations alone, by name")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="keep every year played in this file")
    asked = parser.parse_args()
    files = [
        file
        for place in asked.worlds
        for file in (sorted(place.glob("*.json")) if place.is_dir() else [place])
    ]
    parts = [name for name in ABLATIONS if asked.ablate and (not asked.only or name in asked.only)]
    arms = [*CONTROLS, PRODUCT, *parts]
    jobs = [(file, seed, arms) for file in files for seed in range(asked.first, asked.first + asked.seeds)]
    with ProcessPoolExecutor(asked.processes) as pool:
        played: list[Played] = []
        for done, years in enumerate(pool.map(play, jobs), start=1):
            played += years
            if done % asked.seeds == 0:
                say(f"{done} of {len(jobs)}: {years[0].world}")
    if asked.json:
        asked.json.write_text(json.dumps([asdict(year) for year in played]), encoding="utf-8")
    say(world_table(played))
    if parts:
        say(ablation_table(played, parts))


if __name__ == "__main__":
    main()
