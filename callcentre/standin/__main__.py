"""`python -m callcentre.standin`: the stand-in on 127.0.0.1, with the addresses and secrets of the settings."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

from callcentre.clock import Clock, ShiftedClock, SystemClock
from callcentre.settings import load_settings
from callcentre.standin.server import Courier, create_app, serve
from callcentre.standin.world import Faults, World

ANSWERED = 0.3
"""Part of the demonstration's messages that somebody answers by themselves."""


def main() -> None:
    """Serve until stopped."""
    settings = load_settings()
    clock: Clock = SystemClock()
    if settings.clock_start is not None:
        clock = ShiftedClock(settings.clock_start, settings.clock_anchor or clock.now())
    world = World(
        account=settings.twilio_account_sid,
        inbound_url=f"{settings.public_url.rstrip('/')}/twilio/inbound",
        faults=Faults(replies=ANSWERED),
    )
    courier = Courier(world, settings.twilio_auth_token, clock)
    address = urlsplit(settings.twilio_api_url)
    app = create_app(world, courier, token=settings.twilio_auth_token, clock=clock)
    threading.Thread(target=courier.run, daemon=True).start()
    serve(app, address.hostname or "127.0.0.1", address.port or 8010).serve_forever()


if __name__ == "__main__":
    main()
