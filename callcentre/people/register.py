"""Creating and updating young people from candidates, many at a time.

An empty cell never erases, what an officer verified beats the list, and the same candidate twice equals once.
Comparing is pure (`callcentre.people.comparing`) and shared by the check and by the writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from callcentre.bulk import insert_rows
from callcentre.directory.models import School
from callcentre.people.candidates import Candidate, CandidateGuardian, CandidateNumber
from callcentre.people.comparing import (
    GUARDIAN,
    PLAIN,
    Differences,
    FieldChange,
    LinkState,
    PersonState,
    before,
    compare,
    ids_of,
    school_of,
    told,
)
from callcentre.people.kinds import NumberVerdict
from callcentre.people.models import Guardian, NationalId, PersonNumber, PhoneNumber, YoungPerson
from callcentre.people.names import fold
from callcentre.people.numbers import dead_among

_NOTHING: dict[str, Any] = {}
"""One object for every row, so that it is written as JSON once."""
_VALUES_IN_A_STATEMENT = 900
"""Well below what either database accepts in one statement."""


class Change(StrEnum):
    """What registering a candidate did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A candidate to register: as somebody new, or onto a known person (`person_id`).

    `only_blanks` fills what is missing and changes nothing else (a second row of the same list).
    """

    candidate: Candidate
    zone: str
    person_id: int | None = None
    only_blanks: bool = False


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of an arrival; `changed` names fields, `kept` those that an officer had verified.

    `differences` tells old and new of each, `before` what would put everything back. `gives_number`: a number to call
    came that a known person did not have.
    """

    person_id: int
    change: Change
    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    differences: tuple[FieldChange, ...] = ()
    before: dict[str, Any] = field(default_factory=dict)
    gives_number: bool = False


# ---- reading what is known


def load_states(session: Session, person_ids: Iterable[int]) -> dict[int, PersonState]:
    """What is known of these people, in a handful of statements."""
    ids = sorted(set(person_ids))
    states: dict[int, PersonState] = {}
    columns = ("family_name", "first_name", "birth_date", "zone", *PLAIN)
    person, school = YoungPerson.__table__, School.__table__
    for part in _parts(ids):
        query = (
            select(
                person.c.id,
                person.c.verified,
                person.c.school_id,
                school.c.uai,
                school.c.name,
                *(person.c[c] for c in columns),
            )
            .select_from(person.outerjoin(school, school.c.id == person.c.school_id))
            .where(person.c.id.in_(part))
        )
        for row in session.execute(query).mappings():
            known = None if row["name"] is None else (row["uai"], row["name"])
            states[row["id"]] = PersonState(
                row["id"],
                {c: row[c] for c in columns},
                frozenset(row["verified"] or {}),
                known,
                row["school_id"],
            )
        _load_ids(session, states, part)
        _load_guardians(session, states, part)
        _load_numbers(session, states, part)
    return states


def _load_ids(session: Session, states: Mapping[int, PersonState], part: Sequence[int]) -> None:
    query = select(NationalId.person_id, NationalId.kind, NationalId.value)
    for person_id, kind, value in session.execute(query.where(NationalId.person_id.in_(part))):
        states[person_id].ids.add((kind, value))


def _load_guardians(session: Session, states: Mapping[int, PersonState], part: Sequence[int]) -> None:
    query = select(
        Guardian.person_id, Guardian.rank, Guardian.id, *(getattr(Guardian, name) for name in GUARDIAN)
    ).where(Guardian.person_id.in_(part))
    for person_id, rank, guardian_id, *names in session.execute(query):
        states[person_id].guardians[rank] = {"id": guardian_id, **dict(zip(GUARDIAN, names, strict=True))}


def _load_numbers(session: Session, states: Mapping[int, PersonState], part: Sequence[int]) -> None:
    query = (
        select(
            PersonNumber.person_id,
            PhoneNumber.e164,
            PersonNumber.id,
            PersonNumber.owner,
            PersonNumber.callable,
            PersonNumber.source,
            PersonNumber.why_not,
        )
        .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
        .where(PersonNumber.person_id.in_(part))
    )
    for person_id, e164, link_id, owner, callable_, source, why_not in session.execute(query):
        states[person_id].numbers[e164] = LinkState(link_id, owner, callable_, source, why_not)


def _parts(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), _VALUES_IN_A_STATEMENT):
        yield values[start : start + _VALUES_IN_A_STATEMENT]


# ---- writing


def register(
    session: Session,
    candidate: Candidate,
    *,
    zone: str,
    now: datetime,
    person_id: int | None = None,
    source: str = "list",
) -> Registered:
    """Create one person, or update the known one; see `register_many`."""
    return register_many(session, [Arrival(candidate, zone, person_id)], now=now, source=source)[0]


