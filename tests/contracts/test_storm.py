"""A storm at the provider: nothing is doubled, lost or left unaccounted for, on both databases.

`STORM_MESSAGES` and `STORM_CALLS` set its size.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcentre.callqueue.lease import Lease
from callcentre.desk.context import Desk
from callcentre.outreach import callbacks, calls
from callcentre.outreach.kinds import ENDED, InboundState, MessageState
from callcentre.outreach.message_models import ProviderCall
from callcentre.outreach.models import Attempt
from callcentre.people.models import PhoneNumber
from callcentre.planning import delivery
from callcentre.standin.phone_calls import Script
from callcentre.standin.world import Faults
from tests.contracts.exchange import Exchange, an_exchange
from tests.web.site import sign_in, token_in

PEOPLE = int(os.environ.get("STORM_MESSAGES", "45"))
CALLS = int(os.environ.get("STORM_CALLS", "12"))
TURNS, FIRST_CALL = 60, 15
LOGINS = {"officer": "+33465710088", "colleague": "+33465710089"}
WEATHER = Faults(
    too_many=0.05,
    fault=0.05,
    silent=0.08,
    lost=0.15,
    repeated=0.2,
    shuffled=0.4,
    undelivered=0.1,
    seed=11,
)
LOG = logging.getLogger(__name__)
ENDINGS = ("answered", "busy", "no-answer", "machine", "failed")


@dataclass
class Storm:
    """What people write and officers call while everything goes wrong."""

    exchange: Exchange
    chance: Random = field(default_factory=lambda: Random(7))
    made: int = 0
    received: int = 0
    stopped: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Numbers that said STOP, and how many messages and calls the provider had carried to anybody by then."""

    def __post_init__(self) -> None:
        self.browsers = {login: self.exchange.client.application.test_client() for login in LOGINS}
        for login, browser in self.browsers.items():
            assert sign_in(browser, login).status_code == 302
        self.exchange.write(self._lines)
        self.tokens = {login: token_in(browser.get("/account")) for login, browser in self.browsers.items()}
        self.writers: Iterator[int] = iter(self.exchange.world.people[::9])

    def _lines(self, session: Session, _: Desk) -> None:
        for login, line in LOGINS.items():
            calls.set_line(session, self.exchange.user(login), line, now=self.exchange.now)

    def call(self, login: str) -> None:
        """Let an officer call the next person and say how it went, whatever the telephone does."""
        lease = self.exchange.serve(login)
        if not isinstance(lease, Lease):
            return
        attempt_id = self.exchange.call(lease)
        self.made += 1
        self.exchange.lines.scripts[""] = Script(person=self.chance.choice(ENDINGS))
        address = f"/telephony/attempts/{attempt_id}/bridge"
        headers = {"Origin": "http://localhost", "X-CSRFToken": self.tokens[login]}
        assert self.browsers[login].post(address, headers=headers).status_code == 200
        self.exchange.is_down = self.made % 13 == 5  # the web is killed while the telephones ring
        self.exchange.deliver_all()
        if self.exchange.is_down:
            self.restart()
        self.exchange.say(lease, "no_answer")

    def write_in(self) -> None:
        """Let somebody say stop, ask for an hour, or ask who we are; some of it is told twice."""
        person = next(self.writers, None)
        if person is None:
            return
        number = self.exchange.number_of(person)
        body = ("STOP", "Rappel 18h", "C'est qui ?")[self.received % 3]
        sid = f"SM{self.received:032d}"
        for _ in range(2):
            self.exchange.telephones.inbound(number, body, self.exchange.now, sid=sid)
        self.received += 1
        self.exchange.deliver_all()
        if body == "STOP":
            self.stopped[number] = len(self.exchange.telephones.messages), len(self.exchange.telephones.calls)

    def restart(self) -> None:
        """Kill web and worker, the worker with a message in its hands, and start them again."""
        self.exchange.is_down = False
        delivery._next(self.exchange.parcels, self.exchange.now)
        self.exchange.restart()
        for browser in self.browsers.values():
            browser.application = self.exchange.client.application


