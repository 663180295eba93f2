"""WhatsApp by the same plan and inbox: its own consent, its window of a day, its approved templates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from callcentre.desk import texts
from callcentre.errors import NotAllowed, NotFound
from callcentre.outreach import consents
from callcentre.outreach.kinds import Channel, InboundState, MessageKind
from callcentre.outreach.sending import Bar, WhatsApp, whatsapp_bar
from callcentre.people.models import PersonNumber
from callcentre.planning.touches import number_for_text
from tests.contracts.conftest import MONDAY_TEN
from tests.contracts.exchange import Exchange, an_exchange

OURS, APPROVED = "+33465710014", f"HX{7:032x}"
EARLIER = MONDAY_TEN - timedelta(hours=25)


@pytest.fixture
def exchange(database_url: str, tmp_path: Path) -> Iterator[Exchange]:
    """An exchange with a sender on WhatsApp, and one template that was approved there in French."""
    with an_exchange(database_url, tmp_path, twilio_whatsapp_from=OURS) as made:
        programme = made.runtime.programme
        notice = programme.messaging.templates[0].model_copy(update={"whatsapp": {"fr": APPROVED}})
        messaging = programme.messaging.model_copy(
            update={"templates": (notice, *programme.messaging.templates[1:])}
        )
        made.runtime.programmes[programme.code] = programme.model_copy(update={"messaging": messaging})
        yield made


def agree(exchange: Exchange, person_id: int, *, agreed: bool = True) -> int:
    """Note what a person said of WhatsApp on their own number; return the number's id."""
    number_id = exchange.read(lambda s, _: number_for_text(s, person_id))
    assert number_id is not None
    officer = exchange.user("officer")
    exchange.write(
        lambda s, _: texts.agree_to_whatsapp(
            s, person_id, number_id, agreed=agreed, by=officer, now=exchange.now
        )
    )
    return number_id


def sent(exchange: Exchange) -> dict[str, dict[str, object]]:
    """What left, by the address that it went to."""
    return {message["to"]: message for message in exchange.telephones.messages.values()}


@pytest.mark.parametrize(
    ("kind", "agreed", "approved", "bar"),
    [
        (MessageKind.PRE_NOTICE, WhatsApp(), True, Bar.NO_CONSENT),
        (MessageKind.PRE_NOTICE, WhatsApp(heard_at=MONDAY_TEN), True, Bar.NO_CONSENT),
        (MessageKind.PRE_NOTICE, WhatsApp(standing=EARLIER), True, None),
        (MessageKind.PRE_NOTICE, WhatsApp(standing=EARLIER), False, Bar.WINDOW_CLOSED),
        (MessageKind.MANUAL, WhatsApp(), False, Bar.NO_CONSENT),
        (MessageKind.MANUAL, WhatsApp(heard_at=MONDAY_TEN), False, None),
        (MessageKind.ANSWER, WhatsApp(heard_at=MONDAY_TEN), False, None),
        (MessageKind.ANSWER, WhatsApp(heard_at=EARLIER), False, Bar.WINDOW_CLOSED),
        (MessageKind.ANSWER, WhatsApp(standing=EARLIER, heard_at=EARLIER), False, Bar.WINDOW_CLOSED),
    ],
)
def test_what_whatsapp_lets_through(
    kind: MessageKind, agreed: WhatsApp, approved: bool, bar: Bar | None
) -> None:
    assert whatsapp_bar(kind, agreed, approved=approved, now=MONDAY_TEN) is bar


def test_the_plan_writes_there_only_to_who_agreed_and_by_an_approved_template(exchange: Exchange) -> None:
    agreed, wrote, neither = exchange.world.people
    agree(exchange, agreed)
    exchange.write_in(f"whatsapp:{exchange.number_of(wrote)}", "Bonjour")
    assert exchange.plan() == 3
    assert exchange.send() == 3
    left = sent(exchange)
    template = left[f"whatsapp:{exchange.number_of(agreed)}"]
    assert (template["content_sid"], template["body"], template["from"]) == (APPROVED, "", f"whatsapp:{OURS}")
    assert json.loads(str(template["content_variables"]))["1"] == "la plateforme jeunes 13"
    assert {exchange.number_of(wrote), exchange.number_of(neither)} < set(left), "the others got a text"


