"""A conversation and a bridged call in a real Chromium, through the real client of the provider and its stand-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select
from twilio.jwt.access_token import AccessToken

from callcentre.accounts.kinds import Language, Theme
from callcentre.accounts.users import set_preferences
from callcentre.callqueue.models import QueueEntry, Turn
from callcentre.clock import ManualClock
from callcentre.database import writing
from callcentre.outreach import calls
from callcentre.outreach.message_models import ProviderCall
from callcentre.people.numbers import number_row
from callcentre.standin.phone_calls import Script, Walk
from callcentre.standin.server import Courier, serve
from callcentre.standin.server import Exchange as Lines
from callcentre.standin.server import create_app as create_standin
from callcentre.standin.world import World as Telephones
from tests.browser.test_desk import PHONE
from tests.builders import World, make_world
from tests.contracts.exchange import ACCOUNT, PUBLIC, TOKEN, Exchange
from tests.serving import serving
from tests.web.site import START, Site, make_site

pytestmark = pytest.mark.browser

SDK = Path(__file__).parent / "voice_sdk.js"
SignIn = Callable[..., Page]
Check = Callable[[Page], None]


@pytest.fixture
def telephones() -> Telephones:
    return Telephones(account=ACCOUNT, inbound_url=f"{PUBLIC}/twilio/inbound")


@pytest.fixture
def site(tmp_path: Path, sqlite_url: str, telephones: Telephones) -> Iterator[Site]:
    """The application with a provider: the stand-in, whose every bridged call finds the line busy."""
    clock = ManualClock(START)
    courier = Courier(telephones, TOKEN, clock)
    lines = Lines({"": Script(person="busy")})
    app = create_standin(telephones, courier, token=TOKEN, clock=clock, exchange=lines)
    with serving(serve(app, "127.0.0.1", 0)) as provider:
        site = make_site(
            tmp_path,
            sqlite_url,
            twilio_api_url=provider,
            twilio_account_sid=ACCOUNT,
            twilio_auth_token=TOKEN,
            twilio_number="+33465710013",
            public_url=PUBLIC,
            twilio_whatsapp_from="+33465710014",
            twilio_api_key_sid=f"SK{1:032x}",
            twilio_api_key_secret="s" * 32,
            twilio_twiml_app_sid=f"AP{2:032x}",
            softphone_script=str(tmp_path / "sdk.js"),
        )
        site.app.extensions["courier"] = courier
        yield site
        site.runtime.engine.dispose()


@pytest.fixture
def world(site: Site) -> World:
    """One young person who may be called now."""
    return make_world(site.runtime.sessions, START, people=1)


@pytest.fixture
def exchange(site: Site, world: World, telephones: Telephones) -> Exchange:
    return Exchange(site.runtime, site.clock, world, telephones, site.app.extensions["courier"])


def test_from_the_notice_to_the_call_that_was_asked_for(
    exchange: Exchange, site: Site, world: World, sign_in: SignIn, check: Check
) -> None:
    person = world.people[0]
    assert exchange.plan() == exchange.send() == 1, "they are told that they will be called"
    exchange.deliver_all()
    exchange.write_in(exchange.number_of(person), "Rappel 18h svp")
    exchange.send()
    with writing(site.runtime.sessions) as session:
        calls.set_line(session, site.ids["officer"], "+33465710088", now=exchange.now)
    exchange.later(hours=8)  # 18:00

    page = sign_in("officer")
    page.keyboard.press("s")
    expect(page.locator(".why")).to_contain_text("18")
    conversation = page.locator(".conversation")
    expect(conversation).to_contain_text("va vous appeler")
    expect(conversation).to_contain_text("Rappel 18h svp")
    expect(conversation).to_contain_text("C'est noté")
    check(page)
    page.locator("#main-call button").click()
    expect(page.locator("#call-state")).to_be_visible()
    page.wait_for_function("() => document.querySelector('#call-state').textContent.length > 0")
    for _ in range(10):
        exchange.deliver_all()
        page.wait_for_timeout(500)
        if page.locator("input[name=disposition]:checked").count():
            break
    expect(page.locator("input[name=disposition]:checked")).to_have_value("busy")
    expect(page.locator("#call-state")).to_contain_text("occupée")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#undo-bar")).to_contain_text("prochain appel")
    entry = exchange.read(
        lambda s, _: s.scalars(select(QueueEntry).where(QueueEntry.person_id == person)).one()
    )
    assert entry.state == "open"
    assert entry.eligible_at is not None
    assert timedelta(minutes=15) <= entry.eligible_at - exchange.now <= timedelta(minutes=60), (
        "busy: soon again"
    )


def test_a_stop_from_a_phone_that_siblings_share_leaves_the_sibling_s_own(
    exchange: Exchange, site: Site, sign_in: SignIn, check: Check
) -> None:
    shared, own = "+33639985555", "+33639985556"
    one, two = exchange.add("Ana", numbers=[shared]), exchange.add("Bilal", numbers=[shared, own])
    exchange.plan()
    page = sign_in("officer")
    exchange.write_in(shared, "Stop svp")
    exchange.send()
    assert shared not in {m["to"] for m in exchange.telephones.messages.values()}
    page.goto(f"/people/{one}")
    expect(page.locator(".numbers li", has_text="55 55")).to_contain_text("STOP reçu")
    check(page)
    page.goto(f"/people/{two}")
    expect(page.locator(".numbers li", has_text="55 55")).to_contain_text("STOP reçu")
    expect(page.locator(".numbers li", has_text="55 56")).not_to_contain_text("STOP")
    entries = exchange.read(lambda s, _: list(s.scalars(select(QueueEntry))))
    states = {entry.person_id: entry.state for entry in entries}
    assert (states[one], states[two]) == ("closed", "open")
    with writing(site.runtime.sessions) as session:
        turn = session.scalars(select(Turn).where(Turn.person_id == two)).first()
        assert turn is None or turn.number_id != number_row(session, shared, "mobile").id


@pytest.mark.parametrize("rings", [True, False])
def test_a_click_calls_through_the_browser_and_else_through_the_officer_s_telephone(
    exchange: Exchange,
    site: Site,
    world: World,
    context: BrowserContext,
    sign_in: SignIn,
    check: Check,
    rings: bool,
) -> None:
    site.runtime.settings.softphone_file.write_bytes(SDK.read_bytes())
    with writing(site.runtime.sessions) as session:
        calls.set_line(session, site.ids["officer"], "+33465710088", now=exchange.now)
    identity = f"officer_{site.ids['officer']}"
    rung: list[str] = []

    def carry(token: str, attempt: str) -> bool:
        said = AccessToken.from_jwt(token, key="s" * 32)
        assert said.payload["grants"]["identity"] == identity
        if rings:
            form = {
                "CallSid": "CAbrowser",
                "From": f"client:{identity}",
                "attempt": attempt,
                "To": "+33899000000",
            }
            rung.append(exchange.post(f"{PUBLIC}/twilio/softphone", form))
        return rings

    context.expose_function("carry", carry)
    page = sign_in("officer")
    page.keyboard.press("s")
    expect(page.locator("#call-way")).to_contain_text("passe par ce navigateur")
    check(page)
    page.locator("#main-call button").click()
    if rings:
        expect(page.locator("#hang-up")).to_be_visible()
        expect(page.locator("#call-state")).to_contain_text("Ça sonne chez le jeune")
        check(page)
        assert [exchange.number_of(world.people[0]) in text and "0899" not in text for text in rung] == [True]
    else:
        expect(page.locator("#call-error")).to_contain_text("l’appel passe autrement")
        expect(page.locator("#call-state")).to_contain_text("La ligne était occupée")
        check(page)
    made = exchange.read(lambda s, _: s.scalars(select(ProviderCall)).all())
    assert [call.channel for call in made] == ["softphone" if rings else "bridge"], "one attempt, one call"


def test_a_stop_that_comes_while_a_call_is_asked_for_ends_it_by_every_way(
    exchange: Exchange, site: Site, world: World, context: BrowserContext, sign_in: SignIn
) -> None:
    """The browser's telephone fails, and the stop has come before the officer's is asked for."""
    site.runtime.settings.softphone_file.write_bytes(SDK.read_bytes())
    with writing(site.runtime.sessions) as session:
        calls.set_line(session, site.ids["officer"], "+33465710088", now=exchange.now)

    def carry(_token: str, _attempt: str) -> bool:
        exchange.write_in(exchange.number_of(world.people[0]), "STOP")
        return False

    context.add_init_script(PHONE)
    context.expose_function("carry", carry)
    page = sign_in("officer")
    page.keyboard.press("s")
    call = page.locator("#main-call button")
    for _ in range(2):
        call.click()
        expect(page.locator("#call-error")).to_contain_text("Un stop est arrivé pendant cet appel")
        expect(page.locator("#main-call")).not_to_have_attribute("data-busy", "yes")
    assert exchange.telephones.calls == {}
    assert page.evaluate("window.dialled ?? []") == []


@pytest.mark.parametrize("language", [Language.FRENCH, Language.ENGLISH])
@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
def test_a_question_is_read_and_answered_in_the_inbox(
    exchange: Exchange,
    site: Site,
    world: World,
    sign_in: SignIn,
    check: Check,
    language: Language,
    theme: Theme,
) -> None:
    number = exchange.number_of(world.people[0])
    exchange.write_in(number, "C'est qui ?")
    with writing(site.runtime.sessions) as session:
        set_preferences(session, site.ids["officer"], language=language, theme=theme)
    page = sign_in("officer")
    page.goto("/inbox")
    expect(page.locator(".inbox-item")).to_have_count(1)
    expect(page.locator(".conversation")).to_contain_text("C'est qui ?")
    check(page)
    page.locator(".inbox-item summary").click()
    page.locator("[data-fills]").first.click()
    expect(page.locator("[id^=cost-]")).to_contain_text("1")
    check(page)
    page.locator(".inbox-item details form button[type=submit]").click()
    expect(page.locator(".empty")).to_be_visible()
    check(page)
    exchange.later(seconds=5)
    exchange.send()
    assert [m["to"] for m in exchange.telephones.messages.values()] == [number]


LISTEN = """() => new Promise((told, failed) => {
  const sound = document.querySelector("audio");
  sound.onloadedmetadata = () => told(sound.duration);
  sound.onerror = () => failed(sound.error.message);
  sound.preload = "metadata";
  sound.load();
})"""


def test_a_message_on_the_voicemail_is_listened_to_in_the_inbox(
    exchange: Exchange, world: World, telephones: Telephones, sign_in: SignIn, check: Check
) -> None:
    caller = exchange.number_of(world.people[0])
    call = telephones.call({"From": caller, "To": "+33465710013"}, exchange.now) | {"direction": "inbound"}
    walk = Walk(telephones, exchange.post, call, Script(officer="no-answer", keys=""), exchange.now)
    walk.inbound(f"{PUBLIC}/twilio/voice", f"{PUBLIC}/twilio/voice-ended")
    exchange.deliver_all()
    page = sign_in("officer")
    page.goto("/inbox")
    expect(page.locator(".inbox-item")).to_contain_text("12 secondes")
    assert page.evaluate(LISTEN) == 2
    check(page)
    telephones.recordings.clear()
    answer = page.goto(page.locator(".inbox-item p a").get_attribute("href") or "")
    assert answer is not None
    assert answer.status == 503
    expect(page.locator("main")).to_contain_text("n’a plus cet enregistrement")
    check(page)


def test_a_text_says_what_it_costs_and_that_it_waits_for_an_hour(
    exchange: Exchange, context: BrowserContext, sign_in: SignIn
) -> None:
    context.add_init_script(PHONE)
    page = sign_in("officer")
    page.keyboard.press("s")
    page.locator("#main-call button").click()
    expect(page.locator("#call-clock")).to_be_visible()
    page.locator("#write-text summary").click()
    page.fill("#text-body", "Bonjour, êtes-vous là ? 👍")
    expect(page.locator("#text-cost")).to_contain_text("👍")
    page.locator("input[name=disposition][aria-keyshortcuts='5']").check()
    page.locator("#text-body").press("Control+Enter")  # it is no result that is being written here
    page.locator("#write-text button[type=submit]").click()
    expect(page.locator("main > .banner[role=status]")).to_contain_text("dans l’heure d’un appel")
    assert exchange.send() == 0
    page.keyboard.press("5")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#undo-bar")).to_be_visible()
    exchange.clock.advance(timedelta(minutes=61))
    assert exchange.send() == 1


def test_consent_to_whatsapp_is_noted_shown_and_taken_back(
    world: World, exchange: Exchange, sign_in: SignIn, check: Check
) -> None:
    page = sign_in("officer")
    exchange.write_in(f"whatsapp:{exchange.number_of(world.people[0])}", "Bonjour")
    page.goto(f"/people/{world.people[0]}")
    expect(page.locator(".numbers")).to_contain_text("répondre sous 24 h")
    page.get_by_role("button", name="A donné son accord pour WhatsApp").click()
    expect(page.locator(".numbers")).to_contain_text("accord du 23/11/2026")
    check(page)
    page.goto("/desk")
    page.keyboard.press("s")
    expect(page.locator(".call-meta")).to_contain_text("WhatsApp : accord")
    page.locator("#write-text summary").click()
    expect(page.locator("#write-text input[value=whatsapp]")).to_be_checked()
    check(page)
    page.goto(f"/people/{world.people[0]}")
    page.get_by_role("button", name="Retirer son accord pour WhatsApp").click()
    expect(page.locator(".numbers")).not_to_contain_text("WhatsApp :")


def test_the_administrator_sees_whether_the_provider_answers(
    exchange: Exchange, sign_in: SignIn, check: Check
) -> None:
    exchange.write_in("+33639980099", "STOP")
    page = sign_in("admin")
    page.goto("/provider")
    check(page)
    page.get_by_role("button", name="Vérifier les identifiants").click()
    expect(page.locator("main > .banner[role=status]")).to_contain_text("Demonstration")
    page.fill("#number", "06 39 98 00 55")
    page.get_by_role("button", name="Envoyer l’essai").click()
    expect(page.locator("main > .banner[role=status]")).to_contain_text("accepté")
