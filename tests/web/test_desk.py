"""The officer's desk without scripts: every action as a plain form, what it says, and what it keeps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, update
from werkzeug.test import TestResponse

from callcentre.accounts.kinds import Language
from callcentre.accounts.users import set_preferences
from callcentre.callqueue import lease as leases
from callcentre.database import reading, writing
from callcentre.desk import drafts, inbound, settling
from callcentre.desk.inbound import Incoming
from callcentre.desk.models import OutcomeConflict
from callcentre.outreach.message_models import Message
from callcentre.outreach.models import Attempt, Callback
from callcentre.people.kinds import NumberVerdict
from callcentre.people.models import PersonNumber, PhoneNumber
from tests.builders import World, a_person, make_world
from tests.web.site import START, Site, hidden_in, send, sign_in, text_of, token_in

JSON = {"Accept": "application/json"}


@dataclass
class Desk:
    """An officer in front of the desk, on a site with a few people due."""

    site: Site
    world: World
    client: FlaskClient
    login: str = "officer"

    def page(self) -> TestResponse:
        """What the desk shows now."""
        return self.client.get("/desk")

    def said(self) -> str:
        """The text that the desk shows now."""
        return text_of(self.page())

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form of the desk."""
        return send(self.client, path, page="/desk", **fields)

    def next(self) -> str:
        """Press *next* and return the token of the card."""
        self.post("/desk/next")
        return self.token()

    def token(self) -> str:
        """The token of the card that is open."""
        found = re.search(r"/desk/leases/([\w-]+)/outcome", self.page().get_data(as_text=True))
        assert found is not None, self.said()
        return found[1]

    def call(self, token: str) -> TestResponse:
        """Click the number that the card proposes."""
        found = re.search(r'name="number_id" value="(\d+)"', self.page().get_data(as_text=True))
        assert found is not None
        return self.post(f"/desk/leases/{token}/attempt", number_id=found[1])

    def result(self, token: str, disposition: str, **fields: str) -> TestResponse:
        """Send a result as the form does."""
        fields = {"idempotency_key": f"card-{token}", "then": "next", "zone": "Europe/Paris", **fields}
        return self.post(f"/desk/leases/{token}/outcome", disposition=disposition, **fields)

    def count(self, table: type) -> int:
        """How many rows a table holds."""
        with reading(self.site.runtime.sessions) as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def world(site: Site) -> World:
    """A programme with four people who may be called now."""
    return make_world(site.runtime.sessions, START, people=4)


@pytest.fixture
def desk(site: Site, world: World) -> Desk:
    """An officer in front of the desk."""
    return Desk(site, world, site.client("officer"))


def slot_in(page: TestResponse) -> str:
    """The first time that a card proposes for a callback."""
    found = re.search(r'name="callback_choice" value="(2[^"]+)"', page.get_data(as_text=True))
    assert found is not None
    return found[1]


def test_pressing_next_shows_who_why_and_the_number(desk: Desk) -> None:
    assert "Prêt pour l’appel suivant" in desk.said()
    desk.next()
    said = desk.said()
    assert "Essai" in said
    assert "MINEUR" in said
    assert "Premier appel" in said
    assert "06 39 98" in said
    assert "0 appel sur 8" in said
    assert "Bonjour, je suis Camille Roux" in said
    assert 'href="tel:+336' in desk.page().get_data(as_text=True)


def test_pressing_next_twice_keeps_the_same_card(desk: Desk) -> None:
    assert desk.next() == desk.next()


def test_calling_records_one_attempt_however_often_it_is_clicked(desk: Desk) -> None:
    token = desk.next()
    assert desk.call(token).status_code == 302
    desk.call(token)
    assert desk.count(Attempt) == 1
    assert "Appel depuis" in desk.said()


