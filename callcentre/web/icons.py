"""The few drawn signs of the pages: decorative, the text beside each carries the meaning."""

from __future__ import annotations

from markupsafe import Markup

_OPEN = Markup('<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false"><path d="')
_CLOSE = Markup('"/></svg>')

_PATHS = {
    "phone": "M4 3h3l1.5 4L6.6 8.4a10 10 0 0 0 5 5L13 11.5l4 1.5v3a1 1 0 0 1-1 1A13 13 0 0 1 3 4a1 1 "
    "0 0 1 1-1z",
    "copy": "M7 7h9v10H7zM4 13V3h9",
    "pause": "M7 4v12M13 4v12",
    "play": "M6 4l10 6-10 6z",
    "next": "M4 10h12M11 5l5 5-5 5",
    "back": "M16 10H4M9 5l-5 5 5 5",
    "undo": "M4 8h8a4 4 0 0 1 0 8H8M8 4L4 8l4 4",
    "search": "M9 3a6 6 0 1 0 0 12A6 6 0 0 0 9 3zM13.5 13.5L17 17",
    "warning": "M10 3l8 14H2zM10 8v4M10 14.5v.5",
    "info": "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM10 9v5M10 6v.5",
    "check": "M4 10.5l4 4 8-9",
    "cross": "M5 5l10 10M15 5L5 15",
    "stop": "M7 2.5h6L17.5 7v6L13 17.5H7L2.5 13V7zM6.5 10h7",
    "clock": "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM10 6v4.2l3 2",
    "user": "M10 3a3.4 3.4 0 1 0 0 6.8A3.4 3.4 0 0 0 10 3zM3.5 17c.6-3.4 3.2-5 6.5-5s5.9 1.6 6.5 5",
    "people": "M7.5 4a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM2 16c.5-3 2.6-4.5 5.5-4.5S12.5 13 13 16"
    "M13 4.300a2.6 2.6 0 0 1 0 5M14.5 11.800c2 .5 3.2 1.9 3.5 4.2",
    "list": "M4 5h12M4 10h12M4 15h12",
    "download": "M10 3v9M6 8.500l4 4 4-4M4 16.500h12",
    "upload": "M10 13V4M6 7.500l4-4 4 4M4 16.500h12",
    "print": "M6 7V3h8v4M6 14H3.500V7h13v7H14M6 12h8v5H6z",
    "chart": "M4 16V9M9 16V4M14 16v-5M3 17.500h14",
    "key": "M7 8.500a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM9.5 9.500L16 3M13 6l2.5 2.5",
    "more": "M5 10h.01M10 10h.01M15 10h.01",
    "external": "M11 4h5v5M16 4l-7 7M13 11v5H4V7h5",
    "lock": "M5 9h10v8H5zM7 9V6a3 3 0 0 1 6 0v3",
    "calendar": "M3.5 5h13v11.500h-13zM3.5 8.500h13M7 3v3.500M13 3v3.5",
    "note": "M4 3h8l4 4v10H4zM7 10h6M7 13h6",
}


def icon(name: str) -> Markup:
    """Return a sign by its name; its path is drawn with the colour of the text around it."""
    return _OPEN + _PATHS[name] + _CLOSE
