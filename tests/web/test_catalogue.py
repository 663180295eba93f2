"""The English catalogue is whole, holds nothing obsolete, and keeps the placeholders of each message."""

from __future__ import annotations

import re

from callcentre.web.catalogue import messages_in_use, missing_and_obsolete
from callcentre.web.i18n import gettext, ngettext, read_catalogue, speaking, typography

NO_BREAK, THIN = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


def test_every_message_of_pages_scripts_and_errors_has_an_english_translation() -> None:
    missing, obsolete = missing_and_obsolete("en")
    assert missing == []
    assert obsolete == []


def test_the_messages_come_from_templates_python_and_scripts() -> None:
    places = {place.rsplit(".", 1)[1] for message in messages_in_use() for place, _ in message.locations}
    assert places == {"html", "py", "js"}


def test_a_translation_has_the_placeholders_of_its_message() -> None:
    for message in read_catalogue("en"):
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        texts = [message.string] if isinstance(message.string, str) else list(message.string or ())
        for text in texts:
            assert _placeholders(str(text)) == _placeholders(ids[-1]), message.id


def test_french_spaces_that_must_not_break() -> None:
    assert typography("Ce qui attendait : « oui » ; à 14 h 30 !") == (
        f"Ce qui attendait{NO_BREAK}: «{NO_BREAK}oui{NO_BREAK}»{THIN}; à 14{NO_BREAK}h{NO_BREAK}30{THIN}!"
    )
    assert typography("L'heure n'est pas 'là'") == "L’heure n’est pas 'là'"


def test_zero_and_one_are_singular_in_french_and_only_one_in_english() -> None:
    with speaking("fr"):
        assert [ngettext("%(n)s jour", "%(n)s jours", n) for n in (0, 1, 2)] == [
            "0 jour",
            "1 jour",
            "2 jours",
        ]
    with speaking("en"):
        assert [ngettext("%(n)s jour", "%(n)s jours", n) for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]


def test_an_unknown_language_is_french() -> None:
    with speaking("de"):
        assert gettext("Enregistrer") == "Enregistrer"


def _placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s", text))
