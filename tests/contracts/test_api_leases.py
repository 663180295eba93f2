"""Leases through the API, on both databases: who gets whom, how long it lasts, and what is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from callcentre.callqueue import turns
from callcentre.callqueue.lease import reclaim_expired
from callcentre.callqueue.models import Lane, LeaseLog, QueueEntry
from callcentre.database import reading, writing
from callcentre.desk.models import OutcomeConflict
from callcentre.outreach.models import Attempt
from callcentre.people.models import Opposition
from callcentre.people.opt_outs import opt_out
from tests.builders import a_number, a_person
from tests.web.programs import Program, Room, a_room, error_of


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    with a_room(tmp_path, database_url) as room:
        yield room


def sweep(room: Room) -> int:
    with writing(room.site.runtime.sessions) as session:
        return reclaim_expired(session, now=room.site.clock.now())


def later(room: Room, **duration: float) -> None:
    room.site.clock.advance(timedelta(**duration))


def count(room: Room, table: type) -> int:
    with reading(room.site.runtime.sessions) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def add(room: Room, **details: Any) -> int:
    with writing(room.site.runtime.sessions) as session:
        return a_person(session, room.world, now=room.site.clock.now(), **details)


def find(room: Room, program: Program, person_id: int) -> dict[str, Any]:
    """Take cards and give them an unanswered call until it is this person's."""
    for _ in room.world.people:
        served = program.next()
        if served["person"]["id"] == person_id:
            return served
        program.wrap(served, "no_answer")
    raise AssertionError("never served")


def put_in_lane(room: Room, person_id: int, lane: Lane) -> None:
    now = room.site.clock.now()
    with writing(room.site.runtime.sessions) as session:
        entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == person_id)).one()
        turns.put(session, entry, lane, due_at=now, due_until=now + timedelta(hours=1), reason={})


# --- one lease each


def test_asking_again_gives_the_same_lease(room: Room) -> None:
    program = room.program()
    first, again = program.post("/leases"), program.post("/leases")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json() == first.get_json()


def test_two_officers_are_never_given_the_same_person_or_number(room: Room) -> None:
    mother = a_number()
    for name in ("Ada", "Éva"):
        add(room, first_name=name, numbers=[], guardian_numbers=[mother])
    served = [room.program(login).next() for login in ("officer", "colleague")]
    people = {s["person"]["id"] for s in served}
    numbers = [number["id"] for s in served for number in s["numbers"]]
    assert len(people) == 2
    assert len(numbers) == len(set(numbers))


def test_the_other_child_of_a_mother_on_the_line_waits_and_is_told_why(room: Room) -> None:
    mother = a_number()
    one, two = (add(room, first_name=n, numbers=[mother], territory="marseille-nord") for n in ("Ada", "Éva"))
    for person in (one, two):
        put_in_lane(room, person, Lane.MISSED_INBOUND)
    program, colleague = room.program(), room.program("colleague")
    served = program.next()
    assert served["person"]["id"] in {one, two}
    assert [mate["id"] for mate in served["person"]["household"]] == list(
        {one, two} - {served["person"]["id"]}
    )
    assert served["numbers"][0]["shared_with"] == 1
    other = ({one, two} - {served["person"]["id"]}).pop()
    assert colleague.next()["person"]["id"] not in {one, two}
    why = colleague.get(f"/people/{other}").get_json()["why_not_now"]
    assert why["code"] == "number_in_use"
    assert why["sentence"] == "Un collègue est sur ce numéro."


# --- how long it lasts


def test_a_lease_without_a_sign_of_life_goes_back_and_the_next_officer_gets_it(room: Room) -> None:
    program, colleague = room.program(), room.program("colleague")
    person = program.next()["person"]["id"]
    later(room, seconds=119)
    assert sweep(room) == 0
    later(room, seconds=2)
    assert sweep(room) == 1
    assert find(room, colleague, person)["person"]["id"] == person