def test_result_serves_the_next_person_and_can_be_undone(desk: Desk) -> None:
    token = desk.next()
    first = re.search(r"<h1[^>]*>([^<]+)", desk.page().get_data(as_text=True))
    desk.call(token)
    answer = desk.result(token, "no_answer", note="Sonne dans le vide")
    assert answer.status_code == 302
    said = desk.said()
    assert "Résultat enregistré : Pas de réponse" in said
    assert first is not None
    assert first[1] not in said.split("Résultat enregistré")[1].split("Toute la fiche")[0]
    undo = re.search(r"/desk/outcomes/\d+/undo", desk.page().get_data(as_text=True))
    assert undo is not None
    desk.post(undo[0])
    said = desk.said()
    assert first[1] in said
    assert "Résultat annulé" in said
    assert desk.count(Attempt) == 1


def test_undo_during_a_call_gives_the_card_back_after_it(desk: Desk) -> None:
    token = desk.next()
    desk.call(token)
    desk.result(token, "no_answer")
    undo = re.search(r"/desk/outcomes/\d+/undo", desk.page().get_data(as_text=True))
    second = desk.token()
    desk.call(second)
    assert undo is not None
    desk.post(undo[0])
    assert "reviendra après l’appel en cours" in desk.said()
    desk.result(second, "busy")
    assert desk.count(Attempt) == 2
    assert "Appel depuis" in desk.said()  # the call whose result was undone is open again


def test_second_submit_does_nothing(desk: Desk) -> None:
    token = desk.next()
    desk.call(token)
    desk.result(token, "no_answer", note="une fois")
    desk.result(token, "no_answer", note="une fois")
    assert desk.count(Attempt) == 1
    assert desk.count(OutcomeConflict) == 0
    answer = desk.result(token, "busy")
    assert answer.status_code == 302
    assert "le second n’a pas été pris" in desk.said()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"disposition": ""}, "Choisissez un résultat de la liste."),
        ({"disposition": "call_back"}, "Indiquez quand rappeler."),
        (
            {"disposition": "call_back", "callback_choice": "date", "callback_date": "32/11/2026"},
            "jj/mm/aaaa",
        ),
        ({"disposition": "appointment"}, "Indiquez avec qui et quand est le rendez-vous."),
        (
            {
                "disposition": "appointment",
                "partner": "Mission locale",
                "appointment_date": "01/11/2026",
                "appointment_time": "9h",
            },
            "Le rendez-vous doit être à venir.",
        ),
        ({"disposition": "out_of_scope"}, "Indiquez la raison."),
        ({"disposition": "wrong_number", "new_number": "12"}, "Ce numéro ne peut pas être appelé"),
        ({"disposition": "no_answer", "note": "x" * 4001}, "La note dépasse"),
    ],
)
def test_each_error_says_what_to_correct_and_keeps_what_was_typed(
    desk: Desk, fields: dict[str, str], message: str
) -> None:
    token = desk.next()
    desk.call(token)
    typed = {"note": "Très motivée", **fields}
    answer = desk.result(token, typed.pop("disposition"), **typed)
    assert answer.status_code == 422
    assert message in text_of(answer)
    assert "1 point à corriger" in text_of(answer) or "points à corriger" in text_of(answer)
    if len(typed["note"]) < 100:
        assert "Très motivée" in answer.get_data(as_text=True)
    assert desk.token() == token
    with reading(desk.site.runtime.sessions) as session:
        assert session.scalars(select(Attempt.disposition)).all() == [None]


def test_promise_out_of_hours_offers_the_nearest_time(desk: Desk) -> None:
    token = desk.next()
    desk.call(token)
    answer = desk.result(
        token, "call_back", callback_choice="date", callback_date="25/12/2026", callback_time="14:30"
    )
    assert answer.status_code == 422
    said = text_of(answer)
    assert "hors des heures d’appel" in said
    assert "Le plus proche : jeu. 24 déc. à 19 h 50" in said


