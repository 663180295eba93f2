"""The officer's desk: one person at a time, from the card to the result, and what there is when nobody is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from flask import Blueprint, flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.wrappers import Response as BaseResponse

from callcentre.accounts import presence
from callcentre.accounts import queries as accounts
from callcentre.accounts.kinds import PauseReason, PresenceState
from callcentre.accounts.queries import OfficerPresence
from callcentre.audit import looks
from callcentre.audit.kinds import Place
from callcentre.callqueue import lease as leases
from callcentre.callqueue.lease import Lease
from callcentre.desk import conversation, drafts, my_day, serving, telephony, texts, undo, wrap_up
from callcentre.desk.card import Card, card
from callcentre.desk.context import Desk
from callcentre.desk.search import search as find
from callcentre.desk.serving import Nothing
from callcentre.errors import IdempotencyMismatch, InvalidInput, LeaseLost, NotAllowed, NotFound
from callcentre.outreach import attempts, consents
from callcentre.outreach.kinds import Channel
from callcentre.retry.reasons import ReasonCode, reason
from callcentre.web import card_view, labels, message_words, outcome_form
from callcentre.web.context import now, runtime, user
from callcentre.web.errors import answer
from callcentre.web.formats import hour, iso, moment
from callcentre.web.forms import choice_of, whole_number
from callcentre.web.guards import passive, wants_json
from callcentre.web.i18n import gettext, mark
from callcentre.web.looks import looked, looked_up
from callcentre.web.telephony import WAYS, telephone
from callcentre.web.transaction import database, reading

blueprint = Blueprint("desk", __name__, url_prefix="/desk")

PAUSE_REMEMBERED = timedelta(hours=16)
"""How long a page shows a pause that nothing renewed: until the next working day."""

_SKIP_TIMES = {
    "30": mark("dans une demi-heure"),
    "60": mark("dans une heure"),
    "120": mark("dans deux heures"),
    "1440": mark("demain"),
}
"""Minutes for which a skipped person waits, in words."""


@blueprint.get("")
def show() -> str:
    """Show the card that the officer holds, or what there is when they hold none."""
    session = database()
    desk = runtime().desk(session)
    lease = leases.of_officer(session, user().id)
    if lease is None:
        return _idle_page(desk)
    looked(Place.CARD, lease.person_id)
    return card_page(desk, lease)


@blueprint.post("/next")
def next_person() -> BaseResponse:
    """Give the officer the next person; pressing twice gives the same."""
    return _served(runtime().desk(database()))


@blueprint.post("/leases/<token>/attempt")
def attempt(token: str) -> ResponseReturnValue:
    """Record that the officer is calling a number; the same click twice is one call."""
    number_id = whole_number(request.form.get("number_id"))
    if number_id is None:
        raise InvalidInput(gettext("Choisissez un numéro de la fiche."), field="number_id")
    session = database()
    desk = runtime().desk(session)
    try:
        with session.begin_nested():
            made = serving.start_attempt(
                session, desk, token, officer_id=user().id, number_id=number_id, now=now()
            )
            attempts.pick_up(session, made)
    except NotAllowed as problem:
        message = _why_refused(desk, token, number_id) or gettext(problem.message)
        if wants_json():
            return answer(409, code=problem.code, message=message, reason=problem.reason)
        flash(message, "attention")
        return redirect("/desk")
    if wants_json():
        ways = telephony.ways(session, telephone())
        return jsonify(
            attempt_id=made.id,
            started_at=iso(made.started_at),
            number_id=number_id,
            ways=[way.value for way in ways],
            follow=f"/telephony/attempts/{made.id}",
        )
    return redirect("/desk")


@blueprint.post("/leases/<token>/renew")
@passive
def renew(token: str) -> BaseResponse:
    """Keep a card that is visible; says until when, and what the officer's day has become."""
    session = database()
    desk = runtime().desk(session)
    lease = serving.renew(session, desk, token, officer_id=user().id, now=now())
    return jsonify(
        until=iso(lease.until), hour=hour(lease.until), fragments=_fragments(desk, with_queue=False)
    )


