"""What every process does that was begun to help another one with its work."""

from __future__ import annotations

import os
import signal
from multiprocessing import connection, parent_process
from threading import Thread

COURTESY = 10
"""How far helpers step back behind officers' requests, as `nice` counts."""


def begin_as_helper() -> None:
    """Give way to everybody else's work, leave an interrupt to the process that began this one, and end with it."""
    os.nice(COURTESY)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the end of the process that began this one, then end: left alone by a kill, it works for nobody."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
