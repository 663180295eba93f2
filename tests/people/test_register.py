"""Registering people: households, guardians who change places, schools, nothing erased."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from callcentre.database import make_engine, make_session_factory, reading, writing
from callcentre.directory.models import School
from callcentre.dispositions import NumberSign
from callcentre.people import numbers
from callcentre.people.candidates import Candidate, CandidateGuardian, CandidateNumber
from callcentre.people.kinds import NumberOwner, NumberVerdict
from callcentre.people.models import Guardian, PersonNumber, PhoneNumber, YoungPerson
from callcentre.people.names import fold, sort_name
from callcentre.people.register import Change, Registered, register

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
MOTHER = CandidateGuardian(1, "MARTIN", "Ana", "MERE")
FATHER = CandidateGuardian(2, "MARTIN", "Paul", "PERE")
LEA = Candidate("MARTIN", "Léa", date(2008, 2, 14), sort_name("MARTIN", "Léa"))


@pytest.fixture
def sessions(database_url: str) -> Iterator[sessionmaker[Session]]:
    """Sessions on a fresh database of each kind."""
    engine = make_engine(database_url)
    yield make_session_factory(engine)
    engine.dispose()


def guardians_number(e164: str, rank: int) -> CandidateNumber:
    return CandidateNumber(e164, "mobile", NumberOwner.GUARDIAN, guardian_rank=rank)


def put(
    sessions: sessionmaker[Session],
    candidate: Candidate,
    person_id: int | None = None,
    zone: str = "Europe/Paris",
) -> Registered:
    with writing(sessions) as session:
        return register(session, candidate, zone=zone, now=NOW, person_id=person_id)


def test_the_same_candidate_twice_equals_once(sessions: sessionmaker[Session]) -> None:
    full = replace(
        LEA,
        ine="140727415UU",
        uai="0139115M",
        school="CLG HENRIETTE FABRE",
        guardians=(MOTHER, FATHER),
        numbers=(guardians_number("+33639981111", 1),),
        exit_date=date(2026, 5, 5),
    )
    first = put(sessions, full)
    assert first.change is Change.CREATED
    assert put(sessions, full, first.person_id).change is Change.UNCHANGED


def test_guardians_who_changed_places_are_the_same_people(sessions: sessionmaker[Session]) -> None:
    first = put(
        sessions, replace(LEA, guardians=(MOTHER, FATHER), numbers=(guardians_number("+33639981111", 1),))
    )
    swapped = replace(
        LEA,
        guardians=(replace(FATHER, rank=1), replace(MOTHER, rank=2)),
        numbers=(guardians_number("+33639981111", 2), guardians_number("+33639982222", 1)),
    )
    assert put(sessions, swapped, first.person_id).changed == ("numbers",)
    with writing(sessions) as session:
        linked = session.execute(
            select(PhoneNumber.e164, Guardian.first_name)
            .join(PersonNumber, PersonNumber.number_id == PhoneNumber.id)
            .join(Guardian, Guardian.id == PersonNumber.guardian_id)
        )
        owners = {row.e164: row.first_name for row in linked}
    assert owners == {"+33639981111": "Ana", "+33639982222": "Paul"}


def test_a_school_is_known_by_its_code_whatever_its_name(sessions: sessionmaker[Session]) -> None:
    first = put(sessions, replace(LEA, uai="0139115M", school="CLG HENRIETTE FABRE"))
    other_name = replace(LEA, uai="0139115M", school="COLLEGE H. FABRE")
    assert put(sessions, other_name, first.person_id).change is Change.UNCHANGED
    put(sessions, replace(LEA, first_name="Max", sort_name="martin max", uai="0139115M"))
    assert put(sessions, replace(LEA, school="LP DU DELTA"), first.person_id).changed == ("school",)
    with writing(sessions) as session:
        assert [(s.uai, s.name) for s in session.scalars(select(School).order_by(School.id))] == [
            ("0139115M", "CLG HENRIETTE FABRE"),
            (None, "LP DU DELTA"),
        ]


def test_moving_overseas_changes_the_zone(sessions: sessionmaker[Session]) -> None:
    first = put(sessions, replace(LEA, postal_code="13001"))
    put(sessions, replace(LEA, postal_code="97400"), first.person_id, zone="Indian/Reunion")
    with writing(sessions) as session:
        assert session.scalar(select(YoungPerson.zone)) == "Indian/Reunion"


def test_saying_nothing_erases_nothing(sessions: sessionmaker[Session]) -> None:
    full = replace(LEA, email="lea@example.com", commune="ARLES", school="LP", guardians=(MOTHER,))
    first = put(sessions, full)
    assert put(sessions, LEA, first.person_id).change is Change.UNCHANGED


@pytest.mark.parametrize(
    ("one", "other"),
    [("BÉRENGER", "Berenger"), ("COMBO-SAÏD", "combo said"), ("N’GUESSAN", "N'Guessan"), ("LŒB", "Loeb")],
)
def test_names_are_compared_without_accents_case_or_hyphens(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@given(st.text(max_size=30))
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


MOBILE = CandidateNumber("+33639982222", "mobile", NumberOwner.YOUNG_PERSON)
NOE = replace(LEA, first_name="Noé", sort_name=sort_name("MARTIN", "Noé"))


def judged(sessions: sessionmaker[Session], person_id: int, sign: NumberSign, hours: int) -> None:
    """Let a call show something of a person's number, some hours after the list came."""
    with writing(sessions) as session:
        number_id = numbers.number_row(session, MOBILE.e164, MOBILE.kind).id
        later = NOW + timedelta(hours=hours)
        numbers.judge(session, person_id=person_id, number_id=number_id, sign=sign, now=later)


@pytest.mark.parametrize(
    ("signs", "verdict"),
    [
        ([NumberSign.DEAD_TONE], NumberVerdict.DEAD),
        ([NumberSign.DEAD_TONE, NumberSign.ANSWERED], NumberVerdict.UNVERIFIED),
        ([NumberSign.STRANGER], NumberVerdict.UNVERIFIED),
        ([], NumberVerdict.UNVERIFIED),
    ],
)
def test_a_number_that_is_dead_for_one_is_dead_for_the_next(
    sessions: sessionmaker[Session], signs: list[NumberSign], verdict: NumberVerdict
) -> None:
    one = put(sessions, replace(LEA, numbers=(MOBILE,))).person_id
    for hours, sign in enumerate(signs):
        judged(sessions, one, sign, hours)
    two = put(sessions, replace(NOE, numbers=(MOBILE,))).person_id
    with reading(sessions) as session:
        theirs = select(PersonNumber.verdict).where(PersonNumber.person_id == two)
        assert session.scalars(theirs).one() == verdict


@pytest.mark.parametrize(
    ("owner", "verdict"),
    [
        (NumberOwner.YOUNG_PERSON, NumberVerdict.WRONG),
        (NumberOwner.GUARDIAN, NumberVerdict.UNVERIFIED),
        (NumberOwner.OTHER, NumberVerdict.UNVERIFIED),
    ],
)
def test_another_name_on_a_parent_s_voicemail_is_no_sign(
    sessions: sessionmaker[Session], owner: NumberOwner, verdict: NumberVerdict
) -> None:
    one = put(sessions, replace(LEA, numbers=(replace(MOBILE, owner=owner),))).person_id
    for hours in (0, 24):
        judged(sessions, one, NumberSign.OTHER_NAME, hours)
    with reading(sessions) as session:
        theirs = select(PersonNumber.verdict).where(PersonNumber.person_id == one)
        assert session.scalars(theirs).one() == verdict
