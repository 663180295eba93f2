"""What each row would do: its candidate matched with those known, in this file and before. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.bulk import in_parts
from callcentre.intake.candidates import ReadRow, Rejection
from callcentre.intake.kinds import Fate
from callcentre.intake.matching import Acquaintances, Known, Match, known_from, merge
from callcentre.intake.models import ListRow
from callcentre.intake.reasons import Reason, ReasonCode
from callcentre.people.candidates import Candidate
from callcentre.people.kinds import IdKind, NumberOwner
from callcentre.people.merges import kept_of
from callcentre.people.models import NationalId, PersonNumber, PhoneNumber, YoungPerson

_OPEN_FATES = (Fate.CREATED, Fate.UPDATED, Fate.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Decision:
    """A row with its fate so far; `ref` tells whose group it belongs to, None when it concerns nobody yet.

    The fate of a group's first row is only known once the group is compared or written: it is None here.
    """

    row: ReadRow
    ref: int | None
    fate: Fate | None
    reasons: tuple[Reason, ...]


@dataclass(slots=True)
class Group:
    """Everything that a chunk of rows says of one person; `ref` is their id, or negative for somebody new.

    `only_blanks`: what is known stands, only blanks are filled. `is_repeated`: an earlier row of this file, already
    written, spoke of them.
    """

    ref: int
    candidate: Candidate
    only_blanks: bool = False
    is_repeated: bool = False

    @property
    def person_id(self) -> int | None:
        """The id of the known person, None for somebody new."""
        return self.ref if self.ref > 0 else None


@dataclass(slots=True)
class Chunk:
    """Rows decided together: what each becomes, and the people they speak of."""

    decisions: list[Decision] = field(default_factory=list)
    groups: dict[int, Group] = field(default_factory=dict)


class Decider:
    """Decides rows in order; remembers the people met: a file's second row about one is a duplicate."""

    def __init__(self, session: Session, *, list_file_id: int | None, only_blanks: bool = False) -> None:
        self._session = session
        self._only_blanks = only_blanks
        self._list_file_id = list_file_id
        self._acquaintances = Acquaintances()
        self._first_rows: dict[int, str] = {}
        self._next_ref = -1

    def decide(self, rows: Sequence[ReadRow]) -> Chunk:
        """Decide the next rows of the file."""
        candidates = [row.outcome for row in rows if isinstance(row.outcome, Candidate)]
        known = load_known(self._session, candidates)
        for person in known:
            self._acquaintances.add(person)
        self._first_rows |= self._rows_of_this_file([person.ref for person in known])
        chunk = Chunk()
        for row in rows:
            chunk.decisions.append(self._decide(row, chunk))
        return chunk

    def match(self, candidate: Candidate) -> Match:
        """Say who one candidate is among those known."""
        for person in load_known(self._session, [candidate]):
            self._acquaintances.add(person)
        return self._acquaintances.find(candidate)

    def _decide(self, row: ReadRow, chunk: Chunk) -> Decision:
        if isinstance(row.outcome, Rejection):
            fate = Fate.IGNORED if row.outcome.is_ignored else Fate.QUARANTINED
            return Decision(row, None, fate, (*row.outcome.reasons, *row.remarks))
        match = self._acquaintances.find(row.outcome)
        if match.is_blocked:
            return Decision(row, None, Fate.QUARANTINED, (*match.reasons, *row.remarks))
        candidate = replace(row.outcome, siei=None) if match.drop_siei else row.outcome
        reasons = (*match.reasons, *row.remarks)
        ref = match.ref if match.ref is not None else self._new(candidate)
        if match.ref is not None:
            self._acquaintances.learn(ref, candidate)
        if ref in self._first_rows:
            reason = Reason(ReasonCode.DUPLICATE_IN_FILE, None, self._first_rows[ref])
            group = chunk.groups.get(ref)
            if group is None:
                chunk.groups[ref] = Group(ref, candidate, only_blanks=True, is_repeated=True)
            else:
                group.candidate = merge(group.candidate, candidate)
            return Decision(row, ref, Fate.DUPLICATE, (reason, *reasons))
        self._first_rows[ref] = row_label(row.sheet, row.number)
        chunk.groups[ref] = Group(ref, candidate, only_blanks=self._only_blanks)
        return Decision(row, ref, None, reasons)

    def _new(self, candidate: Candidate) -> int:
        ref = self._next_ref
        self._next_ref -= 1
        self._acquaintances.add(known_from(candidate, ref))
        return ref

    def _rows_of_this_file(self, person_ids: Collection[int]) -> dict[int, str]:
        """The first row of this file about each person, for those whom an earlier chunk has met."""
        met: dict[int, str] = {}
        if self._list_file_id is None:
            return met
        for part in in_parts(person_ids):
            query = select(ListRow.person_id, ListRow.sheet, ListRow.row_number).where(
                ListRow.list_file_id == self._list_file_id,
                ListRow.person_id.in_(part),
                ListRow.fate.in_(_OPEN_FATES),
            )
            for person_id, sheet, number in self._session.execute(query):
                if person_id is not None:
                    met.setdefault(person_id, row_label(sheet, number))
        return met


