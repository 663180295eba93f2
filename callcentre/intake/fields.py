"""The columns that a list may carry, under one canonical name each, with the words pages use for them."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class Field(StrEnum):
    """A canonical column of a list of young people."""

    SIEI = "siei"
    INE = "ine"
    FAMILY_NAME = "family_name"
    USUAL_NAME = "usual_name"
    FIRST_NAME = "first_name"
    FULL_NAME = "full_name"
    """Both names in one cell, family name first."""
    FULL_NAME_REVERSED = "full_name_reversed"
    """Both names in one cell, first name first."""
    SEX = "sex"
    BIRTH_DATE = "birth_date"
    ADDRESS = "address"
    POSTAL_CODE = "postal_code"
    COMMUNE = "commune"
    INSEE_CODE = "insee_code"
    """Only gives the postal code that is missing; not stored itself."""
    PHONE = "phone"
    EMAIL = "email"
    GUARDIAN_FAMILY_NAME = "guardian_family_name"
    GUARDIAN_FIRST_NAME = "guardian_first_name"
    GUARDIAN_RELATION = "guardian_relation"
    GUARDIAN_PHONE = "guardian_phone"
    UAI = "uai"
    SCHOOL = "school"
    SCHOOL_COMMUNE = "school_commune"
    CLASS_LABEL = "class_label"
    TRAINING_CODE = "training_code"
    TRAINING_LABEL = "training_label"
    ENTRY_DATE = "entry_date"
    """Only serves to judge the exit date; not stored itself."""
    EXIT_DATE = "exit_date"
    EXIT_REASON = "exit_reason"
    TERRITORY = "territory"
    COMMENT = "comment"
    """Recognised so that it can be said: comments are never imported."""


REQUIRED = (Field.FAMILY_NAME, Field.FIRST_NAME, Field.BIRTH_DATE)
FULL_NAMES = frozenset({Field.FULL_NAME, Field.FULL_NAME_REVERSED})
SEVERAL_COLUMNS = frozenset({Field.PHONE, Field.ADDRESS, Field.GUARDIAN_PHONE})
"""Fields that may be spread over several columns of a list."""
GUARDIAN_FIELDS = {
    "family_name": Field.GUARDIAN_FAMILY_NAME,
    "first_name": Field.GUARDIAN_FIRST_NAME,
    "relation": Field.GUARDIAN_RELATION,
    "phone": Field.GUARDIAN_PHONE,
}

WORDS: dict[Field, tuple[str, str]] = {
    Field.SIEI: ("numéro de dossier", "file number"),
    Field.INE: ("INE", "national student number (INE)"),
    Field.FAMILY_NAME: ("nom", "family name"),
    Field.USUAL_NAME: ("nom d’usage", "usual name"),
    Field.FIRST_NAME: ("prénom", "first name"),
    Field.FULL_NAME: ("nom et prénom", "family and first name"),
    Field.FULL_NAME_REVERSED: ("prénom et nom", "first and family name"),
    Field.SEX: ("sexe", "sex"),
    Field.BIRTH_DATE: ("date de naissance", "birth date"),
    Field.ADDRESS: ("adresse", "address"),
    Field.POSTAL_CODE: ("code postal", "postal code"),
    Field.COMMUNE: ("commune", "town"),
    Field.INSEE_CODE: ("code INSEE de la commune", "INSEE code of the town"),
    Field.PHONE: ("téléphone", "telephone"),
    Field.EMAIL: ("courriel", "e-mail"),
    Field.GUARDIAN_FAMILY_NAME: ("nom du responsable", "guardian’s family name"),
    Field.GUARDIAN_FIRST_NAME: ("prénom du responsable", "guardian’s first name"),
    Field.GUARDIAN_RELATION: ("lien du responsable", "guardian’s relation"),
    Field.GUARDIAN_PHONE: ("téléphone du responsable", "guardian’s telephone"),
    Field.UAI: ("UAI", "school code (UAI)"),
    Field.SCHOOL: ("établissement", "school"),
    Field.SCHOOL_COMMUNE: ("commune de l’établissement", "school’s town"),
    Field.CLASS_LABEL: ("classe", "class"),
    Field.TRAINING_CODE: ("code de formation (MEF)", "training code (MEF)"),
    Field.TRAINING_LABEL: ("formation", "training"),
    Field.ENTRY_DATE: ("date d’entrée", "entry date"),
    Field.EXIT_DATE: ("date de sortie", "exit date"),
    Field.EXIT_REASON: ("motif de sortie", "reason for leaving"),
    Field.TERRITORY: ("PSAD", "local platform (PSAD)"),
    Field.COMMENT: ("commentaire", "comment"),
}


def missing_fields(found: Collection[Field]) -> tuple[Field, ...]:
    """The required fields that are not among those found; one cell with both names stands for the two."""
    held = {*found, *((Field.FAMILY_NAME, Field.FIRST_NAME) if FULL_NAMES & set(found) else ())}
    return tuple(field for field in REQUIRED if field not in held)


def field_words(field: str | None, language: str = "fr") -> str:
    """The name of a column for people, in French or English."""
    try:
        french, english = WORDS[Field(field or "")]
    except ValueError:
        return field or ""
    return english if language == "en" else french
