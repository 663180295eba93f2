"""What the provider asks while a call is on its way: what to say, whom to ring, what to do next.

The addresses carry our own names of calls and nothing else; whom to ring is looked up here, never taken from the
request. The officer presses a key before the young person is rung, so that no voicemail of ours ever calls anybody.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request
from twilio.twiml.voice_response import Dial, VoiceResponse

from callcentre.desk import inbound_calls
from callcentre.outreach import calls, events
from callcentre.outreach.events import Event
from callcentre.outreach.kinds import EventKind, InboundOutcome
from callcentre.outreach.provider import INSIST
from callcentre.web.context import now, runtime
from callcentre.web.transaction import database
from callcentre.web.webhooks import field, first, signed, twiml

blueprint = Blueprint("voice", __name__, url_prefix="/twilio")

VOICE = {"language": "fr-FR"}
RING_SECONDS = 25
LONGEST_SECONDS = 3600
OFFICERS_RING = 15
VOICEMAIL_SECONDS = 120
KEY = "1"
EVENTS = "initiated ringing answered completed"
HIDDEN = frozenset(
    {
        "anonymous", "restricted", "blocked", "unavailable", "unknown", "+266696687", "+7378742833", "+2562533",
        "+86282452253", "+8656696",
    }
)  # fmt: skip
"""What stands for a number that is not shown: words, or the same words typed on a telephone's keys."""
CLOSED = "Bonjour. La plateforme est fermée pour le moment. Nous vous rappellerons à la prochaine ouverture. Au revoir."
FAILED = "Un incident nous empêche de vous répondre. Nous vous rappellerons. Au revoir."
BUSY = "Bonjour. Tous nos conseillers sont en ligne. Restez en ligne, ou tapez 1 pour être rappelé."
STILL_BUSY = "Merci de patienter, ou tapez 1 pour être rappelé."
NOBODY = (
    "Nos conseillers sont toujours en ligne. Laissez un message après le signal : nous vous rappellerons."
)
WAIT_SECONDS = 12
"""Between two looks for an officer who is free."""
LONGEST_WAIT = 6
"""Looks, rings that nobody took among them, after which a caller may only leave a message: a minute and a half, rings
included two."""


@blueprint.post("/bridge/<uuid:uid>")
@signed
def bridge(uid: UUID) -> Response:
    """The officer has picked up: ask for a key, and hang up without one."""
    answer = VoiceResponse()
    gather = answer.gather(
        num_digits=1, timeout=8, action=_url(f"/accept/{uid}"), action_on_empty_result=False
    )
    gather.say("Appel d'un jeune. Tapez 1 pour être mis en relation.", **VOICE)
    answer.hangup()
    return twiml(answer)


@blueprint.post("/accept/<uuid:uid>")
@signed
def accept(uid: UUID) -> Response:
    """The officer pressed a key: ring the young person, once."""
    answer = VoiceResponse()
    number = calls.accept(database(), str(uid), now=now()) if request.form.get("Digits") == KEY else None
    _ring(answer, uid, number)
    return twiml(answer)


@blueprint.post("/softphone")
@signed
def softphone() -> Response:
    """The telephone in an officer's browser calls: only its own open attempt, whose number is looked up here."""
    answer = VoiceResponse()
    caller, uid = request.form.get("From", ""), request.form.get("attempt", "")
    session = database()
    call = calls.by_uid(session, uid)
    if call is None or caller != f"client:{calls.identity(call.officer_id)}":
        answer.say("Cet appel n'est plus ouvert.", **VOICE)
        answer.hangup()
        return twiml(answer)
    calls.officer_leg(session, uid, sid=field("CallSid"), status="in-progress", now=now())
    _ring(answer, UUID(uid), calls.accept(session, uid, now=now()))
    return twiml(answer)


@blueprint.post("/dial-done/<uuid:uid>")
@signed
def dial_done(uid: UUID) -> Response:
    """The young person's leg is over: keep how it ended, and let the officer go, whose browser tells of no end."""
    form = request.form
    officer = field("CallSid")
    sid = form.get("DialCallSid", "")
    if sid:
        calls.person_leg(
            database(),
            str(uid),
            sid=sid,
            status=form.get("DialCallStatus", ""),
            seconds=_seconds(form.get("DialCallDuration")),
            now=now(),
        )
    calls.officer_leg(database(), str(uid), sid=officer, status="completed", now=now())
    answer = VoiceResponse()
    answer.hangup()
    return twiml(answer)


