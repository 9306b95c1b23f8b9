"""Several indexes, their bases and upstreams, and the names that stay theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add what an index is beside its name, and the tables of what it adds to what it holds."""
    # Not in a batch, which would make the table anew: other tables point to it.
    for name in ("closed", "declared"):
        op.add_column("indexes", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    _bases()
    _upstreams()
    _names()


def _bases() -> None:
    op.create_table(
        "index_bases",
        sa.Column("index_id", sa.Integer(), nullable=False),
        sa.Column("base_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["indexes.id"], name=op.f("fk_index_bases_index_id_indexes")),
        sa.ForeignKeyConstraint(["base_id"], ["indexes.id"], name=op.f("fk_index_bases_base_id_indexes")),
        sa.PrimaryKeyConstraint("index_id", "base_id", name=op.f("pk_index_bases")),
    )
    op.create_index(op.f("ix_index_bases_base_id"), "index_bases", ["base_id"], unique=False)


def _upstreams() -> None:
    op.create_table(
        "upstreams",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("index_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("username", sa.String(length=200), nullable=False),
        sa.Column("sealed_password", sa.Text(), nullable=False),
        sa.Column("allow_private", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["indexes.id"], name=op.f("fk_upstreams_index_id_indexes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upstreams")),
        sa.UniqueConstraint("public_id", name=op.f("uq_upstreams_public_id")),
    )
    op.create_index(op.f("ix_upstreams_index_id"), "upstreams", ["index_id"], unique=False)


def _names() -> None:
    op.create_table(
        "kept_names",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("index_id", sa.Integer(), nullable=True),
        sa.Column("pattern", sa.String(length=200), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["indexes.id"], name=op.f("fk_kept_names_index_id_indexes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_names")),
    )
    op.create_index("uq_kept_names_index_id_pattern", "kept_names", ["index_id", "pattern"], unique=True)
    op.create_table(
        "opened_names",
        sa.Column("index_id", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["indexes.id"], name=op.f("fk_opened_names_index_id_indexes")),
        sa.PrimaryKeyConstraint("index_id", "project", name=op.f("pk_opened_names")),
    )
