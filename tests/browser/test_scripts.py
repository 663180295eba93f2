"""The scripts of every page: nothing sent is lost or counted twice, drafts come back, live pages follow."""

from __future__ import annotations

import json
import queue
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from flask import Blueprint, Response, jsonify, render_template_string, request
from playwright.sync_api import BrowserContext, Page, expect

from callcentre.errors import NotAllowed
from callcentre.web.guards import Guard, passive
from tests.web.site import Site

pytestmark = pytest.mark.browser

SignIn = Callable[..., Page]

PAGE = """
{% extends "base.html" %}
{% block title %}Atelier{% endblock %}
{% block live %}<span class="live-badge" id="live-badge" data-state="live">En direct</span>{% endblock %}
{% block content %}
<h1 tabindex="-1">Atelier</h1>
<form id="outcome" method="post" action="/atelier/outcome" data-outbox="résultat de l’appel"
      data-autosave="/atelier/draft" data-draft="fiche-1" class="stack">
  <input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
  <input type="hidden" name="idempotency_key" value="{{ key }}">
  {% for value, key, text in (("no_answer", "1", "Sans réponse"), ("taken", "2", "Déjà pris")) %}
  <label class="choice">
    <input type="radio" name="disposition" value="{{ value }}" data-kept aria-keyshortcuts="{{ key }}"> {{ text }}
  </label>
  {% endfor %}
  <div class="field">
    <label for="note">Note</label><textarea id="note" name="note" data-kept aria-keyshortcuts="n"></textarea>
  </div>
  <p class="hint" data-autosave-state></p>
  <button type="submit" class="button primary" aria-keyshortcuts="Control+Enter">Enregistrer</button>
</form>
<div data-live="/atelier/events" data-live-fragments="/atelier/live.json"></div>
<p>Données à <span data-live-at>–</span></p>
<div id="figures"><p>Figures 0</p><details id="more"><summary>Plus</summary><p>Détail</p></details></div>
<div id="typed"><label for="filter">Filtre</label><input id="filter"></div>
{% endblock %}
"""


@dataclass
class Workshop:
    """What the server of these tests received, and what it will say."""

    arrivals: Counter[str] = field(default_factory=Counter)
    accepted: dict[str, dict[str, str]] = field(default_factory=dict)
    drafts: list[str] = field(default_factory=list)
    streams: list[queue.Queue[str | None]] = field(default_factory=list)
    connections: queue.Queue[str] = field(default_factory=queue.Queue)
    opened: int = 0
    figures: int = 0

    def tell(self, name: str, number: int, **data: object) -> None:
        for stream in self.streams:
            stream.put(f"event: {name}\nid: {number}\ndata: {json.dumps(data)}\n\n")

    def cut(self) -> None:
        streams, self.streams = self.streams, []
        for stream in streams:
            stream.put(None)

    def fragments(self) -> dict[str, object]:
        details = '<details id="more"><summary>Plus</summary><p>Détail</p></details>'
        return {
            "at": f"14:32:{self.figures:02}",
            "fragments": {
                "figures": f'<div id="figures"><p>Figures {self.figures}</p>{details}</div>',
                "typed": '<div id="typed"><label for="filter">Filtre</label><input id="filter" value="x"></div>',
            },
        }


@pytest.fixture
def workshop(site: Site) -> Iterator[Workshop]:
    """A page with a form, a draft and live figures, on the real application."""
    workshop = Workshop()
    blueprint = Blueprint("atelier", __name__, url_prefix="/atelier")

    @blueprint.get("")
    def show() -> str:
        return render_template_string(PAGE, key=f"key-{workshop.opened}")

    @blueprint.post("/outcome")
    def outcome() -> tuple[Response, int]:
        key = request.headers["Idempotency-Key"]
        workshop.arrivals[key] += 1
        if request.form.get("disposition") == "taken":
            raise NotAllowed("Un collègue a déjà repris cette personne.")
        workshop.accepted.setdefault(key, request.form.to_dict())
        workshop.opened += 1
        return jsonify(location="/atelier?suivante"), 201

    @blueprint.post("/draft")
    def draft() -> Response:
        workshop.drafts.append(request.form.get("note", ""))
        return jsonify(saved=True)

    @blueprint.get("/live.json")
    @passive
    def live() -> Response:
        return jsonify(workshop.fragments())

    @blueprint.get("/events")
    @passive
    def events() -> Response:
        mine: queue.Queue[str | None] = queue.Queue()
        workshop.streams.append(mine)
        workshop.connections.put(request.args.get("last_event_id", ""))
        mine.put("event: beat\nid: 1\ndata: {}\n\n")
        return Response(iter(mine.get, None), mimetype="text/event-stream")

    site.app.extensions["guards"]["atelier"] = Guard.signed_in()
    site.app.register_blueprint(blueprint)
    yield workshop
    workshop.cut()


