"""The page of a list's columns: what is read as what, why not, put right by hand, remembered for the next list."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callcentre.database import reading
from callcentre.intake import profiles, queries
from callcentre.intake.kinds import ListState
from tests.intake import ground
from tests.web.list_ground import check, run_import, upload
from tests.web.site import Site, send, text_of

ODD = ("Champ 1", "Champ 2", "Champ 3", "Champ 4")
ROWS = ("MARTIN;Léa;14/02/2008;06 39 98 12 34", "DURAND;Zoé;15/03/2009;06 39 98 12 35")
NAMED = {"0": "family_name", "1": "first_name", "2": "birth_date", "3": "phone"}


@pytest.fixture
def client(site: Site) -> FlaskClient:
    """The supervisor's browser."""
    return site.client("supervisor")


def odd_list(*rows: str, headers: tuple[str, ...] = ODD) -> bytes:
    return "\r\n".join([";".join(headers), *(rows or ROWS)]).encode()


def choose(client: FlaskClient, list_id: int, columns: dict[str, str], **fields: str) -> TestResponse:
    """Send the page's form with some columns read otherwise."""
    page = client.get(f"/lists/{list_id}/columns").get_data(as_text=True)
    sent = {"action": "check", "remember": "1", **fields}
    for name, select in re.findall(r'<select[^>]*name="(read_as[^"]*)"(.*?)</select>', page, flags=re.DOTALL):
        picked = re.findall(r'value="([^"]*)" selected', select)
        sent[name] = columns.get(name.rpartition(".")[2], picked[0] if picked else "")
    return send(client, f"/lists/{list_id}/columns", page=f"/lists/{list_id}/columns", **sent)


def refused_list(client: FlaskClient, content: bytes) -> int:
    answer = upload(client, content)
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/columns")
    return int(answer.headers["Location"].split("/")[2])


def state(site: Site, list_id: int) -> ListState:
    with reading(site.runtime.sessions) as session:
        return queries.list_file(session, list_id).state


def test_a_list_with_unknown_headers_waits_for_somebody_to_name_them(site: Site, client: FlaskClient) -> None:
    list_id = refused_list(client, odd_list())
    assert state(site, list_id) is ListState.UNMAPPED
    text = text_of(client.get(f"/lists/{list_id}", follow_redirects=True))
    assert "Aucune ligne d’en-tête reconnue" in text
    assert "colonne inconnue" in text
    assert "14/02/2008" in text, "examples tell what a column holds"
    assert choose(client, list_id, NAMED).status_code == 303
    run_import(site, client, list_id)
    people = ground.people(site.runtime.sessions)
    assert {(p.family_name, p.first_name) for p in people} == {("MARTIN", "Léa"), ("DURAND", "Zoé")}
    assert {number.e164 for person in people for number in person.numbers} == {"+33639981234", "+33639981235"}


def test_the_next_list_with_the_same_headers_is_read_by_itself(site: Site, client: FlaskClient) -> None:
    assert choose(client, refused_list(client, odd_list()), NAMED).status_code == 303
    list_id = check(client, odd_list("BLANC;Noé;01/05/2008;0639981236"))
    text = text_of(client.get(f"/lists/{list_id}/columns"))
    assert "Colonnes reprises d’un choix antérieur" in text
    page = client.get(f"/lists/{list_id}/columns").get_data(as_text=True)
    signature = re.search(r'name="signature" value="([0-9a-f]+)"', page)
    assert signature is not None
    where = f"/lists/{list_id}/columns"
    assert send(client, f"{where}/forget", page=where, signature=signature[1]).status_code == 303
    with reading(site.runtime.sessions) as session:
        assert profiles.remembered(session) == {}
    refused_list(client, odd_list("NOIR;Eva;02/05/2008;0639981237"))


def test_a_choice_is_not_remembered_when_the_box_is_not_ticked(site: Site, client: FlaskClient) -> None:
    assert choose(client, refused_list(client, odd_list()), NAMED, remember="").status_code == 303
    with reading(site.runtime.sessions) as session:
        assert profiles.remembered(session) == {}


def test_a_list_without_a_header_is_named_by_position(site: Site, client: FlaskClient) -> None:
    content = "\r\n".join(ROWS).encode()
    list_id = refused_list(client, content)
    where = f"/lists/{list_id}/columns"
    look = send(client, where, page=where, action="look", **{"header_row.0": "0"})
    assert "Colonne 1" in text_of(look)
    fields = {f"read_as.0.{index}": name for index, name in NAMED.items()}
    answer = send(client, where, page=where, action="check", **{"header_row.0": "0"}, **fields)
    assert answer.status_code == 303
    run_import(site, client, list_id)
    assert len(ground.people(site.runtime.sessions)) == 2
    with reading(site.runtime.sessions) as session:
        assert {row.number for row in queries.rows(session, list_id)} == {1, 2}
        assert profiles.remembered(session) == {}, "nothing to know such a list by"


def test_a_wrong_choice_keeps_what_was_chosen_and_says_what_is_missing(client: FlaskClient) -> None:
    list_id = refused_list(client, odd_list())
    answer = choose(client, list_id, {"0": "family_name", "1": "first_name"})
    assert answer.status_code == 422
    text = text_of(answer)
    assert "Colonnes obligatoires introuvables : date de naissance." in text
    assert '<option value="family_name" selected>' in answer.get_data(as_text=True)


def test_a_decoy_is_refused_with_a_word(client: FlaskClient) -> None:
    headers = (*ground.HEADERS, "Tél. établissement", "Nom du conseiller", "Observations")
    list_id = check(client, ground.csv_list({"Tél. établissement": "0465710000"}, headers=headers))
    for page in (f"/lists/{list_id}", f"/lists/{list_id}/columns"):
        text = text_of(client.get(page))
        assert "à quelqu’un d’autre que le jeune" in text
        assert "commentaire : jamais importé" in text


def test_the_text_is_read_in_the_encoding_that_somebody_chooses(client: FlaskClient) -> None:
    list_id = check(client, ground.csv_list({"Prénom": "Zoé"}, encoding="cp1252"))
    where = f"/lists/{list_id}/columns"
    assert "Zoé" in html.unescape(client.get(where).get_data(as_text=True))
    look = send(client, where, page=where, action="look", encoding="cp850")
    assert "ZoÚ" in text_of(look)


def test_an_unmapped_list_can_be_dropped_and_an_officer_never_sees_it(
    site: Site, client: FlaskClient
) -> None:
    list_id = refused_list(client, odd_list())
    assert site.client("officer").get(f"/lists/{list_id}/columns").status_code == 403
    send(client, f"/lists/{list_id}/drop", page=f"/lists/{list_id}/columns")
    assert client.get(f"/lists/{list_id}/columns").status_code == 404


def test_an_imported_list_keeps_its_columns(site: Site, client: FlaskClient) -> None:
    list_id = check(client, ground.csv_list({}))
    run_import(site, client, list_id)
    answer = client.get(f"/lists/{list_id}/columns", follow_redirects=True)
    assert "a déjà commencé" in text_of(answer)
