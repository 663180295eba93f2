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
        "Ne m'appelez plus",
        "ne me contactez plus jamais",
        "ne m'appelez plus jamais svp",
        "Ne plus m'appeler",
        "appelez plus",
        "m'appelez plus",
        "me contactez plus",
        "stop calling me",
        "ne m'appelez pas",
        "ne m'appelez pas s'il vous plait",
        "arretez de m'appeler",
        "ne m'appelez plus jamais ni le matin ni le soir",
        "ne me rappelez plus merci",
        "m'appelez pas",
        "mappelez pas",
        "nappelez plus",
        "ne mappelez plus",
        "ne mapelez plus",
        "ne m'apelez plus",
        "ne m'appeler plus",
        "me contacter plus",
        "me contactez pas svp",
        "appelez pas",
        "appelez moi pas",
        "m'appelez +",
        "ne m'appelez +",
        "ne m'appelez pu",
        "ne mappelez pa",
        "merci de ne pas me rappeler",
        "merci de ne pas me contacter",
        "ne pas rappeler",
        "ne jamais me rappeler",
        "Ne m'appelez surtout plus",
        "ne surtout pas m'appeler",
        "ne me telephonez plus",
        "ne me téléphoné plus",
        "ne m'écrivez plus",
        "n'ecrivez plus",
        "ne mecrivez plus",
        "Ne m'envoyez plus de messages",
        "n'envoyez plus d'infos",
        "plus de sms svp",
        "plus de messages",
        "Plus d'appels merci",
        "je veux plus être appelé",
        "je ne veux pas être rappelé",
        "jveux plus etre contacter",
        "je veux plus que vous m'appeliez",
        "je ne veux plus qu'on m'appelle",
        "je veux pas de vos messages",
        "je ne souhaite pas être contacté",
        "je souhaite ne plus être contacté",
        "je refuse d'être contacté",
        "arretez vos appels",
        "arrêtez les messages",
        "arettez de mappeler",
        "aretez",
        "arété",
        "stoppez",
        "stoop",
        "sotp",
        "S.T.O.P",
        "désabonnez-moi",
        "je veux me désabonner",
        "désinscrivez-moi",
        "je veux me désinscrire",
        "me désinscrire svp",
        "supprimez mes données",
        "retirez moi de votre liste",
        "Enlevez mon numéro",
        "effacez mon numero",
        "oubliez-moi",
        "laissez moi tranquil",
        "laissez-moi en paix",
        "Laissez moi",
        "Ne m'appelez pas. Demain je pars",
        "Ne m'appelez pas, demain je pars",
        "Ne m'appelez pas demain ni jamais, ne m'appelez plus",
        "ne m'appelez plus à partir de maintenant",
        "ne m'appelez plus dès demain",
        "ne m'appelez plus maintenant",
        "ne m'appelez plus jusqu'à nouvel ordre",
        "Vous ne m'appelez plus, ok ?",
        "vous ne m'appelez plus svp",
        "pouvez-vous ne plus m'appeler ?",
        "Ne m'appelez pas sur ce numéro",
        "don't call",
        "dont call me",
        "don't call me again",
        "never call me again",
        "never contact me",
        "do not text",
        "I don't want to be contacted",
        "I no longer wish to be contacted",
        "dont want your calls",
        "no more texts",
        "no calls please",
        "don't ring me",
        "please remove my number",
        "quit calling me",
        "Arrêt maladie, ne m'appelez plus",
        "stop, ne m'appelez pas avant 18h",
        "Ne m'appelez\nplus",
        "ne me harcelez plus",
        "ne me dérangez pas",
        "ne me dérangez plus",
        "tu m'appelles plus",
        "je t'ai dit de plus m'appeler",
        "NE M'APPELLEZ PLUS",
        "ne rappellez pas",
        "vous êtes lourds, ne m'appelez plus",
        "Oui ok mais ne m'appelez plus",
        "ne plus me déranger",
        "Prière de ne plus me contacter",
        "ne nous appelez plus",
        "m'appelez jamais",
        "nme contactez pas",
        "me rapelez plus",
        "ne m'appelé plus",
        "ne mappelé plus",
        "ne me contacte plus",
        "ne me contacté pas",
        "Ne m'appelez plus le numéro n'est plus valable",
        "je veux plus d'appel",
        "je ne désire plus recevoir vos sms",
        "ne m'appelez plus comme avant",
        "ne m'appelez plus après tout ça",
        "do not call me at all",
        "take me off your list",
        "Vous m'appelez tous les matins ne m'appelez plus",
    ],
)
def test_a_stop_in_other_words_misspelt_or_beside_a_moment_is_a_stop(text: str) -> None:
    assert read(text, NOW).meaning is Meaning.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "Rappelez plus tard",
        "Appelez moi plus tard svp",
        "rappelez-moi plus tard dans la journée",
        "Rapelez plus tard",
        "apelez moi plus tard",
        "appelez + tard",
        "Ne m'appelez pas avant 18h",
        "m'appelez pas avant 18h",
        "mappelez pas avant 18h",
        "ne pas m'appeler avant 18h",
        "merci de ne pas m'appeler le matin",
        "ne m'appelez pas le matin, rappelez à 18h",
        "Pourquoi vous ne m'appelez pas ?",
        "vous ne me rappelez pas ?",
        "vous me rappelez plus ?",
        "oui mais ne m'appelez pas demain",
        "le matin m'appelez pas",
        "Merci de pas appeler trop tot",
        "ne mappelez pas demain",
        "ne m'appelez pas maintenant",
        "ne m'appelez pas tout de suite",
        "ne m'appelez plus le matin",
        "ne m'appelez jamais le matin",
        "ne m'appelez plus si tôt",
        "ne m'appelez pas à 18h",
        "ne m'appelez pas entre 8h et 12h",
        "ne m'appelez pas après 20h",
        "ne m'appelez pas ce soir",
        "ne m'appelez pas cette semaine",
        "ne m'appelez pas aujourd'hui",
        "ne m'appelez pas pendant les cours",
        "ne m'appelez pas lundi",
        "ne m'appelez pas pour l'instant",
        "don't call before 6pm",
        "dont call me now, call me tomorrow at 3pm",
        "don't call me today",
        "don't call me at 3pm",
        "don't call me yet",
        "don't text me tomorrow",
        "personne ne m'a contacté plus tot",
        "Merci de me rappeler plus tard",
        "je vous rappelle plus tard",
        "je vous appelle plus tard",
        "contactez moi plus souvent",
        "rappelez moi pas avant 17h",
        "rappelez plus tard à 18h",
        "Call me later",
    ],
)
def test_later_not_then_and_why_not_are_no_stop_and_an_officer_reads_them(text: str) -> None:
    reply = read(text, NOW)
    assert reply.meaning is not Meaning.OPT_OUT
    assert not reply.certain