def test_promise_is_kept_for_its_officer(desk: Desk) -> None:
    token = desk.next()
    desk.call(token)
    slot = slot_in(desk.page())
    assert desk.result(token, "call_back", callback_choice=slot).status_code == 302
    with reading(desk.site.runtime.sessions) as session:
        promise = session.scalars(select(Callback)).one()
        assert promise.officer_id == desk.site.ids["officer"]
        assert promise.promised_at == datetime.fromisoformat(slot)
    assert "1 rappel aujourd’hui" in desk.said()


def test_reason_asked_for_is_kept_with_the_note(desk: Desk) -> None:
    token = desk.next()
    desk.call(token)
    desk.result(token, "out_of_scope", reason="Déménagé à Lyon", note="parti en août")
    with reading(desk.site.runtime.sessions) as session:
        assert session.scalars(select(Attempt.note)).one() == "Déménagé à Lyon – parti en août"


def test_saving_with_a_pause_serves_nobody_until_resumed(desk: Desk) -> None:
    token = desk.next()
    desk.call(token)
    desk.result(token, "voicemail", then="pause")
    assert "En pause" in desk.said()
    desk.post("/desk/next")
    assert "En pause" in desk.said()
    desk.post("/desk/resume")
    assert "Résultat de l’appel" in desk.said()


def test_pause_gives_back_a_card_without_a_call(desk: Desk) -> None:
    desk.next()
    desk.post("/desk/pause", reason="lunch")
    said = desk.said()
    assert "En pause Repas" in said
    with reading(desk.site.runtime.sessions) as session:
        assert leases.of_officer(session, desk.site.ids["officer"]) is None


def test_pause_during_a_call_is_refused_in_words(desk: Desk) -> None:
    desk.call(desk.next())
    desk.post("/desk/pause", reason="lunch")
    assert "Un appel est en cours" in desk.said()


def test_skip_with_a_reason_serves_somebody_else(desk: Desk) -> None:
    token = desk.next()
    desk.post(f"/desk/leases/{token}/skip", reason="check_first", wait="60")
    assert desk.token() != token
    assert desk.count(Attempt) == 0


def test_skip_without_a_reason_keeps_the_card(desk: Desk) -> None:
    token = desk.next()
    desk.post(f"/desk/leases/{token}/skip")
    assert "Indiquez pourquoi" in desk.said()
    assert desk.token() == token


def test_releasing_a_card_puts_the_person_back(desk: Desk) -> None:
    token = desk.next()
    desk.post(f"/desk/leases/{token}/release")
    assert "Prêt pour l’appel suivant" in desk.said()


def test_nobody_due_says_when_somebody_will_be(desk: Desk) -> None:
    for _ in desk.world.people:
        token = desk.next()
        desk.call(token)
        desk.result(token, "no_answer")
    said = desk.said()
    assert "Personne à appeler maintenant" in said
    assert "Prochaine personne :" in said
    answer = desk.client.post("/desk/check", headers={**JSON, "X-CSRFToken": token_in(desk.page())})
    assert answer.json is not None
    assert answer.json["waits"] is False
    assert "Personne à appeler" in answer.json["fragments"]["waiting"]


def test_closed_hours_are_the_reason_given(desk: Desk) -> None:
    for _ in desk.world.people:
        token = desk.next()
        desk.call(token)
        desk.result(token, "no_answer")
    desk.site.clock.advance(timedelta(hours=3, minutes=20))
    assert "Hors des heures d’appel" in desk.said()


def test_search_finds_by_the_last_four_digits_and_opens_the_card(desk: Desk) -> None:
    with writing(desk.site.runtime.sessions) as session:
        person = a_person(
            session, desk.world, now=START, first_name="Ilyès", family_name="Trouvé", numbers=["+33639987654"]
        )
    answer = desk.post("/desk/search", q="76 54")
    assert "Ilyès Trouvé" in text_of(answer)
    assert desk.post("/desk/open", person_id=str(person)).status_code == 302
    assert "Ilyès Trouvé" in desk.said()
    assert "Fiche ouverte par vous" in desk.said()


