"""What a text message costs, and its plain form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcentre.outreach.segments import Encoding, fold, measure


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", Encoding.GSM_7, 0, 0),
        ("a" * 160, Encoding.GSM_7, 160, 1),
        ("a" * 161, Encoding.GSM_7, 161, 2),
        ("a" * 306, Encoding.GSM_7, 306, 2),
        ("a" * 307, Encoding.GSM_7, 307, 3),
        ("é" * 160, Encoding.GSM_7, 160, 1),
        ("€" * 80, Encoding.GSM_7, 160, 1),
        ("€" * 81, Encoding.GSM_7, 162, 2),
        ("ê" * 70, Encoding.UCS_2, 70, 1),
        ("ê" * 71, Encoding.UCS_2, 71, 2),
        ("ç", Encoding.UCS_2, 1, 1),
        ("Ç", Encoding.GSM_7, 1, 1),
        ("👍" * 35, Encoding.UCS_2, 70, 1),
        ("👍" * 36, Encoding.UCS_2, 72, 2),
    ],
)
def test_known_costs(text: str, encoding: Encoding, units: int, parts: int) -> None:
    measured = measure(text)
    assert (measured.encoding, measured.units, measured.parts) == (encoding, units, parts)


def test_a_two_unit_character_is_not_split_over_two_parts() -> None:
    # 152 letters, then one of two units: it moves to the second part whole, and the 153rd unit stays empty.
    assert measure("a" * 152 + "€" + "a" * 152).parts == 3


def test_the_costly_characters_are_named_once_in_their_order() -> None:
    assert measure("Ça commence : « où êtes-vous, garçon ? »").costly == ("«", "ê", "ç", "»")


def test_folding_a_french_sentence() -> None:
    text = "« Où êtes-vous ? » Cœur d’été, garçon… À bientôt – ÉCOLE"
    assert fold(text) == '" Où etes-vous ? " Coeur d\'été, garcon... A bientot - ÉCOLE'
    assert measure(fold(text)).encoding is Encoding.GSM_7


def test_an_emoji_stays_and_is_named() -> None:
    assert fold("Merci 👍") == "Merci 👍"
    assert measure(fold("Merci 👍")).costly == ("👍",)


@given(st.text(max_size=400))
def test_folding_never_costs_more_and_twice_is_once(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    if measure(text).costly == ():
        assert folded == text


@given(st.text(max_size=700))
def test_the_units_fit_into_the_parts(text: str) -> None:
    measured = measure(text)
    whole, each = (160, 153) if measured.encoding is Encoding.GSM_7 else (70, 67)
    room = whole if measured.parts <= 1 else each * measured.parts
    assert measured.units <= room
    assert 0 <= measured.left <= whole
