"""A real Chromium in front of a real server on loopback, both of this run alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server
from werkzeug.wsgi import ClosingIterator

from tests.builders import PASSWORD
from tests.serving import serving
from tests.web.site import Site, make_site

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, started once; nothing is downloaded."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            headless=True,
            args=FLAGS,
            env={**os.environ, "LANGUAGE": "fr_FR", "LANG": "fr_FR.UTF-8"},
        )
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path, sqlite_url: str) -> Iterator[Site]:
    """The application with its fixed cast; add what a test is about through `site.runtime`."""
    site = make_site(tmp_path, sqlite_url)
    yield site
    site.runtime.engine.dispose()


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    """Serve the site on a free port of loopback."""
    with serving(make_server("127.0.0.1", 0, _with_files_read(site.app), threaded=True)) as address:
        yield address


def _with_files_read(app: Flask) -> WSGIApplication:
    """The application, whose static files are read and closed before they are sent.

    The library's server leaves a file open when the browser hangs up while it is being sent, as at the end of a test.
    """

    def run(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = app(environ, start_response)
        if not environ["PATH_INFO"].startswith("/static/"):
            return answer
        with closing(cast(ClosingIterator, answer)) as parts:
            return [b"".join(parts)]

    return run


@pytest.fixture
def context(chromium: Browser, address: str) -> Iterator[BrowserContext]:
    """A fresh browser profile of a French officer's screen; fails on any error of the console."""
    context = chromium.new_context(
        base_url=address, locale="fr-FR", timezone_id="Europe/Paris", viewport={"width": 1366, "height": 768}
    )
    context.set_default_timeout(10_000)
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on(
        "console", lambda message: problems.append(message.text) if _is_problem(message.text) else None
    )
    yield context
    context.close()
    assert problems == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab that nobody has signed in from."""
    return context.new_page()


@pytest.fixture
def sign_in(page: Page) -> Callable[..., Page]:
    """Sign a tab in with a login of the cast."""

    def enter(login: str, *, tab: Page | None = None) -> Page:
        tab = tab or page
        tab.goto("/sign-in")
        tab.fill("#login", login)
        tab.fill("#password", PASSWORD)
        tab.press("#password", "Enter")
        tab.wait_for_url(lambda url: "/sign-in" not in url)
        return tab

    return enter


@pytest.fixture
def check() -> Callable[[Page], None]:
    """Say that axe finds nothing on a page as it is shown now, and that it holds in 320 px."""

    def run(page: Page) -> None:
        found = Axe().run(page, options=AXE)
        assert found.violations_count == 0, found.generate_report()
        size = page.viewport_size
        page.set_viewport_size({"width": 320, "height": 640})
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if size is not None:
            page.set_viewport_size(size)
        assert wider <= 0, f"{page.url} is {wider} px too wide for 320 px"

    return run


def _is_problem(text: str) -> bool:
    """A refused request is part of some stories; a broken script or a refused style never is."""
    return "Failed to load resource" not in text and any(
        sign in text for sign in ("Content Security Policy", "Uncaught", "Error:", "violates")
    )
