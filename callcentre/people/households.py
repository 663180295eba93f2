"""Who is reached by the same number: siblings, a home, a social worker's phone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from callcentre.bulk import in_parts
from callcentre.people.models import PersonNumber
from callcentre.statements import Prepared

_MINE, _OTHER = aliased(PersonNumber), aliased(PersonNumber)
_SHARING = Prepared(
    select(_MINE.person_id, _OTHER.person_id)
    .join(_OTHER, _OTHER.number_id == _MINE.number_id)
    .where(_MINE.person_id.in_(bindparam("ids", expanding=True)), _OTHER.person_id != _MINE.person_id)
)


def households(session: Session, person_ids: Collection[int]) -> dict[int, set[int]]:
    """Return, for each of these people who shares a number, the other people whom one of their numbers reaches."""
    found: dict[int, set[int]] = defaultdict(set)
    for part in in_parts(person_ids):
        for person, housemate in _SHARING.rows(session, {"ids": part}):
            found[person].add(housemate)
    return dict(found)
