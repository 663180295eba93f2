"""Which of a programme's other routes are possible for a person, and in which order: pure.

Calls come first; a route stands on the ladder for those who used all their calls, or for those without a usable number.
A route that is not possible stays visible with the reason, since a missing address is something to ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from callcentre.programmes import RouteConfig, RouteKind, Situation


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a person that makes a route possible or not."""

    own_numbers_called: int = 0
    guardian_called: bool = False
    has_guardian: bool = False
    """A number of a guardian, called or not."""
    is_minor: bool = False
    has_mobile: bool = False
    """A mobile number of theirs that is usable and did not say STOP."""
    has_email: bool = False
    has_address: bool = False
    has_school: bool = False
    has_peer: bool = False
    asked_lately: frozenset[str] = frozenset()
    """Codes of the routes that were tried for this person a short while ago, in an earlier round."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A route on somebody's ladder: `by_plan` when the calls have done it, `why_not` when it is not possible."""

    route: RouteConfig
    by_plan: bool = False
    why_not: str | None = None

    @property
    def is_open(self) -> bool:
        """True when somebody has to do it."""
        return not self.by_plan and self.why_not is None


def ladder(routes: Sequence[RouteConfig], situation: Situation, facts: Facts) -> tuple[Rung, ...]:
    """The routes for this situation, in the order of the programme's file."""
    return tuple(_rung(route, facts) for route in routes if situation in route.when)


def _rung(route: RouteConfig, facts: Facts) -> Rung:
    if route.kind is RouteKind.NEXT_NUMBER:
        return (
            Rung(route, by_plan=True)
            if facts.own_numbers_called > 1
            else Rung(route, why_not="no_other_number")
        )
    if route.kind is RouteKind.GUARDIAN:
        if facts.guardian_called:
            return Rung(route, by_plan=True)
        if not facts.is_minor:
            return Rung(route, why_not="adult")
        return Rung(route, why_not="guardian_not_called" if facts.has_guardian else "no_guardian_number")
    if route.code in facts.asked_lately:
        return Rung(route, why_not="asked_lately")
    return Rung(route, why_not=missing(route.kind, facts))


def missing(kind: RouteKind, facts: Facts) -> str | None:
    """Which thing a route of this kind cannot do without is not known, as a code of `MAY_COME`; None for nothing."""
    needs = {
        RouteKind.MESSAGE: (facts.has_mobile, "no_mobile"),
        RouteKind.EMAIL: (facts.has_email, "no_email"),
        RouteKind.LETTER: (facts.has_address, "no_address"),
        RouteKind.SCHOOL: (facts.has_school, "no_school"),
        RouteKind.PEER: (facts.has_peer, "no_peer"),
    }
    is_there, why_not = needs.get(kind, (True, ""))
    return None if is_there else why_not


MAY_COME = ("no_mobile", "no_email", "no_address", "no_school", "no_peer")
"""Reasons that end as soon as something becomes known: who asks for it makes the route possible."""
WHY_NOT = ("no_other_number", "no_guardian_number", "guardian_not_called", "adult", "asked_lately", *MAY_COME)
"""Every code of `Rung.why_not`; the pages have words for each."""
