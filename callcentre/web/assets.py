"""Static files under an address that holds the digest of them all, so that browsers keep them and never mix versions.

Modules import each other by relative address and inherit the digest. A wrong digest still serves, uncached, so that a
page open since before an update does not break.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, Response, send_from_directory
from markupsafe import Markup

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


def icon(name: str) -> Markup:
    """Return one of the few drawn signs, decorative: the text beside it carries the meaning."""
    return Markup(
        '<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">{}</svg>'
    ).format(Markup(_ICONS[name]))


_ICONS = {
    "phone": '<path d="M4 3h3l1.5 4L6.6 8.4a10 10 0 0 0 5 5L13 11.5l4 1.5v3a1 1 0 0 1-1 1A13 13 0 0 1 3 4a1 1 0 0 1 1-1z"/>',
    "copy": '<path d="M7 7h9v10H7zM4 13V3h9"/>',
    "pause": '<path d="M7 4v12M13 4v12"/>',
    "play": '<path d="M6 4l10 6-10 6z"/>',
    "next": '<path d="M4 10h12M11 5l5 5-5 5"/>',
    "back": '<path d="M16 10H4M9 5l-5 5 5 5"/>',
    "undo": '<path d="M4 8h8a4 4 0 0 1 0 8H8M8 4L4 8l4 4"/>',
    "search": '<path d="M9 3a6 6 0 1 0 0 12A6 6 0 0 0 9 3zM13.5 13.5L17 17"/>',
    "warning": '<path d="M10 3l8 14H2zM10 8v4M10 14.5v.5"/>',
    "info": '<path d="M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM10 9v5M10 6v.5"/>',
    "check": '<path d="M4 10.5l4 4 8-9"/>',
    "cross": '<path d="M5 5l10 10M15 5L5 15"/>',
    "stop": '<path d="M7 2.5h6L17.5 7v6L13 17.5H7L2.5 13V7zM6.5 10h7"/>',
    "clock": '<path d="M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM10 6v4.2l3 2"/>',
    "user": '<path d="M10 3a3.4 3.4 0 1 0 0 6.8A3.4 3.4 0 0 0 10 3zM3.5 17c.6-3.4 3.2-5 6.5-5s5.9 1.6 6.5 5"/>',
    "people": '<path d="M7.5 4a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM2 16c.5-3 2.6-4.5 5.5-4.5S12.500 13 13 16M13 4.300a2.600 2.600 0 0 1 0 5M14.500 11.800c2 .5 3.200 1.900 3.500 4.200"/>',
    "list": '<path d="M4 5h12M4 10h12M4 15h12"/>',
    "download": '<path d="M10 3v9M6 8.500l4 4 4-4M4 16.500h12"/>',
    "upload": '<path d="M10 13V4M6 7.500l4-4 4 4M4 16.500h12"/>',
    "print": '<path d="M6 7V3h8v4M6 14H3.500V7h13v7H14M6 12h8v5H6z"/>',
    "chart": '<path d="M4 16V9M9 16V4M14 16v-5M3 17.500h14"/>',
    "key": '<path d="M7 8.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zM9.500 9.500L16 3M13 6l2.500 2.500"/>',
    "more": '<path d="M5 10h.01M10 10h.01M15 10h.01"/>',
    "external": '<path d="M11 4h5v5M16 4l-7 7M13 11v5H4V7h5"/>',
    "lock": '<path d="M5 9h10v8H5zM7 9V6a3 3 0 0 1 6 0v3"/>',
    "calendar": '<path d="M3.500 5h13v11.500h-13zM3.500 8.500h13M7 3v3.500M13 3v3.500"/>',
    "note": '<path d="M4 3h8l4 4v10H4zM7 10h6M7 13h6"/>',
}