@blueprint.post("/leases/<token>/outcome")
def outcome(token: str) -> ResponseReturnValue:
    """Record the result of a call, then serve the next person or pause."""
    session = database()
    desk = runtime().desk(session)
    read = outcome_form.read(request.form, desk, now=now())
    if read.outcome is None:
        return _to_correct(desk, token, read)
    key = request.form.get("idempotency_key") or token
    try:
        with session.begin_nested():
            done = wrap_up.wrap_up(
                session, desk, token, read.outcome, officer_id=user().id, key=key, now=now()
            )
    except InvalidInput as problem:
        read.errors[outcome_form.field_of(problem.field)] = gettext(problem.message)
        return _to_correct(desk, token, read)
    except IdempotencyMismatch:
        flash(
            gettext("Un résultat était déjà enregistré pour cette fiche : le second n’a pas été pris."),
            "attention",
        )
        return _after(desk)
    if done.kept:
        flash(
            gettext(
                "La fiche avait été reprise par un collègue. Votre résultat est gardé : un superviseur le lira."
            ),
            "attention",
        )
    return _after(desk)


@blueprint.post("/leases/<token>/skip")
def skip(token: str) -> BaseResponse:
    """Pass over a person with a reason, and serve the next one."""
    minutes = request.form.get("wait", "")
    later = now() + timedelta(minutes=int(minutes)) if minutes in _SKIP_TIMES else None
    session = database()
    desk = runtime().desk(session)
    try:
        with session.begin_nested():
            serving.skip(
                session,
                desk,
                token,
                officer_id=user().id,
                reason_code=request.form.get("reason", ""),
                not_before=later,
                now=now(),
            )
    except InvalidInput:
        flash(gettext("Indiquez pourquoi passer cette fiche ; elle est toujours devant vous."), "attention")
        return redirect("/desk")
    except (NotAllowed, LeaseLost) as problem:
        flash(gettext(problem.message), "attention")
        return redirect("/desk")
    return _served(desk)


@blueprint.post("/leases/<token>/release")
def release(token: str) -> BaseResponse:
    """Give a person back untouched."""
    try:
        serving.release(database(), token, officer_id=user().id, now=now())
    except NotAllowed as problem:
        flash(gettext(problem.message), "attention")
    return redirect("/desk")


@blueprint.post("/leases/<token>/draft")
@passive
def draft(token: str) -> BaseResponse:
    """Keep what is being typed about a person."""
    note = request.form.get("note", "")
    session = database()
    lease = leases.of_token(session, token)
    mine = lease is not None and lease.officer_id == user().id
    person_id = (
        lease.person_id
        if lease is not None and mine
        else leases.person_of_ended(session, token, officer_id=user().id)
    )
    if person_id is None:
        raise NotFound("lease")
    drafts.save(session, officer_id=user().id, person_id=person_id, body=note, now=now())
    if lease is not None and mine and lease.attempt_id is not None and request.form.get("disposition"):
        attempts.hang_up(
            session, lease.attempt_id, now=now()
        )  # whoever picks a result has put the phone down
    return jsonify(kept=True)


@blueprint.post("/notes/<int:person_id>/discard")
def discard(person_id: int) -> BaseResponse:
    """Forget a note that was kept and is no longer wanted."""
    drafts.discard(database(), officer_id=user().id, person_id=person_id)
    return redirect("/desk")


@blueprint.post("/outcomes/<int:submission_id>/undo")
def take_back(submission_id: int) -> BaseResponse:
    """Undo a result; the person's card comes back with the call open, at once or after the call under way."""
    session = database()
    desk = runtime().desk(session)
    held = leases.of_officer(session, user().id)
    if held is not None and held.attempt_id is None:
        serving.release(session, held.token, officer_id=user().id, now=now())
    try:
        with session.begin_nested():
            undone = undo.undo(session, desk, submission_id, officer_id=user().id, now=now())
    except NotAllowed as problem:
        flash(gettext(problem.message), "attention")
        return redirect("/desk")
    if undone.lease is None:
        flash(
            gettext("Résultat annulé. La fiche reviendra après l’appel en cours, pour le bon résultat."),
            "info",
        )
    else:
        flash(gettext("Résultat annulé : indiquez le bon résultat."), "info")
    return redirect("/desk")


@blueprint.post("/pause")
def pause() -> BaseResponse:
    """Stop being served; a card without a call goes back to the queue."""
    why = choice_of(PauseReason, request.form.get("reason")) or PauseReason.BREAK
    session = database()
    held = leases.of_officer(session, user().id)
    if held is not None and held.attempt_id is not None:
        flash(
            gettext("Un appel est en cours : enregistrez son résultat, avec « Enregistrer, puis pause »."),
            "attention",
        )
        return redirect("/desk")
    if held is not None:
        serving.release(session, held.token, officer_id=user().id, now=now())
    presence.pause(session, user().id, why, now=now())
    return redirect("/desk")


@blueprint.post("/resume")
def resume() -> BaseResponse:
    """Come back from a pause, straight to the next person."""
    session = database()
    presence.resume(session, user().id, now=now())
    return _served(runtime().desk(session))


