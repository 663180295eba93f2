"""Somebody typed by hand: under the rules of a list, corrected at once, never twice, with the date of the signal."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from callcentre.callqueue.models import QueueEntry
from callcentre.database import writing
from callcentre.intake import by_hand
from callcentre.intake.by_hand import Origin, Typed
from callcentre.intake.reasons import ReasonCode
from callcentre.people.models import YoungPerson
from callcentre.people.register import Change
from tests.intake import ground
from tests.intake.ground import LIST_DATE, NOW, csv_list

LEA = {"family_name": "Martin", "first_name": "Léa", "birth_date": "14/02/2009", "phone": "06 39 98 00 01",
       "postal_code": "13013", "guardian_family_name": "Martin"}  # fmt: skip


def typed(sessions: sessionmaker[Session], cells: dict[str, str], **how: Any) -> Typed:
    with writing(sessions) as session:
        return by_hand.enter_person(
            session,
            cells,
            programme=ground.programme(),
            signalled_on=how.pop("signalled_on", LIST_DATE),
            origin=Origin.WALK_IN,
            now=NOW,
            **how,
        )


def test_a_walk_in_takes_a_place_in_the_queue(both_sessions: sessionmaker[Session]) -> None:
    done = typed(both_sessions, LEA)
    assert (done.change, done.errors) == (Change.CREATED, {})
    (person,) = ground.people(both_sessions)
    assert (person.psad, person.in_current_list) == ("PSAD Marseille Nord", False)
    assert typed(both_sessions, LEA).change is Change.UNCHANGED
    assert len(ground.people(both_sessions)) == 1


def test_the_day_of_the_signal_starts_a_minors_clock(sessions: sessionmaker[Session]) -> None:
    typed(sessions, LEA, signalled_on=date(2026, 10, 3))
    with writing(sessions) as session:
        assert session.scalars(select(QueueEntry.deadline)).all() == [date(2027, 1, 3)]


@pytest.mark.parametrize(
    ("cells", "field", "code"),
    [
        ({"first_name": ""}, "first_name", ReasonCode.NAME_MISSING),
        ({"birth_date": "31/02/2009"}, "birth_date", ReasonCode.BIRTH_DATE_IMPOSSIBLE),
        ({"birth_date": "14/02/2012"}, "birth_date", ReasonCode.AGE_UNDER),
        ({"phone": "06 00 00 00 00"}, "phone", ReasonCode.NUMBER_DUMMY),
        ({"uai": "0139115A"}, "uai", ReasonCode.UAI_CHECK_LETTER),
        ({"ine": "12"}, "ine", ReasonCode.INE_MALFORMED),
        ({"email": "lea@"}, "email", ReasonCode.EMAIL_MALFORMED),
    ],
)
def test_what_can_be_corrected_at_once_is_refused(
    sessions: sessionmaker[Session], cells: dict[str, str], field: str, code: ReasonCode
) -> None:
    done = typed(sessions, {**LEA, **cells})
    assert (done.person_id, done.errors[field].code) == (None, code)
    assert ground.people(sessions) == []


def test_nobody_is_lost_for_want_of_a_number(sessions: sessionmaker[Session]) -> None:
    done = typed(sessions, {**LEA, "phone": "", "postal_code": ""})
    assert done.person_id is not None
    assert ReasonCode.NO_CALLABLE_NUMBER in {reason.code for reason in done.remarks}


def test_a_homonym_is_asked_about_first(sessions: sessionmaker[Session]) -> None:
    ground.import_list(sessions, csv_list({"INE": "0123456789A", "Né(e) le": "14/02/2009"}))
    cells = {**LEA, "ine": "9876543210B"}
    asked = typed(sessions, cells)
    assert (asked.person_id, len(asked.possible)) == (None, 1)
    other = typed(sessions, cells, as_new=True)
    assert other.change is Change.CREATED
    with writing(sessions) as session:
        assert len(session.scalars(select(YoungPerson.id)).all()) == 2


def test_it_may_be_somebody_known(sessions: sessionmaker[Session]) -> None:
    ground.import_list(sessions, csv_list({"INE": "0123456789A", "Né(e) le": "14/02/2009"}))
    cells = {**LEA, "ine": "9876543210B", "email": "lea@exemple.fr"}
    asked = typed(sessions, cells)
    done = typed(sessions, cells, onto=asked.possible[0].ref)
    assert done.change is Change.UPDATED
    (person,) = ground.people(sessions)
    assert (set(person.ines), person.email) == ({"0123456789A", "9876543210B"}, "lea@exemple.fr")
