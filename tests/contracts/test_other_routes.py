"""Other routes when calls do not work: from the last number lost to the final state, and back; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcentre.callqueue import entries
from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.desk import card, corrections, history, inbound, merging, serving, settling, undo
from callcentre.desk.card import NumberOnCard
from callcentre.desk.context import Desk
from callcentre.desk.history import EventKind
from callcentre.desk.inbound import Incoming
from callcentre.desk.kinds import DecisionKind
from callcentre.errors import InvalidInput, NotAllowed, NotFound
from callcentre.funnel import changes
from callcentre.funnel.stages import Stage
from callcentre.intake import undoing
from callcentre.outreach.kinds import InboundState
from callcentre.outreach.models import Attempt
from callcentre.people import numbers, opt_outs
from callcentre.people.kinds import NumberOwner, NumberVerdict
from callcentre.people.models import OptOut, PersonNumber, PhoneNumber, YoungPerson
from callcentre.planning import route_queries, routes
from callcentre.planning.eligibility import reconsider
from callcentre.planning.kinds import StepResult, StepState
from callcentre.planning.models import RouteStep
from callcentre.planning.route_queries import StepView
from callcentre.programmes import RouteKind
from tests.builders import a_number
from tests.contracts.conftest import MONDAY_TEN, Office
from tests.intake.ground import csv_list, import_list


def lose(office: Office) -> int:
    """Somebody whose only number is not in service."""
    lease = office.take()
    office.say(lease, "dead_number")
    return lease.person_id


def turn_of(office: Office, person: int) -> Lease:
    """Somebody's turn, after whoever comes before them."""
    while (lease := office.take()).person_id != person:
        office.say(lease, "no_answer")
    return lease


def use_up(office: Office, said: str = "no_answer", *, person: int | None = None) -> int:
    """Somebody whose calls are all used, the last one today."""
    lease = last_call(office, person)
    office.say(lease, said)
    return lease.person_id


def last_call(office: Office, person: int | None = None) -> Lease:
    """The card of somebody who may be called once more."""
    lease = office.take() if person is None else turn_of(office, person)

    def earlier(session: Session, desk: Desk) -> None:
        for ago in range(desk.policy.limits.calls_in_all - 1):
            at = office.now - timedelta(days=40 + 10 * ago)
            session.add(
                Attempt(
                    programme_id=desk.programme_id,
                    entry_id=lease.entry_id,
                    person_id=lease.person_id,
                    number_id=lease.number_id,
                    owner="young_person",
                    officer_id=office.user("officer"),
                    lease_token=f"old-{ago}",
                    sequence=1,
                    lane=4,
                    direction="outbound",
                    started_at=at,
                    ended_at=at,
                    slot="morning",
                    local_date=at.date(),
                    disposition="no_answer",
                    retry_kind="no_answer",
                )
            )
        opened = office.now - timedelta(days=300)
        session.execute(update(QueueEntry).where(QueueEntry.id == lease.entry_id).values(opened_at=opened))

    office.write(earlier)
    return lease


def entry(office: Office, person_id: int) -> Any:
    columns = (
        QueueEntry.id,
        QueueEntry.state,
        QueueEntry.closed_reason,
        QueueEntry.reopened_by,
        QueueEntry.reason,
    )
    return office.read(
        lambda s, _: s.execute(select(*columns).where(QueueEntry.person_id == person_id)).one()
    )


def steps(office: Office, person_id: int) -> list[StepView]:
    return office.read(lambda s, d: route_queries.steps_of(s, d.programme_id, person_id))


def due(office: Office, person_id: int) -> StepView:
    (step,) = [step for step in steps(office, person_id) if step.state == StepState.DUE]
    return step


def do(office: Office, step: StepView, result: StepResult, note: str = "") -> None:
    office.write(
        lambda s, _: routes.record(
            s, step.id, result, note=note, by=office.user("supervisor"), now=office.now
        )
    )


def night(office: Office) -> None:
    routes.advance(office.runtime.sessions, office.runtime.programmes.values(), office.now)


def know(office: Office, person_id: int, **values: str) -> None:
    office.write(
        lambda s, _: s.execute(update(YoungPerson).where(YoungPerson.id == person_id).values(**values))
    )


def test_without_a_number_sources_are_asked_one_after_another(office: Office) -> None:
    person = lose(office)
    assert entry(office, person).closed_reason == "details_to_find"
    assert due(office, person).route == "siei"
    do(office, due(office, person), StepResult.NOTHING, "pas dans les listes")
    assert due(office, person).route == "mission_locale"
    done = next(step for step in steps(office, person) if step.route == "siei")
    assert (done.state, done.result, done.note, done.by) == (
        "done",
        "nothing",
        "pas dans les listes",
        "Supervisor",
    )


def test_when_nothing_helps_the_final_state_says_whether_they_were_ever_reached(office: Office) -> None:
    person = lose(office)
    while entry(office, person).closed_reason == "details_to_find":
        do(office, due(office, person), StepResult.NOTHING)
    assert entry(office, person).closed_reason == "never_reached"
    assert entry(office, person).reason["code"] == "never_reached"


def end_of(office: Office, person: int) -> Any:
    while entry(office, person).closed_reason in routes.IN_ROUND:
        do(office, due(office, person), StepResult.NOTHING)
    return entry(office, person)


