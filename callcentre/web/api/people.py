"""People: one with everything that is known of the calls, and finding one by number or name."""

from __future__ import annotations

from flask import Response

from callcentre.accounts.kinds import Role
from callcentre.audit.kinds import Place
from callcentre.desk.card import person
from callcentre.desk.search import search
from callcentre.errors import InvalidInput
from callcentre.funnel import queries as funnel
from callcentre.intake import by_hand
from callcentre.people.register import Change
from callcentre.web.addresses import LARGEST_ID
from callcentre.web.api import bodies, shapes
from callcentre.web.api.blueprint import blueprint
from callcentre.web.context import now, runtime, user
from callcentre.web.formats import in_zone
from callcentre.web.guards import only
from callcentre.web.i18n import language
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


@blueprint.post("/people")
@only(Role.OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR)
def enter() -> Response:
    """Let somebody into the queue of the programme that pages open on: a walk-in, a school's signal."""
    sent = bodies.read(bodies.PersonBody)
    if sent.signalled_on > in_zone(now()).date():
        raise InvalidInput(
            "Cette date est dans le futur : écrivez le jour du signalement.", field="signalled_on"
        )
    cells = {name: str(getattr(sent, name)) for name, _, _ in by_hand.FIELDS}
    found = by_hand.enter_person(
        database(),
        cells,
        programme=runtime().programme,
        signalled_on=sent.signalled_on,
        origin=by_hand.Origin(sent.origin),
        now=now(),
        by=user().id,
        onto=sent.onto,
        as_new=sent.as_new,
    )
    for field, reason in found.errors.items():
        raise InvalidInput(reason.words(language()), field=field)
    shape = shapes.EnteredShape(
        found.person_id,
        None if found.change is None else found.change.value,
        [shapes.Why(str(reason.code), reason.words(language())) for reason in found.remarks],
        [
            shapes.PossiblePerson(one.ref, one.family_name, one.first_name, one.birth_date)
            for one in found.possible
        ],
    )
    return shapes.answer(shape, 201 if found.change is Change.CREATED else 200)


@blueprint.post("/people/search")
@only(Role.OFFICER, Role.SUPERVISOR)
def find() -> Response:
    """Find people; a POST, so that no number and no name is in an address."""
    sent = bodies.read(bodies.SearchBody)
    with reading() as session:
        found = search(session, runtime().desk(session), sent.text)
    looked_up([one.id for one in found])
    return shapes.answer(shapes.search(found))
