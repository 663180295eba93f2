"""Signing in and out, the landing page of each role, and the language before signing in."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, flash, jsonify, make_response, redirect, render_template, request
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response as BaseResponse

from callcentre.accounts import presence, queries, sign_in
from callcentre.accounts.kinds import Role
from callcentre.accounts.secrets import password_matches
from callcentre.web import guards, interrupted, security
from callcentre.web.context import now, runtime, visitor_or_none
from callcentre.web.errors import is_local
from callcentre.web.formats import duration
from callcentre.web.guards import passive
from callcentre.web.i18n import LANGUAGES, gettext
from callcentre.web.layout import landing
from callcentre.web.transaction import database, reading, writing

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/")
def home() -> BaseResponse:
    """Lead each role to its page."""
    found = visitor_or_none()
    return redirect("/sign-in" if found is None else landing(found.user.role))


@blueprint.get("/sign-in")
def form() -> str | BaseResponse:
    """Show the sign-in form, unless somebody is signed in."""
    found = visitor_or_none()
    if found is not None:
        return redirect(_next(request.args.get("next", ""), found.user.role))
    return _form(next=request.args.get("next", ""))


@blueprint.post("/sign-in")
def enter() -> Response | BaseResponse:
    """Check a login and password; what was typed before the session ended is given back with a button."""
    login, password = request.form.get("login", "").strip(), request.form.get("password", "")
    after, carried = request.form.get("next", ""), request.form.get("carried", "")
    address = request.remote_addr or ""
    with reading() as session:
        wait = sign_in.wait_before_sign_in(session, login, address, now=now())
        account = sign_in.account_of(session, login)
    if wait > timedelta(0):
        return _refused(_wait_message(wait), 429, login=login, after=after, carried=carried)
    # The comparison is slow on purpose, so no transaction is open meanwhile.
    if not password_matches(account.password_hash if account else None, password) or account is None:
        with writing() as session:
            sign_in.record_failure(session, login, address, now=now())
            wait = sign_in.wait_before_sign_in(session, login, address, now=now())
        message = gettext("Identifiant ou mot de passe incorrect.")
        advice = gettext("Vérifiez la touche majuscules et recommencez.") if not wait else _wait_message(wait)
        message = f"{message} {advice}"
        return _refused(message, 403, login=login, after=after, carried=carried)
    if not account.is_active:
        message = gettext("Ce compte est fermé. Demandez à un administrateur de le rouvrir.")
        return _refused(message, 403, login=login, after=after, carried=carried)
    return _welcome(account.user_id, address, after=after, carried=carried)


@blueprint.post("/sign-out")
def leave() -> BaseResponse:
    """Sign this device out and end the presence."""
    found = visitor_or_none()
    response = redirect("/sign-in")
    if found is not None and found.session_id is not None:
        sign_in.close_session(database(), found.session_id, user_id=found.user.id, now=now())
        presence.leave(database(), found.user.id)
    return guards.sign_out_device(response)


@blueprint.get("/session")
@passive
def state() -> Response:
    """Tell a page who is signed in now, until when, and the CSRF token to send with."""
    found = visitor_or_none()
    return jsonify(
        signed_in=found is not None,
        user_id=None if found is None else found.user.id,
        ends_in_seconds=None
        if found is None or found.ends_at is None
        else int((found.ends_at - now()).total_seconds()),
        csrf_token=generate_csrf(),
    )


@blueprint.post("/session")
def stay() -> Response:
    """Keep the session going: somebody said that they are still there."""
    return state()


@blueprint.post("/language")
def choose_language() -> BaseResponse:
    """Remember the language chosen on the sign-in page."""
    wanted = request.form.get("language", "")
    after = request.form.get("next", "")
    response = redirect(f"/sign-in?next={after}" if is_local(after) else "/sign-in")
    if wanted in LANGUAGES:
        security.set_language_cookie(response, wanted)
    return response


def _welcome(user_id: int, address: str, *, after: str, carried: str) -> Response | BaseResponse:
    limits = sign_in.SessionLimits(guards.session_idle(), timedelta(hours=runtime().settings.session_hours))
    session = database()
    token = sign_in.open_session(
        session, user_id, address=address, device=request.user_agent.string, limits=limits, now=now()
    )
    user = queries.user(session, user_id)
    assert user is not None
    if user.role is Role.OFFICER:
        presence.seen(session, user_id, now=now())
    form = interrupted.unpack(carried)
    if form is None or form.user_id != user_id:
        response = guards.sign_in_device(redirect(_next(after, user.role)), token, user_id)
        if form is not None:
            flash(
                gettext("Ce qu’une autre personne avait saisi ici n’a pas été envoyé à votre nom."),
                "attention",
            )
        return response
    # The device first, so that the CSRF token of the page is the new one.
    response = guards.sign_in_device(Response(), token, user_id)
    response.set_data(interrupted.page(form, signed_in_now=True))
    return response


def _refused(message: str, status: int, *, login: str, after: str, carried: str) -> Response:
    kept = carried if interrupted.unpack(carried) else ""
    response = make_response(_form(login=login, next=after, error=message, carried=kept))
    response.status_code = status
    return response


def _form(**values: object) -> str:
    return render_template("sign_in.html", **values)


def _wait_message(wait: timedelta) -> str:
    seconds = timedelta(seconds=int(wait.total_seconds()) + 1)
    return gettext(
        "Trop d’essais manqués : attendez %(wait)s avant le prochain. Votre identifiant est gardé.",
        wait=duration(seconds),
    )


def _next(after: str, role: Role) -> str:
    return after if is_local(after) and not after.startswith("/sign-") else landing(role)
