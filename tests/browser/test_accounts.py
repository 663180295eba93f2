"""Signing in, the frame of the pages and the account, in a real browser, by keyboard, in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.builders import PASSWORD
from tests.web.site import Site

pytestmark = pytest.mark.browser

SignIn = Callable[..., Page]
Check = Callable[[Page], None]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sign_in_page_is_accessible_when_fresh_and_when_refused(
    page: Page, check: Check, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto("/sign-in")
    check(page)
    expect(page.locator("#login")).to_be_focused()
    page.keyboard.type("officer")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Identifiant ou mot de passe incorrect")
    expect(page.locator("#login")).to_have_value("officer")
    expect(page.locator("#password")).to_be_focused()
    check(page)
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_account_pages_are_accessible_in_every_state(sign_in: SignIn, check: Check, scheme: str) -> None:
    page = sign_in("admin")
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for path in (
        "/account",
        "/account/password",
        "/account/back",
        "/users",
        "/users/new",
        "/users/1",
        "/nowhere",
    ):
        page.goto(path)
        check(page)
    page.goto("/account")
    page.locator("#user-menu summary").click()
    check(page)
    page.keyboard.press("Escape")
    expect(page.locator(".menu-panel")).to_be_hidden()
    expect(page.locator("#user-menu summary")).to_be_focused()
    page.get_by_label("Nom d’un nouveau jeton").fill("Tableur")
    page.get_by_role("button", name="Créer un jeton").click()
    expect(page.locator("#new-token")).to_contain_text("cct_")
    check(page)


def test_language_theme_and_density_change_from_the_menu(sign_in: SignIn, check: Check) -> None:
    page = sign_in("officer")
    page.goto("/account")
    root = page.locator("html")
    for button, attribute, value in (
        ("Sombre", "data-theme", "dark"),
        ("Serrée", "data-density", "compact"),
        ("English", "lang", "en"),
    ):
        page.locator("#user-menu summary").click()
        page.locator(".menu-panel").get_by_role("button", name=button).click()
        expect(root).to_have_attribute(attribute, value)
    expect(page.get_by_role("heading", name="My account")).to_be_visible()
    check(page)


def test_shortcuts_are_listed_and_can_be_turned_off(sign_in: SignIn, check: Check) -> None:
    page = sign_in("officer")
    page.goto("/account")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Raccourcis du clavier")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.get_by_label("Nom d’un nouveau jeton").focus()
    page.keyboard.type("?")
    expect(page.locator("#shortcuts-dialog")).to_be_hidden()
    expect(page.get_by_label("Nom d’un nouveau jeton")).to_have_value("?")
    page.locator("#single_keys").select_option("off")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("html")).to_have_attribute("data-single-keys", "off")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts-dialog")).to_be_hidden()


def test_an_ended_session_keeps_the_page_and_a_sign_in_elsewhere_restores_it(
    sign_in: SignIn, context: BrowserContext, check: Check
) -> None:
    page = sign_in("admin")
    page.goto("/users/new")
    page.get_by_label("Nom vu par les collègues").fill("Léa Martin")
    context.clear_cookies(name="callcentre_session")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    dialog = page.get_by_role("dialog", name="Votre session a pris fin")
    expect(dialog).to_be_visible()
    check(page)
    with context.expect_page() as opened:
        dialog.get_by_role("link", name="Se connecter dans un autre onglet").click()
    sign_in("officer", tab=opened.value)
    expect(dialog.get_by_text("Une autre personne est connectée")).to_be_visible()
    context.clear_cookies(name="callcentre_session")
    sign_in("admin", tab=opened.value)
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("status").filter(has_text="De nouveau connecté")).to_be_visible()
    page.get_by_label("Identifiant", exact=True).fill("lea.martin")
    page.get_by_role("button", name="Créer le compte").click()
    expect(page.get_by_role("heading", name="Léa Martin")).to_be_visible()


def test_somebody_idle_is_warned_before_the_end_and_can_stay(
    site: Site, sign_in: SignIn, check: Check
) -> None:
    page = sign_in("officer")
    page.goto("/account")
    site.clock.advance(timedelta(hours=7, minutes=56))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    dialog = page.get_by_role("dialog", name="Votre session va prendre fin")
    expect(dialog).to_be_visible()
    check(page)
    with page.expect_response(
        lambda answer: answer.url.endswith("/session") and answer.request.method == "POST"
    ):
        dialog.get_by_role("button", name="Rester connecté").click()
    site.clock.advance(timedelta(hours=4))
    page.goto("/account")
    expect(page.get_by_role("heading", name="Mon compte")).to_be_visible()


def test_a_form_sent_after_the_end_of_the_session_loses_nothing(
    sign_in: SignIn, context: BrowserContext
) -> None:
    page = sign_in("admin")
    page.goto("/users/new")
    page.get_by_label("Identifiant", exact=True).fill("lea.martin")
    page.get_by_label("Nom vu par les collègues").fill("Léa Martin")
    context.clear_cookies(name="callcentre_session")
    page.get_by_role("button", name="Créer le compte").click()
    expect(page.get_by_text("Ce que vous aviez saisi est gardé")).to_be_visible()
    page.fill("#login", "admin")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_role("heading", name="Léa Martin")).to_be_visible()


def test_pages_work_in_forced_colours_and_print_without_the_frame(sign_in: SignIn, check: Check) -> None:
    page = sign_in("admin")
    page.emulate_media(forced_colors="active")
    page.goto("/users")
    check(page)
    page.emulate_media(forced_colors="none", media="print")
    expect(page.locator(".top")).to_be_hidden()
    expect(page.get_by_role("link", name=re.compile("Camille Roux"))).to_be_visible()
