"""Clients that work at once: processes of threads that live through a measurement and are told what to do."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

PROCESSES = 2
"""Processes among which clients are shared, as two servers would: one lock of the interpreter each."""

Work = Callable[[], dict[str, float] | None]
"""One unit of work: seconds by part, or None when there is nothing left to do."""


@dataclass(frozen=True)
class Figures:
    """What was measured: units a second over all clients, and the seconds of each unit by part."""

    rate: float
    seconds: dict[str, list[float]]


@dataclass(frozen=True)
class Crew:
    """Client processes; `run` lets all of them do one kind of work for some seconds."""

    pipes: tuple[Connection, ...]
    clients: int

    def run(self, kind: str, seconds: float) -> Figures:
        """Let every client repeat a kind of work."""
        for pipe in self.pipes:
            pipe.send((kind, seconds))
        answers = [pipe.recv() for pipe in self.pipes]
        failed = [answer for answer in answers if isinstance(answer, str)]
        if failed:
            raise SystemExit(f"A client failed: {failed[0]}")
        return Figures(sum(rate for rate, _ in answers), _joined([parts for _, parts in answers]))


@contextmanager
def a_crew(clients: int, make: Callable[..., Callable[[str, int], Work]], *arguments: Any) -> Iterator[Crew]:
    """Start client processes; in each, `make(*arguments, first client)` returns what makes a client's work by kind."""
    context = multiprocessing.get_context("spawn")
    shares = _shares(clients)
    pipes, processes = [], []
    for number, count in enumerate(shares):
        ours, theirs = context.Pipe()
        first = sum(shares[:number])
        process = context.Process(target=_process, args=(theirs, make, arguments, first, count), daemon=True)
        process.start()
        pipes.append(ours)
        processes.append(process)
    try:
        yield Crew(tuple(pipes), clients)
    finally:
        for pipe in pipes:
            pipe.send(None)
        for process in processes:
            process.join(10)


def _shares(clients: int) -> list[int]:
    processes = min(PROCESSES, clients)
    return [clients // processes + (number < clients % processes) for number in range(processes)]


def _process(
    pipe: Connection, make: Callable[..., Any], arguments: tuple[Any, ...], first: int, count: int
) -> None:
    works = make(*arguments, first)
    while (told := pipe.recv()) is not None:
        kind, seconds = told
        try:
            pipe.send(_Slice([works(kind, first + number) for number in range(count)], seconds).run())
        except Exception as error:
            pipe.send(f"{type(error).__name__}: {error}")


class _Slice:
    """The threads of one process, for a while."""

    def __init__(self, works: list[Work], seconds: float) -> None:
        self._works, self._seconds = works, seconds
        self._start = threading.Barrier(len(works))
        self._parts: list[dict[str, list[float]]] = [{} for _ in works]
        self._rates = [0.0 for _ in works]
        self._errors: list[BaseException] = []

    def run(self) -> tuple[float, dict[str, list[float]]]:
        """Return units a second, and the seconds of their parts."""
        threads = [threading.Thread(target=self._client, args=(n,)) for n in range(len(self._works))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._errors:
            raise self._errors[0]
        return sum(self._rates), _joined(self._parts)

    def _client(self, number: int) -> None:
        try:
            self._start.wait()
            start, done = time.perf_counter(), 0
            while time.perf_counter() - start < self._seconds:
                measured = self._works[number]()
                if measured is None:
                    break
                done += 1
                for part, value in measured.items():
                    self._parts[number].setdefault(part, []).append(value)
            self._rates[number] = done / (time.perf_counter() - start)
        except BaseException as error:
            self._errors.append(error)
            self._start.abort()


def _joined(parts: list[dict[str, list[float]]]) -> dict[str, list[float]]:
    joined: dict[str, list[float]] = {}
    for each in parts:
        for part, values in each.items():
            joined.setdefault(part, []).extend(values)
    return joined
