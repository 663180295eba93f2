"""Supervision and the funnel in a real Chromium: two pages that follow, a restart, both themes, both languages."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from callcentre.accounts.kinds import Language
from callcentre.accounts.users import set_preferences
from callcentre.database import writing
from callcentre.funnel import changes
from callcentre.funnel.stages import Stage
from tests.builders import PASSWORD, World, make_world
from tests.web.programs import Room
from tests.web.site import START, Site

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10_000
"""Milliseconds that a step may take on a busy machine; the page itself follows within a second."""


@pytest.fixture
def world(site: Site) -> World:
    """Six people to call, and some weeks of a funnel."""
    world = make_world(site.runtime.sessions, START, people=6)
    with writing(site.runtime.sessions) as session:
        for weeks, person in enumerate(world.people[:4]):
            changes.advance(
                session,
                programme_id=world.programme_id,
                person_id=person,
                stage=Stage.POSITIVE_EXIT if weeks == 3 else Stage.ACCOMPANIED if weeks else Stage.CONTACTED,
                at=START - timedelta(weeks=weeks),
                now=START,
                cause="test",
                by=site.ids["officer"],
            )
    return world


@pytest.fixture
def room(site: Site, world: World) -> Room:
    """The site with its people, whom officers call through the API."""
    return Room(site, world)


def work(room: Room) -> None:
    """One officer's morning: a result, a call under way, and a promise."""
    program = room.program()
    program.wrap(program.next(), "no_answer")
    program.wrap(program.next(), "call_back", callback_at="2026-11-23T13:30:00Z")
    program.call(program.next())


# --- the pages


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", list(Language))
def test_pages_are_accessible_in_both_themes_and_languages(
    room: Room,
    page: Page,
    sign_in: Callable[..., Page],
    check: Callable[[Page], None],
    scheme: Any,
    language: Language,
) -> None:
    work(room)
    with writing(room.site.runtime.sessions) as session:
        set_preferences(session, room.site.ids["supervisor"], language=language)
    page.emulate_media(color_scheme=scheme)
    sign_in("supervisor")
    for path in ("/supervision", "/funnel", "/people", "/supervision/territories"):
        page.goto(path)
        for details in page.locator("main details").all():
            details.locator("summary").click()
        check(page)


def test_the_keyboard_reaches_scrolling_tables_and_figures(
    room: Room, page: Page, sign_in: Callable[..., Page]
) -> None:
    work(room)
    sign_in("supervisor").goto("/supervision")
    page.locator("a.figure").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Appels de la journée")


def test_on_a_narrow_screen_the_page_shows_its_own_entry_and_what_is_said_of_a_table(
    room: Room, page: Page, sign_in: Callable[..., Page]
) -> None:
    work(room)
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in("supervisor").goto("/funnel")
    for part in (".nav [aria-current]", ".table caption"):
        box = page.locator(part).first.bounding_box()
        assert box is not None, part
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= 390, part


def test_a_page_follows_without_moving_focus_or_closing_details(
    room: Room, page: Page, sign_in: Callable[..., Page]
) -> None:
    served = room.program().next()
    sign_in("supervisor").goto("/supervision")
    page.locator("#balance-data summary").click()
    page.locator("h1").focus()
    room.program().wrap(served, "no_answer")
    expect(page.locator("#live-results")).to_contain_text("Pas de réponse", timeout=PATIENCE)
    expect(page.locator("#balance-data")).to_have_attribute("open", "")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    expect(page.locator("#live-badge")).to_have_attribute("data-state", "live")


def test_a_frozen_page_stands_still_until_it_is_released(
    room: Room, page: Page, sign_in: Callable[..., Page]
) -> None:
    served = room.program().next()
    sign_in("supervisor").goto("/supervision")
    page.locator("[data-live-pause]").click()
    other = page.context.new_page()
    other.goto("/supervision")
    room.program().wrap(served, "no_answer")
    expect(other.locator("#live-results")).to_contain_text("Pas de réponse", timeout=PATIENCE)
    expect(page.locator("#live-results")).not_to_contain_text("Pas de réponse")
    page.locator("[data-live-pause]").click()
    expect(page.locator("#live-results")).to_contain_text("Pas de réponse", timeout=PATIENCE)


def test_a_supervisor_settles_an_abandoned_call(room: Room, page: Page, sign_in: Callable[..., Page]) -> None:
    program = room.program()
    program.call(program.next())
    room.site.clock.advance(timedelta(minutes=31))
    sign_in("supervisor").goto("/supervision")
    page.locator("#live-todo li a").click()
    page.select_option("#disposition", "voicemail")
    page.get_by_role("button", name="Enregistrer le résultat").click()
    expect(page.locator("#live-todo")).to_contain_text("Rien n’attend de décision")
    expect(page.locator("#live-results")).to_contain_text("Répondeur")


