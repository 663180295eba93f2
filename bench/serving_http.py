"""A claim with its card, and its outcome, through the JSON API of a real server."""

from __future__ import annotations

from pathlib import Path

from bench.measuring import Operation, measure
from callcentre.migrations import upgrade
from tests.contracts.processes import Officer, a_plant, hire, import_sample

CLIENTS = (8, 64)
PEOPLE = 3_274


def report(folder: Path, urls: dict[str, str]) -> None:
    """Print claims and outcomes a second for each database (empty when it begins) and number of clients."""
    for database, url in urls.items():
        ours = folder / database
        ours.mkdir()
        with a_plant(ours, url) as plant:
            upgrade(plant.runtime.engine)
            officers = hire(plant, max(CLIENTS))
            import_sample(plant.runtime, PEOPLE)
            plant.web.start()
            for clients in CLIENTS:
                claim_and_outcome = measure(_cycle(officers), clients=clients, times=max(10, 320 // clients))
                print(f"{database:<11}{clients:>3} clients  lease + outcome {claim_and_outcome}", flush=True)


def _cycle(officers: list[Officer]) -> Operation:
    def operation(client: int, _turn: int) -> None:
        officer = officers[client]
        status, answer = officer.ask("POST", "/leases")
        assert status in (200, 201), answer
        assert answer["lease"] is not None, answer
        token = answer["lease"]["token"]
        said, answer = officer.ask(
            "POST", f"/leases/{token}/outcome", {"disposition": "no_answer"}, key=token
        )
        assert said == 201, answer

    return operation
