"""The funnel page, the lists behind figures, and their files."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import event, select

from callcentre.audit.models import AuditEvent
from callcentre.database import reading, writing
from callcentre.people.models import YoungPerson
from callcentre.web.tables import harmless
from tests.web.programs import Room, a_room
from tests.web.site import send, text_of


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Iterator[Room]:
    with a_room(tmp_path, sqlite_url, people=6) as room:
        program = room.program()
        program.wrap(program.next(), "not_now")
        program.wrap(program.next(), "has_solution")
        program.wrap(program.next(), "no_answer")
        yield room


def test_the_funnel_compares_with_the_target_to_date(room: Room) -> None:
    page = text_of(room.site.client("supervisor").get("/funnel"))
    assert "Le parcours et ses cibles" in page
    assert "Contactés 2 448 ▲ −446 1 964" in page
    assert "Déjà en solution 1" in page
    assert "Comment la prévision est calculée" in page


@pytest.mark.parametrize("stage", ["contacted", "accompanied", "positive_exit", "nonsense"])
def test_the_curve_follows_the_stage_of_the_address(room: Room, stage: str) -> None:
    answer = room.site.client("supervisor").get(f"/funnel?stage={stage}")
    assert answer.status_code == 200
    assert 'aria-current="true"' in answer.text


def test_the_pages_speak_english(room: Room) -> None:
    client = room.site.client("supervisor")
    send(client, "/account/preferences", language="en")
    assert "The funnel and its targets" in text_of(client.get("/funnel"))
    assert "2 people" in text_of(client.get("/people?stage=contacted"))


def test_every_figure_of_the_pages_opens_a_list_of_as_many_people(room: Room) -> None:
    client = room.site.client("supervisor")
    opened = 0
    for path in ("/funnel", "/supervision"):
        for address, shown in _linked_figures(client.get(path).text):
            total = re.search(r"(\d+) personnes?", text_of(client.get(address)))
            assert total is not None, address
            assert int(total[1]) == int(shown), address
            opened += 1
    assert opened > 30


def _linked_figures(page: str) -> list[tuple[str, str]]:
    cells = re.findall(r'<a href="(/people\?[^"]+)">([\d\s]+)</a>', page)
    tiles = re.findall(
        r'<a class="figure" href="(/people\?[^"]+)">.*?figure-value">(?:<span[^>]*>▲</span> )?([\d\s]+)<',
        page,
        re.DOTALL,
    )
    return [(html.unescape(address), "".join(shown.split())) for address, shown in cells + tiles]


def test_a_list_says_name_stage_last_call_and_why_not_now(room: Room) -> None:
    page = text_of(room.site.client("supervisor").get("/people?stage=contacted"))
    assert "Contactés 2 personnes" in page
    assert "Refuse pour le moment" in page
    assert "Sorti de la file déjà une solution" in page
    assert "Un autre jour a dit « pas maintenant » · " in page


def test_a_filter_can_be_taken_away(room: Room) -> None:
    client = room.site.client("supervisor")
    answer = client.get(f"/people?stage=contacted&officer={room.site.ids['officer']}")
    assert "par Camille Roux" in text_of(answer)
    assert 'href="/people?stage=contacted"' in answer.text


def test_a_wrong_address_of_a_list_says_what_to_do(room: Room) -> None:
    client = room.site.client("supervisor")
    for wrong in ("stage=x", "territory=x", "week=x", "bucket=x"):
        answer = client.get(f"/people?{wrong}")
        assert answer.status_code == 422
        assert "repartez du chiffre" in text_of(answer)


def test_an_officer_does_not_browse_for_people(room: Room) -> None:
    for path in ("/people", "/people/export.csv", "/funnel"):
        assert room.site.client("officer").get(path).status_code == 403


def test_a_list_is_exported_and_the_export_is_written_down(room: Room) -> None:
    with writing(room.site.runtime.sessions) as session:
        session.get_one(YoungPerson, room.world.people[0]).family_name = "=cmd|' /C calc'!A0"
    answer = room.site.client("supervisor").get("/people/export.csv")
    rows = list(csv.reader(StringIO(answer.get_data().decode("utf-8-sig")), delimiter=";"))
    assert rows[0][:3] == ["N°", "Nom", "Prénom"]
    assert len(rows) == 7
    assert any(row[1].startswith("'=cmd") for row in rows)
    with reading(room.site.runtime.sessions) as session:
        written = session.scalars(select(AuditEvent).where(AuditEvent.action == "people_exported")).one()
        assert written.details["people"] == 6
        assert written.actor_id == room.site.ids["supervisor"]


def test_a_workbook_holds_the_same_list(room: Room) -> None:
    answer = room.site.client("supervisor").get("/people/export.xlsx?stage=contacted")
    sheet = load_workbook(BytesIO(answer.get_data())).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert len(rows) == 3
    assert rows[0][1] == "Nom"
    assert isinstance(rows[1][0], int)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_funnel_is_exported_without_any_person(room: Room, kind: str) -> None:
    answer = room.site.client("supervisor").get(f"/funnel/export.{kind}")
    assert answer.status_code == 200
    if kind == "csv":
        rows = list(csv.reader(StringIO(answer.get_data().decode("utf-8-sig")), delimiter=";"))
        assert rows[0][2:4] == ["À contacter", "Contactés"]
        assert rows[1][:4] == ["Ensemble", "Personnes", "2", "2"]
        assert "Essai" not in answer.get_data().decode("utf-8-sig")


@pytest.mark.parametrize("text", ["=1+1", "+33639981234", "-2", "@x", "\t=1", "\r=1"])
def test_no_cell_is_run_as_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless("Élise") == "Élise"
    assert harmless(12) == 12


@pytest.mark.parametrize(
    ("path", "most"), [("/supervision", 22), ("/funnel", 12), ("/people?stage=contacted", 24)]
)
def test_a_page_takes_few_queries(room: Room, path: str, most: int) -> None:
    client = room.site.client("supervisor")
    client.get(path)
    seen: list[str] = []
    event.listen(room.site.runtime.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    client.get(path)
    assert len(seen) <= most, "\n".join(seen)
