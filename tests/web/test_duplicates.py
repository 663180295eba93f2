"""The pages of possible duplicates, of somebody typed by hand, of what a list changes, and of undoing an import."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from callcentre.database import reading
from callcentre.intake import queries
from callcentre.intake.kinds import ListState
from callcentre.people.models import Merge, YoungPerson
from tests.intake.ground import csv_list
from tests.web.list_ground import check, people, run_import
from tests.web.site import Site, send, text_of

FIRST = csv_list(
    {"Nom": "BEN ALI", "Prénom": "Mohamed", "Portable": "06 39 98 00 01"},
    {"Nom": "PETIT", "Prénom": "Inès"},
    {"Nom": "ROUX", "Prénom": "Adam", "Portable": "06 39"},
)
SECOND = csv_list(
    {"Nom": "BENALLI", "Prénom": "Mohammed", "Portable": "06 39 98 00 02"},
    {"Nom": "PETIT", "Prénom": "Inès", "Mail": "ines@exemple.fr", "CP": "13100"},
)


@pytest.fixture
def client(site: Site) -> FlaskClient:
    """The supervisor's browser."""
    return site.client("supervisor")


def the_imports(site: Site, client: FlaskClient) -> tuple[int, int]:
    first = check(client, FIRST, list_date="15/10/2026")
    run_import(site, client, first)
    second = check(client, SECOND)
    run_import(site, client, second)
    return first, second


def merges(site: Site) -> int:
    with reading(site.runtime.sessions) as session:
        query = select(func.count()).select_from(Merge).where(Merge.undone_at.is_(None))
        return session.scalar(query) or 0


def test_a_check_shows_what_changes_from_what_to_what_and_who_is_gone(
    site: Site, client: FlaskClient
) -> None:
    run_import(site, client, check(client, FIRST, list_date="15/10/2026"))
    list_id = check(client, SECOND)
    page = text_of(client.get(f"/lists/{list_id}"))
    assert "courriel : + ines@exemple.fr" in page
    assert "code postal : 13001 → 13100" in page
    assert "2 personnes de la liste précédente ne sont plus sur celle-ci" in page
    assert "BEN ALI Mohamed" in page


def test_two_records_are_merged_and_taken_apart_again(site: Site, client: FlaskClient) -> None:
    the_imports(site, client)
    page = client.get("/lists/duplicates")
    assert "BENALLI Mohammed" in text_of(page)
    found = re.search(r"/lists/duplicates/(\d+)", page.get_data(as_text=True))
    assert found is not None
    pair = client.get(found[0])
    assert "noms proches, même date de naissance" in text_of(pair)
    kept = re.findall(r'name="keep" value="(\d+)"', pair.get_data(as_text=True))[0]
    assert send(client, f"{found[0]}/merge", page=found[0], keep=kept).status_code == 303
    assert merges(site) == 1
    after = client.get("/lists/duplicates")
    assert "0 paire à regarder" in text_of(after)
    undo = re.search(r"/lists/duplicates/merges/\d+/undo", after.get_data(as_text=True))
    assert undo is not None
    send(client, undo[0], page="/lists/duplicates")
    assert merges(site) == 0
    assert "0 paire" in text_of(client.get("/lists/duplicates")), "kept apart from now on"


def test_two_people_are_kept_apart(site: Site, client: FlaskClient) -> None:
    the_imports(site, client)
    send(client, "/lists/duplicates/1/apart", page="/lists/duplicates/1")
    assert "0 paire à regarder" in text_of(client.get("/lists/duplicates"))
    assert merges(site) == 0


def test_two_records_compared_by_hand_can_be_decided(site: Site, client: FlaskClient) -> None:
    the_imports(site, client)
    assert "Une personne ou deux ? Décider" in text_of(client.get("/people/1/compare/2"))
    answer = send(client, "/lists/duplicates/propose", page="/people/1/compare/2", one="1", other="2")
    assert answer.status_code == 303
    assert "rapprochées à la main" in text_of(client.get(answer.headers["Location"]))