def register_many(
    session: Session, arrivals: Sequence[Arrival], *, now: datetime, source: str = "list"
) -> list[Registered]:
    """Create or update many people at once; the caller has matched them and owns the transaction.

    An arrival's person must not appear twice among the arrivals.
    """
    states = load_states(session, [a.person_id for a in arrivals if a.person_id is not None])
    numbers = number_ids(session, [n for a in arrivals for n in a.candidate.numbers])
    writer = _Writer(session, numbers, now, source)
    created = iter(writer.create([a for a in arrivals if a.person_id is None]))
    results = []
    for arrival in arrivals:
        if arrival.person_id is None:
            results.append(Registered(next(created), Change.CREATED))
            continue
        state = states[arrival.person_id]
        differences = compare(state, arrival.candidate, zone=arrival.zone, only_blanks=arrival.only_blanks)
        writer.update(state, differences)
        results.append(registered(state, differences))
    writer.finish()
    return results


def registered(state: PersonState, differences: Differences) -> Registered:
    """What applying differences to a person did, or would do."""
    change = Change.UPDATED if differences.changed else Change.UNCHANGED
    return Registered(
        state.id,
        change,
        differences.changed,
        differences.kept,
        told(state, differences),
        before(state, differences),
        differences.gives_number,
    )


def number_ids(session: Session, numbers: Iterable[CandidateNumber]) -> dict[str, int]:
    """The ids of these numbers, each made once whoever uses it."""
    kinds = {number.e164: number.kind for number in numbers}
    insert_rows(
        session,
        PhoneNumber.__table__,
        [{"e164": e164, "reversed_digits": e164[:0:-1], "kind": kind} for e164, kind in kinds.items()],
        skip_known=True,
    )
    return _find_numbers(session, list(kinds))


