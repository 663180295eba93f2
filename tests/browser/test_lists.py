"""A list from its file to the queue in a real browser: checked, imported, corrected; nothing chosen is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from callcentre.accounts import users
from callcentre.accounts.kinds import Language
from callcentre.database import reading, writing
from callcentre.intake import importing, queries
from callcentre.intake.kinds import Fate
from callcentre.intake.preparing import PreparedList
from tests.intake import ground
from tests.web.list_ground import CLEAN, LIST_DATE, MESSY, people
from tests.web.site import START, Site

pytestmark = pytest.mark.browser

SignIn = Callable[..., Page]
Check = Callable[[Page], None]
WORDS = {
    "fr": {
        "empty": "Aucune liste pour l’instant",
        "missing": "Colonnes obligatoires introuvables : prénom, date de naissance.",
        "date": "Cette date ne se lit pas",
        "check": "Vérifier",
        "read": "14 colonnes lues",
        "back": "Retour à la vérification",
        "import": "Importer 55 personnes",
        "done": "Import terminé : 64 lignes.",
        "held": "2 lignes sont à corriger",
        "release": "Corriger et libérer",
        "still": "reste en quarantaine",
        "released": "Ligne 44 libérée : créée.",
    },
    "en": {
        "empty": "No list yet",
        "missing": "Required columns not found: first name, birth date.",
        "date": "This date cannot be read",
        "check": "Check",
        "read": "14 columns read",
        "back": "Back to the check",
        "import": "Import 55 people",
        "done": "Import finished: 64 rows.",
        "held": "2 rows to correct",
        "release": "Correct and release",
        "still": "stays in quarantine",
        "released": "Row 44 released: created.",
    },
}


def says(text: str) -> re.Pattern[str]:
    """The text whatever the kind of its spaces."""
    return re.compile(r"\s+".join(re.escape(word) for word in text.split()))


@pytest.mark.parametrize(("language", "scheme"), [("fr", "light"), ("en", "dark")])
def test_a_messy_list_is_checked_imported_and_corrected(
    site: Site, sign_in: SignIn, check: Check, language: str, scheme: str
) -> None:
    with writing(site.runtime.sessions) as session:
        users.set_preferences(session, site.ids["supervisor"], language=Language(language))
    w = WORDS[language]
    page = sign_in("supervisor")
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto("/lists")
    expect(page.get_by_role("heading", name=w["empty"])).to_be_visible()
    check(page)
    page.locator("main a.button.primary").click()
    expect(page.locator("#list-form")).to_be_visible()
    check(page)
    refuse_a_file_without_its_columns(page, w)
    check(page)

    page.set_input_files("#file", MESSY)
    page.fill("#list_date", LIST_DATE)
    page.get_by_role("button", name=w["check"], exact=True).click()
    expect(page.get_by_role("button", name=says(w["import"]))).to_be_visible()
    assert people(site) == 0
    look_at_the_columns(page, w, check)
    page.locator("#preview summary").click()
    expect(page.locator("#preview tbody tr")).to_have_count(20)
    check(page)
    page.locator("#rows .tabs a").filter(has_text="3").click()
    expect(page.locator(".list-rows tbody tr")).to_have_count(3)

    page.get_by_role("button", name=says(w["import"])).click()
    expect(page.get_by_text(says(w["done"]))).to_be_visible()
    check(page)
    page.get_by_role("link", name=says(w["held"])).click()
    correct_row_44(page, w, check)
    assert people(site) == 56


def look_at_the_columns(page: Page, w: dict[str, str], check: Check) -> None:
    """The check says how many columns are read; which one as what is one click away, and one click back."""
    expect(page.locator("#columns")).to_contain_text(says(w["read"]))
    page.locator("#columns a.button").click()
    expect(page.locator("table.mapping tbody tr")).to_have_count(14)
    expect(page.locator("select.column-choice").first).to_have_value("ine")
    check(page)
    page.get_by_role("link", name=w["back"]).click()


def refuse_a_file_without_its_columns(page: Page, w: dict[str, str]) -> None:
    """Each refusal leaves the chosen file chosen and the typed date typed."""
    wrong = {"name": "liste.csv", "mimeType": "text/csv", "buffer": b"Nom;Commune\r\nMARTIN;ARLES\r\n"}
    page.set_input_files("#file", wrong)  # type: ignore[arg-type]
    page.fill("#list_date", "31/02/2026")
    page.get_by_role("button", name=w["check"], exact=True).click()
    expect(page.locator("#list_date-error")).to_contain_text(says(w["date"]))
    expect(page.locator("#errors")).to_be_focused()
    expect(page.locator("#list_date")).to_have_value("31/02/2026")
    page.fill("#list_date", LIST_DATE)
    page.get_by_role("button", name=w["check"], exact=True).click()
    expect(page.locator("#file-error")).to_contain_text(says(w["missing"]))
    expect(page.locator("#list_date-error")).to_have_count(0)
    assert page.locator("#file").evaluate("input => input.files[0].name") == "liste.csv"


def correct_row_44(page: Page, w: dict[str, str], check: Check) -> None:
    """Correct the birth date with the keyboard alone, wrongly first."""
    row = page.locator(".held").filter(has_text="FAURE Mohamed")
    expect(row).to_be_visible()
    check(page)
    row.get_by_role("textbox").first.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("32/02/2008")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text=says(w["still"]))).to_be_visible()
    field = row.get_by_role("textbox").first
    expect(field).to_have_value("32/02/2008")
    check(page)
    field.fill("28/02/2008")
    row.get_by_role("button", name=w["release"]).click()
    expect(page.get_by_role("status").filter(has_text=says(w["released"]))).to_be_visible()
    expect(page.locator(".held")).to_have_count(1)
    check(page)


def test_the_clean_list_is_imported_with_progress_that_can_be_left(
    site: Site, sign_in: SignIn, check: Check
) -> None:
    page = sign_in("admin")
    page.goto("/lists/new")
    page.set_input_files("#file", CLEAN)
    page.fill("#list_date", LIST_DATE)
    page.get_by_role("button", name="Vérifier").click()
    button = page.get_by_role("button", name=says("Importer 3 274 personnes"))
    expect(button).to_be_visible(timeout=60_000)
    check(page)

    # The import is stepped here, so that each state of the page is certain to be seen.
    prepared = ground.prepared(CLEAN.read_bytes(), CLEAN.name)
    with writing(site.runtime.sessions) as session:
        importing.start(session, 1)
    step = import_step(site, prepared)
    page.reload()
    expect(page.locator("#list-bar")).to_have_attribute("max", "3274")
    done = step()
    expect(page.locator("#list-progress-text")).to_have_text(says(f"{done} sur 3 274"))
    check(page)
    while done < 700:
        done = step()
    expect(page.locator("#list-progress-said")).to_contain_text(re.compile(r"Import : [12]0\s%"))
    expect(page.locator("#list-bar")).to_have_js_property("value", done)

    page.goto("/account")
    page.goto("/lists")
    expect(page.get_by_text(says("import en cours"))).to_be_visible()
    page.get_by_role("link", name="liste_siei.csv").click()
    page.locator(".disclosure summary").click()
    page.get_by_role("button", name="Relancer l’import").click()
    expect(page.get_by_text(says("Import terminé : 3 274 lignes."))).to_be_visible(timeout=60_000)
    check(page)
    assert people(site) == 3274
    with reading(site.runtime.sessions) as session:
        assert queries.count_rows(session, 1)[Fate.CREATED] == 3274


def import_step(site: Site, prepared: PreparedList) -> Callable[[], int]:
    """Import the next chunk of the first list; says how many rows are done."""

    def step() -> int:
        with writing(site.runtime.sessions) as session:
            progress = importing.apply_chunk(
                session, 1, prepared, programme=site.runtime.programme, now=START
            )
        return progress.rows_done

    return step


def test_a_cut_connection_and_a_file_too_large_leave_the_form_as_it_is(
    sign_in: SignIn, context: BrowserContext, check: Check
) -> None:
    page = sign_in("supervisor")
    page.goto("/lists/new")
    page.set_input_files("#file", MESSY)
    context.set_offline(True)
    page.get_by_role("button", name="Vérifier").click()
    expect(page.get_by_role("status").filter(has_text="Envoi coupé")).to_be_visible()
    context.set_offline(False)
    assert page.locator("#file").evaluate("input => input.files.length") == 1
    page.locator("#list-form").evaluate("form => { form.dataset.largest = '0.001'; }")
    page.get_by_role("button", name="Vérifier").click()
    expect(page.locator("#file-error")).to_contain_text("la limite est de 0.001 Mo")
    expect(page.locator("#file")).to_be_focused()
    check(page)


def test_a_list_is_imported_without_scripts(
    site: Site, chromium: Browser, address: str, sign_in: SignIn
) -> None:
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = sign_in("supervisor", tab=context.new_page())
    page.goto("/lists/new")
    page.set_input_files("#file", MESSY)
    page.fill("#list_date", LIST_DATE)
    page.get_by_role("button", name="Vérifier").click()
    page.get_by_role("button", name=says("Importer 55 personnes")).click()
    site.app.extensions["imports"].wait(1)
    page.goto("/lists/1")
    expect(page.get_by_text(says("55 créées"))).to_be_visible()
    context.close()


def test_officers_do_not_see_the_lists(sign_in: SignIn) -> None:
    page = sign_in("officer")
    expect(page.get_by_role("link", name="Listes")).to_have_count(0)
    page.goto("/lists")
    expect(page.get_by_role("heading", name="Accès réservé")).to_be_visible()
