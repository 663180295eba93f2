"""Twilio, the only module that speaks to it; facts and traps that shaped it are in `docs/telephony.md`.

Twilio has no idempotency for messages and calls: only a 429 and a connection that was never made are certain to have
done nothing. Everything else that is not an answer is unknown.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant
from twilio.rest import Client
from urllib3 import Retry
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from callcentre.outreach.kinds import Channel
from callcentre.outreach.provider import (
    INSIST,
    NotSent,
    OutgoingCall,
    OutgoingMessage,
    ProviderFailure,
    Receipt,
    Refused,
    Unknown,
)

TIMEOUT_SECONDS = 8.0
"""The client would wait for ever by itself."""
RING_SECONDS = 20
"""How long the officer's telephone rings; their voicemail must not pick up."""
LOOKED_BACK = 20
"""How many of the latest messages to a number are looked through after an unknown result."""
TOO_MANY = 429
SERVER_FAULT = 500
TOKEN_SECONDS = 3600
API = "https://api.twilio.com"
BARRED = 21408
"""Twilio's code for a destination that the account may not reach; our own guard gives the same."""
ENDED_ALREADY = 21220
"""Twilio's code for a change to a call that has ended."""

# An address that is asked for holds the number.
logging.getLogger("urllib3").setLevel(logging.WARNING)

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Account:
    """What is needed to speak to Twilio. `api_url`: a stand-in on loopback instead of the real one.

    `may_reach` is the last gate: it sees every number in E.164 before a request leaves.
    """

    account_sid: str
    auth_token: str
    public_url: str
    number: str
    may_reach: Callable[[str], bool]
    messaging_service_sid: str = ""
    whatsapp_from: str = ""
    api_key_sid: str = ""
    api_key_secret: str = ""
    twiml_app_sid: str = ""
    api_url: str = ""
    receives: bool = True
    timeout: float = TIMEOUT_SECONDS


class Twilio:
    """A provider on a Twilio account, a test account, or a stand-in."""

    name = "twilio"
    can_call = True

    def __init__(self, account: Account) -> None:
        self.account = account
        self._http = _HttpClient(account)
        self._client = Client(account.account_sid, account.auth_token, http_client=self._http)

    @property
    def can_receive(self) -> bool:
        """Whether our sender can be answered; a name instead of a number cannot."""
        return self.account.receives

    @property
    def can_whatsapp(self) -> bool:
        """Whether a sender is set up there."""
        return bool(self.account.whatsapp_from)

    def may_reach(self, number: str) -> bool:
        """Whether a request may ever go to this number."""
        return self.account.may_reach(number)

    def send(self, message: OutgoingMessage) -> Receipt:
        """Send a message once."""
        self._guard(message.to)
        made: dict[str, str] = {
            "to": _address(message.to, message.channel),
            "status_callback": self._url(f"/twilio/messages/{message.uid}") + INSIST,
        }
        if message.content is None:
            made["body"] = message.body
        else:
            made["content_sid"] = message.content["sid"]
            made["content_variables"] = json.dumps(message.content["variables"], ensure_ascii=False)
        if message.channel is Channel.WHATSAPP:
            made["from_"] = f"whatsapp:{self.account.whatsapp_from}"
        elif self.account.messaging_service_sid:
            made["messaging_service_sid"] = self.account.messaging_service_sid
        else:
            made["from_"] = self.account.number
        return _receipt(_ask(lambda: self._client.messages.create(**made)))

    def sent_to(self, to: str, channel: Channel) -> list[Receipt]:
        """The latest messages to a number; not narrowed by date, which hides what has not been sent yet."""
        address = _address(to, channel)
        found = _ask(lambda: self._client.messages.list(to=address, limit=LOOKED_BACK))
        return [_receipt(one) for one in found if not str(one.direction).startswith("inbound")]

    def message(self, sid: str) -> Receipt:
        """What became of a message."""
        return _receipt(_ask(lambda: self._client.messages(sid).fetch()))

    def call(self, call: OutgoingCall) -> Receipt:
        """Ring the officer; a key pressed then calls the person of the attempt, whose number only our answer names."""
        self._guard(call.to)
        return _call_receipt(
            _ask(
                lambda: self._client.calls.create(
                    to=call.to,
                    from_=self.account.number,
                    url=self._url(f"/twilio/bridge/{call.uid}"),
                    fallback_url=self._url("/twilio/fallback"),
                    timeout=RING_SECONDS,
                    status_callback=self._url(f"/twilio/officer-leg/{call.uid}") + INSIST,
                    status_callback_event=["initiated", "ringing", "answered", "completed"],
                )
            )
        )

    def calls_to(self, to: str) -> list[Receipt]:
        """The calls to a number that have not ended."""
        found = _ask(lambda: self._client.calls.list(to=to, limit=LOOKED_BACK))
        going_on = {"queued", "initiated", "ringing", "in-progress"}
        return [_call_receipt(one) for one in found if one.status in going_on]

    def call_state(self, sid: str) -> Receipt:
        """What became of a call."""
        return _call_receipt(_ask(lambda: self._client.calls(sid).fetch()))

    def legs_of(self, sid: str) -> list[Receipt]:
        """What became of the calls that a call made."""
        found = _ask(lambda: self._client.calls.list(parent_call_sid=sid, limit=LOOKED_BACK))
        return [_call_receipt(one) for one in found]

    def hang_up(self, sid: str) -> None:
        """End a call."""
        try:
            _ask(lambda: self._client.calls(sid).update(status="completed"))
        except Refused as error:
            if error.code != ENDED_ALREADY:
                raise

    def recording(self, sid: str) -> bytes:
        """What a caller left on our voicemail, as WAV of telephone quality: a megabyte a minute."""
        account = self.account
        path = f"/2010-04-01/Accounts/{account.account_sid}/Recordings/{quote(sid, safe='')}.wav"
        return _ask(lambda: self._http.download(path, (account.account_sid, account.auth_token)))

    def softphone_token(self, identity: str) -> str | None:
        """A pass of one hour for the browser's telephone, signed with an API key, never with the account's token."""
        account = self.account
        if not (account.api_key_sid and account.api_key_secret and account.twiml_app_sid):
            return None
        token = AccessToken(
            account.account_sid,
            account.api_key_sid,
            account.api_key_secret,
            identity=identity,
            ttl=TOKEN_SECONDS,
        )
        token.add_grant(VoiceGrant(outgoing_application_sid=account.twiml_app_sid, incoming_allow=True))
        return str(token.to_jwt())

    def check(self) -> str:
        """Return the account's own name if the credentials are right."""
        sid = self.account.account_sid
        return str(_ask(lambda: self._client.api.accounts(sid).fetch()).friendly_name)

    def _guard(self, number: str) -> None:
        if not self.account.may_reach(number):
            raise Refused(BARRED)

    def _url(self, path: str) -> str:
        return self.account.public_url.rstrip("/") + path