def test_a_consent_taken_back_before_the_sending_sends_a_text(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    agree(exchange, person)
    exchange.plan()
    agree(exchange, person, agreed=False)
    exchange.send()
    assert exchange.number_of(person) in sent(exchange)
    assert not any(to.startswith("whatsapp:") for to in sent(exchange))


def test_an_answer_goes_where_it_was_asked_for_and_only_within_a_day(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    address = f"whatsapp:{exchange.number_of(person)}"
    exchange.write_in(address, "C'est qui ?")
    [inbound] = exchange.received()
    assert (inbound.channel, inbound.state) == (Channel.WHATSAPP, InboundState.OPEN)
    officer = exchange.user("officer")
    exchange.write(
        lambda s, d: texts.answer(s, d, inbound.id, "La plateforme.", by=officer, now=exchange.now)
    )
    exchange.send()
    assert list(sent(exchange)) == [address]
    exchange.later(hours=25)
    exchange.write_in(address, "Et alors ?")
    late = exchange.received()[-1]
    exchange.write(lambda s, d: texts.answer(s, d, late.id, "Oui ?", by=officer, now=exchange.now))
    exchange.telephones.heard.clear()
    exchange.write(lambda s, _: consents.withdraw(s, inbound.number_id or 0, now=exchange.now))
    exchange.send()
    last = exchange.messages()[-1]
    assert (last.state, last.why) == ("blocked", "no_consent")


def test_an_officer_writes_there_within_a_day_of_a_message_and_no_later(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    exchange.write_in(f"whatsapp:{exchange.number_of(person)}", "?")

    def write(body: str) -> texts.Written:
        return exchange.write(
            lambda s, d: texts.write(
                s,
                d,
                person,
                body,
                by=exchange.user("officer"),
                now=exchange.now,
                channel=Channel.WHATSAPP,
            )
        )

    assert write("Quand vous appeler ?").why is None
    exchange.send()
    assert list(sent(exchange)) == [f"whatsapp:{exchange.number_of(person)}"]
    exchange.later(hours=24)
    assert not exchange.read(lambda s, _: texts.whatsapp_of(s, person, now=exchange.now))
    with pytest.raises(NotAllowed) as refused:
        write("Encore nous")
    assert refused.value.reason == "window_closed"


def test_what_was_written_just_before_the_window_closed_does_not_leave_after_it(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    exchange.later(hours=9)
    exchange.write_in(f"whatsapp:{exchange.number_of(person)}", "?")
    exchange.later(hours=15, minutes=30)  # the next day, before the window of calls opens
    officer = exchange.user("officer")
    exchange.later(hours=-1)
    exchange.write(
        lambda s, d: texts.write(
            s, d, person, "Bonjour", by=officer, now=exchange.now, channel=Channel.WHATSAPP
        )
    )
    exchange.later(hours=12)
    exchange.send()
    assert (exchange.messages()[-1].state, exchange.messages()[-1].why) == ("blocked", "window_closed")


def test_a_stop_there_stops_every_channel_and_takes_the_consent_back(exchange: Exchange) -> None:
    person = exchange.world.people[0]
    number_id = agree(exchange, person)
    exchange.write_in(f"whatsapp:{exchange.number_of(person)}", "STOP")
    exchange.write_in(exchange.number_of(person), "START")
    assert exchange.read(lambda s, _: consents.of_number(s, number_id)) == WhatsApp()


def test_nobody_agrees_for_somebody_else_s_number(exchange: Exchange) -> None:
    person = exchange.add("Ana", guardian_numbers=["+33639986666"])
    guardian = exchange.read(
        lambda s, _: s.scalars(
            select(PersonNumber.number_id).where(
                PersonNumber.person_id == person, PersonNumber.owner == "guardian"
            )
        ).one()
    )
    with pytest.raises(NotFound):
        exchange.write(
            lambda s, _: texts.agree_to_whatsapp(
                s, person, guardian, agreed=True, by=exchange.user("officer"), now=exchange.now
            )
        )