def test_an_import_is_undone_after_a_tick(site: Site, client: FlaskClient) -> None:
    first, second = the_imports(site, client)
    assert "nommées par une liste plus récente" in text_of(client.get(f"/lists/{first}/undo"))
    send(client, f"/lists/{second}/undo", page=f"/lists/{second}")
    assert people(site) == 4
    assert "1 personnes créées seraient retirées" in text_of(client.get(f"/lists/{second}/undo"))
    send(client, f"/lists/{second}/undo", page=f"/lists/{second}", sure="yes")
    assert people(site) == 3
    assert "Cet import a été défait" in text_of(client.get(f"/lists/{second}"))
    again = check(client, SECOND)
    assert again == second
    run_import(site, client, again)
    with reading(site.runtime.sessions) as session:
        assert queries.list_file(session, second).state is ListState.IMPORTED
    assert people(site) == 4


def test_a_row_let_in_with_a_remark_is_corrected_in_place(site: Site, client: FlaskClient) -> None:
    first = check(client, FIRST, list_date="15/10/2026")
    run_import(site, client, first)
    page = client.get(f"/lists/{first}?flagged=1")
    link = re.search(rf"/lists/{first}\?correct=(\d+)", page.get_data(as_text=True))
    assert link is not None
    row_id = next(
        row_id
        for row_id in re.findall(rf"/lists/{first}\?correct=(\d+)", page.get_data(as_text=True))
        if "ROUX" in text_of(client.get(f"/lists/{first}?correct={row_id}")).split("Ligne par ligne")[0]
    )
    fields = {"cell.phone": "06 39 98 00 09"}
    send(client, f"/lists/{first}/rows/{row_id}/correct", page=f"/lists/{first}", **fields)
    with reading(site.runtime.sessions) as session:
        (adam,) = [p for p in queries.exported_people(session, 1) if p.first_name == "Adam"]
    assert [number.e164 for number in adam.numbers] == ["+33639980009"]
    assert people(site) == 3


def test_a_row_that_cannot_be_read_any_more_changes_nothing(site: Site, client: FlaskClient) -> None:
    first = check(client, FIRST, list_date="15/10/2026")
    run_import(site, client, first)
    page = client.get(f"/lists/{first}?flagged=1").get_data(as_text=True)
    row_id = re.findall(rf"/lists/{first}\?correct=(\d+)", page)[0]
    answer = send(
        client,
        f"/lists/{first}/rows/{row_id}/correct",
        page=f"/lists/{first}",
        **{"cell.birth_date": "31/02/2008"},
    )
    assert "Rien n’a été changé." in text_of(client.get(answer.headers["Location"]))


def test_rows_are_filtered_by_reason(site: Site, client: FlaskClient) -> None:
    first = check(client, FIRST, list_date="15/10/2026")
    run_import(site, client, first)
    page = text_of(client.get(f"/lists/{first}?reason=number_too_short"))
    assert "ROUX Adam" in page
    assert "PETIT Inès" not in page


TYPED = {"family_name": "Faure", "first_name": "Élise", "birth_date": "03/04/2009", "phone": "06 39 98 01 01",
         "postal_code": "13013", "guardian_family_name": "Faure",
         "signalled_on": "20/11/2026", "origin": "school"}  # fmt: skip


@pytest.mark.parametrize("login", ["officer", "supervisor", "admin"])
def test_somebody_is_typed_by_hand(site: Site, login: str) -> None:
    client = site.client(login)
    wrong = send(client, "/people/new", page="/people/new", **{**TYPED, "phone": "06 39"})
    assert wrong.status_code == 422
    assert "il manque des chiffres" in text_of(wrong)
    assert 'value="Élise"' in wrong.get_data(as_text=True)
    assert send(client, "/people/new", page="/people/new", **TYPED).status_code == 303
    assert people(site) == 1
    send(client, "/people/new", page="/people/new", **TYPED)
    assert people(site) == 1


def test_a_date_of_the_signal_to_come_is_refused(site: Site, client: FlaskClient) -> None:
    answer = send(client, "/people/new", page="/people/new", **{**TYPED, "signalled_on": "24/12/2026"})
    assert (answer.status_code, "dans le futur" in text_of(answer)) == (422, True)


def test_an_officer_does_not_decide_about_duplicates(site: Site) -> None:
    assert site.client("officer").get("/lists/duplicates").status_code == 403
    with reading(site.runtime.sessions) as session:
        assert session.scalar(select(func.count()).select_from(YoungPerson)) == 0