def test_a_mistaken_refusal_is_decided_undone_and_read_again(
    room: Room, page: Page, sign_in: Callable[..., Page], check: Callable[[Page], None]
) -> None:
    served = room.program().next()
    made = room.program().wrap(served, "guardian_refusal").get_json()["attempt_id"]
    person = served["lease"]["person_id"]
    room.site.clock.advance(timedelta(hours=1))
    sign_in("supervisor").goto("/supervision")
    page.locator("#live-todo li a").click()
    check(page)
    page.get_by_label("Ne plus appeler le jeune").check()
    page.get_by_role("button", name="Enregistrer la décision").click()
    expect(page.locator("#errors")).to_be_focused()
    check(page)
    page.get_by_label("Continuer d’appeler").check()
    page.get_by_role("button", name="Enregistrer la décision").click()
    expect(page.locator("#live-todo")).to_contain_text("Rien n’attend de décision")
    page.goto(f"/people/{person}")
    page.get_by_role("link", name="Annuler ce résultat").click()
    check(page)
    assert page.url.endswith(f"/supervision/calls/{made}/undo")
    page.get_by_label("Raison").fill("Mauvaise touche")
    page.get_by_role("button", name="Annuler ce résultat").click()
    expect(page.locator(".person-timeline")).to_contain_text("Résultat annulé par un superviseur")
    check(page)
    page.goto("/supervision/decisions")
    expect(page.locator("table")).to_contain_text("Mauvaise touche")
    page.emulate_media(color_scheme="dark")
    check(page)


@pytest.mark.parametrize("what", ["", "?what=changes"])
def test_the_journal_is_readable_in_light_and_dark(
    room: Room, page: Page, sign_in: Callable[..., Page], check: Callable[[Page], None], what: str
) -> None:
    served = room.program().next()
    room.program().wrap(served, "guardian_refusal")
    sign_in("admin").goto(f"/people/{served['lease']['person_id']}")
    page.goto(f"/audit{what}")
    expect(page.locator("tbody tr").first).to_be_visible()
    schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        check(page)


# --- two supervisors, and the server restarted


@pytest.fixture
def server(site: Site, sqlite_url: str, tmp_path: Path) -> Iterator[Server]:
    server = Server(sqlite_url, tmp_path)
    server.start()
    yield server
    server.stop()


class Server:
    """The real web server of `make run`, on a free port of loopback, with the clock of the tests."""

    def __init__(self, database_url: str, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._environment = {
            **os.environ,
            "PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            "CALLCENTRE_DATA_DIR": str(folder),
            "CALLCENTRE_DATABASE_URL": database_url,
            "CALLCENTRE_SECRET_KEY": "for tests only",
            "CALLCENTRE_CLOCK_START": START.isoformat(),
            "CALLCENTRE_CLOCK_ANCHOR": datetime.now(UTC).isoformat(),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "config" / "gunicorn.conf.py")]
        self._process = subprocess.Popen(command, env=self._environment, cwd=ROOT, start_new_session=True)
        while not self._answers():
            assert self._process.poll() is None, "the server did not start"

    def stop(self) -> None:
        """Ask it to stop as Ctrl-C does; open streams must not delay it until it is killed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(15)
            self._process = None

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/health/live")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@pytest.fixture
def screens(chromium: Browser, server: Server) -> Iterator[tuple[Page, Page]]:
    """Two browsers on the live page: a supervisor's and an administrator's."""
    contexts = [
        chromium.new_context(base_url=server.address, locale="fr-FR", viewport={"width": 1366, "height": 768})
        for _ in range(2)
    ]
    pages = [
        _signed_in(context, login) for context, login in zip(contexts, ("supervisor", "admin"), strict=True)
    ]
    yield pages[0], pages[1]
    for context in contexts:
        context.close()


def _signed_in(context: BrowserContext, login: str) -> Page:
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto("/supervision")
    return page


def test_two_supervisors_follow_an_outcome_also_after_a_restart(
    room: Room, server: Server, screens: tuple[Page, Page]
) -> None:
    program = room.program()
    program.wrap(program.next(), "no_answer")
    for page in screens:
        expect(page.locator("#live-results")).to_contain_text("Pas de réponse", timeout=PATIENCE)
    server.stop()
    for page in screens:
        expect(page.locator("#live-badge")).not_to_have_attribute("data-state", "live", timeout=PATIENCE)
    program.wrap(program.next(), "voicemail")
    server.start()
    for page in screens:
        expect(page.locator("#live-badge")).to_have_attribute("data-state", "live", timeout=3 * PATIENCE)
        expect(page.locator("#live-results")).to_contain_text("Répondeur", timeout=PATIENCE)
    program.wrap(program.next(), "interested", callback_at="2026-11-24T10:00:00Z")
    for page in screens:
        expect(page.locator("#live-results")).to_contain_text("Joint", timeout=PATIENCE)
        expect(page.locator("#live-figures")).to_contain_text("Contacts aujourd’hui")
