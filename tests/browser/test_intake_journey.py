"""One list all the way, as an administrator lives it: imported, corrected, merged, downloaded, sent again."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from callcentre.database import reading
from callcentre.intake import queries
from callcentre.intake.queries import ExportedPerson
from tests.browser.test_lists import says
from tests.web.list_ground import LIST_DATE, MESSY
from tests.web.site import Site

pytestmark = pytest.mark.browser

SignIn = Callable[..., Page]
Check = Callable[[Page], None]
TYPED = {
    "family_name": "FAURÉE",
    "first_name": "Mohamed",
    "birth_date": "28/02/2008",
    "phone": "06 39 98 77 77",
    "postal_code": "13013",
    "guardian_family_name": "FAURE",
    "signalled_on": "20/11/2026",
}


def everybody(site: Site) -> list[ExportedPerson]:
    with reading(site.runtime.sessions) as session:
        return list(queries.exported_people(session, 1))


def picture(page: Page, name: str) -> None:
    """Keep what is seen, when somebody wants to look at it."""
    if folder := os.environ.get("JOURNEY_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_a_messy_list_all_the_way(site: Site, sign_in: SignIn, check: Check, tmp_path: Path) -> None:
    page = sign_in("admin")
    import_the_sample(page, check)
    assert len(everybody(site)) == 55

    correct_the_quarantined(page, check)
    correct_a_row_with_a_remark(page, check)
    corrected = everybody(site)
    assert len(corrected) == 57

    type_somebody_by_hand(page, check)
    assert len(everybody(site)) == 58
    merge_the_duplicate(page, check)
    merged = everybody(site)
    assert len(merged) == 57

    send_the_rest_again(page, check, tmp_path)
    after = everybody(site)
    assert len(after) == 57, "nobody twice"
    assert {p.id for p in after} == {p.id for p in merged}, "nobody lost"
    lost = [
        n.e164 for p in merged for n in p.numbers if n.e164 not in {m.e164 for a in after for m in a.numbers}
    ]
    assert lost == []
    (faure,) = [p for p in after if p.family_name == "FAURE" and p.first_name == "Mohamed"]
    assert "+33639987777" in {number.e164 for number in faure.numbers}, "the number of the walk-in"


def import_the_sample(page: Page, check: Check) -> None:
    page.goto("/lists/new")
    page.set_input_files("#file", MESSY)
    page.fill("#list_date", LIST_DATE)
    page.get_by_role("button", name="Vérifier", exact=True).click()
    expect(page.get_by_role("button", name=says("Importer 55 personnes"))).to_be_visible()
    check(page)
    picture(page, "1-check")
    page.get_by_role("button", name=says("Importer 55 personnes")).click()
    expect(page.get_by_text(says("Import terminé : 64 lignes."))).to_be_visible()
    check(page)
    picture(page, "2-report")


def correct_the_quarantined(page: Page, check: Check) -> None:
    page.get_by_role("link", name=says("2 lignes sont à corriger")).click()
    expect(page.locator(".held")).to_have_count(2)
    check(page)
    picture(page, "3-quarantine")
    faure = page.locator(".held").filter(has_text="FAURE Mohamed")
    faure.get_by_role("textbox").first.fill("28/02/2008")
    faure.get_by_role("button", name="Corriger et libérer").click()
    expect(page.locator(".held")).to_have_count(1)
    other = page.locator(".held")
    birth = other.get_by_role("textbox", name="date de naissance")
    birth.fill("03/05/2008")
    other.get_by_role("button", name="Corriger et libérer").click()
    expect(page.get_by_text(says("Plus aucune ligne en quarantaine"))).to_be_visible()


def correct_a_row_with_a_remark(page: Page, check: Check) -> None:
    page.locator("#rows").get_by_role("link", name="Toutes").click()
    page.get_by_role("link", name=re.compile("numéro trop court")).click()
    check(page)
    page.get_by_role("link", name=re.compile("^Corriger la ligne")).first.click()
    row = page.locator(".held")
    expect(row).to_be_visible()
    check(page)
    picture(page, "4-correct-in-place")
    number = row.get_by_role("textbox", name="téléphone").first
    number.fill("06 39 98 42 42")
    row.get_by_role("button", name="Corriger cette ligne").click()
    expect(page.get_by_role("status").filter(has_text=re.compile("corrigée"))).to_be_visible()


def type_somebody_by_hand(page: Page, check: Check) -> None:
    page.goto("/lists")
    page.get_by_role("link", name="Saisir une personne").click()
    check(page)
    for name, text in TYPED.items():
        page.fill(f"#{name}", text)
    page.fill("#phone", "06 39")
    page.get_by_role("button", name="Ajouter à la file").click()
    expect(page.locator("#errors")).to_be_focused()
    expect(page.locator("#family_name")).to_have_value("FAURÉE")
    check(page)
    picture(page, "5-by-hand")
    page.fill("#phone", TYPED["phone"])
    page.get_by_role("button", name="Ajouter à la file").click()
    expect(page.get_by_role("status").filter(has_text=re.compile("Personne ajoutée"))).to_be_visible()


def merge_the_duplicate(page: Page, check: Check) -> None:
    page.goto("/lists")
    page.get_by_role("link", name=re.compile("Doublons possibles")).click()
    check(page)
    picture(page, "6-duplicates")
    page.get_by_role("row").filter(has_text="FAURÉE").get_by_role("link", name="Comparer").click()
    check(page)
    picture(page, "7-pair")
    page.get_by_role("radio", name=re.compile("FAURE Mohamed")).check()
    page.get_by_role("button", name="Réunir les deux fiches").click()
    expect(page.get_by_role("heading", name="Fiches réunies")).to_be_visible()
    check(page)
    picture(page, "8-merged")


def send_the_rest_again(page: Page, check: Check, folder: Path) -> None:
    page.goto("/lists/1")
    with page.expect_download() as download:
        page.get_by_role("button", name="Tout ce qui est à corriger (XLSX)").click()
    file = folder / "a-corriger.xlsx"
    download.value.save_as(file)
    book = load_workbook(file)
    sheet = book.active
    assert sheet is not None
    headers = [str(cell.value) for cell in sheet[1]]
    assert headers[-2:] == ["N° de ligne d’origine", "À corriger"]
    assert sheet.max_row == 3, "two rows are left with something to correct"
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    phones = [i for i, header in enumerate(headers, 1) if "port" in header.lower()]
    sheet.cell(2, phones[0]).value = "06 39 98 43 43"
    book.save(file)
    page.goto("/lists/new")
    page.set_input_files("#file", file)
    page.fill("#list_date", LIST_DATE)
    page.get_by_role("button", name="Vérifier", exact=True).click()
    expect(page.get_by_role("heading", name="Ce que ferait l’import")).to_be_visible()
    expect(page.get_by_text("Chez les personnes connues changeront : numéros (1).")).to_be_visible()
    expect(page.get_by_text("N° de ligne d’origine, À corriger")).to_be_visible()
    check(page)
    picture(page, "9-check-again")
    page.get_by_role("button", name=re.compile("^Importer")).click()
    expect(page.get_by_text(re.compile("Import terminé"))).to_be_visible()
    check(page)
    picture(page, "10-report-again")
