"""Headers of every answer, and the cookies: nothing inline, nothing from elsewhere, nothing cached."""

from __future__ import annotations

import secrets

from flask import Flask, Response, current_app, request, session
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from callcentre.web.context import runtime

SESSION_COOKIE = "callcentre_session"
LANGUAGE_COOKIE = "callcentre_language"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; media-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

SOFTPHONE_POLICY = CONTENT_SECURITY_POLICY.replace(
    "connect-src 'self'",
    "connect-src 'self' wss://voice-js.roaming.twilio.com https://eventgw.twilio.com",
).replace("media-src 'self'", "media-src 'self' mediastream:")
"""Where telephoning in the browser is set up: the provider's signalling, the microphone, and nothing more."""

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Not `no-referrer`: over https the CSRF check reads the referrer of our own pages.


def add_headers(response: Response) -> Response:
    """Add the security headers; pages hold personal data: no cache keeps them unless a view says so."""
    if runtime().settings.has_softphone and response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = SOFTPHONE_POLICY
        response.headers["Permissions-Policy"] = HEADERS["Permissions-Policy"].replace(
            "microphone=()", "microphone=(self)"
        )
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def over_loopback() -> bool:
    """Tell whether the browser is on this very machine, where plain http is as safe as it gets."""
    host = request.host.rsplit(":", 1)[0].strip("[]")
    return host in {"localhost", "::1"} or host.startswith("127.")


class FormCookie(SecureCookieSessionInterface):
    """The signed cookie that holds the CSRF secret and one-time messages, never who is signed in."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Keep it to https, except on this very machine."""
        return not over_loopback()


def own_forms(user_id: int) -> None:
    """Let the CSRF secret of a sign-in name its user, so that every form tells whose page it comes from."""
    session["csrf_token"] = f"{user_id}.{secrets.token_hex(20)}"


def sender_of_form() -> int | None:
    """Return who was signed in when the page of this form was made; None when its CSRF token does not say."""
    tokens = URLSafeTimedSerializer(str(current_app.secret_key), salt="wtf-csrf-token")  # as Flask-WTF signs
    try:
        user_id, dot, _secret = str(tokens.loads(request.form.get("csrf_token", ""))).partition(".")
    except (BadData, RequestEntityTooLarge):
        return None
    return int(user_id) if dot and user_id.isdecimal() else None


def set_session_cookie(response: BaseResponse, token: str) -> None:
    """Give the browser its session token; it goes when the browser closes, or when the server says so."""
    response.set_cookie(
        SESSION_COOKIE, token, httponly=True, samesite="Lax", secure=not over_loopback(), path="/"
    )


def drop_session_cookie(response: BaseResponse) -> None:
    """Take the session token back."""
    response.delete_cookie(
        SESSION_COOKIE, httponly=True, samesite="Lax", secure=not over_loopback(), path="/"
    )


def set_language_cookie(response: BaseResponse, language: str) -> None:
    """Remember the language chosen before signing in."""
    response.set_cookie(
        LANGUAGE_COOKIE,
        language,
        max_age=31_536_000,
        samesite="Lax",
        httponly=True,
        secure=not over_loopback(),
    )
