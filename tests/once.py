"""What the processes of one run make together, once."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def once(path: Path, make: Callable[[], str]) -> str:
    """Return what `make` gave to the first process of this run that asked."""
    with _alone(path.with_suffix(".lock")):
        if not path.exists():
            path.write_text(make())
        return path.read_text()
