"""How figures are shown: lines of a table that `docs/performance.md` can take as they are."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path


def say(line: str) -> None:
    """Print at once."""
    print(line, flush=True)


def percentiles(seconds: Sequence[float]) -> str:
    """Return p50, p95 and p99 in milliseconds, as three cells."""
    ordered = sorted(seconds)
    if not ordered:
        return "– | – | –"
    found = (1000 * ordered[min(len(ordered) - 1, len(ordered) * share // 100)] for share in (50, 95, 99))
    return " | ".join(f"{value:.1f}" if value >= 1 else f"{value:.2f}" for value in found)


def spread(ratios: Sequence[float]) -> str:
    """Return the median of ratios, with the lowest and the highest."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def machine() -> str:
    """Return what a reader needs to compare figures: processors, memory, versions, and how busy it was."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    packages = ("SQLAlchemy", "psycopg", "Flask", "gunicorn", "phonenumbers")
    return (
        f"{os.cpu_count()} processors ({_processor()}), {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {sys.version.split()[0]}, {', '.join(f'{name} {version(name)}' for name in packages)}; "
        f"load before: {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    """The name that the system gives its processor."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")
