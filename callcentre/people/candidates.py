"""A person as a list, a form or the API presents one, before they are compared with those already known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from callcentre.people.kinds import NumberOwner


@dataclass(frozen=True, slots=True)
class CandidateNumber:
    """A number in E.164 given for a candidate; `guardian_rank` says which guardian's, when it is one's."""

    e164: str
    kind: str
    owner: NumberOwner
    guardian_rank: int | None = None
    label: str | None = None
    callable: bool = True
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class CandidateGuardian:
    """A legal representative given for a candidate."""

    rank: int
    family_name: str | None = None
    first_name: str | None = None
    relation: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person to create or update; None and empty mean "not said", and never erase what is known."""

    family_name: str
    first_name: str
    birth_date: date
    sort_name: str
    ine: str | None = None
    siei: str | None = None
    usual_name: str | None = None
    sex: str | None = None
    email: str | None = None
    address: str | None = None
    postal_code: str | None = None
    commune: str | None = None
    uai: str | None = None
    school: str | None = None
    school_commune: str | None = None
    class_label: str | None = None
    training_label: str | None = None
    training_code: str | None = None
    exit_date: date | None = None
    exit_reason: str | None = None
    territory: str | None = None
    """The code of the programme's territory, None when nothing tells it."""
    guardians: tuple[CandidateGuardian, ...] = ()
    numbers: tuple[CandidateNumber, ...] = ()
    more_ines: tuple[str, ...] = ()
    """Other national numbers that further rows gave for the same person."""
