"""Who a candidate is among those already known: pure, cautious, never merging twins, siblings or homonyms.

Order of proof: the same INE or file number, borne out by the names; else the same name and birth date when no
INE contradicts it. What cannot be told apart is left to a person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from difflib import SequenceMatcher

from callcentre.intake.fields import Field
from callcentre.intake.reasons import Reason, ReasonCode
from callcentre.intake.values import ine_form
from callcentre.people.candidates import Candidate, CandidateGuardian, CandidateNumber
from callcentre.people.kinds import Likeness, NumberOwner
from callcentre.people.names import fold

_ALIKE = 0.82
"""Share of common letters above which two spellings are one name."""
_CLOSE_FIRST_NAMES = 0.85
"""The same for first names, stricter: Lina and Lana are two girls."""


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody to compare with; `ref` is a person's id, negative for one whom the same file would create."""

    ref: int
    family_name: str
    first_name: str
    usual_name: str | None
    birth_date: date
    sort_name: str
    ines: frozenset[str]
    sieis: frozenset[str]
    contacts: frozenset[str] = frozenset()
    """Own numbers and e-mail address."""


@dataclass(frozen=True, slots=True)
class Match:
    """The known person that a candidate is (None: nobody yet), or `is_blocked` when only a human can tell."""

    ref: int | None
    reasons: tuple[Reason, ...] = ()
    is_blocked: bool = False
    drop_siei: bool = False


class Acquaintances:
    """The people to compare with, found by identifier or by name and birth date."""

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self._by_ine: dict[str, Known] = {}
        self._by_siei: dict[str, Known] = {}
        self._by_name: defaultdict[tuple[str, date], dict[int, Known]] = defaultdict(dict)
        self._by_ref: dict[int, Known] = {}
        for person in known:
            self.add(person)

    def add(self, person: Known) -> None:
        """Make somebody known, or known better."""
        for ine in person.ines:
            self._by_ine.setdefault(ine, person)
        for siei in person.sieis:
            self._by_siei.setdefault(siei, person)
        self._by_name[person.sort_name, person.birth_date][person.ref] = person
        self._by_ref[person.ref] = person

    def learn(self, ref: int, candidate: Candidate) -> None:
        """Know somebody better by a row that proved to be about them: the next rows may go by what it says."""
        person = self._by_ref.get(ref)
        if person is None:
            return
        said = known_from(candidate, ref)
        ines, sieis = person.ines | said.ines, person.sieis | said.sieis
        contacts = person.contacts | said.contacts
        if (ines, sieis, contacts) != (person.ines, person.sieis, person.contacts):
            self.add(replace(person, ines=ines, sieis=sieis, contacts=contacts))

    def find(self, candidate: Candidate) -> Match:
        """Say who a candidate is."""
        by_ine = self._by_ine.get(candidate.ine) if candidate.ine else None
        if by_ine is not None:
            if agrees(candidate, by_ine):
                return self._with_siei(candidate, Match(by_ine.ref))
            return Match(
                None, (Reason(ReasonCode.INE_ON_TWO_PEOPLE, str(Field.INE), candidate.ine),), is_blocked=True
            )
        by_siei = self._by_siei.get(candidate.siei) if candidate.siei else None
        if by_siei is not None and agrees(candidate, by_siei) and not _contradicts(candidate, by_siei):
            return Match(by_siei.ref)
        return self._with_siei(candidate, self._by_name_and_birth(candidate))

    def _with_siei(self, candidate: Candidate, match: Match) -> Match:
        """A file number that is somebody else's is not taken over."""
        holder = self._by_siei.get(candidate.siei) if candidate.siei else None
        if holder is None or holder.ref == match.ref or match.is_blocked:
            return match
        reason = Reason(ReasonCode.SIEI_ON_TWO_PEOPLE, str(Field.SIEI), candidate.siei)
        return replace(match, reasons=(*match.reasons, reason), drop_siei=True)

    def _by_name_and_birth(self, candidate: Candidate) -> Match:
        namesakes = self._by_name.get((candidate.sort_name, candidate.birth_date))
        if not namesakes:
            return Match(None)
        possible = [person for person in namesakes.values() if not _contradicts(candidate, person)]
        if len(possible) > 1:
            reachable = [person for person in possible if own_contacts(candidate) & person.contacts]
            possible = reachable if len(reachable) == 1 else possible
        if len(possible) == 1:
            return Match(possible[0].ref)
        if possible:
            return Match(
                None, (Reason(ReasonCode.AMBIGUOUS_PERSON, str(Field.FAMILY_NAME)),), is_blocked=True
            )
        return Match(None, (Reason(ReasonCode.POSSIBLE_HOMONYM, str(Field.INE)),))


def agrees(candidate: Candidate, person: Known) -> bool:
    """Whether names and birth date bear out a shared identifier: the first name, and one of the other two."""
    if not _alike(fold(candidate.first_name), fold(person.first_name)):
        return False
    names = [person.family_name, person.usual_name]
    family = any(_alike(fold(candidate.family_name), fold(name)) for name in names if name)
    return family or candidate.birth_date == person.birth_date


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    if set(one.split()) <= set(other.split()) or set(other.split()) <= set(one.split()):
        return True
    joined, other_joined = one.replace(" ", ""), other.replace(" ", "")
    return joined == other_joined or SequenceMatcher(None, joined, other_joined).ratio() >= _ALIKE


def _contradicts(candidate: Candidate, person: Known) -> bool:
    """Two INEs of one form are two people; of two forms too, unless an own number or address is shared."""
    if candidate.ine is None or not person.ines or candidate.ine in person.ines:
        return False
    if any(ine_form(candidate.ine) == ine_form(ine) for ine in person.ines):
        return True
    return not own_contacts(candidate) & person.contacts