def enter_contacted(office: Office, person: int, cause: str) -> list[int]:
    return office.write(
        lambda s, d: changes.advance(
            s,
            programme_id=d.programme_id,
            person_id=person,
            stage=Stage.CONTACTED,
            at=office.now,
            now=office.now,
            cause=cause,
        )
    )


def test_somebody_who_answered_by_message_was_reached(office: Office) -> None:
    person = office.world.people[0]
    enter_contacted(office, person, "message")
    assert use_up(office) == person
    assert end_of(office, person).closed_reason == "no_longer_reached"


def test_a_contact_that_was_taken_back_was_none(office: Office) -> None:
    person = lose(office)
    entered = enter_contacted(office, person, "message")
    office.write(
        lambda s, _: changes.reverse(s, entered, at=office.now, by=office.user("supervisor"), cause="undo")
    )
    assert end_of(office, person).closed_reason == "never_reached"


def test_a_result_that_ends_the_work_without_a_word_with_them_is_no_contact(office: Office) -> None:
    person = lose(office)
    office.write(
        lambda s, _: s.execute(
            update(Attempt)
            .where(Attempt.person_id == person)
            .values(disposition="out_of_scope", retry_kind="done")
        )
    )
    assert end_of(office, person).closed_reason == "never_reached"


def test_the_final_state_tells_the_calls_of_this_opening_and_none_that_was_received(office: Office) -> None:
    person = use_up(office)
    opened = office.now - timedelta(days=65)

    def open_later(session: Session, _desk: Desk) -> None:
        of_person = update(Attempt).where(Attempt.person_id == person)
        session.execute(of_person.where(Attempt.lease_token == "old-1").values(direction="inbound"))
        session.execute(update(QueueEntry).where(QueueEntry.person_id == person).values(opened_at=opened))
        session.execute(update(RouteStep).where(RouteStep.person_id == person).values(opened_at=opened))

    office.write(open_later)
    assert end_of(office, person).reason["params"]["cap"] == 3  # today, and 40 and 60 days ago


def test_a_number_that_is_found_brings_them_back_with_fresh_calls(office: Office) -> None:
    person = lose(office)
    step = due(office, person)
    office.write(
        lambda s, d: corrections.add_number(
            s, d, person, a_number(), NumberOwner.YOUNG_PERSON, by=office.user("supervisor"), now=office.now
        )
    )
    do(office, step, StepResult.FOUND)
    assert entry(office, person).state == EntryState.OPEN
    assert {one.state for one in steps(office, person)} <= {"done", "cancelled", "not_possible"}
    events = office.read(lambda s, d: history.file_of(s, d.programme_id, person)).events
    assert ("siei", "found") in [(e.code, e.extra) for e in events if e.kind is EventKind.ROUTE]


def test_a_number_that_was_called_to_no_avail_is_none_that_was_found(office: Office) -> None:
    person = use_up(office)
    with pytest.raises(InvalidInput, match="déjà sur la fiche"):
        find(office, person, number_of(office, person).e164)
    assert entry(office, person).closed_reason == "other_routes"


@pytest.mark.parametrize(
    ("result", "verdict"), [("wrong_number", NumberVerdict.WRONG), ("dead_number", NumberVerdict.DEAD)]
)
def test_a_number_that_was_set_aside_is_called_again_only_when_somebody_says_so(
    office: Office, result: str, verdict: NumberVerdict
) -> None:
    lease = office.take()
    office.say(lease, result)
    person = lease.person_id
    known = number_of(office, person)
    with pytest.raises(InvalidInput, match="mais écarté"):
        find(office, person, known.e164)
    assert number_of(office, person).verdict == verdict
    assert entry(office, person).closed_reason == "details_to_find"
    office.later(minutes=5)
    for _ in range(2):
        try_again(office, person, known.id)
    assert number_of(office, person).verdict == NumberVerdict.UNVERIFIED
    assert entry(office, person).state == EntryState.OPEN


def test_only_a_number_of_theirs_is_tried_again(office: Office) -> None:
    person, other = office.world.people[:2]
    with pytest.raises(NotFound):
        try_again(office, person, number_of(office, other).id)


def test_a_number_that_is_found_brings_them_back_in_every_programme(office: Office) -> None:
    person = lose(office)
    office.second_programme([person])
    assert left(office, person) == ["details_to_find", "details_to_find"]
    find(office, person, a_number())
    assert left(office, person) == [None, None]


def test_a_number_given_in_a_call_brings_them_back_in_every_programme(office: Office) -> None:
    person = office.world.people[0]
    other = office.second_programme([person]).programme_id

    def lose_there(session: Session, _desk: Desk) -> None:
        of_other = QueueEntry.person_id == person, QueueEntry.programme_id == other
        row = session.scalars(select(QueueEntry).where(*of_other)).one()
        entries.close(session, row, reason="details_to_find", reopened_by="new_number", now=office.now)

    office.write(lose_there)
    lease = open_card(office, person)
    assert set(left(office, person)) == {None, "details_to_find"}
    office.say(lease, "wrong_number", new_number=a_number())
    assert left(office, person) == [None, None]


def left(office: Office, person_id: int) -> list[str | None]:
    """Why they left each programme's queue."""
    reasons = select(QueueEntry.closed_reason).where(QueueEntry.person_id == person_id)
    return office.read(lambda s, _: list(s.scalars(reasons)))


def number_of(office: Office, person_id: int) -> NumberOnCard:
    (number,) = office.read(lambda s, d: card.person(s, d, person_id, now=office.now)).numbers
    return number


