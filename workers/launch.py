"""What `make run` starts: a database with its demonstration, the web server and the worker."""

from __future__ import annotations

import http.client
import os
import secrets
import signal
import socket
import sys
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from http import HTTPStatus
from types import FrameType
from zoneinfo import ZoneInfo

from sqlalchemy.exc import OperationalError

from callcentre import demo
from callcentre.clock import SystemClock
from callcentre.database import reading
from callcentre.errors import CallCentreError
from callcentre.migrations import upgrade
from callcentre.programmes import Programme
from callcentre.retry.windows import CallingHours
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import ROOT, Settings, load_settings
from workers.children import Child, GaveUp, stop, watch_until

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
READY_SECONDS = 1.0
"""How long one question to the site may wait for its answer."""
NO_DATABASE = (
    "The database does not answer, or another program does not let go of it: check that it runs, its address "
    "in CALLCENTRE_DATABASE_URL, and that the folder CALLCENTRE_DATA_DIR may be written. Nothing was started."
)
_BACKLOG = 512
DEMO_NUMBER = "+33465710013"
"""The single number of a demonstration: fictitious."""
ZONE = ZoneInfo("Europe/Paris")
FRIDAY = 5


class CannotStart(Exception):
    """The program cannot start here; says why and what to do."""


def main() -> int:
    """Run web and worker until Ctrl-C or SIGTERM (exit code 0); 1 when it could not start or go on."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    children: list[Child] = []
    try:
        with listen(os.environ.get("PORT", "")) as listener:
            runtime = prepare(load_settings(), SystemClock().now())
            logins = demo.prepare(runtime)
            with reading(runtime.sessions) as session:
                is_demo = demo.is_demo(session)
            runtime.engine.dispose()
            settings = (
                with_telephones(runtime.settings, listener.getsockname()[1]) if is_demo else runtime.settings
            )
            children = [_web(listener, settings), _worker(settings)]
            if settings.twilio_api_url != runtime.settings.twilio_api_url:
                children.append(_telephones(settings))
            serve(children, listener.getsockname()[1], _welcome(listener, settings, logins))
    except KeyboardInterrupt:
        return 0
    except OperationalError:
        print(NO_DATABASE, file=sys.stderr)
        return 1
    except (CannotStart, CallCentreError, GaveUp) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        stop(children)
    return 0


def listen(port: str) -> socket.socket:
    """Take the port before anything else is done; raises CannotStart naming PORT."""
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {port!r}.")
    number = int(port or DEFAULT_PORT)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, number))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        reason = (
            "may not be used by you" if isinstance(error, PermissionError) else "is taken by another program"
        )
        raise CannotStart(
            f"Port {number} of {HOST} {reason}; nothing was started. "
            f"Choose another one: PORT={number + 1} make run"
        ) from error
    return listener


def prepare(settings: Settings, now: datetime) -> Runtime:
    """Bring the database to this version and return a runtime whose clock suits it."""
    runtime = build_runtime(settings)
    try:
        upgrade(runtime.engine)
        with reading(runtime.sessions) as session:
            latest = demo.latest_event_at(session)
            is_demo = demo.is_demo(session)
    finally:
        runtime.engine.dispose()
    if settings.mode != "offline" or not is_demo:
        return build_runtime(settings)
    start = clock_start(now, _hours(runtime.programme), latest=latest, wished=settings.clock_start)
    if start is None:
        return build_runtime(settings)
    return build_runtime(settings.model_copy(update={"clock_start": start, "clock_anchor": now}))


def clock_start(
    now: datetime, hours: CallingHours, *, latest: datetime | None = None, wished: datetime | None = None
) -> datetime | None:
    """Return what a demonstration's clock shows first, or None for the machine's own time.

    That is what was wished for, else the machine's time inside the calling windows, else the next weekday at
    10:00; never before the latest event of the database.
    """
    after_latest = now if latest is None else latest + timedelta(seconds=1)
    if wished is not None:
        return wished if latest is None else max(wished, after_latest)
    earliest = max(now, after_latest)
    if not hours.is_open(earliest, ZONE):
        return _next_weekday_at_ten(earliest, hours)
    return None if earliest == now else earliest


def with_telephones(settings: Settings, port: int) -> Settings:
    """Return the settings with which a demonstration speaks to the stand-in of the provider, on this machine only."""
    if settings.has_provider or settings.mode != "offline":
        return settings
    with socket.socket() as free:
        free.bind((HOST, 0))
        address = f"http://{HOST}:{free.getsockname()[1]}"
    return settings.model_copy(
        update={
            "twilio_api_url": address,
            "twilio_account_sid": f"AC{secrets.token_hex(16)}",
            "twilio_auth_token": secrets.token_hex(16),
            "twilio_number": DEMO_NUMBER,
            "public_url": f"http://{HOST}:{port}",
        }
    )


def serve(children: Sequence[Child], port: int, welcome: str) -> None:
    """Start the processes, say the welcome once the site answers, and keep them running; raises GaveUp."""
    for child in children:
        child.start()
    watch_until(children, _say, lambda: _is_ready(port))
    _say(welcome)
    watch_until(children, _say, lambda: False)


def _next_weekday_at_ten(moment: datetime, hours: CallingHours) -> datetime:
    day = moment.astimezone(ZONE).date()
    while True:
        ten = datetime.combine(day, time(10), ZONE)
        if day.isoweekday() <= FRIDAY and ten >= moment and hours.is_open(ten, ZONE):
            return ten
        day += timedelta(days=1)


def _hours(programme: Programme) -> CallingHours:
    return CallingHours.of(saturday=programme.hours.saturday, closed_days=programme.hours.closed_days)


def _web(listener: socket.socket, settings: Settings) -> Child:
    options = ("--config", str(ROOT / "config" / "gunicorn.conf.py"), "--bind", f"fd://{listener.fileno()}")
    command = (sys.executable, "-m", "gunicorn", *options, "--graceful-timeout", "2")
    return Child("web server", command, _environment(settings), pass_fds=[listener.fileno()])


def _telephones(settings: Settings) -> Child:
    return Child("telephones", (sys.executable, "-m", "callcentre.standin"), _environment(settings))


def _worker(settings: Settings) -> Child:
    return Child("worker", (sys.executable, "-m", "workers"), _environment(settings))


def _environment(settings: Settings) -> dict[str, str]:
    """Return the variables with which web, worker and every restart of them see the same data and time."""
    own = {
        "CALLCENTRE_DATA_DIR": str(settings.data_dir.resolve()),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    if settings.clock_start is not None and settings.clock_anchor is not None:
        own["CALLCENTRE_CLOCK_START"] = settings.clock_start.isoformat()
        own["CALLCENTRE_CLOCK_ANCHOR"] = settings.clock_anchor.isoformat()
    telephone = ("twilio_api_url", "twilio_account_sid", "twilio_auth_token", "twilio_number", "public_url")
    own |= {f"CALLCENTRE_{name.upper()}": getattr(settings, name) for name in telephone}
    return {**os.environ, **own}


def _welcome(listener: socket.socket, settings: Settings, logins: Sequence[str]) -> str:
    lines = [f"The call centre is open at http://{HOST}:{listener.getsockname()[1]}/", *logins]
    if settings.twilio_api_url:
        lines.append(
            f"What its fictitious young people receive, and their telephones: {settings.twilio_api_url}/"
        )
    if settings.clock_start is not None:
        local = settings.clock_start.astimezone(ZONE)
        lines.append(
            f"Nobody may be called now, so its clock was set to {local:%A %d %B %Y, %H:%M} and runs on."
        )
    return "\n".join([*lines, "Ctrl-C stops it."])


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=READY_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say(line: str) -> None:
    print(line, flush=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # taking the interpreter apart would take longer than stopping did
