"""What forbids us to call or write: pure reading of stops in French and English, as telephones spell them.

A stop in any wording is a stop. "Call later", "not before six" and "why don't you call" use the same words and are
none; they are told apart by what stands beside these words, and whoever is in doubt is stopped.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class Forbids(StrEnum):
    """What somebody who answers does not want."""

    EVERYTHING = "everything"
    """Any call and any message, from now on."""
    A_MOMENT = "a_moment"
    """A call at some hour, or until then; or they only ask why nobody calls."""


def words_of(*lines: str) -> frozenset[str]:
    """Return the words of some lines."""
    return frozenset(word for line in lines for word in line.split())


POLITE = words_of(
    "svp stp please pls merci thanks thank you bonjour bonsoir salut hello hi slt bjr cdt cordialement",
    "monsieur madame a au aux le la les l de d du des je j me m moi vous te un une vers apres avant pour ce c est",
    "et sms",
)
"""Words that add nothing to a message."""
_FIRST = words_of(
    "stop stopall stopp stope stoop sttop sotp stpo tsop stoper stopez stoppe stopper stoppez",
    "arret arretez arreter arrete arretes arete aretez areter arettez arrettez",
    "desinscrire desinscription desinscrivez unsubscribe optout revoke quit remove",
)
_BARE = words_of("cancel end fin revoke quit assez")
_REACH = r"(?:r?app?el|contact|r?ecri|envoy|envoi|sollicit|derang|relanc|telephon|harcel|embet|text|spam)\w*"
"""What is not to be done, as it is spelt: "apeler", "rapelé", "contacté"."""
_NOT = r"(?:plus?|pu|pas?|jamais?|jms)"
_ME = r"(?:me |m ?|nous |moi )"
_CALLS = r"(?:appels?|messages?|sms|textos?|mails?|calls?|texts?|msg)"
_REACH_EN = r"(?:call|text|contact|messag|phon|ring|writ|send|bother|disturb)\w*"
_PHRASES = re.compile(
    rf"\b((?:ne |n ?){_ME}?(?:surtout )?(?:plus )?(?:{_REACH}|joign\w*)(?: surtout)? {_NOT}"
    rf"|{_ME}(?:plus )?{_REACH}(?: surtout)? (?:plus?|pu|jamais?|jms)"
    rf"|(?<!vous )(?<!tu ){_ME}(?=\w+e[zr] ){_REACH}(?: surtout)? pas?"
    rf"|^(?:(?:bonjour|svp|stp|merci|non) )*{_ME}{_REACH}(?: surtout)? pas?"
    rf"|{_REACH}(?: moi)?(?: surtout)? (?:plus|jamais)"
    r"|(?<!vous )(?<!vous m )(?<!vous me )(?:r?app?el|contact|ecri|envoy|telephon|derang)\w*e[zr]"
    r"(?: moi)?(?: surtout)? (?:pas?|pu|jms)"
    rf"|(?:ne |n ?)(?:surtout )?{_NOT}(?: jamais| plus)? (?:surtout )?(?:{_ME})?(?:etre |recevoir )?(?:de |d |vos )?"
    rf"(?:{_REACH}|{_CALLS}|recevoir)"
    rf"|^(?:(?:bonjour|svp|stp|merci|de|non) )*{_NOT} {_ME}(?:etre )?{_REACH}"
    rf"|^(?:(?:bonjour|svp|stp|merci|non) )*(?:plus (?:de |d )|no more ){_CALLS}"
    r"|^no (?:calls|texts|messages|sms)(?= please| thanks|$)"
    r"|(veux|souhaite|desire) plus (etre |recevoir)"
    rf"|(?:dit|demand\w+|merci|priere) (?:de )?{_NOT} {_ME}{_REACH}"
    rf"|j?(?:veux?|veut|souhait\w*|desir\w*|voudrai\w*|aimerai\w*) {_NOT}(?: du tout| plus)? "
    rf"(?:(?:etre|que vous|que tu|que l on|qu on|qu vous|qu ils?|qu elles?) (?:ne )?{_ME}?{_REACH}"
    rf"|(?:recevoir |avoir )?(?:de |d |vos |des |de vos )+{_CALLS})"
    rf"|refus\w* (?:d etre|tout|que vous|qu on) {_ME}?(?:{_REACH}|contact)"
    r"|(?<!avez )(?<!ont )(?<!as )(?<!ai )(?<!\ba )arr?ett?\w* (?:de |d )(?:me |m )"
    rf"|(?<!avez )(?<!ont )(?<!as )(?<!ai )(?<!\ba )arr?ett?\w* (?:de |d )m?{_REACH}"
    rf"|arr?ett?\w* (?:avec )?(?:vos|les|tous ces|ces) {_CALLS}"
    r"|(laiss|fich|fout|lach)\w* (?:moi|nous)( tranquil\w*| la paix| en paix|$)"
    r"|oubli\w* moi|(supprim|retir|enlev|effac|ray)\w* (moi|(mon|ce) (numero|num|tel)\w*|mes (donnees|coordonnees))"
    r"|desabon\w*|dezabon\w*|desinscri\w* moi|s t o p"
    r"|(?:^|veux |veut |voudrai\w* |souhait\w* |comment |pour |de )me desinscrire(?! d)"
    rf"|(?<!\bi )(?:do not|don t|dont) (?:ever )?(?:(?!bother|disturb){_REACH_EN}|(?:bother|disturb) me)"
    rf"|(?:stop|quit|no more) {_REACH_EN}"
    r"|(?<!you )(?<!\bu )(?<!\bi )(?<!they )(?<!he )never (?:ever )?(?:call|text|contact|message|phone|ring|write)"
    r"|(?:do not|don t|dont|no longer) (?:want|wish|like)\w* "
    r"(?:(?:to be|to get|to receive|you to|u to|any|any more|anymore|more|your|these) )+"
    rf"{_REACH_EN}"
    r"|(?:remove|delete|erase) (?:me|my (?:number|data|details|phone))"
    r"|leave (?:me|us) alone|opt out|take me off)\b"
)
_OTHERWISE_MEANT = re.compile(
    rf"\b(?:je (?:ne )?me rap+el\w* {_NOT}"  # "I do not remember"
    rf"|(?:ca|cela|sa|vous) (?:ne )?{_ME}?(?:derang|embet)\w* pas?"  # "that is no trouble"
    r"|je n ecri\w* pas|pas de (?:soucis?|problemes?|pb)"
    r"|(?<!n )(?<!ne )(?<!m )(?<!me )(?:envo\w+|ecri\w+|contact\w*|appel\w*)(?: moi)? plus (?:d |de )?"
    r"(?:info|information|detail|precision|renseignement|explication)\w*)\b"
)
_NOT_STOP = re.compile(r"^(arret (maladie|de (bus|travail|tram)|du (bus|tram))|end of)\b")

_DAY = r"(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)s?"
_PART = r"(?:matin\w*|midi|apres midi|aprem|soir\w*|nuit|journee|week end|weekend|semaine)"
_HOUR = r"\d{1,2} ?(?:h\d*|heures?|:\d\d|et |$)"
_LIMIT = re.compile(
    r" (?:jamais |me |moi |us )?(?:"
    r"(?:plus |pas |trop |aussi |si )?(?:tard|tot|souvent|vite|(?:facil|rapid|simpl)\w*)"
    r"|avant (?!longtemps)\w+"
    rf"|(?:pas |plus )?apres (?:{_HOUR}|midi|les cours|le (?:travail|taf|boulot))"
    rf"|(?:a|entre|vers|de) {_HOUR}"
    rf"|(?:(?:le|la|l|les|tous les|ce|cet|cette|en|au|dans la|pendant la|de la) )?(?:{_PART}|{_DAY})(?! et jamais)"
    r"|demain|apres demain|aujourd hui|en ce moment|ces jours|pour (?:le moment|l instant)|en cours"
    r"|(?<!plus )(?:maintenant|tout de suite|de suite)"
    r"|(?:pendant|durant) \w+|jusqu (?:a|au|en) (?!nouvel)\w+|quand (?:je |j )(?:suis|travaille|bosse|dors)"
    rf"|before|until|till|after (?:\d\w*|noon|school|work)|at \d\w*|between|(?:right )?now(?! or)|today"
    r"|tonight|tomorrow"
    r"|this (?:morning|afternoon|evening|week)|in the (?:morning|afternoon|evening)|too (?:early|late)|while|during"
    r"|so (?:often|early|late)|yet|on (?:mon|tues|wednes|thurs|fri|satur|sun)day\w*)\b"
)
"""What, right after words that forbid, says that only some moment is meant."""
_LIMIT_BEFORE = re.compile(rf"^(?:(?:bonjour|non|oui|mais) )*(?:le|les|ce|cet|cette) (?:{_PART}|{_DAY}) $")
_ACROSS = re.compile(r"^(?:n|s t o p)|(?:plus|jamais)$")
"""Words that forbid even when a comma or the end of a line divides them."""
_WHY = re.compile(
    r"\b(pourquoi|pour quoi|pk|pq|pkoi|comment ca se fait que)(?: est ce que)? (?:vous|tu|on) $"
)
_THEY = re.compile(r"(?:^|(?<!qu ))\b(?:vous|tu|on) $")
_ENDS_IN_NOT = re.compile(rf" {_NOT}$")
_CLAUSE = re.compile(r"[^.,;!?\n]+[.,;!?\n]*")
_THUMBS = {"👍": "oui", "👌": "oui", "✅": "oui", "👎": "non", "🛑": "stop", "🚫": "stop", "❌": "non"}


def forbidden(text: str) -> Forbids | None:
    """Return what a message forbids, or None; `text` as it came."""
    extents = [
        _extent(clause, hit, asks="?" in written)
        for written in _CLAUSE.findall(text)
        for clause in (_words_that_count(written),)
        for hit in _PHRASES.finditer(clause)
    ] or [
        _extent(whole, hit, asks=False)
        for whole in (_words_that_count(text),)
        for hit in _PHRASES.finditer(whole)
        if _ACROSS.search(hit.group())
    ]
    if Forbids.EVERYTHING in extents or _is_bare(plain_words(text)):
        return Forbids.EVERYTHING
    return Forbids.A_MOMENT if extents else None


def plain_words(text: str) -> str:
    """Return the words without accents, case, punctuation or pictures; a thumb says yes or no, a plus is "plus"."""
    for picture, word in _THUMBS.items():
        text = text.replace(picture, f" {word} ")
    text = re.sub(r"\+(?! ?\d)", " plus ", text)
    decomposed = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "oe").replace("’", "'"))
    kept = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    return " ".join(re.sub(r"(?<!\d)[:/]|[:/](?!\d)|[^a-z0-9:/]+", " ", kept).split())


def _words_that_count(written: str) -> str:
    return _OTHERWISE_MEANT.sub(" ", plain_words(written))


def _extent(clause: str, hit: re.Match[str], *, asks: bool) -> Forbids:
    before, after = clause[: hit.start()], clause[hit.end() :]
    is_said_of_us = _WHY.search(before) or (asks and not after and _THEY.search(before))
    asks_why = is_said_of_us and _ENDS_IN_NOT.search(hit.group())
    is_limited = _LIMIT.match(clause, hit.end()) or _LIMIT_BEFORE.search(before)
    return Forbids.A_MOMENT if asks_why or is_limited else Forbids.EVERYTHING


def _is_bare(plain: str) -> bool:
    """Tell whether a message is the word itself, first or with little else."""
    words = plain.split()
    if not words or _NOT_STOP.search(plain):
        return False
    if words[0] in _FIRST:
        return True
    meant = [word for word in words if word not in POLITE]
    if len(meant) == 1 and meant[0] in _BARE | _FIRST:
        return True
    return len(meant) <= 3 and "stop" in meant
