"""Records that look like one person, found after each import and proposed to somebody who can tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, sessionmaker

from callcentre.bulk import in_parts, insert_rows, with_room
from callcentre.database import reading, writing
from callcentre.errors import NotFound
from callcentre.intake.kinds import Fate, ListState
from callcentre.intake.matching import Record, likeness
from callcentre.intake.models import ListFile, ListRow
from callcentre.people.kinds import IdKind, Likeness, NumberOwner, PairState
from callcentre.people.merges import kept_of
from callcentre.people.models import DuplicatePair, NationalId, PersonNumber, PhoneNumber, YoungPerson
from callcentre.people.names import fold

_DATES_AT_ONCE = 100
"""Birth dates compared in one step: some thousand records at a hundred thousand people."""
_EDGE = 4
"""Letters at the beginning or the end of a name that are rarely mistyped both at once."""
_CROWD, _NEIGHBOURS = 300, 6
"""Above so many people born on one day, each is compared with this many neighbours only: time stays in proportion."""


@dataclass(frozen=True, slots=True)
class _Key:
    """What is enough to see that two records cannot be one."""

    id: int
    words: frozenset[str]
    letters: str
    family_name: str
    first_name: str
    birth_date: date

    @property
    def record(self) -> Record:
        """What their names say, without the numbers that can only tell two people apart."""
        names = fold(self.family_name), fold(self.first_name)
        return Record(self.id, *names, self.birth_date, frozenset(), frozenset())


def compare_list(sessions: sessionmaker[Session], list_file_id: int, *, now: datetime) -> int:
    """Propose the people whom a list brought and who look like somebody known; return how many pairs are new.

    Steps of its own, after the import: cut off, it begins again and finds the same pairs.
    """
    with reading(sessions) as session:
        file = session.execute(
            select(ListFile.state, ListFile.compared_at).where(ListFile.id == list_file_id)
        ).one()
        if file.state != ListState.IMPORTED or file.compared_at is not None:
            return 0
        new, dates = _brought(session, list_file_id)
    found = 0
    for start in range(0, len(dates), _DATES_AT_ONCE):
        with reading(sessions) as session:
            by_date = _keys(with_room(session), dates[start : start + _DATES_AT_ONCE])
            pairs = list(_alike(session, by_date, new))
        if pairs:
            with writing(sessions) as session:
                found += propose(session, pairs, now=now)
    with writing(sessions) as session:
        found += propose(session, _sharing_contacts(with_room(session), list_file_id), now=now)
        row = session.get(ListFile, list_file_id)
        if row is not None and row.state == ListState.IMPORTED:
            row.compared_at = now
    return found


def compare_person(session: Session, person_id: int, *, now: datetime) -> int:
    """Propose those who look like one person, typed by hand or corrected."""
    born = session.scalar(select(YoungPerson.birth_date).where(YoungPerson.id == person_id))
    if born is None:
        return 0
    pairs = _alike(session, _keys(session, [born]), {person_id})
    return propose(session, list(pairs), now=now)


def propose(session: Session, pairs: Sequence[tuple[int, int, Likeness]], *, now: datetime) -> int:
    """Put pairs into the queue, except those that somebody has settled or that wait there already."""
    wanted = {(one, other): why for one, other, why in pairs}
    known: set[tuple[int, int]] = set()
    for part in in_parts({one for one, _ in wanted}):
        query = select(DuplicatePair.one_id, DuplicatePair.other_id).where(DuplicatePair.one_id.in_(part))
        known |= {(one, other) for one, other in session.execute(query)}
    rows = [
        {"one_id": pair[0], "other_id": pair[1], "state": str(PairState.OPEN), "reason": str(why),
         "found_at": now, "settled_at": None, "settled_by": None}
        for pair, why in sorted(wanted.items())
        if pair not in known
    ]  # fmt: skip
    insert_rows(session, DuplicatePair.__table__, rows, skip_known=True)
    return len(rows)


def propose_by_hand(session: Session, one_id: int, other_id: int, *, now: datetime) -> int:
    """Put two records that somebody compared into the queue, again if they were kept apart; return the pair's id."""
    first, second = sorted((one_id, other_id))
    if len(_records(session, (first, second))) < 2:
        raise NotFound("Une de ces fiches n’existe pas.")
    pair = session.scalar(
        select(DuplicatePair).where(DuplicatePair.one_id == first, DuplicatePair.other_id == second)
    )
    if pair is None:
        pair = DuplicatePair(
            one_id=first, other_id=second, state=PairState.OPEN, reason=Likeness.CHOSEN, found_at=now
        )
        session.add(pair)
    elif pair.state == PairState.DISTINCT:
        pair.state, pair.settled_at, pair.settled_by = PairState.OPEN, None, None
    session.flush()
    return pair.id


def _brought(session: Session, list_file_id: int) -> tuple[set[int], list[date]]:
    """The people whom a list created, and their birth dates in order."""
    rows = session.execute(
        select(YoungPerson.id, YoungPerson.birth_date)
        .join(ListRow, ListRow.person_id == YoungPerson.id)
        .where(ListRow.list_file_id == list_file_id, ListRow.fate == Fate.CREATED)
    ).all()
    return {person_id for person_id, _ in rows}, sorted({born for _, born in rows})


