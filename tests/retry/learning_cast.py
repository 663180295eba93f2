"""The constants and fits that the tests of the learning rule use."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from callcentre.retry.bench_adapter import usual_tuning
from callcentre.retry.profiles import SLOTS, Fit, first_fit
from callcentre.retry.waiting import Load
from callcentre.tuning import RetryTuning

USUAL = usual_tuning()

_rates = st.floats(0.001, 0.94)
_switches = st.booleans()


@st.composite
def tunings(draw: st.DrawFn) -> RetryTuning:
    """Any setting of the switches, and some of the numbers."""
    return USUAL.overridden(
        {
            "preference": draw(st.sampled_from(["learnt", "learnt", "learnt", "rotation"])),
            "control_share": draw(st.sampled_from([0.0, 0.0, 0.5, 1.0])),
            "second_number": draw(st.sampled_from(["learnt", "plan"])),
            "uses_answered_hours": draw(_switches),
            "prices_load": draw(_switches),
            "plans_ahead": draw(_switches),
            "patience": draw(st.sampled_from([0.0, 0.8, 0.94, 1.0])),
            "second_from_call": draw(st.integers(1, 5)),
            "second_calls": draw(st.integers(0, 5)),
        }
    )


@st.composite
def fits(draw: st.DrawFn, tuning: RetryTuning) -> Fit:
    """Any numbers that a refit could have brought."""
    first = first_fit(tuning)
    row = st.tuples(*[_rates] * len(SLOTS))
    parts = draw(st.tuples(*[st.floats(0.01, 1.0)] * len(first.names)))
    return replace(
        first,
        rates=tuple(draw(row) for _ in first.names),
        usual_shares=tuple(part / sum(parts) for part in parts),
        second_rates=draw(row),
        second_worth=draw(_rates),
    )


loads = st.tuples(*[st.floats(0.02, 1.0)] * len(SLOTS)).map(Load)