def _open(sign_in: SignIn) -> Page:
    page = sign_in("officer")
    page.goto("/atelier")
    return page


def _fill(page: Page, note: str = "Rappeler la mère") -> None:
    page.locator("h1").click()
    page.keyboard.press("Digit1")
    page.keyboard.press("n")
    page.keyboard.type(note)


def test_an_outcome_by_keyboard_alone_is_sent_once_and_leads_on(workshop: Workshop, sign_in: SignIn) -> None:
    page = _open(sign_in)
    _fill(page, "n1 ? rappeler")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/atelier?suivante")
    assert workshop.arrivals == {"key-0": 1}
    assert workshop.accepted["key-0"]["disposition"] == "no_answer"
    assert workshop.accepted["key-0"]["note"] == "n1 ? rappeler"
    expect(page.locator("#note")).to_have_value("")


def test_azerty_digits_work_without_shift(workshop: Workshop, sign_in: SignIn) -> None:
    page = _open(sign_in)
    page.locator("h1").click()
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'é', code: 'Digit2', bubbles: true}))"
    )
    expect(page.get_by_label("Déjà pris")).to_be_checked()


def test_a_cut_network_keeps_the_outcome_and_sends_it_when_back(
    workshop: Workshop, sign_in: SignIn, context: BrowserContext
) -> None:
    page = _open(sign_in)
    _fill(page)
    context.set_offline(True)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#outbox-state")).to_have_text(
        "1 résultat en attente d’envoi : nouvel essai automatique"
    )
    assert workshop.accepted == {}
    context.set_offline(False)
    page.wait_for_url("**/atelier?suivante")
    assert list(workshop.accepted) == ["key-0"]
    expect(page.locator("#outbox-state")).to_be_hidden()


