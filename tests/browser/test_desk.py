"""The desk in a real Chromium: a day's work by keyboard, and nothing lost when line, session or tab go."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import func, select, update

from callcentre.accounts.kinds import Language, Theme
from callcentre.accounts.models import UserSession
from callcentre.accounts.users import set_preferences
from callcentre.callqueue import lease as leases
from callcentre.database import reading, writing
from callcentre.desk import drafts, serving, settling
from callcentre.outreach.models import Attempt, Callback
from tests.builders import World, a_person, make_world
from tests.web.site import START, Site

pytestmark = pytest.mark.browser

PHONE = """
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="tel:"]');
  if (!link || event.isTrusted) return;
  event.preventDefault();
  (window.dialled ??= []).push(link.href);
}, true);
"""
"""Stands for the telephone of the machine: it takes the number that the page asks to dial."""

SignIn = Callable[..., Page]
Check = Callable[[Page], None]


@pytest.fixture
def world(site: Site) -> World:
    """A programme with five people who may be called now."""
    return make_world(site.runtime.sessions, START, people=5)


@pytest.fixture
def foreign(context: BrowserContext, address: str) -> list[str]:
    """The requests that left this machine's own site; there must be none."""
    asked: list[str] = []
    context.add_init_script(PHONE)
    context.on(
        "request",
        lambda request: None if request.url.startswith((address, "data:")) else asked.append(request.url),
    )
    return asked


@pytest.fixture
def desk(world: World, foreign: list[str], sign_in: SignIn) -> Page:
    """An officer in front of the desk, nobody's card open."""
    return sign_in("officer")


def results(site: Site) -> list[str | None]:
    """The results recorded so far, in order."""
    with reading(site.runtime.sessions) as session:
        return list(session.scalars(select(Attempt.disposition).order_by(Attempt.id)))


def name(page: Page) -> str:
    """Whose card is open."""
    return page.locator("#name").inner_text()


def next_card(page: Page) -> str:
    """Press *next* on the keyboard; return the name on the card."""
    page.keyboard.press("s")
    expect(page.locator("#name")).to_be_focused()
    return name(page)


def call(page: Page) -> None:
    """Call by key."""
    page.keyboard.press("c")
    expect(page.locator("#call-clock")).to_be_visible()


def save(page: Page) -> None:
    """Save and go to the next person, by key."""
    before = name(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#name")).not_to_have_text(before)


def both_themes(page: Page, check: Check) -> None:
    """Check what is shown in light and in dark."""
    schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        check(page)
    wide = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide is not None:
        page.set_viewport_size(wide)
    assert over <= 0, f"{page.url} is {over} px too wide for 390 px"


def test_officer_works_by_keyboard_alone(desk: Page, site: Site, check: Check, foreign: list[str]) -> None:
    expect(desk.get_by_role("button", name="Personne suivante")).to_be_focused()
    both_themes(desk, check)
    first = next_card(desk)
    expect(desk).to_have_title(re.compile(re.escape(first)))
    assert desk.evaluate("document.documentElement.scrollHeight <= innerHeight"), (
        "the card scrolls at 1366 x 768"
    )
    both_themes(desk, check)

    call(desk)
    assert desk.evaluate("window.dialled.length") == 1
    desk.keyboard.press("Digit5")
    expect(desk.get_by_label("Pas de réponse")).to_be_checked()
    desk.keyboard.press("n")
    desk.keyboard.type("Sonne longtemps")
    save(desk)
    assert results(site) == ["no_answer"]
    expect(desk.locator("#undo-bar")).to_contain_text("Résultat enregistré : Pas de réponse")
    expect(desk.locator("[data-countdown]")).to_have_text(re.compile(r"\(\d:\d\d\)"))
    expect(desk.locator("#name")).to_be_focused()
    expect(desk.locator("#desk-status")).to_contain_text(f"Fiche de {name(desk)}")
    both_themes(desk, check)

    desk.keyboard.press("z")
    expect(desk.locator("#name")).to_have_text(first)
    expect(desk.locator("#call-clock")).to_be_visible()
    desk.keyboard.press("3")
    expect(desk.locator("#usual-times input").first).to_be_focused()
    both_themes(desk, check)
    desk.keyboard.press("Space")
    save(desk)
    assert results(site) == ["call_back"]
    with reading(site.runtime.sessions) as session:
        assert session.scalar(select(func.count()).select_from(Callback)) == 1
    expect(desk.locator("#my-promises")).to_contain_text("1 rappel aujourd")

    skipped = name(desk)
    desk.keyboard.press("k")
    expect(desk.locator("#skip-menu input:checked")).to_be_focused()
    both_themes(desk, check)
    desk.get_by_role("button", name="Passer à la suivante", exact=True).press("Enter")
    expect(desk.locator("#name")).not_to_have_text(skipped)

    desk.keyboard.press("p")
    expect(desk.locator("#pause-menu button").first).to_be_focused()
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="En pause")).to_be_visible()
    both_themes(desk, check)
    desk.keyboard.press("s")
    expect(desk.locator("#name")).to_be_visible()
    assert foreign == []


