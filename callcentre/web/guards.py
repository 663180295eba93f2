"""Who may pass: every blueprint has one guard, a view may narrow it, and what has none is refused.

In order, for every request: who is it, may they come here, is it really their page that sends this (CSRF).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import Forbidden, Unauthorized
from werkzeug.wrappers import Response as BaseResponse

from callcentre.accounts import queries, sign_in
from callcentre.accounts.kinds import Role
from callcentre.accounts.queries import Visitor
from callcentre.web import i18n, security
from callcentre.web.context import now, runtime, visitor_or_none
from callcentre.web.transaction import reading, writing

csrf = CSRFProtect()

_View = TypeVar("_View", bound=Callable[..., Any])

TOUCH_AT_MOST_EVERY = timedelta(minutes=5)
"""A device's last request is written down this rarely: pages that only read must not queue for the writer."""


@dataclass(frozen=True)
class Guard:
    """What a blueprint asks of a visitor."""

    roles: frozenset[Role] = frozenset()
    accepts_token: bool = False
    is_open: bool = False
    is_webhook: bool = False

    @classmethod
    def of(cls, *roles: Role) -> Guard:
        """Pages for these roles."""
        return cls(roles=frozenset(roles))

    @classmethod
    def signed_in(cls) -> Guard:
        """Pages for everybody who is signed in."""
        return cls(roles=frozenset(Role))

    @classmethod
    def api(cls, *roles: Role) -> Guard:
        """JSON for these roles (all by default), with a personal token or with the cookie of a page."""
        return cls(roles=frozenset(roles or Role), accepts_token=True)

    @classmethod
    def open(cls) -> Guard:
        """Pages that need no sign-in; each of their addresses is named in the test of guards."""
        return cls(is_open=True)

    @classmethod
    def webhook(cls) -> Guard:
        """Machines that prove themselves by a signature, which the view verifies: no cookie, no CSRF."""
        return cls(is_open=True, is_webhook=True)


def only(*roles: Role) -> Callable[[_View], _View]:
    """Narrow a view to some of the roles of its blueprint's guard."""

    def mark(view: _View) -> _View:
        view.only_roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def open_to_all(view: _View) -> _View:
    """Open one view of a guarded blueprint to visitors who are not signed in."""
    view.is_open = True  # type: ignore[attr-defined]
    return view


def passive(view: _View) -> _View:
    """Say that a view is asked by the page itself, not by a person, so that it keeps no session alive."""
    view.is_passive = True  # type: ignore[attr-defined]
    return view


def register(app: Flask, guards: dict[str, Guard]) -> None:
    """Put the guards, by name of blueprint, before every view; `static` needs none."""
    app.extensions["guards"] = guards
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    csrf.init_app(app)
    app.before_request(_identify)
    app.before_request(_check)


def allowed_roles(app: Flask, endpoint: str) -> frozenset[Role] | None:
    """Return the roles that may ask for an endpoint; None when it is open to everybody."""
    if endpoint == "static":
        return None
    guard: Guard | None = app.extensions["guards"].get(endpoint.rpartition(".")[0])
    view = app.view_functions[endpoint]
    if guard is None:
        return frozenset()
    if guard.is_open or getattr(view, "is_open", False):
        return None
    return guard.roles & getattr(view, "only_roles", guard.roles)


def current_guard() -> Guard | None:
    """Return the guard of the blueprint that is asked for."""
    guards: dict[str, Guard] = current_app.extensions["guards"]
    return guards.get(request.blueprint or "")


def wants_json() -> bool:
    """Tell whether the answer, an error too, is read by a program."""
    guard = current_guard()
    if request.path.startswith("/api/") or (guard is not None and (guard.accepts_token or guard.is_webhook)):
        return True
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def sign_in_device(response: BaseResponse, token: str, user_id: int) -> BaseResponse:
    """Finish a sign-in: the new cookie, and a new CSRF secret that belongs to it and to its user alone."""
    session.clear()
    security.own_forms(user_id)
    security.set_session_cookie(response, token)
    return response


def sign_out_device(response: BaseResponse) -> BaseResponse:
    """Finish a sign-out: no cookie, no CSRF secret; pages are never cached, scripts empty what the tab kept."""
    session.clear()
    security.drop_session_cookie(response)
    return response


def session_idle() -> timedelta:
    """Return how long a device may stay unused."""
    return timedelta(minutes=runtime().settings.session_idle_minutes)


def _identify() -> None:
    _find_visitor()
    found = visitor_or_none()
    if found is not None:
        i18n.use_language(found.user.language)


def _find_visitor() -> None:
    if request.endpoint == "static":
        return
    guard = current_guard()
    if guard is not None and guard.is_webhook:
        return
    bearer = request.headers.get("Authorization", "")
    if bearer:
        if guard is not None and guard.accepts_token:
            g.visitor = _by_token(bearer)
        return
    cookie = request.cookies.get(security.SESSION_COOKIE)
    if cookie:
        with reading() as database:
            g.visitor = queries.visitor_of_session(database, cookie, idle=session_idle(), now=now())
        _touch(g.visitor)


def _by_token(header: str) -> Visitor:
    scheme, _, token = header.partition(" ")
    with reading() as database:
        found = (
            queries.visitor_of_token(database, token.strip(), now=now())
            if scheme.lower() == "bearer"
            else None
        )
    if found is None:
        raise Unauthorized
    if _is_old(found.last_seen_at) and found.token_id is not None:
        with writing() as database:
            sign_in.mark_token_used(database, found.token_id, now=now())
    return found


def _touch(found: Visitor | None) -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if found is None or found.session_id is None or getattr(view, "is_passive", False):
        return
    if _is_old(found.last_seen_at):
        with writing() as database:
            sign_in.touch_session(database, found.session_id, now=now())


def _is_old(seen_at: datetime | None) -> bool:
    return seen_at is None or now() - seen_at > min(TOUCH_AT_MOST_EVERY, session_idle() / 10)


def _check() -> BaseResponse | None:
    if request.endpoint is None:
        return None
    guard, found = current_guard(), visitor_or_none()
    allowed = allowed_roles(current_app, request.endpoint)
    if allowed is not None:
        if found is None:
            return _ask_to_sign_in()
        if found.user.role not in allowed:
            raise Forbidden
        if found.user.must_change_password and request.blueprint not in {"account", "sign_in"}:
            return _ask_for_password()
    if guard is not None and not guard.is_webhook and (found is None or found.token_id is None):
        csrf.protect()
    return None


def _ask_to_sign_in() -> BaseResponse:
    if wants_json() or request.method not in {"GET", "HEAD"}:
        raise Unauthorized
    return redirect(url_for("sign_in.form", next=request.full_path.rstrip("?")))


def _ask_for_password() -> BaseResponse:
    if wants_json():
        abort(403)
    return redirect(url_for("account.password"))
