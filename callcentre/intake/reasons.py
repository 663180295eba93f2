"""The one list of reasons: every code a row can carry, what it entails, its words in French and English."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from callcentre.intake.fields import field_words
from callcentre.phone import NumberReason


class Effect(StrEnum):
    """What a reason entails for its row, from the mildest to the strongest."""

    NOTE = "note"
    WARNING = "warning"
    DUPLICATE = "duplicate"
    IGNORE = "ignore"
    QUARANTINE = "quarantine"


class ReasonCode(StrEnum):
    """Why a row was treated as it was, or what in it deserves a look."""

    NAME_MISSING = "name_missing"
    NAME_NOT_SPLIT = "name_not_split"
    NAME_SPLIT = "name_split"
    NAMES_SWAPPED = "names_swapped"
    BIRTH_DATE_MISSING = "birth_date_missing"
    BIRTH_DATE_IMPOSSIBLE = "birth_date_impossible"
    BIRTH_DATE_FUTURE = "birth_date_future"
    BIRTH_DATE_IMPLAUSIBLE = "birth_date_implausible"
    DATE_ORDER_UNSURE = "date_order_unsure"
    AGE_UNDER = "age_under"
    AGE_OVER = "age_over"
    EXIT_DATE_IMPOSSIBLE = "exit_date_impossible"
    EXIT_DATE_FUTURE = "exit_date_future"
    EXIT_DATE_OLD = "exit_date_old"
    EXIT_DATE_SENSELESS = "exit_date_senseless"
    EXIT_DATE_BEFORE_ENTRY = "exit_date_before_entry"
    INE_MALFORMED = "ine_malformed"
    INE_CHECK_LETTER = "ine_check_letter"
    INE_ON_TWO_PEOPLE = "ine_on_two_people"
    SIEI_ON_TWO_PEOPLE = "siei_on_two_people"
    UAI_MALFORMED = "uai_malformed"
    UAI_CHECK_LETTER = "uai_check_letter"
    POSTAL_CODE_MALFORMED = "postal_code_malformed"
    POSTAL_CODE_WAS_INSEE = "postal_code_was_insee"
    POSTAL_CODE_INSEE_OF_SEVERAL = "postal_code_insee_of_several"
    POSTAL_CODE_OTHER_COMMUNE = "postal_code_other_commune"
    POSTAL_CODE_UNKNOWN = "postal_code_unknown"
    POSTAL_CODE_FROM_INSEE = "postal_code_from_insee"
    EMAIL_MALFORMED = "email_malformed"
    SEX_UNKNOWN = "sex_unknown"
    TERRITORY_UNKNOWN = "territory_unknown"
    TERRITORY_FROM_POSTAL_CODE = "territory_from_postal_code"
    NUMBER_NOT_A_NUMBER = "number_not_a_number"
    NUMBER_TOO_SHORT = "number_too_short"
    NUMBER_TOO_LONG = "number_too_long"
    NUMBER_IMPOSSIBLE = "number_impossible"
    NUMBER_DUMMY = "number_dummy"
    NUMBER_PREMIUM = "number_premium"
    NUMBER_SPECIAL = "number_special"
    NUMBER_SHORT_CODE = "number_short_code"
    NUMBER_MACHINE = "number_machine"
    NUMBER_ROUNDED = "number_rounded"
    NUMBER_MARKED_WRONG = "number_marked_wrong"
    NUMBER_MARKED_OLD = "number_marked_old"
    NUMBER_MARKED_NO_CALL = "number_marked_no_call"
    NUMBER_FOREIGN = "number_foreign"
    NUMBER_UNKNOWN_BLOCK = "number_unknown_block"
    NUMBER_OF_MANY = "number_of_many"
    NO_CALLABLE_NUMBER = "no_callable_number"
    MINOR_WITHOUT_GUARDIAN = "minor_without_guardian"
    VALUE_TOO_LONG = "value_too_long"
    DUPLICATE_IN_FILE = "duplicate_in_file"
    POSSIBLE_HOMONYM = "possible_homonym"
    AMBIGUOUS_PERSON = "ambiguous_person"
    VERIFIED_KEPT = "verified_kept"
    TEXT_REPAIRED = "text_repaired"
    TEXT_DAMAGED = "text_damaged"
    UNCLOSED_QUOTE = "unclosed_quote"
    MISPLACED_CELLS = "misplaced_cells"
    CELLS_REALIGNED = "cells_realigned"
    HIDDEN_ROW = "hidden_row"
    FORMULA_WITHOUT_VALUE = "formula_without_value"
    CELL_ERROR = "cell_error"
    BLANK_ROW = "blank_row"
    TITLE_ROW = "title_row"
    TOTAL_ROW = "total_row"
    REPEATED_HEADER = "repeated_header"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True, slots=True)
class ReasonText:
    """What a code means: family, effect, and its sentence, in which `{value}` and `{field}` are filled."""

    family: str
    effect: Effect
    fr: str
    en: str


_N, _W, _D, _I, _Q = Effect.NOTE, Effect.WARNING, Effect.DUPLICATE, Effect.IGNORE, Effect.QUARANTINE
_C = ReasonCode
CATALOGUE: dict[ReasonCode, ReasonText] = {
    _C.NAME_MISSING: ReasonText(
        "name", _Q, "Le nom ou le prénom manque : à compléter.", "Family or first name missing: fill it in."
    ),
    _C.NAME_NOT_SPLIT: ReasonText(
        "name",
        _Q,
        "« {value} » : nom et prénom ne se séparent pas, à compléter.",
        "“{value}”: family and first name cannot be told apart, fill them in.",
    ),
    _C.NAME_SPLIT: ReasonText(
        "name",
        _W,
        "« {value} » : nom et prénom séparés par déduction, à vérifier.",
        "“{value}”: family and first name told apart by a guess, check them.",
    ),
    _C.NAMES_SWAPPED: ReasonText(
        "name",
        _W,
        "« {value} » : nom et prénom étaient intervertis, remis à leur place.",
        "“{value}”: family and first name were swapped, put back in their places.",
    ),
    _C.BIRTH_DATE_MISSING: ReasonText(
        "date", _Q, "La date de naissance manque : à compléter.", "Birth date missing: fill it in."
    ),
    _C.BIRTH_DATE_IMPOSSIBLE: ReasonText(
        "date",
        _Q,
        "La date de naissance « {value} » n’existe pas ou ne se lit pas : à corriger.",
        "The birth date “{value}” does not exist or cannot be read: correct it.",
    ),
    _C.BIRTH_DATE_FUTURE: ReasonText(
        "date",
        _Q,
        "La date de naissance « {value} » est après la date de la liste.",
        "The birth date “{value}” is after the list’s date.",
    ),
    _C.BIRTH_DATE_IMPLAUSIBLE: ReasonText(
        "date",
        _Q,
        "La date de naissance « {value} » ne peut être celle d’un jeune : à corriger.",
        "The birth date “{value}” cannot be a young person’s: correct it.",
    ),
    _C.DATE_ORDER_UNSURE: ReasonText(
        "date",
        _W,
        "{field} « {value} » : la liste écrit tantôt le jour, tantôt le mois d’abord ; lu jour d’abord, à vérifier.",
        "{field} “{value}”: the list writes the day first here and the month first there; read day first, check it.",
    ),
    _C.AGE_UNDER: ReasonText(
        "age",
        _Q,
        "Trop jeune à la date de la liste ({value} ans) : effacé après le délai sans correction.",
        "Too young on the list’s date ({value} years): erased after the delay unless the date is corrected.",
    ),
    _C.AGE_OVER: ReasonText(
        "age",
        _W,
        "Plus âgé que le public du programme à la date de la liste ({value} ans).",
        "Older than the programme’s public on the list’s date ({value} years).",
    ),
    _C.EXIT_DATE_IMPOSSIBLE: ReasonText(
        "exit_date",
        _W,
        "La date de sortie « {value} » n’existe pas ou ne se lit pas : non reprise.",
        "The exit date “{value}” does not exist or cannot be read: left out.",
    ),
    _C.EXIT_DATE_FUTURE: ReasonText(
        "exit_date",
        _W,
        "La date de sortie « {value} » est après la date de la liste.",
        "The exit date “{value}” is after the list’s date.",
    ),
    _C.EXIT_DATE_OLD: ReasonText(
        "exit_date",
        _W,
        "La date de sortie « {value} » a plus de deux ans.",
        "The exit date “{value}” is more than two years old.",
    ),
    _C.EXIT_DATE_SENSELESS: ReasonText(
        "exit_date",
        _W,
        "La date de sortie « {value} » tombe dans l’enfance : non reprise.",
        "The exit date “{value}” falls in childhood: left out.",
    ),
    _C.EXIT_DATE_BEFORE_ENTRY: ReasonText(
        "exit_date",
        _W,
        "La date de sortie « {value} » est avant la date d’entrée.",
        "The exit date “{value}” is before the entry date.",
    ),
    _C.INE_MALFORMED: ReasonText(
        "ine",
        _W,
        "L’INE « {value} » n’a aucune des formes connues : non repris.",
        "The INE “{value}” has none of the known forms: left out.",
    ),
    _C.INE_CHECK_LETTER: ReasonText(
        "ine",
        _W,
        "La lettre finale de l’INE « {value} » ne va pas avec ses chiffres : à vérifier.",
        "The last letter of the INE “{value}” does not go with its digits: check it.",
    ),
    _C.INE_ON_TWO_PEOPLE: ReasonText(
        "ine",
        _Q,
        "Cet INE est déjà celui d’une autre personne ({value}) : à vérifier.",
        "This INE already belongs to another person ({value}): check it.",
    ),
    _C.SIEI_ON_TWO_PEOPLE: ReasonText(
        "duplicate",
        _W,
        "Ce numéro de dossier est déjà celui d’une autre personne : non repris.",
        "This file number already belongs to another person: left out.",
    ),
    _C.UAI_MALFORMED: ReasonText(
        "uai",
        _W,
        "Le code d’établissement « {value} » ne se lit pas : non repris.",
        "The school code “{value}” cannot be read: left out.",
    ),
    _C.UAI_CHECK_LETTER: ReasonText(
        "uai",
        _W,
        "La lettre de contrôle du code d’établissement « {value} » est fausse : non repris.",
        "The check letter of the school code “{value}” is wrong: left out.",
    ),
    _C.POSTAL_CODE_MALFORMED: ReasonText(
        "address",
        _W,
        "Le code postal « {value} » ne se lit pas : non repris.",
        "The postal code “{value}” cannot be read: left out.",
    ),
    _C.POSTAL_CODE_WAS_INSEE: ReasonText(
        "address",
        _N,
        "« {value} » est un code INSEE : remplacé par le code postal de la commune.",
        "“{value}” is an INSEE code: replaced by the town’s postal code.",
    ),
    _C.POSTAL_CODE_INSEE_OF_SEVERAL: ReasonText(
        "address",
        _W,
        "« {value} » est le code INSEE d’une commune à plusieurs codes postaux : non repris.",
        "“{value}” is the INSEE code of a town with several postal codes: left out.",
    ),
    _C.POSTAL_CODE_OTHER_COMMUNE: ReasonText(
        "address",
        _N,
        "Le code postal {value} n’est pas celui de la commune nommée : gardé.",
        "The postal code {value} is not the named town’s: kept.",
    ),
    _C.POSTAL_CODE_UNKNOWN: ReasonText(
        "address",
        _N,
        "Le code postal {value} n’est celui d’aucune commune (CEDEX ?) : gardé.",
        "The postal code {value} is no town’s (CEDEX?): kept.",
    ),
    _C.POSTAL_CODE_FROM_INSEE: ReasonText(
        "address",
        _N,
        "Code postal déduit du code INSEE {value}.",
        "Postal code derived from the INSEE code {value}.",
    ),
    _C.EMAIL_MALFORMED: ReasonText(
        "contact",
        _W,
        "Le courriel « {value} » n’est pas une adresse : non repris.",
        "The e-mail “{value}” is not an address: left out.",
    ),
    _C.SEX_UNKNOWN: ReasonText(
        "sex", _N, "Sexe « {value} » non compris : non repris.", "Sex “{value}” not understood: left out."
    ),
    _C.TERRITORY_UNKNOWN: ReasonText(
        "territory",
        _W,
        "PSAD « {value} » inconnu et code postal hors du programme : placé dans « À rattacher ».",
        "PSAD “{value}” unknown and postal code outside the programme: filed under “À rattacher”.",
    ),
    _C.TERRITORY_FROM_POSTAL_CODE: ReasonText(
        "territory", _N, "PSAD déduit du code postal.", "PSAD derived from the postal code."
    ),
    _C.NUMBER_NOT_A_NUMBER: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) n’est pas un numéro.",
        "“{value}” ({field}) is not a number.",
    ),
    _C.NUMBER_TOO_SHORT: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) : il manque des chiffres, non appelable.",
        "“{value}” ({field}): digits are missing, not callable.",
    ),
    _C.NUMBER_TOO_LONG: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) : trop de chiffres, non appelable.",
        "“{value}” ({field}): too many digits, not callable.",
    ),
    _C.NUMBER_IMPOSSIBLE: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) n’existe dans aucun pays.",
        "“{value}” ({field}) exists in no country.",
    ),
    _C.NUMBER_DUMMY: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) est un faux numéro de remplissage.",
        "“{value}” ({field}) is a number typed to fill the field.",
    ),
    _C.NUMBER_PREMIUM: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) est surtaxé : jamais appelé.",
        "“{value}” ({field}) is premium rate: never called.",
    ),
    _C.NUMBER_SPECIAL: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) est un numéro spécial : jamais appelé.",
        "“{value}” ({field}) is a special number: never called.",
    ),
    _C.NUMBER_SHORT_CODE: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) est un numéro court : jamais appelé.",
        "“{value}” ({field}) is a short number: never called.",
    ),
    _C.NUMBER_MACHINE: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) est réservé aux machines.",
        "“{value}” ({field}) is kept for machines.",
    ),
    _C.NUMBER_ROUNDED: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) a été arrondi par un tableur : ce serait le numéro de quelqu’un d’autre.",
        "“{value}” ({field}) was rounded by a spreadsheet: it would be somebody else’s number.",
    ),
    _C.NUMBER_MARKED_WRONG: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) : la liste le dit faux.",
        "“{value}” ({field}): the list says it is wrong.",
    ),
    _C.NUMBER_MARKED_OLD: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) : la liste le dit ancien.",
        "“{value}” ({field}): the list says it is out of use.",
    ),
    _C.NUMBER_MARKED_NO_CALL: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) : la liste dit de ne pas l’appeler.",
        "“{value}” ({field}): the list says not to call it.",
    ),
    _C.NUMBER_FOREIGN: ReasonText(
        "phone",
        _N,
        "« {value} » ({field}) est un numéro étranger.",
        "“{value}” ({field}) is a foreign number.",
    ),
    _C.NUMBER_UNKNOWN_BLOCK: ReasonText(
        "phone",
        _N,
        "« {value} » ({field}) : tranche récente ou inconnue, gardé appelable.",
        "“{value}” ({field}): a recent or unknown block, kept callable.",
    ),
    _C.NUMBER_OF_MANY: ReasonText(
        "phone",
        _W,
        "« {value} » ({field}) est celui de plus de dix personnes : sans doute le numéro d’un lieu, gardé appelable.",
        "“{value}” ({field}) is that of more than ten people: probably a place’s number, kept callable.",
    ),
    _C.NO_CALLABLE_NUMBER: ReasonText(
        "contact",
        _W,
        "Aucun numéro appelable : coordonnées à rechercher.",
        "No callable number: details to find.",
    ),
    _C.MINOR_WITHOUT_GUARDIAN: ReasonText(
        "contact",
        _N,
        "Mineur sans responsable sur la liste.",
        "Minor without a guardian on the list.",
    ),
    _C.VALUE_TOO_LONG: ReasonText(
        "value", _W, "{field} : texte trop long, coupé.", "{field}: text too long, cut."
    ),
    _C.DUPLICATE_IN_FILE: ReasonText(
        "duplicate",
        _D,
        "Même personne que la ligne {value} : réunie avec elle.",
        "Same person as row {value}: merged with it.",
    ),
    _C.POSSIBLE_HOMONYM: ReasonText(
        "duplicate",
        _W,
        "Même nom et même date de naissance qu’une autre personne, mais autre INE : gardées à part.",
        "Same name and birth date as another person but another INE: kept apart.",
    ),
    _C.AMBIGUOUS_PERSON: ReasonText(
        "duplicate",
        _Q,
        "Plusieurs personnes connues portent ce nom et cette date de naissance : à départager.",
        "Several known people have this name and birth date: say which.",
    ),
    _C.VERIFIED_KEPT: ReasonText(
        "value",
        _N,
        "{field} vérifié par un agent : la liste ne le change pas.",
        "{field} verified by an officer: the list does not change it.",
    ),
    _C.TEXT_REPAIRED: ReasonText(
        "text",
        _N,
        "Des accents abîmés par un double encodage ont été rétablis.",
        "Accents broken by a double encoding were restored.",
    ),
    _C.TEXT_DAMAGED: ReasonText(
        "text",
        _W,
        "Des lettres sont perdues, à la place de « � » : à vérifier.",
        "Letters are lost, where “�” stands: check them.",
    ),
    _C.UNCLOSED_QUOTE: ReasonText(
        "row",
        _W,
        "Un guillemet n’est pas refermé : la ligne a été lue seule, à vérifier.",
        "A quotation mark is not closed: the row was read by itself, check it.",
    ),
    _C.MISPLACED_CELLS: ReasonText(
        "row",
        _Q,
        "Les cellules sont décalées par rapport aux colonnes : à remettre en place.",
        "The cells are shifted against their columns: put them back in place.",
    ),
    _C.CELLS_REALIGNED: ReasonText(
        "row",
        _W,
        "La ligne était décalée : ses cellules ont été remises sous leur colonne, à vérifier.",
        "The row was shifted: its cells were put back under their columns, check them.",
    ),
    _C.HIDDEN_ROW: ReasonText("row", _N, "Ligne masquée dans le classeur.", "Row hidden in the workbook."),
    _C.FORMULA_WITHOUT_VALUE: ReasonText(
        "value",
        _W,
        "{field} : formule sans résultat enregistré, lue comme vide.",
        "{field}: formula without a stored result, read as empty.",
    ),
    _C.CELL_ERROR: ReasonText(
        "value",
        _W,
        "{field} : erreur de calcul (#N/A, #REF!…), lue comme vide.",
        "{field}: calculation error (#N/A, #REF!…), read as empty.",
    ),
    _C.BLANK_ROW: ReasonText("not_a_person", _I, "Ligne vide.", "Blank row."),
    _C.TITLE_ROW: ReasonText("not_a_person", _I, "Titre au-dessus du tableau.", "Title above the table."),
    _C.TOTAL_ROW: ReasonText("not_a_person", _I, "Ligne de total.", "Total row."),
    _C.REPEATED_HEADER: ReasonText("not_a_person", _I, "En-tête répété.", "Repeated header."),
    _C.SET_ASIDE: ReasonText("not_a_person", _I, "Écartée par {value}.", "Set aside by {value}."),
}

NUMBER_CODES: dict[NumberReason, ReasonCode] = {
    reason: ReasonCode(f"number_{reason}")
    for reason in NumberReason
    if f"number_{reason}" in ReasonCode._value2member_map_
}


@dataclass(frozen=True, slots=True)
class Reason:
    """A code with the column and the value it is about."""

    code: ReasonCode
    field: str | None = None
    value: str | None = None

    @property
    def effect(self) -> Effect:
        """What it entails for its row."""
        return CATALOGUE[self.code].effect

    @property
    def family(self) -> str:
        """The family of its code, for filters and counts."""
        return CATALOGUE[self.code].family

    def words(self, language: str = "fr") -> str:
        """The sentence shown to a person."""
        text = CATALOGUE[self.code]
        sentence = text.en if language == "en" else text.fr
        name = field_words(self.field, language)
        filled = sentence.replace("{value}", self.value or "").replace("{field}", name)
        return filled[:1].upper() + filled[1:]

    def as_json(self) -> dict[str, str]:
        """The form in which it is stored and exported."""
        parts = {"code": str(self.code), "field": self.field, "value": self.value}
        return {key: part for key, part in parts.items() if part is not None}

    def without_value(self) -> Reason:
        """The same reason with nothing personal left in it."""
        return Reason(self.code, self.field)


def from_json(stored: Iterable[dict[str, Any]]) -> tuple[Reason, ...]:
    """Read reasons back from their stored form; a code retired since is left out."""
    return tuple(
        Reason(ReasonCode(part["code"]), part.get("field"), part.get("value"))
        for part in stored
        if part.get("code") in ReasonCode._value2member_map_
    )
