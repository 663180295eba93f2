"""How gunicorn serves the site: one process of many threads, each live page holding one of them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

root = str(Path(__file__).resolve().parent.parent)

wsgi_app = "wsgi:app"
pythonpath = root
bind = f"127.0.0.1:{os.environ.get('PORT') or '8000'}"

worker_class = "gthread"
workers = 1
threads = 32
timeout = 60
graceful_timeout = 20
keepalive = 5
control_socket_disable = True  # it would listen in the home folder of whoever starts it
loglevel = "warning"
accesslog = None  # addresses of pages may hold what must not reach a log
access_log_format = (
    "%(t)s %(m)s %(s)s %(b)s %(L)ss"  # should it be switched on all the same: no address, no token
)


def post_worker_init(worker: Any) -> None:
    """End the event streams as soon as this process is told to stop: they would hold it for the whole grace."""
    from gunicorn.workers import gthread

    from callcentre.web import streams

    def told_to_stop(number: int, frame: FrameType | None) -> None:
        worker.was_told = True
        streams.stop_all()
        worker.handle_exit(number, frame)

    signal.signal(signal.SIGTERM, told_to_stop)
    signal.siginterrupt(signal.SIGTERM, False)
    # A worker that stops would keep idle connections for two more seconds, in case a request is on its way: on
    # loopback, or behind a proxy on the same machine, none is on its way for longer than this.
    gthread.STOP_KEEPALIVE_LINGER = 0.2


def worker_exit(_server: Any, worker: Any) -> None:
    """Leave at once when told to stop: taking the interpreter apart takes longer than everything before it."""
    if getattr(worker, "was_told", False):
        worker.wsgi.extensions["callcentre"].engine.dispose()
        sys.stderr.flush()
        os._exit(0)
