"""How gunicorn serves the site: one process of many threads, each live page holding one of them."""

from __future__ import annotations

import os
from pathlib import Path
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
    """Let the event streams see that this process is to stop: they would hold it for the whole grace."""
    from callcentre.web import streams

    streams.SERVING = lambda: worker.alive
