"""The rows of a list read ahead of the transactions that write them; those of a long list in a process beside.

Reading is a third of an import's work and needs no database: a second processor does it while the first one writes.
What the helper has not read in time, or cannot, is read here: it only ever saves time.
"""

from __future__ import annotations

import copyreg
import gc
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from itertools import islice
from multiprocessing import get_context
from operator import attrgetter
from typing import Any

from callcentre.intake.candidates import ReadRow, Rejection
from callcentre.intake.preparing import PreparedList
from callcentre.intake.reasons import Reason
from callcentre.people.candidates import Candidate, CandidateGuardian, CandidateNumber
from callcentre.processes import begin_as_helper

ALONE_UP_TO = 5_000
"""Rows that are read before another process has started."""
_CHUNKS_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Ahead:
    """Rows read ahead of their transaction, from the `start`-th on."""

    start: int
    rows: tuple[ReadRow, ...]


def read_ahead(prepared: PreparedList, start: int, size: int) -> Ahead:
    """Read so many rows from the `start`-th on, without any database."""
    return Ahead(start, tuple(islice(prepared.rows(start), size)))


class AheadReader:
    """Gives a list's rows chunk by chunk; with a `helper`, those that it was asked for in time come from there."""

    def __init__(self, prepared: PreparedList, size: int, helper: ProcessPoolExecutor | None = None) -> None:
        self._prepared, self._size, self.helper = prepared, size, helper
        self._beginning = None if helper is None else helper.submit(_begin, replace(prepared))
        self._asked: dict[int, Future[bytes]] = {}

    def take(self, start: int) -> Ahead:
        """The rows of the chunk that begins at `start`."""
        asked = self._asked.pop(start, None)
        if asked is not None and asked.exception() is not None:
            self.helper = asked = None
        if asked is None:
            self._asked.clear()
        if self.helper is not None and self._beginning is not None and self._beginning.done():
            self._ask(self.helper, start)
        if asked is None:
            return read_ahead(self._prepared, start, self._size)
        rows: tuple[ReadRow, ...] = pickle.loads(asked.result())  # noqa: S301 -- made by our own process
        return Ahead(start, rows)

    def _ask(self, helper: ProcessPoolExecutor, start: int) -> None:
        """Ask for the chunks after the one that begins at `start`."""
        for ahead in range(1, _CHUNKS_AHEAD + 1):
            at = start + ahead * self._size
            if at < self._prepared.rows_total and at not in self._asked:
                try:
                    self._asked[at] = helper.submit(_read, at, self._size)
                except BrokenProcessPool:
                    self.helper = None
                    return


@contextmanager
def ahead_reader(prepared: PreparedList, size: int) -> Iterator[AheadReader]:
    """A reader of chunks of `size` rows; for a long list with a helper, which ends with it."""
    if prepared.rows_total <= ALONE_UP_TO:
        yield AheadReader(prepared, size)
        return
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=begin_as_helper) as helper:
        try:
            yield AheadReader(prepared, size, helper)
        finally:
            helper.shutdown(cancel_futures=True)


# ---- in the helper

_prepared: list[PreparedList] = []


def _begin(prepared: PreparedList) -> None:
    """Take the list and read its first row, which loads whatever reading needs."""
    gc.disable()  # it keeps the list and remembered cells, whose number is bounded, to its end
    for kind in (ReadRow, Rejection, Reason, Candidate, CandidateNumber, CandidateGuardian):
        copyreg.pickle(kind, _reducer(kind))
    _prepared.append(prepared)
    read_ahead(prepared, 0, 1)


def _reducer(kind: type[Any]) -> Callable[[Any], tuple[type[Any], tuple[Any, ...]]]:
    """How a dataclass is packed as a call of its class, which is quicker to unpack than field by field."""
    values = attrgetter(*(field.name for field in fields(kind)))
    return lambda one: (kind, values(one))


def _read(start: int, size: int) -> bytes:
    return pickle.dumps(read_ahead(_prepared[0], start, size).rows, pickle.HIGHEST_PROTOCOL)
