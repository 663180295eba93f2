"""A person's page: history, why not now, and what can be put right there, by whom."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from callcentre.accounts.sign_in import create_token
from callcentre.callqueue.lease import Lease
from callcentre.callqueue.models import EntryState, QueueEntry
from callcentre.database import reading, writing
from callcentre.desk import corrections, serving, wrap_up
from callcentre.desk.outcomes import Outcome
from callcentre.funnel import changes
from callcentre.funnel import queries as funnel
from callcentre.funnel.stages import Stage
from callcentre.people import opt_outs
from callcentre.people.models import OptOut, PersonNumber
from callcentre.support import appointments
from tests.builders import World, a_person, make_world
from tests.web.programs import Program
from tests.web.site import START, Site, send, text_of


@pytest.fixture
def world(site: Site) -> World:
    """A programme without people."""
    return make_world(site.runtime.sessions, START, people=0)


@pytest.fixture
def person(site: Site, world: World) -> int:
    """A young person with one number."""
    with writing(site.runtime.sessions) as session:
        return a_person(
            session, world, now=START, first_name="Inès", family_name="Essai", numbers=["+33639980777"]
        )


@pytest.fixture
def officer(site: Site) -> FlaskClient:
    """An officer's browser."""
    return site.client("officer")


def call(site: Site, person: int, disposition: str, **fields: str) -> None:
    """An officer calls somebody and says what came of it."""
    now = site.clock.now()
    with writing(site.runtime.sessions) as session:
        desk = site.runtime.desk(session)
        me = site.ids["officer"]
        lease = serving.open_card(session, desk, person, officer_id=me, now=now)
        number = session.scalars(
            select(PersonNumber.number_id).where(PersonNumber.person_id == person)
        ).first()
        assert number is not None
        serving.start_attempt(session, desk, lease.token, officer_id=me, number_id=number, now=now)
        wrap_up.wrap_up(
            session,
            desk,
            lease.token,
            Outcome(disposition, **fields),  # type: ignore[arg-type]
            officer_id=me,
            key=f"{person}-{now}",
            now=now,
        )


def post(client: FlaskClient, person: int, path: str, **fields: str) -> TestResponse:
    """Send a form of the page."""
    return send(client, f"/people/{person}/{path}", page=f"/people/{person}", **fields)


def state_of(site: Site, person: int) -> tuple[str, str | None]:
    """Whether the person is in the queue, and why not."""
    with reading(site.runtime.sessions) as session:
        entry = session.scalars(select(QueueEntry).where(QueueEntry.person_id == person)).one()
        return entry.state, entry.closed_reason


def stages_of(site: Site, world: World, person: int) -> set[Stage]:
    """The stages that the person is in."""
    with reading(site.runtime.sessions) as session:
        return {entered.stage for entered in funnel.stages_of(session, world.programme_id, person)}


def test_history_tells_calls_stages_and_why_not_now(site: Site, person: int, officer: FlaskClient) -> None:
    call(site, person, "no_answer", note="Sonne dans le vide")
    said = text_of(officer.get(f"/people/{person}"))
    assert "Pourquoi pas maintenant, et quand ?" in said
    assert "Prochain appel :" in said
    assert "Pas de réponse au 06 39 98 07 77 · Camille Roux Sonne dans le vide" in said


def test_the_page_and_the_api_tell_why_the_next_call_has_its_hour_and_compare_the_others(
    site: Site, person: int, officer: FlaskClient
) -> None:
    call(site, person, "no_answer")
    said = text_of(officer.get(f"/people/{person}"))
    with writing(site.runtime.sessions) as session:
        token = create_token(session, site.ids["officer"], "test", now=site.clock.now())
    told = Program(site.app.test_client(), token).get(f"/people/{person}").get_json()["why_not_now"]
    assert told["why_then"]["code"].startswith("learnt_")
    assert told["why_then"]["sentence"] in said.replace("’", "'")
    assert "Comparer les heures" in said
    compared = said.split("Remarque", 1)[1]
    assert compared.index("retenu") < compared.index("matin")
    assert all(slot in compared for slot in ("matin", "midi", "après-midi", "soir"))
    assert "samedi" not in compared, "the programme does not call on Saturdays"