def test_search_says_so_when_nobody_fits(desk: Desk) -> None:
    assert "Aucune personne trouvée" in text_of(desk.post("/desk/search", q="9999"))


def test_opening_somebody_gives_back_the_card_without_a_call(desk: Desk) -> None:
    desk.next()
    with reading(desk.site.runtime.sessions) as session:
        held = leases.of_officer(session, desk.site.ids["officer"])
    assert held is not None
    other = next(person for person in desk.world.people if person != held.person_id)
    desk.post("/desk/open", person_id=str(other))
    with reading(desk.site.runtime.sessions) as session:
        now_held = leases.of_officer(session, desk.site.ids["officer"])
    assert now_held is not None
    assert now_held.person_id == other


def test_person_whom_a_colleague_calls_is_not_opened(desk: Desk) -> None:
    colleague = Desk(desk.site, desk.world, desk.site.client("colleague"))
    colleague.next()
    with reading(desk.site.runtime.sessions) as session:
        held = leases.of_officer(session, desk.site.ids["colleague"])
    assert held is not None
    desk.post("/desk/open", person_id=str(held.person_id))
    assert "Un collègue est sur cette personne" in desk.said()


def test_refused_number_says_why_in_the_language_of_the_page(desk: Desk) -> None:
    with writing(desk.site.runtime.sessions) as session:
        set_preferences(session, desk.site.ids["officer"], language=Language.ENGLISH)
    token = desk.next()
    desk.site.clock.advance(timedelta(hours=3, minutes=20))
    answer = desk.client.post(
        f"/desk/leases/{token}/attempt",
        data={"number_id": number_on(desk)},
        headers={**JSON, "X-CSRFToken": token_in(desk.page())},
    )
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["error"]["message"].startswith("Outside calling hours")


def number_on(desk: Desk) -> str:
    """The id of the number that the card proposes."""
    found = re.search(r'name="number_id" value="(\d+)"', desk.page().get_data(as_text=True))
    assert found is not None
    return found[1]


def test_lost_lease_keeps_the_result_for_a_supervisor(desk: Desk) -> None:
    token = desk.next()
    desk.site.clock.advance(timedelta(minutes=5))
    with writing(desk.site.runtime.sessions) as session:
        leases.reclaim_expired(session, now=desk.site.clock.now())
    colleague = Desk(desk.site, desk.world, desk.site.client("colleague"))
    with reading(desk.site.runtime.sessions) as session:
        mine = leases.person_of_ended(session, token, officer_id=desk.site.ids["officer"])
    colleague.post("/desk/open", person_id=str(mine))
    answer = desk.result(token, "no_answer", note="J’ai pourtant appelé")
    assert answer.status_code == 302
    assert "Votre résultat est gardé" in desk.said()
    assert desk.count(OutcomeConflict) == 1


def test_renewing_a_lost_card_says_so(desk: Desk) -> None:
    token = desk.next()
    page = token_in(desk.page())
    with writing(desk.site.runtime.sessions) as session:
        settling.release_officer(
            session, desk.site.ids["officer"], by=desk.site.ids["supervisor"], now=desk.site.clock.now()
        )
    answer = desk.client.post(f"/desk/leases/{token}/renew", headers={**JSON, "X-CSRFToken": page})
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["error"]["code"] == "lease_lost"


def test_draft_comes_back_with_the_card_and_goes_with_the_result(desk: Desk) -> None:
    token = desk.next()
    desk.post(f"/desk/leases/{token}/draft", note="Rappeler après 17 h")
    assert "Rappeler après 17 h" in desk.page().get_data(as_text=True)
    desk.call(token)
    desk.result(token, "no_answer", note="Rappeler après 17 h")
    with reading(desk.site.runtime.sessions) as session:
        assert all(
            drafts.of(session, officer_id=desk.site.ids["officer"], person_id=person) is None
            for person in desk.world.people
        )


