"""Clients that do the same thing at the same time, and what it took them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median, quantiles
from threading import Barrier

Operation = Callable[[int, int], None]
"""Given the client's number and its turn, does one operation in a transaction of its own."""


@dataclass(frozen=True)
class Measure:
    """How many operations a second, and how long one took, in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float

    def __str__(self) -> str:
        return f"{self.rate:8.0f}/s  p50 {self.p50:7.2f}  p95 {self.p95:7.2f}  p99 {self.p99:7.2f} ms"


def measure(operation: Operation, *, clients: int, times: int) -> Measure:
    """Let `clients` threads do an operation `times` times each, all starting together."""
    barrier = Barrier(clients + 1)

    def client(number: int) -> list[float]:
        barrier.wait()
        took: list[float] = []
        for turn in range(times):
            start = time.perf_counter()
            operation(number, turn)
            took.append(time.perf_counter() - start)
        return took

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(client, number) for number in range(clients)]
        barrier.wait()
        start = time.perf_counter()
        took = sorted(1000 * second for one in running for second in one.result())
        whole = time.perf_counter() - start
    cuts = quantiles(took, n=100)
    return Measure(len(took) / whole, cuts[49], cuts[94], cuts[98])


def middle(measures: list[Measure]) -> Measure:
    """The median of several rounds, figure by figure."""
    return Measure(*(median(getattr(m, name) for m in measures) for name in ("rate", "p50", "p95", "p99")))