class _HttpClient(TwilioHttpClient):  # type: ignore[misc]  # the library carries no types
    """The client's own transport with a time limit, repeats that are safe, and a stand-in's address if there is one."""

    def __init__(self, account: Account) -> None:
        super().__init__(timeout=account.timeout)
        self._base = urlsplit(account.api_url) if account.api_url else None
        retry = Retry(
            total=None,
            connect=2,
            read=0,
            redirect=0,
            status=3,
            other=0,
            status_forcelist=[TOO_MANY],
            allowed_methods=None,
            backoff_factor=0.2,
            backoff_jitter=0.1,
            respect_retry_after_header=True,
            raise_on_status=False,
        )
        if self.session is not None:
            self.session.trust_env = self._base is None
            for scheme in ("https://", "http://"):
                self.session.mount(scheme, HTTPAdapter(max_retries=retry, pool_maxsize=8))

    def log_request(self, kwargs: dict[str, object]) -> None:
        """Write nothing down: the client would log numbers and texts."""

    def log_response(self, status_code: int, response: object) -> None:
        """Write nothing down."""

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Send a request, to the stand-in if there is one; the host that was meant stays in the header."""
        if self._base is not None:
            asked = urlsplit(url)
            headers = {**(headers or {}), "Host": asked.netloc}
            url = urlunsplit((self._base.scheme, self._base.netloc, asked.path, asked.query, ""))
        return super().request(method, url, params, data, headers, auth, timeout, allow_redirects)

    def download(self, path: str, auth: tuple[str, str]) -> bytes:
        """Fetch a file as it is, where `request` would take it for text."""
        base = API if self._base is None else urlunsplit((self._base.scheme, self._base.netloc, "", "", ""))
        assert self.session is not None
        answer = self.session.get(base + path, auth=auth, timeout=self.timeout)
        if not answer.ok:
            raise TwilioRestException(answer.status_code, path)
        found: bytes = answer.content
        return found


def _ask(request: Callable[[], _Answer]) -> _Answer:
    """Make a request and say in our words how it failed, if it did."""
    try:
        return request()
    except TwilioRestException as error:
        raise _failure(error) from None
    except (requests.RequestException, TwilioException, ValueError, KeyError, TypeError) as error:
        raise (NotSent() if _never_connected(error) else Unknown()) from None


def _failure(error: TwilioRestException) -> ProviderFailure:
    if error.status == TOO_MANY:
        return NotSent("too many requests")
    if error.status >= SERVER_FAULT:
        return Unknown(f"fault {error.status}")
    return Refused(int(error.code or error.status))


def _never_connected(error: BaseException) -> bool:
    """Tell whether the connection itself failed, so that nothing can have happened."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _address(number: str, channel: Channel) -> str:
    return f"whatsapp:{number}" if channel is Channel.WHATSAPP else number


def _receipt(message: Any) -> Receipt:
    return Receipt(
        sid=str(message.sid),
        status=str(message.status),
        error_code=_number(message.error_code),
        body=str(message.body or ""),
        created_at=message.date_created,
    )


def _call_receipt(call: Any) -> Receipt:
    return Receipt(
        sid=str(call.sid),
        status=str(call.status),
        created_at=call.date_created,
        answered_by=call.answered_by or None,
        seconds=_number(call.duration),
    )


def _number(value: object) -> int | None:
    text = str(value) if value is not None else ""
    return int(text) if text.isdecimal() else None