@blueprint.post("/check")
@passive
def check() -> BaseResponse:
    """Say what a page that waits should show now; it also says that the officer is there."""
    session = database()
    presence.seen(session, user().id, now=now())
    desk = runtime().desk(session)
    waits = my_day.somebody_waits(session, desk, officer_id=user().id, now=now())
    return jsonify(fragments=_fragments(desk, with_queue=True), waits=waits)


@blueprint.post("/search")
def search() -> ResponseReturnValue:
    """Find people by any form of a number or by name; the words typed never reach an address."""
    text = request.form.get("q", "").strip()[:120]
    with reading() as session:
        desk = runtime().desk(session)
        found = find(session, desk, text) if text else ()
        held = leases.of_officer(session, user().id)
    looked_up([one.id for one in found])
    shown = {"q": text, "found": found, "held": held}
    if wants_json():
        return jsonify(html=render_template("desk_found.html", **shown))
    return render_template("desk_search.html", **shown)


@blueprint.post("/open")
def open_card() -> BaseResponse:
    """Open somebody's card; the card without a call that was open goes back to the queue."""
    person_id = whole_number(request.form.get("person_id"))
    session = database()
    desk = runtime().desk(session)
    if person_id is None:
        raise NotFound("person")
    held = leases.of_officer(session, user().id)
    if held is not None and held.person_id != person_id and held.attempt_id is None:
        serving.release(session, held.token, officer_id=user().id, now=now())
    _open(desk, person_id)
    return redirect("/desk")


@dataclass(frozen=True)
class Unsent:
    """A message that did not leave: what was typed, how it was to go, and why not."""

    body: str
    channel: Channel
    why: str


@dataclass(frozen=True)
class _Waiting:
    """What a page without a card says: paused or not, why nobody is due, when somebody is."""

    pause: OfficerPresence | None
    waits: bool
    next_at: datetime | None
    why: str
    asked: bool


def _served(desk: Desk) -> BaseResponse:
    """Serve the next person and show them; a card whose result was undone comes first."""
    session, me = database(), user().id
    if undo.take_up_again(session, desk, officer_id=me, now=now()) is not None:
        return redirect("/desk")
    given = serving.serve_next(session, desk, officer_id=me, now=now())
    if isinstance(given, Lease) and given.granted_now:  # with the claim: no second turn at the writer's place
        looks.record(session, [given.person_id], Place.CARD, by=me, now=now())
    asked = isinstance(given, Nothing) and given.reason is not serving.Idle.PAUSED
    return redirect("/desk?asked=1" if asked else "/desk")


def _after(desk: Desk) -> ResponseReturnValue:
    """What follows a result: a pause, the card of the same household, or the next person."""
    session, me = database(), user().id
    housemate = whole_number(request.form.get("open_after"))
    if request.form.get("then") == "pause":
        presence.pause(session, me, PauseReason.BREAK, now=now())
        response = redirect("/desk")
    elif housemate is not None and _open(desk, housemate):
        response = redirect("/desk")
    else:
        response = _served(desk)
    if wants_json():
        return jsonify(location=response.headers["Location"]), 201
    return response


def _open(desk: Desk, person_id: int) -> bool:
    session = database()
    try:
        with session.begin_nested():
            serving.open_card(session, desk, person_id, officer_id=user().id, now=now())
    except NotAllowed as problem:
        flash(gettext(problem.message), "attention")
        return False
    return True


def _to_correct(desk: Desk, token: str, read: outcome_form.Reading) -> ResponseReturnValue:
    """Show what to correct; everything typed stays."""
    lease = leases.of_token(database(), token)
    if wants_json() or lease is None or lease.officer_id != user().id:
        field, message = next(iter(read.errors.items()))
        zone = request.form.get("zone") or desk.programme.zone
        offer = {"value": iso(read.offer), "label": moment(read.offer, zone)} if read.offer else None
        return answer(
            422, code=InvalidInput.code, message=message, field=field, fields=read.errors, offer=offer
        )
    return card_page(desk, lease, typed=request.form, read=read), 422


