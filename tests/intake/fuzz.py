"""`python -m tests.intake.fuzz --minutes N`: throw mutated lists at the reader and the mapping, keep what breaks them.

Each file is a corpus file, changed at random from a numbered seed. It must be read or refused, in seconds, within the
memory allowed, and every row of what is read must come out again. A seed that fails is printed and its file is kept
in `--out`; once its cause is mended, the file belongs into the corpus.
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import traceback
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from types import FrameType

from callcentre.intake.apart import read_list
from callcentre.intake.mapping import map_content
from callcentre.intake.preparing import PreparedList, prepare
from callcentre.intake.reader import Choice, Refusal, is_workbook
from tests.intake import ground
from tests.intake.corpus.registry import Family, every_case

MEMORY_BYTES = 500 * 1024 * 1024
SECONDS = 20.0
_LARGEST = 200_000
_TOLD_EVERY = 2_000
_PIECES = (
    b";", b'"', b"\n", b"\r", b"\r\n", b",", b"\t", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3\xa9", b"\xe9",
    b"\x82", b"\x8e", b"\xc3\x83\xc2\xa9", b"&eacute;", b"\xe2\x80\xae", b"sep=;", b"Nom;", b"Total", b"<td>",
    b"<table>",
    b"<tr><td rowspan=9>", b"colspan=99", b"<!DOCTYPE", b"=1+1", b"9" * 40, b"06 39 98 00 00", b"31/02/2008",
    b"2008-02-14", b"6,39E+08", b'""', b";" * 600, b"\x1a", b"\xf0\x9f\x98\x80", b"&#0;", b"&#x110000;", b"_x0000_",
    b"PK\x03\x04",
)  # fmt: skip


def main() -> int:
    """Fuzz for a while; return how many files failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.intake.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="of processor time")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--one", action="store_true", help="only that seed")
    parser.add_argument("--out", type=Path, default=Path("fuzz-found"), help="where failing files are kept")
    asked = parser.parse_args()
    signal.signal(signal.SIGPROF, _hang)
    resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY_BYTES, 4 * MEMORY_BYTES))
    bases = [case.content() for case in every_case() if case.family is not Family.HOSTILE]
    bases += [case.content() for case in every_case() if case.family is Family.HOSTILE]
    bases = [base for base in bases if len(base) < _LARGEST]
    counts: Counter[str] = Counter()
    slowest = (0.0, 0)
    seed = asked.seed
    while _processor_seconds() < 60 * asked.minutes:
        content = mutated(bases, Random(seed))
        started = _processor_seconds()
        # Processor time too: on a machine that is busy with other things, waiting is no fault.
        signal.setitimer(signal.ITIMER_PROF, SECONDS * 5)
        wrong = _wrong(content, counts)
        took = _processor_seconds() - started
        slowest = max(slowest, (took, seed))
        if wrong is None and took > SECONDS:
            wrong = f"took {took:.1f} s"
        if wrong is None and _peak() > MEMORY_BYTES:
            wrong = f"peak memory {_peak() // 1024 // 1024} MB"
        if wrong is not None:
            counts["failed"] += 1
            asked.out.mkdir(exist_ok=True)
            (asked.out / f"{seed}.bin").write_bytes(content)
            sys.stdout.write(f"seed {seed}: {wrong}\n")
            sys.stdout.flush()
        seed += 1
        if asked.one:
            break
        if (seed - asked.seed) % _TOLD_EVERY == 0:
            sys.stdout.write(
                f"up to seed {seed - 1}: {counts['failed']} failed, peak {_peak() // 1024 // 1024} MB\n"
            )
            sys.stdout.flush()
    signal.setitimer(signal.ITIMER_PROF, 0)
    told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    peak = (
        f"{_peak() // 1024 // 1024} MB here, {_peak(resource.RUSAGE_CHILDREN) // 1024 // 1024} MB in a child"
    )
    sys.stdout.write(
        f"seeds {asked.seed} to {seed - 1}: {told}; slowest {slowest[0]:.1f} s (seed {slowest[1]}); peak {peak}\n"
    )
    return min(counts["failed"], 1)


