"""Everybody's calls are counted anew: those that were expected no longer weigh among the learnt chances."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _count_anew()


def downgrade() -> None:
    """Take back."""
    _count_anew()


def _count_anew() -> None:
    op.execute("UPDATE retry_learning SET counted_until = NULL, counting_since = NULL, counted_person = NULL")
