"""The search: a narrow row to sort by, licences and classifiers, a full-text index that also has facts to filter by."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables, and the full-text index anew and empty: the program fills it at the end of an upgrade."""
    _listings()
    _facets()
    op.execute("DROP TABLE search")
    op.execute("DELETE FROM words")
    op.execute(
        "CREATE VIRTUAL TABLE search USING fts5 (start, name, middle, about, description, facts, "
        "tokenize='ascii', detail='column', prefix='2 3')"
    )
    op.execute("CREATE VIRTUAL TABLE search_terms USING fts5vocab (search, row)")


def _listings() -> None:
    op.create_table(
        "listings",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("index_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("downloads", sa.BigInteger(), nullable=False),
        sa.Column("is_yanked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_listings_project_id_projects"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["index_id"], ["indexes.id"], name=op.f("fk_listings_index_id_indexes")),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_listings")),
    )
    op.create_index("ix_listings_index_id_name", "listings", ["index_id", "name"], unique=False)
    op.create_index("ix_listings_index_id_updated", "listings", ["index_id", "updated"], unique=False)
    op.create_index("ix_listings_index_id_downloads", "listings", ["index_id", "downloads", "name"], unique=False)


def _facets() -> None:
    op.create_table(
        "facets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("index_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("projects", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["indexes.id"], name=op.f("fk_facets_index_id_indexes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facets")),
    )
    op.create_index("uq_facets_index_id_kind_value", "facets", ["index_id", "kind", "value"], unique=True)
    op.create_index("ix_facets_index_id_kind_projects", "facets", ["index_id", "kind", "projects"], unique=False)
    op.create_table(
        "project_facets",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("facet_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_project_facets_project_id_projects"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["facet_id"], ["facets.id"], name=op.f("fk_project_facets_facet_id_facets")),
        sa.PrimaryKeyConstraint("project_id", "facet_id", name=op.f("pk_project_facets")),
    )