@blueprint.post("/officer-leg/<uuid:uid>")
@signed
def officer_leg(uid: UUID) -> tuple[str, int]:
    """Take in what became of the officer's leg."""
    event = _event(EventKind.OFFICER_LEG, uid)
    if first(event) and not calls.officer_leg(
        database(), str(uid), sid=event.sid, status=event.status, now=now()
    ):
        events.is_unknown(database(), event)
    return "", 204


@blueprint.post("/person-leg/<uuid:uid>")
@signed
def person_leg(uid: UUID) -> tuple[str, int]:
    """Take in what became of the young person's leg; `Duration` would be minutes."""
    event = _event(EventKind.PERSON_LEG, uid)
    seconds = _seconds(request.form.get("CallDuration"))
    if first(event) and not calls.person_leg(
        database(), str(uid), sid=event.sid, status=event.status, seconds=seconds, now=now()
    ):
        events.is_unknown(database(), event)
    return "", 204


@blueprint.post("/machine/<uuid:uid>")
@signed
def machine(uid: UUID) -> tuple[str, int]:
    """Take in whether a machine seems to have answered."""
    answered_by = field("AnsweredBy")
    event = Event(EventKind.MACHINE, sid=field("CallSid"), status=answered_by, subject=str(uid))
    if first(event) and not calls.machine(database(), str(uid), answered_by):
        events.is_unknown(database(), event)
    return "", 204


@blueprint.post("/voice")
@signed
def incoming() -> Response:
    """Somebody calls the single number: ring who knows them, else who is free, else let them wait or be called back."""
    caller = request.form.get("From", "")
    hidden = not caller or caller.casefold() in HIDDEN
    first(Event(EventKind.INBOUND_CALL, sid=field("CallSid"), status="ringing"))
    return twiml(_answer(None if hidden else caller[:40], waited=0))


@blueprint.post("/waiting/<int:waited>")
@signed
def waiting(waited: int) -> Response:
    """The caller has stayed on the line: look again who is free."""
    return twiml(_answer(None, waited=waited))


@blueprint.post("/offered/<int:call_id>/<int:officer_id>")
@signed
def offered(call_id: int, officer_id: int) -> Response:
    """An officer's telephone was picked up: ask for a key, so that no voicemail of theirs takes the caller."""
    answer = VoiceResponse()
    gather = answer.gather(
        num_digits=1,
        timeout=8,
        action=_url(f"/taken/{call_id}/{officer_id}"),
        action_on_empty_result=False,
    )
    who = runtime().programme.contact_of(inbound_calls.caller_of(database(), call_id))
    said = f"Appel de {who.name}." if who else "Un appel entrant."
    gather.say(f"{said} Tapez 1 pour le prendre.", **VOICE)
    answer.hangup()
    return twiml(answer)


@blueprint.post("/taken/<int:call_id>/<int:officer_id>")
@signed
def taken(call_id: int, officer_id: int) -> Response:
    """The officer pressed a key: an empty answer connects them, unless a colleague was quicker."""
    answer = VoiceResponse()
    pressed = request.form.get("Digits") == KEY
    if not pressed or not inbound_calls.taken(database(), call_id, officer_id=officer_id):
        answer.hangup()
    return twiml(answer)


@blueprint.post("/fallback")
@signed
def fallback() -> Response:
    """Something of ours failed while a call was on its way: say so and let go, without asking the database."""
    answer = VoiceResponse()
    answer.say(FAILED, **VOICE)
    answer.hangup()
    return twiml(answer)


@blueprint.post("/voice-done/<int:waited>")
@signed
def incoming_done(waited: int) -> Response:
    """The officers' telephones have stopped ringing: either somebody took it, or the caller waits or is called back."""
    session, desk = database(), runtime().desk(database())
    call = inbound_calls.take_in(session, desk, sid=field("CallSid"), caller=None, now=now())
    answer = VoiceResponse()
    if inbound_calls.is_over(session, call, now=now()):
        answer.hangup()
    else:
        _let_wait(answer, waited, rang=True)
    return twiml(answer)


@blueprint.post("/wants-call")
@signed
def wants_call() -> Response:
    """The caller pressed a key: they are called back next."""
    session, desk = database(), runtime().desk(database())
    call = inbound_calls.take_in(session, desk, sid=field("CallSid"), caller=None, now=now())
    answer = VoiceResponse()
    if request.form.get("Digits") == KEY:
        inbound_calls.lost(session, desk, call, InboundOutcome.WANTS_CALL, now=now())
        answer.say("C'est noté, nous vous rappelons. Au revoir.", **VOICE)
        answer.hangup()
    else:
        _record(answer)
    return twiml(answer)


