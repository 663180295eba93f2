"""Who is reached by the same number: siblings, a home, a social worker's phone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from callcentre.database import in_parts
from callcentre.people.models import PersonNumber


def households(session: Session, person_ids: Collection[int]) -> dict[int, set[int]]:
    """Return, for each of these people who shares a number, the other people whom one of their numbers reaches."""
    mine, other = aliased(PersonNumber), aliased(PersonNumber)
    found: dict[int, set[int]] = defaultdict(set)
    for part in in_parts(person_ids):
        rows = session.execute(
            select(mine.person_id, other.person_id)
            .join(other, other.number_id == mine.number_id)
            .where(mine.person_id.in_(part), other.person_id != mine.person_id)
        )
        for person, housemate in rows:
            found[person].add(housemate)
    return dict(found)
