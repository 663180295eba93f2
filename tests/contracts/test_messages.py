"""Messages from the plan to the young person and back, through the real client of the provider, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from callcentre.callqueue.kinds import EntryState, Lane
from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import QueueEntry, Turn
from callcentre.desk import conversation, serving, texts
from callcentre.desk.context import Desk
from callcentre.dispositions import RetryKind
from callcentre.errors import InvalidInput, NotAllowed
from callcentre.funnel.models import StageChange
from callcentre.funnel.stages import Stage
from callcentre.outreach import messages
from callcentre.outreach.kinds import Channel, InboundState, MessageKind, MessageState
from callcentre.outreach.message_models import Message, ProviderEvent, WebhookCount
from callcentre.outreach.messages import Draft
from callcentre.outreach.models import Attempt, Callback
from callcentre.outreach.offline import Offline
from callcentre.outreach.provider import Receipt, Refused
from callcentre.outreach.replies import Meaning
from callcentre.people import opt_outs
from callcentre.people.kinds import NumberOwner, NumberVerdict
from callcentre.people.models import OptOut, PersonNumber, PhoneNumber
from callcentre.people.numbers import number_row
from callcentre.phone import NumberKind
from callcentre.planning import delivery
from callcentre.planning.blocks import plan, plan_on_the_spot
from callcentre.planning.touches import plan_touches
from callcentre.standin.world import Faults
from callcentre.supervision.queries import guardian_refusals
from callcentre.support import appointments
from tests.builders import World
from tests.contracts.exchange import ACCOUNT, PUBLIC, Exchange, an_exchange

SHARED = "+33639981234"
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def exchange(database_url: str, tmp_path: Path) -> Iterator[Exchange]:
    with an_exchange(database_url, tmp_path) as made:
        yield made


def write(exchange: Exchange, number: str, people: tuple[int, ...], step: str = "manual-1") -> int:
    """Write a message down as an officer would; return its id."""

    def work(session: Session, desk: Desk) -> int:
        draft = Draft(
            programme_id=desk.programme_id,
            step=step,
            kind=MessageKind.MANUAL,
            number_id=number_row(session, number, "mobile").id,
            body="Bonjour, répondez OUI pour être rappelé.",
            recipients=people,
            due_at=exchange.now,
            not_after=exchange.now + timedelta(days=3),
        )
        return messages.write(session, draft, now=exchange.now)

    return exchange.write(work)


def state_of(exchange: Exchange, person_id: int) -> QueueEntry:
    return exchange.read(
        lambda s, _: s.scalars(select(QueueEntry).where(QueueEntry.person_id == person_id)).one()
    )


def turn_of(exchange: Exchange, person_id: int) -> Turn | None:
    return exchange.read(lambda s, _: s.scalar(select(Turn).where(Turn.person_id == person_id)))


# --- sending


def test_a_notice_goes_before_the_first_call_and_only_once(exchange: Exchange) -> None:
    assert exchange.plan() == 3
    assert exchange.plan() == 0
    assert exchange.send() == 3
    assert exchange.send() == 0
    exchange.deliver_all()
    sent = exchange.messages()
    assert {(m.state, m.provider_status, m.kind) for m in sent} == {("sent", "delivered", "pre_notice")}
    assert len(exchange.telephones.messages) == 3
    assert all("STOP" in m.body for m in sent)


def test_no_message_goes_within_an_hour_of_a_call(exchange: Exchange) -> None:
    lease = exchange.take()
    write(exchange, exchange.number_of(lease.person_id), (lease.person_id,))
    exchange.call(lease)
    exchange.say(lease, "no_answer")
    assert exchange.send() == 0
    [waiting] = exchange.messages()
    assert (waiting.state, waiting.why) == ("planned", "near_a_call")
    exchange.later(minutes=61)
    assert exchange.send() == 1


def test_the_word_after_the_second_unanswered_call(exchange: Exchange) -> None:
    lease = exchange.take()
    person = lease.person_id
    exchange.call(lease)
    exchange.say(lease, "no_answer")
    exchange.plan()
    assert not [m for m in exchange.messages() if m.kind == "unanswered"]
    for days in range(1, 9):
        exchange.later(days=1, minutes=95)
        served = exchange.serve()
        while isinstance(served, Lease) and served.person_id != person:
            exchange.say(served, "out_of_scope", reason="essai")
            served = exchange.serve()
        if isinstance(served, Lease):
            exchange.call(served)
            exchange.say(served, "no_answer", key=f"second-{days}")
            break
    else:
        raise AssertionError("the second call never came")
    exchange.plan()
    assert [m.step for m in exchange.messages() if m.kind == "unanswered"] == ["unanswered_2"]


def out_of_reach(session: Session, people: Sequence[int], now: datetime) -> None:
    """Take three people's mobiles from the messages: one opted out, one is wrong, one is a landline."""
    stopped, wrong, landline = (
        session.scalars(select(PersonNumber).where(PersonNumber.person_id == person)).one()
        for person in people
    )
    opt_outs.opt_out(session, number_id=stopped.number_id, source="voice", now=now)
    wrong.verdict = NumberVerdict.WRONG.value
    session.get_one(PhoneNumber, landline.number_id).kind = NumberKind.FIXED.value


def in_vain(entry: QueueEntry, *, by: int, at: datetime) -> Attempt:
    """A call that nobody answered."""
    return Attempt(
        programme_id=entry.programme_id,
        entry_id=entry.id,
        person_id=entry.person_id,
        officer_id=by,
        lease_token=f"{entry.id} {at:%d}",
        lane=Lane.ORDINARY,
        started_at=at,
        ended_at=at + timedelta(minutes=1),
        disposition="no_answer",
        local_date=at.date(),
        retry_kind=RetryKind.NO_ANSWER,
    )


