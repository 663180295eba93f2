"""The night's work on very many people, shared among processes that give way to everybody else's.

Work is cut into ranges of ids. Each range is done by one process, in transactions of its own, and may be done again;
whoever shared it out hears of the ranges in their order, and so can remember how far everything has come.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from multiprocessing import get_context

from sqlalchemy.orm import Session, sessionmaker

from callcentre.database import REQUEST, Base, make_engine, make_session_factory, reading
from callcentre.processes import begin_as_helper
from callcentre.programmes import Programme

ALONE_UP_TO = 20_000
"""Fewer people than this are done before other processes have started."""
HANDS = 2
"""Processes at most; one for each processor where there are fewer."""
BEHIND_OTHERS = REQUEST._replace(looks_every=0.0005)
"""A helper looks less often than an officer's request whether it may write, and so comes after it."""
RANGE, RANGE_ALONE = 5_000, 500
"""Ids of one range, in several processes and in one: what a cut may cause to be done again."""


@dataclass(frozen=True)
class Night:
    """What the work of a night is about; `since`: only what happened after it, None for everything."""

    programme: Programme
    programme_id: int
    now: datetime
    since: datetime | None = None


Work = Callable[[sessionmaker[Session], Night], Callable[[int, int], int]]
"""Makes what does the ids from the first, left out, to the last, and returns how many it looked at or changed."""


def hands_for(people: int) -> int:
    """Return how many processes the work on so many people is shared among; 1: this one alone."""
    return 1 if people <= ALONE_UP_TO else min(HANDS, os.cpu_count() or 1)


def share(
    sessions: sessionmaker[Session],
    night: Night,
    work: Work,
    *,
    after: int,
    last: int,
    hands: int,
    width: int = 0,
) -> Iterator[tuple[int, int]]:
    """Have the ids after `after` up to `last` done; yield the last id of each range and what it returned, in order."""
    width = width or (RANGE_ALONE if hands == 1 else RANGE)
    ends = [*range(after + width, last, width), last] if after < last else []
    starts = [after, *ends[:-1]][: len(ends)]
    if hands == 1:
        yield from zip(ends, map(work(sessions, night), starts, ends), strict=True)
        return
    with reading(sessions) as session:
        url = session.connection().engine.url.render_as_string(hide_password=False)
    tables = {mapper.class_.__module__ for mapper in Base.registry.mappers}
    with ProcessPoolExecutor(
        hands,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(url, sorted(tables), night, work),
    ) as pool:
        try:
            yield from zip(ends, pool.map(_do, starts, ends), strict=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_mine: list[Callable[[int, int], int]] = []


def _begin(url: str, tables: Sequence[str], night: Night, work: Work) -> None:
    begin_as_helper()
    gc.disable()  # what is kept is kept to the end; looking through it again and again costs a tenth of the time
    for module in tables:  # a table knows its neighbours only once they are there
        import_module(module)
    _mine.append(work(make_session_factory(make_engine(url, pool_size=2, patience=BEHIND_OTHERS)), night))


def _do(after: int, last: int) -> int:
    return _mine[0](after, last)
