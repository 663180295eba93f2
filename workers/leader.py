"""Which of several schedulers runs the jobs: the one named in the leader row, until its time has passed."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callcentre.audit.models import SchedulerLeader

LEADER_ID = 1


def this_process() -> str:
    """Return a name for this process that no other one has had."""
    return f"{socket.gethostname()[:50]}:{os.getpid()}:{uuid4().hex[:8]}"


def lead(session: Session, holder: str, *, now: datetime, term: timedelta) -> bool:
    """Take or renew the lead; False when another scheduler's term still runs.

    The term of a process of this machine that is gone is over, and so is one that ends later than any could
    (the clock was set back).
    """
    current = session.scalar(select(SchedulerLeader.holder).where(SchedulerLeader.id == LEADER_ID))
    if current is None:
        return _first(session, holder, now + term)
    open_to_us = or_(
        SchedulerLeader.holder == (current if _is_gone(current) else holder),
        SchedulerLeader.expires_at <= now,
        SchedulerLeader.expires_at > now + 2 * term,
    )
    renewal = (
        update(SchedulerLeader)
        .where(SchedulerLeader.id == LEADER_ID, open_to_us)
        .values(holder=holder, expires_at=now + term)
        .returning(SchedulerLeader.id)
    )
    return session.execute(renewal).first() is not None


def leads(session: Session, holder: str, *, now: datetime) -> bool:
    """Tell whether this scheduler's term runs."""
    row = session.scalar(
        select(SchedulerLeader.id).where(
            SchedulerLeader.id == LEADER_ID,
            SchedulerLeader.holder == holder,
            SchedulerLeader.expires_at > now,
        )
    )
    return row is not None


def resign(session: Session, holder: str, *, now: datetime) -> None:
    """End this scheduler's term, so that another one need not wait."""
    session.execute(
        update(SchedulerLeader)
        .where(SchedulerLeader.id == LEADER_ID, SchedulerLeader.holder == holder)
        .values(expires_at=now)
    )


def _first(session: Session, holder: str, expires_at: datetime) -> bool:
    try:
        with session.begin_nested():
            session.execute(
                insert(SchedulerLeader).values(id=LEADER_ID, holder=holder, expires_at=expires_at)
            )
    except IntegrityError:  # another scheduler was first
        return False
    return True


def _is_gone(holder: str) -> bool:
    """Tell whether a process named by `this_process` ran on this machine and does no more."""
    machine, _, rest = holder.rpartition(":")[0].rpartition(":")
    if machine != socket.gethostname()[:50] or not rest.isdecimal():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
