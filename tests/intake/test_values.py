"""What a cell says: dates, names, identifiers, codes."""

from __future__ import annotations

import gzip
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcentre.intake import communes, dates, naming, values

LATEST = date(2026, 11, 15)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("14/02/2008", date(2008, 2, 14)),
        ("4/1/2009", date(2009, 1, 4)),
        ("14-02-2008", date(2008, 2, 14)),
        ("14.02.2008", date(2008, 2, 14)),
        ("14 02 2008", date(2008, 2, 14)),
        ("2008-02-14", date(2008, 2, 14)),
        ("2008/02/14", date(2008, 2, 14)),
        ("2008-02-14 00:00:00", date(2008, 2, 14)),
        ("14/02/2008 00:00", date(2008, 2, 14)),
        ("04/01/09", date(2009, 1, 4)),
        ("04/01/99", date(1999, 1, 4)),
        ("16/11/26", date(1926, 11, 16)),
        ("14 février 2008", date(2008, 2, 14)),
        ("1er août 2008", date(2008, 8, 1)),
        ("jeudi 14 février 2008", date(2008, 2, 14)),
        ("14022008", date(2008, 2, 14)),
        ("20080214", date(2008, 2, 14)),
        ("39492", date(2008, 2, 14)),
        ("39492.0", date(2008, 2, 14)),
        ("29/02/2008", date(2008, 2, 29)),
    ],
)
def test_every_way_to_write_a_date(typed: str, day: date) -> None:
    assert dates.read_date(typed, LATEST) == day


@pytest.mark.parametrize(
    "typed",
    ["31/02/2008", "29/02/2007", "00/01/2008", "02/14/2008", "14/13/2008", "2008-13-01", "14/02", "2008", "",
     "vers 2008", "14/02/20088", "14/02/1", "99999999", "12345678", "1/1/0", "31 février 2008"],
)  # fmt: skip
def test_a_date_that_does_not_exist_is_never_repaired(typed: str) -> None:
    assert dates.read_date(typed, LATEST) is None


@given(st.dates(date(1950, 1, 1), LATEST))
def test_a_date_is_read_the_same_in_all_its_forms(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    forms = [f"{day:%d/%m/%Y}", f"{day:%Y-%m-%d}", f"{day.day}-{day.month}-{day.year}", str(serial)]
    assert {dates.read_date(form, LATEST) for form in forms} == {day}


@given(st.dates(LATEST - timedelta(days=36_000), LATEST))
def test_a_two_digit_year_is_never_in_the_future(day: date) -> None:
    read = dates.read_date(f"{day:%d/%m/%y}", LATEST)
    assert read is None or (read <= LATEST and (read.day, read.month) == (day.day, day.month))


@given(st.text(max_size=30))
def test_any_cell_is_read_without_raising(text: str) -> None:
    dates.read_date(text, LATEST)
    naming.read_name(text)
    values.read_text(text)
    values.read_ine(text)
    values.read_uai(text)
    values.read_siei(text)
    values.read_email(text)
    values.read_postal_code(text)
    values.read_training_code(text)
    values.read_sex(text)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  N'GUESSAN ", "N'GUESSAN"),
        ("BE\u0301RENGER", "BÉRENGER"),
        ("COULIBALY-BOUALI", "COULIBALY-BOUALI"),
        ("DA  SILVA", "DA SILVA"),
        ("Null", "Null"),
        ("Na", "Na"),
        ("\u200bLéa\u202e", "Léa"),
        ("néant", None),
        ("-", None),
        ("?", None),
        ("12", None),
        ("#REF!", None),
        ("", None),
    ],
)
def test_names_are_kept_as_written(typed: str, name: str | None) -> None:
    assert naming.read_name(typed) == name


@pytest.mark.parametrize(
    ("typed", "ine", "form"),
    [
        ("0370625062Z", "0370625062Z", "school"),
        ("140727415uu", "140727415UU", "rnie"),
        ("0459 A39702 D", "0459A39702D", "apprentice"),
        ("123456789", None, None),
        ("0370625062", None, None),
        ("370625062Z", None, None),
    ],
)
def test_an_ine_has_one_of_three_forms(typed: str, ine: str | None, form: str | None) -> None:
    assert values.read_ine(typed) == ine
    assert ine is None or values.ine_form(ine) == form


def test_the_letter_of_a_school_code_is_checked() -> None:
    for code in ("0422170F", "0540089D", "0350760L", "0750655E", "0139115M"):
        assert values.read_uai(code.lower()) == code
        assert values.uai_letter_is_right(code)
    assert not values.uai_letter_is_right("0139115A")
    assert values.read_uai("1234567A") is None
    assert values.read_uai("6200001A") == "6200001A"


@pytest.mark.parametrize(
    ("typed", "code"),
    [("13001", "13001"), ("1000", "01000"), ("13001.0", "13001"), ("F-13001", "13001"), ("13 001", "13001"),
     ("13821 LA PENNE", "13821"), ("13233 CEDEX 20", "13233"), ("130012", None), ("Marseille", None)],
)  # fmt: skip
def test_postal_codes(typed: str, code: str | None) -> None:
    assert values.read_postal_code(typed) == code


@pytest.mark.parametrize(
    ("typed", "email"),
    [("Lea.Martin@Example.COM ", "lea.martin@example.com"), ("lea@example.com; autre@example.com", "lea@example.com"),
     ("<lea@example.com>", "lea@example.com"), ("lea@example", None), ("lea at example.com", None)],
)  # fmt: skip
def test_e_mail_addresses(typed: str, email: str | None) -> None:
    assert values.read_email(typed) == email


def test_a_file_number_that_only_counts_rows_tells_nobody_apart() -> None:
    assert values.read_siei("RIO13-2026-000001") == "RIO13-2026-000001"
    assert values.read_siei("12") is None


def test_ages_are_whole_years() -> None:
    assert values.age_on(date(2010, 11, 15), LATEST) == 16
    assert values.age_on(date(2010, 11, 16), LATEST) == 15
    assert values.age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17


def test_the_table_of_communes_holds_names_as_they_are_compared() -> None:
    lines = gzip.decompress(communes._TABLE.read_bytes()).decode().splitlines()
    names = {line.split(";")[1] for line in lines}
    assert len(names) > 30_000
    assert [name for name in names if communes.plain_commune(name) != name] == []
