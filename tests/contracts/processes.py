"""The real processes of the product on a free port, and officers' programs that use them over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from callcentre.accounts.kinds import Role
from callcentre.accounts.sign_in import create_token
from callcentre.clock import ManualClock, ShiftedClock, SystemClock
from callcentre.database import writing
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import ROOT, load_settings
from tests.builders import a_programme, a_user, the_programme
from tests.intake import ground

MONDAY_TEN = datetime.fromisoformat("2026-11-23T10:00:00+01:00")
LIST_DATE = date(2026, 11, 21)
PATIENCE_SECONDS = 120


class Process:
    """A process of the product in a group of its own; killed as a power cut would, and started again."""

    def __init__(
        self, command: Sequence[str], environment: dict[str, str], log: Path, fds: Sequence[int] = ()
    ):
        self._command, self._environment, self._log, self._fds = command, environment, log, tuple(fds)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self._fds,
                start_new_session=True,
                cwd=ROOT,
            )

    def kill(self) -> None:
        """Kill -9 the process and its children."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """Ask it to stop, and kill it when it does not."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
        self.kill()

    def end(self) -> int:
        """Ask it to stop and wait until it has; return its exit code, negative when it was killed."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(PATIENCE_SECONDS)

    def said(self) -> str:
        """What it wrote."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""


@dataclass
class Plant:
    """Web and worker of one database, with the clock that both show."""

    port: int
    web: Process
    worker: Process
    runtime: Runtime
    clock: ShiftedClock
    environment: dict[str, str]
    officers: list[Officer] = field(default_factory=list)

    def later(self, wait: timedelta) -> None:
        """Kill both and start them again after an outage of this length."""
        self.worker.kill()
        self.web.kill()
        anchor, start = SystemClock().now(), self.clock.now() + wait
        self.clock = ShiftedClock(start, anchor)
        self.environment["CALLCENTRE_CLOCK_START"] = start.isoformat()
        self.environment["CALLCENTRE_CLOCK_ANCHOR"] = anchor.isoformat()
        self.web.start()
        self.worker.start()


@contextmanager
def a_plant(folder: Path, url: str, **settings: str) -> Iterator[Plant]:
    """Give web and worker, not started, on a free port, at ten on a Monday."""
    anchor = SystemClock().now()
    ours = {
        "CALLCENTRE_DATABASE_URL": url,
        "CALLCENTRE_DATA_DIR": str(folder),
        "CALLCENTRE_SECRET_KEY": "for tests only",
        "CALLCENTRE_CLOCK_START": MONDAY_TEN.isoformat(),
        "CALLCENTRE_CLOCK_ANCHOR": anchor.isoformat(),
        **{f"CALLCENTRE_{name.upper()}": value for name, value in settings.items()},
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CALLCENTRE_")}
    environment = {**kept, **ours, "PYTHONPATH": str(ROOT)}
    clock = ShiftedClock(MONDAY_TEN, anchor)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        listener.set_inheritable(True)
        config = str(ROOT / "config" / "gunicorn.conf.py")
        bind = f"fd://{listener.fileno()}"
        web = Process(
            (sys.executable, "-m", "gunicorn", "--config", config, "--bind", bind),
            environment,
            folder / "web.log",
            [listener.fileno()],
        )
        worker = Process((sys.executable, "-m", "workers"), environment, folder / "worker.log")
        runtime = build_runtime(load_settings(ours), clock=clock)
        plant = Plant(listener.getsockname()[1], web, worker, runtime, clock, environment)
        try:
            yield plant
        finally:
            for officer in plant.officers:
                officer.close()
            worker.stop()
            web.stop()
            runtime.engine.dispose()


@dataclass
class Officer:
    """An officer's program: one connection that is opened again when it was cut."""

    number: int
    port: int
    token: str
    waited: int = 0
    """Answers that asked to come again."""
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def ask(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, dict[str, Any]]:
        """Send a request until it is answered, the same each time; return status and body."""
        for _ in range(200):
            try:
                status, answer = self._once(method, path, body, key)
            except (OSError, http.client.HTTPException):
                self.close()  # killed in the middle: nobody knows whether it was done, so it is sent again
                continue
            if status != 503:
                return status, answer
            self.waited += 1
        raise AssertionError(f"{method} {path} was never answered")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(self, method: str, path: str, body: Any, key: str) -> tuple[int, dict[str, Any]]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, f"/api/v1{path}", sent, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}


def import_sample(runtime: Runtime, rows: int) -> int:
    """Import the first rows of the clean sample; return how many people came into the queue."""
    lines = ground.SAMPLES["liste_siei"].read_bytes().split(b"\r\n")
    content = b"\r\n".join(lines[: rows + 1])
    earlier = MONDAY_TEN - timedelta(days=1)
    done = ground.import_list(runtime.sessions, content, list_date=LIST_DATE, now=earlier)
    return done.counts["created"]


def hire(plant: Plant, count: int) -> list[Officer]:
    """Give accounts and tokens to so many officers."""
    clock = ManualClock(MONDAY_TEN - timedelta(hours=1))
    with writing(plant.runtime.sessions) as session:
        a_programme(session, the_programme())
        users = [a_user(session, f"officer{n}", Role.OFFICER, now=clock.now()) for n in range(count)]
        plant.officers += [
            Officer(n, plant.port, create_token(session, user, "test", now=clock.now()))
            for n, user in enumerate(users)
        ]
    return plant.officers
