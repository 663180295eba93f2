"""The server is told to stop while live pages are open: each stream comes to its proper end, nothing is killed."""

from __future__ import annotations

import http.client
from pathlib import Path

from callcentre.accounts.kinds import Role
from callcentre.accounts.sign_in import create_token
from callcentre.database import writing
from tests.builders import a_programme, a_user, the_programme
from tests.contracts.processes import MONDAY_TEN, PATIENCE_SECONDS, a_plant

STREAMS = 4


def test_open_streams_end_by_themselves_when_the_server_is_told_to_stop(
    tmp_path: Path, sqlite_url: str
) -> None:
    with a_plant(tmp_path, sqlite_url) as plant:
        with writing(plant.runtime.sessions) as session:
            a_programme(session, the_programme())
            supervisor = a_user(session, "supervisor", Role.SUPERVISOR, now=MONDAY_TEN)
            token = create_token(session, supervisor, "test", now=MONDAY_TEN)
        plant.web.start()
        streams = []
        for _ in range(STREAMS):
            connection = http.client.HTTPConnection("127.0.0.1", plant.port, timeout=PATIENCE_SECONDS)
            connection.request(
                "GET", "/api/v1/supervision/events", headers={"Authorization": f"Bearer {token}"}
            )
            answer = connection.getresponse()
            assert answer.status == 200
            assert answer.readline().startswith(b"retry:")
            streams.append((connection, answer))
        assert plant.web.end() == 0
        for connection, answer in streams:
            answer.read()  # a stream that was cut off would raise IncompleteRead
            connection.close()
        assert "Traceback" not in plant.web.said()