def find(office: Office, person_id: int, number: str) -> None:
    by = office.user("supervisor")
    office.write(
        lambda s, d: corrections.add_number(
            s, d, person_id, number, NumberOwner.YOUNG_PERSON, by=by, now=office.now
        )
    )


def try_again(office: Office, person_id: int, number_id: int) -> None:
    by = office.user("supervisor")
    office.write(lambda s, d: corrections.try_number_again(s, d, person_id, number_id, by=by, now=office.now))


def test_somebody_who_comes_back_by_another_way_leaves_the_round(office: Office) -> None:
    person = lose(office)
    office.later(minutes=5)
    office.write(
        lambda s, d: corrections.add_number(
            s, d, person, a_number(), NumberOwner.YOUNG_PERSON, by=office.user("supervisor"), now=office.now
        )
    )
    night(office)
    assert not [step for step in steps(office, person) if step.state in ("due", "waiting", "sent")]


def test_after_all_calls_other_ways_come_before_the_end(office: Office) -> None:
    person = use_up(office)
    after = entry(office, person)
    assert (after.state, after.closed_reason) == (EntryState.CLOSED, "other_routes")
    assert "new_list" in (after.reopened_by or "")
    assert due(office, person).route == "mission_locale"


@pytest.mark.parametrize("fields", [{}, {"callback_at": MONDAY_TEN + timedelta(hours=5)}])
def test_a_number_given_in_the_last_call_has_its_own_calls(office: Office, fields: dict[str, Any]) -> None:
    lease = last_call(office)
    opened = opening(office, lease.person_id)
    said = office.say(lease, "wrong_number", new_number=a_number(), **fields)
    after = entry(office, lease.person_id)
    assert (after.state, opening(office, lease.person_id)) == (EntryState.OPEN, office.now)
    assert steps(office, lease.person_id) == []
    assert said.submission_id is not None
    submission = said.submission_id
    office.later(minutes=1)
    office.write(lambda s, d: undo.undo(s, d, submission, officer_id=office.user("officer"), now=office.now))
    assert opening(office, lease.person_id) == opened


def test_a_number_given_before_the_last_call_leaves_the_count_as_it_is(office: Office) -> None:
    lease = office.take()
    opened = opening(office, lease.person_id)
    office.later(minutes=1)
    office.say(lease, "wrong_number", new_number=a_number())
    assert opening(office, lease.person_id) == opened


def test_an_undo_leaves_the_calls_that_a_supervisor_gave_since(office: Office) -> None:
    lease = last_call(office)
    attempt = office.say(lease, "wrong_number", new_number=a_number()).attempt_id
    assert attempt is not None
    office.later(minutes=1)
    by, found = office.user("supervisor"), entry_id(office, lease.person_id)

    def close_and_reopen(session: Session, desk: Desk) -> None:
        row = session.get_one(QueueEntry, found)
        entries.close(session, row, reason="details_to_find", reopened_by="supervisor", now=office.now)
        settling.reopen(session, desk, found, reason="x", by=by, now=office.now)

    office.write(close_and_reopen)
    since = office.now
    office.later(minutes=1)
    office.write(lambda s, d: undo.undo_for_reason(s, d, attempt, reason="x", by=by, now=office.now))
    assert opening(office, lease.person_id) == since


def opening(office: Office, person_id: int) -> datetime:
    opened = select(QueueEntry.opened_at).where(QueueEntry.person_id == person_id)
    return office.read(lambda s, _: s.scalars(opened).one())


@pytest.mark.parametrize("mistake", ["dead_number", "guardian_refusal"])
def test_a_mistake_is_undone_after_the_search_has_come_to_its_end(office: Office, mistake: str) -> None:
    mother = a_number()
    called, sibling = (office.add(name, numbers=[], guardian_numbers=[mother]) for name in ("Ada", "Éva"))
    lease = open_card(office, called)
    office.call(lease)
    attempt = office.say(lease, mistake).attempt_id
    assert attempt is not None
    office.later(days=2)
    for person in (called, sibling):
        assert end_of(office, person).closed_reason == "never_reached"
    by = office.user("supervisor")
    office.write(lambda s, d: undo.undo_for_reason(s, d, attempt, reason="x", by=by, now=office.now))
    assert {entry(office, person).state for person in (called, sibling)} == {EntryState.OPEN}


def test_an_undo_opens_nobody_for_whom_the_rule_finds_no_way(office: Office) -> None:
    lease = office.take()
    attempt = office.say(lease, "no_answer").attempt_id
    assert attempt is not None
    office.later(days=3)
    number = number_of(office, lease.person_id).id

    def stop(session: Session, desk: Desk) -> None:
        opt_outs.opt_out(session, number_id=number, source="message", now=office.now)
        reconsider(session, desk.programme, desk.programme_id, [lease.person_id], now=office.now)

    office.write(stop)
    assert entry(office, lease.person_id).closed_reason == "opted_out"
    by = office.user("supervisor")
    office.write(lambda s, d: undo.undo_for_reason(s, d, attempt, reason="x", by=by, now=office.now))
    assert entry(office, lease.person_id).closed_reason == "opted_out"


def test_a_letter_is_given_time_before_the_next_step(office: Office) -> None:
    person = lose(office)
    know(office, person, address="1 rue de l'Essai", postal_code="13013")
    bring_back(office, person)
    for _ in range(2):
        do(office, due(office, person), StepResult.NOTHING)
    letter = due(office, person)
    assert letter.kind == RouteKind.LETTER
    do(office, letter, StepResult.SENT)
    office.later(minutes=60 * 24 * 20)
    night(office)
    assert entry(office, person).closed_reason == "details_to_find"
    office.later(minutes=60 * 24 * 2)
    night(office)
    assert entry(office, person).closed_reason == "never_reached"