def _keys(session: Session, dates: Sequence[date]) -> dict[date, list[_Key]]:
    """Everybody born on these days, by day, with what excludes most pairs at once."""
    found: defaultdict[date, list[_Key]] = defaultdict(list)
    query = select(
        YoungPerson.id,
        YoungPerson.birth_date,
        YoungPerson.sort_name,
        YoungPerson.family_name,
        YoungPerson.first_name,
    ).where(YoungPerson.birth_date.in_(dates))
    for person_id, born, name, family, first in session.execute(query):
        found[born].append(
            _Key(person_id, frozenset(name.split()), name.replace(" ", ""), family, first, born)
        )
    return found


def _alike(
    session: Session, by_date: dict[date, list[_Key]], new: Collection[int]
) -> Iterator[tuple[int, int, Likeness]]:
    maybe = {
        (min(one.id, other.id), max(one.id, other.id))
        for keys in by_date.values()
        for one, other in _within(keys)
        if (one.id in new or other.id in new) and _maybe(one, other)
    }
    yield from _judged(session, sorted(maybe))


def _within(keys: Sequence[_Key]) -> Iterator[tuple[_Key, _Key]]:
    """The pairs of a day with anything in common; of a crowd's day (01/01), only neighbours in two alphabets."""
    if len(keys) <= _CROWD:
        sharing: defaultdict[str, list[_Key]] = defaultdict(list)
        for key in keys:
            for part in {*key.words, f"^{key.letters[:_EDGE]}", f"{key.letters[-_EDGE:]}$"}:
                sharing[part].append(key)
        for some in sharing.values():
            yield from combinations(some, 2)
        return
    for order in (
        sorted(keys, key=lambda key: (key.letters, key.id)),
        sorted(keys, key=lambda key: (sorted(key.words), key.id)),
    ):
        for at, one in enumerate(order):
            for other in order[at + 1 : at + 1 + _NEIGHBOURS]:
                yield one, other


def _maybe(one: _Key, other: _Key) -> bool:
    """Whether the names alone may be one person's."""
    return _resemble(one, other) and likeness(one.record, other.record) is not None


def _resemble(one: _Key, other: _Key) -> bool:
    """Nearly the same words, or nearly the same letters: all others are strangers born on one day."""
    mine, theirs = one.words - other.words, other.words - one.words
    if not mine or not theirs:
        return True
    if len(mine) < len(one.words):
        return any(a[:2] == b[:2] or a[-3:] == b[-3:] for a in mine for b in theirs)
    return one.letters[:_EDGE] == other.letters[:_EDGE] or one.letters[-_EDGE:] == other.letters[-_EDGE:]


def _sharing_contacts(session: Session, list_file_id: int) -> list[tuple[int, int, Likeness]]:
    """Pairs of one name who share an own number and whose birth dates differ by a slip."""
    mine, theirs = aliased(PersonNumber), aliased(PersonNumber)
    one, other = aliased(YoungPerson), aliased(YoungPerson)
    own = NumberOwner.YOUNG_PERSON
    query = (
        select(one.id, other.id, one.sort_name, other.sort_name)
        .join(ListRow, ListRow.person_id == one.id)
        .join(mine, mine.person_id == one.id)
        .join(theirs, theirs.number_id == mine.number_id)
        .join(other, other.id == theirs.person_id)
        .where(
            ListRow.list_file_id == list_file_id,
            ListRow.fate == Fate.CREATED,
            other.id != one.id,
            other.birth_date != one.birth_date,
            func.length(other.sort_name) == func.length(one.sort_name),
            mine.owner == own,
            theirs.owner == own,
        )
    )
    pairs = {
        (min(mine_id, their_id), max(mine_id, their_id))
        for mine_id, their_id, name, their_name in session.execute(query)
        if set(name.split()) == set(their_name.split())
    }
    return list(_judged(session, sorted(pairs)))


def _judged(session: Session, pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, Likeness]]:
    if not pairs:
        return
    records = _records(session, {person_id for pair in pairs for person_id in pair})
    for one, other in pairs:
        if one in records and other in records:
            why = likeness(records[one], records[other])
            if why is not None:
                yield one, other, why


def _records(session: Session, ids: Collection[int]) -> dict[int, Record]:
    """What these people are compared by; a record that was merged away is nobody."""
    gone = kept_of(session, ids)
    ines: defaultdict[int, set[str]] = defaultdict(set)
    contacts: defaultdict[int, set[str]] = defaultdict(set)
    found: dict[int, Record] = {}
    for part in in_parts(set(ids) - set(gone)):
        held = select(NationalId.person_id, NationalId.value).where(
            NationalId.person_id.in_(part), NationalId.kind == IdKind.INE
        )
        for person_id, value in session.execute(held):
            ines[person_id].add(value)
        own = (
            select(PersonNumber.person_id, PhoneNumber.e164)
            .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
            .where(PersonNumber.person_id.in_(part), PersonNumber.owner == NumberOwner.YOUNG_PERSON)
        )
        for person_id, e164 in session.execute(own):
            contacts[person_id].add(e164)
        people = select(
            YoungPerson.id,
            YoungPerson.family_name,
            YoungPerson.first_name,
            YoungPerson.birth_date,
            YoungPerson.email,
        ).where(YoungPerson.id.in_(part))
        for person_id, family, first, born, email in session.execute(people):
            known = contacts[person_id] | ({email} if email else set())
            found[person_id] = Record(
                person_id, fold(family), fold(first), born, frozenset(ines[person_id]), frozenset(known)
            )
    return found
