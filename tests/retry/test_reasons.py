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


def test_two_chances_that_read_the_same_are_not_set_against_each_other() -> None:
    chances: dict[str, int | str] = {
        "slot": "evening",
        "one_in": 8,
        "other_slot": "morning",
        "slots": "midday",
    }
    worse = reason(ReasonCode.LEARNT_HOUR, **chances, other_one_in=9)
    assert "aboutit, contre 1 sur 9 au créneau matin. Déjà essayé : midi." in sentence(worse, "fr")
    assert "is answered, against 1 in 9 in the morning slot. Already" in sentence(worse, "en")
    for code in (ReasonCode.LEARNT_HOUR, ReasonCode.LEARNT_FIRST, ReasonCode.LEARNT_EARLIER):
        same = reason(code, **chances, other_one_in=8, other_number="second")
        assert "à peu près comme au créneau matin, numéro d'un proche" in sentence(same, "fr")
        assert "much as in the morning slot, a relative's number" in sentence(same, "en")
        assert all(
            "8" not in words.split("8", 1)[1] for words in (sentence(same, "fr"), sentence(same, "en"))
        )


@pytest.mark.parametrize("slot", Slot)
def test_every_slot_has_its_word(slot: Slot) -> None:
    assert slot.value not in sentence(reason(ReasonCode.FIRST_CALL, slot=slot.value), "fr").split()


def test_a_reason_survives_json() -> None:
    why = reason(ReasonCode.DAY_CAP, cap=1, day="2026-10-12", time="00:00")
    assert Reason.from_json(why.as_json()) == why
