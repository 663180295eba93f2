"""Appointments and entries into support."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.funnel import changes, queries
from callcentre.funnel.stages import Stage
from callcentre.support import appointments
from callcentre.support.kinds import AppointmentState
from callcentre.support.models import Appointment
from tests.funnel.ground import NOW, add_people, add_programme, add_user

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)
LATER = NOW + 48 * HOUR


class Case:
    """A person, an officer, a programme, and short ways to the verbs."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.programme_id = add_programme(session)[0]
        self.officer_id = add_user(session)
        self.person_id = add_people(session, 1)[0]

    def make(self) -> int:
        return appointments.make(
            self.session, programme_id=self.programme_id, person_id=self.person_id,
            partner=" Mission locale ",
            starts_at=NOW + HOUR, by=self.officer_id, now=NOW, attempt_id=None,
        )  # fmt: skip

    def start(self, at: datetime, *, partner: str = "Mission locale") -> appointments.Counted:
        return appointments.start_support(
            self.session, programme_id=self.programme_id, person_id=self.person_id, partner=partner,
            at=at, by=self.officer_id, now=NOW, zone=PARIS,
        )  # fmt: skip

    def enter(self, stage: Stage) -> None:
        changes.advance(
            self.session, programme_id=self.programme_id, person_id=self.person_id, stage=stage, at=NOW,
            now=NOW,
            cause="test", by=self.officer_id,
        )  # fmt: skip

    def stages(self) -> list[Stage]:
        return [e.stage for e in queries.stages_of(self.session, self.programme_id, self.person_id)]

    def state(self, appointment_id: int) -> str:
        appointment = self.session.get(Appointment, appointment_id)
        assert appointment is not None
        return appointment.state


@pytest.fixture
def case(session: Session) -> Case:
    return Case(session)


def test_an_appointment_made_moves_no_stage(case: Case) -> None:
    appointment_id = case.make()
    assert case.state(appointment_id) == AppointmentState.PLANNED
    assert case.stages() == []


def test_an_appointment_kept_accompanies_from_its_hour_on(case: Case) -> None:
    case.enter(Stage.CONTACTED)
    kept = appointments.keep(case.session, case.make(), by=case.officer_id, now=LATER)
    assert len(kept.change_ids) == 1
    last = queries.stages_of(case.session, case.programme_id, case.person_id)[-1]
    assert (last.stage, last.at, last.cause) == (Stage.ACCOMPANIED, NOW + HOUR, "appointment_kept")


def test_somebody_supported_elsewhere_keeps_an_appointment_without_counting(case: Case) -> None:
    case.enter(Stage.ALREADY_ACCOMPANIED)
    appointment_id = case.make()
    kept = appointments.keep(case.session, appointment_id, by=case.officer_id, now=LATER)
    assert kept == appointments.Counted((), barred_by=Stage.ALREADY_ACCOMPANIED)
    assert case.state(appointment_id) == AppointmentState.KEPT
    assert Stage.ACCOMPANIED not in case.stages()


def test_missed_and_cancelled_move_no_stage(case: Case) -> None:
    missed, cancelled = case.make(), case.make()
    appointments.miss(case.session, missed, now=LATER)
    appointments.cancel(case.session, cancelled, now=NOW)
    assert (case.state(missed), case.state(cancelled)) == (
        AppointmentState.MISSED,
        AppointmentState.CANCELLED,
    )
    assert case.stages() == []


def test_a_settled_appointment_is_reopened_before_it_is_settled_otherwise(case: Case) -> None:
    appointment_id = case.make()
    appointments.keep(case.session, appointment_id, by=case.officer_id, now=LATER)
    with pytest.raises(NotAllowed):
        appointments.miss(case.session, appointment_id, now=LATER)
    appointments.reopen(case.session, appointment_id, by=case.officer_id, now=LATER)
    assert case.stages() == []
    appointments.miss(case.session, appointment_id, now=LATER)
    assert case.state(appointment_id) == AppointmentState.MISSED


