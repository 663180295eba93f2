"""Writing down who looked at whom: pages only read, so a look is a short transaction of its own, and a rare one."""

from __future__ import annotations

from collections.abc import Collection

from callcentre.audit import looks
from callcentre.audit.kinds import Place
from callcentre.web.context import now, user
from callcentre.web.transaction import reading, writing_beside


def looked(place: Place, *person_ids: int) -> None:
    """Write down that the user of this request sees these people; seen again within minutes is the same look."""
    _write(place, person_ids)


def looked_up(person_ids: Collection[int]) -> None:
    """Write down whom a search showed to the user of this request."""
    _write(Place.SEARCH, person_ids)


def looked_through(people: int) -> None:
    """Write down that the user of this request sees a list of so many people."""
    if people:
        with writing_beside() as session:
            looks.record_list(session, people, by=user().id, now=now())


def _write(place: Place, person_ids: Collection[int]) -> None:
    with reading() as session:
        unseen = looks.unseen(session, person_ids, place, by=user().id, now=now())
    if unseen:
        with writing_beside() as session:
            looks.record(session, unseen, place, by=user().id, now=now())
