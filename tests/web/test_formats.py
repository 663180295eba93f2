"""Numbers, hours, dates, durations and phone numbers as people of each language write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from callcentre.web import formats
from callcentre.web.i18n import speaking

MORNING = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)


def _plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("text", "fr", "en"),
    [
        (lambda: formats.number(1840), "1 840", "1,840"),
        (lambda: formats.number(12.345, 1), "12,3", "12.3"),
        (lambda: formats.number(None), "–", "–"),
        (lambda: formats.percent(46, 100), "46 %", "46%"),
        (lambda: formats.percent(1, 0), "–", "–"),
        (lambda: formats.hour(MORNING), "9 h 05", "09:05"),
        (lambda: formats.hour(MORNING, "Indian/Reunion"), "12 h 05", "12:05"),
        (lambda: formats.day(date(2026, 11, 3)), "03/11/2026", "03/11/2026"),
        (lambda: formats.day_long(MORNING), "lundi 23 novembre", "Monday 23 November"),
        (lambda: formats.moment(MORNING), "lun. 23 nov. à 9 h 05", "Mon 23 Nov at 09:05"),
        (lambda: formats.when(MORNING, MORNING), "aujourd’hui à 9 h 05", "today at 09:05"),
        (lambda: formats.when(MORNING + timedelta(days=1), MORNING), "demain à 9 h 05", "tomorrow at 09:05"),
        (lambda: formats.when(MORNING - timedelta(days=1), MORNING), "hier à 9 h 05", "yesterday at 09:05"),
        (lambda: formats.duration(12), "12 s", "12 s"),
        (lambda: formats.duration(200), "3 min 20 s", "3 min 20 s"),
        (lambda: formats.duration(timedelta(hours=1, minutes=5)), "1 h 05", "1 h 05"),
        (lambda: formats.duration(timedelta(days=2, hours=4)), "2 j 4 h", "2 d 4 h"),
        (lambda: formats.age(17), "17 ans", "17 years"),
        (lambda: formats.phone("+33639981234"), "06 39 98 12 34", "06 39 98 12 34"),
        (
            lambda: formats.device("Mozilla (Windows) Firefox/140.0"),
            "Firefox sur Windows",
            "Firefox on Windows",
        ),
    ],
)
def test_a_value_as_it_is_written(text, fr, en) -> None:  # type: ignore[no-untyped-def]
    with speaking("fr"):
        assert _plain(text()) == fr
    with speaking("en"):
        assert _plain(text()) == en


def test_the_parts_of_an_hour_a_number_and_a_phone_number_stay_on_one_line() -> None:
    with speaking("fr"):
        for text in (
            formats.hour(MORNING),
            formats.number(1840),
            formats.phone("+33639981234"),
            formats.age(17),
        ):
            assert " " not in text
