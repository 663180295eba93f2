"""The administrator's pages: who works here, with which role, following which PSADs."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from callcentre.accounts import queries, sign_in, users
from callcentre.accounts.kinds import Language, Role
from callcentre.accounts.secrets import new_password
from callcentre.directory import queries as directory
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.web.context import now, runtime, user
from callcentre.web.forms import choice_of, whole_number
from callcentre.web.i18n import gettext
from callcentre.web.transaction import database

blueprint = Blueprint("users", __name__, url_prefix="/users")


@dataclass(frozen=True)
class Typed:
    """What the form of an account holds."""

    login: str = ""
    display_name: str = ""
    role: Role = Role.OFFICER
    language: Language = Language.FRENCH
    territory_ids: tuple[int, ...] = ()


@blueprint.get("")
def index() -> str:
    """List the accounts."""
    found = queries.users(database())
    return render_template("users.html", users=found, territories=_territories(), present=_present())


@blueprint.get("/new")
def new() -> str:
    """Show the form of a new account."""
    return _form(Typed())


@blueprint.post("/new")
def create() -> BaseResponse | str:
    """Create an account with a temporary password, shown once."""
    typed, password = _typed(), new_password()
    try:
        user_id = users.create_user(
            database(),
            typed.login,
            display_name=typed.display_name,
            role=typed.role,
            password=password,
            language=typed.language,
            must_change_password=True,
            now=now(),
        )
    except InvalidInput as problem:
        return make_response(_form(typed, errors={problem.field or "": gettext(problem.message)}), 422)
    users.set_territories(database(), user_id, typed.territory_ids)
    return _one(user_id, password=password)


@blueprint.get("/<int:user_id>")
def show(user_id: int) -> str:
    """Show one account."""
    return _one(user_id)


@blueprint.post("/<int:user_id>")
def change(user_id: int) -> BaseResponse:
    """Change the name, role, language and PSADs of an account."""
    typed = _typed()
    try:
        users.rename(database(), user_id, typed.display_name)
        users.set_role(database(), user_id, typed.role)
        users.set_preferences(database(), user_id, language=typed.language)
        users.set_territories(database(), user_id, typed.territory_ids)
    except InvalidInput as problem:
        return make_response(
            _one(user_id, errors={problem.field or "": gettext(problem.message)}, typed=typed), 422
        )
    except NotAllowed as problem:
        return make_response(_one(user_id, errors={"role": gettext(problem.message)}, typed=typed), 409)
    flash(gettext("Compte enregistré."))
    return redirect(f"/users/{user_id}")


@blueprint.post("/<int:user_id>/password")
def reset_password(user_id: int) -> str:
    """Give a temporary password, shown once, and sign the person out everywhere."""
    password = new_password()
    users.change_password(database(), user_id, password, now=now(), temporary=True)
    sign_in.close_all_sessions(database(), user_id, now=now())
    return _one(user_id, password=password)


@blueprint.post("/<int:user_id>/close")
def close(user_id: int) -> BaseResponse:
    """Close an account: signed out everywhere at once, its work kept."""
    if user_id == user().id:
        raise NotAllowed("Vous ne pouvez pas fermer votre propre compte.", reason="own_account")
    users.set_active(database(), user_id, False, now=now())
    flash(gettext("Compte fermé. Son travail est conservé."))
    return redirect(f"/users/{user_id}")


@blueprint.post("/<int:user_id>/open")
def reopen(user_id: int) -> BaseResponse:
    """Open a closed account again."""
    users.set_active(database(), user_id, True, now=now())
    flash(gettext("Compte rouvert."))
    return redirect(f"/users/{user_id}")


def _typed() -> Typed:
    form = request.form
    return Typed(
        login=form.get("login", ""),
        display_name=form.get("display_name", ""),
        role=choice_of(Role, form.get("role")) or Role.OFFICER,
        language=choice_of(Language, form.get("language")) or Language.FRENCH,
        territory_ids=tuple(n for n in map(whole_number, form.getlist("territory")) if n is not None),
    )


def _form(typed: Typed, errors: dict[str, str] | None = None) -> str:
    return render_template("user_new.html", typed=typed, errors=errors or {}, territories=_territories())


def _one(
    user_id: int, *, password: str = "", errors: dict[str, str] | None = None, typed: Typed | None = None
) -> str:
    found = queries.user(database(), user_id)
    if found is None:
        raise NotFound("user")
    return render_template(
        "user.html",
        one=found,
        typed=typed or found,
        password=password,
        errors=errors or {},
        territories=_territories(),
    )


def _territories() -> dict[int, str]:
    programme_id = directory.programme_id(database(), runtime().settings.programme)
    found = () if programme_id is None else directory.territories(database(), programme_id)
    return {territory.id: territory.label for territory in found}


def _present() -> dict[int, queries.OfficerPresence]:
    return {presence.user_id: presence for presence in queries.officers_present(database(), now())}