def card_page(
    desk: Desk,
    lease: Lease,
    *,
    typed: ImmutableMultiDict[str, str] | None = None,
    read: outcome_form.Reading | None = None,
    unsent: Unsent | None = None,
) -> str:
    """Return the card that the officer holds, with what was typed and could not be taken, if anything."""
    session, me = database(), user()
    shown = card(session, desk, lease, officer=me, language=me.language.value, now=now())
    day = my_day.my_day(session, desk, officer_id=me.id, now=now())
    zone = shown.person.zone
    ways = telephony.ways(session, telephone())
    return render_template(
        "desk_card.html",
        **_common(desk, day),
        card=shown,
        person=shown.person,
        why=card_view.why_now(shown, desk, now()),
        refusals=_refusals(shown),
        owners={number.id: card_view.owner_of(number) for number in shown.person.numbers},
        groups=card_view.groups_of(desk),
        keys=card_view.own_keys(desk),
        usual=card_view.usual_choices(desk, zone, now()),
        slots=card_view.slot_choices(desk, zone, now(), [promise.promised_at for promise in day.promises]),
        owner_labels=card_view.OWNER_LABELS,
        verdicts=card_view.VERDICTS,
        skip_reasons=desk.programme.skip_reasons,
        skip_times=_SKIP_TIMES,
        typed=typed or {},
        errors=read.errors if read else {},
        offer=read.offer if read else None,
        is_open_there=desk.policy.hours.is_open(now(), desk.programme.tz),
        renew_seconds=desk.settings.lease_renew_seconds,
        way=WAYS[ways[0].value] if runtime().provider.can_call else None,
        followed=len(ways) > 1,
        lines=conversation.conversation(session, shown.person.id, limit=6),
        state_words=message_words.state,
        whatsapp=message_words.agreements(
            consents.of_numbers(session, [number.id for number in shown.person.numbers])
        ),
        may_whatsapp=runtime().provider.can_whatsapp
        and texts.whatsapp_of(session, shown.person.id, now=now()),
        unsent=unsent,
        text_key=uuid4(),
        texts=texts.templates(session, desk, shown.person.id, answerable=runtime().provider.can_receive),
    )


def _idle_page(desk: Desk) -> str:
    session = database()
    return render_template(
        "desk_idle.html",
        **_common(desk, my_day.my_day(session, desk, officer_id=user().id, now=now())),
        waiting=_waiting(desk, asked="asked" in request.args),
        notes=my_day.kept_notes(session, officer_id=user().id),
    )


def _common(desk: Desk, day: my_day.MyDay) -> dict[str, Any]:
    """What every state of the desk shows."""
    last = my_day.last_result(database(), desk, officer_id=user().id, now=now())
    return {
        "day": day,
        "last": last,
        "inbox": _inbox(desk),
        "disposition_label": lambda code: labels.disposition_label(desk.programme, code),
    }


def _inbox(desk: Desk) -> conversation.Count:
    return conversation.waiting_count(database(), desk, officer_id=user().id)


def _waiting(desk: Desk, *, asked: bool) -> _Waiting:
    session, me = database(), user().id
    there = accounts.presence_of(session, me, now=now(), within=PAUSE_REMEMBERED)
    paused = there if there is not None and there.state is PresenceState.PAUSED else None
    waits = not asked and my_day.somebody_waits(session, desk, officer_id=me, now=now())
    next_at = serving.next_due_at(session, desk, now=now())
    hours, zone = desk.policy.hours, desk.programme.tz
    opening = hours.next_opening(now(), zone)
    if opening is not None and opening > now():
        local = opening.astimezone(zone)
        closed = reason(ReasonCode.OUTSIDE_HOURS, day=local.date().isoformat(), time=f"{local:%H:%M}")
        why = card_view.in_words(closed)
    elif next_at is None:
        why = gettext("La file est vide : tout le monde a été appelé, ou aucune liste n’est encore importée.")
    else:
        why = gettext("Toutes les personnes que les règles permettent d’appeler à cette heure l’ont été.")
    return _Waiting(paused, waits, next_at, why, asked)


def _fragments(desk: Desk, *, with_queue: bool) -> dict[str, str]:
    """The parts of a page that change by themselves."""
    session = database()
    day = my_day.my_day(session, desk, officer_id=user().id, now=now())
    parts = {"my-day": render_template("desk_day.html", day=day, inbox=_inbox(desk))}
    if with_queue:
        parts["waiting"] = render_template("desk_waiting.html", waiting=_waiting(desk, asked=False))
    return parts


def _refusals(shown: Card) -> dict[int, str]:
    """Why each number may not be called now; the one being called is not among them."""
    calling = shown.attempt.number_id if shown.attempt else None
    return {
        number.id: card_view.in_words(number.refused)
        for number in shown.person.numbers
        if number.refused is not None and number.id != calling
    }


def _why_refused(desk: Desk, token: str, number_id: int) -> str | None:
    """The rule's sentence in the language of the page."""
    session = database()
    lease = leases.of_token(session, token)
    if lease is None or lease.attempt_id is not None:
        return None
    me = user()
    shown = card(session, desk, lease, officer=me, language=me.language.value, now=now())
    return _refusals(shown).get(number_id)