def test_whole_round_in_english(desk: Page, site: Site, check: Check) -> None:
    with writing(site.runtime.sessions) as session:
        set_preferences(session, site.ids["officer"], language=Language.ENGLISH, theme=Theme.DARK)
    desk.reload()
    desk.get_by_role("button", name="Next person").press("Enter")
    expect(desk.locator("#name")).to_be_visible()
    expect(desk.locator(".why")).to_have_text("First call, in the morning slot.")
    expect(desk.locator("#opening-words")).to_contain_text("Hello, my name is Camille Roux")
    check(desk)
    call(desk)
    desk.keyboard.press("2")
    expect(desk.locator("#partner")).to_be_focused()
    desk.keyboard.type("Mission locale")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#error-appointment_date")).to_have_text("Write the date as dd/mm/yyyy.")
    expect(desk.locator("#appointment_date")).to_be_focused()
    check(desk)
    desk.keyboard.type("01/12/2026")
    desk.keyboard.press("Tab")
    desk.keyboard.type("9:30")
    save(desk)
    expect(desk.locator("#undo-bar")).to_contain_text("Result saved: Reached: appointment made")
    assert results(site) == ["appointment"]


def test_digits_are_read_by_their_place_and_letters_by_what_they_write(desk: Page) -> None:
    next_card(desk)
    press = """([code, key, shiftKey]) => document.body.dispatchEvent(
        new KeyboardEvent("keydown", { code, key, shiftKey, bubbles: true, cancelable: true }))"""
    desk.evaluate(press, ["Digit6", "-", False])  # the key 6 of a French keyboard writes a hyphen
    expect(desk.locator("input[name=disposition][value=voicemail]")).to_be_checked()
    desk.evaluate(press, ["KeyQ", "a", False])
    expect(desk.get_by_label("Numéro non attribué")).to_be_checked()
    desk.evaluate(press, ["Period", "/", True])
    expect(desk.locator("#search")).to_be_focused()
    desk.keyboard.type("5 personnes")
    expect(desk.get_by_label("Numéro non attribué")).to_be_checked()


def test_escape_leaves_a_field_so_that_the_keys_work_again(desk: Page, site: Site) -> None:
    next_card(desk)
    call(desk)
    desk.keyboard.press("n")
    desk.keyboard.type("Rappeler après 18 h")
    desk.keyboard.press("Escape")
    expect(desk.locator("#result-title")).to_be_focused()
    desk.keyboard.press("2")
    expect(desk.locator("#partner")).to_be_focused()
    desk.keyboard.type("Mission locale 5")
    desk.keyboard.press("Escape")
    desk.keyboard.press("5")
    expect(desk.get_by_label("Pas de réponse")).to_be_checked()
    save(desk)
    assert results(site) == ["no_answer"]
    desk.keyboard.press("/")
    desk.keyboard.type("personne")
    desk.keyboard.press("Escape")
    expect(desk.locator("#name")).to_be_focused()


