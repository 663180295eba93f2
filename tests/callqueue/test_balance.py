"""The balance between territories, as arithmetic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from callcentre.callqueue.balance import (
    ROUNDING,
    TIE,
    Position,
    add_shares,
    first_in_turn,
    in_turn,
    read,
    turn_order,
    written,
)

WEIGHTS = st.lists(st.integers(1, 1000), min_size=1, max_size=30)


def _play(weights: list[int], due: list[set[int]]) -> tuple[dict[int, int], dict[int, float], float]:
    """Serve one claim per set of due territories; return served, shares, and the widest gap seen."""
    served = dict.fromkeys(range(len(weights)), 0)
    shares = dict.fromkeys(range(len(weights)), 0.0)
    widest = 0.0
    for now_due in due:
        positions = {
            t: Position(served[t], shares[t], float(weight), t in now_due) for t, weight in enumerate(weights)
        }
        order = turn_order(positions)
        assert set(order) == now_due
        served[order[0]] += 1
        add_shares(shares, [written({t: float(weights[t]) for t in now_due})])
        widest = max(widest, *(abs(served[t] - shares[t]) for t in served))
    return served, shares, widest


@given(WEIGHTS, st.integers(1, 400))
def test_no_territory_strays_more_than_one_claim_from_its_share(weights: list[int], claims: int) -> None:
    everybody = set(range(len(weights)))
    served, shares, widest = _play(weights, [everybody] * claims)
    assert widest <= 1 + 1e-9
    assert sum(served.values()) == claims
    assert abs(sum(shares.values()) - claims) < 1e-6


@given(WEIGHTS, st.integers(1, 60), st.integers(1, 200), st.data())
def test_one_that_becomes_due_again_joins_without_a_claim_on_the_past(
    weights: list[int], away: int, after: int, data: st.DataObject
) -> None:
    everybody = set(range(len(weights)))
    late = data.draw(st.sampled_from(sorted(everybody)))
    without = everybody - {late} or everybody
    served, _, _ = _play(weights, [without] * away)
    alone, _, _ = _play(weights, [without] * away + [everybody] * after)
    fair = after * weights[late] / sum(weights)
    assert alone[late] - served[late] <= fair + 2


@given(WEIGHTS, st.integers(0, 200), st.data())
def test_the_first_alone_is_the_first_of_the_order(
    weights: list[int], claims: int, data: st.DataObject
) -> None:
    served, shares, _ = _play(weights, [set(range(len(weights)))] * claims)
    due = data.draw(st.sets(st.sampled_from(range(len(weights)))))
    own = data.draw(st.sets(st.sampled_from(range(len(weights)))))
    now_due = {territory: float(weights[territory]) for territory in due}
    order = in_turn(now_due, served, shares, own=own)
    assert sorted(order) == sorted(due)
    assert first_in_turn(now_due, served, shares, own=own) == (order[0] if order else None)
    ahead = {territory: served[territory] - shares[territory] for territory in due}
    entitled = [territory for territory in due if ahead[territory] <= ROUNDING] or list(due)
    finishes = [(ahead[territory] + 1) / weights[territory] for territory in entitled]
    if order:
        assert (ahead[order[0]] + 1) / weights[order[0]] <= min(finishes) + 2 * TIE


def test_an_officers_own_territory_breaks_a_tie_only() -> None:
    tied = {1: Position(0, 0.0, 10, True), 2: Position(0, 0.0, 10, True)}
    assert turn_order(tied)[0] == 1
    assert turn_order(tied, own={2})[0] == 2
    owed = {1: Position(0, 0.6, 10, True), 2: Position(0, 0.4, 10, True)}
    assert turn_order(owed, own={2})[0] == 1


def test_one_ahead_of_its_share_comes_after_those_that_are_not() -> None:
    positions = {1: Position(3, 1.0, 1000, True), 2: Position(0, 0.0, 1, True)}
    assert turn_order(positions) == [2, 1]


def test_a_territory_without_due_people_has_no_turn() -> None:
    assert turn_order({1: Position(0, 5.0, 10, False)}) == []


@given(st.dictionaries(st.integers(1, 99), st.integers(1, 10_000).map(float), max_size=30))
def test_the_weights_of_a_claim_are_read_as_they_were_written(weights: dict[int, float]) -> None:
    assert read(written(weights)) == weights
