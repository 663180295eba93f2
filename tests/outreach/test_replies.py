"""What young people answer, and what it was read as."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcentre.outreach.replies import Meaning, Wish, read, wished_at

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 24, 11, 15, tzinfo=PARIS)  # a Tuesday


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        "Stop.",
        "STOP !!!",
        "STOP SVP",
        "stop merci",
        "ARRET",
        "Arrêt",
        "arrêtez",
        "ARRETER",
        "arrete",
        "Arrêtez de m'appeler",
        "Ne m'appelez plus",
        "ne me contactez plus svp",
        "NE PLUS ME CONTACTER",
        "je ne veux plus être contacté",
        "n'appelez plus",
        "Désabonnement",
        "desinscription",
        "unsubscribe",
        "please stop",
        "Stop texting me",
        "don't call me",
        "do not contact me again",
        "laissez-moi tranquille",
        "Foutez moi la paix",
        "lâchez-moi",
        "🛑",
        "stop 😡",
        "ＳＴＯＰ",
        "svp stop",
        "non stop",
        "STOP je bosse",
        "m'appelez plus jamais",
        "Supprimez mon numéro",
        "leave me alone",
        "stop sms",
        "opt out",
        "ne me rappelez pas",
        "Ne m’appelez plus 🙏",
    ],
)
def test_a_stop_is_always_a_stop(text: str) -> None:
    assert read(text, NOW).meaning is Meaning.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "Je bosse non stop cette semaine, rappelez-moi lundi",
        "Arrêt maladie jusqu'à lundi",
        "arrêt de bus Castellane ?",
    ],
)
def test_words_that_only_look_like_a_stop(text: str) -> None:
    assert read(text, NOW).meaning is not Meaning.OPT_OUT


@pytest.mark.parametrize(
    "text", ["Oui", "OUI !", "oui merci", "ok", "D'accord", "👍", "yes please", "Ça m'intéresse"]
)
def test_interest(text: str) -> None:
    assert read(text, NOW).meaning is Meaning.INTEREST
    assert read(text, NOW).certain


@pytest.mark.parametrize(
    "text",
    [
        "Non",
        "NON merci",
        "non, pas intéressé",
        "no thanks",
        "pas besoin",
        "👎",
        "ça ne m'intéresse pas",
        "Nan",
    ],
)
def test_refusal(text: str) -> None:
    assert read(text, NOW).meaning is Meaning.REFUSAL


@pytest.mark.parametrize(
    ("text", "day", "at"),
    [
        ("RAPPEL 18h", None, time(18)),
        ("rappel 18h30", None, time(18, 30)),
        ("Rappelez-moi à 18 h 30 svp", None, time(18, 30)),
        ("18:00", None, time(18)),
        ("rappel 6h", None, time(18)),
        ("demain matin", date(2026, 11, 25), time(10)),
        ("Demain 14h", date(2026, 11, 25), time(14)),
        ("oui rappelez moi demain à 14h", date(2026, 11, 25), time(14)),
        ("après-demain", date(2026, 11, 26), None),
        ("lundi 14h", date(2026, 11, 30), time(14)),
        ("mardi", date(2026, 12, 1), None),
        ("jeudi après-midi", date(2026, 11, 26), time(15)),
        ("ce soir", date(2026, 11, 24), time(18)),
        ("appelez moi après 17h", None, time(17)),
        ("dans 2 heures", date(2026, 11, 24), time(13, 15)),
        ("dans une heure", date(2026, 11, 24), time(12, 15)),
        ("la semaine prochaine", date(2026, 11, 30), None),
        ("le 3 décembre à 11h", date(2026, 12, 3), time(11)),
        ("3/12 à 11h", date(2026, 12, 3), time(11)),
        ("rappel midi", None, time(12)),
        ("Rappel", None, None),
        ("call me tomorrow at 5pm", date(2026, 11, 25), time(17)),
        ("Pouvez-vous me rappeler vendredi à 10h ?", date(2026, 11, 27), time(10)),
        ("non pas maintenant, demain 15h", date(2026, 11, 25), time(15)),
    ],
)
def test_a_callback_with_its_time(text: str, day: date | None, at: time | None) -> None:
    reply = read(text, NOW)
    assert (reply.meaning, reply.wish) == (Meaning.CALLBACK, Wish(day, at))
    assert reply.certain


@pytest.mark.parametrize(
    "text", ["C'est qui ?", "c'est pour quoi", "Pourquoi vous m'écrivez", "who is this?", "Vous êtes qui?"]
)
def test_a_question_is_for_an_officer(text: str) -> None:
    reply = read(text, NOW)
    assert (reply.meaning, reply.certain) == (Meaning.QUESTION, False)


@pytest.mark.parametrize(
    "text", ["mauvais numéro", "Vous vous trompez de personne", "wrong number", "ce n'est pas son numéro"]
)
def test_a_wrong_number(text: str) -> None:
    assert read(text, NOW).meaning is Meaning.WRONG_NUMBER


@pytest.mark.parametrize(
    "text", ["Réponse automatique : je conduis", "I'm driving, I'll see your message later"]
)
def test_an_automatic_answer_is_nobody_s(text: str) -> None:
    assert read(text, NOW).meaning is Meaning.AUTOMATIC


@pytest.mark.parametrize(
    "text", ["", "...", "😂😂", "oui mais non", "ma sœur a déménagé chez mon père à Toulon", "Mdr"]
)
def test_what_is_unclear_is_for_an_officer(text: str) -> None:
    reply = read(text, NOW)
    assert (reply.meaning, reply.certain) == (Meaning.UNCLEAR, False)


def test_a_long_message_is_read_by_an_officer_before_anything_follows() -> None:
    text = "Oui bonjour alors en fait mon patron garde mon contrat jusque en juin mais ensuite rien"
    assert read(text, NOW).certain is False


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Wish(), NOW),
        (Wish(at=time(18)), datetime(2026, 11, 24, 18, tzinfo=PARIS)),
        (Wish(at=time(10)), datetime(2026, 11, 25, 10, tzinfo=PARIS)),
        (Wish(day=date(2026, 11, 26)), datetime(2026, 11, 26, 10, tzinfo=PARIS)),
        (Wish(day=date(2026, 11, 24)), NOW),
    ],
)
def test_the_instant_of_a_wish(wish: Wish, expected: datetime) -> None:
    assert wished_at(wish, NOW) == expected


@given(st.text(max_size=200))
def test_anything_can_be_read(text: str) -> None:
    reply = read(text, NOW)
    assert reply.meaning in Meaning
    if reply.meaning is not Meaning.CALLBACK:
        assert reply.wish.is_vague


@given(st.sampled_from(["stop", "Stop", "STOP", "stOP"]), st.text(alphabet=" .!?,;:-*🙏😡\n", max_size=8))
def test_stop_with_any_punctuation(word: str, around: str) -> None:
    assert read(f"{around}{word}{around}", NOW).meaning is Meaning.OPT_OUT