def test_search_opens_a_card_without_leaving_the_page(
    desk: Page, site: Site, world: World, check: Check
) -> None:
    next_card(desk)
    with writing(site.runtime.sessions) as session:
        a_person(
            session, world, now=START, first_name="Ilyès", family_name="Trouvé", numbers=["+33639987654"]
        )
    desk.keyboard.press("/")
    desk.keyboard.type("76 54")
    desk.keyboard.press("Enter")
    expect(desk.locator("#search-results")).to_contain_text("Ilyès Trouvé")
    assert "76" not in desk.url
    both_themes(desk, check)
    desk.get_by_role("button", name="Rendre la fiche et ouvrir : Ilyès Trouvé").click()
    expect(desk.locator("#name")).to_have_text("Ilyès Trouvé")
    desk.keyboard.press("/")
    desk.keyboard.type("personne de ce nom")
    desk.keyboard.press("Enter")
    expect(desk.locator("#search-results")).to_contain_text("Aucune personne trouvée")
    desk.keyboard.press("Escape")
    expect(desk.locator("#search-results")).to_be_hidden()


def test_cut_line_keeps_the_result_and_sends_it_once(desk: Page, site: Site, check: Check) -> None:
    first = next_card(desk)
    call(desk)
    desk.keyboard.press("6")
    desk.context.set_offline(True)
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#outbox-state")).to_contain_text("1 résultat en attente d’envoi")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#name")).to_have_text(first)
    assert results(site) == [None]
    desk.context.set_offline(False)
    expect(desk.locator("#name")).not_to_have_text(first)
    assert results(site) == ["voicemail"]


def test_answer_that_is_lost_on_the_way_does_not_count_twice(desk: Page, site: Site) -> None:
    first = next_card(desk)
    call(desk)
    lost: list[int] = []

    def lose_the_first_answer(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort()

    desk.route("**/outcome", lose_the_first_answer)
    desk.keyboard.press("7")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#name")).not_to_have_text(first)
    assert lost == [201]
    assert results(site) == ["busy"]


def test_call_is_not_made_when_it_cannot_be_recorded(desk: Page, site: Site) -> None:
    next_card(desk)
    desk.context.set_offline(True)
    desk.keyboard.press("c")
    expect(desk.locator("#call-error")).to_contain_text("N’appelez pas encore")
    desk.context.set_offline(False)
    assert desk.evaluate("window.dialled") is None
    assert results(site) == []
    desk.locator("#main-number").click()
    expect(desk.locator("#call-clock")).to_be_visible()
    assert results(site) == [None]


def test_ended_session_loses_nothing(
    desk: Page, site: Site, context: BrowserContext, sign_in: SignIn, check: Check
) -> None:
    first = next_card(desk)
    call(desk)
    desk.keyboard.press("5")
    desk.fill("#note", "Ne doit pas se perdre")
    with writing(site.runtime.sessions) as session:
        session.execute(update(UserSession).values(revoked_at=START))
    desk.press("#note", "Control+Enter")
    expect(desk.locator("#session-dialog")).to_be_visible()
    check(desk)
    sign_in("officer", tab=context.new_page())
    expect(desk.locator("#name")).not_to_have_text(first)
    with reading(site.runtime.sessions) as session:
        assert session.scalars(select(Attempt.note)).all() == ["Ne doit pas se perdre"]


def test_closed_tab_keeps_the_note(desk: Page, context: BrowserContext) -> None:
    first = next_card(desk)
    desk.fill("#note", "Habite chez sa tante")
    expect(desk.locator("[data-autosave-state]")).to_contain_text("Brouillon enregistré")
    desk.close()
    again = context.new_page()
    again.goto("/desk")
    expect(again.locator("#name")).to_have_text(first)
    expect(again.locator("#note")).to_have_value("Habite chez sa tante")


def test_result_that_was_picked_and_not_sent_is_forgotten_with_its_card(desk: Page, site: Site) -> None:
    first = next_card(desk)
    opposition = desk.locator("input[name=disposition][value=opposition]")
    opposition.check()
    desk.fill("#note", "Ne veut plus d’appels ?")
    expect(desk.locator("[data-autosave-state]")).to_contain_text("Brouillon enregistré")
    desk.reload()
    expect(opposition).to_be_checked()
    with writing(site.runtime.sessions) as session:
        held = leases.of_officer(session, site.ids["officer"])
        assert held is not None
        office = site.runtime.desk(session)
        serving.release(session, held.token, officer_id=held.officer_id, now=START)
        drafts.discard(session, officer_id=held.officer_id, person_id=held.person_id)
        serving.open_card(session, office, held.person_id, officer_id=held.officer_id, now=START)
    desk.reload()
    expect(desk.locator("#name")).to_have_text(first)
    expect(desk.locator("#note")).to_have_value("Ne veut plus d’appels ?")
    expect(desk.locator("input[name=disposition]:checked")).to_have_count(0)


def test_card_taken_away_says_so_and_keeps_what_was_typed(desk: Page, site: Site, check: Check) -> None:
    next_card(desk)
    desk.fill("#note", "Presque fini")
    with writing(site.runtime.sessions) as session:
        settling.release_officer(session, site.ids["officer"], by=site.ids["supervisor"], now=START)
    desk.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(desk.locator("#lease-lost")).to_be_visible()
    expect(desk.locator("#note")).to_have_value("Presque fini")
    both_themes(desk, check)
    desk.get_by_role("button", name="Personne suivante").click()
    expect(desk.locator("#lease-lost")).to_be_hidden()


def test_hidden_page_lets_its_card_go(desk: Page, site: Site) -> None:
    next_card(desk)
    hidden = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true})"
    desk.evaluate(hidden % "true")
    site.clock.advance(timedelta(minutes=1))
    desk.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    with reading(site.runtime.sessions) as session:
        held = leases.of_officer(session, site.ids["officer"])
    assert held is not None
    assert held.until == START + timedelta(minutes=2)
    desk.evaluate(hidden % "false")
    with desk.expect_response("**/renew"):
        desk.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    with reading(site.runtime.sessions) as session:
        held = leases.of_officer(session, site.ids["officer"])
    assert held is not None
    assert held.until == START + timedelta(minutes=3)


