"""Every address refuses those it is not for: nobody signed in, a wrong role, a form of another site."""

from __future__ import annotations

import re

import pytest
from werkzeug.routing import Rule

from callcentre.accounts.kinds import Role
from callcentre.web.guards import allowed_roles
from tests.web.site import Site, token_in

OPEN = {
    "api.openapi",
    "health.live",
    "health.ready",
    "sign_in.choose_language",
    "sign_in.enter",
    "sign_in.form",
    "sign_in.home",
    "sign_in.leave",
    "sign_in.state",
    "sign_in.stay",
    "static",
}
WEBHOOKS = {
    "webhooks.message_status",
    "webhooks.inbound_message",
    "voice.bridge",
    "voice.accept",
    "voice.softphone",
    "voice.dial_done",
    "voice.officer_leg",
    "voice.person_leg",
    "voice.machine",
    "voice.incoming",
    "voice.incoming_done",
    "voice.fallback",
    "voice.offered",
    "voice.waiting",
    "voice.taken",
    "voice.wants_call",
    "voice.voicemail",
    "voice.incoming_ended",
}
"""Open to the provider, which proves itself by a signature on every request."""
"""Every endpoint that needs no sign-in. A new one is added here on purpose, never by accident."""

LOGIN_OF = {Role.OFFICER: "officer", Role.SUPERVISOR: "supervisor", Role.ADMINISTRATOR: "admin"}


def test_the_open_addresses_are_exactly_those_of_the_list(site: Site) -> None:
    found = {
        rule.endpoint
        for rule in site.app.url_map.iter_rules()
        if allowed_roles(site.app, rule.endpoint) is None
    }
    assert found == OPEN | WEBHOOKS


def test_an_unsigned_request_to_a_webhook_is_refused(site: Site) -> None:
    client = site.client()
    for rule in site.app.url_map.iter_rules():
        if rule.endpoint in WEBHOOKS:
            address = re.sub(r"<int:\w+>", "1", rule.rule)
            address = address.replace("<uuid:uid>", "7d1f6f3e-0000-4000-8000-000000000000")
            answer = client.post(address, data={"MessageSid": "SM1", "CallSid": "CA1"})
            assert answer.status_code == 403, rule.rule


def test_every_address_has_a_guard_that_lets_somebody_in(site: Site) -> None:
    for rule in site.app.url_map.iter_rules():
        roles = allowed_roles(site.app, rule.endpoint)
        assert roles is None or roles, rule.endpoint


def test_nobody_passes_without_signing_in(site: Site) -> None:
    client = site.client()
    for rule, method in _guarded(site):
        answer = client.open(_address(rule), method=method)
        refused = answer.status_code == 401 or answer.headers.get("Location", "").startswith("/sign-in?")
        assert refused, (rule.rule, method, answer.status_code)


@pytest.mark.parametrize("role", list(Role))
def test_no_role_passes_where_it_is_not_expected(site: Site, role: Role) -> None:
    client = site.client(LOGIN_OF[role])
    token = token_in(client.get("/account"))
    for rule, method in _guarded(site):
        if role not in (allowed_roles(site.app, rule.endpoint) or ()):
            answer = client.open(_address(rule), method=method, headers={"X-CSRFToken": token})
            assert answer.status_code == 403, (rule.rule, method, answer.status_code)


def test_no_state_changes_with_the_cookie_alone(site: Site) -> None:
    clients = {role: site.client(login) for role, login in LOGIN_OF.items()}
    for rule, method in _guarded(site):
        if method != "GET":
            role = min(allowed_roles(site.app, rule.endpoint) or ())
            answer = clients[role].open(_address(rule), method=method)
            assert answer.status_code == 403, (rule.rule, method, answer.status_code)


def test_every_answer_carries_the_security_headers(site: Site) -> None:
    client = site.client("admin")
    for path in ("/sign-in", "/account", "/users", "/nowhere", "/health/live"):
        headers = client.get(path).headers
        assert "script-src 'self'; style-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def _guarded(site: Site) -> list[tuple[Rule, str]]:
    return [
        (rule, method)
        for rule in site.app.url_map.iter_rules()
        if allowed_roles(site.app, rule.endpoint) is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def _address(rule: Rule) -> str:
    return re.sub(r"<[^>]+>", "1", rule.rule)
