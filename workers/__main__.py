"""The worker process: `python -m workers` runs the background jobs until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

import structlog

from callcentre.errors import CallCentreError
from callcentre.runtime import build_runtime
from callcentre.settings import load_settings
from workers.runner import Runner, make_scheduler
from workers.schedule import job_table

STOP_SECONDS = 1.2
"""How long a running job may still go on; what it has not committed by then is undone, and done later."""


def main() -> int:
    """Run the jobs until SIGTERM or SIGINT."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda _number, _frame: stop.set())
    _log_to_stderr()
    try:
        runtime = build_runtime(load_settings())
    except CallCentreError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    runner = Runner(runtime)
    runner.keep_the_lead()
    scheduler = make_scheduler(runner, job_table(runtime.settings))
    scheduler.start()
    stop.wait()
    ending = threading.Thread(target=scheduler.shutdown, daemon=True)
    ending.start()
    ending.join(STOP_SECONDS)
    runner.resign()
    return 0


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # a job's thread that does not end must not hold the process