def bring_back(office: Office, person_id: int) -> None:
    office.later(minutes=1)
    office.write(
        lambda s, d: settling.reopen(
            s, d, entry_id(office, person_id), reason="x", by=office.user("supervisor"), now=office.now
        )
    )


def entry_id(office: Office, person_id: int) -> int:
    found: int = entry(office, person_id).id
    return found


def wait_for_a_letter(office: Office, person: int) -> StepView:
    """Somebody lost whose letter is the step to do now."""
    know(office, person, address="=1+1 rue de l'Essai", postal_code="13013", commune="Marseille")
    bring_back(office, person)
    for _ in range(2):
        do(office, due(office, person), StepResult.NOTHING)
    return due(office, person)


def prepare(office: Office) -> int:
    by = office.user("supervisor")
    return office.write(
        lambda s, d: routes.prepare_mailing(
            s, d.programme_id, "letter", RouteKind.LETTER, by=by, now=office.now
        )
    )


def post(office: Office, mailing: int) -> int:
    by = office.user("supervisor")
    return office.write(lambda s, _: routes.mailing_sent(s, mailing, by=by, now=office.now))


def in_file(office: Office, mailing: int) -> set[int]:
    """Who is in a merge file; as many as the page says."""
    found = office.read(
        lambda s, d: route_queries.mail_lines(s, d.programme_id, mailing, today=office.now.date())
    )
    assert found is not None
    (told,) = [
        one.people
        for one in office.read(lambda s, d: route_queries.mailings(s, d.programme_id))
        if one.id == mailing
    ]
    assert told == found[0].people == len(found[1])
    return {line.reference for line in found[1]}


def test_a_merge_file_holds_every_due_letter_once(office: Office) -> None:
    people = [lose(office), lose(office)]
    for person in people:
        wait_for_a_letter(office, person)
    mailing = prepare(office)
    with pytest.raises(NotAllowed):
        prepare(office)
    assert in_file(office, mailing) == set(people)
    assert post(office, mailing) == 2
    assert post(office, mailing) == 0
    assert all(any(one.state == "sent" for one in steps(office, person)) for person in people)


def oppose(office: Office, person: int) -> None:
    by = office.user("supervisor")
    office.write(lambda s, d: corrections.oppose(s, d, person, source="office", by=by, now=office.now))


def give_number(office: Office, person: int, owner: NumberOwner = NumberOwner.YOUNG_PERSON) -> None:
    by = office.user("supervisor")
    office.write(lambda s, d: corrections.add_number(s, d, person, a_number(), owner, by=by, now=office.now))


LEAVE_THE_FILE: dict[str, Callable[[Office, int], None]] = {
    "they object": oppose,
    "a number is found": give_number,
    "the address is wrong": lambda office, person: do(office, due(office, person), StepResult.NOTHING),
    "it was posted alone": lambda office, person: do(office, due(office, person), StepResult.SENT),
}


@pytest.mark.parametrize("why", LEAVE_THE_FILE)
def test_who_is_not_to_be_written_to_any_more_is_in_no_merge_file(office: Office, why: str) -> None:
    stays, leaves = lose(office), lose(office)
    wait_for_a_letter(office, stays)
    wait_for_a_letter(office, leaves)
    mailing = prepare(office)
    LEAVE_THE_FILE[why](office, leaves)
    assert in_file(office, mailing) == {stays}
    assert post(office, mailing) == 1
    assert in_file(office, mailing) == {stays}


def test_who_objects_after_the_letter_was_posted_is_in_its_file_no_longer(office: Office) -> None:
    stays, objects = lose(office), lose(office)
    for person in (stays, objects):
        wait_for_a_letter(office, person)
    mailing = prepare(office)
    assert post(office, mailing) == 2
    oppose(office, objects)
    assert in_file(office, mailing) == {stays}


def test_a_source_is_not_asked_twice_within_months(office: Office) -> None:
    person = lose(office)
    do(office, due(office, person), StepResult.NOTHING)
    office.later(minutes=10)
    office.write(
        lambda s, d: settling.reopen(
            s, d, entry_id(office, person), reason="liste", by=office.user("supervisor"), now=office.now
        )
    )
    assert due(office, person).route == "mission_locale"
    again = [step for step in steps(office, person) if step.route == "siei"]
    assert again[-1].why_not == "asked_lately"


def test_an_undone_result_takes_up_the_same_round(office: Office) -> None:
    person = lose(office)
    before = len(steps(office, person))

    def back_and_forth(session: Session, _desk: Desk) -> None:
        row = session.scalars(select(QueueEntry).where(QueueEntry.person_id == person)).one()
        row.state, row.closed_reason = EntryState.OPEN, None
        session.flush()

    office.write(back_and_forth)
    night(office)
    assert not [step for step in steps(office, person) if step.state == "due"]

    def close_again(session: Session, desk: Desk) -> None:
        row = session.scalars(select(QueueEntry).where(QueueEntry.person_id == person)).one()
        entries.close(session, row, reason="details_to_find", reopened_by="new_number", now=office.now)
        routes.begin(session, desk.programme, row, ever_reached=False, now=office.now)

    office.write(close_again)
    assert len(steps(office, person)) == before
    assert due(office, person).route == "siei"


