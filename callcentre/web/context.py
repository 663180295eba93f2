"""What a request knows: the runtime, the instant it started, and who makes it."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from flask import current_app, g

from callcentre.accounts.queries import UserView, Visitor
from callcentre.runtime import Runtime


def runtime() -> Runtime:
    """Return the runtime this application was made with."""
    return cast(Runtime, current_app.extensions["callcentre"])


def now() -> datetime:
    """Return the instant of this request; the clock is read once for each."""
    if "now" not in g:
        g.now = runtime().clock.now()
    return cast(datetime, g.now)


def visitor_or_none() -> Visitor | None:
    """Return who makes the request, or None when nobody is signed in."""
    return cast("Visitor | None", g.get("visitor"))


def visitor() -> Visitor:
    """Return who makes the request; the guard has let them through."""
    found = visitor_or_none()
    assert found is not None, "this view has an open guard; use visitor_or_none()"
    return found


def user() -> UserView:
    """Return the user who makes the request; the guard has let them through."""
    return visitor().user
