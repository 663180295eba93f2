"""What supervisors decide, and who looked at whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcentre.database import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_IDENTIFIER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "decisions",
        sa.Column("id", _IDENTIFIER, nullable=False),
        sa.Column("programme_id", _IDENTIFIER, nullable=False),
        sa.Column("person_id", _IDENTIFIER, nullable=True),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", _IDENTIFIER, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempt_id", _IDENTIFIER, nullable=True),
        sa.Column("opt_out_id", _IDENTIFIER, nullable=True),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_decisions_programme_id_programmes")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["young_people.id"], name=op.f("fk_decisions_person_id_young_people")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_decisions_decided_by_users")),
        sa.ForeignKeyConstraint(
            ["opt_out_id"], ["opt_outs.id"], name=op.f("fk_decisions_opt_out_id_opt_outs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("opt_out_id", name=op.f("uq_decisions_opt_out_id")),
    )
    with op.batch_alter_table("decisions") as batch_op:
        batch_op.create_index(batch_op.f("ix_decisions_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_decisions_programme_id_at", ["programme_id", "at"], unique=False)
    op.create_table(
        "person_views",
        sa.Column("id", _IDENTIFIER, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("user_id", _IDENTIFIER, nullable=False),
        sa.Column("person_id", _IDENTIFIER, nullable=True),
        sa.Column("place", sa.String(length=12), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_person_views_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_views")),
    )
    with op.batch_alter_table("person_views") as batch_op:
        batch_op.create_index("ix_person_views_person_id_at", ["person_id", "at"], unique=False)
        batch_op.create_index("ix_person_views_user_id_at", ["user_id", "at"], unique=False)
        batch_op.create_index("ix_person_views_at", ["at"], unique=False)
    with op.batch_alter_table("audit_events") as batch_op:
        batch_op.create_index("ix_audit_events_at", ["at"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("audit_events") as batch_op:
        batch_op.drop_index("ix_audit_events_at")
    op.drop_table("person_views")
    op.drop_table("decisions")