@blueprint.post("/voicemail")
@signed
def voicemail() -> Response:
    """A message was left: it becomes a task, and the caller is called back next."""
    session, desk = database(), runtime().desk(database())
    call = inbound_calls.take_in(session, desk, sid=field("CallSid"), caller=None, now=now())
    inbound_calls.left_message(
        session,
        desk,
        call,
        recording=request.form.get("RecordingSid") or None,
        seconds=_seconds(request.form.get("RecordingDuration")),
        now=now(),
    )
    answer = VoiceResponse()
    answer.say("Merci, au revoir.", **VOICE)
    answer.hangup()
    return twiml(answer)


@blueprint.post("/voice-ended")
@signed
def incoming_ended() -> tuple[str, int]:
    """The call is over; one that nobody took and that left nothing was missed."""
    session, desk = database(), runtime().desk(database())
    event = Event(EventKind.INBOUND_CALL, sid=field("CallSid"), status=field("CallStatus"))
    if first(event):
        call = inbound_calls.take_in(session, desk, sid=event.sid, caller=None, now=now())
        if call.outcome is None:
            inbound_calls.lost(session, desk, call, InboundOutcome.MISSED, now=now())
    return "", 204


def _ring(answer: VoiceResponse, uid: UUID, number: str | None) -> None:
    if number is None or not runtime().provider.may_reach(number):
        answer.say("Cet appel n'est plus ouvert.", **VOICE)
        answer.hangup()
        return
    dial = Dial(
        caller_id=_number(),
        timeout=RING_SECONDS,
        time_limit=LONGEST_SECONDS,
        action=_url(f"/dial-done/{uid}"),
        answer_on_bridge=True,
    )
    dial.number(
        number,
        status_callback=_url(f"/person-leg/{uid}") + INSIST,
        status_callback_event=EVENTS,
        machine_detection="Enable",
        amd_status_callback=_url(f"/machine/{uid}") + INSIST,
    )
    answer.append(dial)


def _answer(caller: str | None, *, waited: int) -> VoiceResponse:
    """Ring who knows the caller, else who is free; while nobody is, or somebody waits longer, let the caller wait."""
    session, desk = database(), runtime().desk(database())
    call = inbound_calls.take_in(session, desk, sid=field("CallSid"), caller=caller, now=now())
    found = inbound_calls.route(session, desk, call, now=now(), looked=waited)
    answer = VoiceResponse()
    if not found.is_open:
        inbound_calls.lost(session, desk, call, InboundOutcome.CLOSED, now=now())
        answer.say(CLOSED, **VOICE)
        answer.hangup()
    elif found.lines:
        done = _url(f"/voice-done/{waited}")
        dial = answer.dial(timeout=OFFICERS_RING, action=done, answer_on_bridge=True, caller_id=_number())
        for officer_id, line in zip(found.officers, found.lines, strict=True):
            dial.number(line, url=_url(f"/offered/{call.id}/{officer_id}"))
    else:
        _let_wait(answer, waited)
    return answer


def _let_wait(answer: VoiceResponse, waited: int, *, rang: bool = False) -> None:
    """Offer to be called back and look again a little later; in the end, a message can be left.

    `rang`: telephones rang in vain, which took as long as a look.
    """
    if waited >= LONGEST_WAIT:
        answer.say(NOBODY, **VOICE)
        _record(answer)
        return
    gather = answer.gather(
        num_digits=1, timeout=WAIT_SECONDS, action=_url("/wants-call"), action_on_empty_result=False
    )
    gather.say(STILL_BUSY if waited else BUSY, **VOICE)
    answer.redirect(_url(f"/waiting/{waited + (2 if rang else 1)}"))


def _record(answer: VoiceResponse) -> None:
    # Without an action the provider would ask this very address again, for ever.
    answer.record(action=_url("/voicemail"), max_length=VOICEMAIL_SECONDS, play_beep=True)
    answer.hangup()


def _event(kind: EventKind, uid: UUID) -> Event:
    sequence = request.form.get("SequenceNumber", "0")
    return Event(
        kind,
        sid=field("CallSid"),
        status=field("CallStatus"),
        sequence=int(sequence) if sequence.isdecimal() else 0,
        subject=str(uid),
    )


def _seconds(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _url(path: str) -> str:
    return f"{runtime().settings.public_url.rstrip('/')}/twilio{path}"


def _number() -> str:
    return runtime().settings.twilio_number
