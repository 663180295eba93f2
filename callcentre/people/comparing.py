"""What a candidate would change of a person who is known: pure, shared by the check and by the writing.

An empty cell never erases, what an officer verified beats the list, and the same candidate twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from callcentre.people.candidates import Candidate, CandidateGuardian, CandidateNumber
from callcentre.people.kinds import IdKind
from callcentre.people.names import fold, sort_name

PLAIN = (
    "usual_name",
    "sex",
    "email",
    "address",
    "postal_code",
    "commune",
    "class_label",
    "training_label",
    "training_code",
    "exit_date",
    "exit_reason",
)
"""Fields compared as they are; names, birth date and school have rules of their own."""
GUARDIAN = ("family_name", "first_name", "relation")


@dataclass(frozen=True, slots=True)
class LinkState:
    """A number that a person has."""

    id: int
    owner: str
    callable: bool
    source: str
    why_not: str | None = None


@dataclass(slots=True)
class PersonState:
    """What is known of a person, to compare a candidate with."""

    id: int
    values: dict[str, Any]
    verified: frozenset[str]
    school: tuple[str | None, str] | None = None
    school_id: int | None = None
    ids: set[tuple[str, str]] = field(default_factory=set)
    guardians: dict[int, dict[str, Any]] = field(default_factory=dict)
    numbers: dict[str, LinkState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Differences:
    """What a candidate would change of a person."""

    values: dict[str, Any]
    school: tuple[str | None, str] | None
    new_ids: tuple[tuple[str, str], ...]
    guardians: tuple[CandidateGuardian, ...]
    new_numbers: tuple[CandidateNumber, ...]
    barred_numbers: tuple[tuple[int, str], ...]
    kept: tuple[str, ...]
    ranks: dict[int, int]
    """The candidate's guardians by rank, to the ranks of those known."""

    @property
    def changed(self) -> tuple[str, ...]:
        """The fields that change, in a fixed order."""
        parts = [*self.values]
        parts += ["school"] if self.school is not None else []
        parts += sorted({kind for kind, _ in self.new_ids})
        parts += ["guardians"] if self.guardians else []
        parts += ["numbers"] if self.new_numbers or self.barred_numbers else []
        return tuple(part for part in parts if part not in {"sort_name", "zone"})

    @property
    def gives_number(self) -> bool:
        """Whether there is a number to call that was not known."""
        return any(number.callable for number in self.new_numbers)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One thing that changes: from what to what, None for nothing."""

    field: str
    old: str | None
    new: str | None


def told(state: PersonState, differences: Differences) -> tuple[FieldChange, ...]:
    """What changes of a person, old and new side by side."""
    changes = [
        FieldChange(name, _text(state.values.get(name)), _text(new))
        for name, new in differences.values.items()
        if name not in {"sort_name", "zone"}
    ]
    if differences.school is not None:
        changes.append(FieldChange("school", _school_text(state.school), _school_text(differences.school)))
    changes += [FieldChange(kind, None, value) for kind, value in differences.new_ids]
    for guardian in differences.guardians:
        known = state.guardians.get(guardian.rank)
        new = {name: getattr(guardian, name) or (known or {}).get(name) for name in GUARDIAN}
        changes.append(FieldChange("guardians", _guardian_text(known), _guardian_text(new)))
    changes += [FieldChange("numbers", None, number.e164) for number in differences.new_numbers]
    by_link = {link.id: e164 for e164, link in state.numbers.items()}
    changes += [FieldChange("numbers", by_link[link_id], None) for link_id, _ in differences.barred_numbers]
    return tuple(changes)


def before(state: PersonState, differences: Differences) -> dict[str, Any]:
    """What would put a person back as they were, as JSON; empty when nothing changes."""
    if not differences.changed:
        return {}
    parts: dict[str, Any] = {
        "values": {name: _text(state.values.get(name)) for name in differences.values},
        "ids": [list(pair) for pair in differences.new_ids],
        "numbers": [number.e164 for number in differences.new_numbers],
        "barred": [link_id for link_id, _ in differences.barred_numbers],
        "new_guardians": [g.rank for g in differences.guardians if g.rank not in state.guardians],
        "guardians": {
            str(g.rank): {name: state.guardians[g.rank][name] for name in GUARDIAN}
            for g in differences.guardians
            if g.rank in state.guardians
        },
    }
    if differences.school is not None:
        parts["values"]["school_id"] = state.school_id
    return {name: part for name, part in parts.items() if part}


def _text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date) else value


def _school_text(school: tuple[str | None, str] | None) -> str | None:
    return None if school is None else " ".join(dict.fromkeys(part for part in school if part))


def _guardian_text(guardian: Mapping[str, Any] | None) -> str | None:
    return None if guardian is None else " ".join(guardian[name] for name in GUARDIAN if guardian[name])


# ---- comparing


def compare(state: PersonState, candidate: Candidate, *, zone: str, only_blanks: bool = False) -> Differences:
    """What a candidate would change of a person; nothing, when it says what is already known."""
    values: dict[str, Any] = {}
    kept: list[str] = []
    for name, said in _said(candidate):
        known = state.values.get(name)
        if said == known or (known is not None and _same(name, known, said)):
            continue
        if name in state.verified:
            kept.append(name)
        elif known is None or not only_blanks:
            values[name] = said
    if "postal_code" in values and zone != state.values.get("zone"):
        values["zone"] = zone
    if "family_name" in values or "first_name" in values:
        values["sort_name"] = sort_name(
            values.get("family_name", state.values["family_name"]),
            values.get("first_name", state.values["first_name"]),
        )
    school = _school_difference(state, candidate, only_blanks)
    if school is not None and "school" in state.verified:
        kept, school = [*kept, "school"], None
    ranks = _guardian_ranks(state, candidate)
    return Differences(
        values=values,
        school=school,
        new_ids=tuple(pair for pair in ids_of(candidate) if pair not in state.ids),
        guardians=_guardian_differences(state, candidate, ranks, only_blanks),
        new_numbers=tuple(n for n in candidate.numbers if n.e164 not in state.numbers),
        barred_numbers=_barred(state, candidate),
        kept=tuple(kept),
        ranks=ranks,
    )


def _said(candidate: Candidate) -> Iterable[tuple[str, Any]]:
    yield "family_name", candidate.family_name
    yield "first_name", candidate.first_name
    yield "birth_date", candidate.birth_date
    for name in PLAIN:
        said = getattr(candidate, name)
        if said is not None:
            yield name, said


_FOLDED = frozenset({"family_name", "first_name", "usual_name", "commune", "class_label", "training_label"})


def _same(name: str, known: Any, said: Any) -> bool:
    """Two spellings of one name: the known one stays, since lists lose accents more often than gain them."""
    return name in _FOLDED and fold(known) == fold(said)


def ids_of(candidate: Candidate) -> list[tuple[str, str]]:
    """The identifiers that a candidate gives, with their kinds."""
    pairs = (
        (IdKind.INE, candidate.ine),
        *((IdKind.INE, ine) for ine in candidate.more_ines),
        (IdKind.SIEI, candidate.siei),
    )
    return [(str(kind), value) for kind, value in pairs if value]


def school_of(candidate: Candidate) -> tuple[str | None, str] | None:
    """The school that a candidate gives: its code if there is one, and its name, else its code as name."""
    if candidate.uai is None and candidate.school is None:
        return None
    return candidate.uai, candidate.school or candidate.uai or ""


def _school_difference(
    state: PersonState, candidate: Candidate, only_blanks: bool
) -> tuple[str | None, str] | None:
    said = school_of(candidate)
    if said is None or said == state.school or (state.school is not None and only_blanks):
        return None
    if state.school is not None:
        same_code = said[0] is not None and said[0] == state.school[0]
        name_only = said[0] is None and fold(said[1]) == fold(state.school[1])
        if same_code or name_only:
            return None
    return said


def _guardian_ranks(state: PersonState, candidate: Candidate) -> dict[int, int]:
    """Which known guardian each one of the candidate is: the one of that name, else the one of that rank."""
    by_name = {_whole_name(known): rank for rank, known in state.guardians.items()}
    ranks = {}
    for guardian in candidate.guardians:
        name = _whole_name({"family_name": guardian.family_name, "first_name": guardian.first_name})
        ranks[guardian.rank] = by_name.get(name, guardian.rank) if name else guardian.rank
    return ranks


def _whole_name(guardian: Mapping[str, Any]) -> str:
    return " ".join(fold(guardian[name]) for name in ("family_name", "first_name") if guardian[name])


def _guardian_differences(
    state: PersonState, candidate: Candidate, ranks: Mapping[int, int], only_blanks: bool
) -> tuple[CandidateGuardian, ...]:
    changed = []
    for guardian in candidate.guardians:
        known = state.guardians.get(ranks[guardian.rank])
        if known is None or any(
            (said := getattr(guardian, name)) is not None
            and (known[name] is None or (not only_blanks and fold(known[name]) != fold(said)))
            for name in GUARDIAN
        ):
            changed.append(replace(guardian, rank=ranks[guardian.rank]))
    return tuple(changed)


def _barred(state: PersonState, candidate: Candidate) -> tuple[tuple[int, str], ...]:
    """Numbers from a list that this list says not to call."""
    return tuple(
        (state.numbers[n.e164].id, n.why_not or "")
        for n in candidate.numbers
        if not n.callable
        and n.e164 in state.numbers
        and state.numbers[n.e164].callable
        and state.numbers[n.e164].source == "list"
    )
