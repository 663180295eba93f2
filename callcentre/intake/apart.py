"""Reading a list file: text in this process, a workbook in a child of its own with bounded memory and time.

An edge: it starts a process. Whatever a workbook does to its reader happens to the child; here it becomes a refusal.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import IO

from callcentre.intake.reader import Choice, ListContent, Refusal, is_workbook, read_plain, refused_at_sight
from callcentre.intake.reader.content import Refused
from callcentre.intake.reader.packed import assembled, refusal_line
from callcentre.intake.reader.words import damaged, too_slow, unpacks_too_large
from callcentre.intake.reader.workbooks import workbook_lines

MEMORY_BYTES = 500 * 1024 * 1024
"""Address space of the child, its program included."""
SECONDS = 300
_ROOT = Path(__file__).resolve().parents[2]
_OUT_OF_MEMORY = 3
_KILLED = -9
_RAN_OUT = frozenset({_OUT_OF_MEMORY, -6, -11})
"""How a child ends that asked for more memory than it may have: by itself, aborted, or by a fault."""
_LARGEST_ANSWER = 400 * 1024 * 1024


def read_list(content: bytes, file_name: str, choice: Choice | None = None) -> ListContent | Refusal:
    """Read a list file as `reader.read` does, a workbook apart."""
    refusal = refused_at_sight(content, file_name)
    if refusal is not None:
        return refusal
    return read_workbook_apart(content) if is_workbook(content) else read_plain(content, choice)


def read_workbook_apart(
    content: bytes, *, memory: int = MEMORY_BYTES, seconds: float = SECONDS
) -> ListContent | Refusal:
    """Read a workbook in a child; once more, cell by cell, when its table does not fit into the memory allowed."""
    try:
        found, ended = _child(content, sparse=False, memory=memory, seconds=seconds)
        if found is None and ended in _RAN_OUT:
            # A cell far from the others asks for a table as large as the sheet.
            found, ended = _child(content, sparse=True, memory=memory, seconds=seconds)
            ended = ended if ended == _KILLED else _OUT_OF_MEMORY
    except Refused as error:
        return error.refusal
    if found is not None:
        return found
    if ended == _KILLED:
        return too_slow()
    return unpacks_too_large() if ended in _RAN_OUT else damaged()


def _child(content: bytes, *, sparse: bool, memory: int, seconds: float) -> tuple[ListContent | None, int]:
    """What a child reads, None if it ends before the workbook does; and how it ended."""
    command = [sys.executable, "-m", "callcentre.intake.apart", str(memory), "sparse" if sparse else "dense"]
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_ROOT), "MALLOC_ARENA_MAX": "1"}
    with subprocess.Popen(  # noqa: S603 -- our own module, no argument from outside
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env=environment,
    ) as child:
        clock = Timer(seconds, child.kill)
        clock.start()
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            _send(child.stdin, content)
            found = assembled(_received(child.stdout))
        finally:
            clock.cancel()
            child.kill() if child.poll() is None and sys.exc_info()[0] else None
        return found, child.wait()


def _send(stream: IO[bytes], content: bytes) -> None:
    try:
        stream.write(content)
        stream.close()
    except BrokenPipeError:
        # The child has ended already; how it did says the rest.
        pass


def _received(stream: IO[bytes]) -> Iterator[bytes]:
    total = 0
    for line in stream:
        total += len(line)
        if total > _LARGEST_ANSWER:
            raise Refused(unpacks_too_large())
        if line.endswith(b"\n"):
            yield line


def main(memory: int, *, sparse: bool) -> int:
    """In the child: read the workbook on standard input, write its lines on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = sys.stdout.buffer
    try:
        for line in workbook_lines(sys.stdin.buffer.read(), sparse=sparse):
            out.write(line)
    except Refused as error:
        out.write(refusal_line(error.refusal))
    except MemoryError:
        return _OUT_OF_MEMORY
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sparse=sys.argv[2] == "sparse"))
