"""The few words by which tables name things: none is missing."""

from __future__ import annotations

import pytest

from callcentre.retry.reasons import ReasonCode
from callcentre.web.i18n import use_language
from callcentre.web.labels import reason_label


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_has_words_of_its_own(code: ReasonCode) -> None:
    use_language("fr")
    assert reason_label(code.value) != code.value.replace("_", " ")