def blow(storm: Storm) -> None:
    """Let everything happen for an hour, and the days after it that settle what had to wait.

    The calls begin when messages have been leaving for a while: who is to be called within the hour gets none.
    """
    for turn in range(TURNS):
        for number in range(-(-CALLS // (TURNS - FIRST_CALL))):
            if turn >= FIRST_CALL and storm.made < CALLS:
                storm.call(list(LOGINS)[number % 2])
        for _ in range(-(-PEOPLE // 9 // TURNS)):
            storm.write_in()
        work(storm, seconds=45)
        if turn % 7 == 3:
            storm.restart()
    for _ in range(60):
        work(storm, hours=6)
    storm.exchange.telephones.obey(Faults())
    for _ in range(8):
        work(storm, seconds=95)


def work(storm: Storm, **later: float) -> None:
    """Let the worker's jobs run once, the provider's requests arrive, and time pass."""
    exchange = storm.exchange
    left = max(30, PEOPLE // 40)
    while left > 0 and (asked := exchange.send(limit=left)):
        left -= asked  # a round ends at the first fault: the worker's next one is a few seconds later
    delivery.look_up_unknown(exchange.parcels, now=exchange.now, limit=max(20, PEOPLE // 50))
    exchange.deliver_all()
    delivery.reconcile_calls(exchange.parcels, now=exchange.now)
    exchange.write(lambda s, d: callbacks.mark_missed(s, [d.programme], now=exchange.now))
    exchange.later(**later)


@pytest.mark.slow
def test_a_storm_leaves_nothing_doubled_lost_or_unaccounted_for(database_url: str, tmp_path: Path) -> None:
    with an_exchange(
        database_url, tmp_path, people=PEOPLE, calls_per_hour="100000", calls_per_day="100000"
    ) as exchange:
        while exchange.plan():
            pass
        storm = Storm(exchange)
        exchange.telephones.obey(WEATHER)
        blow(storm)
        _messages_are_accounted_for(storm)
        _calls_are_accounted_for(storm)


def _messages_are_accounted_for(storm: Storm) -> None:
    exchange, telephones = storm.exchange, storm.exchange.telephones
    carried = Counter((m["to"], m["body"]) for m in telephones.messages.values())
    states = Counter(MessageState(m.state) for m in exchange.messages())
    received = exchange.received()
    LOG.info("%s messages carried, ours by state %s", sum(carried.values()), dict(states))
    LOG.info("%s received, by state %s", len(received), dict(Counter(m.state for m in received)))
    LOG.info(
        "by what the provider told of them %s", dict(Counter(m.provider_status for m in exchange.messages()))
    )
    assert carried.most_common(1)[0][1] == 1, "somebody got the same step twice"
    assert set(states) <= ENDED
    assert len(received) == storm.received == len({m.provider_sid for m in received})
    assert {InboundState(m.state) for m in received} <= {InboundState.OPEN, InboundState.AUTOMATIC}
    later = list(telephones.messages.values()), list(telephones.calls.values())
    for number, seen in storm.stopped.items():
        for things, before in zip(later, seen, strict=True):
            assert number not in {thing["to"] for thing in things[before:]}, "an opt-out was broken"


def _calls_are_accounted_for(storm: Storm) -> None:
    exchange = storm.exchange
    rows = exchange.read(lambda s, _: list(s.scalars(select(ProviderCall))))
    made = exchange.read(
        lambda s, _: Counter(
            s.scalars(select(PhoneNumber.e164).join(Attempt, Attempt.number_id == PhoneNumber.id)).all()
        )
    )
    rung = Counter(c["to"] for c in exchange.telephones.calls.values() if c["parent_call_sid"])
    steps = exchange.read(lambda s, _: Counter(_step(s, row) for row in rows))
    LOG.info("%s calls, %s people rung, by step %s", storm.made, sum(rung.values()), dict(steps))
    assert len(rows) == storm.made >= min(CALLS, PEOPLE // 2)
    assert set(steps) <= {"ended", "failed"}, "a call is still going on"
    assert all(rung[number] <= made[number] for number in rung), "somebody was rung twice for one attempt"


def _step(session: Session, row: ProviderCall) -> str:
    view = calls.view(session, row.attempt_id)
    assert view is not None
    return view.step
