"""Which other routes are possible for whom, and in which order."""

from __future__ import annotations

import pytest

from callcentre.planning.ladder import WHY_NOT, Facts, ladder
from callcentre.programmes import RouteConfig, RouteKind
from callcentre.web.route_words import WHY_NOT as WORDS
from tests.builders import the_programme

EVERYTHING = Facts(
    own_numbers_called=2,
    guardian_called=True,
    is_minor=True,
    has_mobile=True,
    has_email=True,
    has_address=True,
    has_school=True,
    has_peer=True,
)


def test_the_example_programme_looks_for_details_before_it_writes() -> None:
    rungs = ladder(the_programme().routes, "no_number", EVERYTHING)
    assert [rung.route.code for rung in rungs if rung.is_open] == [
        "school",
        "siei",
        "mission_locale",
        "peer",
        "email",
        "letter",
    ]
    assert [rung.route.code for rung in rungs if rung.by_plan] == ["next_number", "guardian"]


def test_a_message_is_for_those_whose_number_rings() -> None:
    codes = {rung.route.code for rung in ladder(the_programme().routes, "unanswered", EVERYTHING)}
    assert "message" in codes
    assert "siei" not in codes


@pytest.mark.parametrize(
    ("kind", "why_not"),
    [
        (RouteKind.NEXT_NUMBER, "no_other_number"),
        (RouteKind.GUARDIAN, "adult"),
        (RouteKind.MESSAGE, "no_mobile"),
        (RouteKind.EMAIL, "no_email"),
        (RouteKind.LETTER, "no_address"),
        (RouteKind.SCHOOL, "no_school"),
        (RouteKind.PEER, "no_peer"),
    ],
)
def test_a_route_that_is_not_possible_says_why(kind: RouteKind, why_not: str) -> None:
    route = RouteConfig(code="one", kind=kind, labels={"fr": "Une"})
    (rung,) = ladder([route], "unanswered", Facts())
    assert (rung.is_open, rung.why_not) == (False, why_not)
    assert why_not in WHY_NOT


def test_a_source_asked_a_short_while_ago_is_not_asked_again() -> None:
    route = RouteConfig(code="mission", kind=RouteKind.ASK, labels={"fr": "Mission"})
    (rung,) = ladder([route], "no_number", Facts(asked_lately=frozenset({"mission"})))
    assert rung.why_not == "asked_lately"


def test_every_reason_has_its_words() -> None:
    assert set(WORDS) == set(WHY_NOT)


@pytest.mark.parametrize(
    ("facts", "why_not"),
    [
        (Facts(is_minor=True), "no_guardian_number"),
        (Facts(is_minor=True, has_guardian=True), "guardian_not_called"),
        (Facts(has_guardian=True), "adult"),
    ],
)
def test_a_guardian_whom_no_call_tried_is_not_said_to_be_unknown(facts: Facts, why_not: str) -> None:
    route = RouteConfig(code="one", kind=RouteKind.GUARDIAN, labels={"fr": "Une"})
    (rung,) = ladder([route], "unanswered", facts)
    assert (rung.by_plan, rung.why_not) == (False, why_not)
