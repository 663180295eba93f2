"""What the real processes write down while people write, call and are called: no number, no word of theirs."""

from __future__ import annotations

import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from sqlalchemy import ColumnElement, func, select
from urllib3 import Retry

from callcentre import phone
from callcentre.database import reading
from callcentre.outreach.kinds import InboundState, MessageState
from callcentre.outreach.message_models import InboundCall, InboundMessage, Message, WebhookCount
from callcentre.people.models import PhoneNumber
from tests.builders import make_world
from tests.contracts.processes import PATIENCE_SECONDS, Plant, Process, a_plant

STRANGER, HEARD = "+33639988877", ("Mot de passe : framboise", "STOP et bonsoir", "Rappel 18h chez ma tante")

pytestmark = pytest.mark.slow


@dataclass
class Exchange:
    """The three processes and a way to speak to the stand-in."""

    plant: Plant
    standin: Process
    address: str
    http: requests.Session

    @property
    def processes(self) -> dict[str, Process]:
        return {"web": self.plant.web, "worker": self.plant.worker, "stand-in": self.standin}

    def tell(self, path: str, **form: str) -> None:
        self.http.post(f"{self.address}{path}", data=form, timeout=30).raise_for_status()

    def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < end, {name: one.said()[-2000:] for name, one in self.processes.items()}


@pytest.fixture
def exchange(database_url: str, tmp_path: Path) -> Iterator[Exchange]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with a_plant(tmp_path, database_url) as plant, requests.Session() as http:
        plant.environment.update(
            CALLCENTRE_TWILIO_API_URL=address,
            CALLCENTRE_TWILIO_ACCOUNT_SID=f"AC{0:032x}",
            CALLCENTRE_TWILIO_AUTH_TOKEN="a token of the stand-in",
            CALLCENTRE_TWILIO_NUMBER="+33465710013",
            CALLCENTRE_PUBLIC_URL=f"http://127.0.0.1:{plant.port}",
            CALLCENTRE_MESSAGES_PER_SECOND="20",
        )
        http.trust_env = False
        http.mount("http://", requests.adapters.HTTPAdapter(max_retries=Retry(30, backoff_factor=0.1)))
        standin = Process(
            (sys.executable, "-m", "callcentre.standin"), plant.environment, tmp_path / "standin.log"
        )
        try:
            yield Exchange(plant, standin, address, http)
        finally:
            standin.stop()


def test_no_number_and_no_text_is_in_what_the_processes_write(exchange: Exchange) -> None:
    plant = exchange.plant
    make_world(plant.runtime.sessions, plant.clock.now(), people=6)
    faults = {"too_many": 0.1, "repeated": 0.3, "shuffled": 0.3, "undelivered": 0.2, "seed": 5}
    exchange.standin.start()
    exchange.http.post(f"{exchange.address}/standin/faults", json=faults, timeout=30).raise_for_status()
    plant.web.start()
    plant.worker.start()
    exchange.until(lambda: _count(plant, Message, Message.state == MessageState.SENT) >= 3)
    plant.worker.kill()
    plant.web.kill()
    plant.web.start()
    plant.worker.start()
    people = _numbers(plant)
    for number, body in zip((people[0], people[1], STRANGER), HEARD, strict=True):
        exchange.tell("/standin/inbound", **{"from": number, "body": body})
    exchange.tell("/standin/call", **{"from": people[2], "to": "+33465710013", "keys": "1"})
    forged = {"From": STRANGER, "Body": HEARD[0], "MessageSid": "SMforged"}
    address = f"http://127.0.0.1:{plant.port}/twilio/inbound"
    assert exchange.http.post(f"{address}?From={quote(STRANGER)}", data=forged, timeout=30).status_code == 403
    exchange.until(lambda: _count(plant, InboundMessage) == 3 and _count(plant, InboundCall) == 1)
    plant.worker.stop()
    plant.web.stop()
    exchange.standin.stop()

    with reading(plant.runtime.sessions) as session:
        counted = session.scalar(select(WebhookCount.number).where(WebhookCount.verdict == "forged"))
        bodies = set(session.scalars(select(Message.body))) | set(HEARD)
        states = set(session.scalars(select(InboundMessage.state)))
    assert counted == 1
    assert states <= {InboundState.OPEN, InboundState.AUTOMATIC}
    said = {name: one.said() for name, one in exchange.processes.items()}
    assert "this scheduler leads" in said["worker"], "there is something to search"
    for name, text in said.items():
        digits = re.sub(r"[^0-9]", "", text)
        for number in [*_numbers(plant), STRANGER]:
            assert number[3:] not in digits, f"a number in what {name} wrote"
            assert phone.display(number) not in text
        for body in bodies:
            assert body not in text, f"a message in what {name} wrote"
            assert quote(body) not in text


def _count(
    plant: Plant, table: type[Message | InboundMessage | InboundCall], *conditions: ColumnElement[bool]
) -> int:
    with reading(plant.runtime.sessions) as session:
        found = select(func.count()).select_from(table).where(*conditions)
        return session.scalar(found) or 0


def _numbers(plant: Plant) -> list[str]:
    with reading(plant.runtime.sessions) as session:
        return list(session.scalars(select(PhoneNumber.e164).order_by(PhoneNumber.id)))
