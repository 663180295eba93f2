"""What a result does, once, and what an undo takes back; on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from callcentre.callqueue import lease as leases
from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import EntryState, Lane, QueueEntry, Turn
from callcentre.desk import corrections, serving, settling, undo
from callcentre.desk.card import Person, person
from callcentre.desk.models import OutcomeConflict
from callcentre.desk.outcomes import AppointmentAsked, Outcome
from callcentre.errors import IdempotencyMismatch, InvalidInput, NotAllowed, NotFound
from callcentre.funnel import queries as funnel
from callcentre.funnel.stages import Stage
from callcentre.outreach.models import Attempt, Callback
from callcentre.people.kinds import NumberOwner, NumberVerdict
from callcentre.people.models import Opposition, OptOut
from tests.builders import a_number
from tests.contracts.conftest import MONDAY_TEN, Office


def shown(office: Office, person_id: int) -> Person:
    return office.read(lambda s, d: person(s, d, person_id, now=office.now))


def stages(office: Office, person_id: int) -> set[Stage]:
    return office.read(lambda s, d: {e.stage for e in funnel.stages_of(s, d.programme_id, person_id)})


def rows(office: Office, table: type) -> int:
    return office.read(lambda s, _: s.scalar(select(func.count()).select_from(table)) or 0)


def test_an_unanswered_call_comes_back_at_another_hour_of_another_day(office: Office) -> None:
    lease = office.take()
    office.call(lease)
    office.later(seconds=40)
    wrapped = office.say(lease, "no_answer", note="ça sonne")
    assert wrapped.next_at is not None
    assert wrapped.next_at.date() > MONDAY_TEN.date()
    after = shown(office, lease.person_id)
    assert after.calls_used == 1
    assert after.attempts[0].note == "ça sonne"
    assert after.state == EntryState.OPEN
    assert office.serve() != lease


def test_a_second_sending_does_nothing_more(office: Office) -> None:
    lease = office.take()
    first = office.say(lease, "no_answer")
    again = office.say(lease, "no_answer")
    assert again.replayed
    assert (again.attempt_id, again.next_at, again.why) == (first.attempt_id, first.next_at, first.why)
    assert rows(office, Attempt) == 1


def test_a_key_used_for_another_result_is_refused(office: Office) -> None:
    lease = office.take()
    office.say(lease, "no_answer")
    with pytest.raises(IdempotencyMismatch):
        office.say(lease, "voicemail")


def test_a_result_that_needs_a_field_is_refused_and_nothing_is_lost(office: Office) -> None:
    lease = office.take()
    office.call(lease)
    with pytest.raises(InvalidInput) as refused:
        office.say(lease, "call_back")
    assert refused.value.field == "callback_at"
    with pytest.raises(InvalidInput):
        office.say(lease, "no such result")
    assert office.take().attempt_id is not None


def test_a_promise_outside_the_windows_is_refused_with_the_nearest_time(office: Office) -> None:
    lease = office.take()
    night = datetime(2026, 11, 24, 20, 0, tzinfo=MONDAY_TEN.tzinfo)
    with pytest.raises(InvalidInput, match="24/11/2026 19:50"):
        office.say(lease, "call_back", callback_at=night)


def test_a_promise_is_served_in_its_time_to_the_officer_who_gave_it(office: Office) -> None:
    lease = office.take()
    promised = office.now + timedelta(hours=1)
    office.say(lease, "call_back", callback_at=promised)
    office.clock.move_to(promised - timedelta(minutes=1))
    for _ in range(2):
        office.say(office.take("colleague"), "no_answer")
    assert isinstance(office.serve("colleague"), serving.Nothing)
    office.serve("officer")  # signed in, and nobody is due yet
    office.clock.move_to(promised)
    assert isinstance(office.serve("colleague"), serving.Nothing)
    kept = office.take("officer")
    assert (kept.person_id, kept.lane) == (lease.person_id, Lane.PROMISE)


def test_a_promise_of_an_absent_officer_is_open_to_the_team(office: Office) -> None:
    lease = office.take()
    promised = office.now + timedelta(hours=1)
    office.say(lease, "call_back", callback_at=promised)
    office.clock.move_to(promised)
    assert office.take("colleague").person_id == lease.person_id


def test_a_promise_that_goes_unanswered_is_retried_once_half_an_hour_later(office: Office) -> None:
    lease = office.take()
    promised = office.now + timedelta(minutes=30)
    office.say(lease, "call_back", callback_at=promised)
    office.clock.move_to(promised)
    kept = office.take()
    office.call(kept)
    again = office.say(kept, "no_answer")
    assert again.next_at == promised + timedelta(minutes=30)
    with office.runtime.sessions() as session:
        callback = session.scalars(select(Callback)).one()
        turn = session.scalars(select(Turn).where(Turn.callback_id == callback.id)).one()
        assert callback.state == "kept"
        assert turn.due_at == promised + timedelta(minutes=30)
    office.clock.move_to(promised + timedelta(minutes=30))
    second = office.take()
    assert second.person_id == lease.person_id
    office.call(second)
    office.say(second, "no_answer")
    assert shown(office, lease.person_id).promise is None
    assert shown(office, lease.person_id).state == EntryState.OPEN


def test_an_opposition_ends_every_call_at_once(office: Office) -> None:
    lease = office.take()
    office.say(lease, "opposition")
    after = shown(office, lease.person_id)
    assert after.opposed
    assert (after.state, after.closed_reason) == (EntryState.CLOSED, "opposition")
    assert after.when is None
    assert rows(office, Opposition) == 1


def test_a_guardians_refusal_stops_their_number_only(office: Office) -> None:
    mobile, mother = a_number(), a_number()
    ada = office.add("Ada", numbers=[mobile], guardian_numbers=[mother])
    lease = office.write(
        lambda s, d: serving.open_card(s, d, ada, officer_id=office.user("officer"), now=office.now)
    )
    numbers = {n.e164: n for n in shown(office, ada).numbers}
    office.call(lease, numbers[mother].id)
    office.say(lease, "guardian_refusal")
    after = {n.e164: n for n in shown(office, ada).numbers}
    assert after[mother].opted_out
    assert not after[mobile].opted_out
    assert shown(office, ada).state == EntryState.OPEN


def test_a_wrong_number_leaves_details_to_find_until_a_new_one_is_given(office: Office) -> None:
    lease = office.take()
    office.call(lease)
    office.say(lease, "wrong_number")
    after = shown(office, lease.person_id)
    assert after.numbers[0].verdict == NumberVerdict.WRONG
    assert (after.state, after.closed_reason) == (EntryState.CLOSED, "details_to_find")


def test_a_number_that_is_known_stays_as_it_is_when_a_call_gives_it_again(office: Office) -> None:
    mobile, other = a_number(), a_number()
    ada = office.add("Ada", numbers=[mobile, other])
    lease = office.write(
        lambda s, d: serving.open_card(s, d, ada, officer_id=office.user("officer"), now=office.now)
    )
    office.call(lease)
    with pytest.raises(InvalidInput, match="mais écarté"):
        office.say(lease, "wrong_number", new_number=mobile)
    before = {n.e164: n for n in shown(office, ada).numbers}
    wrapped = office.say(lease, "wrong_number", new_number=other, new_number_owner=NumberOwner.GUARDIAN)
    after = {n.e164: n for n in shown(office, ada).numbers}
    assert after[mobile].verdict == NumberVerdict.WRONG
    assert after[other].owner == before[other].owner
    submission = wrapped.submission_id
    assert submission is not None
    office.write(lambda s, d: undo.undo(s, d, submission, officer_id=office.user("officer"), now=office.now))
    assert {n.e164: n.verdict for n in shown(office, ada).numbers} == {
        mobile: NumberVerdict.UNVERIFIED,
        other: NumberVerdict.UNVERIFIED,
    }


def test_an_undo_takes_back_no_number_that_was_known_before(office: Office) -> None:
    found = a_number()
    ada = office.add("Ada")
    office.write(
        lambda s, d: corrections.add_number(
            s, d, ada, found, NumberOwner.YOUNG_PERSON, by=office.user("supervisor"), now=office.now
        )
    )
    lease = office.write(
        lambda s, d: serving.open_card(s, d, ada, officer_id=office.user("officer"), now=office.now)
    )
    office.call(lease)
    submission = office.say(lease, "wrong_number", new_number=found).submission_id
    assert submission is not None
    office.write(lambda s, d: undo.undo(s, d, submission, officer_id=office.user("officer"), now=office.now))
    again = office.take()
    assert again.attempt_id is not None
    office.say(again, "wrong_number")
    assert shown(office, ada).state == EntryState.OPEN, "the number that was found is left"


def test_a_number_that_was_taken_back_may_be_given_again(office: Office) -> None:
    lease = office.take()
    office.call(lease)
    new = a_number()
    submission = office.say(lease, "wrong_number", new_number=new).submission_id
    assert submission is not None
    office.write(lambda s, d: undo.undo(s, d, submission, officer_id=office.user("officer"), now=office.now))
    office.say(office.take(), "wrong_number", new_number=new, key="the right result")
    assert shown(office, lease.person_id).state == EntryState.OPEN


def test_a_new_number_given_in_the_call_keeps_the_person_in_the_queue(office: Office) -> None:
    lease = office.take()
    office.call(lease)
    office.say(lease, "wrong_number", new_number="06 39 98 77 77")
    after = shown(office, lease.person_id)
    assert after.state == EntryState.OPEN
    assert {n.e164 for n in after.numbers} >= {"+33639987777"}


def test_stages_follow_the_code_book(office: Office) -> None:
    lease = office.take()
    office.call(lease)
    appointment = AppointmentAsked("Mission locale", office.now + timedelta(days=3))
    office.say(lease, "appointment", appointment=appointment)
    assert Stage.CONTACTED in stages(office, lease.person_id)
    assert Stage.ACCOMPANIED not in stages(office, lease.person_id)
    assert shown(office, lease.person_id).closed_reason == "appointment"


@pytest.mark.parametrize(
    ("disposition", "fields"),
    [
        ("no_answer", {}),
        ("opposition", {}),
        ("has_solution", {}),
        ("not_now", {}),
        ("wrong_number", {"new_number": "06 39 98 66 66"}),
        ("call_back", {"callback_at": MONDAY_TEN + timedelta(hours=2)}),
        ("appointment", {"appointment": AppointmentAsked("CIO", MONDAY_TEN + timedelta(days=2))}),
    ],
)
def test_an_undo_takes_everything_back_but_the_call(
    office: Office, disposition: str, fields: dict[str, Any]
) -> None:
    lease = office.take()
    office.call(lease)
    before = stages(office, lease.person_id)
    wrapped = office.say(lease, disposition, **fields)
    assert wrapped.submission_id is not None
    office.later(minutes=4)
    undone = office.write(
        lambda s, d: undo.undo(s, d, wrapped.submission_id or 0, officer_id=lease.officer_id, now=office.now)
    )
    after = shown(office, lease.person_id)
    assert stages(office, lease.person_id) == before
    assert after.state == EntryState.OPEN
    assert after.closed_reason is None
    assert not after.opposed
    assert after.promise is None
    assert after.calls_used == 1
    assert rows(office, Attempt) == 1
    assert undone.lease is not None
    assert undone.lease.attempt_id == wrapped.attempt_id
    assert office.say(lease, disposition, **fields).undone
    right = office.say(undone.lease, "voicemail")
    assert right.attempt_id == wrapped.attempt_id
    assert shown(office, lease.person_id).attempts[0].disposition == "voicemail"


def test_an_undo_after_five_minutes_is_the_supervisors(office: Office) -> None:
    lease = office.take()
    wrapped = office.say(lease, "no_answer")
    office.later(minutes=6)
    with pytest.raises(NotAllowed, match="superviseur"):
        office.write(
            lambda s, d: undo.undo(
                s, d, wrapped.submission_id or 0, officer_id=lease.officer_id, now=office.now
            )
        )


def test_a_colleague_may_not_undo(office: Office) -> None:
    lease = office.take()
    wrapped = office.say(lease, "no_answer")
    with pytest.raises(NotFound):
        office.write(
            lambda s, d: undo.undo(
                s, d, wrapped.submission_id or 0, officer_id=office.user("colleague"), now=office.now
            )
        )


def test_a_lapsed_token_that_nobody_superseded_is_still_accepted(office: Office) -> None:
    lease = office.take()
    office.later(minutes=10)
    assert office.write(lambda s, _: leases.reclaim_expired(s, now=office.now)) == 1
    wrapped = office.say(lease, "no_answer")
    assert not wrapped.kept
    assert rows(office, Attempt) == 1


def test_a_superseded_outcome_is_kept_as_a_conflict(office: Office) -> None:
    lease = office.take()
    office.later(minutes=10)
    office.write(lambda s, _: leases.reclaim_expired(s, now=office.now))
    taken = office.take("colleague")
    while taken.person_id != lease.person_id:
        office.say(taken, "no_answer")
        taken = office.take("colleague")
    wrapped = office.say(lease, "no_answer", note="elle a répondu")
    assert wrapped.kept
    assert office.say(lease, "no_answer", note="elle a répondu").kept
    with office.runtime.sessions() as session:
        conflict = session.scalars(select(OutcomeConflict)).one()
        assert conflict.person_id == lease.person_id
        assert conflict.outcome["note"] == "elle a répondu"


def test_an_open_attempt_never_goes_back_and_the_supervisor_settles_it(office: Office) -> None:
    lease = office.take()
    office.call(lease)
    office.later(minutes=20)
    assert office.write(lambda s, _: leases.reclaim_expired(s, now=office.now)) == 0
    supervisor = office.user("supervisor")
    with pytest.raises(NotAllowed):
        office.write(
            lambda s, d: settling.settle_attempt(
                s, d, lease.person_id, Outcome("technical"), by=supervisor, now=office.now
            )
        )
    office.later(minutes=11)
    office.write(
        lambda s, d: settling.settle_attempt(
            s, d, lease.person_id, Outcome("technical"), by=supervisor, now=office.now
        )
    )
    assert shown(office, lease.person_id).attempts[0].disposition == "technical"


def test_a_skip_is_not_an_attempt_and_brings_the_person_back(office: Office) -> None:
    lease = office.take()
    office.write(
        lambda s, d: serving.skip(
            s,
            d,
            lease.token,
            officer_id=lease.officer_id,
            reason_code="check_first",
            not_before=None,
            now=office.now,
        )
    )
    assert shown(office, lease.person_id).calls_used == 0
    with office.runtime.sessions() as session:
        entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == lease.person_id)).one()
        assert entry.eligible_at == office.now + serving.SKIP_FOR
    others = {office.take(login).person_id for login in ("officer", "colleague")}
    assert lease.person_id not in others
    assert isinstance(office.serve("supervisor"), serving.Nothing)
    office.later(minutes=30)
    assert office.take("supervisor").person_id == lease.person_id


def test_two_siblings_on_one_number_are_never_called_at_once(office: Office) -> None:
    shared = a_number()
    pair = [office.add(name, numbers=[shared]) for name in ("Ada", "Éva")]
    served = {login: office.take(login).person_id for login in ("officer", "colleague", "supervisor")}
    assert len(set(pair) & set(served.values())) <= 1
    with office.runtime.sessions() as session:
        waiting = session.scalars(select(Turn).where(Turn.token.is_(None))).all()
        assert {turn.person_id for turn in waiting} <= set(pair) | set(office.world.people)


def test_a_call_to_a_shared_number_counts_for_the_sibling_too(office: Office) -> None:
    mother = a_number()
    ada, eva = (office.add(name, numbers=[], guardian_numbers=[mother]) for name in ("Ada", "Éva"))
    lease = office.write(
        lambda s, d: serving.open_card(s, d, ada, officer_id=office.user("officer"), now=office.now)
    )
    office.call(lease)
    office.say(lease, "no_answer")
    refused = shown(office, eva).numbers[0].refused
    assert refused is not None
    assert refused.code.value.startswith("number_")
    when = shown(office, eva).when
    assert when is not None
    assert when.date() > office.now.date()


def open_by_hand(office: Office, person_id: int) -> Lease:
    return office.write(
        lambda s, d: serving.open_card(s, d, person_id, officer_id=office.user("officer"), now=office.now)
    )


def assert_refused_everywhere(office: Office, lease: Lease, because: str) -> None:
    """The card and the call say the same: no number may be called, for this reason."""
    for number in shown(office, lease.person_id).numbers:
        assert number.refused is not None
        assert number.refused.code == because
        with pytest.raises(NotAllowed) as refused:
            office.call(lease, number.id)
        assert refused.value.reason == because
    assert rows(office, Attempt) == 1


def test_somebody_who_said_not_now_is_not_called_from_a_card_opened_by_search(office: Office) -> None:
    lease = office.take()
    office.call(lease)
    office.say(lease, "not_now")
    office.later(minutes=20)
    again = open_by_hand(office, lease.person_id)
    assert again.lane is Lane.LIVE_INBOUND
    assert_refused_everywhere(office, again, "soft_refusal")


def test_a_promise_ahead_does_not_let_a_card_opened_by_search_be_called_after_the_day_s_calls(
    office: Office,
) -> None:
    lease = office.take()
    office.call(lease)
    office.say(lease, "call_back", callback_at=office.now + timedelta(hours=2, minutes=30))
    office.later(minutes=20)
    again = open_by_hand(office, lease.person_id)
    assert again.lane is Lane.PROMISE
    assert_refused_everywhere(office, again, "day_cap")
    office.later(hours=2, minutes=6)
    assert again == office.serve()
    (number,) = shown(office, lease.person_id).numbers
    assert number.refused is None
    office.call(again, number.id)
    assert rows(office, Attempt) == 2


def test_a_sibling_whose_card_is_opened_next_is_not_called_on_the_same_number(office: Office) -> None:
    mother = a_number()
    ada, eva = (office.add(name, numbers=[], guardian_numbers=[mother]) for name in ("Ada", "Éva"))
    lease = open_by_hand(office, ada)
    office.call(lease)
    office.say(lease, "no_answer")
    office.later(minutes=2)
    assert_refused_everywhere(office, open_by_hand(office, eva), "number_day_cap")


def test_what_somebody_comes_in_for_is_recorded_whatever_their_calls(office: Office) -> None:
    lease = office.take()
    office.call(lease)
    office.say(lease, "not_now")
    office.later(minutes=20)
    office.say(open_by_hand(office, lease.person_id), "has_solution")
    assert shown(office, lease.person_id).closed_reason == "has_solution"


def test_a_card_opened_by_hand_and_passed_over_is_not_the_next_officers(office: Office) -> None:
    lease = office.take()
    office.call(lease)
    office.say(lease, "not_now")
    again = open_by_hand(office, lease.person_id)
    office.write(
        lambda s, d: serving.skip(
            s,
            d,
            again.token,
            officer_id=again.officer_id,
            reason_code="check_first",
            not_before=None,
            now=office.now,
        )
    )
    office.later(hours=1)
    assert office.take("colleague").person_id != lease.person_id


def test_one_call_may_close_a_sibling_too_and_its_undo_gives_both_back(office: Office) -> None:
    mother = a_number()
    ada, eva = (office.add(name, numbers=[], guardian_numbers=[mother]) for name in ("Ada", "Éva"))
    lease = office.write(
        lambda s, d: serving.open_card(s, d, ada, officer_id=office.user("officer"), now=office.now)
    )
    office.call(lease)
    wrapped = office.say(lease, "out_of_scope", reason="déménagement", also_for=(eva,))
    assert {shown(office, p).closed_reason for p in (ada, eva)} == {"out_of_scope"}
    assert shown(office, eva).calls_used == 0
    office.write(
        lambda s, d: undo.undo(s, d, wrapped.submission_id or 0, officer_id=lease.officer_id, now=office.now)
    )
    assert {shown(office, p).state for p in (ada, eva)} == {EntryState.OPEN}


def test_a_call_closes_nobody_whom_its_number_does_not_reach(office: Office) -> None:
    lease = office.take()
    stranger = next(p for p in office.world.people if p != lease.person_id)
    with pytest.raises(InvalidInput):
        office.say(lease, "has_solution", also_for=(stranger,))
    assert shown(office, lease.person_id).state == EntryState.OPEN


def test_a_promise_survives_a_card_opened_before_its_time(office: Office) -> None:
    lease = office.take()
    promised = office.now + timedelta(hours=2)
    office.say(lease, "call_back", callback_at=promised)
    office.later(minutes=20)
    early = office.write(
        lambda s, d: serving.open_card(s, d, lease.person_id, officer_id=lease.officer_id, now=office.now)
    )
    office.say(early, "no_answer")
    after = shown(office, lease.person_id)
    assert after.promise is not None
    assert after.when == promised
    office.clock.move_to(promised)
    assert office.take("officer").person_id == lease.person_id


def test_nobody_due_says_when_the_next_person_is(office: Office) -> None:
    for _ in range(3):
        office.say(office.take(), "no_answer")
    nothing = office.serve()
    assert isinstance(nothing, serving.Nothing)
    assert nothing.reason is serving.Idle.NOTHING_DUE
    assert nothing.next_due_at is not None
    assert nothing.next_due_at > office.now


def test_an_empty_queue_says_so(office: Office) -> None:
    for _ in range(3):
        office.say(office.take(), "has_solution")
    nothing = office.serve()
    assert isinstance(nothing, serving.Nothing)
    assert (nothing.reason, nothing.next_due_at) == (serving.Idle.QUEUE_EMPTY, None)


def test_nobody_is_served_outside_the_hours(office: Office) -> None:
    office.clock.move_to(datetime(2026, 11, 28, 10, tzinfo=MONDAY_TEN.tzinfo))
    nothing = office.serve()
    assert isinstance(nothing, serving.Nothing)
    assert nothing.next_due_at == datetime(2026, 11, 30, 9, tzinfo=MONDAY_TEN.tzinfo)


def test_opt_outs_and_oppositions_survive_in_the_tables(office: Office) -> None:
    lease = office.take()
    office.say(lease, "opposition")
    assert rows(office, OptOut) == 0
    with office.runtime.sessions() as session:
        entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == lease.person_id)).one()
        assert entry.reopened_by == "supervisor"
