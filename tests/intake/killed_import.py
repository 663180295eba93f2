"""A program of its own for a test: it imports a list and is killed, without any farewell, at one of its steps.

A step is a statement or a commit, and the kill comes before it is done. `python -m tests.intake.killed_import
DATABASE_URL FILE STEP`; STEP 0 lets it come to its end.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import event

import callcentre.migrations  # noqa: F401  (every process must know every table)
from callcentre.database import make_engine, make_session_factory
from callcentre.intake import importing
from tests.intake import ground


def main() -> None:
    """Import; say how many steps it took, unless killed before."""
    url, file, last = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    engine = make_engine(url)
    steps = count(1)
    done = 0

    @event.listens_for(engine, "before_cursor_execute")
    @event.listens_for(engine, "commit")
    def step(*_call: Any) -> None:
        nonlocal done
        done = next(steps)
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)

    ready = ground.prepared(file.read_bytes(), file.name)
    importing.import_file(make_session_factory(engine), ready, programme=ground.programme(), now=ground.NOW)
    engine.dispose()
    sys.stdout.write(str(done))


if __name__ == "__main__":
    main()
