"""The night's learning with real tables: counts, versions, freeze, going back, planning anew; on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Text, cast, func, insert, select, text, update
from sqlalchemy.orm import Session

from callcentre.callqueue.models import QueueEntry
from callcentre.database import writing
from callcentre.desk.card import person
from callcentre.desk.context import Desk
from callcentre.errors import InvalidInput
from callcentre.outreach.kinds import MessageKind
from callcentre.outreach.message_models import Message, MessageRecipient
from callcentre.outreach.models import Attempt
from callcentre.people.models import Opposition, OptOut, PersonNumber, YoungPerson
from callcentre.planning import fits, queries, refit
from callcentre.planning.counting import count_calls, groups_of
from callcentre.planning.eligibility import reconsider
from callcentre.planning.load import record_blocks
from callcentre.planning.models import CallHistory, RetryLearning
from callcentre.planning.policies import policy_in_force
from callcentre.planning.replan import SAME_WORTH, replan
from callcentre.planning.states import states_of
from callcentre.retry.learnt import Learnt, history_of
from callcentre.retry.profiles import SLOTS, chances
from callcentre.retry.reasons import Reason, sentence
from tests.builders import FIRST_NAMES, a_number
from tests.contracts.conftest import Office

RESULTS = (
    ("no_answer", "no_answer"),
    ("voicemail", "no_answer"),
    ("third_party", "third_party"),
    ("interested", "callback"),
    ("technical", "technical"),
    ("wrong_number", "wrong_number"),
    ("out_of_scope", "done"),
    (None, None),
)


def play(office: Office, *, people: int = 30, seed: int = 1) -> list[int]:
    """People with calls of the last half year, some to guardians, some taken back, some received."""
    random_ = random.Random(seed)
    made = [
        office.add(
            FIRST_NAMES[n % len(FIRST_NAMES)],
            family_name=f"Appris{n}",
            guardian_numbers=[a_number()] if random_.random() < 0.4 else [],
            territory=office.world.programme.territories[n % 9].code,
        )
        for n in range(people)
    ]

    def write(session: Session, desk: Desk) -> None:
        entries = dict(session.execute(select(QueueEntry.person_id, QueueEntry.id)).all())
        numbers: dict[int, list[Any]] = {}
        for link in session.scalars(select(PersonNumber).order_by(PersonNumber.position)):
            numbers.setdefault(link.person_id, []).append(link)
        for one in made:
            for row in _calls(office, desk, one, entries[one], numbers[one], random_):
                session.execute(insert(Attempt), [row])
        opened = office.now - timedelta(days=200)
        session.execute(update(QueueEntry).values(opened_at=opened))
        reconsider(session, desk.programme, desk.programme_id, made, now=office.now)

    office.write(write)
    return made


def _calls(
    office: Office, desk: Desk, one: int, entry: int, numbers: list[Any], random_: random.Random
) -> Iterator[dict[str, Any]]:
    for turn, ago in enumerate(sorted(random_.sample(range(1, 180), random_.randint(0, 5)), reverse=True)):
        day = (office.now - timedelta(days=ago)).date()
        blocks = desk.policy.hours.blocks_on(day, desk.programme.tz)
        if not blocks:
            continue
        block = random_.choice(blocks)
        link = random_.choice(numbers)
        disposition, kind = random_.choice(RESULTS)
        at = block.start + timedelta(minutes=random_.randrange(30))
        yield {
            "programme_id": desk.programme_id,
            "entry_id": entry,
            "person_id": one,
            "number_id": link.number_id,
            "owner": link.owner,
            "officer_id": office.user("officer"),
            "lease_token": f"{one}-{turn}",
            "sequence": 1,
            "lane": 4,
            "direction": "inbound" if random_.random() < 0.1 else "outbound",
            "started_at": at,
            "ended_at": at,
            "slot": block.slot.value,
            "local_date": day,
            "disposition": disposition,
            "retry_kind": kind,
            "corrected_at": at if random_.random() < 0.1 else None,
        }


def count(office: Office) -> int:
    return count_calls(
        office.runtime.sessions, office.runtime.programme, office.world.programme_id, office.now
    )


def counted(office: Office) -> dict[int, tuple[int, ...]]:
    columns = [
        getattr(CallHistory, f"{kind}_{place}") for kind in ("unanswered", "answered") for place in range(5)
    ]
    rows = office.read(lambda s, _: s.execute(select(CallHistory.person_id, *columns)).all())
    return {row[0]: tuple(row[1:]) for row in rows}


def learning(office: Office) -> Any:
    columns = (RetryLearning.fit_id, RetryLearning.counted_person, RetryLearning.planned_entry)
    return office.read(lambda s, _: s.execute(select(*columns)).one())


def fit(office: Office) -> int | None:
    runtime = office.runtime
    return refit.fit_again(runtime.sessions, runtime.programme, office.world.programme_id, office.now)


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
    assert sum(chance.calls for chance in shown.raw) == sum(
        sum(counts) for counts in counted(office).values()
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


_PLANNED = (
    "eligible_at",
    "eligible_until",
    "preferred_at",
    "preferred_until",
    "number_id",
    "priority",
    "reason",
    "worth",
)


def planned(office: Office) -> dict[int, Any]:
    columns = [getattr(QueueEntry, name) for name in (*_PLANNED, "state", "closed_reason")]
    rows = office.read(lambda s, _: s.execute(select(QueueEntry.person_id, *columns)).all())
    return {row[0]: tuple(round(v, 6) if isinstance(v, float) else v for v in row[1:]) for row in rows}


def as_kept(office: Office) -> list[Any]:
    """What is planned in the very form in which it is stored: a claim compares instants as they are written."""
    columns = [cast(getattr(QueueEntry, name), Text) for name in _PLANNED if name != "worth"]
    rows = office.read(
        lambda s, _: s.execute(select(QueueEntry.person_id, *columns).order_by(QueueEntry.person_id)).all()
    )
    return list(rows)


def disturb(office: Office, people: list[int], *, seed: int) -> None:
    """Give some a pause, a stop, an opposition, a sister at the same number, another zone, a birthday to come."""
    random_ = random.Random(seed)

    def write(session: Session, desk: Desk) -> None:
        by = office.user("supervisor")
        for one in people:
            link = session.scalars(select(PersonNumber).where(PersonNumber.person_id == one)).first()
            assert link is not None
            match random_.randrange(12):
                case 0:
                    until = office.now + timedelta(days=random_.randrange(-3, 20))
                    session.execute(
                        update(QueueEntry).where(QueueEntry.person_id == one).values(paused_until=until)
                    )
                case 1:
                    session.add(OptOut(number_id=link.number_id, source="message", at=office.now))
                case 2:
                    session.add(Opposition(person_id=one, source="voice", recorded_by=by, at=office.now))
                case 3:
                    link.verdict = random_.choice(("wrong", "dead", "doubtful"))
                case 4:
                    other = random_.choice(people)
                    session.execute(
                        update(Attempt).where(Attempt.person_id == other).values(number_id=link.number_id)
                    )
                case 5:
                    zone = random_.choice(("Indian/Reunion", "America/Martinique"))
                    session.execute(update(YoungPerson).where(YoungPerson.id == one).values(zone=zone))
                case 6:
                    born = office.now.date().replace(year=office.now.year - 18)
                    soon = born + timedelta(days=random_.randrange(-5, 200))
                    session.execute(update(YoungPerson).where(YoungPerson.id == one).values(birth_date=soon))

    office.write(write)


def write_to(office: Office, people: list[int], *, seed: int) -> None:
    """Messages to a third of them, of which answers use up no cap; some reach the cap, together with their calls."""
    random_ = random.Random(seed)

    def write(session: Session, desk: Desk) -> None:
        links = session.scalars(select(PersonNumber).where(PersonNumber.person_id.in_(people[::3]))).all()
        for link in links:
            for step in range(random_.randrange(1, 9)):
                sent_at = office.now - timedelta(days=random_.randrange(45))
                sent = Message(
                    uid=f"{link.id}-{step}",
                    programme_id=office.world.programme_id,
                    step=f"{link.id}-{step}",
                    kind=random_.choice((MessageKind.ANSWER, MessageKind.MANUAL, MessageKind.UNANSWERED)),
                    number_id=link.number_id,
                    body="",
                    created_at=sent_at,
                    due_at=sent_at,
                    not_after=sent_at,
                    sent_at=sent_at,
                )
                session.add(sent)
                session.flush()
                session.add(MessageRecipient(message_id=sent.id, person_id=link.person_id))

    office.write(write)


@pytest.mark.parametrize(("seed", "hands"), [(5, 1), (6, 1), (7, 1), (8, 2)])
def test_planning_everybody_at_once_gives_what_asking_one_by_one_gives(
    office: Office, seed: int, hands: int
) -> None:
    people = play(office, people=120, seed=seed)
    disturb(office, people, seed=seed)
    write_to(office, people, seed=seed)
    night = (office.runtime.sessions, office.runtime.programme, office.world.programme_id)
    count_calls(*night, office.now, hands=hands)
    fit(office)
    office.later(hours=17)  # in the middle of the night
    assert replan(*night, office.now, hands=hands)
    at_once, kept = planned(office), as_kept(office)
    everybody = [*people, *office.world.people]
    office.write(lambda s, _: s.execute(update(QueueEntry).values(dict.fromkeys(_PLANNED[:4]))))
    office.write(lambda s, d: reconsider(s, d.programme, d.programme_id, everybody, now=office.now))
    one_by_one = planned(office)
    worth = _PLANNED.index("worth")
    for one, values in at_once.items():
        assert values[worth] == pytest.approx(one_by_one[one][worth], rel=2 * SAME_WORTH), one
    differing = {
        one: (values, one_by_one[one])
        for one, values in at_once.items()
        if values[:worth] + values[worth + 1 :] != one_by_one[one][:worth] + one_by_one[one][worth + 1 :]
    }
    assert differing == {}
    assert kept == as_kept(office)


def test_planning_is_done_once_for_each_version_and_goes_on_where_it_was_cut_off(office: Office) -> None:
    play(office, people=10)
    count(office)
    fit(office)
    night = (office.runtime.sessions, office.runtime.programme, office.world.programme_id, office.now)
    replan(*night)
    assert replan(*night) == 0
    whole = planned(office)
    last = office.read(lambda s, _: s.scalars(select(QueueEntry.id).order_by(QueueEntry.id)).all())[5]

    def cut(session: Session, _desk: Desk) -> None:
        session.execute(update(QueueEntry).where(QueueEntry.id > last).values(worth=None))
        session.execute(update(RetryLearning).values(planned_fit_id=None, planned_entry=last))

    office.write(cut)
    replan(*night)
    assert planned(office) == whole
    assert learning(office).planned_entry is None


def test_the_sentence_on_the_card_tells_the_numbers_that_decided(office: Office) -> None:
    play(office, people=30, seed=3)
    count(office)
    fit(office)
    refit.learn(office.runtime.sessions, office.runtime.programmes.values(), office.now + timedelta(hours=17))
    told = 0
    for one, values in planned(office).items():
        why = Reason.from_json(values[_PLANNED.index("reason")])
        if why.code not in ("learnt_first", "learnt_hour"):
            continue

        def rates(session: Session, desk: Desk, one: int = one) -> tuple[float, ...]:
            preference = policy_in_force(session, desk.programme, desk.programme_id).preference
            assert isinstance(preference, Learnt)
            state = states_of(session, desk.programme, desk.programme_id, [one])[one]
            return chances(preference.fit, history_of(state))

        by_slot = dict(zip(SLOTS, office.read(rates), strict=True))
        for slot, claimed in (("slot", "one_in"), ("other_slot", "other_one_in")):
            if slot in why.params:
                rate = by_slot[why.params[slot]]  # type: ignore[index]
                assert why.params[claimed] == min(100, round(1 / rate))
                assert str(why.params[claimed]) in sentence(why, "fr")
                assert str(why.params[claimed]) in sentence(why, "en")
        told += 1
    assert told > 5


def test_the_reason_of_a_call_is_kept_with_it(office: Office) -> None:
    lease = office.take()
    attempt = office.call(lease)
    kept = office.read(lambda s, _: s.scalar(select(Attempt.why).where(Attempt.id == attempt)))
    assert kept == lease.reason
    shown = office.read(lambda s, d: person(s, d, lease.person_id, now=office.now))
    assert shown.attempts


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


def test_an_hour_brought_forward_is_told_by_the_chances_of_both_hours(office: Office) -> None:
    def evening(session: Session, desk: Desk) -> None:
        block = desk.policy.hours.blocks_on(office.now.date(), desk.programme.tz)[-1]
        why = {"code": "learnt_first", "params": {"slot": "evening", "one_in": 4}}
        session.execute(
            update(QueueEntry).values(preferred_at=block.start, preferred_until=block.end, reason=why)
        )

    office.write(evening)
    lease = office.take()
    assert lease.reason["code"] == "learnt_earlier"

    def rates(session: Session, desk: Desk) -> tuple[float, ...]:
        preference = policy_in_force(session, desk.programme, desk.programme_id).preference
        assert isinstance(preference, Learnt)
        state = states_of(session, desk.programme, desk.programme_id, [lease.person_id])[lease.person_id]
        return chances(preference.fit, history_of(state))

    by_slot = dict(zip(SLOTS, office.read(rates), strict=True))
    params = lease.reason["params"]
    assert (params["slot"], params["other_slot"]) == ("morning", "evening")
    assert params["one_in"] == round(1 / by_slot["morning"])  # type: ignore[index]
    assert params["other_one_in"] == round(1 / by_slot["evening"])  # type: ignore[index]


def test_people_kept_on_rotation_are_told_so_by_a_sentence_without_chances(office: Office) -> None:
    programme = office.runtime.programme
    assert programme.constants is not None
    constants = programme.constants.model_copy(update={"control_share": 1.0})
    kept = programme.model_copy(update={"constants": constants})
    with writing(office.runtime.sessions) as session:
        reconsider(session, kept, office.world.programme_id, office.world.people, now=office.now)
    codes = {values[_PLANNED.index("reason")]["code"] for values in planned(office).values()}
    assert codes == {"first_call"}


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
