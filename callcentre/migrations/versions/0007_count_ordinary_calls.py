"""Everybody's calls are counted anew, expected ones apart; later by when they ended or their result was taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index("ix_attempts_ended_at", ["ended_at"], unique=False)
        batch_op.create_index(
            "ix_attempts_corrected_at",
            ["corrected_at"],
            unique=False,
            sqlite_where=sa.text("corrected_at IS NOT NULL"),
            postgresql_where=sa.text("corrected_at IS NOT NULL"),
        )
    _count_anew()


def downgrade() -> None:
    """Take back."""
    _count_anew()
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index("ix_attempts_corrected_at")
        batch_op.drop_index("ix_attempts_ended_at")


def _count_anew() -> None:
    op.execute("UPDATE retry_learning SET counted_until = NULL, counting_since = NULL, counted_person = NULL")