def test_note_of_a_lost_card_is_offered(desk: Desk) -> None:
    token = desk.next()
    desk.post(f"/desk/leases/{token}/draft", note="Habite chez sa tante")
    desk.site.clock.advance(timedelta(minutes=5))
    with writing(desk.site.runtime.sessions) as session:
        leases.reclaim_expired(session, now=desk.site.clock.now())
    said = desk.said()
    assert "Notes gardées" in said
    assert "Habite chez sa tante" in said


def test_result_sent_after_the_session_ended_is_given_back_at_sign_in(desk: Desk) -> None:
    token = desk.next()
    desk.call(token)
    page = token_in(desk.page())
    desk.site.clock.advance(timedelta(hours=9))
    answer = desk.client.post(
        f"/desk/leases/{token}/outcome",
        data={"csrf_token": page, "disposition": "no_answer", "note": "À ne pas perdre"},
        headers={"Origin": "http://localhost"},
    )
    assert answer.status_code == 401
    assert "À ne pas perdre" not in text_of(answer), "others see the sign-in page"
    again = sign_in(desk.client, "officer", carried=hidden_in(answer, "carried"))
    assert "À ne pas perdre" in text_of(again)


def written_to(desk: Desk, body: str) -> TestResponse:
    """Send a text with the form of the card, as the page shows it."""
    page = desk.page()
    found = re.search(r'action="(/inbox/people/\d+)"', page.get_data(as_text=True))
    assert found is not None
    return desk.post(found[1], body=body, next="/desk", key=hidden_in(page, "key"))


def bodies(desk: Desk) -> list[str]:
    with reading(desk.site.runtime.sessions) as session:
        return list(session.scalars(select(Message.body).order_by(Message.id)))


def test_second_text_from_the_same_card_goes_too(desk: Desk) -> None:
    desk.next()
    for body in ("Rendez-vous au 3 rue X.", "Erreur : au 5 rue Y."):
        assert written_to(desk, body).status_code == 302
        assert "Message gardé" in desk.said()
    assert bodies(desk) == ["Rendez-vous au 3 rue X.", "Erreur : au 5 rue Y."]


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [("Bonjour \N{WAVING HAND SIGN} " + "x" * 300, 422, "trop long"), ("Bonjour", 409, "ne peut pas partir")],
)
def test_refused_text_stays_on_the_card_with_the_reason(desk: Desk, body: str, status: int, why: str) -> None:
    desk.next()
    page = desk.page().get_data(as_text=True)
    if status == 409:
        with writing(desk.site.runtime.sessions) as session:
            session.execute(update(PersonNumber).values(verdict=NumberVerdict.WRONG))
    refused = written_to(desk, body)
    assert refused.status_code == status
    assert why in text_of(refused)
    assert f">{body}</textarea>" in refused.get_data(as_text=True)
    assert f">{body}</textarea>" not in page
    assert bodies(desk) == []


def test_answer_to_what_a_colleague_answered_is_given_back(site: Site, desk: Desk) -> None:
    with writing(site.runtime.sessions) as session:
        number = session.scalars(select(PhoneNumber.e164)).first() or ""
        said = inbound.take_in(
            session, site.runtime.desk(session), Incoming("SM1", number, "C'est où ?"), now=START
        )
        path = f"/inbox/message/{said.id}/answer"
    long = "Au \N{WAVING HAND SIGN} " + "x" * 300
    too_long = send(desk.client, path, page="/inbox", body=long)
    assert too_long.status_code == 422
    assert f">{long}</textarea>" in too_long.get_data(as_text=True)
    assert send(desk.client, path, page="/inbox", body="Au 3 rue X.").status_code == 302
    late = send(site.client("colleague"), path, page="/inbox", body="Au 3 rue X, demain.")
    assert late.status_code == 409
    assert "Camille Roux a déjà traité ce message" in text_of(late)
    assert "Au 3 rue X, demain." in text_of(late)
    assert bodies(desk) == ["Au 3 rue X."]