def rounds(exchange: Exchange) -> list[list[int]]:
    """Whom each round of the plan writes to, two at once, until nobody is left."""
    written: list[list[int]] = []
    while not written or written[-1]:
        known = {message.id for message in exchange.messages()}
        exchange.write(
            lambda s, d: plan_touches(
                s, d.programme, d.programme_id, sender=exchange.sender, now=exchange.now, at_once=2
            )
        )
        new = [message.id for message in exchange.messages() if message.id not in known]
        written.append(recipients(exchange, new))
    return written[:-1]


def recipients(exchange: Exchange, message_ids: list[int]) -> list[int]:
    found = exchange.read(lambda s, _: messages.recipients(s, message_ids))
    return [person for one in message_ids for person in found[one]]


def test_nobody_waits_for_a_notice_behind_people_who_cannot_be_written_to(exchange: Exchange) -> None:
    exchange.write(lambda s, _: out_of_reach(s, exchange.world.people, exchange.now))
    behind = [exchange.add(f"Derrière{n}") for n in range(3)]
    assert rounds(exchange) == [behind[:2], behind[2:]]


def test_nobody_waits_for_a_word_after_two_calls_behind_people_who_cannot_be_written_to(
    exchange: Exchange,
) -> None:
    first = exchange.world.people
    behind = [exchange.add(f"Derrière{n}") for n in range(3)]

    def called_twice(session: Session, desk: Desk) -> None:
        session.execute(update(QueueEntry).values(opened_at=exchange.now - timedelta(days=20)))
        entries = session.scalars(
            select(QueueEntry).where(QueueEntry.person_id.in_((*first, *behind))).order_by(QueueEntry.id)
        )
        for place, entry in enumerate(entries):
            for days in (2, 1):
                at = exchange.now - timedelta(days=days) + timedelta(minutes=5 * place)
                session.add(in_vain(entry, by=exchange.user("officer"), at=at))
        out_of_reach(session, first, exchange.now)

    exchange.write(called_twice)
    assert rounds(exchange) == [behind[:2], behind[2:]]


def test_a_reminder_is_looked_for_once_and_the_next_appointment_comes_first(exchange: Exchange) -> None:
    first = exchange.world.people
    behind = [exchange.add(f"Derrière{n}") for n in range(5)]

    def appointed(session: Session, desk: Desk) -> None:
        for hours, person in enumerate((*first, *reversed(behind)), start=2):
            appointments.make(
                session,
                programme_id=desk.programme_id,
                person_id=person,
                partner="Mission locale (fictive)",
                starts_at=exchange.now + timedelta(hours=hours),
                by=exchange.user("officer"),
                now=exchange.now,
            )
        session.execute(update(QueueEntry).values(state=EntryState.CLOSED))
        out_of_reach(session, first, exchange.now)

    exchange.write(appointed)
    assert rounds(exchange) == [[behind[4], behind[3]], [behind[2], behind[1]], [behind[0]]]


@pytest.mark.parametrize(
    ("start", "sent"), [("09:00", (27, 17, 30)), ("11:00", (27, 17, 30)), ("11:30", (30, 10, 0))]
)
def test_the_morning_after_closed_days_is_reminded_of_in_the_last_window_before(
    exchange: Exchange, start: str, sent: tuple[int, int, int]
) -> None:
    person = exchange.world.people[0]
    monday = datetime.fromisoformat(f"2026-11-30T{start}").replace(tzinfo=PARIS)

    def appointed(session: Session, desk: Desk) -> None:
        appointments.make(
            session,
            programme_id=desk.programme_id,
            person_id=person,
            partner="Mission locale (fictive)",
            starts_at=monday,
            by=exchange.user("officer"),
            now=exchange.now,
        )
        session.execute(update(QueueEntry).values(state=EntryState.CLOSED))

    exchange.write(appointed)
    exchange.later(days=4, hours=4)  # Friday, 14:00
    while exchange.now < monday:
        exchange.plan()
        exchange.send()
        exchange.later(minutes=30)
    [reminder] = exchange.messages()
    assert reminder.sent_at is not None
    local = reminder.sent_at.astimezone(PARIS)
    assert (reminder.state, (local.day, local.hour, local.minute)) == ("sent", sent)


