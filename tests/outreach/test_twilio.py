"""The real client of the provider against its stand-in: what each fault becomes."""

from __future__ import annotations

import io
import socket
import threading
import wave
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from flask import request
from twilio.jwt.access_token import AccessToken

from callcentre.clock import ManualClock
from callcentre.outreach.kinds import Channel
from callcentre.outreach.provider import NotSent, OutgoingCall, OutgoingMessage, Refused, Unknown
from callcentre.outreach.twilio import Account, Twilio
from callcentre.standin.server import Courier, create_app, serve
from callcentre.standin.world import Faults, World
from tests.serving import serving

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
SID, TOKEN = f"AC{0:032x}", "not a real token"
PERSON, OFFICER = "+33639980001", "+33465710099"


@dataclass
class Line:
    """A provider and what stands behind it."""

    world: World
    account: Account
    asked: list[dict[str, str]]
    """The forms of all requests."""

    @property
    def provider(self) -> Twilio:
        """The provider under test."""
        return Twilio(self.account)


@pytest.fixture
def line() -> Iterator[Line]:
    world = World(account=SID)
    clock = ManualClock(NOW)
    app = create_app(world, Courier(world, TOKEN, clock), token=TOKEN, clock=clock)
    asked: list[dict[str, str]] = []
    app.before_request(lambda: asked.append(request.form.to_dict()))
    with serving(serve(app, "127.0.0.1", 0)) as address:
        account = Account(
            account_sid=SID,
            auth_token=TOKEN,
            public_url="http://127.0.0.1:9",
            number="+33465710013",
            may_reach=bool,
            api_url=address,
        )
        yield Line(world, account, asked)


def message(to: str = PERSON, body: str = "Bonjour") -> OutgoingMessage:
    return OutgoingMessage(uid="6f0e", to=to, body=body)


def test_a_message_is_taken_and_can_be_looked_up(line: Line) -> None:
    receipt = line.provider.send(message())
    assert receipt.status == "queued"
    assert line.provider.message(receipt.sid).sid == receipt.sid
    assert [found.body for found in line.provider.sent_to(PERSON, Channel.SMS)] == ["Bonjour"]
    assert line.provider.check() == "Demonstration"


def test_what_is_to_be_called_back_names_our_message(line: Line) -> None:
    line.provider.send(message())
    assert {callback.url for callback in line.world.pending} == {"http://127.0.0.1:9/twilio/messages/6f0e"}


def test_the_provider_is_asked_to_insist(line: Line) -> None:
    asked: list[str] = []
    plan = line.world.plan
    line.world.plan = lambda url, *rest, **more: (asked.append(url), plan(url, *rest, **more))[1]  # type: ignore[method-assign,func-returns-value]
    line.provider.send(message())
    assert all(url.endswith("#rc=5&rp=all") for url in asked)
    assert asked


def test_what_a_caller_left_comes_as_it_was_recorded(line: Line) -> None:
    line.world.recordings.add("RE1")
    with wave.open(io.BytesIO(line.provider.recording("RE1"))) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (8_000, 16_000)
    with pytest.raises(Refused):
        line.provider.recording("RE2")
    for odd in ("../Messages", "RE1.wav?x="):
        with pytest.raises(Refused):
            line.provider.recording(odd)


def test_a_recording_that_nobody_answers_for_is_no_refusal(line: Line) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NotSent):
        Twilio(replace(line.account, api_url=f"http://127.0.0.1:{port}")).recording("RE1")


@pytest.mark.parametrize(
    ("to", "code"), [("+15005550001", 21211), ("+15005550004", 21610), ("+15005550009", 21614)]
)
def test_a_refusal_carries_the_provider_s_code(line: Line, to: str, code: int) -> None:
    with pytest.raises(Refused) as refused:
        line.provider.send(message(to))
    assert refused.value.code == code
    assert line.world.messages == {}


