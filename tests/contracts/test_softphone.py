"""One attempt through browser, officer's telephone and link: who may, under which name, and that only one rings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from twilio.jwt.access_token import AccessToken

from callcentre.desk import telephony
from callcentre.desk.telephony import Telephone
from callcentre.outreach import calls
from callcentre.outreach.calls import Hint
from callcentre.outreach.kinds import CallChannel
from callcentre.standin.phone_calls import Script, Walk
from tests.contracts.exchange import PUBLIC, Exchange, an_exchange
from tests.web.site import sign_in, token_in

OFFICER, SECRET = "+33465710088", "s" * 32


@pytest.fixture
def exchange(database_url: str, tmp_path: Path) -> Iterator[Exchange]:
    """An exchange with a key for the browser's telephone, and a script that stands for the provider's."""
    script = tmp_path / "sdk.js"
    script.write_text("globalThis.Twilio = {};", encoding="utf-8")
    with an_exchange(
        database_url,
        tmp_path,
        twilio_api_key_sid=f"SK{1:032x}",
        twilio_api_key_secret=SECRET,
        twilio_twiml_app_sid=f"AP{2:032x}",
        softphone_script=str(script),
    ) as made:
        yield made


def ask(exchange: Exchange, browser: FlaskClient, attempt_id: int, way: str) -> Any:
    headers = {"Origin": "http://localhost", "X-CSRFToken": token_in(browser.get("/account"))}
    answer = browser.post(
        f"/telephony/attempts/{attempt_id}/{way}", headers=headers | {"Accept": "application/json"}
    )
    return answer.get_json() | {"status": answer.status_code}


def browser_of(exchange: Exchange, login: str) -> FlaskClient:
    browser = exchange.client.application.test_client()
    assert sign_in(browser, login).status_code == 302
    return browser


def from_browser(exchange: Exchange, login: str, uid: str, script: Script) -> list[str]:
    """Let a browser's telephone connect with its pass; return whom the provider rang."""
    before = set(exchange.telephones.calls)
    call = exchange.telephones.call(
        {"From": f"client:officer_{exchange.user(login)}", "To": ""}, exchange.now
    )
    walk = Walk(exchange.telephones, exchange.post, call, script, exchange.now)
    walk.run(f"{PUBLIC}/twilio/softphone", {"attempt": uid})
    exchange.deliver_all()
    return [c["to"] for sid, c in exchange.telephones.calls.items() if sid not in before and c["to"]]


def test_the_browser_gets_a_pass_of_its_own_and_no_number(exchange: Exchange) -> None:
    lease = exchange.take()
    attempt_id = exchange.call(lease)
    given = ask(exchange, browser_of(exchange, "officer"), attempt_id, "softphone")
    said = AccessToken.from_jwt(given["token"], key=SECRET)
    assert said.payload["grants"]["identity"] == f"officer_{exchange.user('officer')}"
    assert exchange.number_of(lease.person_id)[3:] not in str(given)
    rung = from_browser(exchange, "officer", given["attempt"], Script(person="busy"))
    assert rung == [exchange.number_of(lease.person_id)]
    view = exchange.read(lambda s, _: calls.view(s, attempt_id))
    assert view is not None
    assert (view.channel, view.step, view.hint) == (CallChannel.SOFTPHONE, "ended", Hint.BUSY)


def test_a_colleague_gets_no_pass_for_somebody_else_s_attempt(exchange: Exchange) -> None:
    attempt_id = exchange.call(exchange.take())
    assert ask(exchange, browser_of(exchange, "colleague"), attempt_id, "softphone")["status"] == 404


def test_one_attempt_falls_back_from_browser_to_telephone_and_only_one_rings(exchange: Exchange) -> None:
    exchange.write(lambda s, _: calls.set_line(s, exchange.user("officer"), OFFICER, now=exchange.now))
    lease = exchange.take()
    attempt_id = exchange.call(lease)
    browser = browser_of(exchange, "officer")
    uid = ask(exchange, browser, attempt_id, "softphone")["attempt"]
    assert ask(exchange, browser, attempt_id, "bridge")["step"] == "officer_rings"
    exchange.deliver_all()
    assert from_browser(exchange, "officer", uid, Script()) == [], "the browser's call came too late"
    rung = [c["to"] for c in exchange.telephones.calls.values() if c["parent_call_sid"]]
    assert rung == [exchange.number_of(lease.person_id)]
    exchange.say(lease, "no_answer")


def test_the_ways_are_what_is_set_up(exchange: Exchange) -> None:
    def ways() -> tuple[CallChannel, ...]:
        of = exchange.runtime
        theirs = Telephone(exchange.user("officer"), of.settings, of.provider)
        return exchange.read(lambda s, _: telephony.ways(s, theirs))

    assert ways() == (CallChannel.SOFTPHONE, CallChannel.LINK)
    exchange.write(lambda s, _: calls.set_line(s, exchange.user("officer"), OFFICER, now=exchange.now))
    assert ways() == (CallChannel.SOFTPHONE, CallChannel.BRIDGE, CallChannel.LINK)
    exchange.runtime.settings.softphone_file.unlink()
    assert ways() == (CallChannel.BRIDGE, CallChannel.LINK)


def test_pages_let_the_microphone_and_the_provider_s_signalling_in_and_nothing_else(
    exchange: Exchange,
) -> None:
    browser = browser_of(exchange, "officer")
    policy = browser.get("/account").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert policy.count("https://") + policy.count("wss://") == 2
    assert "microphone=(self)" in browser.get("/account").headers["Permissions-Policy"]
    with browser.get("/telephony/softphone.js") as script:
        assert script.mimetype == "text/javascript"
    exchange.runtime.settings.softphone_file.unlink()
    assert browser.get("/telephony/softphone.js").status_code == 404
    assert "microphone=()" in browser.get("/account").headers["Permissions-Policy"]
