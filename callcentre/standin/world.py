"""What the stand-in knows: messages, calls, what it still has to call back, and the faults that it was told to have."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import count
from random import Random
from threading import RLock
from typing import Any

STEP = timedelta(milliseconds=40)
"""Time between two steps of a message or a call."""
MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
"""The provider's own numbers for trying refusals."""


@dataclass(frozen=True)
class Faults:
    """Chances, from 0 to 1, of each fault; `seed` makes them come the same again."""

    too_many: float = 0.0
    fault: float = 0.0
    """A 500, with nothing done."""
    silent: float = 0.0
    """Done, but the connection is cut before the answer."""
    lost: float = 0.0
    """A callback that is never made."""
    repeated: float = 0.0
    """A callback that is made twice."""
    shuffled: float = 0.0
    """A callback that comes some steps late, after others."""
    undelivered: float = 0.04
    replies: float = 0.0
    """A message that is answered by itself."""
    seed: int = 0


@dataclass(frozen=True, order=True)
class Callback:
    """A request to make at `at`: a form to post to an address of ours."""

    at: datetime
    number: int
    url: str = field(compare=False)
    form: dict[str, str] = field(compare=False)


@dataclass(frozen=True)
class Line:
    """One message of a conversation with a telephone, as its owner sees it."""

    number: str
    ours: bool
    body: str
    at: datetime


REPLIES = ("Oui", "RAPPEL 18h", "demain matin", "C'est qui ?", "Non merci", "STOP", "ok pour lundi 14h", "👍")


