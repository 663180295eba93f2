"""Telephone numbers: reading a cell, judging, masking, showing, searching."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from callcentre import phone
from callcentre.phone import NumberKind, NumberLabel, NumberReason


def callable_numbers(cell: str, region: str = "FR") -> list[str | None]:
    return [number.e164 for number in phone.read_cell(cell, region) if number.callable]


@pytest.mark.parametrize(
    "typed",
    [
        "0639981234",
        "06 39 98 12 34",
        "06.39.98.12.34",
        "06-39-98-12-34",
        "06/39/98/12/34",
        "06\u00a039\u00a098\u00a012\u00a034",
        "06 39981234",
        "0639 98 12 34",
        "+33639981234",
        "+33 6 39 98 12 34",
        "+33 (0)6 39 98 12 34",
        "0033 6 39 98 12 34",
        "33639981234",
        "639981234",
        "6 39 98 12 34",
        "639981234.0",
        "6.39981234E+08",
        "6,39981234E+8",
        "  06 39 98 12 34  ",
        "\u202a06 39 98 12 34\u202c",
        "Tel : 06 39 98 12 34",
        "06 39 98 12 34 après 18h30",
        "06 39 98 12 34 18:30",
        "06 39 98 12 34 (18h-20h)",
        "à partir de 17h 06 39 98 12 34",
        "06,39,98,12,34",
        "06 399 812 34",
        "063 998 1234",
        "06–39–98–12–34",
        "０６３９９８１２３４",
        "٠٦٣٩٩٨١٢٣٤",
        '="0639981234"',
        "'0639981234",
        "tel:+33639981234",
        "0033(0)639981234",
        "3.3639981234E+10",
        "639981234,00",
        "1) 06 39 98 12 34",
        "06 39 98 12 34 ne pas appeler avant 18h",
        "06 39 98 12 34 (ne pas laisser de message)",
    ],
)
def test_every_way_to_type_a_number_gives_the_same_number(typed: str) -> None:
    assert callable_numbers(typed) == ["+33639981234"]


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("06 39 98 16 17 / 06 39 98 21 55", ["+33639981617", "+33639982155"]),
        ("0639981617;0639982155", ["+33639981617", "+33639982155"]),
        ("0639981617 ou 0465711234", ["+33639981617", "+33465711234"]),
        ("06 39 98 16 17\n04 65 71 12 34", ["+33639981617", "+33465711234"]),
        ("06399816170639982155", ["+33639981617", "+33639982155"]),
        ("06 39 98 16 17 06 39 98 21 55", ["+33639981617", "+33639982155"]),
        ("06 39 98 16 17 + 06 39 98 21 55", ["+33639981617", "+33639982155"]),
        ("0639981617-0639982155", ["+33639981617", "+33639982155"]),
        ("1) 06 39 98 16 17 2) 06 39 98 21 55", ["+33639981617", "+33639982155"]),
        ("639981617 639982155", ["+33639981617", "+33639982155"]),
    ],
)
def test_several_numbers_in_a_cell_are_all_found(cell: str, numbers: list[str]) -> None:
    assert callable_numbers(cell) == numbers


@pytest.mark.parametrize(
    "cell", ["", "  ", "néant", "NC", "-", "Liste rouge", "N/A", "Aucun", "non communiqué"]
)
def test_a_cell_that_says_none_holds_nothing(cell: str) -> None:
    assert phone.split_cell(cell) == []


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("0600000000", NumberReason.DUMMY),
        ("06 06 06 06 06", NumberReason.DUMMY),
        ("0612345678", NumberReason.DUMMY),
        ("0123456789", NumberReason.DUMMY),
        ("0102030405", NumberReason.DUMMY),
        ("0000000000", NumberReason.DUMMY),
        ("9999999999", NumberReason.DUMMY),
        ("+33 6 66 66 66 66", NumberReason.DUMMY),
        ("06 39 98", NumberReason.TOO_SHORT),
        ("06 39 98 12 3", NumberReason.TOO_SHORT),
        ("06 39 98 12 34 5", NumberReason.TOO_LONG),
        ("6,39981E+08", NumberReason.ROUNDED),
        ("3,36E+10", NumberReason.ROUNDED),
        ("640000000", NumberReason.ROUNDED),
        ("63998123.4", NumberReason.ROUNDED),
        ("06 12 12 12 12", NumberReason.DUMMY),
        ("6.4E+08", NumberReason.ROUNDED),
        ("0899 12 34 56", NumberReason.PREMIUM),
        ("0825123456", NumberReason.PREMIUM),
        ("0800123456", NumberReason.SPECIAL),
        ("3631", NumberReason.SHORT_CODE),
        ("118218", NumberReason.SHORT_CODE),
        ("0700123456", NumberReason.MACHINE),
        ("+881612345678", NumberReason.SPECIAL),
        ("+999123456789", NumberReason.IMPOSSIBLE),
        ("voir la mère", NumberReason.NOT_A_NUMBER),
    ],
)
def test_a_refused_number_says_why(cell: str, why: NumberReason) -> None:
    assert [(number.callable, number.why) for number in phone.read_cell(cell)] == [(False, why)]


def test_an_incomplete_number_never_borrows_digits_from_its_neighbour() -> None:
    assert callable_numbers("06 39 98 / 06 39 98 12 34") == ["+33639981234"]
    assert callable_numbers("06 39 98;06 39 98 12 34") == ["+33639981234"]


def test_the_fiction_blocks_are_callable_although_the_library_refuses_one() -> None:
    assert not phonenumbers.is_valid_number(phonenumbers.parse("0639981234", "FR"))
    for block in phone.FICTION_BLOCKS:
        (number,) = phone.read_cell(f"0{block}1234")
        assert (number.e164, number.callable) == (f"+33{block}1234", True)


def test_a_block_that_the_library_does_not_know_yet_stays_callable() -> None:
    (number,) = phone.read_cell("07 10 11 22 34")
    assert (number.e164, number.callable, number.why) == ("+33710112234", True, NumberReason.UNKNOWN_BLOCK)


@pytest.mark.parametrize(
    ("cell", "region", "e164"),
    [
        ("0692 12 34 57", "FR", "+262692123457"),
        ("+33692123457", "FR", "+262692123457"),
        ("692123457", "RE", "+262692123457"),
        ("0690123457", "FR", "+590690123457"),
        ("0696123457", "MQ", "+596696123457"),
        ("0269612345", "FR", "+262269612345"),
        ("0269612345", "YT", "+262269612345"),
        ("0639981234", "RE", "+33639981234"),
        ("0596 50 12 34", "FR", "+596596501234"),
        ("0590 27 12 34", "FR", "+590590271234"),
        ("0594 29 12 34", "FR", "+594594291234"),
        ("0508 41 23 45", "FR", "+508412345"),
        ("+508 41 23 45", "FR", "+508412345"),
        ("0263 01 23 45", "FR", "+262263012345"),
        ("+269 639 12 34 56", "FR", "+262639123456"),
        ("262692123457", "FR", "+262692123457"),
        ("590 690 12 34 57", "FR", "+590690123457"),
        ("+262 (0)692 12 34 57", "FR", "+262692123457"),
        ("0693 99 12 34", "FR", "+262693991234"),
        ("0691 99 12 34", "FR", "+590691991234"),
    ],
)
def test_overseas_numbers_follow_the_postal_code(cell: str, region: str, e164: str) -> None:
    assert callable_numbers(cell, region) == [e164]


def test_the_postal_code_names_the_region() -> None:
    assert [phone.region_of_postal_code(c) for c in ("97400", "97600", "13001", "", None)] == [
        "RE", "YT", "FR", "FR", "FR",
    ]  # fmt: skip


def test_a_foreign_block_that_the_library_does_not_know_stays_callable() -> None:
    (number,) = phone.read_cell("0044 7700 900123")
    assert (number.e164, number.callable, number.why) == ("+447700900123", True, NumberReason.FOREIGN)
    assert not phone.read_cell("+44 7700 9001234567")[0].callable


def test_a_foreign_number_is_kept_with_its_country() -> None:
    (number,) = phone.read_cell("+32 470 12 34 56")
    assert (number.e164, number.country, number.callable, number.kind) == (
        "+32470123456", "BE", True, NumberKind.MOBILE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("mère 06 39 98 48 81", [NumberLabel.MOTHER]),
        ("06 39 98 32 93 (père)", [NumberLabel.FATHER]),
        ("mère : 06 39 98 16 17 père : 06 39 98 21 55", [NumberLabel.MOTHER, NumberLabel.FATHER]),
        ("06 39 98 16 17 mère 06 39 98 21 55 père", [NumberLabel.MOTHER, NumberLabel.FATHER]),
        ("0639981617 (mère) / 0639982155 (père)", [NumberLabel.MOTHER, NumberLabel.FATHER]),
        ("Jeune 0639981617 - grand-mère 0639982155", [NumberLabel.YOUNG_PERSON, NumberLabel.RELATIVE]),
        ("0639981617, 0639982155", [None, None]),
    ],
)
def test_words_beside_a_number_name_its_owner(cell: str, labels: list[NumberLabel | None]) -> None:
    assert [piece.label for piece in phone.split_cell(cell)] == labels


@pytest.mark.parametrize(
    ("cell", "reasons"),
    [
        ("06 39 98 12 34 (ne pas appeler)", [NumberReason.MARKED_NO_CALL]),
        ("faux 06 39 98 12 34", [NumberReason.MARKED_WRONG]),
        (
            "ancien 06 39 98 16 17 nouveau 06 39 98 21 55",
            [NumberReason.MARKED_OLD, NumberReason.FICTION_BLOCK],
        ),
        ("06 39 98 16 17 (ancien), 06 39 98 21 55", [NumberReason.MARKED_OLD, NumberReason.FICTION_BLOCK]),
        ("06 39 98 16 17 -> 06 39 98 21 55", [NumberReason.MARKED_OLD, NumberReason.FICTION_BLOCK]),
        (
            "06 39 98 16 17 remplacé par 06 39 98 21 55",
            [NumberReason.MARKED_OLD, NumberReason.FICTION_BLOCK],
        ),
        ("06 39 98 12 34 n’existe plus", [NumberReason.MARKED_WRONG]),
        ("06 39 98 12 34 HS", [NumberReason.MARKED_WRONG]),
        ("refuse d’être appelé 06 39 98 12 34", [NumberReason.MARKED_NO_CALL]),
        ("ne pas appeler : 06 39 98 16 17 / 06 39 98 21 55", [NumberReason.MARKED_NO_CALL] * 2),
        ("anciens numéros : 06 39 98 16 17 / 06 39 98 21 55", [NumberReason.MARKED_OLD] * 2),
    ],
)
def test_a_number_marked_on_the_list_is_not_called(cell: str, reasons: list[NumberReason]) -> None:
    assert [number.why for number in phone.read_cell(cell)] == reasons


def test_a_masked_number_shows_only_its_ends() -> None:
    assert phone.mask("+33639981234") == "+336\u202634"
    assert "8123" not in phone.mask("+33639981234")


def test_a_number_is_shown_as_it_is_said() -> None:
    assert phone.display("+33639981234") == "06 39 98 12 34"
    assert phone.display("+262692123457") == "0692 12 34 57"
    assert phone.display("+32470123456") == "+32 470 12 34 56"


@pytest.mark.parametrize("typed", ["06 39 98 12 34", "+33639981234", "0033639981234", "639981234"])
def test_search_by_any_form_of_a_number_is_exact(typed: str) -> None:
    keys = phone.search_keys(typed)
    assert keys is not None
    assert keys.exact[0] == "+33639981234"


def test_search_by_a_part_of_a_number() -> None:
    assert phone.search_keys("1234") == phone.NumberSearch(ends_with="1234")
    assert phone.search_keys("06 39") == phone.NumberSearch(starts_with="+33639", ends_with="0639")
    assert phone.search_keys("+336399") == phone.NumberSearch(starts_with="+336399")
    assert phone.search_keys("123") is None
    assert phone.search_keys("Martin") is None


LIBRARY_KINDS = {
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberKind.FIXED,
    PhoneNumberType.VOIP: NumberKind.VOIP,
    PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM,
    PhoneNumberType.SHARED_COST: NumberKind.PREMIUM,
    PhoneNumberType.UNKNOWN: None,
}


@given(st.from_regex(r"[1-9][0-9]{8}", fullmatch=True))
def test_the_short_way_agrees_with_the_library(national: str) -> None:
    parsed = phonenumbers.parse("0" + national, "FR")
    expected = LIBRARY_KINDS.get(phonenumbers.number_type(parsed), NumberKind.SPECIAL)
    assert phone.french_kind(national) == expected
    assert (phone.french_kind(national) is not None) == phonenumbers.is_valid_number(parsed)


@given(st.text(max_size=60), st.sampled_from(["FR", "RE", "GP"]))
def test_any_text_is_read_without_raising(text: str, region: str) -> None:
    for number in phone.read_cell(text, region):
        assert not number.callable or number.e164 is not None
        assert number.e164 is None or number.e164.startswith("+")
    phone.search_keys(text)


PARTS = ["06 39 98 ", "0639", "+33", "mère", " / ", "98 12 34", "12", "(", ")", "E+08", ".", "père"]


@given(st.lists(st.sampled_from(PARTS)))
def test_any_mixture_of_number_parts_is_read_without_raising(parts: list[str]) -> None:
    phone.read_cell("".join(parts))


@given(st.integers(0, 9999), st.sampled_from(["0{}", "+33{}", "0033{}", "33{}", "{}", "+33 (0){}"]))
def test_a_callable_number_reads_again_as_itself(tail: int, form: str) -> None:
    national = f"63998{tail:04d}"
    (number,) = phone.read_cell(form.format(national))
    assert number.e164 is not None
    assert callable_numbers(phone.display(number.e164)) == [number.e164]
    keys = phone.search_keys(form.format(national))
    assert keys is not None
    assert number.e164 in keys.exact
