"""The funnel's rules as properties."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from callcentre.funnel.stages import ALREADY, ORDER, Refused, Stage, entering, is_nested, requires, taken_back

stages = st.sampled_from(Stage)


def after(steps: list[Stage]) -> set[Stage]:
    """What somebody holds after entering these stages one after another, refusals left aside."""
    held: set[Stage] = set()
    for stage in steps:
        added = entering(stage, held)
        if not isinstance(added, Refused):
            held |= set(added)
    return held


@given(st.lists(stages))
def test_stages_are_nested_after_any_sequence(steps: list[Stage]) -> None:
    held = after(steps)
    assert is_nested(held)
    for wider, narrower in pairwise(ORDER):
        assert narrower not in held or wider in held


@given(st.lists(stages), stages)
def test_the_same_stage_twice_adds_nothing(steps: list[Stage], stage: Stage) -> None:
    held = after([*steps, stage])
    added = entering(stage, held)
    assert added == () or isinstance(added, Refused)


@given(st.lists(stages), stages)
def test_missing_earlier_stages_come_first_and_the_stage_itself_last(
    steps: list[Stage], stage: Stage
) -> None:
    held = after(steps)
    added = entering(stage, held)
    if isinstance(added, Refused) or not added:
        return
    assert added[-1] is stage
    assert set(added[:-1]) == set(requires(stage)) - held
    for entered, before in zip(added, [set(added[:n]) for n in range(len(added))], strict=True):
        assert set(requires(entered)) <= held | before


@given(st.lists(stages))
def test_nobody_is_both_accompanied_here_and_already_elsewhere(steps: list[Stage]) -> None:
    held = after(steps)
    assert not (held & ALREADY and Stage.ACCOMPANIED in held)


@given(st.lists(stages))
def test_already_elsewhere_counts_as_contacted(steps: list[Stage]) -> None:
    held = after(steps)
    assert not held & ALREADY or Stage.CONTACTED in held


def test_somebody_already_in_a_solution_is_never_a_positive_exit() -> None:
    held = after([Stage.ALREADY_IN_SOLUTION])
    assert entering(Stage.POSITIVE_EXIT, held) == Refused(Stage.ALREADY_IN_SOLUTION)
    assert entering(Stage.ACCOMPANIED, after([Stage.ALREADY_ACCOMPANIED])) == Refused(
        Stage.ALREADY_ACCOMPANIED
    )


def test_a_guardian_reached_is_not_a_contact() -> None:
    assert after([Stage.GUARDIAN_REACHED]) == {Stage.TO_CONTACT, Stage.GUARDIAN_REACHED}


def test_a_positive_exit_of_somebody_never_called_dates_every_stage() -> None:
    assert entering(Stage.POSITIVE_EXIT, ()) == ORDER


@given(st.lists(stages), st.sets(stages))
def test_taking_back_never_breaks_the_nesting(steps: list[Stage], wanted: set[Stage]) -> None:
    held = after(steps)
    gone = taken_back(wanted, held)
    assert gone <= wanted & held
    assert is_nested(held - gone)


@given(st.lists(stages), st.sets(stages))
def test_only_what_a_later_stage_rests_on_is_kept(steps: list[Stage], wanted: set[Stage]) -> None:
    held = after(steps)
    gone = taken_back(wanted, held)
    for stage in wanted & held - gone:
        assert any(stage in requires(other) for other in held - gone)


@given(st.lists(stages), stages)
def test_undoing_an_event_gives_back_what_there_was(steps: list[Stage], stage: Stage) -> None:
    held = after(steps)
    added = entering(stage, held)
    if not isinstance(added, Refused):
        assert (held | set(added)) - taken_back(added, held | set(added)) == held
