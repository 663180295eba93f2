"""Signing in and out, and what is said when it fails."""

from __future__ import annotations

from tests.web.conftest import Site, sign_in, text_of


def test_wrong_password_is_said_clearly_and_the_login_is_kept(site: Site) -> None:
    answer = sign_in(site.client(), "officer", "not this one")
    assert answer.status_code == 403
    assert "Identifiant ou mot de passe incorrect" in text_of(answer)
    assert 'value="officer"' in answer.get_data(as_text=True)


def test_each_role_lands_on_its_page(site: Site) -> None:
    assert site.client("officer").get("/account").status_code == 200
