"""Everybody planned anew gets what asking one by one gives, told by the numbers that decided; on both databases."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import pytest
from sqlalchemy import Text, cast, select, update
from sqlalchemy.orm import Session

from callcentre.callqueue.models import QueueEntry, Turn
from callcentre.database import writing
from callcentre.desk import undo
from callcentre.desk.card import person
from callcentre.desk.context import Desk
from callcentre.outreach.kinds import MessageKind, MessageState
from callcentre.outreach.message_models import Message, MessageRecipient
from callcentre.outreach.models import Attempt
from callcentre.people.models import Opposition, OptOut, PersonNumber, YoungPerson
from callcentre.planning import fits, refit
from callcentre.planning.blocks import plan_on_the_spot
from callcentre.planning.counting import count_calls
from callcentre.planning.eligibility import reconsider
from callcentre.planning.models import RetryLearning
from callcentre.planning.policies import policy_in_force
from callcentre.planning.replan import SAME_WORTH, replan
from callcentre.planning.states import states_of
from callcentre.programmes import Programme
from callcentre.retry.learnt import SOMEBODY_ELSE, Learnt, history_of
from callcentre.retry.plan import permitted
from callcentre.retry.policy import Policy
from callcentre.retry.profiles import SLOTS, chances, second_chances
from callcentre.retry.reasons import Reason, ReasonCode, sentence
from callcentre.retry.slots import Slot
from callcentre.retry.state import YOUNG_PERSON_ANSWERED, Owner, PersonState
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
    """Messages to a third of them, of which answers use up no cap; some reach the cap, together with their calls.

    Of some nobody knows whether they left; they count as well.
    """
    random_ = random.Random(seed)

    def write(session: Session, desk: Desk) -> None:
        links = session.scalars(select(PersonNumber).where(PersonNumber.person_id.in_(people[::3]))).all()
        for link in links:
            for step in range(random_.randrange(1, 9)):
                asked_at = office.now - timedelta(days=random_.randrange(45))
                state = random_.choice((MessageState.SENT, MessageState.UNKNOWN, MessageState.FAILED))
                sent = Message(
                    uid=f"{link.id}-{step}",
                    programme_id=office.world.programme_id,
                    step=f"{link.id}-{step}",
                    kind=random_.choice((MessageKind.ANSWER, MessageKind.MANUAL, MessageKind.UNANSWERED)),
                    number_id=link.number_id,
                    body="",
                    created_at=asked_at,
                    due_at=asked_at,
                    not_after=asked_at,
                    requested_at=asked_at,
                    sent_at=asked_at if state is MessageState.SENT else None,
                    state=state,
                )
                session.add(sent)
                session.flush()
                session.add(MessageRecipient(message_id=sent.id, person_id=link.person_id))

    office.write(write)


def kept_on_rotation(programme: Programme, share: float) -> Programme:
    """The programme with a share of people whose hours follow a plain rotation."""
    return tuned(programme, control_share=share)


def ringing_guardians(programme: Programme) -> Programme:
    """The programme where what a guardian's number is worth moves quickly, and may be much."""
    return tuned(programme, second_rate=0.4, second_firmness=2.0, second_worth=0.7, second_from_call=2)


def tuned(programme: Programme, **changes: float) -> Programme:
    """The programme with other constants of the retry rule."""
    assert programme.constants is not None
    return programme.model_copy(update={"constants": programme.constants.model_copy(update=changes)})


@pytest.mark.parametrize(("seed", "hands", "share"), [(5, 1, 0.0), (6, 1, 0.0), (7, 1, 0.5), (8, 2, 0.0)])
def test_planning_everybody_at_once_gives_what_asking_one_by_one_gives(
    office: Office, seed: int, hands: int, share: float
) -> None:
    people = play(office, people=120, seed=seed, hints=True)
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


_ANSWERS = {
    ReasonCode.LEARNT_ANSWERED: YOUNG_PERSON_ANSWERED,
    ReasonCode.LEARNT_OTHERS_ANSWERED: SOMEBODY_ELSE,
}


def _guardian(state: PersonState) -> int | None:
    return next((number.number_id for number in state.numbers if number.owner is Owner.GUARDIAN), None)


def check_what_it_claims(
    why: Reason, number_id: int, state: PersonState, policy: Policy, now: datetime
) -> None:
    """A sentence tells the chance of its slot, on the number that it speaks of; who answered when; how long to wait."""
    preference = policy.preference
    assert isinstance(preference, Learnt)
    history = history_of(state)
    of_own = dict(zip(SLOTS, chances(preference.fit, history), strict=True))
    of_guardian = dict(zip(SLOTS, second_chances(preference.fit, history, preference.tuning), strict=True))
    owners = {number.number_id: number.owner for number in state.numbers}
    is_second = owners[number_id] is Owner.GUARDIAN
    assert is_second == (why.code in (ReasonCode.LEARNT_SECOND, ReasonCode.LEARNT_EARLIER_SECOND))
    told = [("slot", "one_in", is_second)]
    if "other_one_in" in why.params:
        told.append(("other_slot", "other_one_in", why.params.get("other_number") == "second"))
    for slot, claimed, on_second in told:
        rate = (of_guardian if on_second else of_own)[Slot(str(why.params[slot]))]
        assert why.params[claimed] == min(100, max(1, round(1 / rate)))
    if why.code is ReasonCode.LEARNT_HINTED:
        assert set(str(why.params["answered_slots"]).split(",")) == set(state.hinted_slots)
    for code, kinds in _ANSWERS.items():
        if why.code is code:
            heard = {a.slot for a in state.attempts if a.kind in kinds and a.number_id != _guardian(state)}
            heard |= set(state.answered_slots) if code is ReasonCode.LEARNT_ANSWERED else set()
            assert set(str(why.params["answered_slots"]).split(",")) == heard
    if why.code is ReasonCode.LEARNT_SOONER:
        other = next(o for o in permitted(state, policy, now=now) if o.block.slot == why.params["other_slot"])
        assert why.params["wait_days"] == max(1, ceil((other.due_at - now) / timedelta(days=1)))
    assert f"1 appel sur {why.params['one_in']}" in sentence(why, "fr")
    assert f"1 call in {why.params['one_in']}" in sentence(why, "en")
    for language in ("fr", "en"):
        assert "…" not in sentence(why, language)


