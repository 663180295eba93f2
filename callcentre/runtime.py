"""The composition root: settings become the things that the program runs on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

import callcentre.migrations  # noqa: F401  (every process must know every table)
from callcentre.callqueue.ledger import Ledger
from callcentre.clock import Clock, ShiftedClock, SystemClock
from callcentre.database import make_engine, make_session_factory
from callcentre.desk.context import Desk
from callcentre.directory import queries as directory
from callcentre.errors import ConfigurationError, NotFound
from callcentre.outreach.gate import gate
from callcentre.outreach.offline import Offline
from callcentre.outreach.provider import Provider
from callcentre.planning.policies import policy_of
from callcentre.programmes import Programme, load_programmes
from callcentre.settings import Settings


@dataclass(frozen=True)
class Runtime:
    """What web, worker and commands share: one per process."""

    settings: Settings
    clock: Clock
    engine: Engine
    sessions: sessionmaker[Session]
    programmes: dict[str, Programme]
    ledger: Ledger = field(default_factory=Ledger)
    provider: Provider = field(default_factory=Offline)
    _programme_ids: dict[str, int] = field(default_factory=dict, repr=False)

    @property
    def programme(self) -> Programme:
        """The programme that pages open on."""
        return self.programmes[self.settings.programme]

    def desk(self, session: Session, code: str | None = None) -> Desk:
        """The desk of a programme, by default the one that pages open on; raises NotFound for an unknown one."""
        programme = self.programmes.get(code or self.settings.programme)
        if programme is None:
            raise NotFound("programme")
        programme_id = self._programme_ids.get(programme.code)
        if programme_id is None:  # asked for once: a programme's row is never deleted
            programme_id = directory.programme_id(session, programme.code)
            if programme_id is None:
                raise NotFound("programme")
            self._programme_ids[programme.code] = programme_id
        return Desk(programme, programme_id, self.settings, self.ledger)


def build_runtime(settings: Settings, *, clock: Clock | None = None) -> Runtime:
    """Build the runtime; raises ConfigurationError when a file of `config/` is wrong."""
    programmes = load_programmes(settings.config_dir / "programmes", settings.retry)
    for programme in programmes.values():
        policy_of(programme)  # raises for hours and slots that do not fit, before anything is planned by them
    if settings.programme not in programmes:
        raise ConfigurationError(
            file="default.toml",
            key="programme",
            problem=f"there is no programme {settings.programme!r}.",
            remedy=f"Write one of: {', '.join(programmes)}.",
        )
    if settings.url.startswith("sqlite"):
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = make_engine(settings.url, page_limit=settings.database_page_limit)
    return Runtime(
        settings=settings,
        clock=clock or _clock(settings),
        engine=engine,
        sessions=make_session_factory(engine),
        programmes=programmes,
        ledger=Ledger(timedelta(seconds=settings.balance_cache_seconds)),
        provider=_provider(settings),
    )


def _provider(settings: Settings) -> Provider:
    if not settings.has_provider:
        return Offline()
    from callcentre.outreach.twilio import Account, Twilio  # slow to load, and not needed without an account

    return Twilio(
        Account(
            account_sid=settings.twilio_account_sid,
            auth_token=settings.twilio_auth_token,
            public_url=settings.public_url,
            number=settings.twilio_number,
            may_reach=gate(
                live=settings.mode == "live",
                allowed_numbers=settings.allowed_numbers,
                allowed_countries=settings.allowed_countries,
            ),
            messaging_service_sid=settings.twilio_messaging_service_sid,
            whatsapp_from=settings.twilio_whatsapp_from,
            api_key_sid=settings.twilio_api_key_sid,
            api_key_secret=settings.twilio_api_key_secret,
            twiml_app_sid=settings.twilio_twiml_app_sid,
            api_url=settings.twilio_api_url,
            receives=settings.twilio_receives_replies,
        )
    )


def _clock(settings: Settings) -> Clock:
    if settings.clock_start is None:
        return SystemClock()
    return ShiftedClock(settings.clock_start, settings.clock_anchor or SystemClock().now())
