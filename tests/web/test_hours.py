"""The page of learnt hours: numbers, versions, freeze, going back; who may decide."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from callcentre.callqueue.models import QueueEntry
from callcentre.database import reading, writing
from callcentre.outreach.models import Attempt
from callcentre.planning.counting import count_calls
from callcentre.planning.models import RetryFit, RetryLearning
from callcentre.planning.refit import fit_again
from tests.builders import make_world
from tests.web.site import START, Site, send, text_of

PAGE = "/supervision/hours"


@pytest.fixture
def learnt(site: Site) -> Site:
    """Forty calls to forty people, one in four answered, learnt in one version."""
    world = make_world(site.runtime.sessions, START, people=40, cast={})
    with writing(site.runtime.sessions) as session:
        entries = session.execute(select(QueueEntry.id, QueueEntry.person_id, QueueEntry.number_id)).all()
        rows = [
            {
                "programme_id": world.programme_id,
                "entry_id": entry,
                "person_id": person,
                "number_id": number,
                "owner": "young_person",
                "officer_id": site.ids["officer"],
                "lease_token": f"t{person}",
                "sequence": 1,
                "lane": 4,
                "direction": "outbound",
                "started_at": START,
                "ended_at": START,
                "slot": "morning",
                "local_date": START.date(),
                "disposition": "interested" if person % 4 == 0 else "no_answer",
                "retry_kind": "callback" if person % 4 == 0 else "no_answer",
            }
            for entry, person, number in entries
        ]
        session.execute(insert(Attempt), rows)
    count_calls(site.runtime.sessions, site.runtime.programme, world.programme_id, START)
    fit_again(site.runtime.sessions, site.runtime.programme, world.programme_id, START)
    return site


def in_force(site: Site) -> int | None:
    with reading(site.runtime.sessions) as session:
        return session.scalar(
            select(RetryFit.version).join(RetryLearning, RetryLearning.fit_id == RetryFit.id)
        )


def test_before_any_call_the_page_shows_the_starting_figures(site: Site) -> None:
    make_world(site.runtime.sessions, START, people=1, cast={})
    text = text_of(site.client("supervisor").get(PAGE))
    assert "valeurs de départ, avant tout appel" in text
    assert "1 sur" in text


def test_counts_and_intervals_are_on_the_page(learnt: Site) -> None:
    text = text_of(learnt.client("supervisor").get(PAGE))
    assert "40 personnes appelées" in text
    assert "version 1, apprentissage de la nuit" in text
    assert "25 % 14 % – 40 %" in text.replace("\u202f", " ").replace("\xa0", " ")


def test_learning_is_frozen_for_a_reason_and_resumed(learnt: Site) -> None:
    browser = learnt.client("supervisor")
    assert send(browser, f"{PAGE}/freeze", reason="").status_code == 422
    assert send(browser, f"{PAGE}/freeze", reason="Nouvelle équipe").status_code == 302
    text = text_of(browser.get(PAGE))
    assert "apprentissage gelé" in text
    assert "Nouvelle équipe" in text
    send(browser, f"{PAGE}/learn")
    assert in_force(learnt) == 1
    send(browser, f"{PAGE}/resume")
    send(browser, f"{PAGE}/learn")
    assert in_force(learnt) == 2


def test_an_older_version_comes_back_and_learning_is_frozen(learnt: Site) -> None:
    browser = learnt.client("supervisor")
    send(browser, f"{PAGE}/learn")
    assert send(browser, f"{PAGE}/versions/1", why="").status_code == 422
    assert send(browser, f"{PAGE}/versions/1", why="La dernière est étrange").status_code == 302
    assert in_force(learnt) == 1
    assert "apprentissage gelé" in text_of(browser.get(PAGE))
    assert send(browser, f"{PAGE}/versions/9", why="x").status_code == 404


def test_a_version_that_was_never_made_is_not_offered(learnt: Site) -> None:
    browser = learnt.client("supervisor")
    assert "Revenir à la version 0" in text_of(browser.get(f"{PAGE}?version=0"))
    assert "Revenir à la version" not in text_of(browser.get(f"{PAGE}?version=99"))


def test_nobody_goes_back_while_the_programme_is_not_to_learn(learnt: Site) -> None:
    runtime = learnt.runtime
    constants = runtime.programme.constants
    assert constants is not None
    off = runtime.programme.model_copy(update={"constants": constants.overridden({"learns": False})})
    runtime.programmes[off.code] = off
    browser = learnt.client("supervisor")
    assert "Y revenir" not in text_of(browser.get(PAGE))
    refused = send(browser, f"{PAGE}/versions/0", why="Pour voir")
    assert refused.status_code == 409
    assert "L’apprentissage est arrêté dans la configuration" in text_of(refused)
    assert in_force(learnt) == 1


def test_an_administrator_reads_and_does_not_decide(learnt: Site) -> None:
    browser = learnt.client("admin")
    assert browser.get(PAGE).status_code == 200
    assert send(browser, f"{PAGE}/freeze", reason="x").status_code == 403
    assert learnt.client("officer").get(PAGE).status_code == 403