def test_the_history_tells_of_each_call_why_it_was_made_then_as_the_api_does(
    site: Site, person: int, officer: FlaskClient
) -> None:
    with writing(site.runtime.sessions) as session:
        taken = serving.serve_next(
            session, site.runtime.desk(session), officer_id=site.ids["officer"], now=site.clock.now()
        )
    assert isinstance(taken, Lease)
    call(site, person, "no_answer")
    with writing(site.runtime.sessions) as session:
        token = create_token(session, site.ids["officer"], "test", now=site.clock.now())
    told = Program(site.app.test_client(), token).get(f"/people/{person}").get_json()["attempts"][0]["why"]
    assert told["code"].startswith("learnt_")
    history = text_of(officer.get(f"/people/{person}")).split("Histoire", 1)[1]
    assert told["sentence"] in history.replace("’", "'")


def test_a_card_that_is_open_is_nobodys_next_call(site: Site, person: int, officer: FlaskClient) -> None:
    with writing(site.runtime.sessions) as session:
        desk, now = site.runtime.desk(session), site.clock.now()
        serving.open_card(session, desk, person, officer_id=site.ids["officer"], now=now)
    for login in ("officer", "supervisor"):
        said = text_of(site.client(login).get(f"/people/{person}"))
        assert "Sa fiche est ouverte" in said.replace("'", "’")
        assert "Réservée jusqu’à" in said
        assert "Prochain appel" not in said


def test_person_of_nowhere_is_not_found(officer: FlaskClient, world: World) -> None:
    assert officer.get("/people/4321").status_code == 404


def test_number_found_reopens_whoever_had_none_left(site: Site, person: int, officer: FlaskClient) -> None:
    call(site, person, "dead_number")
    assert state_of(site, person) == (EntryState.CLOSED, "details_to_find")
    answer = post(officer, person, "numbers", new_number="06 39 98 07 78", new_number_owner="guardian")
    assert answer.status_code == 302
    assert state_of(site, person) == (EntryState.OPEN, None)
    assert "06 39 98 07 78" in text_of(officer.get(f"/people/{person}"))


def test_number_set_aside_is_called_again_when_somebody_says_so(
    site: Site, person: int, officer: FlaskClient
) -> None:
    call(site, person, "wrong_number")
    page = officer.get(f"/people/{person}").text
    (number,) = re.findall(rf"/people/{person}/numbers/(\d+)/again", page)
    answer = post(officer, person, f"numbers/{number}/again")
    assert answer.status_code == 302
    assert state_of(site, person) == (EntryState.OPEN, None)
    after = officer.get(f"/people/{person}")
    assert "Le numéro est à vérifier de nouveau." in text_of(after)
    assert f"/people/{person}/numbers/{number}/again" not in after.text


def test_number_that_cannot_be_called_is_refused_and_kept_in_its_field(
    person: int, officer: FlaskClient
) -> None:
    answer = post(officer, person, "numbers", new_number="3639", new_number_owner="guardian")
    assert answer.status_code == 422
    assert '<option value="guardian" selected>' in answer.get_data(as_text=True)
    assert "Ce numéro ne peut pas être appelé" in text_of(answer)
    assert 'value="3639"' in answer.get_data(as_text=True)


def test_appointment_kept_makes_the_person_accompanied(
    site: Site, world: World, person: int, officer: FlaskClient
) -> None:
    with writing(site.runtime.sessions) as session:
        appointment = appointments.make(
            session,
            programme_id=world.programme_id,
            person_id=person,
            partner="Mission locale",
            starts_at=START + timedelta(hours=2),
            by=site.ids["officer"],
            now=START,
        )
    early = post(officer, person, f"appointments/{appointment}", state="kept")
    assert early.status_code == 409
    assert "pas encore eu lieu" in text_of(early)
    site.clock.advance(timedelta(hours=3))
    assert post(officer, person, f"appointments/{appointment}", state="kept").status_code == 302
    assert Stage.ACCOMPANIED in stages_of(site, world, person)
    post(officer, person, f"appointments/{appointment}", state="planned")
    assert Stage.ACCOMPANIED not in stages_of(site, world, person)
    assert "Étape retirée : Accompagnés" in text_of(officer.get(f"/people/{person}"))


def test_appointment_of_somebody_else_is_not_touched(
    site: Site, world: World, person: int, officer: FlaskClient
) -> None:
    with writing(site.runtime.sessions) as session:
        other = a_person(session, world, now=START)
        appointment = appointments.make(
            session,
            programme_id=world.programme_id,
            person_id=other,
            partner="CIO",
            starts_at=START + timedelta(hours=2),
            by=site.ids["officer"],
            now=START,
        )
    assert post(officer, person, f"appointments/{appointment}", state="cancelled").status_code == 404