def row_label(sheet: str, number: int) -> str:
    """How a row is called in words: its number, after its sheet when there is one."""
    return f"{sheet} {number}" if sheet else str(number)


def load_known(session: Session, candidates: Iterable[Candidate]) -> list[Known]:
    """The people in the database whom any of these candidates may be."""
    candidates = list(candidates)
    ids: set[int] = set()
    for kind, said in (
        (IdKind.INE, {c.ine for c in candidates}),
        (IdKind.SIEI, {c.siei for c in candidates}),
    ):
        for part in _parts(value for value in said if value):
            query = select(NationalId.person_id).where(NationalId.kind == kind, NationalId.value.in_(part))
            ids.update(session.scalars(query))
    births = {(c.sort_name, c.birth_date) for c in candidates}
    for part in _parts(name for name, _ in births):
        rows = session.execute(
            select(YoungPerson.id, YoungPerson.sort_name, YoungPerson.birth_date).where(
                YoungPerson.sort_name.in_(part)
            )
        )
        ids.update(person_id for person_id, name, birth in rows if (name, birth) in births)
    return _known(session, ids)


def _parts(said: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(set(said))
    for start in range(0, len(ordered), 500):
        yield ordered[start : start + 500]


def _known(session: Session, found: Collection[int]) -> list[Known]:
    """These people; a record that was merged into another speaks of that one, under its own spelling."""
    stands_for = kept_of(session, found)
    ids = {*found, *stands_for.values()}
    held = _held(session, ids)
    known: list[Known] = []
    for part in in_parts(ids):
        people = select(
            YoungPerson.id,
            YoungPerson.family_name,
            YoungPerson.first_name,
            YoungPerson.usual_name,
            YoungPerson.birth_date,
            YoungPerson.sort_name,
            YoungPerson.email,
        ).where(YoungPerson.id.in_(part))
        for person_id, family, first, usual, birth, sort, email in session.execute(people):
            ref = stands_for.get(person_id, person_id)
            theirs = held[ref]
            contacts = theirs["contact"] | ({email} if email else set())
            known.append(
                Known(
                    ref=ref,
                    family_name=family,
                    first_name=first,
                    usual_name=usual,
                    birth_date=birth,
                    sort_name=sort,
                    ines=frozenset(theirs[IdKind.INE]),
                    sieis=frozenset(theirs[IdKind.SIEI]),
                    contacts=frozenset(contacts),
                )
            )
    return known


def _held(session: Session, ids: Collection[int]) -> defaultdict[int, defaultdict[str, set[str]]]:
    """The identifiers and the own numbers of people."""
    held: defaultdict[int, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for part in in_parts(ids):
        query = select(NationalId.person_id, NationalId.kind, NationalId.value)
        for person_id, kind, value in session.execute(query.where(NationalId.person_id.in_(part))):
            held[person_id][kind].add(value)
        own = (
            select(PersonNumber.person_id, PhoneNumber.e164)
            .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
            .where(PersonNumber.person_id.in_(part), PersonNumber.owner == NumberOwner.YOUNG_PERSON)
        )
        for person_id, e164 in session.execute(own):
            held[person_id]["contact"].add(e164)
    return held
