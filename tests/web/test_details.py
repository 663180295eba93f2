"""The page of contact details to find: the step to do, a number found, letters in one file."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from callcentre.audit.models import PersonView
from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.database import reading, writing
from callcentre.desk import corrections
from callcentre.people.kinds import NumberVerdict
from callcentre.people.models import PersonNumber, YoungPerson
from callcentre.planning.eligibility import reconsider
from callcentre.planning.models import RouteStep
from tests.builders import a_number, make_world
from tests.web.site import START, Site, send, text_of

PAGE = "/details"


@pytest.fixture
def lost(site: Site) -> Site:
    """Two people, both without a usable number; their address is known."""
    world = make_world(site.runtime.sessions, START, people=2, cast={})
    with writing(site.runtime.sessions) as session:
        session.execute(update(PersonNumber).values(verdict=NumberVerdict.DEAD))
        session.execute(update(YoungPerson).values(address="2 rue de l'Essai"))
        reconsider(session, site.runtime.programme, world.programme_id, world.people, now=START)
    return site


def steps(site: Site, state: str = "due") -> list[tuple[int, int, str]]:
    with reading(site.runtime.sessions) as session:
        rows = session.execute(
            select(RouteStep.id, RouteStep.person_id, RouteStep.route)
            .where(RouteStep.state == state)
            .order_by(RouteStep.id)
        ).all()
    return [(row.id, row.person_id, row.route) for row in rows]


def state_of(site: Site, person: int) -> tuple[str, str | None]:
    with reading(site.runtime.sessions) as session:
        row = session.execute(
            select(QueueEntry.state, QueueEntry.closed_reason).where(QueueEntry.person_id == person)
        ).one()
    return row.state, row.closed_reason


def test_the_step_to_do_is_shown_with_its_hint(lost: Site) -> None:
    text = text_of(lost.client("officer").get(PAGE))
    assert "2 démarches à faire" in text
    assert "Chercher le jeune par son INE" in text


def test_a_found_number_puts_the_person_back_into_the_queue(lost: Site) -> None:
    step, person, _ = steps(lost)[0]
    answer = send(
        lost.client("officer"), f"{PAGE}/steps/{step}", page=PAGE, result="nothing", new_number=a_number()
    )
    assert answer.status_code == 302
    assert state_of(lost, person) == (EntryState.OPEN, None)
    assert (step, person, "siei") in steps(lost, "done")


def test_a_number_that_may_not_be_called_is_refused_and_kept_in_the_form(lost: Site) -> None:
    step, person, _ = steps(lost)[0]
    answer = send(lost.client("officer"), f"{PAGE}/steps/{step}", page=PAGE, result="found", new_number="12")
    assert answer.status_code == 422
    assert 'value="12"' in answer.get_data(as_text=True)
    assert state_of(lost, person)[1] == "details_to_find"


def test_who_owns_a_number_that_was_mistyped_stays_chosen(lost: Site) -> None:
    step, _, _ = steps(lost)[0]
    typed = {"new_number": "06 39 98", "new_number_owner": "guardian"}
    page = send(lost.client("officer"), f"{PAGE}/steps/{step}", page=PAGE, **typed).get_data(as_text=True)
    chosen = page[page.index(f'id="owner-{step}"') :]
    assert re.findall(r'<option value="(\w+)"( selected)?>', chosen)[:3] == [
        ("young_person", ""),
        ("guardian", " selected"),
        ("other", ""),
    ]


def test_what_was_typed_for_a_step_that_a_colleague_did_is_shown_again(lost: Site) -> None:
    step, person, _ = steps(lost)[0]
    send(lost.client("colleague"), f"{PAGE}/steps/{step}", page=PAGE, result="nothing")
    note = "rappeler lundi au lycée"
    answer = send(lost.client("officer"), f"{PAGE}/steps/{step}", page=PAGE, result="nothing", note=note)
    assert answer.status_code == 409
    text = text_of(answer)
    assert "Cette démarche n’est plus à faire." in text
    assert note in text
    assert f'href="/people/{person}"' in answer.get_data(as_text=True)


def oppose(site: Site, person: int) -> None:
    with writing(site.runtime.sessions) as session:
        desk = site.runtime.desk(session)
        corrections.oppose(session, desk, person, source="office", by=site.ids["supervisor"], now=START)


def test_a_number_found_for_somebody_who_objected_brings_nobody_back_and_says_so(lost: Site) -> None:
    step, person, _ = steps(lost)[0]
    oppose(lost, person)
    browser = lost.client("officer")
    assert send(browser, f"{PAGE}/steps/{step}", page=PAGE, new_number=a_number()).status_code == 302
    text = text_of(browser.get(PAGE))
    assert "Numéro ajouté ; la personne reste hors de la file (opposition)." in text
    assert "de nouveau dans la file" not in text


def test_a_supervisor_is_told_that_somebody_without_a_number_left_the_queue_again(lost: Site) -> None:
    _, person, _ = steps(lost)[0]
    lost.clock.advance(timedelta(minutes=1))
    browser = lost.client("supervisor")
    page = f"/supervision/people/{person}"
    assert send(browser, f"{page}/reopen", page=page, reason="à revoir").status_code == 302
    text = text_of(browser.get(page))
    assert "Sans effet : aussitôt ressorti de la file (coordonnées à retrouver)." in text


def test_found_without_a_number_is_refused(lost: Site) -> None:
    step, _, _ = steps(lost)[0]
    answer = send(lost.client("officer"), f"{PAGE}/steps/{step}", page=PAGE, result="found")
    assert answer.status_code == 422
    assert "Indiquez le nouveau numéro." in text_of(answer)


def to_letters(site: Site) -> None:
    browser = site.client("supervisor")
    while any(route != "letter" for _, _, route in steps(site)):
        for step, _, _ in steps(site):
            send(browser, f"{PAGE}/steps/{step}", page=PAGE, result="nothing")


def test_what_is_missing_for_other_routes_is_shown(lost: Site) -> None:
    text = text_of(lost.client("officer").get(PAGE))
    assert "D’autres voies restent fermées : établissement inconnu" in text
    assert "aucun courriel connu" in text
    assert "aucune adresse complète" not in text


@pytest.mark.parametrize(("wait_days", "offered"), [(0, False), (10, True)])
def test_a_source_that_may_answer_later_can_be_noted_as_asked(
    lost: Site, wait_days: int, *, offered: bool
) -> None:
    with writing(lost.runtime.sessions) as session:
        session.execute(update(RouteStep).values(wait_days=wait_days))
    step, _, _ = steps(lost)[0]
    browser = lost.client("officer")
    assert ("Demandé, réponse attendue" in text_of(browser.get(PAGE))) is offered
    send(browser, f"{PAGE}/steps/{step}", page=PAGE, result="sent")
    assert (step in {one for one, _, _ in steps(lost, "sent")}) is offered


def test_letters_leave_in_one_file_and_are_given_time(lost: Site) -> None:
    to_letters(lost)
    browser = lost.client("supervisor")
    assert send(browser, f"{PAGE}/mailings", page=PAGE, route="letter").status_code == 302
    page = browser.get(PAGE).get_data(as_text=True)
    found = re.search(r"/details/mailings/(\d+)\.csv", page)
    assert found is not None
    body = browser.get(found[0]).get_data().decode("utf-8-sig")
    assert body.count("2 rue de l'Essai") == 2
    assert "13013" in body
    send(browser, f"{PAGE}/mailings/{found[1]}/sent", page=PAGE)
    assert len(steps(lost, "sent")) == 2


def test_a_mailing_is_offered_while_there_is_something_to_prepare(lost: Site) -> None:
    to_letters(lost)
    browser, letters = lost.client("supervisor"), f"{PAGE}?route=letter"
    offer = "Préparer l’envoi groupé"
    assert offer in text_of(browser.get(letters))
    assert offer not in text_of(lost.client("officer").get(letters))
    send(browser, f"{PAGE}/mailings", page=PAGE, route="letter")
    assert offer not in text_of(browser.get(letters))
    assert send(browser, f"{PAGE}/mailings", page=PAGE, route="letter").location == letters
    assert "Rien n’est à envoyer par cette voie." in text_of(browser.get(letters))


def test_officers_neither_prepare_nor_download_letters(lost: Site) -> None:
    browser = lost.client("officer")
    assert send(browser, f"{PAGE}/mailings", page=PAGE, route="letter").status_code == 403
    assert browser.get(f"{PAGE}/mailings/1.csv").status_code == 403


def test_what_was_done_is_in_the_persons_history(lost: Site) -> None:
    step, person, _ = steps(lost)[0]
    browser = lost.client("officer")
    send(browser, f"{PAGE}/steps/{step}", page=PAGE, result="nothing", note="inconnu chez eux")
    text = text_of(browser.get(f"/people/{person}"))
    assert "Autre voie : Le SIEI" in text
    assert "inconnu chez eux" in text


def looks_of(site: Site) -> list[tuple[str, int]]:
    with reading(site.runtime.sessions) as session:
        return [(look.place, look.people) for look in session.scalars(select(PersonView))]


def test_who_saw_the_list_or_a_merge_file_is_written_down(lost: Site) -> None:
    to_letters(lost)
    browser = lost.client("supervisor")
    send(browser, f"{PAGE}/mailings", page=PAGE, route="letter")
    before = looks_of(lost)
    browser.get(PAGE)
    assert looks_of(lost) == [*before, ("list", 2)]
    browser.get(f"{PAGE}/mailings/1.csv")
    assert looks_of(lost) == [*before, ("list", 2), ("list", 2)]
