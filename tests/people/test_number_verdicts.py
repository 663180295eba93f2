"""What is thought of a number, from one call's sign after another."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcentre.dispositions import NumberSign
from callcentre.people.kinds import NumberVerdict
from callcentre.people.numbers import verdict_after
from tests.builders import the_programme

SIGN, VERDICT = NumberSign, NumberVerdict


def after(*signs: NumberSign) -> NumberVerdict:
    return reduce(verdict_after, signs, VERDICT.UNVERIFIED)


@pytest.mark.parametrize(
    ("signs", "verdict"),
    [
        ([SIGN.DEAD_TONE], VERDICT.DEAD),
        ([SIGN.STRANGER], VERDICT.WRONG),
        ([SIGN.OWN_NAME], VERDICT.CONFIRMED),
        ([SIGN.OTHER_NAME], VERDICT.DOUBTFUL),
        ([SIGN.OTHER_NAME, SIGN.OTHER_NAME], VERDICT.WRONG),
        ([SIGN.OTHER_NAME, SIGN.OWN_NAME], VERDICT.CONFIRMED),
        ([SIGN.OWN_NAME, SIGN.OTHER_NAME], VERDICT.DOUBTFUL),
        ([SIGN.STRANGER, SIGN.OWN_NAME], VERDICT.WRONG),
        ([SIGN.DEAD_TONE, SIGN.ANSWERED], VERDICT.CONFIRMED),
    ],
)
def test_the_verdict_follows_the_calls(signs: list[NumberSign], verdict: NumberVerdict) -> None:
    assert after(*signs) is verdict


@given(st.lists(st.sampled_from(list(NumberSign))))
def test_the_young_persons_own_voice_settles_it(signs: list[NumberSign]) -> None:
    assert after(*signs, SIGN.ANSWERED) is VERDICT.CONFIRMED


def test_the_code_book_says_what_each_result_shows() -> None:
    book = the_programme().code_book()
    assert book["dead_number"].shows is SIGN.DEAD_TONE
    assert book["wrong_number"].shows is SIGN.STRANGER
    assert book["voicemail_own_name"].shows is SIGN.OWN_NAME
    assert book["voicemail_other_name"].shows is SIGN.OTHER_NAME
    assert book["appointment"].shows is SIGN.ANSWERED
    assert book["no_answer"].shows is None
