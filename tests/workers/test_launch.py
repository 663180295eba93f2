"""The start of the program: its port, its clock, and processes started again and stopped together."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from callcentre.retry.windows import CallingHours
from workers.children import Child, GaveUp, stop, watch_until
from workers.launch import ZONE, CannotStart, clock_start, listen

USUAL = CallingHours.of()


def paris(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize("now", [paris(23, 10), paris(23, 12, 59), paris(27, 19, 59)])
def test_inside_the_windows_the_clock_is_the_machines(now: datetime) -> None:
    assert clock_start(now, USUAL) is None


@pytest.mark.parametrize(
    ("now", "shown"),
    [
        (paris(21, 15), paris(23, 10)),  # Saturday
        (paris(22, 9), paris(23, 10)),  # Sunday
        (paris(23, 8), paris(23, 10)),
        (paris(23, 13, 30), paris(24, 10)),
        (paris(27, 20), paris(30, 10)),  # Friday evening
        (paris(24, 22, month=12), paris(28, 10, month=12)),  # Christmas is a Friday
    ],
)
def test_outside_the_windows_it_is_the_next_weekday_at_ten(now: datetime, shown: datetime) -> None:
    assert clock_start(now.astimezone(UTC), USUAL) == shown


def test_a_day_on_which_the_programme_is_closed_is_passed_over() -> None:
    closed = CallingHours.of(closed_days=[date(2026, 11, 23)])
    assert clock_start(paris(21, 15), closed) == paris(24, 10)


def test_the_clock_never_starts_before_the_latest_event() -> None:
    sunday, latest = paris(22, 9), paris(23, 16, 30)
    assert clock_start(sunday, USUAL, latest=latest) == latest + timedelta(seconds=1)
    assert clock_start(sunday, USUAL, latest=paris(23, 20, 5)) == paris(24, 10)
    assert clock_start(paris(23, 11), USUAL, latest=latest) == latest + timedelta(seconds=1)
    assert clock_start(paris(23, 17), USUAL, latest=latest) is None


def test_a_wish_goes_first_but_not_before_the_latest_event() -> None:
    assert clock_start(paris(23, 11), USUAL, wished=paris(25, 18)) == paris(25, 18)
    assert clock_start(paris(23, 11), USUAL, wished=paris(20, 10)) == paris(20, 10)
    late = clock_start(paris(23, 11), USUAL, wished=paris(20, 10), latest=paris(20, 15))
    assert late == paris(20, 15) + timedelta(seconds=1)


def test_a_taken_port_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"Port {port} .* is taken .* PORT={port + 1} make run"):
            listen(str(port))


@pytest.mark.parametrize("port", ["http", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(CannotStart, match="PORT must be a number"):
        listen(port)


class Scripts:
    """Processes that leave a line in a file at each start."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "starts"
        self.said: list[str] = []
        self.children: list[Child] = []

    def child(self, then: str, *, first: str = "pass") -> Child:
        started = f"open({str(self.log)!r}, 'a').write('started\\n')"
        script = f"import sys, signal, time; {first}; {started}; {then}"
        command = [sys.executable, "-S", "-c", script]
        self.children.append(Child("web server", command, {}, first_wait_seconds=0.01))
        self.children[-1].start()
        return self.children[-1]

    def starts(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def scripts(tmp_path: Path) -> Iterator[Scripts]:
    scripts = Scripts(tmp_path)
    yield scripts
    stop(scripts.children)


def test_a_process_that_dies_is_started_again_and_said_so(scripts: Scripts) -> None:
    child = scripts.child("sys.exit(3)")
    watch_until([child], scripts.said.append, lambda: scripts.starts() >= 2)
    assert scripts.said[0] == "The web server stopped (exit code 3); starting it again in 0.01 s."


def test_a_process_that_dies_at_every_start_is_given_up(scripts: Scripts) -> None:
    child = scripts.child("sys.exit(1)")
    with pytest.raises(GaveUp, match="web server stopped 6 times in a row"):
        watch_until([child], scripts.said.append, lambda: False)
    assert scripts.starts() == 6


def test_stopping_asks_first(scripts: Scripts) -> None:
    child = scripts.child("time.sleep(600)", first="signal.signal(15, lambda *_: sys.exit(0))")
    watch_until([child], scripts.said.append, lambda: scripts.starts() == 1)
    stop([child])
    assert child.exit_code == 0


def test_a_process_that_does_not_listen_is_killed(scripts: Scripts) -> None:
    deaf = scripts.child("time.sleep(600)", first="signal.signal(15, signal.SIG_IGN)")
    watch_until([deaf], scripts.said.append, lambda: scripts.starts() == 1)
    stop([deaf])
    assert deaf.exit_code == -9