def test_a_card_that_is_renewed_stays(room: Room) -> None:
    program = room.program()
    served = program.next()
    for _ in range(10):
        later(room, seconds=30)
        renewed = program.ask("PATCH", f"/leases/{served['lease']['token']}")
        assert renewed.status_code == 200
        sweep(room)
    assert renewed.get_json()["expires_at"] == "2026-11-23T09:07:00Z"
    assert program.next()["lease"]["token"] == served["lease"]["token"]


def test_a_token_that_ran_out_and_that_nobody_superseded_is_still_accepted(room: Room) -> None:
    program = room.program()
    served = program.next()
    later(room, minutes=20)
    assert sweep(room) == 1
    assert program.wrap(served, "no_answer").status_code == 201
    assert count(room, Attempt) == 1


def test_a_superseded_outcome_is_kept_as_a_conflict_and_says_so_again(room: Room) -> None:
    program, colleague = room.program(), room.program("colleague")
    served = program.next()
    later(room, minutes=20)
    sweep(room)
    find(room, colleague, served["person"]["id"])
    before = count(room, Attempt)
    assert program.ask("PATCH", f"/leases/{served['lease']['token']}").status_code == 409
    first = program.wrap(served, "interested", key="late", callback_at="2026-11-24T11:00:00+01:00")
    again = program.wrap(served, "interested", key="late", callback_at="2026-11-24T11:00:00+01:00")
    assert first.status_code == again.status_code == 409
    assert first.get_json() == again.get_json()
    assert (first.get_json()["kept"], error_of(first)["code"]) == (True, "lease_lost")
    assert again.headers["Idempotent-Replay"] == "true"
    assert count(room, OutcomeConflict) == 1
    assert count(room, Attempt) == before


def test_giving_back_serves_the_person_to_somebody_else(room: Room) -> None:
    program, colleague = room.program(), room.program("colleague")
    served = program.next()
    assert program.ask("DELETE", f"/leases/{served['lease']['token']}").status_code == 204
    assert program.ask("DELETE", f"/leases/{served['lease']['token']}").status_code == 204
    assert find(room, colleague, served["person"]["id"])


def test_a_skipped_person_comes_back_when_it_was_said(room: Room) -> None:
    program = room.program()
    served = program.next()
    answer = program.post(
        f"/leases/{served['lease']['token']}/skip",
        {"reason": "check_first", "not_before": "2026-11-23T15:00:00+01:00"},
    )
    assert answer.status_code == 204
    page = program.get(f"/people/{served['person']['id']}").get_json()
    assert page["person"]["calls_used"] == 0
    assert page["why_not_now"]["at"] == "2026-11-23T14:00:00Z"
    assert program.next()["person"]["id"] != served["person"]["id"]


def test_an_open_call_never_goes_back_and_is_to_settle(room: Room) -> None:
    program, colleague = room.program(), room.program("colleague")
    served = program.next()
    started = program.call(served)
    assert started.status_code == 201
    assert program.call(served).get_json() == started.get_json(), "a second click is the same call"
    later(room, minutes=31)
    assert sweep(room) == 0
    person = served["person"]["id"]
    assert colleague.next()["person"]["id"] != person
    assert colleague.get(f"/people/{person}").get_json()["why_not_now"]["code"] == "to_settle"
    todo = room.program("supervisor").get("/supervision").get_json()["todo"]
    assert [call["attempt_id"] for call in todo["to_settle"]] == [started.get_json()["attempt_id"]]
    assert program.next()["lease"]["attempt_id"] == started.get_json()["attempt_id"]
    done = program.wrap(served, "no_answer")
    assert (done.status_code, done.get_json()["attempt_id"]) == (201, started.get_json()["attempt_id"])


# --- once


def test_an_outcome_sent_twice_counts_once_and_answers_the_same(room: Room) -> None:
    program = room.program()
    served = program.next()
    first = program.wrap(served, "no_answer", key="once", note="ça sonne")
    program.next()
    later(room, hours=3)
    again = program.wrap(served, "no_answer", key="once", note="ça sonne")
    assert first.status_code == again.status_code == 201
    assert first.get_json() == again.get_json()
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    other = program.wrap(served, "voicemail", key="once")
    assert (other.status_code, error_of(other)["code"]) == (422, "idempotency_mismatch")
    assert count(room, Attempt) == 1


