"""The supervisor's live page and its stream, as a browser receives them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from callcentre.accounts import sign_in
from callcentre.callqueue import lease as leases
from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.database import reading, writing
from callcentre.web import streams
from callcentre.web.streams import Pace
from tests.web.application import an_app
from tests.web.programs import Room, a_room
from tests.web.site import Site, make_site, send, text_of

PARTS = {"figures", "officers", "balance", "todo", "promises", "results", "waiting"}
QUICK = Pace(look_every=0.05, beat_every=0.0, hour_every=3600.0, stream_lasts=3600.0)
QUIET = Pace(look_every=0.05, beat_every=3600.0, hour_every=3600.0, stream_lasts=3600.0)

Event = tuple[str, str, dict[str, Any]]


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Iterator[Room]:
    with a_room(tmp_path, sqlite_url, people=6) as room:
        room.site.app.config["LIVE_PACE"] = QUIET
        yield room


@contextmanager
def stream(client: FlaskClient, **headers: str) -> Iterator[Iterator[Event]]:
    """The events of a stream: name, id, data."""
    answer = client.get("/supervision/events", headers={n.replace("_", "-"): v for n, v in headers.items()})
    assert answer.status_code == 200
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    with closing(answer):
        yield _events(answer.iter_encoded())


def _events(chunks: Iterator[bytes]) -> Iterator[Event]:
    for chunk in chunks:
        fields = dict(line.split(": ", 1) for line in chunk.decode().strip().split("\n"))
        if "event" in fields:
            yield fields["event"], fields.get("id", ""), json.loads(fields["data"])


def test_the_page_shows_the_picture_of_now(room: Room) -> None:
    room.program().wrap(room.program().next(), "no_answer")
    page = text_of(room.site.client("supervisor").get("/supervision"))
    assert "Appels aujourd’hui 1" in page
    assert "Pas de réponse" in page
    assert "Camille Roux" in page


def test_of_many_reasons_the_most_frequent_are_named_and_the_rest_is_summed_up(room: Room) -> None:
    reasons = ("appointment", "opposition", "opted_out", "never_reached", "has_solution", "out_of_scope")
    with writing(room.site.runtime.sessions) as session:
        for entry, why in zip(session.scalars(select(QueueEntry)).all(), reasons, strict=True):
            entry.state, entry.closed_reason = EntryState.CLOSED, why
    page = text_of(room.site.client("supervisor").get("/supervision"))
    everybody = page.split("Sorti de la file ", 1)[1].split()
    assert everybody[0] == "6"
    assert "autres raisons 2" in page


def test_the_page_speaks_english(room: Room) -> None:
    client = room.site.client("supervisor")
    send(client, "/account/preferences", language="en")
    page = text_of(client.get("/supervision"))
    assert "Calls today" in page
    assert "Chargés" not in page


def test_a_database_without_a_list_says_what_to_do(tmp_path: Path, sqlite_url: str) -> None:
    site = make_site(tmp_path, sqlite_url)
    page = text_of(site.client("supervisor").get("/supervision"))
    assert "Importez une première liste" in page
    assert site.client("supervisor").get("/supervision/events").status_code == 503
    site.runtime.engine.dispose()


def test_the_page_follows_an_officer_from_card_to_call_to_result_to_pause(room: Room) -> None:
    site, supervisor = room.site, room.site.client("supervisor")
    officer, me = site.client("officer"), site.ids["officer"]

    def state() -> str:
        said = text_of(supervisor.get("/supervision"))
        return said[said.index("Camille Roux") :][len("Camille Roux ") :][:24]

    send(officer, "/desk/check")
    assert "libre" in state()
    send(officer, "/desk/next")
    assert "lit une fiche" in state()
    with reading(site.runtime.sessions) as session:
        held = leases.of_officer(session, me)
    assert held is not None
    base = f"/desk/leases/{held.token}"
    send(officer, f"{base}/attempt", number_id=str(held.number_id))
    assert "en appel" in state()
    send(officer, f"{base}/draft", note="Rappelle-moi")
    assert "en appel" in state()
    send(officer, f"{base}/draft", note="Rappelle-moi", disposition="no_answer")
    assert "saisit le résultat" in state()
    send(officer, f"{base}/attempt", number_id=str(held.number_id))
    assert "en appel" in state()
    send(officer, f"{base}/draft", disposition="voicemail")
    send(officer, f"{base}/outcome", disposition="no_answer", then="pause")
    assert "en pause" in state()


def test_an_officer_sees_neither_the_page_nor_the_stream(room: Room) -> None:
    client = room.site.client("officer")
    for path in ("/supervision", "/supervision/events", "/supervision/live.json"):
        assert client.get(path).status_code == 403


def test_a_stream_begins_with_every_fragment_and_an_id(room: Room) -> None:
    with stream(room.site.client("supervisor")) as events:
        name, number, data = next(events)
    assert name == "state"
    assert len(number) == 24
    assert set(data["fragments"]) == {f"live-{part}" for part in PARTS}
    assert data["at"] == "10:00:00"
    for key, html in data["fragments"].items():
        assert f'id="{key}"' in html


def test_an_outcome_reaches_two_supervisors_as_the_fragments_that_changed(room: Room) -> None:
    served = room.program().next()
    room.program().call(served)
    with stream(room.site.client("supervisor")) as one, stream(room.site.client("admin")) as other:
        first = next(one)[1], next(other)[1]
        assert first[0] == first[1]
        room.program().wrap(served, "interested", callback_at="2026-11-24T10:00:00Z")
        for events in (one, other):
            name, number, data = next(events)
            assert (name, number) != ("state", first[0])
            assert {"live-figures", "live-officers", "live-results"} <= set(data["fragments"])
            assert "live-balance" not in data["fragments"]
            assert "intéressé" in data["fragments"]["live-results"]


def test_a_page_that_comes_back_is_sent_nothing_twice(room: Room) -> None:
    client = room.site.client("supervisor")
    with stream(client) as events:
        number = next(events)[1]
    for how in ({"Last_Event_ID": number}, {}):
        path = "" if how else f"?last_event_id={number}"
        with closing(
            client.get(f"/supervision/events{path}", headers={"Last-Event-ID": number} if how else {})
        ) as a:
            name, again, data = next(_events(a.iter_encoded()))
        assert (name, again, data["fragments"]) == ("state", number, {})


def test_another_process_gives_the_same_id_to_the_same_picture(room: Room) -> None:
    with stream(room.site.client("supervisor")) as events:
        number = next(events)[1]
    restarted = _restarted(room.site)
    with stream(restarted.client("supervisor"), Last_Event_ID=number) as events:
        assert next(events)[2]["fragments"] == {}
    room.program().wrap(room.program().next(), "no_answer")
    with stream(restarted.client("supervisor"), Last_Event_ID=number) as events:
        _, again, data = next(events)
    assert again != number
    assert set(data["fragments"]) == {f"live-{part}" for part in PARTS}


def test_a_stream_says_goodbye_when_its_session_has_ended(room: Room) -> None:
    room.site.app.config["LIVE_PACE"] = QUICK
    with stream(room.site.client("supervisor")) as events:
        seen: set[str] = set()
        while seen != {"state", "beat"}:
            seen.add(next(events)[0])
        with writing(room.site.runtime.sessions) as session:
            sign_in.close_all_sessions(session, room.site.ids["supervisor"], now=room.site.clock.now())
        assert [event[0] for event in events][-1] == "bye"


def test_a_stream_ends_when_the_server_stops(room: Room) -> None:
    supervisor = room.site.client("supervisor")
    try:
        with stream(supervisor) as events:
            next(events)
            streams.stop_all()
            assert list(events) == []
        assert supervisor.get("/supervision/events").status_code == 503
    finally:
        streams.start_again()


def test_a_stream_ends_by_itself_so_that_pages_spread_over_processes(room: Room) -> None:
    room.site.app.config["LIVE_PACE"] = Pace(look_every=0.02, stream_lasts=0.3)
    with stream(room.site.client("supervisor")) as events:
        assert {event[0] for event in events} <= {"state"}


def test_a_stream_holds_no_connection_to_the_database(room: Room) -> None:
    room.site.app.config["LIVE_PACE"] = Pace(look_every=3600.0)
    with stream(room.site.client("supervisor")) as events:
        next(events)
        assert room.site.runtime.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_too_many_streams_are_told_to_come_back_and_pages_poll_meanwhile(room: Room) -> None:
    room.site.app.config["LIVE_PACE"] = Pace(streams_at_most=2)
    client = room.site.client("supervisor")
    one, other = (client.get("/supervision/events") for _ in range(2))
    with closing(one), closing(other):
        refused = client.get("/supervision/events")
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        polled = client.get("/supervision/live.json").get_json()
        assert set(polled["fragments"]) == {f"live-{part}" for part in PARTS}
    again = client.get("/supervision/events")
    with closing(again):
        assert again.status_code == 200


def test_what_newly_waits_for_somebody_is_said_in_one_sentence(room: Room) -> None:
    served = room.program().next()
    room.program().call(served)
    with stream(room.site.client("supervisor")) as events:
        assert "say" not in next(events)[2]
        room.site.clock.advance(timedelta(minutes=31))
        said = next(data["say"] for _, _, data in events if "say" in data)
    assert said.replace("\u00a0", " ") == "1 appel sans résultat à régler."


def _restarted(site: Site) -> Site:
    """The site after its server was started anew: another application on the same database."""
    app = an_app(site.runtime)
    app.testing = True
    app.config["LIVE_PACE"] = QUIET
    return replace(site, app=app)