@pytest.mark.parametrize(
    "text",
    [
        "Je bosse non stop cette semaine, rappelez-moi lundi",
        "Arrêt maladie jusqu'à lundi",
        "arrêt de bus Castellane ?",
        "ma conseillère me rappelle pas",
        "vous pouvez me contacter pas de souci",
        "vous pouvez me rappeler, pas demain",
        "vous pouvez me rappeler ? pas demain",
        "je suis joignable plus facilement le soir",
        "pour me contacter plus facilement appelez ma mère",
        "j'ai arrêté de contacter les patrons",
        "You never called me",
        "don't bother, I found a job",
        "j'ai oublié mon numéro de dossier",
        "j'ai dû me désinscrire, appelez-moi",
        "ça ne m'embête pas",
        "J'ai eu un appel manqué",
        "pourquoi vous m'appelez pas",
        "Ça ne me dérange pas",
        "ca me derange pas",
        "oui ça me dérange pas",
        "vous ne me dérangez pas",
        "je ne me rappelle pas de vous",
        "je me rappelle plus",
        "envoyez moi plus d'infos",
        "contactez plutot ma mère",
        "écrivez-moi plutôt",
        "Laissez moi un message",
        "Je me suis désinscrit du lycée",
        "je veux me désinscrire du lycée",
        "pourquoi vous avez arrêté de m'appeler ?",
        "Arrêt de travail jusqu'au 3",
        "je suis interessé mais je peux pas stopper mon taf",
        "je peux pas demain 15h",
        "pas de souci rappelez moi demain 14h",
        "n'hésitez pas à me rappeler",
        "pourquoi pas, rappelez moi demain 14h",
        "Oui, mais pas avant 17h",
        "je travaille pas appelez moi",
        "j'ai pas de travail appelez-moi",
        "Je n'écris pas bien appelez moi",
        "je ne sais pas, appelez moi",
        "oui je ne suis plus scolarisé",
        "Je ne vais plus en cours",
        "J'ai plus de forfait appelez moi",
        "je ne reçois pas vos appels",
        "j'ai pas eu votre appel",
        "Vous m'appelez pas demain ?",
        "je ne peux pas rappeler, j'ai plus de crédit",
        "je peux pas vous appeler",
        "elle ne vous rappelle pas ?",
        "Ne quittez pas",
        "ne vous dérangez pas, je viens",
        "j'ai arrêté l'école, appelez moi",
        "on m'a pas rappelé",
        "pas d'appel, sms svp",
        "J'ai pas pu répondre rappelez moi",
        "je n'ai pas reçu de message",
        "je n'ai pas recu d'appel",
    ],
)
def test_words_that_only_look_like_a_stop(text: str) -> None:
    assert read(text, NOW).meaning is not Meaning.OPT_OUT


@pytest.mark.parametrize(
    "text",
    ["je peux pas demain 15h", "pas d'appel, sms svp", "J'ai pas pu répondre rappelez moi", "Call me later"],
)
def test_a_wish_beside_a_no_or_a_later_is_read_by_an_officer(text: str) -> None:
    assert read(text, NOW).certain is False


@pytest.mark.parametrize(
    "text",
    [
        "pas de souci rappelez moi demain 14h",
        "pourquoi pas, rappelez moi demain 14h",
        "n'hésitez pas à me rappeler",
        "Oui, mais pas avant 17h",
        "rappelez moi demain 14h ou plus tôt",
    ],
)
def test_a_polite_no_leaves_a_wish_as_it_is(text: str) -> None:
    reply = read(text, NOW)
    assert (reply.meaning, reply.certain) == (Meaning.CALLBACK, True)


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
        ("lundi 30/11 14h", date(2026, 11, 30), time(14)),
        ("entre 14h et 16h", None, time(14)),
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
    "text",
    [
        "rappel 31/02 14h",
        "rappel le 31 février à 14h",
        "lundi 31/11 à 14h",
        "rappel 25h",
        "rappel 18",
        "lundi 30 à 14h",
        "Rappelez-moi au 06 39 98 12 34",
    ],
)
def test_a_call_beside_a_number_that_was_not_understood_is_for_an_officer(text: str) -> None:
    reply = read(text, NOW)
    assert (reply.meaning, reply.certain) == (Meaning.CALLBACK, False)


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