def test_keys_are_each_officers_own(room: Room) -> None:
    program, colleague = room.program(), room.program("colleague")
    assert program.wrap(program.next(), "no_answer", key="mine").status_code == 201
    assert colleague.wrap(colleague.next(), "voicemail", key="mine").status_code == 201
    assert count(room, Attempt) == 2


# --- saying stop


def test_an_opposition_holds_from_its_answer_on(room: Room) -> None:
    program = room.program()
    served = program.next()
    done = program.wrap(served, "opposition")
    assert done.get_json()["next"]["at"] is None
    page = program.get(f"/people/{served['person']['id']}").get_json()
    assert page["person"]["opposed"]
    assert page["why_not_now"]["at"] is None
    assert all(number["refused"]["code"] == "opposed" for number in page["numbers"])
    assert [stage["stage"] for stage in page["stages"]] == ["to_contact", "contacted"]


def test_a_stop_received_meanwhile_reaches_the_open_card(room: Room) -> None:
    program = room.program()
    served = program.next()
    with writing(room.site.runtime.sessions) as session:
        opt_out(session, number_id=served["numbers"][0]["id"], source="message", now=room.site.clock.now())
    refused = program.call(served, served["numbers"][0]["id"])
    assert (refused.status_code, error_of(refused)["reason"]) == (409, "opted_out")
    assert program.next()["numbers"][0]["opted_out"]


# --- undo


def test_an_undo_takes_everything_back_and_the_old_key_says_so(room: Room) -> None:
    program = room.program()
    served = program.next()
    done = program.wrap(served, "opposition", key="mistake").get_json()
    later(room, minutes=4, seconds=59)
    undone = program.post(f"/outcomes/{done['attempt_id']}/undo")
    assert undone.status_code == 200
    assert undone.get_json()["lease"]["person_id"] == served["person"]["id"]
    assert program.post(f"/outcomes/{done['attempt_id']}/undo").status_code == 200
    replayed = program.wrap(served, "opposition", key="mistake")
    assert replayed.get_json() == {"attempt_id": done["attempt_id"], "next": None, "undone": True}
    page = program.get(f"/people/{served['person']['id']}").get_json()
    assert not page["person"]["opposed"]
    assert page["stages"] == []
    assert [(a["id"], a["corrected"]) for a in page["attempts"]] == [(done["attempt_id"], True)]
    with reading(room.site.runtime.sessions) as session:
        assert session.scalars(select(Opposition.revoked_at)).one() is not None
    right = program.post(
        f"/leases/{undone.get_json()['lease']['token']}/outcome",
        {"disposition": "no_answer"},
        Idempotency_Key="right",
    )
    assert right.get_json()["attempt_id"] == done["attempt_id"]
    assert program.get(f"/people/{served['person']['id']}").get_json()["person"]["calls_used"] == 1


def test_after_five_minutes_an_undo_is_the_supervisors(room: Room) -> None:
    program = room.program()
    done = program.wrap(program.next(), "no_answer").get_json()
    later(room, minutes=5, seconds=1)
    refused = program.post(f"/outcomes/{done['attempt_id']}/undo")
    assert (refused.status_code, error_of(refused)["reason"]) == (409, "too_late")


# --- the order of the queue


def test_the_lanes_are_served_in_their_one_order(room: Room) -> None:
    wanted = [Lane.LIVE_INBOUND, Lane.MISSED_INBOUND, Lane.PROMISE, Lane.REPLY]
    people = [add(room, first_name="Ada", family_name=lane.name) for lane in wanted]
    for person, lane in reversed(list(zip(people, wanted, strict=True))):
        put_in_lane(room, person, lane)
    program = room.program()
    served = []
    for _ in range(5):
        card = program.next()
        served.append((card["lease"]["lane"], card["person"]["id"]))
        program.wrap(card, "no_answer")
    assert served[:4] == [(lane.name.lower(), person) for lane, person in zip(wanted, people, strict=True)]
    assert served[4][0] == "ordinary"


