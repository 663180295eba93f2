"""Solutions, positive exits and their withdrawal."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from callcentre.errors import NotAllowed, NotFound
from callcentre.funnel import changes, queries
from callcentre.funnel.stages import ORDER, Stage
from callcentre.support import solutions
from callcentre.support.kinds import Evidence, SolutionKind
from callcentre.support.models import Solution
from tests.funnel.ground import NOW, add_people, add_programme, add_user

PARIS = ZoneInfo("Europe/Paris")
TODAY = date(2026, 11, 23)


class Case:
    """A person contacted ten days ago."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.programme_id = add_programme(session)[0]
        self.officer_id = add_user(session)
        self.person_id = add_people(session, 1)[0]
        self.enter(Stage.CONTACTED)

    def enter(self, stage: Stage) -> None:
        changes.advance(
            self.session, programme_id=self.programme_id, person_id=self.person_id, stage=stage,
            at=NOW - timedelta(days=10), now=NOW, cause="test", by=self.officer_id,
        )  # fmt: skip

    def record(self, started_on: date = TODAY, *, is_exit: bool = True) -> solutions.Recorded:
        return solutions.record(
            self.session, programme_id=self.programme_id, person_id=self.person_id,
            kind=SolutionKind.APPRENTICESHIP, started_on=started_on, evidence=Evidence.DECLARED,
            by=self.officer_id, now=NOW, zone=PARIS, is_exit=is_exit,
        )  # fmt: skip

    def stages(self) -> list[Stage]:
        return [e.stage for e in queries.stages_of(self.session, self.programme_id, self.person_id)]

    def solution(self, solution_id: int) -> Solution:
        found = self.session.get(Solution, solution_id)
        assert found is not None
        return found


@pytest.fixture
def case(session: Session) -> Case:
    return Case(session)


def test_a_solution_that_started_is_a_positive_exit_on_its_first_day(case: Case) -> None:
    recorded = case.record(date(2026, 11, 20))
    assert len(recorded.change_ids) == 2
    exit_ = queries.stages_of(case.session, case.programme_id, case.person_id)[-1]
    assert (exit_.stage, exit_.at.astimezone(PARIS).date()) == (Stage.POSITIVE_EXIT, date(2026, 11, 20))
    assert case.stages() == list(ORDER)


def test_a_start_to_come_is_refused(case: Case) -> None:
    with pytest.raises(NotAllowed) as refusal:
        case.record(TODAY + timedelta(days=1))
    assert refusal.value.reason == "not_started"


def test_a_start_before_the_first_contact_is_already_a_solution(case: Case) -> None:
    with pytest.raises(NotAllowed) as refusal:
        case.record(date(2026, 11, 1))
    assert refusal.value.reason == "before_contact"
    assert case.stages() == [Stage.TO_CONTACT, Stage.CONTACTED]


def test_somebody_already_in_a_solution_is_no_exit(case: Case) -> None:
    case.enter(Stage.ALREADY_IN_SOLUTION)
    recorded = case.record()
    assert (recorded.change_ids, recorded.barred_by) == ((), Stage.ALREADY_IN_SOLUTION)
    assert Stage.POSITIVE_EXIT not in case.stages()


def test_what_a_third_party_declares_moves_no_stage(case: Case) -> None:
    recorded = case.record(is_exit=False)
    assert (recorded.change_ids, recorded.barred_by) == ((), None)
    assert case.stages() == [Stage.TO_CONTACT, Stage.CONTACTED]


def test_a_withdrawn_solution_takes_back_what_it_brought(case: Case) -> None:
    recorded = case.record()
    solutions.withdraw(case.session, recorded.solution_id, by=case.officer_id, now=NOW)
    solutions.withdraw(case.session, recorded.solution_id, by=case.officer_id, now=NOW + timedelta(hours=1))
    assert case.stages() == [Stage.TO_CONTACT, Stage.CONTACTED]
    assert case.solution(recorded.solution_id).withdrawn_at == NOW
    assert case.record().change_ids


def test_evidence_only_grows(case: Case) -> None:
    recorded = case.record()
    solutions.strengthen(case.session, recorded.solution_id, Evidence.DOCUMENT)
    solutions.strengthen(case.session, recorded.solution_id, Evidence.CONFIRMED)
    assert case.solution(recorded.solution_id).evidence == Evidence.DOCUMENT


def test_an_unknown_solution_is_said_to_be(case: Case) -> None:
    with pytest.raises(NotFound):
        solutions.withdraw(case.session, 404, by=case.officer_id, now=NOW)
