"""What a call or a message shows of the number it came from, before anybody knows what it is about.

A number that is used is not dead. One that proved to be somebody else's may be used by a stranger who asks who called,
or by the young person after all: nothing but a stop follows from it by itself, an officer sees what came.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from callcentre.callqueue import entries
from callcentre.desk.context import Desk
from callcentre.people import numbers
from callcentre.people.kinds import NumberVerdict
from callcentre.planning import routes
from callcentre.planning.eligibility import reconsider
from callcentre.planning.states import states_of
from callcentre.retry.plan import never_callable
from callcentre.retry.state import Owner, PersonState


def from_number(session: Session, desk: Desk, number_id: int, *, now: datetime) -> None:
    """Something came from a number: if it was held to be dead, who left the queue for want of one comes back."""
    revived = numbers.revive(session, number_id, now=now)
    states = states_of(session, desk.programme, desk.programme_id, revived)
    for person_id, state in states.items():
        theirs = next(number for number in state.numbers if number.number_id == number_id)
        if theirs.owner is Owner.OTHER or never_callable(state, desk.policy, number_id=number_id, now=now):
            continue
        for entry in entries.closed_by(session, person_id, routes.DETAILS_TO_FIND):
            entries.reopen(session, entry, now=now)
    if revived:
        reconsider(session, desk.programme, desk.programme_id, revived, now=now)


def is_wrong(state: PersonState, number_id: int) -> bool:
    """Whether a number proved to be somebody else's than this person's."""
    return any(
        number.number_id == number_id and number.why_not == NumberVerdict.WRONG for number in state.numbers
    )


def number_to_call(state: PersonState, desk: Desk, used: int, *, now: datetime) -> int | None:
    """On which number to call back whoever called us from one: on that one, else on another; None: on none."""
    if is_wrong(state, used):
        return None
    known = (used, *(number.number_id for number in state.numbers if number.owner is not Owner.OTHER))
    return next(
        (one for one in known if never_callable(state, desk.policy, number_id=one, now=now) is None), None
    )
