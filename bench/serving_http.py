"""A lease with its card, and its outcome, through the JSON API of a real server."""

from __future__ import annotations

import itertools
import time
from datetime import timedelta

from bench.clients import Work, a_crew
from bench.places import MONDAY_TEN, Place
from bench.report import percentiles, say
from callcentre.accounts.sign_in import create_token
from callcentre.database import writing
from tests.contracts.processes import Officer, Plant, a_plant

CLIENTS = (8, 64)
CACHE_SECONDS = {8: "0", 64: "1"}
PARTS = {"lease": "lease with its card", "outcome": "its outcome"}


def measure(place: Place, *, seconds: float) -> None:
    """Print what 8 and 64 officers' programs achieve."""
    say(f"\nThrough the API, {place.name}: {place.people:,} people, {seconds:g} s\n")
    say("| clients | | per second | p50 ms | p95 ms | p99 ms |")
    say("|---|---|---|---|---|---|")
    for clients in CLIENTS:
        folder = place.folder / f"api-{clients}"
        folder.mkdir()
        settings = {
            "config_dir": place.settings["CALLCENTRE_CONFIG_DIR"],
            "balance_cache_seconds": CACHE_SECONDS[clients],
        }
        with a_plant(folder, place.settings["CALLCENTRE_DATABASE_URL"], **settings) as plant:
            tokens = _tokens(plant, clients)
            plant.web.start()
            with a_crew(clients, _Works, plant.port, tokens) as crew:
                crew.run("", 2.0)
                figures = crew.run("", seconds)
        for part, words in PARTS.items():
            say(f"| {clients} | {words} | {figures.rate:,.0f} | {percentiles(figures.seconds[part])} |")


def _tokens(plant: Plant, clients: int) -> list[str]:
    earlier = MONDAY_TEN - timedelta(hours=1)
    with writing(plant.runtime.sessions) as session:
        return [create_token(session, user, "measurement", now=earlier) for user in range(1, clients + 1)]


class _Works:
    """The officers' programs of one process."""

    def __init__(self, port: int, tokens: list[str], _first: int) -> None:
        self._officers = [Officer(number, port, token) for number, token in enumerate(tokens)]
        self._keys = itertools.count()

    def __call__(self, _kind: str, client: int) -> Work:
        """Return a client's work: a lease, and its outcome."""
        return lambda: self._work(self._officers[client])

    def _work(self, officer: Officer) -> dict[str, float]:
        start = time.perf_counter()
        status, answer = officer.ask("POST", "/leases")
        between = time.perf_counter()
        if status not in (200, 201) or answer.get("lease") is None:
            raise RuntimeError(f"no lease: {status}")
        token, key = answer["lease"]["token"], f"{officer.number}-{time.time_ns()}-{next(self._keys)}"
        said, _ = officer.ask("POST", f"/leases/{token}/outcome", {"disposition": "no_answer"}, key=key)
        if said != 201:
            raise RuntimeError(f"no outcome: {said}")
        return {"lease": between - start, "outcome": time.perf_counter() - between}
