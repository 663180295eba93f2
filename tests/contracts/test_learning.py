"""The night's learning with real tables: counts, versions, freeze, going back; on both databases."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import Lane, QueueEntry, Turn
from callcentre.desk import why_not
from callcentre.desk.context import Desk
from callcentre.directory.models import Programme as ProgrammeRow
from callcentre.errors import InvalidInput
from callcentre.outreach.models import Attempt
from callcentre.people.models import YoungPerson
from callcentre.planning import fits, queries, refit
from callcentre.planning.blocks import plan
from callcentre.planning.counting import count_calls, groups_of, seconds_of
from callcentre.planning.load import record_blocks
from callcentre.planning.models import BlockRecord, CallHistory, RetryLearning
from callcentre.planning.policies import policy_in_force
from callcentre.planning.states import states_of
from callcentre.programmes import SegmentConfig
from callcentre.retry.learnt import Learnt, history_of
from callcentre.retry.profiles import first_fit
from tests.builders import a_number
from tests.contracts.conftest import Office
from tests.contracts.learning import a_promise, count, counted, fit, learning, note_calls, play

ANSWERED = {"disposition": "interested", "retry_kind": "callback"}


def test_the_counts_are_those_that_the_rule_sees_in_each_person(office: Office) -> None:
    people = play(office, people=60)
    count(office)
    known = counted(office)

    def seen(session: Session, desk: Desk) -> dict[int, tuple[int, ...]]:
        states = states_of(session, desk.programme, desk.programme_id, people)
        histories = {one: history_of(state) for one, state in states.items()}
        return {one: (*h.unanswered, *h.answered) for one, h in histories.items()}

    expected = office.read(seen)
    assert {one: known.get(one, (0,) * 10) for one in people} == expected
    assert any(sum(counts) for counts in known.values())


def test_counting_again_changes_nothing_and_looks_only_at_the_lately_called(office: Office) -> None:
    play(office, people=40)
    first = count(office)
    before = counted(office)
    assert count(office) < first
    assert counted(office) == before


def test_a_result_taken_back_or_given_weeks_later_is_counted_the_next_night(office: Office) -> None:
    taken_back, settled, untouched = (office.add(name) for name in ("Nora", "Sami", "Lina"))
    long_ago = {"started_at": office.now - timedelta(days=29)}
    ended = {"ended_at": office.now - timedelta(days=29)}
    for one in (taken_back, untouched):
        note_calls(office, one, [ANSWERED | long_ago | ended])
    note_calls(office, settled, [long_ago | {"ended_at": None, "disposition": None, "retry_kind": None}])
    count(office)
    office.later(days=1)
    count(office)
    office.later(hours=3)

    def change(session: Session, _desk: Desk) -> None:
        calls = update(Attempt).where(Attempt.person_id == taken_back)
        session.execute(calls.values(corrected_at=office.now, corrected_by=office.user("supervisor")))
        calls = update(Attempt).where(Attempt.person_id == settled)
        session.execute(calls.values(ended_at=office.now, **ANSWERED))

    office.write(change)
    office.later(days=1)
    assert count(office) == 2
    counts = counted(office)
    assert [counts[one][0::5] for one in (taken_back, settled, untouched)] == [(1, 0), (0, 1), (0, 1)]


def test_a_class_of_another_segment_is_counted_there_the_next_night(office: Office) -> None:
    people = play(office, people=10)
    segments = tuple(
        SegmentConfig(code=code, labels={"fr": code, "en": code}, class_begins=(begins,))
        for code, begins in (("cap", "CAP"), ("bac", "Bac"))
    )
    programme = office.runtime.programme.model_copy(update={"segments": segments})
    night = (office.runtime.sessions, programme, office.world.programme_id)

    def known(one: int) -> str | None:
        found = select(CallHistory.segment).where(CallHistory.person_id == one)
        return office.read(lambda s, _: s.scalar(found))

    def belongs(one: int, label: str | None) -> None:
        values = update(YoungPerson).where(YoungPerson.id == one).values(class_label=label)
        office.write(lambda s, _: s.execute(values))

    count(office)
    one = next(one for one in people if one in counted(office))
    for label, segment in (("CAP cuisine", "cap"), ("Bac pro", "bac"), (None, "")):
        belongs(one, label)
        office.later(days=1)
        count_calls(*night, office.now)
        assert known(one) == segment
    assert count_calls(*night, office.now) == 0


def test_calls_for_another_programme_are_counted_the_next_night(office: Office) -> None:
    person = office.add("Nora")
    long_ago = office.now - timedelta(days=20)
    note_calls(office, person, [{"started_at": long_ago, "ended_at": long_ago}])
    count(office)
    office.later(days=1)

    def another(session: Session, desk: Desk) -> int:
        other = ProgrammeRow(code="other", label="Autre")
        session.add(other)
        session.flush()
        return other.id

    other = office.write(another)
    note_calls(office, person, [{"programme_id": other, "started_at": office.now, "ended_at": office.now}])
    office.later(hours=16)
    assert count(office) == 1
    assert counted(office)[person][0] == 2


def test_counting_cut_off_goes_on_where_it_stopped(office: Office) -> None:
    play(office, people=20)
    count(office)
    whole = counted(office)

    def cut(session: Session, _desk: Desk) -> None:
        half = sorted(whole)[len(whole) // 2]
        session.execute(text("DELETE FROM call_histories WHERE person_id > :half"), {"half": half})
        session.execute(
            update(RetryLearning).values(counting_since=office.now, counted_until=None, counted_person=half)
        )

    office.write(cut)
    assert count(office) < len(whole)
    assert counted(office) == whole
    assert learning(office).counted_person is None


def test_equal_histories_are_one_group(office: Office) -> None:
    play(office, people=60)
    count(office)
    tuning = office.runtime.programme.constants
    assert tuning is not None
    groups = office.read(lambda s, d: groups_of(s, d.programme_id, tuning, office.now.date()))
    known = counted(office)
    assert sum(group.people for group in groups) == len(known)
    assert len({(*g.unanswered, *g.answered) for g in groups}) == len(groups) == len(set(known.values()))
    for group in groups:
        for plain, faded in zip(group.unanswered, group.faded_unanswered, strict=True):
            assert faded <= plain * group.people + 1e-9


def test_calls_that_were_expected_tell_whose_hours_are_whose_and_not_how_often_people_answer(
    office: Office,
) -> None:
    person = office.add("Nora", guardian_numbers=[a_number()])
    promise = {"callback_id": a_promise(office, person), "lane": int(Lane.PROMISE)}
    undone = {"corrected_at": office.now, "corrected_by": office.user("officer")}
    note_calls(
        office,
        person,
        [
            {},
            ANSWERED,
            ANSWERED | promise,
            promise,
            ANSWERED | {"lane": int(Lane.MISSED_INBOUND)},
            ANSWERED | {"direction": "inbound"},
            ANSWERED | undone,
            {"disposition": None, "retry_kind": None, "ended_at": None},
        ],
    )
    count(office)
    assert counted(office)[person][0::5] == (4, 4)  # as the rule sees them
    tuning = office.runtime.programme.constants
    assert tuning is not None
    (group,) = office.read(lambda s, d: groups_of(s, d.programme_id, tuning, office.now.date()))
    assert 0.9 < group.faded_unanswered[0] < 1
    assert 0.9 < group.faded_answered[0] < 1
    fit(office)
    shown = office.read(lambda s, d: queries.learnt_hours(s, d.programme, d.programme_id))
    assert shown is not None
    assert (shown.raw[0].calls, shown.raw_answers[0]) == (2, 1)


def test_a_guardian_who_answers_and_refuses_has_answered(office: Office) -> None:
    person = office.add("Nora", guardian_numbers=[a_number()])
    guardian = {"owner": "guardian"}
    refused = {"disposition": "guardian_refusal", "retry_kind": "guardian_refusal"}
    promise = {"callback_id": a_promise(office, person), "lane": int(Lane.PROMISE)}
    note_calls(office, person, [guardian, guardian | refused, guardian | ANSWERED | promise])
    count(office)
    tuning = office.runtime.programme.constants
    assert tuning is not None
    tallies = office.read(lambda s, d: seconds_of(s, d.programme_id, tuning, office.now.date()))
    (morning,) = tallies
    assert 0.9 < morning.answered < 1
    assert 0.9 < morning.unanswered < 1
    assert morning.contacts == 0


def test_each_fit_is_a_new_version_and_the_newest_is_in_force(office: Office) -> None:
    play(office)
    assert fit(office) is None  # nothing counted yet
    count(office)
    first, second = fit(office), fit(office)
    assert None not in (first, second)
    assert learning(office).fit_id == second
    shown = office.read(lambda s, d: queries.learnt_hours(s, d.programme, d.programme_id))
    assert shown is not None
    assert [one.version for one in shown.versions] == [2, 1]
    assert shown.version == 2
    assert (
        0
        < sum(chance.calls for chance in shown.raw)
        < sum(sum(counts) for counts in counted(office).values())
    )
    assert all(chance.low <= chance.rate <= chance.high for chance in shown.raw if chance.calls)


def test_a_freeze_keeps_the_numbers_until_learning_is_resumed(office: Office) -> None:
    play(office)
    count(office)
    first, by = fit(office), office.user("supervisor")
    with pytest.raises(InvalidInput):
        office.write(lambda s, d: fits.freeze(s, d.programme_id, reason=" ", by=by, now=office.now))
    office.write(lambda s, d: fits.freeze(s, d.programme_id, reason="vacances", by=by, now=office.now))
    assert fit(office) is None
    assert learning(office).fit_id == first
    office.write(lambda s, d: fits.resume(s, d.programme_id, by=by, now=office.now))
    assert fit(office) not in (None, first)


def test_a_night_taken_up_again_makes_no_second_version_but_a_supervisor_may(office: Office) -> None:
    play(office)
    runtime = office.runtime
    refit.learn(runtime.sessions, runtime.programmes.values(), office.now)
    first = learning(office).fit_id
    assert first is not None
    office.later(minutes=1)
    refit.learn(runtime.sessions, runtime.programmes.values(), office.now)
    assert learning(office).fit_id == first
    assert fit(office, by_hand=True) != first
    office.later(days=1)
    refit.learn(runtime.sessions, runtime.programmes.values(), office.now)
    shown = office.read(lambda s, d: queries.learnt_hours(s, d.programme, d.programme_id))
    assert shown is not None
    assert [one.source for one in shown.versions] == ["nightly", "by_hand", "nightly"]


def test_a_programme_whose_night_fails_stops_no_other_and_is_told(office: Office) -> None:
    play(office)
    works = office.runtime.programme
    assert works.constants is not None
    numbers = works.constants.model_copy(update={"half_life_days": 0.0})
    breaks = works.model_copy(update={"constants": numbers})
    with pytest.raises(ExceptionGroup) as failed:
        refit.learn(office.runtime.sessions, (breaks, works), office.now)
    (failure,) = failed.value.exceptions
    assert failure.__notes__ == [works.code]
    assert learning(office).fit_id is not None
    assert learning(office).planned_entry is None


def test_going_back_puts_an_older_version_in_force_and_freezes_it(office: Office) -> None:
    play(office)
    count(office)
    first, by = fit(office), office.user("supervisor")
    fit(office)
    office.write(lambda s, d: fits.go_back(s, d.programme_id, 1, reason="étrange", by=by, now=office.now))
    assert learning(office).fit_id == first
    assert fit(office) is None
    policy = office.read(lambda s, d: policy_in_force(s, d.programme, d.programme_id))
    assert isinstance(policy.preference, Learnt)
    assert policy.preference.fit.version == 1
    office.write(lambda s, d: fits.go_back(s, d.programme_id, 0, reason="départ", by=by, now=office.now))
    policy = office.read(lambda s, d: policy_in_force(s, d.programme, d.programme_id))
    assert isinstance(policy.preference, Learnt)
    assert policy.preference.fit.version == 0


def test_everybodys_hour_follows_the_version_that_a_supervisor_puts_in_force(office: Office) -> None:
    people = play(office)
    runtime, by = office.runtime, office.user("supervisor")
    refit.learn(runtime.sessions, runtime.programmes.values(), office.now)
    assert follow(office) == 0
    lease = office.take()
    ready = office.read(turns_ready)
    assert ready
    office.write(lambda s, d: fits.go_back(s, d.programme_id, 0, reason="étrange", by=by, now=office.now))
    office.later(minutes=1)
    assert follow(office) > 0
    told = office.read(lambda s, d: why_not.answers(s, d, [*office.world.people, *people], now=office.now))
    stored = select(QueueEntry.person_id, QueueEntry.preferred_at).where(QueueEntry.preferred_at > office.now)
    planned = office.read(lambda s, _: s.execute(stored).all())
    assert planned
    assert all(told[person].next_call in (at, None) for person, at in planned)
    again = office.read(turns_ready)
    assert again
    assert again != ready
    held = office.serve()
    assert isinstance(held, Lease)
    assert held.token == lease.token, "whoever is with an officer stays there"
    assert follow(office) == 0


def follow(office: Office) -> int:
    """What the worker does between two nights; return how many people it planned anew."""
    runtime = office.runtime
    return sum(refit.follow(runtime.sessions, runtime.programmes.values(), office.now).values())


def turns_ready(session: Session, _desk: Desk) -> dict[int, dict[str, object]]:
    """Why each person who is ready is to be called, by their entry."""
    ready = select(Turn.entry_id, Turn.reason).where(Turn.token.is_(None), Turn.lane == Lane.ORDINARY)
    return dict(session.execute(ready).all())


def test_where_learning_is_switched_off_the_priors_decide_whatever_was_learnt_before(office: Office) -> None:
    play(office)
    runtime = office.runtime
    refit.learn(runtime.sessions, runtime.programmes.values(), office.now)
    constants = runtime.programme.constants
    assert constants is not None
    off = runtime.programme.model_copy(update={"constants": constants.overridden({"learns": False})})
    policy = office.read(lambda s, d: policy_in_force(s, off, d.programme_id))
    assert isinstance(policy.preference, Learnt)
    assert policy.preference.fit == first_fit(constants)
    shown = office.read(lambda s, d: queries.learnt_hours(s, off, d.programme_id))
    assert shown is not None
    assert (shown.version, [one.is_in_force for one in shown.versions]) == (0, [False])
    assert refit.learn_one(runtime.sessions, off, office.now) > 0
    assert refit.learn_one(runtime.sessions, off, office.now) == 0
    assert refit.learn_one(runtime.sessions, runtime.programme, office.now) > 0


def test_a_block_that_left_people_over_makes_its_slot_dearer(office: Office) -> None:
    office.say(office.take(), "no_answer")
    office.later(hours=3)

    def record(session: Session, desk: Desk) -> int:
        morning = desk.policy.hours.blocks_on(office.now.date(), desk.programme.tz)[0]
        session.execute(
            update(QueueEntry)
            .where(QueueEntry.person_id.in_(office.world.people[1:]))
            .values(preferred_at=morning.start, preferred_until=morning.end)
        )
        return record_blocks(session, desk.programme, desk.programme_id, now=office.now)

    assert office.write(record) > 0
    assert office.write(lambda s, d: record_blocks(s, d.programme, d.programme_id, now=office.now)) == 0
    shown = office.read(lambda s, d: queries.learnt_hours(s, d.programme, d.programme_id))
    assert shown is not None
    morning = shown.load[0]
    assert (morning.slot, morning.blocks) == ("morning", 1)
    assert morning.served_part == pytest.approx(1 - 0.25 * (1 - 1 / 3))
    assert morning.queue_days > 0


@pytest.mark.parametrize("first", ["a claim", "the job"])
def test_who_is_left_over_is_counted_whoever_plans_first_after_the_block(office: Office, first: str) -> None:
    people = [office.add(f"Lina{n}") for n in range(20)]
    hours = office.read(
        lambda s, _: s.execute(
            select(QueueEntry.preferred_at, QueueEntry.preferred_until).where(
                QueueEntry.person_id.in_(people)
            )
        ).all()
    )
    (start, end), wanted = Counter((row[0], row[1]) for row in hours).most_common(1)[0]
    assert start is not None
    assert end is not None
    office.clock.move_to(start)
    office.write(lambda s, d: plan(s, d.programme, now=office.now))
    office.say(office.take(), "no_answer")
    office.clock.move_to(end + timedelta(seconds=10))
    if first == "a claim":
        office.serve()
    office.write(lambda s, d: plan(s, d.programme, now=office.now))
    record = office.read(
        lambda s, _: s.execute(
            select(BlockRecord.called, BlockRecord.left_over).where(BlockRecord.ends_at == end)
        ).one()
    )
    assert record.called == 1
    assert record.left_over >= wanted - 1


def test_the_share_kept_on_rotation_is_counted_apart(office: Office) -> None:
    play(office, people=40)
    programme = office.runtime.programme
    assert programme.constants is not None
    kept = programme.model_copy(
        update={"constants": programme.constants.model_copy(update={"control_share": 0.5})}
    )
    count(office)
    refit.fit_again(office.runtime.sessions, kept, office.world.programme_id, office.now)
    shown = office.read(lambda s, d: queries.learnt_hours(s, kept, d.programme_id))
    assert shown is not None
    called = office.read(
        lambda s, _: s.scalar(
            select(func.count(Attempt.person_id.distinct())).where(Attempt.direction == "outbound")
        )
    )
    assert shown.arms["control"].people + shown.arms["learnt"].people == called
    assert all(arm.contacted <= arm.people <= arm.calls for arm in shown.arms.values())
