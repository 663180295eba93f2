"""Static files under an address that holds the digest of them all: kept by browsers, never mixed.

Modules import each other by relative address and inherit the digest. A wrong digest still serves,
uncached, so that a page open since before an update does not break.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, Response, send_from_directory

from callcentre.web.icons import icon

STATIC = Path(__file__).parent / "static"


def digest_of(folder: Path) -> str:
    """Return a digest of the names and contents of a folder."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def register(app: Flask) -> None:
    """Serve the static files; `url_for('static', filename=…)` adds the digest."""
    digest = digest_of(STATIC)

    def serve(digest_asked: str, filename: str) -> Response:
        response = send_from_directory(STATIC, filename)
        fresh = digest_asked == digest and not app.debug
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if fresh else "no-cache"
        return response

    def add_digest(endpoint: str, values: dict[str, object]) -> None:
        if endpoint == "static":
            values.setdefault("digest_asked", digest)

    app.add_url_rule("/static/<digest_asked>/<path:filename>", endpoint="static", view_func=serve)
    app.url_defaults(add_digest)
    app.jinja_env.globals["icon"] = icon