def states_and_policy(
    office: Office, programme: Programme, people: list[int]
) -> tuple[dict[int, PersonState], Policy]:
    def read(session: Session, desk: Desk) -> tuple[dict[int, PersonState], Policy]:
        states = states_of(session, programme, desk.programme_id, people)
        return states, policy_in_force(session, programme, desk.programme_id)

    return office.read(read)


def test_the_sentence_on_the_card_tells_the_numbers_that_decided(office: Office) -> None:
    programme = ringing_guardians(office.runtime.programme)
    people = play(office, people=80, seed=3, hints=True)
    night = office.now + timedelta(hours=17)
    refit.learn(office.runtime.sessions, [programme], night)
    states, policy = states_and_policy(office, programme, people)
    found = planned(office)
    told: set[str] = set()
    for one in people:
        values = dict(zip(_PLANNED, found[one], strict=False))
        why = Reason.from_json(values["reason"])
        if why.code.startswith("learnt_") and found[one][-2] == "open":
            check_what_it_claims(why, values["number_id"], states[one], policy, night)
            told.add(why.code)
    assert told >= {
        "learnt_first",
        "learnt_hour",
        "learnt_answered",
        "learnt_hinted",
        "learnt_second",
    }


def test_an_hour_that_a_guardian_names_is_kept_until_the_result_is_undone(office: Office) -> None:
    lease = office.take()
    office.call(lease)
    evening = office.now.replace(hour=17) + timedelta(days=1)
    wrapped = office.say(lease, "third_party", callback_at=evening)

    def hinted() -> tuple[Slot, ...]:
        states, _ = states_and_policy(office, office.runtime.programme, [lease.person_id])
        return states[lease.person_id].hinted_slots

    assert hinted() == (Slot.EVENING,)
    office.later(minutes=1)
    office.write(
        lambda s, d: undo.undo(s, d, wrapped.submission_id or 0, officer_id=lease.officer_id, now=office.now)
    )
    assert hinted() == ()


def test_the_reason_of_a_call_is_kept_with_it(office: Office) -> None:
    lease = office.take()
    attempt = office.call(lease)
    kept = office.read(lambda s, _: s.scalar(select(Attempt.why).where(Attempt.id == attempt)))
    assert kept == lease.reason
    shown = office.read(lambda s, d: person(s, d, lease.person_id, now=office.now))
    assert shown.attempts


def brought_forward(office: Office, programme: Programme) -> dict[int, tuple[Reason, int]]:
    """Everybody preferred in the evening, and officers who are idle in the morning: the reason and number of each."""

    def evening(session: Session, desk: Desk) -> None:
        block = desk.policy.hours.blocks_on(office.now.date(), desk.programme.tz)[-1]
        session.execute(update(QueueEntry).values(preferred_at=block.start, preferred_until=block.end))
        plan_on_the_spot(session, programme, desk.programme_id, now=office.now)

    office.write(evening)
    turns = office.read(lambda s, _: s.execute(select(Turn.person_id, Turn.reason, Turn.number_id)).all())
    return {one: (Reason.from_json(why), number_id) for one, why, number_id in turns}


def test_a_call_brought_forward_goes_to_the_number_whose_chance_is_told(office: Office) -> None:
    programme = ringing_guardians(office.runtime.programme)
    people = [*play(office, people=80, seed=4), *office.world.people]
    refit.learn(office.runtime.sessions, [programme], office.now)
    office.write(lambda s, d: reconsider(s, programme, d.programme_id, people, now=office.now))
    states, policy = states_and_policy(office, programme, people)
    codes = []
    for one, (why, number_id) in brought_forward(office, programme).items():
        assert (why.params["slot"], why.params["other_slot"]) == ("morning", "evening")
        check_what_it_claims(why, number_id, states[one], policy, office.now)
        codes.append(why.code)
    assert set(codes) == {ReasonCode.LEARNT_EARLIER, ReasonCode.LEARNT_EARLIER_SECOND}


def test_a_call_brought_forward_by_rotation_names_the_hour_that_it_is(office: Office) -> None:
    kept = kept_on_rotation(office.runtime.programme, 1.0)
    with writing(office.runtime.sessions) as session:
        reconsider(session, kept, office.world.programme_id, office.world.people, now=office.now)
    told = brought_forward(office, kept)
    assert set(told) == set(office.world.people)
    for why, _ in told.values():
        assert why.code is ReasonCode.EARLIER
        assert "créneau matin au lieu du créneau soirée" in sentence(why, "fr")


def test_people_kept_on_rotation_are_told_so_by_a_sentence_without_chances(office: Office) -> None:
    kept = kept_on_rotation(office.runtime.programme, 1.0)
    with writing(office.runtime.sessions) as session:
        reconsider(session, kept, office.world.programme_id, office.world.people, now=office.now)
    codes = {values[_PLANNED.index("reason")]["code"] for values in planned(office).values()}
    assert codes == {"first_call"}
