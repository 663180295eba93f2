"""An application on a database of its own with a fixed cast, and short ways to use it as a browser does."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callcentre.accounts.kinds import Role
from callcentre.accounts.models import User
from callcentre.clock import ManualClock
from callcentre.database import writing
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import load_settings
from tests.builders import PASSWORD, password_hash
from tests.web.application import an_app

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday, 10:00 in France."""
CAST = {
    "officer": ("Camille Roux", Role.OFFICER),
    "colleague": ("Nadia Benali", Role.OFFICER),
    "supervisor": ("Sophie Garnier", Role.SUPERVISOR),
    "admin": ("Hélène Lefèvre", Role.ADMINISTRATOR),
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


def make_site(folder: Path, url: str, **settings: str) -> Site:
    """Return an application with its fixed cast on a migrated database; `settings` by their names."""
    environment = {f"CALLCENTRE_{name.upper()}": value for name, value in settings.items()}
    clock = ManualClock(START)
    runtime = build_runtime(
        load_settings(
            {
                "CALLCENTRE_DATA_DIR": str(folder),
                "CALLCENTRE_DATABASE_URL": url,
                "CALLCENTRE_SECRET_KEY": "for tests only",
                **environment,
            }
        ),
        clock=clock,
    )
    app = an_app(runtime)
    app.testing = True
    with writing(runtime.sessions) as session:
        cast = {login: _user(login, name, role) for login, (name, role) in CAST.items()}
        session.add_all(cast.values())
        session.flush()
        ids = {login: user.id for login, user in cast.items()}
    return Site(app, runtime, clock, ids)


def _user(login: str, name: str, role: Role) -> User:
    return User(
        login=login,
        display_name=name,
        role=role,
        password_hash=password_hash(),
        created_at=START,
        password_changed_at=START,
    )


def token_in(answer: TestResponse) -> str:
    """Return the CSRF token of a page."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', answer.get_data(as_text=True))
    assert found is not None, answer.get_data(as_text=True)[:500]
    return found[1]


def hidden_in(answer: TestResponse, name: str) -> str:
    """Return the value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.get_data(as_text=True))
    assert found is not None, answer.get_data(as_text=True)[:500]
    return html.unescape(found[1])


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
