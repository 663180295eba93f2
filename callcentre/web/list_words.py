"""The words of the list pages: states, fates and reasons with their signs, fields, what a row would change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from callcentre.intake.fields import GUARDIAN_FIELDS, Field, field_words
from callcentre.intake.headers import LeftOut
from callcentre.intake.kinds import Fate, ListState
from callcentre.intake.reader import Note, NoteCode, note_words
from callcentre.intake.reasons import Effect, Reason, ReasonCode
from callcentre.people.comparing import FieldChange
from callcentre.web.formats import day, phone
from callcentre.web.i18n import gettext, language, mark, ngettext, typography
from callcentre.web.labels import Sign

STATES = {
    ListState.UNMAPPED: Sign(mark("colonnes à nommer"), "▲", "attention"),
    ListState.CHECKED: Sign(mark("vérifiée, pas importée"), "○"),
    ListState.IMPORTING: Sign(mark("import en cours"), "●", "info"),
    ListState.IMPORTED: Sign(mark("importée"), "✓", "done"),
    ListState.FAILED: Sign(mark("import interrompu"), "■", "solid"),
    ListState.UNDONE: Sign(mark("import défait"), "–"),
}

FATES = {
    Fate.CREATED: Sign(mark("créée"), "✓", "done"),
    Fate.UPDATED: Sign(mark("mise à jour"), "●", "info"),
    Fate.UNCHANGED: Sign(mark("inchangée"), "○"),
    Fate.DUPLICATE: Sign(mark("doublon"), "◆"),
    Fate.QUARANTINED: Sign(mark("en quarantaine"), "▲", "attention"),
    Fate.IGNORED: Sign(mark("ignorée"), "–"),
}

FATE_TABS = {
    Fate.CREATED: mark("Créées"),
    Fate.UPDATED: mark("Mises à jour"),
    Fate.UNCHANGED: mark("Inchangées"),
    Fate.DUPLICATE: mark("Doublons"),
    Fate.QUARANTINED: mark("En quarantaine"),
    Fate.IGNORED: mark("Ignorées"),
}

FATE_MEANINGS = {
    Fate.CREATED: mark("une personne nouvelle entre dans la file"),
    Fate.UPDATED: mark("une personne connue reçoit ce que la liste apporte de neuf"),
    Fate.UNCHANGED: mark("la liste ne dit rien de neuf de cette personne"),
    Fate.DUPLICATE: mark("une autre ligne du fichier parle de la même personne"),
    Fate.QUARANTINED: mark("à corriger avant d’entrer dans la file"),
    Fate.IGNORED: mark("titre, total ou ligne vide : personne"),
}

REASONS = {
    ReasonCode.NAME_MISSING: mark("nom ou prénom manquant"),
    ReasonCode.NAME_NOT_SPLIT: mark("nom et prénom inséparables"),
    ReasonCode.NAME_SPLIT: mark("nom et prénom séparés par déduction"),
    ReasonCode.NAMES_SWAPPED: mark("nom et prénom intervertis"),
    ReasonCode.BIRTH_DATE_MISSING: mark("date de naissance manquante"),
    ReasonCode.BIRTH_DATE_IMPOSSIBLE: mark("date de naissance illisible"),
    ReasonCode.BIRTH_DATE_FUTURE: mark("date de naissance future"),
    ReasonCode.BIRTH_DATE_IMPLAUSIBLE: mark("date de naissance invraisemblable"),
    ReasonCode.DATE_ORDER_UNSURE: mark("ordre du jour et du mois incertain"),
    ReasonCode.AGE_UNDER: mark("trop jeune"),
    ReasonCode.AGE_OVER: mark("plus âgé que le public"),
    ReasonCode.EXIT_DATE_IMPOSSIBLE: mark("date de sortie illisible"),
    ReasonCode.EXIT_DATE_FUTURE: mark("date de sortie future"),
    ReasonCode.EXIT_DATE_OLD: mark("sortie ancienne"),
    ReasonCode.EXIT_DATE_SENSELESS: mark("date de sortie dans l’enfance"),
    ReasonCode.EXIT_DATE_BEFORE_ENTRY: mark("sortie avant l’entrée"),
    ReasonCode.INE_MALFORMED: mark("INE illisible"),
    ReasonCode.INE_CHECK_LETTER: mark("lettre de l’INE fausse"),
    ReasonCode.INE_ON_TWO_PEOPLE: mark("INE d’une autre personne"),
    ReasonCode.SIEI_ON_TWO_PEOPLE: mark("numéro de dossier d’une autre personne"),
    ReasonCode.UAI_MALFORMED: mark("code d’établissement illisible"),
    ReasonCode.UAI_CHECK_LETTER: mark("code d’établissement faux"),
    ReasonCode.POSTAL_CODE_MALFORMED: mark("code postal illisible"),
    ReasonCode.POSTAL_CODE_WAS_INSEE: mark("code INSEE au lieu du code postal"),
    ReasonCode.POSTAL_CODE_INSEE_OF_SEVERAL: mark("code INSEE sans code postal certain"),
    ReasonCode.POSTAL_CODE_OTHER_COMMUNE: mark("code postal d’une autre commune"),
    ReasonCode.POSTAL_CODE_UNKNOWN: mark("code postal inconnu"),
    ReasonCode.POSTAL_CODE_FROM_INSEE: mark("code postal déduit du code INSEE"),
    ReasonCode.EMAIL_MALFORMED: mark("courriel illisible"),
    ReasonCode.SEX_UNKNOWN: mark("sexe non compris"),
    ReasonCode.TERRITORY_UNKNOWN: mark("PSAD inconnue"),
    ReasonCode.TERRITORY_FROM_POSTAL_CODE: mark("PSAD déduite du code postal"),
    ReasonCode.NUMBER_NOT_A_NUMBER: mark("pas un numéro"),
    ReasonCode.NUMBER_TOO_SHORT: mark("numéro trop court"),
    ReasonCode.NUMBER_TOO_LONG: mark("numéro trop long"),
    ReasonCode.NUMBER_IMPOSSIBLE: mark("numéro impossible"),
    ReasonCode.NUMBER_DUMMY: mark("faux numéro de remplissage"),
    ReasonCode.NUMBER_PREMIUM: mark("numéro surtaxé"),
    ReasonCode.NUMBER_SPECIAL: mark("numéro spécial"),
    ReasonCode.NUMBER_SHORT_CODE: mark("numéro court"),
    ReasonCode.NUMBER_MACHINE: mark("numéro de machine"),
    ReasonCode.NUMBER_ROUNDED: mark("numéro arrondi par un tableur"),
    ReasonCode.NUMBER_MARKED_WRONG: mark("numéro dit faux par la liste"),
    ReasonCode.NUMBER_MARKED_OLD: mark("numéro dit ancien par la liste"),
    ReasonCode.NUMBER_MARKED_NO_CALL: mark("numéro à ne pas appeler"),
    ReasonCode.NUMBER_FOREIGN: mark("numéro étranger"),
    ReasonCode.NUMBER_UNKNOWN_BLOCK: mark("tranche de numéros inconnue"),
    ReasonCode.NUMBER_OF_MANY: mark("numéro sur beaucoup de lignes"),
    ReasonCode.NO_CALLABLE_NUMBER: mark("aucun numéro appelable"),
    ReasonCode.MINOR_WITHOUT_GUARDIAN: mark("mineur sans responsable"),
    ReasonCode.VALUE_TOO_LONG: mark("texte trop long"),
    ReasonCode.DUPLICATE_IN_FILE: mark("doublon dans le fichier"),
    ReasonCode.POSSIBLE_HOMONYM: mark("homonyme possible"),
    ReasonCode.AMBIGUOUS_PERSON: mark("plusieurs personnes possibles"),
    ReasonCode.VERIFIED_KEPT: mark("valeur vérifiée gardée"),
    ReasonCode.TEXT_REPAIRED: mark("accents rétablis"),
    ReasonCode.TEXT_DAMAGED: mark("lettres perdues"),
    ReasonCode.UNCLOSED_QUOTE: mark("guillemet jamais refermé"),
    ReasonCode.MISPLACED_CELLS: mark("cellules décalées"),
    ReasonCode.CELLS_REALIGNED: mark("cellules remises en place"),
    ReasonCode.HIDDEN_ROW: mark("ligne masquée"),
    ReasonCode.FORMULA_WITHOUT_VALUE: mark("formule sans résultat"),
    ReasonCode.CELL_ERROR: mark("erreur de calcul"),
    ReasonCode.BLANK_ROW: mark("ligne vide"),
    ReasonCode.TITLE_ROW: mark("titre"),
    ReasonCode.TOTAL_ROW: mark("total"),
    ReasonCode.REPEATED_HEADER: mark("en-tête répété"),
    ReasonCode.SET_ASIDE: mark("écartée"),
}

LEFT_OUT = {
    LeftOut.UNKNOWN: mark("colonne inconnue"),
    LeftOut.SOMEONE_ELSE: mark("à quelqu’un d’autre que le jeune (établissement, conseiller…) : refusée"),
    LeftOut.GUARDIAN_DATA: mark("donnée du responsable qui n’est pas gardée"),
    LeftOut.COMMENT: mark("commentaire : jamais importé"),
    LeftOut.TWICE: mark("déjà lue dans une autre colonne"),
    LeftOut.THIRD_GUARDIAN: mark("troisième responsable : deux sont gardés"),
    LeftOut.CHOSEN: mark("écartée à la main"),
}
"""Why a column is not read."""

SEPARATORS = {
    ";": mark("point-virgule"),
    ",": mark("virgule"),
    "\t": mark("tabulation"),
    "|": mark("barre verticale"),
}

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
    "iso8859-15": "Latin-9",
    "mac_roman": "Mac Roman",
    "cp850": "DOS 850",
    "cp437": "DOS 437",
    "utf-32": "UTF-32",
}

FORMATS = {
    "xlsx": mark("Classeur XLSX"),
    "xlsb": mark("Classeur XLSB"),
    "xls": mark("Classeur XLS"),
    "ods": mark("Classeur ODS"),
    "html": mark("Page web enregistrée comme classeur"),
    "xml": mark("Classeur XML d’Excel 2003"),
}

_CHANGES = {
    "numbers": mark("numéros"),
    "guardians": mark("responsables"),
    "queue": mark("place dans la file"),
    "school": mark("établissement"),
    "territory": mark("PSAD"),
}

_EFFECTS = {Effect.QUARANTINE: "▲", Effect.WARNING: "▲", Effect.DUPLICATE: "◆"}


def fate_count(fate: Fate, number: int) -> str:
    """A number of rows of a fate, as a chip says it: 3 274 créées."""
    match fate:
        case Fate.CREATED:
            return ngettext("%(n)s créée", "%(n)s créées", number)
        case Fate.UPDATED:
            return ngettext("%(n)s mise à jour", "%(n)s mises à jour", number)
        case Fate.UNCHANGED:
            return ngettext("%(n)s inchangée", "%(n)s inchangées", number)
        case Fate.DUPLICATE:
            return ngettext("%(n)s doublon", "%(n)s doublons", number)
        case Fate.QUARANTINED:
            return ngettext("%(n)s en quarantaine", "%(n)s en quarantaine", number)
        case Fate.IGNORED:
            return ngettext("%(n)s ignorée", "%(n)s ignorées", number)


def sentence(reason: Reason) -> str:
    """A reason as its row shows it."""
    text = reason.words(language())
    return typography(text) if language() == "fr" else text


def shape(reason: Reason) -> str:
    """The sign in front of a reason: what bars or warns stands out from a plain note."""
    return _EFFECTS.get(reason.effect, "○")


def field_label(read_as: str) -> str:
    """A field as the pages name it: `guardian_phone:2` is the second guardian's telephone."""
    name, _, rank = read_as.partition(":")
    text = field_words(name, language())
    return f"{text} {rank}" if rank else text