def test_an_outcome_that_waits_survives_a_reload(
    workshop: Workshop, sign_in: SignIn, context: BrowserContext
) -> None:
    context.route("**/atelier/outcome", lambda route: route.abort())  # a page that is open may slip past it
    page = _open(sign_in)
    _fill(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#outbox-state")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    context.unroute("**/atelier/outcome")
    page.reload()
    page.wait_for_url("**/atelier?suivante")
    assert workshop.accepted["key-0"]["note"] == "Rappeler la mère"


def test_an_outcome_that_waits_is_sent_from_any_other_page(
    workshop: Workshop, sign_in: SignIn, context: BrowserContext
) -> None:
    context.route("**/atelier/outcome", lambda route: route.abort())  # a page that is open may slip past it
    page = _open(sign_in)
    _fill(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#outbox-state")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    context.unroute("**/atelier/outcome")
    page.goto("/account")
    expect(page.get_by_role("status").filter(has_text="résultat de l’appel")).to_be_visible()
    assert workshop.accepted["key-0"]["note"] == "Rappeler la mère"


def test_an_ended_session_keeps_the_outcome_until_the_same_person_is_back(
    workshop: Workshop, sign_in: SignIn, context: BrowserContext
) -> None:
    page = _open(sign_in)
    _fill(page)
    context.clear_cookies(name="callcentre_session")
    page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog", name="Votre session a pris fin")
    expect(dialog).to_be_visible()
    other = context.new_page()
    sign_in("colleague", tab=other)
    expect(dialog.get_by_text("Une autre personne est connectée")).to_be_visible()
    assert workshop.accepted == {}
    context.clear_cookies(name="callcentre_session")
    sign_in("officer", tab=other)
    page.wait_for_url("**/atelier?suivante")
    assert workshop.accepted["key-0"]["note"] == "Rappeler la mère"


def test_a_refused_outcome_is_shown_not_retried_and_the_form_can_be_corrected(
    workshop: Workshop, sign_in: SignIn
) -> None:
    page = _open(sign_in)
    _fill(page)
    page.get_by_label("Déjà pris").check()
    page.get_by_role("button", name="Enregistrer").click()
    expect(
        page.get_by_role("status").filter(has_text="Un collègue a déjà repris cette personne.")
    ).to_be_visible()
    expect(page.locator("#note")).to_have_value("Rappeler la mère")
    page.get_by_label("Sans réponse").check()
    page.get_by_role("button", name="Enregistrer").click()
    page.wait_for_url("**/atelier?suivante")
    assert workshop.arrivals["key-0"] == 1
    assert len(workshop.arrivals) == 2


def test_a_note_is_saved_while_typing_and_comes_back_after_a_reload(
    workshop: Workshop, sign_in: SignIn
) -> None:
    page = _open(sign_in)
    _fill(page, "Au travail jusqu’à 18 h")
    expect(page.locator("[data-autosave-state]")).to_have_text("Brouillon enregistré à 10 h 00")
    assert workshop.drafts == ["Au travail jusqu’à 18 h"]
    page.reload()
    expect(page.locator("#note")).to_have_value("Au travail jusqu’à 18 h")
    expect(page.get_by_label("Sans réponse")).to_be_checked()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/atelier?suivante")
    expect(page.locator("#note")).to_have_value("")


def test_signing_out_leaves_nothing_typed_in_the_browser(workshop: Workshop, sign_in: SignIn) -> None:
    page = _open(sign_in)
    _fill(page)
    expect(page.locator("[data-autosave-state]")).to_contain_text("Brouillon enregistré")
    page.locator("#user-menu summary").click()
    page.get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url("**/sign-in")
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_live_fragments_change_without_moving_focus_or_closing_details(
    workshop: Workshop, sign_in: SignIn
) -> None:
    page = _open(sign_in)
    expect(page.locator("#live-badge")).to_have_attribute("data-state", "live")
    page.get_by_text("Plus", exact=True).click()
    page.locator("#filter").fill("Martin")
    _connected(workshop)
    workshop.figures = 7
    workshop.tell("state", 2, **workshop.fragments(), say="3 nouveaux rappels")
    expect(page.get_by_text("Figures 7")).to_be_visible()
    expect(page.get_by_text("14:32:07")).to_be_visible()
    expect(page.get_by_text("Détail")).to_be_visible()
    expect(page.locator("#filter")).to_be_focused()
    expect(page.locator("#filter")).to_have_value("Martin")
    expect(page.get_by_role("status").filter(has_text="3 nouveaux rappels")).to_be_visible()


def test_tabs_share_one_stream_and_another_takes_over(
    workshop: Workshop, sign_in: SignIn, context: BrowserContext
) -> None:
    first = _open(sign_in)
    _connected(workshop)
    others = [context.new_page() for _ in range(3)]
    for tab in others:
        tab.goto("/atelier")
    workshop.figures = 8
    workshop.tell("changed", 5)
    for tab in [first, *others]:
        expect(tab.get_by_text("Figures 8")).to_be_visible()
    assert workshop.connections.empty()
    first.close()
    assert _connected(workshop) == "5"
    workshop.figures = 9
    workshop.tell("changed", 6)
    for tab in others:
        expect(tab.get_by_text("Figures 9")).to_be_visible()


def test_a_stream_that_ends_is_opened_again_where_it_was(workshop: Workshop, sign_in: SignIn) -> None:
    page = _open(sign_in)
    _connected(workshop)
    workshop.tell("beat", 41)
    workshop.cut()
    expect(page.get_by_role("status").filter(has_text="Connexion rétablie")).to_be_visible()
    assert _connected(workshop) in {"1", "41"}
    workshop.figures = 3
    workshop.tell("state", 42, **workshop.fragments())
    expect(page.get_by_text("Figures 3")).to_be_visible()


def _connected(workshop: Workshop) -> str:
    """Wait until a browser has opened a stream; return the last id it says it received."""
    return workshop.connections.get(timeout=20)
