"""Imports that run beside the answers of this process; the worker goes on with those that a kill cut off."""

from __future__ import annotations

import logging
from threading import Lock, Thread
from typing import cast

from flask import current_app

from callcentre.errors import CallCentreError
from callcentre.intake import importing
from callcentre.runtime import Runtime

log = logging.getLogger(__name__)


class Imports:
    """The imports of one process, one thread each; a list is never imported by two threads of it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._threads: dict[int, Thread] = {}
        self._ended: set[int] = set()

    def begin(self, of: Runtime, list_file_id: int) -> bool:
        """Import a list to its end beside the request; False when this process is already doing it."""
        with self._lock:
            running = self._threads.get(list_file_id)
            if running is not None and running.is_alive():
                return False
            self._ended.discard(list_file_id)
            thread = Thread(target=self._run, args=(of, list_file_id), name="import", daemon=True)
            self._threads[list_file_id] = thread
            thread.start()
        return True

    def has_stopped(self, list_file_id: int) -> bool:
        """Whether an import of this process ended with an error that the database could not even take down."""
        return list_file_id in self._ended

    def wait(self, list_file_id: int) -> None:
        """Wait until this process no longer imports a list."""
        thread = self._threads.get(list_file_id)
        if thread is not None:
            thread.join()

    def _run(self, of: Runtime, list_file_id: int) -> None:
        """The import marks its file as failed by itself; only kinds of errors are logged, never a row."""
        try:
            importing.run(
                of.sessions, list_file_id, programmes=of.programmes, now=of.clock.now(), worker="web"
            )
        except CallCentreError as error:
            self._ended.add(list_file_id)
            log.error("import stopped: list=%s code=%s", list_file_id, error.code)
        except Exception as error:
            self._ended.add(list_file_id)
            log.error("import stopped: list=%s error=%s", list_file_id, type(error).__name__)


def imports() -> Imports:
    """The imports of this application."""
    return cast(Imports, current_app.extensions.setdefault("imports", Imports()))
