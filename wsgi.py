"""What a WSGI server and the `flask` command load."""

from __future__ import annotations

from callcentre.app import create_app
from callcentre.runtime import build_runtime
from callcentre.settings import load_settings

app = create_app(build_runtime(load_settings()))
