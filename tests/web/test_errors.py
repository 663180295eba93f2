"""Every error says what happened, what was kept and what to do, and undoes what it must."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import RequestEntityTooLarge

from callcentre.accounts import queries, users
from callcentre.database import reading
from callcentre.errors import CallCentreError, InvalidInput, LeaseLost, NotAllowed, StorageFull
from callcentre.web.context import user
from callcentre.web.guards import Guard
from callcentre.web.transaction import database
from tests.builders import make_world
from tests.web.site import START, Site, make_site, send, text_of

LOCKED = OperationalError("UPDATE", {}, sqlite3.OperationalError("unable to open database file"))
FULL = OperationalError("UPDATE", {}, sqlite3.OperationalError("database or disk is full"))

ERRORS: dict[str, Exception] = {
    "invalid": InvalidInput("Le poids est un nombre entier d'au moins 1.", field="weight"),
    "not-allowed": NotAllowed("Vous ne pouvez pas fermer votre propre compte.", reason="own_account"),
    "lease-lost": LeaseLost("Cette fiche n'est plus réservée pour vous.", kept=True),
    "lease-lost-not-kept": LeaseLost("Cette fiche n'est plus réservée pour vous.", kept=False),
    "storage": StorageFull("full"),
    "disk-full": FULL,
    "database": LOCKED,
    "crash": RuntimeError("Léa Martin, 06 39 98 12 34"),
    "large": RequestEntityTooLarge(),
}

EXPECTED = {
    "invalid": (422, "Le poids est un nombre entier d’au moins 1."),
    "not-allowed": (409, "Vous ne pouvez pas fermer votre propre compte."),
    "lease-lost": (409, "Ce que vous avez envoyé est gardé et signalé au superviseur."),
    "lease-lost-not-kept": (409, "Rien n’a été modifié."),
    "storage": (507, "est plein"),
    "disk-full": (507, "est plein"),
    "database": (503, "La base de données ne répond pas"),
    "crash": (500, "Quelque chose s’est mal passé de notre côté."),
    "large": (413, "dépasse la taille acceptée"),
}


@pytest.fixture
def failing(tmp_path: Path, sqlite_url: str) -> Iterator[Site]:
    """A site with an address that changes something, then fails in the way it is asked to."""
    site = make_site(tmp_path, sqlite_url)
    add_failures(site.app)
    yield site
    site.runtime.engine.dispose()


def add_failures(app: Flask) -> None:
    blueprint = Blueprint("failing", __name__)

    @blueprint.route("/fail/<kind>", methods=["GET", "POST"])
    def fail(kind: str) -> str:
        users.rename(database(), user().id, "Changed before the failure")
        raise ERRORS[kind]

    app.extensions["guards"]["failing"] = Guard.signed_in()
    app.register_blueprint(blueprint)
    app.testing = False


@pytest.mark.parametrize("kind", ERRORS)
def test_a_page_says_what_happened_and_what_was_kept(failing: Site, kind: str) -> None:
    status, words = EXPECTED[kind]
    answer = send(failing.client("officer"), f"/fail/{kind}")
    assert answer.status_code == status
    assert words in text_of(answer)
    for heading in ("Ce qui s’est passé", "Ce qui est gardé", "Ce que vous pouvez faire"):
        assert heading in text_of(answer)


@pytest.mark.parametrize("kind", ERRORS)
def test_only_what_was_kept_is_committed(failing: Site, kind: str) -> None:
    send(failing.client("officer"), f"/fail/{kind}")
    with reading(failing.runtime.sessions) as session:
        found = queries.user(session, failing.ids["officer"])
    assert found is not None
    assert (found.display_name == "Changed before the failure") == (kind == "lease-lost")


@pytest.mark.parametrize("kind", ERRORS)
def test_a_program_gets_a_stable_code(failing: Site, kind: str) -> None:
    client = failing.client("officer")
    answer = client.get(f"/fail/{kind}", headers={"Accept": "application/json"})
    assert answer.status_code == EXPECTED[kind][0]
    assert answer.json is not None
    error = ERRORS[kind]
    if isinstance(error, CallCentreError):
        assert answer.json["error"]["code"] == error.code
    assert answer.json["kept"] == (kind == "lease-lost")
    assert answer.json["error"]["todo"]


def test_a_crash_shows_a_reference_and_no_detail(failing: Site) -> None:
    answer = failing.client("officer").get("/fail/crash")
    assert answer.headers["X-Request-Id"] in text_of(answer)
    assert "Martin" not in text_of(answer)


def test_errors_speak_the_language_of_the_user(failing: Site) -> None:
    client = failing.client("officer")
    send(client, "/account/preferences", language="en")
    assert "The weight is a whole number of at least 1." in text_of(client.get("/fail/invalid"))
    assert "Page not found" in text_of(client.get("/nowhere"))
    assert "Not possible here" in text_of(client.get("/sign-out"))


def test_an_upload_over_the_limit_is_refused_in_words(tmp_path: Path, sqlite_url: str) -> None:
    site = make_site(tmp_path, sqlite_url, upload_megabytes="1")
    answer = site.client("officer").post("/account/preferences", data={"theme": "x" * 1_100_000})
    assert answer.status_code == 413
    assert "dépasse la taille acceptée" in text_of(answer)
    site.runtime.engine.dispose()


def test_a_number_that_no_id_can_be_leads_nowhere(site: Site) -> None:
    make_world(site.runtime.sessions, START, people=0, cast={})
    rules = [
        rule.rule
        for rule in site.app.url_map.iter_rules()
        if "<int" in rule.rule and "GET" in (rule.methods or ())
    ]
    assert len(rules) > 10
    clients = [site.client(login) for login in ("officer", "supervisor", "admin")]
    for rule in rules:
        for number in (2**31, 2**63 - 1, 2**63, 10**20):
            address = re.sub(r"<int[^>]*>", str(number), rule).replace("<kind>", "csv")
            statuses = {client.get(address).status_code for client in clients}
            assert max(statuses) < 500, address
            if int(number) > 2**63 - 1:
                assert statuses == {404}, address


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/people/{}/opposition", 10**20),
        ("/supervision/people/{}/reopen", 10**20),
        ("/supervision/hours/versions/{}", 10**20),
        ("/supervision/hours/versions/{}", 2**31),
    ],
)
def test_a_form_does_not_reach_a_number_that_no_id_can_be(site: Site, path: str, number: int) -> None:
    make_world(site.runtime.sessions, START, people=0, cast={})
    site.app.testing = False
    answer = send(site.client("supervisor"), path.format(number), why="x", reason="x", sure="yes")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("sent_to", "page"),
    [
        ("/supervision/hours/freeze", "/supervision/hours"),
        ("/people/7/support", "/people/7"),
        ("/details/steps/5", "/details"),
        ("/desk/leases/abc/outcome", "/desk"),
    ],
)
def test_what_a_form_was_sent_to_leads_back_to_its_page(site: Site, sent_to: str, page: str) -> None:
    answer = site.client("supervisor").get(sent_to)
    assert (answer.status_code, answer.headers["Location"]) == (302, page)


def test_ready_says_what_is_missing(site: Site, tmp_path: Path) -> None:
    assert site.client().get("/health/ready").status_code == 200
    assert site.client().get("/health/live").json == {"status": "ok"}
    with site.runtime.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")
    answer = site.client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["problem"] == "migrations"