class World:
    """The stand-in's memory. Every method takes the instant; nothing here reads a clock, sleeps or sends."""

    def __init__(self, *, account: str, inbound_url: str = "", faults: Faults | None = None) -> None:
        self.account, self.inbound_url = account, inbound_url
        self.lock = RLock()
        self.messages: dict[str, dict[str, Any]] = {}
        self.calls: dict[str, dict[str, Any]] = {}
        self.recordings: set[str] = set()
        self.blocked: set[str] = set()
        self.heard: dict[str, datetime] = {}
        self.lines: list[Line] = []
        self.pending: list[Callback] = []
        self._count = count(1)
        self.obey(faults or Faults())

    def obey(self, faults: Faults) -> None:
        """Have these faults from now on."""
        with self.lock:
            self.faults, self.chance = faults, Random(faults.seed)

    def sid(self, prefix: str) -> str:
        """Return a new identifier of the provider's shape."""
        return f"{prefix}{next(self._count):032x}"

    def refusal(self, to: str) -> int | None:
        """Return the code with which a message to this number is refused, if it is."""
        plain = to.removeprefix("whatsapp:")
        return MAGIC_TO.get(plain) or (21610 if plain in self.blocked else None)

    def message(self, form: dict[str, str], now: datetime) -> dict[str, Any]:
        """Take a message, and plan what becomes of it."""
        with self.lock:
            sid = self.sid("SM")
            message: dict[str, Any] = {
                "sid": sid,
                "account_sid": self.account,
                "to": form["To"],
                "from": form.get("From"),
                "messaging_service_sid": form.get("MessagingServiceSid"),
                "body": form.get("Body", ""),
                "content_sid": form.get("ContentSid", ""),
                "content_variables": form.get("ContentVariables", ""),
                "status": "accepted" if "MessagingServiceSid" in form else "queued",
                "direction": "outbound-api",
                "error_code": None,
                "error_message": None,
                "date_created": format_datetime(now),
                "date_updated": format_datetime(now),
                "date_sent": None,
                "num_segments": "0",
                "num_media": "0",
                "price": None,
                "price_unit": "EUR",
                "api_version": "2010-04-01",
                "uri": f"/2010-04-01/Accounts/{self.account}/Messages/{sid}.json",
                "subresource_uris": {},
            }
            self.messages[sid] = message
            self.lines.append(Line(form["To"], True, message["body"], now))
            answer = dict(message)
            self._course(message, form.get("StatusCallback", ""), now)
            return answer

    def _course(self, message: dict[str, Any], url: str, now: datetime) -> None:
        code = 30003 if self.chance.random() < self.faults.undelivered else self._out_of_window(message, now)
        bad = code is not None
        steps = ["sending", "sent", "undelivered" if bad else "delivered"]
        for number, status in enumerate(steps, start=1):
            form = {
                "MessageSid": message["sid"],
                "SmsSid": message["sid"],
                "MessageStatus": status,
                "SmsStatus": status,
                "AccountSid": self.account,
                "From": message["from"] or "",
                "To": message["to"],
                "ApiVersion": "2010-04-01",
            }
            if status == "undelivered":
                form["ErrorCode"] = str(code)
                message["error_code"] = code
            self.plan(url, form, now + number * STEP)
        message["status"] = steps[-1]
        if not bad and self.chance.random() < self.faults.replies:
            self.inbound(
                message["to"],
                self.chance.choice(REPLIES),
                now + timedelta(seconds=5 + 40 * self.chance.random()),
            )

    def _out_of_window(self, message: dict[str, Any], now: datetime) -> int | None:
        """On WhatsApp free text goes only within a day of what the person last wrote; a template always."""
        if not message["to"].startswith("whatsapp:") or message["content_sid"]:
            return None
        heard = self.heard.get(message["to"])
        return None if heard is not None and now < heard + timedelta(hours=24) else 63016

    def inbound(self, sender: str, body: str, now: datetime, *, sid: str | None = None) -> str:
        """Let somebody write to us; return the message's identifier."""
        with self.lock:
            sid = sid or self.sid("SM")
            self.heard[sender] = now
            if body.strip().casefold() in {"stop", "stopall", "unsubscribe", "cancel", "end", "quit"}:
                self.blocked.add(sender.removeprefix("whatsapp:"))
            if body.strip().casefold() in {"start", "unstop"}:
                self.blocked.discard(sender.removeprefix("whatsapp:"))
            form = {
                "MessageSid": sid,
                "SmsSid": sid,
                "SmsMessageSid": sid,
                "SmsStatus": "received",
                "AccountSid": self.account,
                "From": sender,
                "To": "",
                "Body": body,
                "NumMedia": "0",
                "NumSegments": "1",
                "FromCity": "",
                "FromCountry": "FR",
                "ApiVersion": "2010-04-01",
            }
            self.lines.append(Line(sender, False, body, now))
            self.plan(self.inbound_url, form, now, always=True)
            return sid

    def plan(self, url: str, form: dict[str, str], at: datetime, *, always: bool = False) -> None:
        """Note a request to make, with the faults of the day; `always`: it is not lost."""
        url = url.partition("#")[0]  # how often to repeat: for the provider alone, neither signed nor sent
        if not url or (not always and self.chance.random() < self.faults.lost):
            return
        if self.chance.random() < self.faults.shuffled:
            at += STEP * self.chance.randint(1, 6)
        heapq.heappush(self.pending, Callback(at, next(self._count), url, form))
        if self.chance.random() < self.faults.repeated:
            again = at + STEP * self.chance.randint(0, 5)
            heapq.heappush(self.pending, Callback(again, next(self._count), url, dict(form)))

    def due(self, now: datetime) -> Iterator[Callback]:
        """Give, and forget, the requests whose time has come."""
        while True:
            with self.lock:
                if not self.pending or self.pending[0].at > now:
                    return
                callback = heapq.heappop(self.pending)
            yield callback

    def call(
        self, form: dict[str, str], now: datetime, *, parent: str | None = None, to: str = ""
    ) -> dict[str, Any]:
        """Take a call, or note the leg of one."""
        with self.lock:
            sid = self.sid("CA")
            call: dict[str, Any] = {
                "sid": sid,
                "account_sid": self.account,
                "to": to or form.get("To", ""),
                "from": form.get("From", ""),
                "status": "queued",
                "direction": "outbound-dial" if parent else "outbound-api",
                "parent_call_sid": parent,
                "answered_by": None,
                "duration": None,
                "date_created": format_datetime(now),
                "date_updated": format_datetime(now),
                "start_time": format_datetime(now),
                "end_time": None,
                "api_version": "2010-04-01",
                "uri": f"/2010-04-01/Accounts/{self.account}/Calls/{sid}.json",
                "subresource_uris": {},
            }
            self.calls[sid] = call
            return call

    def conversations(self) -> dict[str, list[Line]]:
        """What was written, by telephone, the latest conversation first."""
        with self.lock:
            found: dict[str, list[Line]] = {}
            for line in self.lines:
                found.setdefault(line.number, []).append(line)
        return dict(sorted(found.items(), key=lambda pair: pair[1][-1].at, reverse=True))


Post = Callable[[str, dict[str, str]], str]
"""Posts a signed form and returns the answer's text."""