def own_contacts(candidate: Candidate) -> frozenset[str]:
    """The young person's own numbers and e-mail address."""
    own = {n.e164 for n in candidate.numbers if n.owner is NumberOwner.YOUNG_PERSON}
    return frozenset(own | ({candidate.email} if candidate.email else set()))


def known_from(candidate: Candidate, ref: int) -> Known:
    """A candidate as somebody known from now on."""
    return Known(
        ref=ref,
        family_name=candidate.family_name,
        first_name=candidate.first_name,
        usual_name=candidate.usual_name,
        birth_date=candidate.birth_date,
        sort_name=candidate.sort_name,
        ines=frozenset([candidate.ine] if candidate.ine else []),
        sieis=frozenset([candidate.siei] if candidate.siei else []),
        contacts=own_contacts(candidate),
    )


# ---- two records that may be one person, for somebody to look at


@dataclass(frozen=True, slots=True)
class Record:
    """What two records are compared by; `name` has its words in order, so that swapped names read the same."""

    person_id: int
    family_name: str
    first_name: str
    birth_date: date
    ines: frozenset[str]
    contacts: frozenset[str]
    """Own numbers and e-mail address."""

    @property
    def name(self) -> str:
        """Every word of the name, in alphabetical order."""
        return " ".join(sorted({*self.family_name.split(), *self.first_name.split()}))


def likeness(one: Record, other: Record) -> Likeness | None:
    """Why two records look like one person, or None; names are folded. A proposal, never a merge.

    Twins and siblings share much, never a first name. Two INEs of one form are two people, unless they differ by
    one slip of a key; nothing but names and birth dates is asked of records that have no INE in conflict.
    """
    if _are_twins(one, other) or _hold_two_ines(one, other) or _digits(one) != _digits(other):
        return None
    if one.birth_date != other.birth_date:
        same = one.name == other.name and bool(one.contacts & other.contacts)
        return Likeness.OTHER_BIRTH_DATE if same and _one_slip(one.birth_date, other.birth_date) else None
    if (one.family_name, one.first_name) == (other.family_name, other.first_name):
        return Likeness.SAME_NAME_OTHER_INE
    if one.name == other.name:
        return Likeness.NAMES_SWAPPED
    first = _close(one.first_name, other.first_name, _CLOSE_FIRST_NAMES)
    if first and _close(one.family_name, other.family_name, _ALIKE):
        return Likeness.ALIKE_NAME
    return None


def _are_twins(one: Record, other: Record) -> bool:
    """Same family, first names that are not spellings of one: two children, whatever they share."""
    if one.family_name != other.family_name:
        return False
    return not _close(one.first_name, other.first_name, _CLOSE_FIRST_NAMES)


def _hold_two_ines(one: Record, other: Record) -> bool:
    for mine in one.ines:
        for theirs in other.ines:
            if ine_form(mine) == ine_form(theirs) and mine != theirs:
                slips = sum(a != b for a, b in zip(mine, theirs, strict=False))
                if slips > 1 or not one.contacts & other.contacts:
                    return True
    return False


def _digits(record: Record) -> list[str]:
    """Figures in a name are not a slip of the key: Essai 1 and Essai 2 are two."""
    return [c for c in record.family_name + record.first_name if c.isdigit()]


def _one_slip(one: date, other: date) -> bool:
    """Whether two birth dates differ by one digit, or by day and month taken for each other."""
    mine, theirs = f"{one:%d%m%Y}", f"{other:%d%m%Y}"
    swapped = (one.year, one.month, one.day) == (other.year, other.day, other.month)
    return swapped or sum(a != b for a, b in zip(mine, theirs, strict=True)) == 1


def _close(one: str, other: str, at_least: float) -> bool:
    if one == other:
        return True
    joined, others = one.replace(" ", ""), other.replace(" ", "")
    shorter, longer = sorted((set(one.split()), set(other.split())), key=len)
    if joined == others or shorter < longer:
        return True
    matcher = SequenceMatcher(None, joined, others)
    return (
        matcher.real_quick_ratio() >= at_least
        and matcher.quick_ratio() >= at_least
        and matcher.ratio() >= at_least
    )


_ALWAYS_SAID = {"family_name", "first_name", "birth_date", "sort_name", "guardians", "numbers", "more_ines"}
_MAY_BE_BLANK = tuple(f.name for f in fields(Candidate) if f.name not in _ALWAYS_SAID)


def merge(first: Candidate, second: Candidate) -> Candidate:
    """Two rows of one person as one: the first stands, the second fills its blanks and adds its numbers."""
    blanks = {name: getattr(second, name) for name in _MAY_BE_BLANK if getattr(first, name) is None}
    if first.school is not None or first.uai is not None:
        for name in ("uai", "school", "school_commune"):
            blanks.pop(name, None)
    numbers: dict[str, CandidateNumber] = {n.e164: n for n in second.numbers} | {
        n.e164: n for n in first.numbers
    }
    order = dict.fromkeys([n.e164 for n in (*first.numbers, *second.numbers)])
    guardians: dict[int, CandidateGuardian] = {g.rank: g for g in (*second.guardians, *first.guardians)}
    return replace(
        first,
        **blanks,
        numbers=tuple(numbers[e164] for e164 in order),
        more_ines=tuple(
            dict.fromkeys(
                ine
                for ine in (*first.more_ines, second.ine, *second.more_ines)
                if ine and ine != (first.ine or second.ine)
            )
        ),
        guardians=tuple(guardians[rank] for rank in sorted(guardians)),
    )
