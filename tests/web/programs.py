"""Programs that use the API with a personal token, and a site with people to call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callcentre.accounts.sign_in import create_token
from callcentre.database import writing
from tests.builders import World, make_world
from tests.web.site import Site, make_site

API = "/api/v1"
_keys = count(1)


@dataclass(frozen=True)
class Program:
    """A program that holds somebody's token."""

    client: FlaskClient
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Send a request; `Idempotency_Key="k"` becomes the header Idempotency-Key."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault("Authorization", f"Bearer {self.token}")
        return self.client.open(f"{API}{path}", method=method, json=body, headers=sent)

    def get(self, path: str, **headers: str) -> TestResponse:
        """Read."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Do."""
        return self.ask("POST", path, body, **headers)

    def next(self) -> dict[str, Any]:
        """Take the next person; there must be one."""
        answer = self.post("/leases")
        assert answer.status_code in {200, 201}, answer.text
        served: dict[str, Any] = answer.get_json()
        assert served["lease"] is not None, served
        return served

    def call(self, served: dict[str, Any], number_id: int | None = None) -> TestResponse:
        """Click a number of the card, by default the first that may be called."""
        number = number_id or next(n["id"] for n in served["numbers"] if n["refused"] is None)
        return self.post(f"/leases/{served['lease']['token']}/attempts", {"number_id": number})

    def wrap(self, served: dict[str, Any], disposition: str, key: str = "", **fields: Any) -> TestResponse:
        """Send an outcome, under a fresh key unless one is given."""
        return self.post(
            f"/leases/{served['lease']['token']}/outcome",
            {"disposition": disposition, **fields},
            Idempotency_Key=key or f"test-{next(_keys)}",
        )


@dataclass(frozen=True)
class Room:
    """A site, the people in its queue, and who works there."""

    site: Site
    world: World

    def program(self, login: str = "officer") -> Program:
        """Return a program with a fresh token of somebody of the cast."""
        with writing(self.site.runtime.sessions) as session:
            token = create_token(session, self.site.ids[login], "test", now=self.site.clock.now())
        return Program(self.site.app.test_client(), token)


@contextmanager
def a_room(folder: Path, url: str, *, people: int = 3, **settings: str) -> Iterator[Room]:
    """Give a site with people who may be called at once, one of each territory in turn."""
    site = make_site(folder, url, **settings)
    try:
        yield Room(site, make_world(site.runtime.sessions, site.clock.now(), people=people))
    finally:
        site.runtime.engine.dispose()


def error_of(answer: TestResponse) -> dict[str, Any]:
    """Return the error of an answer."""
    error: dict[str, Any] = answer.get_json()["error"]
    return error
