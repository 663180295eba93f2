"""An application on a database of its own, its fixed cast, and clients that are signed in."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callcentre.accounts.kinds import Role
from callcentre.accounts.users import create_user
from callcentre.app import create_app
from callcentre.clock import ManualClock
from callcentre.database import writing
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import load_settings

PASSWORD = "Une phrase assez longue 7"
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CAST = {
    "officer": Role.OFFICER,
    "colleague": Role.OFFICER,
    "supervisor": Role.SUPERVISOR,
    "admin": Role.ADMINISTRATOR,
}


@dataclass(frozen=True)
class Site:
    """An application, its runtime and clock, and the ids of its cast by login."""

    app: Flask
    runtime: Runtime
    clock: ManualClock
    ids: dict[str, int]

    def client(self, login: str | None = None) -> FlaskClient:
        """Return a browser, signed in when a login is given."""
        client = self.app.test_client()
        if login is not None:
            answer = sign_in(client, login)
            assert answer.status_code == 302, text_of(answer)
        return client


@pytest.fixture
def site(tmp_path: Path, sqlite_url: str) -> Iterator[Site]:
    """An application with a small cast: an officer, a colleague, a supervisor, an administrator."""
    clock = ManualClock(START)
    settings = load_settings(
        {
            "CALLCENTRE_DATA_DIR": str(tmp_path),
            "CALLCENTRE_DATABASE_URL": sqlite_url,
            "CALLCENTRE_SECRET_KEY": "for tests only",
        }
    )
    runtime = build_runtime(settings, clock=clock)
    app = create_app(runtime)
    app.testing = True
    ids = {}
    with writing(runtime.sessions) as session:
        for login, role in CAST.items():
            ids[login] = create_user(
                session, login, display_name=login.title(), role=role, password=PASSWORD, now=clock.now()
            )
    yield Site(app, runtime, clock, ids)
    runtime.engine.dispose()


def token_in(answer: TestResponse) -> str:
    """Return the CSRF token of a page."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', answer.get_data(as_text=True))
    assert found is not None, answer.get_data(as_text=True)[:500]
    return found[1]


def sign_in(client: FlaskClient, login: str, password: str = PASSWORD, **fields: str) -> TestResponse:
    """Send the sign-in form of a fresh page."""
    token = token_in(client.get("/sign-in"))
    return client.post(
        "/sign-in",
        data={"login": login, "password": password, "csrf_token": token, **fields},
        headers={"Origin": "http://localhost"},
    )


def send(client: FlaskClient, path: str, *, page: str = "/account", **fields: str) -> TestResponse:
    """Send a form of a page, with its CSRF token."""
    token = token_in(client.get(page))
    return client.post(path, data={"csrf_token": token, **fields}, headers={"Origin": "http://localhost"})


def text_of(answer: TestResponse) -> str:
    """Return what a page says, on one line, with ordinary spaces, without markup."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", answer.get_data(as_text=True), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


SignedIn = Callable[[str], FlaskClient]