def test_too_many_requests_certainly_did_nothing(line: Line) -> None:
    line.world.obey(Faults(too_many=1.0))
    with pytest.raises(NotSent):
        line.provider.send(message())
    assert line.world.messages == {}


def test_too_many_requests_are_repeated_by_themselves(line: Line) -> None:
    line.world.obey(Faults(too_many=0.5, seed=3))
    for _ in range(5):
        line.provider.send(message())
    assert len(line.world.messages) == 5


@pytest.mark.parametrize(("faults", "made"), [(Faults(fault=1.0), 0), (Faults(silent=1.0), 1)])
def test_a_fault_of_theirs_is_unknown_and_never_repeated(line: Line, faults: Faults, made: int) -> None:
    line.world.obey(faults)
    with pytest.raises(Unknown):
        line.provider.send(message())
    assert len(line.world.messages) == made


def test_a_refused_connection_certainly_did_nothing(line: Line) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(NotSent):
        Twilio(replace(line.account, api_url=nobody)).send(message())


def test_an_answer_that_does_not_come_in_time_is_unknown(line: Line) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        account = replace(line.account, api_url=f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=0.2)
        with pytest.raises(Unknown):
            Twilio(account).send(message())


def test_a_request_that_timed_out_is_made_once(line: Line) -> None:
    reached: list[bytes] = []
    with socket.socket() as slow:
        slow.bind(("127.0.0.1", 0))
        slow.listen()

        def read_and_stay_silent() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = slow.accept()
                    reached.append(connection.recv(4096))
                    kept.append(connection)

        kept: list[socket.socket] = []
        listener = threading.Thread(target=read_and_stay_silent, daemon=True)
        listener.start()
        account = replace(line.account, api_url=f"http://127.0.0.1:{slow.getsockname()[1]}", timeout=0.3)
        with pytest.raises(Unknown):
            Twilio(account).send(message())
        slow.shutdown(socket.SHUT_RDWR)
        listener.join()
        for connection in kept:
            connection.close()
    assert len(reached) == 1


def test_a_call_names_what_is_said_when_we_fail_ourselves(line: Line) -> None:
    line.provider.call(OutgoingCall(uid="6f0e", to=OFFICER))
    assert line.asked[0]["FallbackUrl"] == "http://127.0.0.1:9/twilio/fallback"
    assert line.asked[0]["StatusCallback"].endswith("#rc=5&rp=all")


def test_the_last_gate_sees_every_number(line: Line) -> None:
    asked: list[str] = []

    def never(number: str) -> bool:
        asked.append(number)
        return False

    barred = Twilio(replace(line.account, may_reach=never))
    with pytest.raises(Refused):
        barred.send(message())
    with pytest.raises(Refused):
        barred.call(OutgoingCall(uid="6f0e", to=OFFICER))
    assert asked == [PERSON, OFFICER]
    assert line.world.messages == line.world.calls == {}


def test_wrong_credentials(line: Line) -> None:
    with pytest.raises(Refused) as refused:
        Twilio(replace(line.account, auth_token="wrong")).check()
    assert refused.value.code == 20003


def test_a_browser_s_telephone_needs_an_api_key(line: Line) -> None:
    assert line.provider.softphone_token("officer_1") is None
    keyed = replace(
        line.account, api_key_sid=f"SK{1:032x}", api_key_secret="s" * 32, twiml_app_sid=f"AP{2:032x}"
    )
    token = Twilio(keyed).softphone_token("officer_1")
    assert token is not None
    said = AccessToken.from_jwt(token, key="s" * 32)
    voice = said.payload["grants"]["voice"]
    assert said.payload["grants"]["identity"] == "officer_1"
    assert voice["outgoing"] == {"application_sid": f"AP{2:032x}"}
    assert TOKEN not in token


def test_nothing_of_a_message_is_logged(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    line.provider.send(message(body="Texte secret"))
    line.provider.sent_to(PERSON, Channel.SMS)
    assert "39980001" not in caplog.text
    assert "Texte secret" not in caplog.text
