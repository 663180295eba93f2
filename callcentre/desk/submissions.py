"""Outcomes as they were sent: each counts once under its key, and one that came too late is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from callcentre.callqueue import lease as leases
from callcentre.desk.models import OutcomeConflict, OutcomeSubmission
from callcentre.desk.outcomes import Outcome
from callcentre.errors import IdempotencyMismatch, NotFound
from callcentre.statements import Prepared

_SUBMITTED = Prepared(
    select(OutcomeSubmission.id).where(
        OutcomeSubmission.officer_id == bindparam("officer"),
        OutcomeSubmission.idempotency_key == bindparam("key"),
    )
)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What an outcome did: `kept` True when it came too late and waits for a supervisor; `replayed` on a second send.

    `next_at` and `why` say when the person comes back and why; `why` is a reason as JSON.
    """

    attempt_id: int | None
    next_at: datetime | None
    why: dict[str, Any]
    kept: bool = False
    replayed: bool = False
    undone: bool = False
    submission_id: int | None = None


def sent_before(session: Session, officer_id: int, key: str) -> OutcomeSubmission | None:
    """Return what this officer sent under this key, if anything."""
    found = _SUBMITTED.value(session, {"officer": officer_id, "key": key})
    return None if found is None else session.get_one(OutcomeSubmission, found)


def replay(submission: OutcomeSubmission, outcome: Outcome) -> Wrapped:
    """Answer a second sending with the first answer; raises IdempotencyMismatch when the outcome differs."""
    if submission.body_digest != outcome.digest:
        raise IdempotencyMismatch("Cette clé a déjà servi pour un autre résultat.")
    response = submission.response
    when = response.get("next_at")
    return Wrapped(
        attempt_id=submission.attempt_id,
        next_at=datetime.fromisoformat(when) if when else None,
        why=response.get("why", {}),
        kept=not submission.accepted,
        replayed=True,
        undone=submission.undone_at is not None,
        submission_id=submission.id,
    )


def keep_late(
    session: Session, token: str, outcome: Outcome, *, officer_id: int, key: str, now: datetime
) -> Wrapped:
    """Keep an outcome that came too late: nothing is called again, a supervisor settles it."""
    person_id = leases.person_of_ended(session, token, officer_id=officer_id)
    if person_id is None:
        raise NotFound("lease")
    session.add(
        OutcomeConflict(
            officer_id=officer_id, person_id=person_id, token=token, outcome=outcome.as_json(), at=now
        )
    )
    submission = OutcomeSubmission(
        officer_id=officer_id,
        idempotency_key=key,
        body_digest=outcome.digest,
        attempt_id=None,
        entry_id=None,
        accepted=False,
        response={"next_at": None, "why": {}},
        created_at=now,
    )
    session.add(submission)
    session.flush()
    return Wrapped(None, None, {}, kept=True, submission_id=submission.id)
