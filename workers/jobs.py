"""What each job does: one line, calling the verb of the feature that owns the work."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from callcentre import database
from callcentre.audit import looks
from callcentre.callqueue.lease import reclaim_expired
from callcentre.desk.retention import forget_old
from callcentre.intake.folder import Drop, look
from callcentre.intake.importing import resume_interrupted
from callcentre.intake.mapping import load_column_words
from callcentre.intake.retention import forget_lists as forget_old_lists
from callcentre.intake.retention import purge_quarantine as purge_expired_quarantine
from callcentre.outreach.callbacks import mark_missed
from callcentre.outreach.events import forget_old as forget_old_events
from callcentre.planning import refit, routes
from callcentre.planning.blocks import plan_current_block
from callcentre.planning.delivery import Post, look_up_unknown, reconcile, reconcile_calls, send_due
from callcentre.planning.touches import plan_all_touches
from callcentre.planning.writing import Sender
from callcentre.runtime import Runtime

SEND_EVERY = timedelta(seconds=5)
"""How often messages are sent."""


def reclaim_leases(session: Session, runtime: Runtime, now: datetime) -> object:
    """Return expired leases to the pool; those with an open attempt are to settle."""
    return reclaim_expired(session, now=now)


def plan_block(session: Session, runtime: Runtime, now: datetime) -> object:
    """Plan the eligible people into the block that runs now."""
    return plan_current_block(session, runtime.programmes.values(), now)


def mark_missed_callbacks(session: Session, runtime: Runtime, now: datetime) -> object:
    """Show the promises that nobody kept in time as missed."""
    return mark_missed(session, runtime.programmes.values(), now=now)


def resume_imports(runtime: Runtime, now: datetime) -> object:
    """Go on with imports that were cut off."""
    return resume_interrupted(runtime.sessions, runtime.programmes, now)


def watch_folder(runtime: Runtime, now: datetime) -> object:
    """Import the lists that lie ready in the watched folder, if there is one."""
    if not runtime.settings.drop_folder:
        return None
    drop = Drop(
        Path(runtime.settings.drop_folder),
        runtime.programme,
        load_column_words(runtime.settings.config_dir / "list_columns.toml"),
        runtime.settings.upload_megabytes * 1024 * 1024,
    )
    return look(runtime.sessions, drop, now=now)


def forget_lists(session: Session, runtime: Runtime, now: datetime) -> object:
    """Drop the lists that were checked and never imported, and what undoing old imports needed."""
    return forget_old_lists(session, runtime.programmes.values(), now)


def purge_quarantine(session: Session, runtime: Runtime, now: datetime) -> object:
    """Empty quarantined rows whose time is up, except for row number and reason."""
    return purge_expired_quarantine(session, now)


def forget_submissions(session: Session, runtime: Runtime, now: datetime) -> object:
    """Forget idempotency keys and drafts whose time is up."""
    return forget_old(session, now=now, keep=timedelta(days=runtime.settings.idempotency_days))


def learn_hours(runtime: Runtime, now: datetime) -> object:
    """Learn from the day's calls when people answer, and plan everybody by it; goes on where it was cut off."""
    return refit.learn(runtime.sessions, runtime.programmes.values(), now)


def follow_version(runtime: Runtime, now: datetime) -> object:
    """Plan everybody by the version of the learnt numbers that a supervisor has put in force."""
    return refit.follow(runtime.sessions, runtime.programmes.values(), now)


def advance_routes(runtime: Runtime, now: datetime) -> object:
    """Go on with the other routes whose wait is over, to the final state when none is left."""
    return routes.advance(runtime.sessions, runtime.programmes.values(), now)


def copy_log_back(runtime: Runtime, now: datetime) -> object:
    """Keep SQLite's log short, so that no request has to."""
    return database.copy_log_back(runtime.engine)


def forget_audit(session: Session, runtime: Runtime, now: datetime) -> object:
    """Forget who looked at or changed what, once its time is up."""
    return looks.forget_old(session, now=now, keep=timedelta(days=runtime.settings.audit_days))


def plan_messages(session: Session, runtime: Runtime, now: datetime) -> object:
    """Write down the messages that the plan calls for."""
    return plan_all_touches(
        session,
        runtime.programmes,
        sender=Sender(
            answerable=runtime.provider.can_receive or not runtime.settings.has_provider,
            whatsapp=runtime.provider.can_whatsapp,
        ),
        now=now,
    )


def send_messages(runtime: Runtime, now: datetime) -> object:
    """Send the messages whose time has come, at the sender's rate; settle those whose result is unknown."""
    post = Post(runtime.sessions, runtime.programmes, runtime.provider)
    limit = max(1, round(runtime.settings.messages_per_second * SEND_EVERY.total_seconds()))
    return send_due(post, now=now, limit=limit), look_up_unknown(post, now=now)


def reconcile_messages(runtime: Runtime, now: datetime) -> object:
    """Ask the provider about messages whose end it never told."""
    return reconcile(Post(runtime.sessions, runtime.programmes, runtime.provider), now=now)


def reconcile_open_calls(runtime: Runtime, now: datetime) -> object:
    """Ask the provider about calls whose end it never told."""
    return reconcile_calls(Post(runtime.sessions, runtime.programmes, runtime.provider), now=now)


def forget_events(session: Session, runtime: Runtime, now: datetime) -> object:
    """Forget what the provider told too long ago to be told again."""
    return forget_old_events(session, now=now)
