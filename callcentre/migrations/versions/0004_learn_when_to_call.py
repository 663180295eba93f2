"""The fitted numbers of the retry rule, other routes and details to find."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcentre.database import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "block_records",
        sa.Column("id", _ID, nullable=False),
        sa.Column("programme_id", _ID, nullable=False),
        sa.Column("slot", sa.String(length=12), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("called", sa.Integer(), nullable=False),
        sa.Column("left_over", sa.Integer(), nullable=False),
        sa.Column("served_part", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_block_records_programme_id_programmes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_block_records")),
        sa.UniqueConstraint(
            "programme_id", "starts_at", name=op.f("uq_block_records_programme_id_starts_at")
        ),
    )
    op.create_table(
        "retry_fits",
        sa.Column("id", _ID, nullable=False),
        sa.Column("programme_id", _ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.Column("basis", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_retry_fits_programme_id_programmes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retry_fits")),
        sa.UniqueConstraint("programme_id", "version", name=op.f("uq_retry_fits_programme_id_version")),
    )
    op.create_table(
        "route_mailings",
        sa.Column("id", _ID, nullable=False),
        sa.Column("programme_id", _ID, nullable=False),
        sa.Column("route", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by", _ID, nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("sent_by", _ID, nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"], name=op.f("fk_route_mailings_made_by_users")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_route_mailings_programme_id_programmes")
        ),
        sa.ForeignKeyConstraint(["sent_by"], ["users.id"], name=op.f("fk_route_mailings_sent_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_mailings")),
    )
    op.create_table(
        "slot_loads",
        sa.Column("programme_id", _ID, nullable=False),
        sa.Column("slot", sa.String(length=12), nullable=False),
        sa.Column("served_part", sa.Double(), nullable=False),
        sa.Column("blocks", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_slot_loads_programme_id_programmes")
        ),
        sa.PrimaryKeyConstraint("programme_id", "slot", name=op.f("pk_slot_loads")),
    )
    op.create_table(
        "call_histories",
        sa.Column("programme_id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("unanswered_0", sa.SmallInteger(), nullable=False),
        sa.Column("unanswered_1", sa.SmallInteger(), nullable=False),
        sa.Column("unanswered_2", sa.SmallInteger(), nullable=False),
        sa.Column("unanswered_3", sa.SmallInteger(), nullable=False),
        sa.Column("unanswered_4", sa.SmallInteger(), nullable=False),
        sa.Column("answered_0", sa.SmallInteger(), nullable=False),
        sa.Column("answered_1", sa.SmallInteger(), nullable=False),
        sa.Column("answered_2", sa.SmallInteger(), nullable=False),
        sa.Column("answered_3", sa.SmallInteger(), nullable=False),
        sa.Column("answered_4", sa.SmallInteger(), nullable=False),
        sa.Column("missed_weight_0", sa.Double(), nullable=False),
        sa.Column("missed_weight_1", sa.Double(), nullable=False),
        sa.Column("missed_weight_2", sa.Double(), nullable=False),
        sa.Column("missed_weight_3", sa.Double(), nullable=False),
        sa.Column("missed_weight_4", sa.Double(), nullable=False),
        sa.Column("taken_weight_0", sa.Double(), nullable=False),
        sa.Column("taken_weight_1", sa.Double(), nullable=False),
        sa.Column("taken_weight_2", sa.Double(), nullable=False),
        sa.Column("taken_weight_3", sa.Double(), nullable=False),
        sa.Column("taken_weight_4", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["young_people.id"], name=op.f("fk_call_histories_person_id_young_people")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_call_histories_programme_id_programmes")
        ),
        sa.PrimaryKeyConstraint("programme_id", "person_id", name=op.f("pk_call_histories")),
    )
    op.create_table(
        "retry_learning",
        sa.Column("programme_id", _ID, nullable=False),
        sa.Column("fit_id", _ID, nullable=True),
        sa.Column("frozen_at", UtcDateTime(), nullable=True),
        sa.Column("frozen_by", _ID, nullable=True),
        sa.Column("frozen_reason", sa.Text(), nullable=True),
        sa.Column("counted_until", UtcDateTime(), nullable=True),
        sa.Column("counting_since", UtcDateTime(), nullable=True),
        sa.Column("counted_person", _ID, nullable=True),
        sa.Column("planned_fit_id", _ID, nullable=True),
        sa.Column("planned_entry", _ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["fit_id"], ["retry_fits.id"], name=op.f("fk_retry_learning_fit_id_retry_fits")
        ),
        sa.ForeignKeyConstraint(["frozen_by"], ["users.id"], name=op.f("fk_retry_learning_frozen_by_users")),
        sa.ForeignKeyConstraint(
            ["planned_fit_id"], ["retry_fits.id"], name=op.f("fk_retry_learning_planned_fit_id_retry_fits")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_retry_learning_programme_id_programmes")
        ),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_retry_learning")),
    )
    op.create_table(
        "second_calls",
        sa.Column("programme_id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("unanswered", sa.Double(), nullable=False),
        sa.Column("answered", sa.Double(), nullable=False),
        sa.Column("contacts", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["young_people.id"], name=op.f("fk_second_calls_person_id_young_people")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_second_calls_programme_id_programmes")
        ),
        sa.PrimaryKeyConstraint("programme_id", "person_id", "slot", name=op.f("pk_second_calls")),
    )
    op.create_table(
        "route_steps",
        sa.Column("id", _ID, nullable=False),
        sa.Column("programme_id", _ID, nullable=False),
        sa.Column("entry_id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("route", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("wait_days", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("why_not", sa.String(length=40), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("result", sa.String(length=12), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("done_by", _ID, nullable=True),
        sa.Column("mailing_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["done_by"], ["users.id"], name=op.f("fk_route_steps_done_by_users")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["queue_entries.id"], name=op.f("fk_route_steps_entry_id_queue_entries")
        ),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["route_mailings.id"], name=op.f("fk_route_steps_mailing_id_route_mailings")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["young_people.id"], name=op.f("fk_route_steps_person_id_young_people")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_route_steps_programme_id_programmes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_steps")),
        sa.UniqueConstraint(
            "entry_id", "opened_at", "position", name=op.f("uq_route_steps_entry_id_opened_at_position")
        ),
    )
    with op.batch_alter_table("route_steps", schema=None) as batch_op:
        batch_op.create_index("ix_route_steps_due", ["programme_id", "state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_route_steps_mailing_id"), ["mailing_id"], unique=False)
        batch_op.create_index("ix_route_steps_person_id", ["person_id"], unique=False)

    with op.batch_alter_table("queue_entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("worth", sa.Float(), nullable=True))

    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("why", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_column("why")

    with op.batch_alter_table("queue_entries", schema=None) as batch_op:
        batch_op.drop_column("worth")

    with op.batch_alter_table("route_steps", schema=None) as batch_op:
        batch_op.drop_index("ix_route_steps_person_id")
        batch_op.drop_index(batch_op.f("ix_route_steps_mailing_id"))
        batch_op.drop_index("ix_route_steps_due")

    op.drop_table("route_steps")
    op.drop_table("second_calls")
    op.drop_table("retry_learning")
    op.drop_table("call_histories")
    op.drop_table("slot_loads")
    op.drop_table("route_mailings")
    op.drop_table("retry_fits")
    op.drop_table("block_records")