def test_household_is_shown_and_its_card_opens_after_the_result(desk: Desk) -> None:
    with writing(desk.site.runtime.sessions) as session:
        one = a_person(session, desk.world, now=START, first_name="Sami", numbers=["+33639981111"])
        other = a_person(session, desk.world, now=START, first_name="Nour", numbers=["+33639981111"])
    desk.post("/desk/open", person_id=str(one))
    assert "Même numéro que Nour Essai" in desk.said()
    token = desk.token()
    desk.call(token)
    desk.result(token, "no_answer", open_after=str(other))
    assert "Nour Essai" in desk.said().split("Toute la fiche")[0]


def test_card_shows_the_hour_of_a_person_elsewhere_and_a_minors_deadline(desk: Desk) -> None:
    with writing(desk.site.runtime.sessions) as session:
        away = a_person(
            session,
            desk.world,
            now=START,
            first_name="Maé",
            zone="Indian/Reunion",
            deadline=date(2026, 12, 14),
        )
    desk.post("/desk/open", person_id=str(away))
    said = desk.said()
    assert "Chez la personne : 13 h 00" in said
    assert "délai légal (mineur) : 14/12/2026" in said


def test_namesake_is_shown_and_compared(desk: Desk) -> None:
    with writing(desk.site.runtime.sessions) as session:
        one = a_person(session, desk.world, now=START, first_name="Eva", family_name="Double")
        other = a_person(session, desk.world, now=START, first_name="Eva", family_name="Double")
    desk.post("/desk/open", person_id=str(one))
    assert "inscrite deux fois : Eva Double" in desk.said()
    said = text_of(desk.client.get(f"/people/{one}/compare/{other}"))
    assert "Numéros" in said
    assert "différent" in said


def test_promise_appears_among_mine_and_counts_as_my_day(desk: Desk) -> None:
    token = desk.next()
    desk.call(token)
    desk.result(token, "call_back", callback_choice=slot_in(desk.page()), then="pause")
    said = desk.said()
    assert "1 appel · 1 joint" in said.replace("1 appel 1 joint", "1 appel · 1 joint")
    assert "Mes rappels promis aujourd’hui" in said


def test_scripts_receive_the_same_answers_as_json(desk: Desk) -> None:
    token = desk.next()
    headers = {**JSON, "X-CSRFToken": token_in(desk.page())}
    attempt = desk.client.post(
        f"/desk/leases/{token}/attempt", data={"number_id": number_on(desk)}, headers=headers
    )
    assert attempt.json is not None
    assert attempt.json["started_at"].startswith("2026-11-23T09:00")
    refused = desk.client.post(
        f"/desk/leases/{token}/outcome",
        data={"disposition": "call_back", "callback_slot": "2026-12-25T14:00:00+00:00"},
        headers=headers,
    )
    assert refused.status_code == 422
    assert refused.json is not None
    assert set(refused.json["error"]["fields"]) == {"callback_at"}
    assert refused.json["error"]["offer"]["value"].startswith("2026-12-24T18:50")
    done = desk.client.post(
        f"/desk/leases/{token}/outcome", data={"disposition": "no_answer"}, headers=headers
    )
    assert done.status_code == 201
    assert done.json == {"location": "/desk"}


def test_desk_is_for_officers(site: Site, world: World) -> None:
    assert site.client("supervisor").get("/desk").status_code == 403
    assert site.client().get("/desk").status_code == 302


def test_desk_asks_a_bounded_number_of_queries(desk: Desk) -> None:
    token = desk.next()
    desk.call(token)
    asked: list[str] = []
    event.listen(desk.site.runtime.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    desk.page()
    assert len(asked) <= 40, "\n".join(asked)
