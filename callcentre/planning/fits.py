"""The learnt numbers of the retry rule: which version is in force, freezing it, going back to an older one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcentre.audit import trail
from callcentre.bulk import insert_rows
from callcentre.errors import InvalidInput, NotFound
from callcentre.planning.models import FitSource, RetryFit, RetryLearning
from callcentre.programmes import Programme
from callcentre.retry.profiles import Fit, first_fit


def learning_of(session: Session, programme_id: int) -> RetryLearning:
    """Return the row of a programme's learning, made when it is new and locked for this transaction."""
    insert_rows(session, RetryLearning.__table__, [{"programme_id": programme_id}], skip_known=True)
    return session.scalars(
        select(RetryLearning)
        .where(RetryLearning.programme_id == programme_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def used(programme: Programme, fit_id: int | None) -> int | None:
    """Return the version that a programme goes by: the one chosen, or None, the priors, when it is not to learn."""
    return fit_id if programme.constants is not None and programme.constants.learns else None


def fit_in_force(session: Session, programme: Programme, programme_id: int) -> Fit:
    """Return the numbers in force: the version that was chosen, else the priors of `config/`."""
    numbers = session.scalar(
        select(RetryFit.numbers)
        .join(RetryLearning, RetryLearning.fit_id == RetryFit.id)
        .where(RetryLearning.programme_id == programme_id)
    )
    if numbers is not None:
        return Fit.from_json(numbers)
    if programme.constants is None:
        raise NotFound("constants of the retry rule")
    return first_fit(programme.constants)


def made_nightly(session: Session, programme_id: int, *, since: datetime) -> bool:
    """Whether a night's learning wrote a version since then."""
    made = select(RetryFit.id).where(
        RetryFit.programme_id == programme_id,
        RetryFit.source == FitSource.NIGHTLY,
        RetryFit.made_at >= since,
    )
    return session.scalar(made.limit(1)) is not None


def keep(
    session: Session, programme_id: int, fit: Fit, *, source: FitSource, basis: dict[str, Any], now: datetime
) -> int:
    """Write a new version and put it in force; return its id. Versions are numbered from 1 and never change."""
    learning = learning_of(session, programme_id)
    last = (
        session.scalar(select(func.max(RetryFit.version)).where(RetryFit.programme_id == programme_id)) or 0
    )
    numbers = fit.as_json() | {"version": last + 1}
    row = RetryFit(
        programme_id=programme_id,
        version=last + 1,
        made_at=now,
        source=source,
        numbers=numbers,
        basis=basis,
    )
    session.add(row)
    session.flush()
    learning.fit_id = row.id
    session.flush()
    return row.id


def freeze(session: Session, programme_id: int, *, reason: str, by: int, now: datetime) -> None:
    """Keep the version in force until learning is resumed; calls are still counted.

    Everybody who freezes is in the audit trail with their reason; the page shows the first of them.
    """
    if not reason.strip():
        raise InvalidInput("Indiquez la raison.", field="reason")
    learning = learning_of(session, programme_id)
    if learning.frozen_at is None:
        learning.frozen_at, learning.frozen_by, learning.frozen_reason = now, by, reason.strip()[:500]
    session.flush()
    details = {"reason": reason.strip()[:500]}
    trail.record(session, "learning_frozen", "programme", programme_id, by=by, now=now, details=details)


def resume(session: Session, programme_id: int, *, by: int, now: datetime) -> None:
    """Let the next night learn again."""
    learning = learning_of(session, programme_id)
    if learning.frozen_at is not None:
        learning.frozen_at = learning.frozen_by = learning.frozen_reason = None
        trail.record(session, "learning_resumed", "programme", programme_id, by=by, now=now)
    session.flush()


def go_back(
    session: Session, programme_id: int, version: int, *, reason: str, by: int, now: datetime
) -> None:
    """Put an older version in force, 0 for the priors, and freeze it: the next night would undo it otherwise."""
    if not reason.strip():
        raise InvalidInput("Indiquez la raison.", field="reason")
    fit_id = session.scalar(
        select(RetryFit.id).where(RetryFit.programme_id == programme_id, RetryFit.version == version)
    )
    if fit_id is None and version != 0:
        raise NotFound("version")
    learning = learning_of(session, programme_id)
    learning.fit_id = fit_id
    learning.frozen_at = None
    session.flush()
    trail.record(
        session,
        "learning_taken_back",
        "programme",
        programme_id,
        by=by,
        now=now,
        details={"version": version, "reason": reason.strip()[:500]},
    )
    freeze(session, programme_id, reason=reason, by=by, now=now)
