"""`python -m bench.reading`: rows a second and memory of reading lists, against what the libraries alone take.

Each measure runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from openpyxl import Workbook

from callcentre.settings import ROOT

SAMPLE = ROOT / "config" / "demo" / "liste_siei.csv"


def main() -> None:
    """Make the lists, measure each way of reading them, print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m bench.reading", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--workbook-rows", type=int, nargs="+", default=[3_000, 30_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        _measured(asked.measure[0], Path(asked.measure[1]))
        return
    with TemporaryDirectory() as folder:
        for count in asked.rows:
            file = Path(folder) / f"{count}.csv"
            file.write_bytes(_lines(count))
            _report(file, count, ("csv alone", "bytes alone", "reader", "reader, whole"), asked.rounds)
        for count in asked.workbook_rows:
            file = Path(folder) / f"{count}.xlsx"
            _workbook(file, count)
            _report(file, count, ("calamine alone", "workbook child", "workbook here"), asked.rounds)


def _lines(count: int) -> bytes:
    head, *rows = SAMPLE.read_bytes().splitlines(keepends=True)
    return head + b"".join(rows[n % len(rows)] for n in range(count))


def _workbook(file: Path, count: int) -> None:
    book = Workbook(write_only=True)
    page = book.create_sheet("Liste")
    for row in csv.reader(io.StringIO(_lines(count).decode("cp1252")), delimiter=";"):
        page.append(row)
    book.save(file)


def _report(file: Path, count: int, ways: tuple[str, ...], rounds: int) -> None:
    print(f"{file.suffix[1:]}, {count} rows, {file.stat().st_size // 1024} kB")
    for way in ways:
        results = [_apart(way, file) for _ in range(rounds)]
        seconds, peak = median(r[0] for r in results), median(r[1] for r in results)
        print(f"  {way:<16} {count / seconds:10.0f} rows/s CPU   peak {peak / 1024:7.1f} MB", flush=True)


def _apart(way: str, file: Path) -> tuple[float, int]:
    answer = subprocess.run(
        [sys.executable, "-m", "bench.reading", "--measure", way, str(file)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    seconds, kilobytes = answer.stdout.split()
    return float(seconds), int(kilobytes)


def _measured(way: str, file: Path) -> None:
    start, children = time.process_time(), way == "workbook child"
    _WAYS[way](file)
    seconds = time.process_time() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(seconds + used.ru_utime + used.ru_stime, used.ru_maxrss if children else _peak_kilobytes())


def _peak_kilobytes() -> int:
    """Of this program alone: what getrusage tells begins with the peak of whoever started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


def _csv_alone(file: Path) -> None:
    for _ in csv.reader(io.StringIO(file.read_bytes().decode("cp1252")), delimiter=";"):
        pass


def _bytes_alone(file: Path) -> None:
    file.read_bytes()


def _reader(file: Path) -> None:
    """What an import does: the survey, then every row once."""
    from callcentre.intake.apart import read_list
    from callcentre.intake.reader import ListContent

    content = read_list(file.read_bytes(), file.name)
    assert isinstance(content, ListContent)
    for _ in content.sheets[0].rows:
        pass


def _reader_whole(file: Path) -> None:
    """Every row kept, as the reader did before."""
    from callcentre.intake.apart import read_list
    from callcentre.intake.reader import ListContent

    content = read_list(file.read_bytes(), file.name)
    assert isinstance(content, ListContent)
    tuple(content.sheets[0].rows)


def _calamine_alone(file: Path) -> None:
    from python_calamine import CalamineWorkbook

    CalamineWorkbook.from_filelike(io.BytesIO(file.read_bytes())).get_sheet_by_index(0).to_python()


_WAYS: dict[str, Callable[[Path], None]] = {
    "csv alone": _csv_alone,
    "bytes alone": _bytes_alone,
    "reader": _reader,
    "reader, whole": _reader_whole,
    "calamine alone": _calamine_alone,
    "workbook child": _reader,
    "workbook here": _reader,
}

if __name__ == "__main__":
    main()
