"""Records that look like one person are proposed, never merged; twins, siblings and homonyms are left alone."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from callcentre.database import reading, writing
from callcentre.intake import duplicates
from callcentre.intake.matching import Record, likeness
from callcentre.people import merges
from callcentre.people.kinds import Likeness, PairState
from callcentre.people.models import DuplicatePair, YoungPerson
from callcentre.people.names import fold
from tests.intake import ground
from tests.intake.ground import NOW, csv_list

BORN = date(2008, 2, 14)
MOBILE, OTHER = "06 39 98 00 01", "06 39 98 00 02"


def record(
    family: str = "Martin", first: str = "Léa", born: date = BORN, ine: str = "", contact: str = ""
) -> Record:
    return Record(
        1,
        fold(family),
        fold(first),
        born,
        frozenset([ine] if ine else []),
        frozenset([contact] if contact else []),
    )


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (record(first="Lea"), Likeness.SAME_NAME_OTHER_INE),
        (record(family="Léa", first="Martin"), Likeness.NAMES_SWAPPED),
        (record(family="Martine"), Likeness.ALIKE_NAME),
        (record(family="Martin-Durand"), Likeness.ALIKE_NAME),
        (record(first="Léa-Marie"), Likeness.ALIKE_NAME),
        (record(first="Lina"), None),
        (record(family="Bernard"), None),
        (record(family="Bernard", first="Inès"), None),
        (record(born=date(2008, 2, 15)), None),
    ],
)
def test_who_looks_like_whom(other: Record, why: Likeness | None) -> None:
    assert likeness(record(), other) is why
    assert likeness(other, record()) is why


def test_two_numbers_of_one_form_are_two_people_unless_a_key_slipped() -> None:
    one = record(ine="0123456789A", contact="x")
    assert likeness(one, record(ine="9876543210B", contact="x")) is None
    assert likeness(one, record(ine="0123456788A")) is None
    assert likeness(one, record(ine="0123456788A", contact="x")) is Likeness.SAME_NAME_OTHER_INE
    assert likeness(one, record(ine="012345678AB")) is Likeness.SAME_NAME_OTHER_INE, (
        "an older and a newer number"
    )


def test_a_birth_date_that_slipped_needs_a_number_in_common() -> None:
    one = record(contact="x")
    assert likeness(one, record(born=date(2008, 2, 15), contact="x")) is Likeness.OTHER_BIRTH_DATE
    assert likeness(record(born=date(2008, 2, 3)), record(born=date(2008, 3, 2))) is None
    assert (
        likeness(record(born=date(2008, 2, 3), contact="x"), record(born=date(2008, 3, 2), contact="x"))
        is not None
    )
    assert likeness(one, record(born=date(2006, 5, 1), contact="x")) is None


def pairs(sessions: sessionmaker[Session]) -> list[tuple[str, str, str, str]]:
    with reading(sessions) as session:
        names = {p.id: f"{p.family_name} {p.first_name}" for p in session.scalars(select(YoungPerson))}
        rows = session.scalars(select(DuplicatePair).order_by(DuplicatePair.id))
        return [(names[row.one_id], names[row.other_id], row.reason, row.state) for row in rows]


def test_an_import_proposes_who_looks_alike_and_leaves_families_alone(
    both_sessions: sessionmaker[Session],
) -> None:
    ground.import_list(
        both_sessions,
        csv_list(
            {"Nom": "MARTIN", "Prénom": "Léa", "Portable": MOBILE, "INE": "0123456789A"},
            {"Nom": "MARTIN", "Prénom": "Lina", "Portable": MOBILE, "INE": "0123456790B"},
            {"Nom": "BEN ALI", "Prénom": "Mohamed", "Portable": OTHER},
        ),
    )
    assert pairs(both_sessions) == [], "twins who share a telephone"
    ground.import_list(
        both_sessions,
        csv_list(
            {"Nom": "Léa", "Prénom": "Martin", "Portable": MOBILE},
            {"Nom": "BENALLI", "Prénom": "Mohammed"},
            {"Nom": "BEN ALI", "Prénom": "Mohamed", "Né(e) le": "15/02/2008", "Portable": OTHER},
        ),
        list_date=date(2026, 11, 16),
    )
    found = {(one, other): why for one, other, why, _ in pairs(both_sessions)}
    assert found == {
        ("MARTIN Léa", "Léa Martin"): "names_swapped",
        ("BEN ALI Mohamed", "BENALLI Mohammed"): "alike_name",
        ("BEN ALI Mohamed", "BEN ALI Mohamed"): "other_birth_date",
    }
    assert len(ground.people(both_sessions)) == 6, "nobody is merged by a program"


def test_what_somebody_settled_is_not_proposed_again(sessions: sessionmaker[Session]) -> None:
    ground.import_list(
        sessions, csv_list({"Nom": "BEN ALI", "Prénom": "Mohamed"}, {"Nom": "BENALLI", "Prénom": "Mohamed"})
    )
    with writing(sessions) as session:
        (pair,) = session.scalars(select(DuplicatePair)).all()
        merges.settle_pair(session, pair.one_id, pair.other_id, PairState.DISTINCT, by=None, now=NOW)
        assert duplicates.compare_person(session, pair.one_id, now=NOW) == 0
    assert [state for *_, state in pairs(sessions)] == ["distinct"]


def test_a_crowd_born_on_one_day_is_compared_in_proportion(sessions: sessionmaker[Session]) -> None:
    letters = [a + b + c for a in "BDFGL" for b in "AEIOU" for c in "BCDFGKLMNPRST"]
    people = [
        {"Nom": f"{one}{two}", "Prénom": "Léa"} for one, two in zip(letters, reversed(letters), strict=True)
    ]
    ground.import_list(sessions, csv_list(*people, {"Nom": f"{letters[0]}{letters[-1]}", "Prénom": "Leah"}))
    assert (
        f"{letters[0]}{letters[-1]} Léa",
        f"{letters[0]}{letters[-1]} Leah",
        "alike_name",
        "open",
    ) in pairs(sessions)
