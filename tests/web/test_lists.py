"""The list pages: nothing is written before it is wanted, every refusal says why, and nothing is lost."""

from __future__ import annotations

import html
import json
import re
import sqlite3
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import event
from sqlalchemy.engine import make_url

from callcentre.database import reading, writing
from callcentre.intake import importing, queries, retention
from callcentre.intake.kinds import Fate, ListState
from tests.intake import ground
from tests.web.list_ground import (
    CLEAN,
    LIST_DATE,
    MESSY,
    check,
    open_again,
    people,
    run_import,
    upload,
)
from tests.web.site import START, Site, send, text_of

LARGEST_FILE = 5_000_000
"""Bytes: room for the write-ahead log of some chunks, not for the whole sample."""
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.fixture
def client(site: Site) -> FlaskClient:
    """The supervisor's browser."""
    return site.client("supervisor")


def read(site: Site, list_id: int) -> queries.ListFileView:
    with reading(site.runtime.sessions) as session:
        return queries.list_file(session, list_id)


def rows(site: Site, list_id: int, *fates: Fate) -> tuple[queries.RowView, ...]:
    with reading(site.runtime.sessions) as session:
        return queries.rows(session, list_id, fates=fates)


def release(client: FlaskClient, list_id: int, row_id: int, cells: dict[str, str], who: str = "") -> str:
    fields = {f"cell.{key}": value for key, value in cells.items()}
    page = f"/lists/{list_id}?fate=quarantined"
    answer = send(client, f"/lists/{list_id}/rows/{row_id}/release", page=page, who=who, **fields)
    assert answer.status_code == 303, text_of(answer)
    return text_of(client.get(answer.headers["Location"]))


# ---- before anything is received


def test_an_officer_has_no_access(site: Site) -> None:
    client = site.client("officer")
    assert client.get("/lists").status_code == 403
    assert client.get("/lists/new").status_code == 403


def test_without_a_list_the_page_says_what_to_do(client: FlaskClient) -> None:
    text = text_of(client.get("/lists"))
    assert "Aucune liste pour l’instant" in text
    assert "Importez la liste des jeunes à contacter" in text


