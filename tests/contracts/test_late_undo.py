"""A mistaken result after its five minutes: the supervisor's undo, for a reason; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from callcentre.audit.models import AuditEvent
from callcentre.callqueue.models import EntryState, QueueEntry, Turn
from callcentre.desk import corrections, decisions, serving, undo
from callcentre.desk.card import Person, person
from callcentre.desk.kinds import DecisionKind
from callcentre.desk.outcomes import AppointmentAsked
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.funnel import queries as funnel
from callcentre.funnel.models import StageChange
from callcentre.funnel.stages import Stage
from callcentre.outreach.models import Attempt, Callback, CallbackState
from callcentre.people import opt_outs
from callcentre.people.kinds import NumberVerdict
from callcentre.people.models import Opposition, OptOut
from callcentre.support import appointments
from callcentre.support.kinds import AppointmentState
from callcentre.support.models import Appointment
from tests.builders import a_number
from tests.contracts.conftest import MONDAY_TEN, Office

WHY = "Mauvaise touche, vu avec Camille"


def shown(office: Office, person_id: int) -> Person:
    return office.read(lambda s, d: person(s, d, person_id, now=office.now))


def stages(office: Office, person_id: int) -> set[Stage]:
    return office.read(lambda s, d: {e.stage for e in funnel.stages_of(s, d.programme_id, person_id)})


def result(office: Office, disposition: str, **fields: Any) -> tuple[int, int]:
    """Somebody is called and gets a result; return who, and the call."""
    lease = office.take()
    office.call(lease)
    wrapped = office.say(lease, disposition, **fields)
    assert wrapped.attempt_id is not None
    return lease.person_id, wrapped.attempt_id


def take_back(office: Office, attempt_id: int, reason: str = WHY) -> undo.Undone:
    return office.write(
        lambda s, d: undo.undo_for_reason(
            s, d, attempt_id, reason=reason, by=office.user("supervisor"), now=office.now
        )
    )


@pytest.mark.parametrize(
    ("disposition", "fields"),
    [
        ("opposition", {}),
        ("has_solution", {}),
        ("not_now", {}),
        ("wrong_number", {"new_number": "06 39 98 66 66"}),
        ("call_back", {"callback_at": MONDAY_TEN + timedelta(hours=5)}),
        ("appointment", {"appointment": AppointmentAsked("CIO", MONDAY_TEN + timedelta(days=9))}),
    ],
)
def test_a_supervisor_takes_everything_back_but_the_call(
    office: Office, disposition: str, fields: dict[str, Any]
) -> None:
    before = stages(office, office.world.people[0])
    who, call = result(office, disposition, **fields)
    office.later(hours=3)
    undone = take_back(office, call)
    assert undone.lease is None
    after = shown(office, who)
    assert stages(office, who) == before
    assert (after.state, after.closed_reason, after.opposed) == (EntryState.OPEN, None, False)
    assert after.promise is None
    assert (after.calls_used, after.attempts[0].corrected) == (1, True)
    assert all(n.verdict == NumberVerdict.UNVERIFIED for n in after.numbers)


def test_a_late_undo_keeps_who_when_and_why_without_overwriting_anything(office: Office) -> None:
    who, call = result(office, "opposition")
    office.later(days=2)
    take_back(office, call)
    with office.runtime.sessions() as session:
        made = session.get_one(Attempt, call)
        assert (made.disposition, made.correction_reason) == ("opposition", WHY)
        stop = session.scalars(select(Opposition)).one()
        assert (stop.revoked_reason, stop.revoked_by) == (WHY, office.user("supervisor"))
        steps = session.scalars(select(StageChange).order_by(StageChange.id)).all()
        assert [step.reverses_id for step in steps] == [None, None, steps[1].id, steps[0].id]
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "result_undone")).one()
        assert (event.subject_id, event.actor_id, event.details) == (
            who,
            office.user("supervisor"),
            {"attempt": call},
        )
    (decision,) = office.read(lambda s, d: decisions.of_person(s, d.programme_id, who))
    assert (decision.kind, decision.reason, decision.at) == (DecisionKind.RESULT_UNDONE, WHY, office.now)


def test_a_reason_is_needed_and_a_result_is_undone_once(office: Office) -> None:
    _, call = result(office, "no_answer")
    with pytest.raises(InvalidInput, match="raison"):
        take_back(office, call, " ")
    take_back(office, call)
    with pytest.raises(NotAllowed, match="déjà annulé"):
        take_back(office, call)
    with pytest.raises(NotFound):
        take_back(office, 999_999)


def test_nobody_is_undone_under_somebodys_eyes(office: Office) -> None:
    who, call = result(office, "has_solution")
    office.write(
        lambda s, d: serving.open_card(s, d, who, officer_id=office.user("colleague"), now=office.now)
    )
    with pytest.raises(NotAllowed, match="devant soi"):
        take_back(office, call)
    assert shown(office, who).closed_reason == "has_solution"


def test_a_stop_that_stood_before_the_call_is_not_lifted_with_it(office: Office) -> None:
    mother = a_number()
    ada = office.add("Ada", guardian_numbers=[mother])
    number = next(n.id for n in shown(office, ada).numbers if n.e164 == mother)
    lease = office.write(
        lambda s, d: serving.open_card(s, d, ada, officer_id=office.user("officer"), now=office.now)
    )
    office.call(lease, number)
    office.write(lambda s, _: opt_outs.opt_out(s, number_id=number, source="message", now=office.now))
    wrapped = office.say(lease, "guardian_refusal")
    assert wrapped.attempt_id is not None
    office.later(hours=1)
    take_back(office, wrapped.attempt_id)
    with office.runtime.sessions() as session:
        assert session.scalars(select(OptOut)).one().revoked_at is None


def test_an_opposition_said_since_stands(office: Office) -> None:
    who, call = result(office, "not_now")
    office.later(hours=1)
    office.write(
        lambda s, d: corrections.oppose(
            s, d, who, source="office", by=office.user("colleague"), now=office.now
        )
    )
    office.later(hours=1)
    take_back(office, call)
    after = shown(office, who)
    assert after.opposed
    assert (after.state, after.closed_reason) == (EntryState.CLOSED, "opposition")


def test_what_a_later_result_says_stays(office: Office) -> None:
    who, mistaken = result(office, "call_back", callback_at=office.now + timedelta(hours=1))
    office.later(hours=1)
    again = office.take()
    assert again.person_id == who
    office.call(again)
    later = office.say(again, "interested", callback_at=office.now + timedelta(days=1))
    office.later(minutes=20)
    take_back(office, mistaken)
    after = shown(office, who)
    assert after.promise is not None
    assert after.promise.promised_at == office.now - timedelta(minutes=20) + timedelta(days=1)
    assert Stage.CONTACTED in stages(office, who)
    with office.runtime.sessions() as session:
        held = session.scalars(
            select(StageChange).where(StageChange.stage == "contacted", StageChange.reverses_id.is_(None))
        ).all()
        assert held[-1].attempt_id == later.attempt_id
        assert session.scalars(select(Turn.callback_id).where(Turn.person_id == who)).one() is not None
        kept, made = session.scalars(select(Callback).order_by(Callback.id)).all()
        assert (kept.state, made.state) == (CallbackState.KEPT, CallbackState.PROMISED)


def test_an_appointment_that_was_kept_stays_with_its_stages(office: Office) -> None:
    asked = AppointmentAsked("CIO", office.now + timedelta(hours=4))
    who, call = result(office, "appointment", appointment=asked)
    office.later(hours=5)
    with office.runtime.sessions() as session:
        made = session.scalars(select(Appointment.id)).one()
    office.write(lambda s, _: appointments.keep(s, made, by=office.user("officer"), now=office.now))
    take_back(office, call)
    assert stages(office, who) >= {Stage.CONTACTED, Stage.ACCOMPANIED}
    with office.runtime.sessions() as session:
        assert session.scalars(select(Appointment.state)).one() == AppointmentState.KEPT


def test_a_household_that_one_call_closed_comes_back_with_it(office: Office) -> None:
    mother = a_number()
    ada, eva = (office.add(name, numbers=[], guardian_numbers=[mother]) for name in ("Ada", "Éva"))
    lease = office.write(
        lambda s, d: serving.open_card(s, d, ada, officer_id=office.user("officer"), now=office.now)
    )
    office.call(lease)
    wrapped = office.say(lease, "out_of_scope", reason="déménagement", also_for=(eva,))
    assert wrapped.attempt_id is not None
    office.later(days=1)
    take_back(office, wrapped.attempt_id)
    assert {shown(office, p).state for p in (ada, eva)} == {EntryState.OPEN}
    for one in (ada, eva):
        assert office.read(lambda s, d, one=one: decisions.of_person(s, d.programme_id, one))  # type: ignore[misc]


def test_a_guardians_mistaken_refusal_gives_back_the_sibling_whom_it_closed(office: Office) -> None:
    mother = a_number()
    ada, eva = (office.add(name, numbers=[], guardian_numbers=[mother]) for name in ("Ada", "Éva"))
    opened = {p: _opened(office, p) for p in (ada, eva)}
    lease = office.write(
        lambda s, d: serving.open_card(s, d, ada, officer_id=office.user("officer"), now=office.now)
    )
    office.call(lease)
    wrapped = office.say(lease, "guardian_refusal")
    assert {shown(office, p).state for p in (ada, eva)} == {EntryState.CLOSED}
    assert wrapped.attempt_id is not None
    office.later(days=1)
    take_back(office, wrapped.attempt_id)
    assert {shown(office, p).state for p in (ada, eva)} == {EntryState.OPEN}
    assert {p: _opened(office, p) for p in (ada, eva)} == opened


@pytest.mark.parametrize("late", [timedelta(seconds=20), timedelta(days=2)])
def test_a_mistaken_dead_tone_gives_back_everybody_whom_the_number_reaches(
    office: Office, late: timedelta
) -> None:
    shared = a_number()
    siblings = [office.add(name, numbers=[shared]) for name in ("Ada", "Éva", "Léo")]
    opened = {p: _opened(office, p) for p in siblings}
    _, call = dead(office, siblings[0])
    assert {shown(office, p).closed_reason for p in siblings} == {"details_to_find"}
    office.clock.advance(late)
    take_back(office, call)
    assert {shown(office, p).state for p in siblings} == {EntryState.OPEN}
    assert {n.verdict for p in siblings for n in shown(office, p).numbers} == {NumberVerdict.UNVERIFIED}
    assert {p: _opened(office, p) for p in siblings} == opened


def test_a_number_that_was_dead_for_a_household_is_given_back_to_each(office: Office) -> None:
    shared = a_number()
    ada = office.add("Ada", numbers=[shared])
    eva = office.add("Éva", numbers=[shared, a_number()])
    _, call = dead(office, ada, also_for=(eva,))
    office.later(hours=1)
    take_back(office, call)
    assert {shown(office, p).state for p in (ada, eva)} == {EntryState.OPEN}
    assert {n.verdict for p in (ada, eva) for n in shown(office, p).numbers} == {NumberVerdict.UNVERIFIED}


def dead(office: Office, person_id: int, **fields: Any) -> tuple[int, int]:
    """Their number is said not to be in service; return who, and the call."""
    lease = office.write(
        lambda s, d: serving.open_card(s, d, person_id, officer_id=office.user("officer"), now=office.now)
    )
    office.call(lease)
    wrapped = office.say(lease, "dead_number", **fields)
    assert wrapped.attempt_id is not None
    return person_id, wrapped.attempt_id


def _opened(office: Office, person_id: int) -> object:
    with office.runtime.sessions() as session:
        return session.scalars(select(QueueEntry.opened_at).where(QueueEntry.person_id == person_id)).one()
