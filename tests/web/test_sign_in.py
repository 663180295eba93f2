"""Signing in and out, and what is said when it fails."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from callcentre.accounts import queries, users
from callcentre.database import reading, writing
from tests.builders import PASSWORD, a_person, make_world
from tests.web.site import START, Site, hidden_in, send, sign_in, text_of, token_in

ORIGIN = {"Origin": "http://localhost"}


def test_wrong_password_is_said_clearly_and_the_login_is_kept(site: Site) -> None:
    answer = sign_in(site.client(), "officer", "not this one")
    assert answer.status_code == 403
    assert "Identifiant ou mot de passe incorrect" in text_of(answer)
    assert 'value="officer"' in answer.get_data(as_text=True)


@pytest.mark.parametrize("login", ["officer", "nobody"])
def test_an_unknown_login_gets_the_same_words_as_a_wrong_password(site: Site, login: str) -> None:
    assert "Identifiant ou mot de passe incorrect. Vérifiez" in text_of(sign_in(site.client(), login, "x"))


def test_too_many_tries_tell_the_wait_and_the_right_password_works_after_it(site: Site) -> None:
    client = site.client()
    for _ in range(5):
        answer = sign_in(client, "officer", "not this one")
    assert "attendez 31 s" in text_of(answer)
    refused = sign_in(client, "officer")
    assert refused.status_code == 429
    assert 'value="officer"' in refused.get_data(as_text=True)
    site.clock.advance(timedelta(seconds=31))
    assert sign_in(client, "officer").status_code == 302


def test_the_cookie_is_out_of_reach_of_scripts_and_says_nothing(site: Site) -> None:
    answer = sign_in(site.client(), "officer")
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("callcentre_session="))
    assert re.fullmatch(r"callcentre_session=ccs_[\w-]{43}; HttpOnly; Path=/; SameSite=Lax", cookie)


def test_the_cookie_is_secure_anywhere_but_on_this_machine(site: Site) -> None:
    client = site.app.test_client()
    page = client.get("/sign-in", base_url="https://appels.example.org")
    answer = client.post(
        "/sign-in",
        base_url="https://appels.example.org",
        data={"login": "officer", "password": PASSWORD, "csrf_token": token_in(page)},
        headers={"Referer": "https://appels.example.org/sign-in"},
    )
    assert answer.status_code == 302
    assert all("Secure" in cookie for cookie in answer.headers.getlist("Set-Cookie"))


def test_an_unused_session_ends_and_a_used_one_goes_on_until_its_absolute_end(site: Site) -> None:
    used, unused = site.client("officer"), site.client("colleague")
    for _ in range(11):
        site.clock.advance(timedelta(minutes=60))
        assert used.get("/account").status_code == 200
    assert unused.get("/account").headers["Location"] == "/sign-in?next=/account"
    site.clock.advance(timedelta(minutes=61))
    assert used.get("/account").status_code == 302


def test_asking_for_the_state_of_the_session_does_not_keep_it_alive(site: Site) -> None:
    client = site.client("officer")
    site.clock.advance(timedelta(hours=4))
    assert client.get("/session").json["ends_in_seconds"] == 4 * 3600  # type: ignore[index]
    site.clock.advance(timedelta(hours=4))
    assert client.get("/session").json["signed_in"] is False  # type: ignore[index]


def test_somebody_who_says_that_they_are_there_keeps_the_session(site: Site) -> None:
    client = site.client("officer")
    token = token_in(client.get("/account"))
    site.clock.advance(timedelta(hours=7))
    assert client.post("/session", headers={"X-CSRFToken": token, **ORIGIN}).status_code == 200
    assert client.get("/session").json["ends_in_seconds"] == 5 * 3600  # type: ignore[index]


def test_signing_out_ends_the_session_on_the_server_and_the_presence(site: Site) -> None:
    client = site.client("officer")
    cookie = client.get_cookie("callcentre_session")
    assert cookie is not None
    send(client, "/sign-out")
    client.set_cookie("callcentre_session", cookie.value)
    assert client.get("/account").status_code == 302
    with reading(site.runtime.sessions) as session:
        assert queries.officers_present(session, site.clock.now()) == ()


def test_signing_in_makes_an_officer_present(site: Site) -> None:
    site.client("officer")
    site.client("supervisor")
    with reading(site.runtime.sessions) as session:
        present = queries.officers_present(session, site.clock.now())
    assert [officer.display_name for officer in present] == ["Camille Roux"]


def test_a_closed_account_is_out_at_once_and_told_so_at_the_next_sign_in(site: Site) -> None:
    client = site.client("officer")
    with writing(site.runtime.sessions) as session:
        users.set_active(session, site.ids["officer"], False, now=site.clock.now())
    assert client.get("/account").status_code == 302
    assert "Ce compte est fermé" in text_of(sign_in(client, "officer"))


@pytest.mark.parametrize(
    "after", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "evil", ""]
)
def test_the_page_after_sign_in_is_always_one_of_ours(site: Site, after: str) -> None:
    answer = sign_in(site.client(), "admin", next=after)
    assert answer.headers["Location"].startswith("/")
    assert "evil" not in answer.headers["Location"]


def test_the_page_that_was_asked_for_comes_after_the_sign_in(site: Site) -> None:
    client = site.client()
    asked = client.get("/users?filtre=tous")
    assert asked.headers["Location"] == "/sign-in?next=/users?filtre%3Dtous"
    assert sign_in(client, "admin", next="/users?filtre=tous").headers["Location"] == "/users?filtre=tous"


def test_what_was_typed_when_the_session_ended_is_given_back_and_sent_by_a_button(site: Site) -> None:
    client = site.client("admin")
    old = token_in(client.get("/users/new"))
    typed = {"login": "lea.martin", "display_name": "Léa <Martin>", "role": "officer", "csrf_token": old}
    site.clock.advance(timedelta(hours=9))

    ended = client.post("/users/new", data=typed, headers=ORIGIN)
    assert ended.status_code == 401
    assert "est gardé dans cette page" in text_of(ended)
    assert "Martin" not in ended.get_data(as_text=True), "others see the sign-in page"
    carried = hidden_in(ended, "carried")

    wrong = sign_in(client, "admin", "wrong", carried=carried)
    assert "Martin" not in wrong.get_data(as_text=True)

    resend = sign_in(client, "admin", carried=hidden_in(wrong, "carried"))
    assert resend.status_code == 200
    assert "rien n’est encore parti" in text_of(resend)
    assert "Nom vu par les collègues Léa <Martin>" in text_of(resend)
    assert 'action="/users/new"' in resend.get_data(as_text=True)
    sent = client.post(
        "/users/new",
        data={"display_name": "Léa <Martin>", "login": "lea.martin", "csrf_token": token_in(resend)},
        headers=ORIGIN,
    )
    assert "Mot de passe temporaire, montré une seule fois" in text_of(sent)


@pytest.mark.parametrize("clears", [True, False])
def test_nobody_sends_under_their_name_what_another_had_typed(site: Site, clears: bool) -> None:
    client = site.client("admin")
    typed = {"display_name": "Léa Martin", "csrf_token": token_in(client.get("/users/new"))}
    if clears:
        client = site.client()
    else:
        site.clock.advance(timedelta(hours=9))
    carried = hidden_in(client.post("/users/new", data=typed, headers=ORIGIN), "carried")
    welcome = sign_in(client, "supervisor", carried=carried)
    assert welcome.status_code == 302
    landed = client.get(welcome.headers["Location"])
    assert "n’a pas été envoyé à votre nom" in text_of(landed)
    answer = client.post("/lists/duplicates/propose", data=typed, headers=ORIGIN)
    assert answer.status_code == 403
    assert "Cette page date d’une autre connexion ; rien n’a été envoyé." in text_of(answer)
    assert "votre rôle" not in text_of(answer)
    assert "Martin" not in text_of(answer)


@pytest.mark.parametrize("carried", ["", "{}", '{"action": "/users/new", "fields": [["login", "x"]]}'])
def test_a_form_that_was_not_packed_here_is_not_offered(site: Site, carried: str) -> None:
    assert sign_in(site.client(), "admin", carried=carried).status_code == 302


def test_a_form_that_is_given_back_names_its_person_and_its_choices_in_words(site: Site) -> None:
    world = make_world(site.runtime.sessions, START, people=0)
    with writing(site.runtime.sessions) as session:
        person = a_person(session, world, now=START, first_name="Inès", family_name="Essai")
    client = site.client("officer")
    typed = {
        "new_number": "06 39 98 07 78",
        "new_number_owner": "guardian",
        "then": "x",
        "csrf_token": token_in(client.get(f"/people/{person}")),
    }
    site.clock.advance(timedelta(hours=9))
    ended = client.post(f"/people/{person}/numbers", data=typed, headers=ORIGIN)
    resend = text_of(sign_in(client, "officer", carried=hidden_in(ended, "carried")))
    assert "Inès Essai Nouveau numéro 06 39 98 07 78 À qui ? Un responsable Les autres choix" in resend


def test_a_page_older_than_the_sign_in_shows_what_it_sent_instead_of_losing_it(site: Site) -> None:
    client = site.client("admin")
    old = token_in(client.get("/users/new"))
    send(client, "/sign-out")
    sign_in(client, "admin")
    answer = client.post("/users/new", data={"display_name": "Léa Martin", "csrf_token": old}, headers=ORIGIN)
    assert answer.status_code == 403
    assert "Léa Martin" in text_of(answer)
    assert "rien n’est encore parti" in text_of(answer)


def test_a_button_of_a_page_older_than_the_sign_in_may_be_pressed_again(site: Site) -> None:
    client = site.client("admin")
    old = token_in(client.get("/users"))
    send(client, "/sign-out")
    sign_in(client, "admin")
    answer = client.post(f"/users/{site.ids['officer']}/close", data={"csrf_token": old}, headers=ORIGIN)
    assert f'action="/users/{site.ids["officer"]}/close"' in answer.get_data(as_text=True)


def test_nothing_is_given_back_to_a_form_of_another_site(site: Site) -> None:
    client = site.client("admin")
    for headers in ({"Origin": "https://evil.example"}, {}, {"Sec-Fetch-Site": "cross-site"}):
        answer = client.post("/users/new", data={"display_name": "Léa Martin"}, headers=headers)
        assert answer.status_code == 403
        assert "Léa Martin" not in text_of(answer)


def test_a_script_is_told_the_difference_between_an_ended_session_and_an_old_page(site: Site) -> None:
    json = {"Accept": "application/json", **ORIGIN}
    assert site.client().post("/account/preferences", headers=json).json["error"]["code"] == "signed_out"  # type: ignore[index]
    answer = site.client("officer").post("/account/preferences", headers=json)
    assert answer.status_code == 403
    assert answer.json["error"]["code"] == "stale_page"  # type: ignore[index]


def test_signing_in_changes_the_csrf_secret(site: Site) -> None:
    client = site.client()
    before = token_in(client.get("/sign-in"))
    sign_in(client, "officer")
    answer = client.post("/account/preferences", data={"theme": "dark", "csrf_token": before}, headers=ORIGIN)
    assert answer.status_code == 403


def test_the_language_chosen_before_signing_in_is_remembered(site: Site) -> None:
    client = site.client()
    assert "Mot de passe" in text_of(client.get("/sign-in"))
    send(client, "/language", page="/sign-in", language="en", next="")
    assert "Password" in text_of(client.get("/sign-in"))