def test_the_form_proposes_today_in_the_programmes_zone(site: Site, client: FlaskClient) -> None:
    assert 'value="23/11/2026"' in client.get("/lists/new").get_data(as_text=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "Choisissez le fichier de la liste, en CSV ou en XLSX."),
        (b"", "est vide"),
        (
            b"Nom;Commune\r\nMARTIN;ARLES\r\n",
            "Colonnes obligatoires introuvables : prénom, date de naissance.",
        ),
        (b"du texte sans tableau\r\n", "Aucune ligne d’en-tête reconnue"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "protégé par un mot de passe"),
        (OLE, "Ce fichier .xls ne s’ouvre pas"),
        (b"%PDF-1.7 ...", "ni un texte CSV ni un classeur"),
        (b"PK\x03\x04 broken", "endommagé ou incomplet"),
        (bytes(range(256)) * 20, "Le texte du fichier ne se lit pas"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_beside_its_field(
    site: Site, client: FlaskClient, content: bytes | None, message: str
) -> None:
    answer = upload(client, content, "ma liste.csv", list_date="14/11/2026")
    page, text = answer.get_data(as_text=True), text_of(answer)
    assert answer.status_code == 422
    assert text.count(message) == 2, "in the summary and beside the field"
    assert 'id="file-error"' in page
    assert 'aria-describedby="file-hint file-error"' in page
    assert 'value="14/11/2026"' in page
    assert "ma liste.csv" in text or content is None
    with reading(site.runtime.sessions) as session:
        assert queries.list_files(session) == ()


@pytest.mark.parametrize(
    ("list_date", "message"),
    [
        ("", "Cette date ne se lit pas : écrivez-la jj/mm/aaaa, par exemple 24/11/2026."),
        ("31/02/2026", "Cette date ne se lit pas"),
        ("24/11/2026", "Cette date est dans le futur"),
    ],
)
def test_a_wrong_date_is_refused_beside_its_field_and_kept(
    client: FlaskClient, list_date: str, message: str
) -> None:
    answer = upload(client, MESSY.read_bytes(), MESSY.name, list_date=list_date)
    assert answer.status_code == 422
    assert text_of(answer).count(message) == 2
    assert 'id="list_date-error"' in answer.get_data(as_text=True)
    assert f'value="{list_date}"' in answer.get_data(as_text=True)
    assert "Vous aviez choisi « brouillonne.csv »" in text_of(answer)


def test_every_mistake_is_said_at_once(client: FlaskClient) -> None:
    answer = upload(client, None, list_date="hier", programme="ailleurs")
    assert "3 points à corriger" in text_of(answer)
    assert "Choisissez le programme de la liste." in text_of(answer)


def test_a_file_beyond_the_limit_is_refused_beside_its_field(tmp_path: Path, site: Site) -> None:
    small = open_again(tmp_path, str(site.runtime.engine.url), upload_megabytes="1")
    answer = upload(small.client("supervisor"), b"x" * (2 * 1024 * 1024))
    assert answer.status_code == 413
    assert text_of(answer).count("Ce fichier dépasse la limite de 1 Mo ; rien n’a été importé.") == 2
    assert 'id="file-error"' in answer.get_data(as_text=True)
    small.runtime.engine.dispose()


# ---- the check


def test_a_check_tells_how_the_file_was_read_and_writes_nobody(site: Site, client: FlaskClient) -> None:
    list_id = check(client, MESSY.read_bytes(), MESSY.name)
    text = text_of(client.get(f"/lists/{list_id}"))
    for words in (
        "CSV, UTF-8, séparateur point-virgule",
        "En-tête à la ligne 3",
        "14 colonnes lues",
        "20 premières lignes sous l’en-tête",
        "Importer 55 personnes",
        "La date de naissance « 31/02/2008 » n’existe pas ou ne se lit pas",
        "trop jeune 1",
    ):
        assert words in text
    assert people(site) == 0
    assert read(site, list_id).state is ListState.CHECKED
    assert "vérifiée, pas importée" in text_of(client.get("/lists"))


def test_rows_of_a_check_are_filtered_by_fate_and_by_reason(client: FlaskClient) -> None:
    list_id = check(client, MESSY.read_bytes(), MESSY.name)
    by_fate = text_of(client.get(f"/lists/{list_id}?fate=duplicate"))
    assert "Même personne que la ligne 6" in by_fate
    assert "Titre au-dessus du tableau" not in by_fate
    by_reason = text_of(client.get(f"/lists/{list_id}?reason=age_under"))
    assert "Trop jeune à la date de la liste (14 ans)" in by_reason
    assert "(retirer ce filtre)" in by_reason
    second = text_of(client.get(f"/lists/{list_id}?page=2"))
    assert "Lignes 51 à 64 sur 64" in second
    assert "Lignes 51 à 64 sur 64" in text_of(client.get(f"/lists/{list_id}?page=999"))


def test_an_unknown_column_is_named_and_may_be_read_by_choice(site: Site, client: FlaskClient) -> None:
    headers = (*ground.HEADERS, "Joignable au")
    content = ground.csv_list({"Joignable au": "06 39 98 12 34"}, headers=headers)
    list_id = check(client, content)
    assert "Colonnes non lues, non conservées : Joignable au" in text_of(client.get(f"/lists/{list_id}"))
    assert "Aucun numéro appelable" in text_of(client.get(f"/lists/{list_id}"))
    answer = choose_columns(client, list_id, {"Joignable au": "phone"})
    assert answer.status_code == 303
    text = text_of(client.get(f"/lists/{list_id}"))
    assert "Joignable au" not in text.split("Colonnes non lues")[-1] or "Colonnes non lues" not in text
    assert "Aucun numéro appelable" not in text
    run_import(site, client, list_id)
    assert [n.e164 for n in ground.people(site.runtime.sessions)[0].numbers] == ["+33639981234"]


def test_leaving_out_a_required_column_is_refused_and_changes_nothing(
    site: Site, client: FlaskClient
) -> None:
    list_id = check(client, ground.csv_list({}))
    before = read(site, list_id)
    answer = choose_columns(client, list_id, {"Nom": ""})
    assert answer.status_code == 422
    assert "Colonnes obligatoires introuvables : nom." in text_of(answer)
    assert read(site, list_id) == before


def choose_columns(client: FlaskClient, list_id: int, chosen: dict[str, str]):  # type: ignore[no-untyped-def]
    page = client.get(f"/lists/{list_id}/columns").get_data(as_text=True)
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token is not None
    fields = {"csrf_token": token[1], "action": "check", "remember": "1"}
    for header, name, select in re.findall(
        r'<th scope="row">([^<]*)</th>.*?<select[^>]*name="(read_as[^"]*)"(.*?)</select>',
        page,
        flags=re.DOTALL,
    ):
        picked = re.findall(r'value="([^"]*)" selected', select)
        fields[name] = chosen.get(html.unescape(header), picked[0] if picked else "")
    return client.post(f"/lists/{list_id}/columns", data=fields, headers={"Origin": "http://localhost"})


def test_an_abandoned_list_leaves_nothing(site: Site, client: FlaskClient) -> None:
    list_id = check(client, MESSY.read_bytes())
    answer = send(client, f"/lists/{list_id}/drop", page=f"/lists/{list_id}")
    assert answer.headers["Location"] == "/lists"
    assert "Liste abandonnée" in text_of(client.get("/lists"))
    assert client.get(f"/lists/{list_id}").status_code == 404


def test_an_imported_list_is_not_abandoned(site: Site, client: FlaskClient) -> None:
    list_id = check(client, ground.csv_list({}))
    run_import(site, client, list_id)
    answer = send(client, f"/lists/{list_id}/drop", page=f"/lists/{list_id}")
    assert answer.headers["Location"] == f"/lists/{list_id}"
    assert "a déjà commencé : rien n’a été changé" in text_of(client.get(f"/lists/{list_id}"))
    assert people(site) == 1


# ---- the import


def test_an_import_ends_in_its_report_and_a_second_click_changes_nothing(
    site: Site, client: FlaskClient
) -> None:
    list_id = check(client, MESSY.read_bytes(), MESSY.name)
    text = text_of(run_import(site, client, list_id))
    for words in ("importée", "55 créées", "3 doublons", "2 en quarantaine", "4 ignorées", "Sophie Garnier"):
        assert words in text
    finished = read(site, list_id)
    again = text_of(run_import(site, client, list_id))
    assert "55 créées" in again
    assert read(site, list_id) == finished
    assert people(site) == 55
    line = rows(site, list_id, Fate.CREATED)[0]
    page = client.get(f"/lists/{list_id}?fate=created").get_data(as_text=True)
    assert f'<a href="/people/{line.person_id}">' in page
    flagged = text_of(client.get(f"/lists/{list_id}?fate=created&flagged=1"))
    assert "est un faux numéro de remplissage" in flagged
    assert "THOMAS Valérie" not in flagged


def test_the_progress_is_told_in_figures_and_words(site: Site, client: FlaskClient) -> None:
    list_id = check(client, MESSY.read_bytes())
    with writing(site.runtime.sessions) as session:
        importing.start(session, list_id)
    told = client.get(f"/lists/{list_id}/progress").get_json()
    assert (told["state"], told["done"], told["total"], told["percent"]) == ("importing", 0, 64, 0)
    assert " ".join(told["text"].split()) == "0 sur 64"
    assert told["location"] is None
    assert "Import en cours" in text_of(client.get(f"/lists/{list_id}"))
    run_import(site, client, list_id)
    told = client.get(f"/lists/{list_id}/progress").get_json()
    assert (told["done"], told["location"]) == (64, f"/lists/{list_id}?finished=1")
    assert "Import terminé : 64 lignes." in text_of(client.get(told["location"]))


def test_the_worker_finishes_what_a_killed_web_process_had_begun(site: Site, client: FlaskClient) -> None:
    content = ground.csv_list(*({"Nom": f"ESSAI {n:04}"} for n in range(importing.CHUNK_ROWS + 5)))
    list_id = check(client, content)
    prepared = ground.prepared(content)
    with writing(site.runtime.sessions) as session:
        importing.start(session, list_id)
        importing.apply_chunk(session, list_id, prepared, programme=site.runtime.programme, now=START)
    assert client.get(f"/lists/{list_id}/progress").get_json()["done"] == importing.CHUNK_ROWS
    later = START + 2 * importing.STALE_AFTER
    assert importing.resume_interrupted(site.runtime.sessions, site.runtime.programmes, later) == 1
    assert read(site, list_id).state is ListState.IMPORTED
    assert people(site) == len(rows(site, list_id)) == importing.CHUNK_ROWS + 5


def test_the_same_file_for_the_same_date_leads_to_its_import(site: Site, client: FlaskClient) -> None:
    content = MESSY.read_bytes()
    list_id = check(client, content)
    run_import(site, client, list_id)
    answer = upload(client, content)
    assert answer.headers["Location"] == f"/lists/{list_id}?again=1"
    text = text_of(client.get(answer.headers["Location"]))
    assert "Ce fichier a déjà été reçu pour cette date" in text
    assert "Rien n’a été importé une seconde fois." in text
    assert people(site) == 55


def test_the_same_file_for_another_date_names_the_first_import(site: Site, client: FlaskClient) -> None:
    first = check(client, MESSY.read_bytes())
    run_import(site, client, first)
    second = check(client, MESSY.read_bytes(), list_date="20/11/2026")
    assert second != first
    page = client.get(f"/lists/{second}")
    assert "Ce même fichier a déjà été importé." in text_of(page)
    assert f'<a href="/lists/{first}">' in page.get_data(as_text=True)
    run_import(site, client, second)
    assert people(site) == 55


def test_a_script_is_told_where_to_go(client: FlaskClient) -> None:
    answer = upload(client, ground.csv_list({}), accept="application/json")
    assert answer.get_json() == {"location": "/lists/1"}


# ---- quarantine


@pytest.fixture
def messy(site: Site, client: FlaskClient) -> int:
    """The id of the messy sample, imported."""
    list_id = check(client, MESSY.read_bytes(), MESSY.name)
    run_import(site, client, list_id)
    return list_id


def test_a_quarantined_row_is_corrected_and_released(site: Site, client: FlaskClient, messy: int) -> None:
    wrong = next(row for row in rows(site, messy, Fate.QUARANTINED) if row.number == 44)
    page = text_of(client.get(f"/lists/{messy}?fate=quarantined"))
    assert "Ligne 44 · FAURE Mohamed" in page
    still = release(client, messy, wrong.id, {"birth_date": "32/01/2008"})
    assert "Corrections gardées, mais la ligne 44 reste en quarantaine." in still
    assert "« 32/01/2008 »" in still
    done = release(client, messy, wrong.id, {"birth_date": "28/02/2008"})
    assert "Ligne 44 libérée : créée." in done
    assert people(site) == 56
    assert read(site, messy).counts["quarantined"] == 1
    late = release(client, messy, wrong.id, {"birth_date": "27/02/2008"})
    assert "Cette ligne a déjà son sort : rien n’a été changé." in late


def test_a_row_set_aside_keeps_only_its_number_and_reason(
    site: Site, client: FlaskClient, messy: int
) -> None:
    row = rows(site, messy, Fate.QUARANTINED)[0]
    page = f"/lists/{messy}?fate=quarantined"
    answer = send(client, f"/lists/{messy}/rows/{row.id}/set-aside", page=page)
    assert "Ligne 44 écartée." in text_of(client.get(answer.headers["Location"]))
    assert "Écartée par Sophie Garnier." in text_of(client.get(f"/lists/{messy}?fate=ignored"))
    with reading(site.runtime.sessions) as session:
        assert queries.row(session, row.id).raw == ()


def test_a_row_of_another_list_is_not_found(site: Site, client: FlaskClient, messy: int) -> None:
    row = rows(site, messy, Fate.QUARANTINED)[0]
    other = check(client, ground.csv_list({}))
    answer = send(client, f"/lists/{other}/rows/{row.id}/set-aside", page=f"/lists/{other}")
    assert answer.status_code == 404


def test_somebody_too_young_shows_until_when_and_is_empty_after(
    site: Site, client: FlaskClient, messy: int
) -> None:
    page = f"/lists/{messy}?fate=quarantined"
    assert "effacée le 30/11/2026 sans correction" in text_of(client.get(page))
    assert "ZEROUAL Ali" in text_of(client.get(page))
    with writing(site.runtime.sessions) as session:
        assert retention.purge_quarantine(session, START.replace(day=30)) == 1
    text = text_of(client.get(page))
    assert "Le contenu de cette ligne a été effacé" in text
    assert "ZEROUAL Ali" not in text


def test_an_ine_of_two_people_asks_who_it_is(site: Site, client: FlaskClient) -> None:
    ine = "140727415UU"
    run_import(site, client, check(client, ground.csv_list({"INE": ine})))
    other = {"INE": ine, "Nom": "ZOUAOUI", "Prénom": "Karim", "Né(e) le": "03/09/2007"}
    list_id = check(client, ground.csv_list(other), "autre.csv")
    run_import(site, client, list_id)
    (row,) = rows(site, list_id, Fate.QUARANTINED)
    text = text_of(client.get(f"/lists/{list_id}?fate=quarantined"))
    assert "De qui parle cette ligne ?" in text
    assert "MARTIN Léa, né(e) le 14/02/2008" in text
    stranger = send(
        client,
        f"/lists/{list_id}/rows/{row.id}/release",
        page=f"/lists/{list_id}?fate=quarantined",
        who="999",
    )
    assert stranger.status_code == 422
    assert "Ligne 2 libérée : créée." in release(client, list_id, row.id, {}, who="new")
    assert sorted(person.family_name for person in ground.people(site.runtime.sessions)) == [
        "MARTIN",
        "ZOUAOUI",
    ]


def test_quarantine_and_report_are_downloaded(site: Site, client: FlaskClient, messy: int) -> None:
    answer = send(client, f"/lists/{messy}/quarantine.xlsx", page=f"/lists/{messy}")
    sheet = load_workbook(BytesIO(answer.data)).worksheets[0]
    header, first = list(sheet.iter_rows(values_only=True))[:2]
    assert header[:4] == ("Id national", "Nom", "Prénom", "Né(e) le")
    assert header[-2:] == ("N° de ligne d’origine", "À corriger")
    assert first[1:4] == ("FAURE", "Mohamed", "31/02/2008")
    assert "n’existe pas" in str(first[-1])
    answer = client.get(f"/lists/{messy}/report.json")
    assert "attachment" in answer.headers["Content-Disposition"]
    told = json.loads(answer.data)
    assert told["counts"]["created"] == 55
    assert len(told["rows"]) == 64


def test_the_pages_ask_the_database_no_more_for_more_rows(site: Site, client: FlaskClient) -> None:
    asked: list[str] = []
    event.listen(site.runtime.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    def statements(path: str) -> int:
        asked.clear()
        assert client.get(path).status_code == 200
        return sum(statement.startswith("SELECT") for statement in asked)

    run_import(site, client, check(client, ground.csv_list({})))
    few = [statements("/lists"), statements("/lists/1"), statements("/lists/1?fate=created")]
    for day in ("10/11/2026", "12/11/2026"):
        run_import(site, client, check(client, MESSY.read_bytes(), list_date=day))
    assert [statements("/lists"), statements("/lists/2"), statements("/lists/2?fate=created")] == few
    assert max(few) <= 14


# ---- a full disk


@pytest.mark.slow
def test_a_database_at_its_page_limit_keeps_what_was_imported_and_resumes(
    tmp_path: Path, site: Site, client: FlaskClient
) -> None:
    list_id = check(client, CLEAN.read_bytes(), CLEAN.name)
    url = str(site.runtime.engine.url)
    with sqlite3.connect(make_url(url).database or "") as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    full = open_again(tmp_path, url, database_page_limit=str(pages + 500))
    text = text_of(run_import(full, full.client("supervisor"), list_id))
    full.runtime.engine.dispose()
    done = read(site, list_id).rows_done
    assert 0 < done < 3274
    assert "L’import s’est arrêté Il n’y a plus de place pour enregistrer." in text
    assert f"{done:,}".replace(",", " ") + " lignes sur 3 274 sont importées et gardées" in text
    assert "Reprendre" in text
    assert people(site) == done == len(rows(site, list_id))
    assert "3 274 créées" in text_of(run_import(site, client, list_id))
    assert people(site) == len(rows(site, list_id)) == 3274


@pytest.mark.slow
def test_a_file_size_limit_keeps_what_was_imported_and_resumes(
    tmp_path: Path, site: Site, client: FlaskClient
) -> None:
    list_id = check(client, CLEAN.read_bytes(), CLEAN.name)
    url = str(site.runtime.engine.url)
    site.runtime.engine.dispose()
    command = [sys.executable, "-m", "tests.web.small_disk", str(tmp_path), url, str(list_id)]
    ended = subprocess.run(
        [*command, str(LARGEST_FILE)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ground.ROOT,
        timeout=120,
    )
    done = read(site, list_id).rows_done
    assert 0 < done < 3274
    assert ended.stdout.startswith("303 ")
    assert "Il n’y a plus de place pour enregistrer." in ended.stdout
    assert "rien n’est perdu" in ended.stdout
    assert people(site) == done == len(rows(site, list_id))
    assert "3 274 créées" in text_of(run_import(site, client, list_id))
    assert people(site) == len(rows(site, list_id)) == 3274


def test_a_full_database_refuses_the_upload_in_words_and_keeps_the_form(
    tmp_path: Path, site: Site, client: FlaskClient
) -> None:
    url = str(site.runtime.engine.url)
    with sqlite3.connect(make_url(url).database or "") as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    full = open_again(tmp_path, url, database_page_limit=str(pages + 20))
    answer = upload(full.client("supervisor"), CLEAN.read_bytes(), CLEAN.name, accept="application/json")
    assert answer.status_code == 507
    assert "plein" in answer.get_json()["error"]["message"]
    full.runtime.engine.dispose()
    with reading(site.runtime.sessions) as session:
        assert queries.list_files(session) == ()
    assert check(client, CLEAN.read_bytes(), CLEAN.name, list_date=LIST_DATE) == 1


# ---- in English


def test_the_pages_speak_english_too(site: Site, client: FlaskClient) -> None:
    send(client, "/account/preferences", language="en", theme="auto", density="normal", single_keys="on")
    assert "No list yet" in text_of(client.get("/lists"))
    refused = text_of(upload(client, b"Nom;Commune\r\nMARTIN;ARLES\r\n"))
    assert "Required columns not found: first name, birth date." in refused
    list_id = check(client, MESSY.read_bytes(), MESSY.name)
    text = text_of(client.get(f"/lists/{list_id}"))
    for words in ("Import 55 people", "delimiter: semicolon", "Too young on the list’s date (14 years)"):
        assert words in text
    assert "55 created" in text_of(run_import(site, client, list_id))
