"""The blueprint that the modules of the API add their views to, and what holds for each of them."""

from __future__ import annotations

from flask import Blueprint, request

from callcentre.web.i18n import LANGUAGES, use_language

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

LARGEST_BODY = 64 * 1024
"""Bytes of a JSON body; a note of 4,000 characters, the longest text, stays far below."""


@blueprint.before_request
def _speak() -> None:
    """Answer a program in the language that it asks for, not in that of the account behind its token."""
    use_language(request.accept_languages.best_match(LANGUAGES, default="fr") or "fr")


@blueprint.before_request
def _limit_body() -> None:
    if request.mimetype != "multipart/form-data":
        request.max_content_length = LARGEST_BODY
