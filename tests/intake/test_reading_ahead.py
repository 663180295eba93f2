"""Rows read ahead in a process beside are those read here, whatever becomes of that process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from callcentre.intake.preparing import PreparedList
from callcentre.intake.reading_ahead import ALONE_UP_TO, AheadReader, ahead_reader, read_ahead
from callcentre.processes import COURTESY
from tests.intake.ground import prepared

SIZE = 100
HEADERS = (
    "INE;Nom;Prénom;Date de naissance;Tél. portable;Responsable 1 - Nom;Responsable 1 - Tél. portable;PSAD"
)


def a_list(rows: int) -> PreparedList:
    """People with guardians, and here and there a row of nobody or a number that is none."""
    lines = [HEADERS]
    for n in range(rows):
        phone = "12 34" if n % 7 == 0 else f"063998{n % 10_000:04}"
        lines.append(
            ";" * 7
            if n % 11 == 0
            else f"{n:09}AA;ESSAI {n};Zoé;12/0{n % 9 + 1}/2009;{phone};ESSAI;0465710001;"
        )
    return prepared("\n".join(lines).encode("cp1252"))


@pytest.fixture
def helper() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def test_a_helper_reads_what_is_read_here(helper: ProcessPoolExecutor) -> None:
    content = a_list(950)
    reader = AheadReader(content, SIZE, helper)
    here = helper.submit(os.getpid).result()  # one after the other: it has begun
    assert here != os.getpid()
    for start in range(0, content.rows_total, SIZE):
        assert reader.take(start) == read_ahead(content, start, SIZE)
    assert reader.take(700) == read_ahead(content, 700, SIZE)  # somewhere else than it was asked for


def test_what_a_helper_cannot_read_any_more_is_read_here(helper: ProcessPoolExecutor) -> None:
    content = a_list(950)
    reader = AheadReader(content, SIZE, helper)
    helper.submit(os.getpid).result()
    assert reader.take(0) == read_ahead(content, 0, SIZE)
    helper.submit(os._exit, 9).exception()
    for start in range(SIZE, content.rows_total, SIZE):
        assert reader.take(start) == read_ahead(content, start, SIZE)


def test_only_a_long_list_has_a_helper_and_it_gives_way_and_ends() -> None:
    with ahead_reader(a_list(300), SIZE) as alone:
        assert alone.helper is None
    with ahead_reader(a_list(ALONE_UP_TO + 1), SIZE) as helped:
        assert helped.helper is not None
        pid = helped.helper.submit(os.getpid).result()
        assert os.getpriority(os.PRIO_PROCESS, pid) >= COURTESY
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
