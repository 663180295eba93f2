"""An office whose messages go through the real client of the provider to its stand-in, and back as signed requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from callcentre.clock import ManualClock
from callcentre.database import reading
from callcentre.desk.context import Desk
from callcentre.outreach.message_models import InboundMessage, Message
from callcentre.people.models import PersonNumber, PhoneNumber
from callcentre.planning import delivery
from callcentre.planning.delivery import Post
from callcentre.planning.touches import plan_all_touches
from callcentre.planning.writing import Sender
from callcentre.runtime import Runtime, build_runtime
from callcentre.settings import load_settings
from callcentre.standin.server import Courier, serve
from callcentre.standin.server import Exchange as Lines
from callcentre.standin.server import create_app as create_standin
from callcentre.standin.world import World as Telephones
from tests.builders import World, make_world
from tests.contracts.conftest import MONDAY_TEN, Office, Result
from tests.serving import serving
from tests.web.application import an_app

ACCOUNT, TOKEN = f"AC{0:032x}", "a token of the stand-in"
PUBLIC = "https://plateforme.example"


class Exchange(Office):
    """An office, the telephones of everybody, and the way between them."""

    def __init__(
        self,
        runtime: Runtime,
        clock: ManualClock,
        world: World,
        telephones: Telephones,
        courier: Courier,
        begun: list[Callable[[], None]] | None = None,
        lines: Lines | None = None,
    ) -> None:
        super().__init__(runtime, clock, world)
        self.lines = lines or Lines()
        self.begun: list[Callable[[], None]] = [] if begun is None else begun
        self.is_down = False
        self.telephones, self.courier = telephones, courier
        courier.post = self.post  # type: ignore[method-assign]  # our application answers without a socket

    def post(self, url: str, form: dict[str, str]) -> str:
        """Bring a request of the provider to our application, signed; nobody answers while it is down."""
        if self.is_down:
            return ""
        return self.deliver(url, form).text

    def without(self, part: str) -> Callable[[str, dict[str, str]], str]:
        """The same, but whatever goes to addresses with this part is lost on the way."""
        return lambda url, form: "" if part in url else self.post(url, form)

    def deliver(
        self, url: str, form: dict[str, str], *, token: str = TOKEN, signed_as: str = ""
    ) -> TestResponse:
        """The same, with the answer whole; `signed_as`: the address that was signed, if not this one."""
        signature = RequestValidator(token).compute_signature(signed_as or url, form)
        return self.client.post(
            url.removeprefix(PUBLIC),
            data=form,
            headers={"X-Twilio-Signature": signature},
            base_url="http://inside",
        )

    @cached_property
    def client(self) -> FlaskClient:
        """A program that sends requests to the application, which is made for the first of them."""
        return an_app(self.runtime).test_client()

    def restart(self) -> None:
        """Start web and worker anew, as after a crash."""
        self.runtime.engine.dispose()
        self.runtime = build_runtime(self.runtime.settings, clock=self.clock)
        vars(self).pop("client", None)

    @property
    def parcels(self) -> Post:
        """What sending needs."""
        return Post(self.runtime.sessions, self.runtime.programmes, self.runtime.provider)

    @property
    def sender(self) -> Sender:
        """What our sender can do."""
        return Sender(answerable=True, whatsapp=self.runtime.provider.can_whatsapp)

    def plan(self) -> int:
        """Let the plan write its messages down."""
        return self.write(
            lambda s, _: plan_all_touches(s, self.runtime.programmes, sender=self.sender, now=self.now)
        )

    def send(self, limit: int = 1000) -> int:
        """Let the worker send what is due."""
        return delivery.send_due(self.parcels, now=self.now, limit=limit)

    def look_up(self) -> int:
        """Let the worker settle unknown results."""
        return delivery.look_up_unknown(self.parcels, now=self.now)

    def deliver_all(self) -> int:
        """Let every request of the provider that is due, or comes late, arrive."""
        while self.begun:
            self.begun.pop(0)()
        later = self.now + timedelta(minutes=5)
        done = 0
        for callback in self.telephones.due(later):
            self.post(callback.url, callback.form)
            done += 1
        return done

    def write_in(self, e164: str, body: str) -> None:
        """Let somebody write to us."""
        self.telephones.inbound(e164, body, self.now)
        self.deliver_all()

    def read(self, work: Callable[[Session, Desk], Result]) -> Result:
        """Read; what is returned stays readable afterwards."""
        with reading(self.runtime.sessions) as session:
            result = work(session, self.runtime.desk(session))
            session.expunge_all()
        return result

    def messages(self) -> list[Message]:
        """Every message of ours, in order."""
        return self.read(lambda s, _: list(s.scalars(select(Message).order_by(Message.id))))

    def received(self) -> list[InboundMessage]:
        """Every message that came in, in order."""
        return self.read(lambda s, _: list(s.scalars(select(InboundMessage).order_by(InboundMessage.id))))

    def number_of(self, person_id: int) -> str:
        """A person's first number."""
        with reading(self.runtime.sessions) as session:
            return (
                session.scalars(
                    select(PhoneNumber.e164)
                    .join(PersonNumber, PersonNumber.number_id == PhoneNumber.id)
                    .where(PersonNumber.person_id == person_id)
                    .order_by(PersonNumber.position)
                ).first()
                or ""
            )


@contextmanager
def an_exchange(
    database_url: str, folder: Path, *, people: int = 3, now: datetime = MONDAY_TEN, **settings: str
) -> Iterator[Exchange]:
    """An exchange on a fresh database; `settings` by their names."""
    clock = ManualClock(now)
    telephones = Telephones(account=ACCOUNT, inbound_url=f"{PUBLIC}/twilio/inbound")
    courier = Courier(telephones, TOKEN, clock)
    begun: list[Callable[[], None]] = []
    lines = Lines(begin=begun.append)
    standin = create_standin(telephones, courier, token=TOKEN, clock=clock, exchange=lines)
    with serving(serve(standin, "127.0.0.1", 0)) as address:
        values = {
            "database_url": database_url,
            "data_dir": str(folder),
            "twilio_api_url": address,
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": TOKEN,
            "twilio_number": "+33465710013",
            "public_url": PUBLIC,
        } | settings
        runtime = build_runtime(
            load_settings({f"CALLCENTRE_{name.upper()}": value for name, value in values.items()}),
            clock=clock,
        )
        world = make_world(runtime.sessions, now, people=people)
        exchange = Exchange(runtime, clock, world, telephones, courier, begun, lines)
        try:
            yield exchange
        finally:
            exchange.runtime.engine.dispose()
