"""A program of its own for a test: it imports a list and is killed, without any farewell, at one of its statements.

python -m tests.intake.killed_import DATABASE_URL FILE STATEMENT; STATEMENT 0 lets it come to its end.
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
    """Import; say how many statements it took, unless killed before."""
    url, file, last = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    engine = make_engine(url)
    statements = count(1)
    done = 0

    @event.listens_for(engine, "before_cursor_execute")
    def execute(*_call: Any) -> None:
        nonlocal done
        done = next(statements)
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)

    ready = ground.prepared(file.read_bytes(), file.name)
    importing.import_file(make_session_factory(engine), ready, programme=ground.programme(), now=ground.NOW)
    engine.dispose()
    sys.stdout.write(str(done))


if __name__ == "__main__":
    main()