def test_a_promise_goes_to_its_officer_then_to_the_team(room: Room) -> None:
    program, colleague = room.program(), room.program("colleague")
    served = program.next()
    promised = program.wrap(served, "call_back", callback_at="2026-11-23T11:00:00+01:00")
    assert promised.get_json()["next"]["at"] == "2026-11-23T10:00:00Z"
    person = served["person"]["id"]
    why = colleague.get(f"/people/{person}").get_json()["why_not_now"]
    assert (why["code"], why["at"]) == ("promised", "2026-11-23T10:00:00Z")
    assert why["sentence"] == "Rappel promis le lundi 23 novembre à 11 h 00."
    later(room, hours=1)
    mine = program.next()  # at work, and busy with somebody who came before the promise is asked for
    assert (mine["lease"]["lane"], mine["person"]["id"]) == ("promise", person)
    program.ask("DELETE", f"/leases/{mine['lease']['token']}")
    assert colleague.next()["person"]["id"] != person, "its officer is at work: theirs for ten minutes"
    colleague.ask("DELETE", f"/leases/{colleague.next()['lease']['token']}")
    later(room, minutes=10, seconds=1)
    assert colleague.next()["person"]["id"] == person


def test_an_empty_queue_says_when_the_next_person_is_due(room: Room) -> None:
    program = room.program()
    for _ in room.world.people:
        program.wrap(program.next(), "no_answer")
    answer = program.post("/leases")
    assert answer.status_code == 200
    assert answer.get_json()["lease"] is None
    assert answer.get_json()["reason"]["code"] == "nothing_due"
    assert answer.get_json()["next_due_at"] > "2026-11-24"


# --- how often


def test_nobody_is_called_twice_a_day_and_nobody_more_than_four_times_in_thirty_days(room: Room) -> None:
    program = room.program()
    called: dict[int, list[str]] = {}
    for _ in range(24):  # hours, days and weekends go by
        later(room, hours=7)
        while (answer := program.post("/leases")).get_json()["lease"] is not None:
            served = answer.get_json()
            called.setdefault(served["person"]["id"], []).append(room.site.clock.now().date().isoformat())
            assert program.wrap(served, "no_answer").status_code == 201
    assert called.keys() == set(room.world.people)
    for days in called.values():
        assert len(days) == len(set(days)) <= 4


def test_three_children_of_one_mother_are_not_three_calls_to_her(room: Room) -> None:
    mother = a_number()
    children = [add(room, first_name=n, numbers=[mother]) for n in ("Ada", "Éva", "Zoé")]
    program = room.program()
    served = [program.next() for _ in range(1)]
    while served[-1]["lease"] is not None:
        program.wrap(served[-1], "no_answer")
        served.append(program.post("/leases").get_json())
    people = [card["person"]["id"] for card in served[:-1]]
    assert len(set(people) & set(children)) == 1
    later(room, minutes=1)
    refused = {
        program.get(f"/people/{child}").get_json()["numbers"][0]["refused"]["code"]
        for child in set(children) - set(people)
    }
    assert refused == {"number_day_cap"}
    assert count(room, LeaseLog) == len(people)


# --- at the same moment


def test_two_tabs_that_ask_at_once_get_one_lease(room: Room) -> None:
    program = room.program()
    tabs = [Program(room.site.app.test_client(), program.token) for _ in range(4)]
    with ThreadPoolExecutor(len(tabs)) as pool:
        answers = list(pool.map(lambda tab: tab.post("/leases"), tabs))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.get_json()["lease"]["token"] for answer in answers}) == 1
    assert [answer.status_code for answer in answers].count(201) == 1


def test_an_outcome_that_is_sent_several_times_at_once_counts_once(room: Room) -> None:
    program = room.program()
    tabs = [Program(room.site.app.test_client(), program.token) for _ in range(4)]
    for turn in range(3):
        served = program.next()
        with ThreadPoolExecutor(len(tabs)) as pool:
            answers = list(
                pool.map(lambda tab: tab.wrap(served, "no_answer", key=f"once-{turn}"), tabs)  # noqa: B023
            )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        assert ["Idempotent-Replay" in answer.headers for answer in answers].count(False) == 1
        assert count(room, Attempt) == turn + 1
    assert count(room, OutcomeConflict) == 0