def test_two_messages_in_thirty_days_and_no_more(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    number = exchange.number_of(person)
    for step in ("a", "b", "c"):
        write(exchange, number, (person,), step)
        exchange.later(minutes=5)
        exchange.send()
    states = [(m.state, m.why) for m in exchange.messages()]
    assert states == [("sent", None), ("sent", None), ("cancelled", "message_cap")]


def test_at_night_and_on_a_holiday_messages_wait(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    write(exchange, exchange.number_of(person), (person,))
    exchange.later(hours=11)  # 21:00
    assert exchange.send() == 0
    assert exchange.messages()[0].why == "outside_hours"
    exchange.later(hours=13)  # 10:00 the next day
    assert exchange.send() == 1


def test_a_stop_said_by_voice_is_seen_at_the_moment_of_sending(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    number = exchange.number_of(person)
    write(exchange, number, (person,))
    exchange.write(
        lambda s, _: opt_outs.opt_out(
            s, number_id=number_row(s, number, "mobile").id, source="voice", now=exchange.now
        )
    )
    assert exchange.send() == 0
    assert (exchange.messages()[0].state, exchange.messages()[0].why) == ("blocked", "opted_out")


def test_a_landline_gets_no_message(exchange: Exchange) -> None:
    exchange.write(lambda s, _: number_row(s, "+33465710077", "fixed"))
    write(exchange, "+33465710077", (exchange.world.people[0],))
    assert exchange.send() == 0
    assert (exchange.messages()[0].state, exchange.messages()[0].why) == ("blocked", "landline")


def test_two_siblings_on_one_phone_get_one_message(exchange: Exchange) -> None:
    one = exchange.add("Ana", numbers=[SHARED])
    two = exchange.add("Bilal", numbers=[SHARED])
    exchange.plan()
    exchange.send()
    assert [m["to"] for m in exchange.telephones.messages.values()].count(SHARED) == 1
    notice = next(
        m for m in exchange.messages() if exchange.telephones.messages[m.provider_sid or ""]["to"] == SHARED
    )
    people = exchange.read(lambda s, _: messages.recipients(s, [notice.id]))[notice.id]
    assert people == [one, two]


def test_a_notice_held_back_for_one_goes_to_the_sibling_who_is_listed_later(exchange: Exchange) -> None:
    one = exchange.add("Ana", numbers=[SHARED])
    exchange.plan()
    exchange.write(
        lambda s, _: opt_outs.oppose(
            s, person_id=one, source="voice", now=exchange.now, by=exchange.user("officer")
        )
    )
    exchange.send()
    [held] = [m for m in exchange.messages() if m.state == MessageState.BLOCKED]
    assert held.why == "opposed"
    exchange.later(days=1)
    two = exchange.add("Bilal", numbers=[SHARED])
    assert exchange.plan() == 1
    assert exchange.send() == 1
    assert next(m.state for m in exchange.messages() if m.id == held.id) == MessageState.SENT
    assert recipients(exchange, [held.id]) == [two]


# --- faults of the provider


def test_a_refusal_for_a_stop_is_our_own_stop(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    number = exchange.number_of(person)
    exchange.telephones.blocked.add(number)
    write(exchange, number, (person,))
    write(exchange, number, (person,), "manual-2")
    exchange.send()
    assert [(m.state, m.why) for m in exchange.messages()] == [("blocked", "opted_out")] * 2
    source = exchange.read(lambda s, _: s.scalars(select(OptOut.source)).all())
    assert list(source) == ["provider"]
    assert state_of(exchange, person).state == EntryState.CLOSED


@pytest.mark.parametrize("how", ["callback", "reconciliation"])
def test_a_stop_that_only_the_provider_knew_becomes_ours(exchange: Exchange, how: str) -> None:
    person = exchange.world.people[0]
    message = sent_message(exchange)
    sid = message.provider_sid or ""
    if how == "callback":
        exchange.post(*status(message.uid, sid, "undelivered", ErrorCode="21610"))
    else:
        exchange.telephones.messages[sid].update(status="failed", error_code=21610)
        exchange.later(minutes=20)
        assert delivery.reconcile(exchange.parcels, now=exchange.now) == 1
    assert exchange.read(lambda s, _: s.scalars(select(OptOut.source)).all()) == ["provider"]
    assert state_of(exchange, person).state == EntryState.CLOSED


@pytest.mark.parametrize("faults", [Faults(silent=1.0), Faults(fault=1.0)])
def test_an_unknown_result_is_looked_up_and_never_simply_repeated(exchange: Exchange, faults: Faults) -> None:
    person = exchange.world.people[0]
    write(exchange, exchange.number_of(person), (person,))
    exchange.telephones.obey(faults)
    exchange.send()
    assert exchange.messages()[0].state == MessageState.UNKNOWN
    exchange.telephones.pending.clear()  # every callback is lost
    exchange.telephones.obey(Faults())
    for _ in range(4):
        exchange.later(seconds=61)
        exchange.look_up()
        exchange.send()
    assert exchange.messages()[0].state == MessageState.SENT
    assert len(exchange.telephones.messages) == 1


def test_after_two_requests_that_nobody_can_account_for_a_person_decides(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    write(exchange, exchange.number_of(person), (person,))
    exchange.telephones.obey(Faults(fault=1.0))
    for _ in range(8):
        exchange.send()
        exchange.later(seconds=61)
        exchange.look_up()
    [message] = exchange.messages()
    assert (message.state, message.why, message.requests) == ("to_check", "not_found", 2)


def not_listed(exchange: Exchange, message: Message) -> None:
    """Look for a message of unknown result as often as it takes, while the provider does not list it yet."""
    for _ in range(messages.LOOKS):
        exchange.later(seconds=61)
        exchange.write(lambda s, _: messages.looked_up(s, message.id, [], now=exchange.now))


@pytest.mark.parametrize("state", [MessageState.PLANNED, MessageState.CANCELLED])
def test_a_message_that_the_provider_tells_of_late_is_not_sent_again(
    exchange: Exchange, state: MessageState
) -> None:
    person = exchange.world.people[0]
    exchange.later(hours=9, minutes=57)  # 19:57
    write(exchange, exchange.number_of(person), (person,))
    exchange.telephones.obey(Faults(silent=1.0))
    exchange.send()
    exchange.telephones.obey(Faults())
    not_listed(exchange, exchange.messages()[0])
    exchange.later(minutes=3)
    assert exchange.send() == 0
    assert (exchange.messages()[0].state, exchange.messages()[0].why) == ("planned", "outside_hours")
    if state is MessageState.CANCELLED:
        exchange.write(lambda s, _: messages.cancel_for_person(s, person))
    exchange.deliver_all()
    [message] = exchange.messages()
    assert (message.state, message.why, message.provider_status) == ("sent", None, "delivered")
    assert message.sent_at is not None
    exchange.later(hours=14)
    assert exchange.send() == 0
    assert len(exchange.telephones.messages) == 1


def test_a_message_that_may_have_left_counts_for_the_caps(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    number = exchange.number_of(person)
    for step, state in (("a", MessageState.UNKNOWN), ("b", MessageState.TO_CHECK)):
        one = write(exchange, number, (person,), step)
        exchange.telephones.obey(Faults(fault=1.0))
        while next(m for m in exchange.messages() if m.id == one).state != state:
            exchange.send()
            exchange.later(seconds=61)
            if state is MessageState.TO_CHECK:
                not_listed(exchange, next(m for m in exchange.messages() if m.id == one))
    exchange.telephones.obey(Faults())
    write(exchange, number, (person,), "c")
    assert exchange.send() == 0
    states = [(m.state, m.why) for m in exchange.messages()]
    assert states == [("unknown", "unknown"), ("to_check", "not_found"), ("cancelled", "message_cap")]


def test_a_message_that_may_have_left_counts_for_whoever_else_uses_the_number(exchange: Exchange) -> None:
    one, two = exchange.add("Ana", numbers=[SHARED]), exchange.add("Bilal", numbers=[SHARED])
    exchange.telephones.obey(Faults(fault=1.0))
    for step in ("a", "b"):
        write(exchange, SHARED, (one,), step)
        exchange.send()
    exchange.telephones.obey(Faults())
    write(exchange, SHARED, (two,), "c")
    assert exchange.send() == 0
    assert [m.why for m in exchange.messages()] == ["unknown", "unknown", "message_cap"]


@dataclass(frozen=True)
class Withholding(Offline):
    """A provider that does not say what it has for one number."""

    number: str = ""

    def sent_to(self, to: str, channel: Channel) -> list[Receipt]:
        if to == self.number:
            raise Refused(20404)
        return super().sent_to(to, channel)


def test_one_number_that_cannot_be_looked_up_keeps_no_other_waiting(exchange: Exchange) -> None:
    exchange.telephones.obey(Faults(fault=1.0))
    for person in exchange.world.people[:2]:
        write(exchange, exchange.number_of(person), (person,))
        exchange.send()
    withholding = Withholding(number=exchange.number_of(exchange.world.people[0]))
    for _ in range(4):
        exchange.later(seconds=61)
        delivery.look_up_unknown(replace(exchange.parcels, provider=withholding), now=exchange.now)
    assert [m.state for m in exchange.messages()] == ["unknown", "planned"]


def test_too_many_requests_wait_and_then_go(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    write(exchange, exchange.number_of(person), (person,))
    exchange.telephones.obey(Faults(too_many=1.0))
    exchange.send()
    assert (exchange.messages()[0].state, exchange.messages()[0].why) == ("planned", "provider_busy")
    exchange.telephones.obey(Faults())
    exchange.later(minutes=2)
    assert exchange.send() == 1


def test_a_killed_worker_leaves_an_unknown_result_that_is_settled(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    write(exchange, exchange.number_of(person), (person,))
    delivery._next(exchange.parcels, exchange.now)  # marked, and then the process dies
    assert exchange.messages()[0].state == MessageState.SENDING
    exchange.restart()
    assert exchange.send() == 0
    for _ in range(3):
        exchange.later(seconds=95)
        exchange.send()
        exchange.look_up()
    assert exchange.messages()[0].state == MessageState.SENT
    assert len(exchange.telephones.messages) == 1


# --- callbacks of the provider


def status(uid: str, sid: str, state: str, **extra: str) -> tuple[str, dict[str, str]]:
    form = {"MessageSid": sid, "MessageStatus": state, "AccountSid": ACCOUNT, "From": "", "To": "x"} | extra
    return f"{PUBLIC}/twilio/messages/{uid}", form


def sent_message(exchange: Exchange) -> Message:
    person = exchange.world.people[0]
    write(exchange, exchange.number_of(person), (person,))
    exchange.send()
    exchange.telephones.pending.clear()
    return exchange.messages()[0]


def test_a_late_event_does_not_take_a_message_back(exchange: Exchange) -> None:
    message = sent_message(exchange)
    sid = message.provider_sid or ""
    for state in ("delivered", "sent", "queued", "delivered"):
        exchange.post(*status(message.uid, sid, state))
    assert exchange.messages()[0].provider_status == "delivered"


def test_every_state_of_one_message_is_noted_and_its_repeat_is_not(exchange: Exchange) -> None:
    message = sent_message(exchange)
    for state in ("sent", "sent", "delivered", "delivered"):
        exchange.post(*status(message.uid, message.provider_sid or "", state))
    assert exchange.read(lambda s, _: s.scalar(select(func.count()).select_from(ProviderEvent))) == 2
    counts = exchange.read(
        lambda s, _: dict(s.execute(select(WebhookCount.verdict, WebhookCount.number)).all())
    )
    assert counts == {"accepted": 2, "repeated": 2}


def test_a_callback_may_overtake_the_answer(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    write(exchange, exchange.number_of(person), (person,))
    parcel = delivery._next(exchange.parcels, exchange.now)
    assert parcel is not None
    receipt = exchange.runtime.provider.send(parcel.message)
    exchange.deliver_all()
    message = exchange.messages()[0]
    assert (message.state, message.provider_status, message.provider_sid) == (
        "sent",
        "delivered",
        receipt.sid,
    )
    exchange.write(lambda s, _: messages.accepted(s, message.id, receipt, now=exchange.now))
    assert exchange.messages()[0].provider_status == "delivered"


def test_a_code_once_known_is_not_erased(exchange: Exchange) -> None:
    message = sent_message(exchange)
    sid = message.provider_sid or ""
    exchange.post(*status(message.uid, sid, "undelivered", ErrorCode="30003"))
    exchange.post(*status(message.uid, sid, "failed"))
    assert exchange.messages()[0].error_code == 30003


def test_an_event_about_something_else_is_kept_and_changes_nothing(exchange: Exchange) -> None:
    answer = exchange.deliver(*status("7d1f6f3e-0000-4000-8000-000000000000", "SMx", "delivered"))
    assert answer.status_code == 204
    assert exchange.read(lambda s, _: s.scalars(select(ProviderEvent.known)).all()) == [False]


@pytest.mark.parametrize("how", ["forged", "missing", "other address", "changed"])
def test_a_request_that_does_not_prove_itself_changes_nothing_and_is_counted(
    exchange: Exchange, how: str
) -> None:
    message = sent_message(exchange)
    url, form = status(message.uid, message.provider_sid or "", "delivered")
    if how == "missing":
        answer = exchange.client.post(url.removeprefix(PUBLIC), data=form)
    elif how == "changed":
        signed = exchange.deliver(url, form | {"MessageStatus": "sent"}, token="x")
        answer = signed
    else:
        token = {"forged": "a guess"}.get(how)
        answer = (
            exchange.deliver(url, form, token=token)
            if token
            else exchange.deliver(url, form, signed_as=f"{PUBLIC}/twilio/inbound")
        )
    assert answer.status_code == 403
    assert exchange.messages()[0].provider_status == "queued"
    counts = exchange.read(
        lambda s, _: dict(s.execute(select(WebhookCount.verdict, WebhookCount.number)).all())
    )
    assert counts == {"forged": 1}


def test_signatures_hold_behind_a_proxy_and_with_accents_in_the_query(exchange: Exchange) -> None:
    message = sent_message(exchange)
    url, form = status(message.uid, message.provider_sid or "", "delivered")
    answer = exchange.deliver(f"{url}?nom=%C3%89l%C3%A8ve&vide=", form)
    assert answer.status_code == 204
    assert exchange.messages()[0].provider_status == "delivered"


# --- replies


def test_a_stop_from_a_shared_phone_leaves_the_sibling_s_own_number(exchange: Exchange) -> None:
    one = exchange.add("Ana", numbers=[SHARED])
    two = exchange.add("Bilal", numbers=[SHARED, "+33639984321"])
    exchange.plan()
    exchange.write_in(SHARED, "STOP")
    assert exchange.received()[0].state == InboundState.AUTOMATIC
    assert state_of(exchange, one).state == EntryState.CLOSED
    assert state_of(exchange, two).state == EntryState.OPEN
    blocked = [m.why for m in exchange.messages() if m.state == MessageState.BLOCKED]
    assert blocked == ["opted_out"], "what was planned is stopped in the same transaction"
    exchange.send()
    assert SHARED not in {m["to"] for m in exchange.telephones.messages.values()}


@pytest.mark.parametrize("word", ["Arrêtez !", "ne m'appelez plus"])
def test_a_french_stop_is_confirmed_in_the_answer_itself(exchange: Exchange, word: str) -> None:
    form = {"MessageSid": "SMfr", "From": exchange.number_of(exchange.world.people[0]), "Body": word}
    answer = exchange.deliver(f"{PUBLIC}/twilio/inbound", form)
    assert answer.mimetype == "text/xml"
    assert "vous ne recevrez plus" in answer.text
    theirs = exchange.deliver(f"{PUBLIC}/twilio/inbound", form | {"MessageSid": "SM2", "Body": "STOP"})
    assert "<Message>" not in theirs.text


@pytest.mark.parametrize(
    "words", ["Rappelez plus tard", "Ne m'appelez pas avant 18h", "Vous ne m'appelez pas ?"]
)
def test_later_and_not_before_then_stop_nothing_and_wait_for_an_officer(
    exchange: Exchange, words: str
) -> None:
    person = exchange.world.people[0]
    exchange.write_in(exchange.number_of(person), words)
    [inbound] = exchange.received()
    assert (inbound.meaning, inbound.state) == (Meaning.CALLBACK, InboundState.OPEN)
    assert exchange.read(lambda s, _: s.scalar(select(func.count(OptOut.id)))) == 0
    assert state_of(exchange, person).state == EntryState.OPEN
    assert exchange.read(lambda s, _: s.scalars(select(Callback)).all()) == []


def test_a_french_stop_told_twice_is_confirmed_once(exchange: Exchange) -> None:
    form = {"MessageSid": "SMfr", "From": exchange.number_of(exchange.world.people[0]), "Body": "Arrêtez"}
    answers = [exchange.deliver(f"{PUBLIC}/twilio/inbound", form).text for _ in range(2)]
    assert ["<Message>" in answer for answer in answers] == [True, False]


def test_start_takes_back_that_number_s_own_stop_and_nothing_else(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    number = exchange.number_of(person)
    exchange.write_in(number, "STOP")
    assert state_of(exchange, person).state == EntryState.CLOSED
    exchange.write_in(number, "START")
    assert state_of(exchange, person).state == EntryState.OPEN


def test_a_stranger_s_stop_holds_when_a_list_brings_the_number_later(exchange: Exchange) -> None:
    exchange.write_in("+33639989999", "stop")
    person = exchange.add("Chloé", numbers=["+33639989999"])
    assert state_of(exchange, person).state == EntryState.CLOSED


def test_rappel_18h_becomes_a_promise_and_is_confirmed(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    exchange.write_in(exchange.number_of(person), "Rappel 18h")
    callback = exchange.read(lambda s, _: s.scalars(select(Callback)).one())
    assert callback.promised_at.isoformat() == "2026-11-23T17:00:00+00:00"
    turn = turn_of(exchange, person)
    assert turn is not None
    assert turn.lane == Lane.PROMISE
    exchange.send()
    assert "18h00" in exchange.messages()[-1].body
    assert exchange.messages()[-1].state == "sent"


def test_an_officer_is_told_of_a_promise_that_was_asked_for_during_the_call(exchange: Exchange) -> None:
    lease = exchange.take()
    exchange.call(lease)
    exchange.write_in(exchange.number_of(lease.person_id), "Rappel 15h")
    wrapped = exchange.say(lease, "no_answer")
    turn = turn_of(exchange, lease.person_id)
    assert turn is not None
    assert (turn.lane, wrapped.next_at) == (Lane.PROMISE, turn.due_at)
    assert turn.due_at.isoformat() == "2026-11-23T14:00:00+00:00"
    assert wrapped.why == turn.reason


@pytest.mark.parametrize(
    ("zone", "at", "words", "promised"),
    [
        ("Indian/Reunion", "09:00", "Rappelez-moi dans 2 heures", "2026-11-23T11:00:00+00:00"),
        ("America/Martinique", "14:00", "Rappelez-moi dans 2 heures", "2026-11-23T16:00:00+00:00"),
        ("America/Martinique", "23:30", "demain 11h", "2026-11-24T15:00:00+00:00"),
    ],
)
def test_a_wish_is_read_in_the_hour_and_on_the_day_of_whoever_wrote(
    database_url: str, tmp_path: Path, zone: str, at: str, words: str, promised: str
) -> None:
    written = datetime.fromisoformat(f"2026-11-23T{at}+00:00")
    with an_exchange(database_url, tmp_path, people=0, now=written) as exchange:
        exchange.write_in(exchange.number_of(exchange.add("Ana", zone=zone)), words)
        callback = exchange.read(lambda s, _: s.scalars(select(Callback)).one())
    assert callback.promised_at.isoformat() == promised


def test_an_hour_outside_the_windows_is_moved_and_said(exchange: Exchange) -> None:
    exchange.write_in(exchange.number_of(exchange.world.people[0]), "rappel 22h")
    callback = exchange.read(lambda s, _: s.scalars(select(Callback)).one())
    assert callback.promised_at.isoformat() == "2026-11-23T18:50:00+00:00"
    assert "Nous n'appelons pas à cette heure" in exchange.messages()[-1].body


def test_a_yes_is_contact_and_is_called_next(exchange: Exchange) -> None:
    person = exchange.world.people[2]
    exchange.write_in(exchange.number_of(person), "Oui !")
    assert exchange.take().person_id == person


MOTHER = "+33639985678"


def stages_of(exchange: Exchange, person_id: int) -> set[str]:
    query = select(StageChange.stage).where(StageChange.person_id == person_id)
    return exchange.read(lambda s, _: set(s.scalars(query)))


def test_a_yes_from_a_guardian_s_number_is_called_there_and_is_no_contact(exchange: Exchange) -> None:
    person = exchange.add("Ana", guardian_numbers=[MOTHER])
    exchange.write_in(MOTHER, "Oui")
    assert Stage.CONTACTED not in stages_of(exchange, person)
    turn = turn_of(exchange, person)
    assert turn is not None
    assert (turn.lane, turn.number_id) == (Lane.REPLY, number_id(exchange, MOTHER))


def test_a_wish_from_a_guardian_s_number_is_promised_there_and_is_no_contact(exchange: Exchange) -> None:
    person = exchange.add("Ana", numbers=[], guardian_numbers=[MOTHER])
    exchange.write_in(MOTHER, "Rappel demain 11h")
    assert Stage.CONTACTED not in stages_of(exchange, person)
    callback = exchange.read(lambda s, _: s.scalars(select(Callback)).one())
    assert callback.number_id == number_id(exchange, MOTHER)


def test_a_guardian_s_no_stops_their_number_and_asks_the_supervisor(exchange: Exchange) -> None:
    person = exchange.add("Ana", guardian_numbers=[MOTHER])
    exchange.write_in(MOTHER, "Non merci")
    assert Stage.CONTACTED not in stages_of(exchange, person)
    left = state_of(exchange, person)
    assert (left.state, left.paused_until) == (EntryState.OPEN, None)
    stopped = exchange.read(lambda s, _: s.scalars(select(OptOut)).one())
    assert (stopped.number_id, stopped.source) == (number_id(exchange, MOTHER), "guardian")
    asked = exchange.read(lambda s, _: guardian_refusals(s))
    assert [(opt_out_id, about) for opt_out_id, about, _ in asked] == [(stopped.id, person)]
    lease = open_by_hand(exchange, person)
    with pytest.raises(NotAllowed):
        exchange.call(lease, number_id(exchange, MOTHER))
    assert exchange.call(lease)


def test_a_no_from_somebody_else_s_number_is_read_by_an_officer(exchange: Exchange) -> None:
    person = exchange.add("Ana", numbers=[SHARED])
    somebody_else = update(PersonNumber).where(PersonNumber.person_id == person)
    exchange.write(lambda s, _: s.execute(somebody_else.values(owner=NumberOwner.OTHER)))
    exchange.write_in(SHARED, "Non merci")
    assert exchange.received()[0].state == InboundState.OPEN
    assert Stage.CONTACTED not in stages_of(exchange, person)
    assert state_of(exchange, person).paused_until is None


def test_a_yes_during_a_long_closure_is_called_at_the_opening(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    exchange.close_for(40)
    exchange.later(days=1)
    exchange.write_in(exchange.number_of(person), "Oui")
    exchange.later(days=41)
    lease = exchange.take()
    assert (lease.person_id, lease.lane) == (person, Lane.REPLY)


def test_a_no_pauses_for_sixty_days(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    exchange.write_in(exchange.number_of(person), "non merci")
    paused = state_of(exchange, person).paused_until
    assert paused is not None
    assert paused >= exchange.now + timedelta(days=60)


def test_a_no_pauses_in_every_programme(exchange: Exchange) -> None:
    people = exchange.world.people
    other = exchange.second_programme(people)
    exchange.write(lambda s, _: plan_on_the_spot(s, other.programme, other.programme_id, now=exchange.now))
    assert all(turn_of(exchange, person) is not None for person in people)
    for person in people:
        exchange.write_in(exchange.number_of(person), "non merci")
    rows = exchange.read(lambda s, _: s.scalars(select(QueueEntry)).all())
    assert len(rows) == 2 * len(people)
    pauses_end = exchange.now + timedelta(days=60)
    assert all(row.paused_until is not None and row.paused_until >= pauses_end for row in rows)
    assert all(row.eligible_at is not None and row.eligible_at >= pauses_end for row in rows)
    assert served_by(exchange, other) is None
    exchange.later(days=59)
    assert served_by(exchange, other) is None
    exchange.later(days=4)
    assert served_by(exchange, other) in people


def served_by(exchange: Exchange, world: World) -> int | None:
    """Whom another programme than the pages' serves now."""

    def work(session: Session, _desk: Desk) -> int | None:
        desk = exchange.runtime.desk(session, world.programme.code)
        plan(session, desk.programme, now=exchange.now)
        given = serving.serve_next(session, desk, officer_id=exchange.user("officer"), now=exchange.now)
        return given.person_id if isinstance(given, Lease) else None

    return exchange.write(work)


def judged(exchange: Exchange, disposition: str) -> tuple[int, str]:
    """Somebody whose only number is dead, or a stranger's; the number. Two days later."""
    lease = exchange.take()
    exchange.call(lease)
    exchange.say(lease, disposition)
    exchange.later(days=2)
    return lease.person_id, exchange.number_of(lease.person_id)


def verdicts_on(exchange: Exchange, number: str) -> list[str]:
    query = select(PersonNumber.verdict).join(PhoneNumber).where(PhoneNumber.e164 == number)
    return exchange.read(lambda s, _: list(s.scalars(query.order_by(PersonNumber.person_id))))


def test_a_number_that_writes_is_not_dead_and_may_be_called_at_the_hour_it_asks_for(
    exchange: Exchange,
) -> None:
    person, number = judged(exchange, "dead_number")
    exchange.write_in(number, "Rappel 18h")
    assert exchange.received()[0].state == InboundState.AUTOMATIC
    assert verdicts_on(exchange, number) == [NumberVerdict.UNVERIFIED]
    exchange.later(hours=8)
    exchange.write(lambda s, d: plan(s, d.programme, now=exchange.now))
    lease = exchange.take()
    assert (lease.person_id, lease.lane) == (person, Lane.PROMISE)
    assert exchange.call(lease)


def test_whatever_a_dead_number_writes_brings_back_who_left_for_want_of_one(exchange: Exchange) -> None:
    person, number = judged(exchange, "dead_number")
    exchange.write_in(number, "c'est qui ?")
    assert exchange.received()[0].state == InboundState.OPEN
    assert state_of(exchange, person).state == EntryState.OPEN


def test_a_stop_from_a_dead_number_ends_it_as_a_stop(exchange: Exchange) -> None:
    person, number = judged(exchange, "dead_number")
    exchange.write_in(number, "STOP")
    assert state_of(exchange, person).closed_reason == "opted_out"


def test_a_dead_number_that_says_it_is_a_stranger_s_stays_aside(exchange: Exchange) -> None:
    person, number = judged(exchange, "dead_number")
    opened = state_of(exchange, person).opened_at
    exchange.write_in(number, "faux numéro")
    assert verdicts_on(exchange, number) == [NumberVerdict.WRONG]
    assert (state_of(exchange, person).closed_reason, state_of(exchange, person).opened_at) == (
        "details_to_find",
        opened,
    )


@pytest.mark.parametrize("body", ["Rappel 18h", "Oui", "non merci"])
def test_what_a_stranger_s_number_writes_is_read_before_anything_follows(
    exchange: Exchange, body: str
) -> None:
    person, number = judged(exchange, "wrong_number")
    exchange.write_in(number, body)
    assert exchange.received()[0].state == InboundState.OPEN
    assert exchange.received()[0].result == {"people": [person]}
    assert (turn_of(exchange, person), exchange.messages()) == (None, [])
    left = state_of(exchange, person)
    assert (left.state, left.paused_until) == (EntryState.CLOSED, None)
    assert verdicts_on(exchange, number) == [NumberVerdict.WRONG]


def open_by_hand(exchange: Exchange, person: int) -> Lease:
    return exchange.write(
        lambda s, d: serving.open_card(s, d, person, officer_id=exchange.user("officer"), now=exchange.now)
    )


def test_an_officer_who_read_that_a_stranger_s_number_asks_for_a_call_may_make_it(
    exchange: Exchange,
) -> None:
    person, number = judged(exchange, "wrong_number")
    refused = open_by_hand(exchange, person)
    with pytest.raises(NotAllowed):
        exchange.call(refused, number_id(exchange, number))
    exchange.write_in(number, "Rappelez-moi")
    assert exchange.call(refused, number_id(exchange, number))
    exchange.say(refused, "no_answer")
    exchange.later(days=1)
    again = open_by_hand(exchange, person)
    with pytest.raises(NotAllowed):
        exchange.call(again, number_id(exchange, number))


def test_an_officer_s_answer_reaches_whoever_wrote_from_a_number_that_proved_wrong(
    exchange: Exchange,
) -> None:
    _, number = judged(exchange, "wrong_number")
    exchange.write_in(number, "C'est qui ?")
    [said] = exchange.received()
    by = exchange.user("officer")
    exchange.write(
        lambda s, d: texts.answer(s, d, said.id, "Bonjour, nous cherchons…", by=by, now=exchange.now)
    )
    assert exchange.send() == 1
    assert [m["to"] for m in exchange.telephones.messages.values()] == [number]


def number_id(exchange: Exchange, number: str) -> int:
    return exchange.read(
        lambda s, _: s.scalars(select(PhoneNumber.id).where(PhoneNumber.e164 == number)).one()
    )


def test_a_message_from_a_shared_number_is_not_from_whom_it_proved_wrong_for(exchange: Exchange) -> None:
    one = exchange.add("Ana", numbers=[SHARED])
    two = exchange.add("Bilal", numbers=[SHARED])

    def wrong(session: Session, _desk: Desk) -> None:
        theirs = update(PersonNumber).where(PersonNumber.person_id == one)
        session.execute(theirs.values(verdict=NumberVerdict.WRONG))

    exchange.write(wrong)
    exchange.write_in(SHARED, "Oui")
    assert exchange.received()[0].state == InboundState.AUTOMATIC
    assert turn_of(exchange, one) is None
    turn = turn_of(exchange, two)
    assert turn is not None
    assert turn.lane == Lane.REPLY


def test_a_call_is_not_promised_on_a_number_that_said_stop(exchange: Exchange) -> None:
    person = exchange.add("Ana", numbers=["+33639984321", SHARED])
    exchange.write_in(SHARED, "STOP")
    exchange.write_in(SHARED, "Rappel 18h")
    assert exchange.received()[1].state == InboundState.OPEN
    assert exchange.read(lambda s, _: s.scalars(select(Callback)).all()) == []
    assert exchange.messages() == []
    assert state_of(exchange, person).state == EntryState.OPEN


def test_a_question_waits_in_the_inbox_of_who_called_last(exchange: Exchange) -> None:
    lease = exchange.take("colleague")
    exchange.call(lease)
    exchange.say(lease, "no_answer")
    exchange.write_in(exchange.number_of(lease.person_id), "C'est qui ?")
    [inbound] = exchange.received()
    assert (inbound.meaning, inbound.state) == (Meaning.QUESTION, InboundState.OPEN)
    assert inbound.officer_id == exchange.user("colleague")


def test_the_same_message_told_twice_is_taken_in_once(exchange: Exchange) -> None:
    number = exchange.number_of(exchange.world.people[0])
    for _ in range(3):
        exchange.telephones.inbound(number, "rappel 18h", exchange.now, sid="SMsame")
    exchange.deliver_all()
    assert len(exchange.received()) == 1
    assert len(exchange.read(lambda s, _: s.scalars(select(Callback)).all())) == 1


def test_a_reply_from_a_shared_phone_is_for_somebody_to_read(exchange: Exchange) -> None:
    exchange.add("Ana", numbers=[SHARED])
    exchange.add("Bilal", numbers=[SHARED])
    exchange.write_in(SHARED, "Oui")
    [inbound] = exchange.received()
    assert inbound.state == InboundState.OPEN
    assert len(inbound.result["people"]) == 2


def written_to_one_of_two(exchange: Exchange) -> tuple[int, int]:
    """Two people on one number, of whom the first was written to; calls may be made to the second."""
    one, two = (exchange.add(name, numbers=[SHARED]) for name in ("Ana", "Béa"))
    write(exchange, SHARED, (one,))
    assert exchange.send() == 1
    return one, two


def test_a_reply_from_a_shared_phone_is_from_whom_we_wrote_to_last(exchange: Exchange) -> None:
    one, _ = written_to_one_of_two(exchange)
    exchange.later(hours=2)
    exchange.write_in(SHARED, "Oui")
    assert exchange.received()[0].result["people"] == [one]


def test_a_message_of_long_ago_does_not_tell_whose_reply_it_is(exchange: Exchange) -> None:
    one, two = written_to_one_of_two(exchange)
    exchange.later(days=31)
    exchange.write_in(SHARED, "Oui")
    [inbound] = exchange.received()
    assert (inbound.state, inbound.result["people"]) == (InboundState.OPEN, [one, two])


def test_a_reply_after_a_call_to_another_on_the_same_phone_is_for_somebody_to_read(
    exchange: Exchange,
) -> None:
    one, two = written_to_one_of_two(exchange)
    exchange.later(hours=2)
    lease = open_by_hand(exchange, two)
    exchange.call(lease)
    exchange.say(lease, "no_answer")
    exchange.later(hours=1)
    exchange.write_in(SHARED, "Oui")
    [inbound] = exchange.received()
    assert (inbound.state, inbound.result["people"]) == (InboundState.OPEN, [one, two])


# --- all of it at once


def test_a_message_is_answered_once_and_a_second_answer_is_refused(exchange: Exchange) -> None:
    number = exchange.number_of(exchange.world.people[0])
    exchange.write_in(number, "C'est où exactement ?")
    [said] = exchange.received()

    def answered(by: str, words: str) -> None:
        def work(session: Session, desk: Desk) -> None:
            texts.answer(session, desk, said.id, words, by=exchange.user(by), now=exchange.now)
            conversation.settle(session, "message", said.id, by=exchange.user(by), now=exchange.now)

        exchange.write(work)

    answered("officer", "Au 3 rue X.")
    answered("officer", "Au 3 rue X.")  # a double click
    with pytest.raises(NotAllowed, match="a déjà traité ce message"):
        answered("colleague", "Au 3 rue X, demain dès 9h.")
    with pytest.raises(NotAllowed, match="est déjà traité"):
        answered("officer", "Au 5 rue Y.")
    assert [m.body for m in exchange.messages()] == ["Au 3 rue X."]


def test_a_form_that_was_sent_carries_no_other_words(exchange: Exchange) -> None:
    person, by = exchange.world.people[0], exchange.user("officer")

    def written(words: str, key: str) -> None:
        exchange.write(lambda s, d: texts.write(s, d, person, words, by=by, now=exchange.now, key=key))

    written("Rendez-vous au 3 rue X.", "one")
    written("Rendez-vous au 3 rue X.", "one")  # a double click
    with pytest.raises(InvalidInput, match="Un autre message a déjà été envoyé"):
        written("Erreur : au 5 rue Y.", "one")
    written("Erreur : au 5 rue Y.", "two")
    assert [m.body for m in exchange.messages()] == ["Rendez-vous au 3 rue X.", "Erreur : au 5 rue Y."]


def test_what_an_officer_writes_leaves_in_the_plain_alphabet_that_its_cost_was_told_for(
    exchange: Exchange,
) -> None:
    number, by = exchange.number_of(exchange.world.people[0]), exchange.user("officer")
    exchange.write_in(number, "C'est qui ?")
    [said] = exchange.received()

    def work(session: Session, desk: Desk) -> None:
        texts.answer(session, desk, said.id, "Êtes-vous prêt ?", by=by, now=exchange.now)
        texts.write(session, desk, exchange.world.people[1], "Êtes-vous là ?", by=by, now=exchange.now)

    exchange.write(work)
    assert [m.body for m in exchange.messages()] == ["Etes-vous pret ?", "Etes-vous là ?"]


def test_two_workers_at_once_send_nothing_twice(exchange: Exchange) -> None:
    exchange.plan()
    workers = [threading.Thread(target=exchange.send) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sent_to = [m["to"] for m in exchange.telephones.messages.values()]
    assert sorted(sent_to) == sorted(set(sent_to))
    assert len(sent_to) == 3