def test_support_and_solution_move_the_person_along(
    site: Site, world: World, person: int, officer: FlaskClient
) -> None:
    refused = post(officer, person, "support", support_partner="E2C Marseille", support_date="24/11/2027")
    assert refused.status_code == 422
    assert "E2C Marseille" in refused.get_data(as_text=True)
    post(officer, person, "support", support_partner="E2C Marseille", support_date="23/11/2026")
    assert Stage.ACCOMPANIED in stages_of(site, world, person)
    missing = post(officer, person, "solutions", solution_kind="job", solution_date="demain")
    assert missing.status_code == 422
    post(officer, person, "solutions", solution_kind="job", solution_date="23/11/2026", evidence="declared")
    assert Stage.POSITIVE_EXIT in stages_of(site, world, person)
    said = text_of(officer.get(f"/people/{person}"))
    assert "Solution : Emploi depuis le 23/11/2026" in said


def test_entry_into_support_is_shown_with_its_partner_and_can_be_taken_back(
    site: Site, world: World, person: int, officer: FlaskClient
) -> None:
    with writing(site.runtime.sessions) as session:
        changes.advance_many(
            session, programme_id=world.programme_id, person_ids=[person], at=START, now=START
        )
    early = post(officer, person, "support", support_partner="Mission locale", support_date="05/03/1990")
    assert early.status_code == 422
    assert "à contacter depuis le 23/11/2026" in text_of(early)
    post(officer, person, "support", support_partner="Mission locale", support_date="23/11/2026")
    said = officer.get(f"/people/{person}")
    assert "Mission locale , accompagne depuis le 23/11/2026" in text_of(said)
    again = post(officer, person, "support", support_partner="E2C Marseille", support_date="23/11/2026")
    assert again.status_code == 409
    assert "Déjà accompagné depuis le 23/11/2026" in text_of(again)
    assert "E2C Marseille" in again.get_data(as_text=True)
    found = re.search(r"support/(\d+)", said.get_data(as_text=True))
    assert found is not None
    assert post(officer, person, f"support/{found[1]}").status_code == 302
    assert stages_of(site, world, person) == {Stage.TO_CONTACT}
    assert "Mission locale" not in text_of(officer.get(f"/people/{person}"))
    assert post(officer, person, f"support/{found[1]}").status_code == 404


def test_opposition_needs_a_tick_and_takes_effect_at_once(
    site: Site, person: int, officer: FlaskClient
) -> None:
    assert post(officer, person, "opposition").status_code == 422
    assert state_of(site, person)[0] == EntryState.OPEN
    post(officer, person, "opposition", sure="yes")
    assert state_of(site, person) == (EntryState.CLOSED, "opposition")
    assert "ne sera plus jamais appelée" in text_of(officer.get(f"/people/{person}"))


def test_supervisor_lifts_a_guardians_stop_for_a_reason(
    site: Site, person: int, officer: FlaskClient
) -> None:
    call(site, person, "guardian_refusal")
    assert state_of(site, person)[0] == EntryState.CLOSED
    with reading(site.runtime.sessions) as session:
        stop = session.scalars(select(OptOut.id)).one()
    assert post(officer, person, f"opt-outs/{stop}/revoke", reason="Erreur").status_code == 403
    supervisor = site.client("supervisor")
    assert post(supervisor, person, f"opt-outs/{stop}/revoke").status_code == 422
    assert post(supervisor, person, f"opt-outs/{stop}/revoke", reason="Erreur de touche").status_code == 302
    assert state_of(site, person) == (EntryState.OPEN, None)
    assert "Erreur de touche" in text_of(supervisor.get(f"/people/{person}"))


def test_stop_that_the_person_sent_is_not_lifted_by_others(site: Site, world: World, person: int) -> None:
    with writing(site.runtime.sessions) as session:
        number = session.scalars(select(PersonNumber.number_id).where(PersonNumber.person_id == person)).one()
        stop = opt_outs.opt_out(session, number_id=number, source="message", now=START)
    supervisor = site.client("supervisor")
    assert post(supervisor, person, f"opt-outs/{stop}/revoke", reason="x").status_code == 409


def test_administrator_reads_and_changes_nothing(site: Site, person: int) -> None:
    admin = site.client("admin")
    assert admin.get(f"/people/{person}").status_code == 200
    assert post(admin, person, "numbers", new_number="06 39 98 07 79").status_code == 403


def test_opposition_said_twice_is_one(site: Site, person: int) -> None:
    with writing(site.runtime.sessions) as session:
        desk = site.runtime.desk(session)
        for _ in range(2):
            corrections.oppose(session, desk, person, source="office", by=site.ids["officer"], now=START)
    assert state_of(site, person) == (EntryState.CLOSED, "opposition")