def left_out_words(mapping: Mapping[str, Any]) -> list[str]:
    """The headers that are not read, those of somebody else with the word for it."""
    words = []
    for sheet in mapping.get("sheets", []):
        whys = sheet.get("left_out_why") or [LeftOut.UNKNOWN] * len(sheet["left_out"])
        for header, why in zip(sheet["left_out"], whys, strict=False):
            told = "" if why == LeftOut.UNKNOWN else f" ({gettext(LEFT_OUT[LeftOut(why)])})"
            words.append(f"{header}{told}")
    return words


def change_label(part: str) -> str:
    """What of a person a row changes."""
    return gettext(_CHANGES[part]) if part in _CHANGES else field_words(part, language()).replace("_", " ")


OBSTACLES = {
    "called": mark("appelées depuis l’import"),
    "held": mark("ouvertes chez un collègue en ce moment"),
    "later_list": mark("nommées par une liste plus récente"),
    "changed_since": mark("modifiées ou réunies depuis"),
}
"""Why an import cannot be undone, after a number of people."""


def difference(change: FieldChange, territories: Mapping[str, str]) -> str:
    """What of a person changes, from what to what."""
    label = change_label(change.field)
    if change.old is None and change.new is None:
        return label
    old, new = (_shown(change.field, value, territories) for value in (change.old, change.new))
    if change.new is None:
        return gettext("%(what)s : %(old)s ne sera plus appelé", what=label, old=old)
    if change.old is None:
        return gettext("%(what)s : + %(new)s", what=label, new=new)
    return gettext("%(what)s : %(old)s → %(new)s", what=label, old=old, new=new)


def _shown(field: str, value: str | None, territories: Mapping[str, str]) -> str:
    if value is None:
        return "–"
    if field == "numbers":
        return phone(value)
    if field.endswith("_date"):
        return day(date.fromisoformat(value))
    return territories.get(value, value)


def field_choices() -> list[tuple[str, str]]:
    """The fields that a person may choose for a column, with their words in order."""
    guardians = frozenset(GUARDIAN_FIELDS.values())
    names = [
        name
        for field in Field
        if field is not Field.COMMENT
        for name in ([f"{field}:1", f"{field}:2"] if field in guardians else [str(field)])
    ]
    return [(name, field_label(name)) for name in names]


def reading_notes(mapping: Mapping[str, Any]) -> list[str]:
    """What the reader had to say about a file, sentence by sentence; a code retired since is left out."""
    found = []
    for code, count, places, sheet in mapping.get("notes", ()):
        if code in NoteCode._value2member_map_:
            text = note_words(Note(NoteCode(code), count, tuple(places), sheet), language())
            found.append(typography(text) if language() == "fr" else text)
    return found