def letter_of(office: Office, person: int) -> StepView:
    """The one letter to somebody that was not cancelled before it left."""
    (letter,) = [one for one in steps(office, person) if one.kind == "letter" and one.result]
    return letter


def test_a_letter_that_is_out_is_waited_for_when_they_leave_the_queue_again(office: Office) -> None:
    person = lose(office)
    do(office, wait_for_a_letter(office, person), StepResult.SENT)
    posted = office.now
    office.later(days=1)
    bring_back(office, person)
    assert entry(office, person).closed_reason == "details_to_find"
    letter = letter_of(office, person)
    assert (letter.state, letter.done_at, letter.due_at) == ("sent", posted, posted + timedelta(days=21))
    office.later(days=21)
    night(office)
    assert entry(office, person).closed_reason == "never_reached"


def test_what_can_be_asked_now_is_asked_while_a_letter_is_out(office: Office) -> None:
    person = office.add("Ana", birth_date=date(2005, 1, 1))
    office.say(turn_of(office, person), "dead_number")
    do(office, wait_for_a_letter(office, person), StepResult.SENT)
    office.later(days=1)
    give_number(office, person, NumberOwner.OTHER)
    assert due(office, person).kind == RouteKind.PEER
    do(office, due(office, person), StepResult.NOTHING)
    assert letter_of(office, person).state == "sent"
    assert entry(office, person).closed_reason == "details_to_find"


def undo_late(office: Office, attempt_id: int | None) -> None:
    assert attempt_id is not None
    by = office.user("supervisor")
    office.write(
        lambda s, d: undo.undo_for_reason(s, d, attempt_id, reason="erreur de saisie", by=by, now=office.now)
    )


@pytest.mark.parametrize(("days", "state"), [(2, "sent"), (30, "done")])
def test_an_undone_result_given_again_posts_no_second_letter(office: Office, days: int, state: str) -> None:
    lease = office.take()
    know(office, lease.person_id, address="1 rue de l'Essai", postal_code="13013", commune="Marseille")
    said = office.say(lease, "dead_number")
    for _ in range(2):
        do(office, due(office, lease.person_id), StepResult.NOTHING)
    assert post(office, prepare(office)) == 1
    posted = office.now
    office.later(days=2)
    undo_late(office, said.attempt_id)
    night(office)
    assert letter_of(office, lease.person_id).done_at == posted
    office.later(days=days - 2, hours=4)
    office.say(turn_of(office, lease.person_id), "dead_number")
    letter = letter_of(office, lease.person_id)
    assert (letter.state, letter.done_at) == (state, posted)
    with pytest.raises(NotAllowed):
        prepare(office)


def test_a_round_goes_on_when_the_import_that_ended_it_is_undone(office: Office) -> None:
    person = office.add("Ana", family_name="Martin", birth_date=date(2008, 2, 14))
    office.later(minutes=1)
    assert use_up(office, person=person) == person
    do(office, due(office, person), StepResult.NOTHING)
    was_due = due(office, person).route
    office.later(days=2)
    names_them = csv_list({"Nom": "MARTIN", "Prénom": "Ana"})
    sessions, programme = office.runtime.sessions, office.runtime.programme
    done = import_list(sessions, names_them, list_date=office.now.date(), now=office.now)
    assert entry(office, person).state == EntryState.OPEN
    night(office)
    office.write(lambda s, _: undoing.undo(s, done.list_file_id, programme=programme, now=office.now))
    assert entry(office, person).closed_reason == "other_routes"
    night(office)
    assert due(office, person).route == was_due
    assert end_of(office, person).closed_reason == "never_reached"


def test_a_round_goes_on_when_the_merge_that_ended_it_is_taken_back(office: Office) -> None:
    lost = use_up(office)
    is_open = next(person for person in office.world.people if person != lost)
    long_ago = office.now - timedelta(days=310)
    office.write(
        lambda s, _: s.execute(
            update(QueueEntry).where(QueueEntry.person_id == is_open).values(opened_at=long_ago)
        )
    )
    by, programmes = office.user("supervisor"), office.runtime.programmes
    merged = office.write(
        lambda s, _: merging.merge(s, programmes, kept_id=is_open, gone_id=lost, by=by, now=office.now).id
    )
    office.later(minutes=10)
    night(office)
    office.write(lambda s, _: merging.unmerge(s, programmes, merged, by=by, now=office.now))
    night(office)
    assert due(office, lost).route == "mission_locale"


def test_without_other_routes_who_has_no_number_is_unreachable_at_once(office: Office) -> None:
    programme = office.runtime.programme
    office.runtime.programmes[programme.code] = programme.model_copy(update={"routes": ()})
    person = lose(office)
    after = entry(office, person)
    assert (after.state, after.closed_reason, after.reason["code"]) == (
        EntryState.CLOSED,
        "never_reached",
        "never_reached",
    )
    assert "new_list" in after.reopened_by


def test_a_round_without_a_step_ends_when_its_programme_has_no_routes_any_more(office: Office) -> None:
    person = use_up(office)
    office.write(lambda s, _: s.execute(update(RouteStep).values(state=StepState.CANCELLED)))
    programme = office.runtime.programme
    office.runtime.programmes[programme.code] = programme.model_copy(update={"routes": ()})
    night(office)
    assert entry(office, person).closed_reason == "never_reached"


