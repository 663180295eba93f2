"""Take the pictures of the README: `make screenshots` starts a demonstration of its own and photographs its pages.

The officer works a few cards first, so that the pages have something to tell.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from callcentre.demo.team import PASSWORD

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
PATIENCE_SECONDS = 600
"""The demonstration plays some weeks before it opens."""


def main() -> None:
    """Photograph the desk, the supervision, the funnel and the lists."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with demonstration() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS
        )
        officer = signed_in(browser, address, "officier1")
        work_some_cards(officer)
        shoot(officer, "desk")
        officer.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        shoot(officer, "desk-phone")
        supervisor = signed_in(browser, address, "superviseur")
        for name in ("supervision", "funnel", "lists"):
            supervisor.goto(f"{address}/{name}", wait_until="load")
            shoot(supervisor, name)
        dark = signed_in(browser, address, "officier2", scheme="dark")
        dark.keyboard.press("s")
        dark.locator("#result-form, form[data-outbox]").first.wait_for()
        shoot(dark, "desk-dark")
        browser.close()


@contextmanager
def demonstration() -> Iterator[str]:
    """Run `make run`'s launcher on a free port with data of its own; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PORT": str(port), "CALLCENTRE_DATA_DIR": folder}
        server = subprocess.Popen([sys.executable, "-m", "workers.launch"], env=environment)
        try:
            wait_until_ready(server, f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=15)


def wait_until_ready(server: subprocess.Popen[bytes], address: str) -> None:
    """Return once the site answers; raise when it stopped or never does."""
    for _ in range(PATIENCE_SECONDS):
        try:
            with urlopen(f"{address}/health/ready", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, TimeoutError):
            pass
        try:
            server.wait(timeout=1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise RuntimeError("the demonstration did not open")


def signed_in(browser: Browser, address: str, login: str, *, scheme: str = "light") -> Page:
    """Return a page signed in as one of the team."""
    context = browser.new_context(
        locale="fr-FR",
        timezone_id="Europe/Paris",
        viewport={"width": LAPTOP["width"], "height": LAPTOP["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(f"{address}/", wait_until="load")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
    return page


def work_some_cards(page: Page) -> None:
    """Take a card and record some results, by keys only."""
    page.keyboard.press("s")
    for key in ("Digit5", "Digit6", "Digit5"):
        page.locator("input[name=disposition]").first.wait_for(state="attached")
        page.keyboard.press(key)
        with page.expect_navigation():
            page.keyboard.press("Control+Enter")


def shoot(page: Page, name: str) -> None:
    """Save what a person sees."""
    page.wait_for_load_state("load")
    page.screenshot(path=str(FOLDER / f"{name}.png"))


if __name__ == "__main__":
    main()
