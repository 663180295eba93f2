"""Everybody planned anew gets what asking one by one gives, told by the numbers that decided; on both databases."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Text, cast, select, update
from sqlalchemy.orm import Session

from callcentre.callqueue.models import QueueEntry
from callcentre.database import writing
from callcentre.desk.card import person
from callcentre.desk.context import Desk
from callcentre.outreach.kinds import MessageKind
from callcentre.outreach.message_models import Message, MessageRecipient
from callcentre.outreach.models import Attempt
from callcentre.people.models import Opposition, OptOut, PersonNumber, YoungPerson
from callcentre.planning import fits, refit
from callcentre.planning.counting import count_calls
from callcentre.planning.eligibility import reconsider
from callcentre.planning.models import RetryLearning
from callcentre.planning.policies import policy_in_force
from callcentre.planning.replan import SAME_WORTH, replan
from callcentre.planning.states import states_of
from callcentre.programmes import Programme
from callcentre.retry.learnt import Learnt, history_of
from callcentre.retry.profiles import SLOTS, chances
from callcentre.retry.reasons import Reason, sentence
from callcentre.retry.slots import Slot
from tests.contracts.conftest import Office
from tests.contracts.learning import count, fit, learning, play

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


def kept_on_rotation(programme: Programme, share: float) -> Programme:
    """The programme with a share of people whose hours follow a plain rotation."""
    assert programme.constants is not None
    return programme.model_copy(
        update={"constants": programme.constants.model_copy(update={"control_share": share})}
    )


@pytest.mark.parametrize(("seed", "hands", "share"), [(5, 1, 0.0), (6, 1, 0.0), (7, 1, 0.5), (8, 2, 0.0)])
def test_planning_everybody_at_once_gives_what_asking_one_by_one_gives(
    office: Office, seed: int, hands: int, share: float
) -> None:
    people = play(office, people=120, seed=seed)
    disturb(office, people, seed=seed)
    write_to(office, people, seed=seed)
    programme = kept_on_rotation(office.runtime.programme, share)
    night = (office.runtime.sessions, programme, office.world.programme_id)
    count_calls(*night, office.now, hands=hands)
    fit(office)
    office.later(hours=17)  # in the middle of the night
    assert replan(*night, office.now, hands=hands)
    at_once, kept = planned(office), as_kept(office)
    everybody = [*people, *office.world.people]
    office.write(lambda s, _: s.execute(update(QueueEntry).values(dict.fromkeys(_PLANNED[:4]))))
    office.write(lambda s, d: reconsider(s, programme, d.programme_id, everybody, now=office.now))
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
        session.execute(update(RetryLearning).values(planned_entry=last))

    office.write(cut)
    replan(*night)
    assert planned(office) == whole
    assert learning(office).planned_entry is None


def test_planning_that_was_cut_off_begins_anew_when_another_version_is_in_force(office: Office) -> None:
    play(office, people=10)
    count(office)
    fit(office)
    night = (office.runtime.sessions, office.runtime.programme, office.world.programme_id, office.now)
    replan(*night)
    whole = planned(office)
    fit(office)
    last = office.read(lambda s, _: s.scalars(select(QueueEntry.id).order_by(QueueEntry.id)).all())[5]

    def cut_and_go_back(session: Session, desk: Desk) -> None:
        session.execute(update(QueueEntry).where(QueueEntry.id <= last).values(worth=0.9))
        second = select(RetryLearning.fit_id).scalar_subquery()
        session.execute(update(RetryLearning).values(planned_fit_id=second, planned_entry=last))
        by = office.user("supervisor")
        fits.go_back(session, desk.programme_id, 1, reason="étrange", by=by, now=office.now)

    office.write(cut_and_go_back)
    replan(*night)
    assert replan(*night) == 0
    worth = _PLANNED.index("worth")
    for one, values in planned(office).items():
        assert values[worth] == pytest.approx(whole[one][worth], rel=2 * SAME_WORTH)


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
                rate = by_slot[Slot(str(why.params[slot]))]
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
    assert params["one_in"] == round(1 / by_slot[Slot.MORNING])
    assert params["other_one_in"] == round(1 / by_slot[Slot.EVENING])


def test_people_kept_on_rotation_are_told_so_by_a_sentence_without_chances(office: Office) -> None:
    kept = kept_on_rotation(office.runtime.programme, 1.0)
    with writing(office.runtime.sessions) as session:
        reconsider(session, kept, office.world.programme_id, office.world.people, now=office.now)
    codes = {values[_PLANNED.index("reason")]["code"] for values in planned(office).values()}
    assert codes == {"first_call"}
