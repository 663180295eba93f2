"""My account: password, how the pages look, my devices, my tokens for the JSON API."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from callcentre import phone
from callcentre.accounts import queries, sign_in, users
from callcentre.accounts.kinds import Density, Language, Theme
from callcentre.accounts.secrets import password_matches
from callcentre.errors import InvalidInput
from callcentre.outreach import calls
from callcentre.web import guards
from callcentre.web.context import now, runtime, user, visitor
from callcentre.web.errors import is_local
from callcentre.web.forms import choice_of, flag_of
from callcentre.web.i18n import gettext
from callcentre.web.layout import landing
from callcentre.web.transaction import database, reading

blueprint = Blueprint("account", __name__, url_prefix="/account")

TOKEN_LIFETIMES = {"30": timedelta(days=30), "90": timedelta(days=90), "365": timedelta(days=365)}


@blueprint.get("")
def show() -> str:
    """Show my account."""
    return _page()


@blueprint.get("/back")
def back() -> str:
    """Say that one is signed in again and may go back to the page that waits in another tab."""
    return render_template("back.html", landing=landing(user().role))


@blueprint.post("/preferences")
def preferences() -> BaseResponse:
    """Change language, theme, density or single keys; what is not sent stays."""
    after = request.form.get("next", "")
    users.set_preferences(
        database(),
        user().id,
        language=choice_of(Language, request.form.get("language")),
        theme=choice_of(Theme, request.form.get("theme")),
        density=choice_of(Density, request.form.get("density")),
        single_keys=flag_of(request.form.get("single_keys")),
    )
    return redirect(after if is_local(after) else "/account")


@blueprint.post("/line")
def line() -> BaseResponse:
    """Keep the number of my own telephone, which is rung first when I call through the platform."""
    text = request.form.get("line", "").strip()
    number = phone.parse(text, runtime().programme.region) if text else None
    if number is not None and (number.e164 is None or not number.callable):
        return make_response(_page(errors={"line": gettext("Ce numéro ne peut pas être appelé.")}), 422)
    calls.set_line(database(), user().id, number.e164 if number else None, now=now())
    flash(gettext("Téléphone enregistré.") if number else gettext("Téléphone oublié."))
    return redirect("/account")


@blueprint.get("/password")
def password() -> str:
    """Show the form to change my password."""
    return render_template("password.html", errors={})


@blueprint.post("/password")
def change_password() -> BaseResponse:
    """Change my password and sign my other devices out."""
    current, new = request.form.get("current_password", ""), request.form.get("new_password", "")
    with reading() as session:
        account = sign_in.account_of(session, user().login)
    errors = {}
    if account is None or not password_matches(account.password_hash, current):
        errors["current_password"] = gettext("Ce n’est pas votre mot de passe actuel.")
    elif new != request.form.get("again", ""):
        errors["again"] = gettext("Les deux saisies du nouveau mot de passe diffèrent.")
    else:
        try:
            users.change_password(database(), user().id, new, now=now())
        except InvalidInput as problem:
            errors["new_password"] = gettext(problem.message)
    if errors:
        return make_response(render_template("password.html", errors=errors), 422)
    sign_in.close_all_sessions(database(), user().id, now=now(), keep=visitor().session_id)
    flash(gettext("Mot de passe changé. Vos autres appareils ont été déconnectés."))
    return redirect(landing(user().role) if user().must_change_password else "/account")


@blueprint.post("/tokens")
def create_token() -> BaseResponse | str:
    """Make a personal token; the page that answers is the only one that ever shows it."""
    lifetime = TOKEN_LIFETIMES.get(request.form.get("lifetime", ""))
    try:
        token = sign_in.create_token(
            database(), user().id, request.form.get("name", ""), now=now(), lifetime=lifetime
        )
    except InvalidInput as problem:
        return make_response(_page(errors={"name": gettext(problem.message)}), 422)
    return _page(new_token=token)


@blueprint.post("/tokens/<int:token_id>/revoke")
def revoke_token(token_id: int) -> BaseResponse:
    """End one of my tokens."""
    if sign_in.revoke_token(database(), token_id, user_id=user().id, now=now()):
        flash(gettext("Jeton révoqué : il n’ouvre plus rien."))
    return redirect("/account#tokens")


@blueprint.post("/devices/<int:session_id>/revoke")
def revoke_device(session_id: int) -> BaseResponse:
    """Sign one of my devices out."""
    if sign_in.close_session(database(), session_id, user_id=user().id, now=now()):
        flash(gettext("Appareil déconnecté."))
    return redirect("/account#devices")


@blueprint.post("/devices/revoke-all")
def revoke_devices() -> BaseResponse:
    """Sign me out everywhere, here too."""
    sign_in.close_all_sessions(database(), user().id, now=now())
    return guards.sign_out_device(make_response(redirect("/sign-in")))


def _page(*, errors: dict[str, str] | None = None, new_token: str = "") -> str:
    session = database()
    return render_template(
        "account.html",
        tokens=queries.tokens(session, user().id, now=now()),
        devices=queries.devices(session, user().id, idle=guards.session_idle(), now=now()),
        here=visitor().session_id,
        lifetimes=TOKEN_LIFETIMES,
        errors=errors or {},
        new_token=new_token,
        line=calls.line_of(session, user().id),
        can_bridge=runtime().provider.can_call,
    )
