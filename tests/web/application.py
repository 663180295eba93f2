"""The application of a test: as it is made for production, but that templates are compiled once for all tests."""

from __future__ import annotations

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from callcentre.app import create_app
from callcentre.runtime import Runtime


class _Compiled(BytecodeCache):
    """What templates were compiled to, as long as the process lives; a changed template has another key."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what is kept."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def an_app(runtime: Runtime) -> Flask:
    """The application on a runtime."""
    app = create_app(runtime)
    app.jinja_env.bytecode_cache = _COMPILED
    return app
