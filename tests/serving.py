"""A server in a thread of the test, which stops as soon as it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import BaseWSGIServer

LOOKS_EVERY = 0.01
"""Seconds between two looks whether it is to stop; half a second by default, which every test would wait for."""


@contextmanager
def serving(server: BaseWSGIServer) -> Iterator[str]:
    """Serve as long as the block lasts; give the address."""
    thread = threading.Thread(target=server.serve_forever, args=(LOOKS_EVERY,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
