"""How figures are shown and kept."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version


def say(line: str) -> None:
    """Print at once."""
    print(line, flush=True)


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and p99 in milliseconds."""
    ordered = sorted(seconds)
    return {
        f"p{share}_ms": round(1000 * ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 2)
        for share in (50, 95, 99)
    }


def machine() -> dict[str, str]:
    """Return what a reader needs to compare figures: processors, memory, versions, and how busy it was."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    packages = ("SQLAlchemy", "psycopg", "Flask", "gunicorn", "phonenumbers")
    return {
        "processors": str(os.cpu_count()),
        "processor": _processor(),
        "memory_gib": f"{pages * size / 2**30:.0f}",
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "packages": ", ".join(f"{name} {version(name)}" for name in packages),
        "load_before": f"{os.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line.split(":")[1].strip() for line in file if "model name" in line), "unknown")
    except OSError:
        return platform.processor() or "unknown"
