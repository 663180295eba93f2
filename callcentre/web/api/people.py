"""People: one with everything that is known of the calls, and finding one by number or name."""

from __future__ import annotations

from flask import Response

from callcentre.accounts.kinds import Role
from callcentre.audit.kinds import Place
from callcentre.desk.card import person
from callcentre.desk.search import search
from callcentre.funnel import queries as funnel
from callcentre.web.api import bodies, shapes
from callcentre.web.api.blueprint import LARGEST_ID, blueprint
from callcentre.web.context import now, runtime
from callcentre.web.guards import only
from callcentre.web.looks import looked, looked_up
from callcentre.web.transaction import database, reading


@blueprint.get(f"/people/<int(min=1, max={LARGEST_ID}):person_id>")
@only(Role.OFFICER, Role.SUPERVISOR)
def show(person_id: int) -> Response:
    """Show a person with numbers, attempts and stages, and why they are not being served."""
    desk = runtime().desk(database())
    found = person(database(), desk, person_id, now=now())
    looked(Place.PAGE, person_id)
    stages = funnel.stages_of(database(), desk.programme_id, person_id)
    return shapes.answer(shapes.person_page(found, stages))


@blueprint.post("/people/search")
@only(Role.OFFICER, Role.SUPERVISOR)
def find() -> Response:
    """Find people; a POST, so that no number and no name is in an address."""
    sent = bodies.read(bodies.SearchBody)
    with reading() as session:
        found = search(session, runtime().desk(session), sent.text)
    looked_up([one.id for one in found])
    return shapes.answer(shapes.search(found))
