"""My account: preferences, password, devices, tokens; and the administrator's pages."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from tests.builders import PASSWORD
from tests.web.site import Site, send, sign_in, text_of

NEW = "Un nouveau secret bien long 8"


def test_each_preference_changes_alone_and_shows_at_once(site: Site) -> None:
    client = site.client("officer")
    assert send(client, "/account/preferences", theme="dark").status_code == 302
    send(client, "/account/preferences", density="compact")
    send(client, "/account/preferences", single_keys="off")
    send(client, "/account/preferences", language="en", theme="purple")
    page = client.get("/account")
    assert '<html lang="en"' in page.get_data(as_text=True)
    for attribute in ('data-theme="dark"', 'data-density="compact"', 'data-single-keys="off"'):
        assert attribute in page.get_data(as_text=True)
    assert "My signed-in devices" in text_of(page)


def test_changing_the_password_needs_the_current_one_and_signs_the_other_devices_out(site: Site) -> None:
    here, elsewhere = site.client("officer"), site.client("officer")
    fields = {"current_password": PASSWORD, "new_password": NEW, "again": NEW}
    assert send(here, "/account/password", **{**fields, "current_password": "x"}).status_code == 422
    assert send(here, "/account/password", **{**fields, "again": "x"}).status_code == 422
    weak = send(here, "/account/password", **{**fields, "new_password": "court", "again": "court"})
    assert "au moins 14 caractères" in text_of(weak)
    assert send(here, "/account/password", **fields).status_code == 302
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
    assert sign_in(site.client(), "officer", NEW).status_code == 302


def test_a_device_can_be_signed_out_from_another_one(site: Site) -> None:
    here, stolen = site.client("officer"), site.client("officer")
    page = here.get("/account").get_data(as_text=True)
    found = re.search(r"/account/devices/(\d+)/revoke\"", page)
    assert found is not None
    send(here, f"/account/devices/{found[1]}/revoke")
    assert here.get("/account").status_code == 200
    assert stolen.get("/account").status_code == 302


def test_nobody_signs_out_the_device_of_somebody_else(site: Site) -> None:
    officer, colleague = site.client("officer"), site.client("colleague")
    for session_id in range(1, 5):
        send(colleague, f"/account/devices/{session_id}/revoke")
        if colleague.get("/account").status_code != 200:
            colleague = site.client("colleague")
    assert officer.get("/account").status_code == 200


def test_signing_out_everywhere_leaves_no_device(site: Site) -> None:
    here, elsewhere = site.client("officer"), site.client("officer")
    send(here, "/account/devices/revoke-all")
    assert here.get("/account").status_code == 302
    assert elsewhere.get("/account").status_code == 302


def test_a_token_is_shown_once_and_ends_when_revoked(site: Site) -> None:
    client = site.client("officer")
    shown = text_of(send(client, "/account/tokens", name="Tableur", lifetime="90"))
    token = re.search(r"cct_[\w-]{43}", shown)
    assert token is not None
    page = client.get("/account").get_data(as_text=True)
    assert token[0] not in page
    assert f"…{token[0][-4:]}" in page
    found = re.search(r"/account/tokens/(\d+)/revoke", page)
    assert found is not None
    send(client, f"/account/tokens/{found[1]}/revoke")
    assert "Tableur" not in text_of(client.get("/account"))


def test_an_administrator_creates_an_account_whose_password_must_be_changed(site: Site) -> None:
    admin = site.client("admin")
    created = send(admin, "/users/new", login="Lea.Martin", display_name="Léa Martin", role="officer")
    password = _shown_password(created.get_data(as_text=True))
    lea = site.client()
    assert sign_in(lea, "lea.martin", password).status_code == 302
    assert lea.get("/account").status_code == 200
    assert lea.get("/users").status_code == 403
    fields = {"current_password": password, "new_password": NEW, "again": NEW}
    assert send(lea, "/account/password", **fields).status_code == 302
    assert "Léa Martin" in text_of(admin.get("/users"))


def test_a_form_with_errors_keeps_what_was_typed_and_leads_to_the_field(site: Site) -> None:
    answer = send(
        site.client("admin"), "/users/new", login="officer", display_name="Léa Martin", role="supervisor"
    )
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert 'href="#login"' in page
    assert 'aria-invalid="true"' in page
    assert 'value="Léa Martin"' in page
    assert '<option value="supervisor" selected>' in page


def test_a_new_temporary_password_signs_the_person_out(site: Site) -> None:
    admin, officer = site.client("admin"), site.client("officer")
    answer = send(admin, f"/users/{site.ids['officer']}/password")
    assert officer.get("/account").status_code == 302
    again = site.client()
    assert sign_in(again, "officer", _shown_password(answer.get_data(as_text=True))).status_code == 302


def test_the_last_administrator_keeps_the_role_and_the_account(site: Site) -> None:
    admin = site.client("admin")
    mine = f"/users/{site.ids['admin']}"
    changed = send(admin, mine, display_name="Hélène Lefèvre", role="officer", language="fr")
    assert changed.status_code == 409
    assert "dernier compte administrateur" in text_of(changed)
    assert send(admin, f"{mine}/close").status_code == 409
    assert admin.get("/users").status_code == 200


def test_a_closed_account_can_be_reopened(site: Site) -> None:
    admin = site.client("admin")
    theirs = f"/users/{site.ids['colleague']}"
    send(admin, f"{theirs}/close")
    assert _state(admin) == "fermé"
    send(admin, f"{theirs}/open")
    assert _state(admin) == "ouvert"


def test_an_account_that_does_not_exist_is_a_page_that_says_so(site: Site) -> None:
    answer = site.client("admin").get("/users/999999")
    assert answer.status_code == 404
    assert "Page introuvable" in text_of(answer)


def _state(client: FlaskClient) -> str:
    line = re.search(r"Nadia Benali.*?colleague.*?(fermé|ouvert)", text_of(client.get("/users")))
    assert line is not None
    return line[1]


def _shown_password(page: str) -> str:
    found = re.search(r'<code id="password"[^>]*>([^<]+)</code>', page)
    assert found is not None
    return found[1]
