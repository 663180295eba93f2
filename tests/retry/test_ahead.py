"""Looking ahead over all calls that are left: as good as trying every series of calls, and no better."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcentre.retry.ahead import AHEAD, SATURDAY, prospects, ways
from callcentre.retry.worth import WEEKDAYS

Row = tuple[float, ...]
_row = st.tuples(*[st.floats(0.01, 0.9)] * 5)


@given(
    rows=st.lists(_row, min_size=1, max_size=3),
    theirs=_row,
    left=st.integers(1, 3),
    untried=st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    saturday=st.booleans(),
    second=st.integers(0, 2),
)
def test_looking_ahead_finds_the_best_of_all_series_of_calls_that_the_cycle_permits(
    rows: list[Row], theirs: Row, left: int, untried: set[int], saturday: bool, second: int
) -> None:
    shares, columns = (1 / len(rows),) * len(rows), list(zip(*rows, strict=True))
    open_ways = ways(left, tuple(sorted(untried)), WEEKDAYS, saturday=saturday, second=second)
    found = prospects(shares, columns, theirs, 1.0, open_ways)
    best = {False: [0.0] * 5, True: [0.0] * 5}
    for series in _permitted(left, frozenset(untried), saturday, second):
        missed, unheard = list(shares), 1.0
        for slot, is_second in series:
            if is_second:
                unheard *= 1 - theirs[slot]
            else:
                missed = [part * (1 - row[slot]) for part, row in zip(missed, rows, strict=True)]
        slot, is_second = series[0]
        best[is_second][slot] = max(best[is_second][slot], 1 - sum(missed) * unheard)
    assert _of_first_calls(found.own, best[False]) == pytest.approx(best[False])
    assert _of_first_calls(found.second, best[True]) == pytest.approx(best[True])


def _of_first_calls(found: Row, best: list[float]) -> list[float]:
    """What was found of the slots that the very next call may take; a later one may be meant elsewhere."""
    return [value if possible else 0.0 for value, possible in zip(found, best, strict=True)]


def _permitted(
    left: int, untried: frozenset[int], saturday: bool, second: int
) -> Iterator[list[tuple[int, bool]]]:
    """Every series of calls, on either number, that the cycle of slots permits."""
    if not left:
        yield []
        return
    for slot in (*sorted(untried), *([SATURDAY] if saturday else [])):
        after = untried - {slot} or frozenset(WEEKDAYS)
        for is_second in (False, True) if second else (False,):
            for rest in _permitted(left - 1, after, saturday, second - is_second):
                yield [(slot, is_second), *rest]


def test_somebody_with_many_calls_left_has_ways_to_spend_them_on_any_programme() -> None:
    for weekdays in ((), (0,), (1, 3), WEEKDAYS):
        for left in (1, AHEAD, 99):
            found = ways(left, weekdays, weekdays, saturday=False, second=3).all
            assert 0 < len(found) < 1000
            assert all(sum(own) + sum(theirs) <= AHEAD for own, theirs in found)
            assert all(not own[SATURDAY] and not theirs[SATURDAY] for own, theirs in found)
