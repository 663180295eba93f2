"""Every reason has its two sentences, and no stored reason breaks a page."""

from __future__ import annotations

import pytest

from callcentre.retry.reasons import SENTENCES, Reason, ReasonCode, reason, sentence
from callcentre.retry.slots import Slot


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_speaks_french_and_english(code: ReasonCode) -> None:
    assert set(SENTENCES[code]) == {"fr", "en"}
    assert sentence(Reason(code), "fr") != sentence(Reason(code), "en")
    assert sentence(Reason(code), "pt") == sentence(Reason(code), "fr")


def test_dates_hours_and_slots_are_spoken_in_the_readers_language() -> None:
    why = reason(ReasonCode.PERIOD_CAP, cap=4, days=30, day="2026-10-12", time="17:05")
    assert sentence(why, "fr") == "4 appels en 30 jours : de nouveau possible le lundi 12 octobre à 17 h 05."
    assert sentence(why, "en") == "4 calls in 30 days: possible again on Monday 12 October at 17:05."
    tried = reason(ReasonCode.ANOTHER_HOUR, slot="evening", slots="morning,midday")
    assert sentence(tried, "fr") == "Un autre créneau : soirée. Déjà essayé : matin, midi."
    weekday = reason(ReasonCode.OTHER_WEEKDAY, weekday=7)
    assert "dimanche" in sentence(weekday, "fr")
    assert "Sunday" in sentence(weekday, "en")


@pytest.mark.parametrize("slot", Slot)
def test_every_slot_has_its_word(slot: Slot) -> None:
    assert slot.value not in sentence(reason(ReasonCode.FIRST_CALL, slot=slot.value), "fr").split()


def test_a_reason_survives_json() -> None:
    why = reason(ReasonCode.DAY_CAP, cap=1, day="2026-10-12", time="00:00")
    assert Reason.from_json(why.as_json()) == why