def _hang(_signal: int, _frame: FrameType | None) -> None:
    message = f"no end after {SECONDS * 5:.0f} s of processor time"
    raise TimeoutError(message)


def _processor_seconds() -> float:
    """Of this process and its children: a busy machine makes no file slow."""
    here, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return here.ru_utime + here.ru_stime + children.ru_utime + children.ru_stime


def _peak(who: int = resource.RUSAGE_SELF) -> int:
    return resource.getrusage(who).ru_maxrss * 1024


def mutated(bases: list[bytes], random: Random) -> bytes:
    """A file of the corpus, changed in a few places."""
    content = bytearray(random.choice(bases))
    for _ in range(random.randrange(1, 12)):
        _change(content, bases, random)
    return bytes(content[:_LARGEST])


def _change(content: bytearray, bases: list[bytes], random: Random) -> None:
    at = random.randrange(len(content) + 1)
    length = random.choice((1, 1, 2, 8, 64, 512))
    kind = random.randrange(8)
    if kind == 0:
        content[at:at] = random.choice(_PIECES)
    elif kind == 1:
        del content[at : at + length]
    elif kind == 2:
        content[at : at + length] = random.randbytes(length)
    elif kind == 3:
        content[at:at] = content[max(0, at - length) : at] * random.choice((1, 3, 50))
    elif kind == 4:
        del content[at:]
    elif kind == 5:
        other = random.choice(bases)
        start = random.randrange(len(other) + 1)
        content[at:at] = other[start : start + 4 * length]
    elif kind == 6 and content:
        content[at % len(content)] ^= 1 << random.randrange(8)
    else:
        old, new = random.choice(_PIECES), random.choice(_PIECES)
        content[:] = bytes(content).replace(old, new, random.choice((1, 5, 200)))


def _wrong(content: bytes, counts: Counter[str]) -> str | None:
    """What is wrong with what came of a file; None when it was read or refused as it should be."""
    try:
        if is_workbook(content):
            found = read_list(content, "liste.xlsx")
        else:
            found = read_list(content, "liste.csv", _choice(content))
        if isinstance(found, Refusal):
            counts[f"refused {found.code}"] += 1
            return None if found.fr and found.en else "a refusal without words"
        for sheet in found.sheets:
            rows = list(sheet.rows)
            if len(rows) != len(sheet.rows) or [r.number for r in sheet.rows_from(len(rows) // 2)] != [
                r.number for r in rows[len(rows) // 2 :]
            ]:
                return "rows are lost or counted twice"
            if any(a.number >= b.number for a, b in pairwise(rows)):
                return "rows are out of order"
        map_content(found, _WORDS)
        ready = prepare(content, "liste", programme=_PROGRAMME, list_date=ground.LIST_DATE, words=_WORDS)
        if isinstance(ready, PreparedList):
            fates = sum(1 for _ in ready.rows())
            if fates != ready.rows_total:
                return f"{fates} rows of {ready.rows_total}"
            counts["mapped"] += 1
        else:
            counts[f"refused {ready.code}"] += 1
    except Exception:
        return traceback.format_exc()
    counts["read"] += 1
    return None


def _choice(content: bytes) -> Choice | None:
    """Now and then an encoding and a delimiter that somebody chose."""
    kind = len(content) % 10
    return {
        0: Choice("cp1252", ";"),
        1: Choice("utf-8"),
        2: Choice("utf-16", "\t"),
        3: Choice(None, "|"),
        4: Choice("mac_roman"),
    }.get(kind)


_PROGRAMME = ground.programme()
_WORDS = ground.column_words()

if __name__ == "__main__":
    sys.exit(main())
