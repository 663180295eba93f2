"""What the provider tells us: proved by its signature, taken in once, answered at once.

The signature is made over the address that the provider was given, so the public address of the settings is what
counts, never the host of the request. A request that does not prove itself changes nothing and is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import quote

from flask import Blueprint, Response, request
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse
from werkzeug.exceptions import BadRequest, Forbidden

from callcentre.desk import inbound
from callcentre.desk.inbound import Incoming
from callcentre.outreach import events, messages
from callcentre.outreach.events import Event
from callcentre.outreach.kinds import Channel, EventKind
from callcentre.outreach.replies import Meaning
from callcentre.web.context import now, runtime
from callcentre.web.transaction import database, writing

blueprint = Blueprint("webhooks", __name__, url_prefix="/twilio")

PATH_SAFE = "/%:@!$&'()*+,;=~-._"
THEIR_WORDS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
"""After these the provider itself confirms, and would refuse an answer of ours."""
GOODBYE = "C'est noté, vous ne recevrez plus ni appel ni message sur ce numéro."

_View = TypeVar("_View", bound=Callable[..., Any])


def signed(view: _View) -> _View:
    """Let only requests through that the provider signed."""

    @wraps(view)
    def inner(*args: Any, **kwargs: Any) -> Any:
        if not _is_signed():
            with writing() as session:
                events.count(session, "forged", day=_day(), now=now())
            raise Forbidden
        return view(*args, **kwargs)

    return inner  # type: ignore[return-value]


@blueprint.post("/messages/<uuid:uid>")
@signed
def message_status(uid: object) -> tuple[str, int]:
    """Take in what became of a message of ours."""
    form = request.form
    event = Event(
        EventKind.MESSAGE_STATUS,
        sid=field("MessageSid"),
        status=field("MessageStatus"),
        subject=str(uid),
        error_code=_code(form.get("ErrorCode")),
    )
    session = database()
    if not first(event):
        return "", 204
    told = messages.told(
        session, str(uid), sid=event.sid, status=event.status, error_code=event.error_code, now=now()
    )
    if told is None:
        events.is_unknown(session, event)
    elif event.error_code == messages.OPTED_OUT_THERE:
        inbound.stop(session, runtime().desk(session), told.number_id, source="provider", now=now())
    return "", 204


@blueprint.post("/inbound")
@signed
def inbound_message() -> Response:
    """Take in a message that somebody sent us, and answer a stop that the provider does not answer itself."""
    incoming = _incoming()
    answer = MessagingResponse()
    session = database()
    if first(Event(EventKind.INBOUND_MESSAGE, sid=incoming.sid, status="received")):
        row = inbound.take_in(session, runtime().desk(session), incoming, now=now())
        if row.meaning == Meaning.OPT_OUT and incoming.body.strip().casefold() not in THEIR_WORDS:
            answer.message(GOODBYE)
    return twiml(answer)


def twiml(answer: object) -> Response:
    """Answer the provider in its own language; any other type would be read out or sent to the person."""
    return Response(str(answer), mimetype="text/xml")


def _incoming() -> Incoming:
    sender = field("From")
    channel = Channel.WHATSAPP if sender.startswith("whatsapp:") else Channel.SMS
    media = request.form.get("NumMedia", "0")
    return Incoming(
        sid=field("MessageSid"),
        sender=sender.removeprefix("whatsapp:")[:40],
        body=request.form.get("Body", "").replace("\0", "")[:1600],
        channel=channel,
        media=int(media) if media.isdecimal() else 0,
    )


def first(event: Event) -> bool:
    """Note an event; tell whether it is the first of its kind."""
    session = database()
    first = events.note(session, event, now=now())
    events.count(session, "accepted" if first else "repeated", day=_day(), now=now())
    return first


def field(name: str) -> str:
    """Return a field that must be there; a request without it is counted and refused."""
    value = request.form.get(name, "").strip()
    if not value:
        with writing() as session:
            events.count(session, "malformed", day=_day(), now=now())
        raise BadRequest(f"{name} is missing")
    return value


def _is_signed() -> bool:
    settings = runtime().settings
    query = request.query_string.decode("ascii", "replace")
    path = quote(request.path, safe=PATH_SAFE)
    url = settings.public_url.rstrip("/") + path + (f"?{query}" if query else "")
    form = request.form if request.method == "POST" else {}
    signature = request.headers.get("X-Twilio-Signature", "")
    tokens = [token for token in (settings.twilio_auth_token, settings.twilio_auth_token_before) if token]
    return bool(signature) and any(RequestValidator(t).validate(url, form, signature) for t in tokens)


def _code(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _day() -> Any:
    return now().astimezone(runtime().programme.tz).date()