def _find_numbers(session: Session, e164s: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in _parts(e164s):
        query = select(PhoneNumber.e164, PhoneNumber.id).where(PhoneNumber.e164.in_(part))
        found.update({row.e164: row.id for row in session.execute(query)})
    return found


class _Writer:
    """Gathers rows and writes each table once."""

    def __init__(self, session: Session, numbers: Mapping[str, int], now: datetime, source: str) -> None:
        self._session, self._numbers, self._now, self._source = session, numbers, now, source
        self._schools: dict[tuple[str | None, str], int] = {}
        self._ids: list[dict[str, Any]] = []
        self._links: list[dict[str, Any]] = []
        self._updates: list[dict[str, Any]] = []

    def create(self, arrivals: Sequence[Arrival]) -> list[int]:
        """Insert new people with all that is theirs; return their ids in order."""
        if not arrivals:
            return []
        self._load_schools([arrival.candidate for arrival in arrivals])
        ids = self._insert_people([self._person(arrival) for arrival in arrivals])
        guardians = self._insert_guardians(
            [
                (person, guardian)
                for person, a in zip(ids, arrivals, strict=True)
                for guardian in a.candidate.guardians
            ]
        )
        for person_id, arrival in zip(ids, arrivals, strict=True):
            self._add_ids(person_id, ids_of(arrival.candidate))
            self._add_links(person_id, arrival.candidate.numbers, guardians, first=0)
        return ids

    def update(self, state: PersonState, differences: Differences) -> None:
        """Write what a candidate changes of a known person."""
        if not differences.changed:
            return
        values = dict(differences.values)
        if differences.school is not None:
            self._find_schools({differences.school})
            values["school_id"] = self._school(differences.school, None)
        self._session.execute(
            update(YoungPerson.__table__)  # type: ignore[arg-type]
            .where(YoungPerson.__table__.c.id == state.id)
            .values(**values, updated_at=self._now)
        )
        self._add_ids(state.id, differences.new_ids)
        guardians = {(state.id, rank): known["id"] for rank, known in state.guardians.items()}
        guardians |= self._write_guardians(state, differences.guardians)
        guardians |= {
            (state.id, said): guardians[state.id, rank]
            for said, rank in differences.ranks.items()
            if (state.id, rank) in guardians
        }
        self._add_links(state.id, differences.new_numbers, guardians, first=len(state.numbers))
        for link_id, why_not in differences.barred_numbers:
            self._session.execute(
                update(PersonNumber).where(PersonNumber.id == link_id).values(callable=False, why_not=why_not)
            )

    def finish(self) -> None:
        """Write the gathered rows; a number that is dead is so for whoever a list now brings it for."""
        dead = dead_among(self._session, {link["number_id"] for link in self._links})
        for link in self._links:
            if link["number_id"] in dead:
                link["verdict"], link["verdict_at"] = str(NumberVerdict.DEAD), self._now
        insert_rows(self._session, NationalId.__table__, self._ids)
        insert_rows(self._session, PersonNumber.__table__, self._links)

    def _insert_people(self, rows: Sequence[dict[str, Any]]) -> list[int]:
        """Insert people in few statements and return their ids in order.

        Keys grow in the order of the values on both databases. Asking for them by RETURNING costs several times
        as much as reading back what came after the newest, which is then compared with what was sent.
        """
        table = YoungPerson.__table__
        newest = self._session.scalar(select(func.max(table.c.id))) or 0
        insert_rows(self._session, table, rows)
        query = (
            select(table.c.id, table.c.sort_name, table.c.birth_date)
            .where(table.c.id > newest, table.c.created_at == self._now)
            .order_by(table.c.id)
        )
        made = self._session.execute(query).all()
        wanted = [(row["sort_name"], row["birth_date"]) for row in rows]
        if [(name, birth) for _, name, birth in made] != wanted:
            raise RuntimeError("the database numbered new people in another order than they were sent in")
        return [row_id for row_id, _, _ in made]

    def _person(self, arrival: Arrival) -> dict[str, Any]:
        candidate = arrival.candidate
        school = school_of(candidate)
        return {
            "family_name": candidate.family_name,
            "first_name": candidate.first_name,
            "sort_name": candidate.sort_name,
            "birth_date": candidate.birth_date,
            "zone": arrival.zone,
            "school_id": None if school is None else self._school(school, candidate.school_commune),
            "verified": _NOTHING,
            "language": None,
            "created_at": self._now,
            "updated_at": self._now,
            **{name: getattr(candidate, name) for name in PLAIN},
        }

    def _load_schools(self, candidates: Sequence[Candidate]) -> None:
        """Find the schools of many candidates at once."""
        self._find_schools({school for school in map(school_of, candidates) if school is not None})

    def _find_schools(self, said: set[tuple[str | None, str]]) -> None:
        for part in _parts(sorted({uai for uai, _ in said if uai is not None})):
            query = select(School.uai, School.id).where(School.uai.in_(part)).order_by(School.id)
            for uai, row_id in self._session.execute(query):
                self._schools.setdefault((uai, ""), row_id)
        if any(uai is None for uai, _ in said):
            unnamed = select(School.name, School.id).where(School.uai.is_(None)).order_by(School.id)
            for name, row_id in self._session.execute(unnamed):
                self._schools.setdefault((None, fold(name)), row_id)

    def _school(self, school: tuple[str | None, str], commune: str | None) -> int:
        """The id of a school, by its code, else by its name; made when nobody came from it yet."""
        uai, name = school
        key = (uai, fold(name) if uai is None else "")
        if key not in self._schools:
            made = School(uai=uai, name=name, commune=commune)
            self._session.add(made)
            self._session.flush()
            self._schools[key] = made.id
        return self._schools[key]

    def _insert_guardians(
        self, guardians: Sequence[tuple[int, CandidateGuardian]]
    ) -> dict[tuple[int, int], int]:
        if not guardians:
            return {}
        table = Guardian.__table__
        insert_rows(
            self._session,
            table,
            [
                {"person_id": person_id, "rank": g.rank, **{name: getattr(g, name) for name in GUARDIAN}}
                for person_id, g in guardians
            ],
        )
        made: dict[tuple[int, int], int] = {}
        for part in _parts(sorted({person_id for person_id, _ in guardians})):
            query = select(table.c.person_id, table.c.rank, table.c.id).where(table.c.person_id.in_(part))
            made |= {(person_id, rank): row_id for person_id, rank, row_id in self._session.execute(query)}
        return made

    def _write_guardians(
        self, state: PersonState, guardians: Sequence[CandidateGuardian]
    ) -> dict[tuple[int, int], int]:
        for guardian in guardians:
            if guardian.rank in state.guardians:
                said = {name: getattr(guardian, name) for name in GUARDIAN}
                self._session.execute(
                    update(Guardian)
                    .where(Guardian.id == state.guardians[guardian.rank]["id"])
                    .values(**{name: value for name, value in said.items() if value is not None})
                )
        return self._insert_guardians([(state.id, g) for g in guardians if g.rank not in state.guardians])

    def _add_ids(self, person_id: int, ids: Iterable[tuple[str, str]]) -> None:
        self._ids += [
            {"person_id": person_id, "kind": kind, "value": value, "added_at": self._now}
            for kind, value in ids
        ]

    def _add_links(
        self,
        person_id: int,
        numbers: Sequence[CandidateNumber],
        guardians: Mapping[tuple[int, int], int],
        *,
        first: int,
    ) -> None:
        self._links += [
            {
                "person_id": person_id,
                "number_id": self._numbers[number.e164],
                "owner": str(number.owner),
                "guardian_id": guardians.get((person_id, number.guardian_rank or 0)),
                "label": number.label,
                "position": first + order,
                "callable": number.callable,
                "why_not": number.why_not,
                "verdict": str(NumberVerdict.UNVERIFIED),
                "verdict_at": None,
                "source": self._source,
                "added_at": self._now,
            }
            for order, number in enumerate(numbers)
        ]
