"""Leases: asking for the next person, keeping, giving back, skipping, calling, and the result of a call."""

from __future__ import annotations

import re

from flask import Response, request
from werkzeug.exceptions import NotFound as NoSuchAddress

from callcentre.accounts.kinds import Role
from callcentre.audit import looks
from callcentre.audit.kinds import Place
from callcentre.callqueue.lease import Lease
from callcentre.desk import serving
from callcentre.desk import undo as undoing
from callcentre.desk.card import card, why_served
from callcentre.desk.context import Desk
from callcentre.desk.serving import Nothing
from callcentre.desk.wrap_up import wrap_up
from callcentre.errors import CallCentreError, InvalidInput, LeaseLost, NotFound
from callcentre.planning.states import zone_of
from callcentre.web import card_view, errors
from callcentre.web.addresses import LARGEST_ID
from callcentre.web.api import bodies, shapes
from callcentre.web.api.blueprint import blueprint
from callcentre.web.context import now, runtime, user
from callcentre.web.guards import only
from callcentre.web.i18n import gettext, language, mark
from callcentre.web.transaction import database, end_transaction, reading

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,43}")
_KEY = re.compile(r"[!-~]{1,80}")


class KeyMissing(CallCentreError):
    """An outcome without an idempotency key could be counted twice."""

    code = "idempotency_key_missing"
    status = 400
    message = mark("Envoyez un en-tête Idempotency-Key : sans lui, un double envoi compterait deux fois.")
    field = "Idempotency-Key"


@blueprint.post("/leases")
@only(Role.OFFICER)
def take() -> Response:
    """Give the officer the next person, or again the one they hold."""
    desk = _desk()
    given = serving.serve_next(database(), desk, officer_id=user().id, now=now())
    if isinstance(given, Lease) and given.granted_now:
        looks.record(database(), [given.person_id], Place.CARD, by=user().id, now=now())
    end_transaction()  # the writer's place is for the next officer; the card only reads
    if isinstance(given, Nothing):
        return shapes.answer(shapes.idle(given))
    with reading() as session:
        shown = card(session, desk, given, officer=user(), language=language(), now=now())
    said = card_view.why_now(shown, desk, now())
    return shapes.answer(shapes.served(shown, said), 201 if given.granted_now else 200)


@blueprint.patch("/leases/<token>")
@only(Role.OFFICER)
def renew(token: str) -> Response:
    """Keep a card that is being worked on."""
    lease = _renewed(_checked(token))
    return shapes.answer(shapes.lease(lease, _said(lease)))


@blueprint.delete("/leases/<token>")
@only(Role.OFFICER)
def release(token: str) -> Response:
    """Give a person back untouched."""
    serving.release(database(), _checked(token), officer_id=user().id, now=now())
    return Response(status=204)


@blueprint.post("/leases/<token>/skip")
@only(Role.OFFICER)
def skip(token: str) -> Response:
    """Pass over a person, with a reason."""
    sent = bodies.read(bodies.SkipBody)
    serving.skip(
        database(),
        _desk(),
        _checked(token),
        officer_id=user().id,
        reason_code=sent.reason,
        not_before=sent.not_before,
        now=now(),
    )
    return Response(status=204)


@blueprint.post("/leases/<token>/attempts")
@only(Role.OFFICER)
def call(token: str) -> Response:
    """Say that a number is being called: from here on the attempt exists."""
    sent = bodies.read(bodies.AttemptBody)
    attempt = serving.start_attempt(
        database(), _desk(), _checked(token), officer_id=user().id, number_id=sent.number_id, now=now()
    )
    return shapes.answer(shapes.StartedShape(attempt.id, attempt.started_at), 201)


@blueprint.post("/leases/<token>/outcome")
@only(Role.OFFICER)
def record(token: str) -> Response:
    """Record the result of a call, once for each idempotency key."""
    key = _key()
    sent = bodies.read(bodies.OutcomeBody).outcome()
    done = wrap_up(database(), _desk(), _checked(token), sent, officer_id=user().id, key=key, now=now())
    response = _kept() if done.kept else shapes.answer(shapes.outcome(done), 200 if done.undone else 201)
    if done.replayed:
        response.headers["Idempotent-Replay"] = "true"
    return response


@blueprint.post(f"/outcomes/<int(min=1, max={LARGEST_ID}):attempt_id>/undo")
@only(Role.OFFICER, Role.SUPERVISOR)
def undo(attempt_id: int) -> Response:
    """Take back a result: one's own within five minutes, a supervisor any with a reason."""
    if user().role is Role.SUPERVISOR:
        reason = bodies.read(bodies.UndoBody).reason
        done = undoing.undo_for_reason(
            database(), _desk(), attempt_id, reason=reason, by=user().id, now=now()
        )
        return shapes.answer(shapes.undone(done))
    submission_id = undoing.submission_of(database(), attempt_id, officer_id=user().id)
    if submission_id is None:
        raise NotFound("outcome")
    done = undoing.undo(database(), _desk(), submission_id, officer_id=user().id, now=now())
    return shapes.answer(shapes.undone(done, None if done.lease is None else _said(done.lease)))


def _said(lease: Lease) -> str:
    """Why the person of a lease is served, as the page says it now."""
    zone = zone_of(database(), lease.person_id)
    return card_view.why_served(lease.lane, why_served(lease), zone, _desk(), now())


def _kept() -> Response:
    """Not raised, so that the answer to a second sending carries its header too."""
    message = mark(
        "Un collègue a cette personne : votre résultat est gardé, un superviseur le lira. Rien d’autre n’a changé."
    )
    return errors.answer(LeaseLost.status, code=LeaseLost.code, message=gettext(message), kept=True)


def _key() -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        raise KeyMissing
    if _KEY.fullmatch(key) is None:
        raise InvalidInput(
            "La clé a de 1 à 80 caractères : lettres sans accent, chiffres et signes, sans espace.",
            field=KeyMissing.field,
        )
    return key


def _desk() -> Desk:
    return runtime().desk(database())


def _renewed(token: str) -> Lease:
    return serving.renew(database(), _desk(), token, officer_id=user().id, now=now())


def _checked(token: str) -> str:
    if _TOKEN.fullmatch(token) is None:
        raise NoSuchAddress
    return token