def test_a_step_that_is_not_due_is_refused(office: Office) -> None:
    person = lose(office)
    later = next(step for step in steps(office, person) if step.state == "waiting")
    with pytest.raises(NotAllowed):
        do(office, later, StepResult.NOTHING)
    with pytest.raises(InvalidInput):
        do(office, due(office, person), StepResult.NOTHING, "x" * 3000)


def test_a_step_that_was_done_keeps_its_author_and_what_came_of_it(office: Office) -> None:
    person = lose(office)
    step = due(office, person)
    do(office, step, StepResult.NOTHING, "pas dans les listes")
    with pytest.raises(NotAllowed):
        do(office, step, StepResult.FOUND, "par un voisin")
    done = next(one for one in steps(office, person) if one.id == step.id)
    assert (done.result, done.note) == ("nothing", "pas dans les listes")


def test_an_address_that_comes_before_the_end_is_written_to(office: Office) -> None:
    person = lose(office)
    know(office, person, address="1 rue de l'Essai", postal_code="13013", email="a@exemple.fr")
    done = []
    while entry(office, person).closed_reason in routes.IN_ROUND:
        done.append(due(office, person).route)
        do(office, due(office, person), StepResult.NOTHING)
    assert done == ["siei", "mission_locale", "email", "letter"]


def test_no_message_is_due_to_a_mobile_that_said_stop_meanwhile(office: Office) -> None:
    person = use_up(office)
    (message,) = [one for one in steps(office, person) if one.kind == RouteKind.MESSAGE]
    assert message.state == "waiting"
    number = office.read(
        lambda s, _: s.scalars(select(PersonNumber.number_id).where(PersonNumber.person_id == person)).one()
    )
    office.write(lambda s, _: opt_outs.opt_out(s, number_id=number, source="message", now=office.now))
    do(office, due(office, person), StepResult.NOTHING)
    (message,) = [one for one in steps(office, person) if one.kind == RouteKind.MESSAGE]
    assert (message.state, message.why_not) == ("not_possible", "no_mobile")


def test_whom_a_guardian_refuses_is_not_looked_for_once_a_supervisor_says_so(office: Office) -> None:
    person = office.add("Ada", numbers=[], guardian_numbers=[a_number()])
    know(office, person, address="1 rue de l'Essai", postal_code="13013")
    refused = refuse(office, person)
    assert entry(office, person).closed_reason == "details_to_find"
    office.later(minutes=5)
    decide(office, refused, DecisionKind.REFUSAL_STOPS)
    after = entry(office, person)
    assert (after.closed_reason, after.reopened_by) == (
        settling.GUARDIAN_REFUSED,
        "new_list inbound supervisor",
    )
    night(office)
    assert not [step for step in steps(office, person) if step.state in ("due", "waiting", "sent")]
    assert entry(office, person).closed_reason == settling.GUARDIAN_REFUSED
    office.write(
        lambda s, d: corrections.add_number(
            s, d, person, a_number(), NumberOwner.YOUNG_PERSON, by=office.user("officer"), now=office.now
        )
    )
    assert entry(office, person).closed_reason == settling.GUARDIAN_REFUSED


def test_what_a_call_settled_outlasts_a_guardians_refusal(office: Office) -> None:
    person = office.add("Ada", guardian_numbers=[a_number()])
    refused = refuse(office, person)
    lease = open_card(office, person)
    office.say(lease, "has_solution")
    decide(office, refused, DecisionKind.REFUSAL_STOPS)
    assert entry(office, person).closed_reason == "has_solution"


def open_card(office: Office, person_id: int) -> Lease:
    return office.write(
        lambda s, d: serving.open_card(s, d, person_id, officer_id=office.user("officer"), now=office.now)
    )


def refuse(office: Office, person_id: int) -> int:
    """Their guardian refuses; return the refusal."""
    lease = open_card(office, person_id)
    guardian = select(PersonNumber.number_id).where(
        PersonNumber.person_id == person_id, PersonNumber.owner == NumberOwner.GUARDIAN
    )
    office.call(lease, office.read(lambda s, _: s.scalars(guardian).one()))
    office.say(lease, "guardian_refusal")
    return office.read(lambda s, _: s.scalars(select(OptOut.id).where(OptOut.person_id == person_id)).one())


def decide(office: Office, refusal: int, choice: DecisionKind) -> None:
    office.write(
        lambda s, d: settling.decide_refusal(
            s, d, refusal, choice, reason="Vu avec elle", by=office.user("supervisor"), now=office.now
        )
    )


def test_an_open_record_and_one_in_its_round_go_on_with_a_round(office: Office) -> None:
    looked_for = use_up(office)
    kept = next(person for person in office.world.people if person != looked_for)
    do(office, due(office, looked_for), StepResult.NOTHING, "pas dans les listes")
    open_since(office, kept, days=310)
    merge(office, kept, looked_for)
    office.later(minutes=10)
    night(office)
    assert entry(office, kept).closed_reason == "other_routes"
    assert due(office, kept).route == "message"
    asked = {step.why_not for step in steps(office, kept) if step.route == "mission_locale"}
    assert asked == {None, "asked_lately"}