def test_promise_out_of_hours_offers_the_nearest(desk: Page, site: Site, check: Check) -> None:
    next_card(desk)
    call(desk)
    desk.keyboard.press("3")
    desk.fill("[name=callback_date]", "25/12/2026")
    desk.fill("[name=callback_time]", "14h30")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#error-callback_at")).to_contain_text("hors des heures d’appel")
    both_themes(desk, check)
    desk.get_by_label("Le plus proche : jeu. 24 déc.").check()
    save(desk)
    assert results(site) == ["call_back"]


def test_waiting_page_says_when_somebody_becomes_due(
    site: Site, sign_in: SignIn, foreign: list[str], check: Check
) -> None:
    world = make_world(site.runtime.sessions, START, people=0)
    page = sign_in("officer")
    expect(page.locator("#waiting h1")).to_have_text("Personne à appeler maintenant")
    both_themes(page, check)
    with writing(site.runtime.sessions) as session:
        a_person(session, world, now=START)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#waiting h1")).to_have_text("Prêt pour l’appel suivant")
    expect(page.locator("#toasts")).to_contain_text("Quelqu’un peut être appelé maintenant")
    expect(page.get_by_role("button", name="Personne suivante")).to_be_focused()


def test_person_page_in_every_state(desk: Page, site: Site, world: World, check: Check) -> None:
    next_card(desk)
    call(desk)
    desk.keyboard.press("5")
    save(desk)
    desk.locator("#undo-bar a").click()
    expect(desk.get_by_role("heading", name="Pourquoi pas maintenant, et quand ?")).to_be_visible()
    expect(desk.locator(".person-timeline")).to_contain_text("Pas de réponse")
    with desk.expect_response("**/renew"):  # the card that is open stays reserved meanwhile
        desk.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    both_themes(desk, check)
    desk.get_by_text("Noter une solution qui a commencé").click()
    desk.get_by_role("button", name="Enregistrer la solution").click()
    both_themes(desk, check)
    desk.get_by_label("Solution", exact=True).select_option("job")
    desk.get_by_label("Commencée le").fill("23/11/2026")
    desk.get_by_role("button", name="Enregistrer la solution").click()
    expect(desk.locator(".banner")).to_contain_text("sortie positive")
    both_themes(desk, check)
