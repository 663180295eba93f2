"""What the tests of the list pages share: sending a list, importing it, opening the same site again."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from callcentre.clock import ManualClock
from callcentre.database import reading
from callcentre.people.models import YoungPerson
from callcentre.runtime import build_runtime
from callcentre.settings import load_settings
from tests.intake import ground
from tests.web.application import an_app
from tests.web.site import START, Site, send, token_in

LIST_DATE = "15/11/2026"
PROGRAMME = "bouches-du-rhone"
MESSY = ground.SAMPLES["brouillonne"]
CLEAN = ground.SAMPLES["liste_siei"]


def open_again(folder: Path, url: str, **settings: str) -> Site:
    """The application once more on a database that has its cast already, as after a restart."""
    environment = {f"CALLCENTRE_{name.upper()}": value for name, value in settings.items()}
    clock = ManualClock(START)
    runtime = build_runtime(
        load_settings(
            {
                "CALLCENTRE_DATA_DIR": str(folder),
                "CALLCENTRE_DATABASE_URL": url,
                "CALLCENTRE_SECRET_KEY": "for tests only",
                **environment,
            }
        ),
        clock=clock,
    )
    app = an_app(runtime)
    app.testing = True
    return Site(app, runtime, clock, {})


def upload(
    client: FlaskClient,
    content: bytes | None,
    name: str = "liste.csv",
    *,
    list_date: str = LIST_DATE,
    programme: str = PROGRAMME,
    accept: str = "text/html",
) -> TestResponse:
    """Send the form of a new list."""
    fields: dict[str, object] = {
        "csrf_token": token_in(client.get("/lists/new")),
        "list_date": list_date,
        "programme": programme,
    }
    if content is not None:
        fields["file"] = FileStorage(BytesIO(content), filename=name, name="file")
    boundary, body = encode_multipart(fields)
    return client.post(
        "/lists/new",
        data=body,
        content_type=f'multipart/form-data; boundary="{boundary}"',
        headers={"Origin": "http://localhost", "Accept": accept},
    )


def check(client: FlaskClient, content: bytes, name: str = "liste.csv", **fields: str) -> int:
    """Have a list checked; return its id."""
    answer = upload(client, content, name, **fields)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    found = re.search(r"/lists/(\d+)", answer.headers["Location"])
    assert found is not None
    return int(found[1])


def run_import(site: Site, client: FlaskClient, list_id: int) -> TestResponse:
    """Press the button of a list's page, wait for the end of the import, and return what the page shows then."""
    answer = send(client, f"/lists/{list_id}/import", page=f"/lists/{list_id}")
    assert answer.status_code == 303
    site.app.extensions["imports"].wait(list_id)
    return client.get(f"/lists/{list_id}")


def people(site: Site) -> int:
    """How many people there are."""
    with reading(site.runtime.sessions) as session:
        return session.scalar(select(func.count()).select_from(YoungPerson)) or 0