def test_reopening_keeps_what_another_event_had_brought(case: Case) -> None:
    case.enter(Stage.CONTACTED)
    appointment_id = case.make()
    appointments.keep(case.session, appointment_id, by=case.officer_id, now=LATER)
    appointments.reopen(case.session, appointment_id, by=case.officer_id, now=LATER)
    appointments.reopen(case.session, appointment_id, by=case.officer_id, now=LATER)
    assert case.stages() == [Stage.TO_CONTACT, Stage.CONTACTED]


def test_an_appointment_to_come_is_not_kept_yet(case: Case) -> None:
    appointment_id = case.make()
    for settle in (
        lambda: appointments.keep(case.session, appointment_id, by=case.officer_id, now=NOW),
        lambda: appointments.miss(case.session, appointment_id, now=NOW),
    ):
        with pytest.raises(NotAllowed):
            settle()


@pytest.mark.parametrize(("partner", "hours", "field"), [("  ", 1, "partner"), ("CIO", -1, "starts_at")])
def test_a_wrong_appointment_names_its_field(case: Case, partner: str, hours: int, field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        appointments.make(
            case.session, programme_id=case.programme_id, person_id=case.person_id, partner=partner,
            starts_at=NOW + hours * HOUR, by=case.officer_id, now=NOW,
        )  # fmt: skip
    assert refusal.value.field == field


def test_a_confirmed_entry_into_support_accompanies(case: Case) -> None:
    started = case.start(NOW - HOUR)
    assert len(started.change_ids) == 3
    assert case.stages()[-1] is Stage.ACCOMPANIED
    stands = appointments.support_of(case.session, case.programme_id, case.person_id)
    assert stands == appointments.Support(started.change_ids[-1], "Mission locale", NOW - HOUR)


def test_a_second_entry_into_support_says_since_when_the_first_stands(case: Case) -> None:
    case.start(NOW - HOUR)
    assert case.start(NOW, partner="E2C") == appointments.Counted((), since=NOW - HOUR)


@pytest.mark.parametrize("stage", [Stage.TO_CONTACT, Stage.CONTACTED])
def test_an_entry_before_the_list_or_the_first_contact_is_refused_not_moved(case: Case, stage: Stage) -> None:
    case.enter(stage)
    with pytest.raises(InvalidInput) as refusal:
        case.start(NOW - 24 * HOUR)
    assert refusal.value.field == "at"
    assert "23/11/2026" in refusal.value.message.filled
    assert Stage.ACCOMPANIED not in case.stages()


def test_an_entry_on_the_day_of_the_first_contact_is_not_before_it(case: Case) -> None:
    case.enter(Stage.CONTACTED)
    case.start(NOW - HOUR)
    assert queries.stages_of(case.session, case.programme_id, case.person_id)[-1].at == NOW


def test_an_entry_taken_back_takes_back_what_it_brought_and_leaves_the_place_free(case: Case) -> None:
    case.enter(Stage.TO_CONTACT)
    entry = case.start(NOW).change_ids[-1]
    appointments.withdraw_support(case.session, entry, by=case.officer_id, now=LATER)
    appointments.withdraw_support(case.session, entry, by=case.officer_id, now=LATER)
    assert case.stages() == [Stage.TO_CONTACT]
    assert appointments.support_of(case.session, case.programme_id, case.person_id) is None
    assert case.start(NOW, partner="E2C").change_ids


def test_an_entry_on_which_a_solution_rests_is_not_taken_back(case: Case) -> None:
    entry = case.start(NOW).change_ids[-1]
    case.enter(Stage.POSITIVE_EXIT)
    with pytest.raises(NotAllowed):
        appointments.withdraw_support(case.session, entry, by=case.officer_id, now=LATER)
    assert Stage.ACCOMPANIED in case.stages()


def test_what_is_no_entry_into_support_is_not_taken_back_as_one(case: Case) -> None:
    case.enter(Stage.ACCOMPANIED)
    other = queries.stages_of(case.session, case.programme_id, case.person_id)[-1].id
    for entry in (other, 404):
        with pytest.raises(NotFound):
            appointments.withdraw_support(case.session, entry, by=case.officer_id, now=LATER)


def test_an_unknown_appointment_is_said_to_be(case: Case) -> None:
    with pytest.raises(NotFound):
        appointments.cancel(case.session, 404, now=NOW)