@pytest.mark.parametrize("days", [0, 5])
@pytest.mark.parametrize("keeps_the_finished", [True, False])
def test_a_round_that_is_not_over_goes_on_where_the_other_record_had_come_to_its_end(
    office: Office, days: int, keeps_the_finished: bool
) -> None:
    finished, looked_for = lose(office), lose(office)
    open_since(office, finished, days=10)
    open_since(office, looked_for, days=10 - days)
    assert end_of(office, finished).closed_reason == "never_reached"
    do(office, due(office, looked_for), StepResult.NOTHING)
    step = due(office, looked_for)
    kept, gone = (finished, looked_for) if keeps_the_finished else (looked_for, finished)
    merged = merge(office, kept, gone)
    office.later(minutes=10)
    night(office)
    assert entry(office, kept).closed_reason == "details_to_find"
    assert due(office, kept).id == step.id
    do(office, due(office, kept), StepResult.NOTHING)
    assert entry(office, kept).closed_reason == "never_reached"
    by = office.user("supervisor")
    office.write(lambda s, _: merging.unmerge(s, office.runtime.programmes, merged, by=by, now=office.now).id)
    (done,) = [one for one in steps(office, looked_for) if one.id == step.id]
    assert (done.state, done.result) == ("done", "nothing")


def test_of_two_rounds_that_began_together_one_goes_on(office: Office) -> None:
    kept, gone = lose(office), lose(office)
    theirs = {one.id for one in steps(office, gone)}
    merged = merge(office, kept, gone)
    night(office)
    assert due(office, kept).id not in theirs
    assert {one.state for one in steps(office, kept) if one.id in theirs} == {"cancelled", "not_possible"}
    by = office.user("supervisor")
    office.write(lambda s, _: merging.unmerge(s, office.runtime.programmes, merged, by=by, now=office.now).id)
    assert due(office, gone).id in theirs


def open_since(office: Office, person_id: int, *, days: int) -> None:
    """Let them have been in the queue for so many days, with the round that they are in."""
    opened = office.now - timedelta(days=days)

    def work(session: Session, _desk: Desk) -> None:
        for table in (QueueEntry, RouteStep):
            session.execute(update(table).where(table.person_id == person_id).values(opened_at=opened))

    office.write(work)


def merge(office: Office, kept: int, gone: int) -> int:
    """Make two records one; return the merge."""
    by, programmes = office.user("supervisor"), office.runtime.programmes
    return office.write(
        lambda s, _: merging.merge(s, programmes, kept_id=kept, gone_id=gone, by=by, now=office.now).id
    )


def test_who_objects_is_not_looked_for(office: Office) -> None:
    lease = office.take()
    office.say(lease, "opposition")
    assert steps(office, lease.person_id) == []
    assert entry(office, lease.person_id).closed_reason == "opposition"


def a_friend_of(office: Office, person: int) -> str:
    number = a_number()
    office.write(
        lambda s, d: corrections.add_number(
            s, d, person, number, NumberOwner.OTHER, by=office.user("supervisor"), now=office.now
        )
    )
    return number


def friends_to_ask(office: Office) -> list[str]:
    """The numbers shown with the step that asks a friend; none when it is no step to do."""
    work = office.read(
        lambda s, d: route_queries.work_list(s, d.programme_id, today=office.now.date(), route="peer")
    )
    return [number for item in work for number in item.peers]


def test_a_friend_is_asked_to_pass_a_word_on_and_not_called_by_the_queue(office: Office) -> None:
    person = lose(office)
    office.later(days=1)
    friend = a_friend_of(office, person)
    assert entry(office, person).closed_reason == "details_to_find"
    for _ in range(3):
        if due(office, person).route != "peer":
            do(office, due(office, person), StepResult.NOTHING)
    assert friends_to_ask(office) == [friend]


@pytest.mark.parametrize("spoilt", ["stop", "wrong", "barred"])
def test_a_friend_who_wants_no_call_or_is_a_stranger_is_not_asked(office: Office, spoilt: str) -> None:
    person = lose(office)
    office.later(days=1)
    number = a_friend_of(office, person)

    def spoil(session: Session, _desk: Desk) -> None:
        link = session.scalars(select(PersonNumber).join(PhoneNumber).where(PhoneNumber.e164 == number)).one()
        if spoilt == "stop":
            opt_outs.opt_out(session, number_id=link.number_id, source="message", now=office.now)
        elif spoilt == "wrong":
            link.verdict = NumberVerdict.WRONG
        else:
            link.callable = False

    while due(office, person).route != "peer":
        do(office, due(office, person), StepResult.NOTHING)
    assert friends_to_ask(office) == [number]
    office.write(spoil)
    assert friends_to_ask(office) == []
    bring_back(office, person)
    assert [one.why_not for one in steps(office, person) if one.route == "peer"][-1] == "no_peer"


def in_the_message_step(office: Office) -> tuple[int, str]:
    """Somebody to whom an officer has just written in their round, with a letter to come; their number."""
    know(office, office.world.people[0], address="1 rue de l'Essai", postal_code="13013")
    person = use_up(office)
    while due(office, person).route != "message":
        do(office, due(office, person), StepResult.NOTHING)
    do(office, due(office, person), StepResult.SENT)
    query = select(PhoneNumber.e164).join(PersonNumber).where(PersonNumber.person_id == person)
    return person, office.read(lambda s, _: s.scalars(query).one())


def write_in(office: Office, number: str, body: str) -> InboundState:
    """Let somebody write to us; return where their message stands."""
    said = Incoming(f"SM {number} {office.now}", number, body)
    return InboundState(office.write(lambda s, d: inbound.take_in(s, d, said, now=office.now).state))


