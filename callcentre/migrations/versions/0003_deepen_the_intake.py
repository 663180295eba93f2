"""List profiles, merges and what each import changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from callcentre.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    _create_profiles()
    _create_merges()
    _create_changes()


def downgrade() -> None:
    """Take back."""
    _drop_changes()
    _drop_merges()
    _drop_profiles()


def _create_profiles() -> None:
    op.create_table(
        "list_profiles",
        sa.Column("id", _ID, nullable=False),
        sa.Column("signature", sa.String(length=16), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("made_by", _ID, nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"], name=op.f("fk_list_profiles_made_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_profiles")),
        sa.UniqueConstraint("signature", name=op.f("uq_list_profiles_signature")),
    )


def _drop_profiles() -> None:
    op.execute("DELETE FROM list_files WHERE state = 'unmapped'")
    op.drop_table("list_profiles")


def _create_merges() -> None:
    op.create_table(
        "duplicate_pairs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("one_id", _ID, nullable=False),
        sa.Column("other_id", _ID, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("settled_by", _ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["one_id"], ["young_people.id"], name=op.f("fk_duplicate_pairs_one_id_young_people")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["young_people.id"], name=op.f("fk_duplicate_pairs_other_id_young_people")
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["users.id"], name=op.f("fk_duplicate_pairs_settled_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_pairs")),
        sa.UniqueConstraint("one_id", "other_id", name=op.f("uq_duplicate_pairs_one_id_other_id")),
    )
    op.create_index("ix_duplicate_pairs_state", "duplicate_pairs", ["state", "id"])
    op.create_index("ix_duplicate_pairs_other_id", "duplicate_pairs", ["other_id"])
    op.create_table(
        "merges",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kept_id", _ID, nullable=False),
        sa.Column("gone_id", _ID, nullable=False),
        sa.Column("merged_at", UtcDateTime(), nullable=False),
        sa.Column("merged_by", _ID, nullable=True),
        sa.Column("journal", sa.JSON(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("undone_by", _ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["kept_id"], ["young_people.id"], name=op.f("fk_merges_kept_id_young_people")
        ),
        sa.ForeignKeyConstraint(
            ["gone_id"], ["young_people.id"], name=op.f("fk_merges_gone_id_young_people")
        ),
        sa.ForeignKeyConstraint(["merged_by"], ["users.id"], name=op.f("fk_merges_merged_by_users")),
        sa.ForeignKeyConstraint(["undone_by"], ["users.id"], name=op.f("fk_merges_undone_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merges")),
    )
    op.create_index("ix_merges_gone_id", "merges", ["gone_id"])
    op.create_index("ix_merges_kept_id", "merges", ["kept_id"])
    op.create_index("ix_young_people_birth_date", "young_people", ["birth_date"])


def _drop_merges() -> None:
    op.drop_index("ix_young_people_birth_date", table_name="young_people")
    op.drop_table("merges")
    op.drop_table("duplicate_pairs")


def _create_changes() -> None:
    op.create_table(
        "list_changes",
        sa.Column("id", _ID, nullable=False),
        sa.Column("list_file_id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_file_id"], ["list_files.id"], name=op.f("fk_list_changes_list_file_id_list_files")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["young_people.id"], name=op.f("fk_list_changes_person_id_young_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_changes")),
    )
    op.create_index("ix_list_changes_list_file_id", "list_changes", ["list_file_id", "id"])
    op.create_index("ix_list_changes_person_id", "list_changes", ["person_id"])
    with op.batch_alter_table("list_files") as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(length=10), server_default="page", nullable=False))
        batch_op.add_column(sa.Column("compared_at", UtcDateTime(), nullable=True))
    op.create_table(
        "list_bytes",
        sa.Column("list_file_id", _ID, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_file_id"], ["list_files.id"], name=op.f("fk_list_bytes_list_file_id_list_files")
        ),
        sa.PrimaryKeyConstraint("list_file_id", name=op.f("pk_list_bytes")),
    )
    op.execute(
        "INSERT INTO list_bytes (list_file_id, content)"
        " SELECT id, content FROM list_files WHERE content IS NOT NULL"
    )
    with op.batch_alter_table("list_files") as batch_op:
        batch_op.drop_column("content")
    op.execute("UPDATE list_files SET compared_at = finished_at WHERE state = 'imported'")
    op.execute(
        "UPDATE list_files SET problem = CASE WHEN problem LIKE '%pleine%' THEN 'storage_full'"
        " ELSE 'database_refused' END WHERE problem IS NOT NULL"
    )


def _drop_changes() -> None:
    with op.batch_alter_table("list_files") as batch_op:
        batch_op.add_column(sa.Column("content", sa.LargeBinary(), nullable=True))
    op.execute(
        "UPDATE list_files SET content ="
        " (SELECT content FROM list_bytes WHERE list_bytes.list_file_id = list_files.id)"
    )
    op.drop_table("list_bytes")
    op.execute("UPDATE list_files SET state = 'failed' WHERE state = 'undone'")
    with op.batch_alter_table("list_files") as batch_op:
        batch_op.drop_column("compared_at")
        batch_op.drop_column("source")
    op.drop_table("list_changes")
