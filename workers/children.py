"""The processes of one start of the program: started, started again when they die, stopped together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

STOP_SECONDS = 2.5
"""How long a process may take to stop by itself before it is killed."""
STEADY_SECONDS = 30
"""A process that lived this long has started well; what it did before is forgotten."""
TRIES = 6
"""After this many deaths in a row, each before STEADY_SECONDS, the program gives up."""
LONGEST_WAIT_SECONDS = 10.0
_TICK_SECONDS = 0.1
_PR_SET_PDEATHSIG = 1


class GaveUp(Exception):
    """A process died again and again; what it wrote before says why."""


class Child:
    """One process in a group of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        pass_fds: Sequence[int] = (),
        first_wait_seconds: float = 0.25,
    ) -> None:
        self.name = name
        self._command = list(command)
        self._environment = dict(environment)
        self._pass_fds = tuple(pass_fds)
        self._first_wait = first_wait_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._deaths = 0
        self._start_at: float | None = None

    @property
    def exit_code(self) -> int | None:
        """How the process ended, negative for a signal; None while it runs."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start the process; it gets SIGTERM should this one be killed."""
        self._start_at = None
        self._started = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603  (commands of this program)
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            pass_fds=self._pass_fds,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  (one thread)
        )

    def watch(self, say: Callable[[str], None]) -> None:
        """Start the process again if it died, after a wait that grows; raises GaveUp."""
        if self._start_at is not None:
            if time.monotonic() >= self._start_at:
                self.start()
            return
        code = self.exit_code
        if code is None:
            return
        self._kill_group()
        steady = time.monotonic() - self._started >= STEADY_SECONDS
        self._deaths = 1 if steady else self._deaths + 1
        if self._deaths >= TRIES:
            raise GaveUp(
                f"The {self.name} stopped {self._deaths} times in a row. What it wrote above says why."
            )
        wait = min(self._first_wait * 2 ** (self._deaths - 1), LONGEST_WAIT_SECONDS)
        say(f"The {self.name} stopped ({_how(code)}); starting it again in {wait:g} s.")
        self._start_at = time.monotonic() + wait

    def ask_to_stop(self) -> None:
        """Tell the process to stop."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, until: float) -> None:
        """Wait for its end, and kill what is left of its group after `until` (a monotonic time)."""
        if self._process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, until - time.monotonic()))
        self._kill_group()
        self._process.wait()

    def _kill_group(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


def watch_until(children: Sequence[Child], say: Callable[[str], None], done: Callable[[], bool]) -> None:
    """Watch the processes until `done` says so; raises GaveUp."""
    while not done():
        for child in children:
            child.watch(say)
        time.sleep(_TICK_SECONDS)


def stop(children: Sequence[Child]) -> None:
    """Stop all processes at the same time."""
    until = time.monotonic() + STOP_SECONDS
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait(until)


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
