"""What each territory weighs on a civil day."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, bindparam, text
from sqlalchemy.orm import Session

from callcentre.directory.models import Territory
from callcentre.errors import InvalidInput, NotFound

_ENSURE = text(
    """
    INSERT INTO territory_days (programme_id, territory_id, day, weight)
    SELECT e.programme_id, e.territory_id, :day, coalesce(max(t.weight), count(*))
    FROM queue_entries e JOIN territories t ON t.id = e.territory_id
    WHERE e.programme_id = :programme AND e.state = 'open'
    GROUP BY e.programme_id, e.territory_id
    ON CONFLICT DO NOTHING
    """
).bindparams(bindparam("day", type_=Date()))
_SET = text(
    """
    INSERT INTO territory_days (programme_id, territory_id, day, weight)
    SELECT programme_id, id, :day, :weight FROM territories WHERE id = :territory
    ON CONFLICT (programme_id, territory_id, day) DO UPDATE SET weight = excluded.weight
    """
).bindparams(bindparam("day", type_=Date()))
_OPEN = text("SELECT count(*) FROM queue_entries WHERE territory_id = :territory AND state = 'open'")


def ensure_day(session: Session, programme_id: int, *, day: date) -> None:
    """Weigh the territories that have open people and were not weighed yet on this day.

    A territory weighs its open people, so that every list advances at the same pace, or what a supervisor set.
    """
    session.execute(_ENSURE, {"programme": programme_id, "day": day})


def set_weight(session: Session, territory_id: int, *, weight: int | None, day: date, now: datetime) -> None:
    """Change what a territory weighs from now on; None goes back to its open people. Past claims keep their shares."""
    if weight is not None and not 1 <= weight <= 1_000_000:
        raise InvalidInput("Le poids est un nombre entier d'au moins 1.", field="weight")
    territory = session.get(Territory, territory_id)
    if territory is None:
        raise NotFound("territory")
    territory.weight, territory.weight_changed_at = weight, now
    session.flush()
    figure = weight if weight is not None else max(1, session.scalar(_OPEN, {"territory": territory_id}) or 0)
    session.execute(_SET, {"day": day, "weight": float(figure), "territory": territory_id})