def live_steps(office: Office, person: int) -> list[str]:
    return [one.route for one in steps(office, person) if one.state in routes.LIVE_STEPS]


def test_a_stop_in_answer_to_the_round_ends_it(office: Office) -> None:
    person, number = in_the_message_step(office)
    assert write_in(office, number, "STOP ne me contactez plus") == InboundState.AUTOMATIC
    left = entry(office, person)
    assert (left.closed_reason, left.reason["code"]) == ("opted_out", "opted_out_everywhere")
    assert left.reopened_by == "new_number inbound supervisor"
    assert live_steps(office, person) == []


def test_a_stranger_s_stop_ends_nobody_s_round(office: Office) -> None:
    lease = office.take()
    office.say(lease, "wrong_number")
    query = select(PhoneNumber.e164).join(PersonNumber).where(PersonNumber.person_id == lease.person_id)
    number = office.read(lambda s, _: s.scalars(query).one())
    write_in(office, number, "STOP")
    assert entry(office, lease.person_id).closed_reason == "details_to_find"
    assert due(office, lease.person_id).route == "siei"


@pytest.mark.parametrize(("may_be_called", "left_as"), [(True, "other_routes"), (False, "opted_out")])
def test_a_stop_on_one_of_two_numbers_leaves_the_round_of_the_other(
    office: Office, may_be_called: bool, left_as: str
) -> None:
    person, number = in_the_message_step(office)

    def another(session: Session, desk: Desk) -> None:
        given = numbers.add(
            session,
            person_id=person,
            text=a_number(),
            owner=NumberOwner.YOUNG_PERSON,
            region=desk.programme.region,
            now=office.now,
        )
        link = session.scalars(select(PersonNumber).where(PersonNumber.number_id == given.number_id)).one()
        link.callable = may_be_called

    office.write(another)
    write_in(office, number, "STOP")
    assert entry(office, person).closed_reason == left_as
    assert ("letter" in live_steps(office, person)) == may_be_called


def test_a_no_in_answer_to_the_round_pauses_it_for_sixty_days(office: Office) -> None:
    person, number = in_the_message_step(office)
    do_sent_back(office, person)
    assert due(office, person).route == "letter"
    assert write_in(office, number, "non merci") == InboundState.AUTOMATIC
    assert live_steps(office, person) == ["letter"]
    for days in (30, 29):
        office.later(days=days)
        night(office)
        assert [one.state for one in steps(office, person) if one.route == "letter"] == ["waiting"]
    office.later(days=1)
    night(office)
    assert due(office, person).route == "letter"
    assert office.read(lambda s, _: paused_until(s, person)) == office.now


def do_sent_back(office: Office, person: int) -> None:
    """End the wait for an answer to the message."""
    (sent,) = [one for one in steps(office, person) if one.state == StepState.SENT]
    do(office, sent, StepResult.NOTHING)


def paused_until(session: Session, person: int) -> datetime | None:
    return session.scalars(select(QueueEntry.paused_until).where(QueueEntry.person_id == person)).one()


def test_what_is_held_is_in_no_merge_file(office: Office) -> None:
    person, number = in_the_message_step(office)
    do_sent_back(office, person)
    by = office.user("supervisor")

    def prepare() -> int:
        return office.write(
            lambda s, d: routes.prepare_mailing(
                s, d.programme_id, "letter", RouteKind.LETTER, by=by, now=office.now
            )
        )

    def people_in(mailing: int) -> list[int]:
        found = office.read(
            lambda s, d: route_queries.mail_lines(s, d.programme_id, mailing, today=office.now.date())
        )
        return [line.reference for line in found[1]] if found else []

    first = prepare()
    assert people_in(first) == [person]
    write_in(office, number, "non merci")
    assert people_in(first) == []
    office.later(days=60)
    night(office)
    assert people_in(prepare()) == [person]


def test_a_not_now_in_the_last_call_lets_the_round_begin_after_its_pause(office: Office) -> None:
    person = use_up(office, "not_now")
    assert entry(office, person).closed_reason == "other_routes"
    assert not [one for one in steps(office, person) if one.state == StepState.DUE]
    for days in (1, 58):
        office.later(days=days)
        night(office)
        assert not [one for one in steps(office, person) if one.state == StepState.DUE]
    office.later(days=1)
    night(office)
    assert due(office, person).route == "mission_locale"


def test_an_undone_not_now_holds_no_round_up(office: Office) -> None:
    lease = last_call(office)
    said = office.say(lease, "not_now").submission_id
    assert said is not None
    officer = office.user("officer")
    office.write(lambda s, d: undo.undo(s, d, said, officer_id=officer, now=office.now))
    night(office)
    again = office.write(
        lambda s, d: serving.open_card(s, d, lease.person_id, officer_id=officer, now=office.now)
    )
    office.say(again, "dead_number")
    assert due(office, lease.person_id).route == "mission_locale"


def test_a_not_now_said_during_the_round_holds_it_unless_it_is_undone(office: Office) -> None:
    person, officer = use_up(office), office.user("officer")
    office.later(minutes=10)
    lease = office.write(lambda s, d: serving.open_card(s, d, person, officer_id=officer, now=office.now))
    said = office.say(lease, "not_now").submission_id
    assert said is not None
    assert live_steps(office, person)
    assert not [one for one in steps(office, person) if one.state == StepState.DUE]
    office.write(lambda s, d: undo.undo(s, d, said, officer_id=officer, now=office.now))
    night(office)
    assert due(office, person).route == "mission_locale"
