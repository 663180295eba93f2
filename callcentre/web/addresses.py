"""The addresses of the site: which numbers can be in them, and the page that a form is on."""

from __future__ import annotations

from flask import Flask, current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter, ValidationError

LARGEST_ID = 2**63 - 1
"""Both databases keep ids in 64 bits; what is beyond names nobody."""


class IdConverter(IntegerConverter):
    """A whole number that an id can be; an address with a larger one leads nowhere."""

    def to_python(self, value: str) -> int:
        """Return the number; raises ValidationError, by which the address is none of ours."""
        if len(value) > len(str(LARGEST_ID)) or int(value) > LARGEST_ID:
            raise ValidationError
        return int(super().to_python(value))


def install(app: Flask) -> None:
    """Bound the numbers in every address; called before any address is known."""
    app.url_map.converters["int"] = IdConverter


def page_above() -> str | None:
    """Return the address of the nearest page that this request's address begins with, the first one (`/`) excepted."""
    addresses = current_app.url_map.bind_to_environ(request.environ)
    path = request.path
    while (path := path.rpartition("/")[0]) != "":
        try:
            addresses.match(path, method="GET")
        except HTTPException:
            continue
        return path
    return None
