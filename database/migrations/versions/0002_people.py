"""People: where accounts come from, teams, roles, scopes of tokens, second factors, trusted publishers, provenance."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables and columns.

    Earlier tokens keep all they could do and earlier sessions end. Whoever first uploaded to a project owns it, and
    the others who did are its maintainers, so that nobody is shut out and no other uploader can take it over.
    """
    _widened()
    _teams()
    _linked_identities()
    _used_tickets()
    _factors()
    _recovery_codes()
    _grants()
    _name_patterns()
    _team_members()
    _publishers()
    _minted_tokens()
    _seen_identity_tokens()
    _provenances()
    _owners_of_what_is_there()


def _widened() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("source", sa.String(length=20), nullable=False, server_default="table"))
    with op.batch_alter_table("tokens") as tokens:
        tokens.add_column(
            sa.Column("scopes", sa.String(length=100), nullable=False, server_default="read upload yank admin")
        )
        tokens.add_column(sa.Column("index_name", sa.String(length=100), nullable=True))
        tokens.add_column(sa.Column("projects", sa.JSON(), nullable=False, server_default="[]"))
        tokens.add_column(sa.Column("note", sa.Text(), nullable=False, server_default=""))
    op.execute("DELETE FROM sessions")
    with op.batch_alter_table("sessions") as sessions:
        sessions.add_column(sa.Column("public_id", sa.String(length=20), nullable=False))
        sessions.add_column(sa.Column("method", sa.String(length=40), nullable=False))
        sessions.add_column(sa.Column("proved", sa.BigInteger(), nullable=False))
        sessions.create_unique_constraint(op.f("uq_sessions_public_id"), ["public_id"])
    op.create_index("ix_journal_actor_serial", "journal", ["actor", "serial"], unique=False)
    op.create_index("ix_journal_at", "journal", ["at"], unique=False)
    op.execute(
        "UPDATE files SET has_provenance = false"
    )  # until now it said that attestations came, not that they hold


def _teams() -> None:
    op.create_table(
        "teams",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("name_key", name=op.f("uq_teams_name_key")),
    )


def _linked_identities() -> None:
    op.create_table(
        "linked_identities",
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_linked_identities_user_id_users")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_linked_identities")),
    )
    op.create_index("ix_linked_identities_user_id", "linked_identities", ["user_id"], unique=False)


def _used_tickets() -> None:
    op.create_table(
        "used_tickets",
        sa.Column("id_sha256", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id_sha256", name=op.f("pk_used_tickets")),
    )


def _factors() -> None:
    op.create_table(
        "factors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("last_used", sa.BigInteger(), nullable=True),
        sa.Column("sealed_seed", sa.Text(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("credential_id", sa.LargeBinary(), nullable=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_factors_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factors")),
        sa.UniqueConstraint("public_id", name=op.f("uq_factors_public_id")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_factors_credential_id")),
    )
    op.create_index("ix_factors_user_id", "factors", ["user_id"], unique=False)


def _recovery_codes() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", "code_sha256", name=op.f("pk_recovery_codes")),
    )


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("index_id", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["index_id"], ["indexes.id"], name=op.f("fk_grants_index_id_indexes")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_grants_user_id_users")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_grants_team_id_teams")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index("ix_grants_team_id", "grants", ["team_id"], unique=False)
    op.create_index("ix_grants_user_id", "grants", ["user_id"], unique=False)
    op.create_index("uq_grants_index_id_project_team_id", "grants", ["index_id", "project", "team_id"], unique=True)
    op.create_index("uq_grants_index_id_project_user_id", "grants", ["index_id", "project", "user_id"], unique=True)


def _name_patterns() -> None:
    op.create_table(
        "name_patterns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("index_id", sa.Integer(), nullable=False),
        sa.Column("pattern", sa.String(length=200), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_name_patterns_team_id_teams")),
        sa.ForeignKeyConstraint(["index_id"], ["indexes.id"], name=op.f("fk_name_patterns_index_id_indexes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_name_patterns")),
    )
    op.create_index("ix_name_patterns_team_id", "name_patterns", ["team_id"], unique=False)
    op.create_index("uq_name_patterns_index_id_pattern", "name_patterns", ["index_id", "pattern"], unique=True)


def _team_members() -> None:
    op.create_table(
        "team_members",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_team_members_user_id_users")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_team_members_team_id_teams")),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_team_members")),
    )
    op.create_index("ix_team_members_user_id", "team_members", ["user_id"], unique=False)


def _publishers() -> None:
    op.create_table(
        "publishers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("index_id", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("last_used", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["index_id"], ["indexes.id"], name=op.f("fk_publishers_index_id_indexes")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_publishers_created_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publishers")),
        sa.UniqueConstraint("public_id", name=op.f("uq_publishers_public_id")),
    )
    op.create_index("ix_publishers_index_id_project", "publishers", ["index_id", "project"], unique=False)
    op.create_index("ix_publishers_issuer", "publishers", ["issuer"], unique=False)


def _minted_tokens() -> None:
    op.create_table(
        "minted_tokens",
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("publisher_id", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("burned", sa.BigInteger(), nullable=True),
        sa.Column("claims", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publisher_id"],
            ["publishers.id"],
            name=op.f("fk_minted_tokens_publisher_id_publishers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_minted_tokens")),
    )
    op.create_index("ix_minted_tokens_publisher_id", "minted_tokens", ["publisher_id"], unique=False)


def _seen_identity_tokens() -> None:
    op.create_table(
        "seen_identity_tokens",
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "token_sha256", name=op.f("pk_seen_identity_tokens")),
    )


def _provenances() -> None:
    op.create_table(
        "provenances",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name=op.f("fk_provenances_file_id_files"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_provenances")),
    )


def _owners_of_what_is_there() -> None:
    op.execute(
        """
        INSERT INTO grants (index_id, project, user_id, role, created)
        SELECT projects.index_id, projects.name, users.id,
               CASE WHEN users.id = (
                   SELECT earlier_users.id FROM files AS earlier
                   JOIN users AS earlier_users ON earlier_users.username_key = lower(earlier.uploader)
                   WHERE earlier.project_id = projects.id ORDER BY earlier.uploaded, earlier.id LIMIT 1
               ) THEN 'owner' ELSE 'maintainer' END,
               min(files.uploaded)
        FROM files
        JOIN projects ON projects.id = files.project_id
        JOIN users ON users.username_key = lower(files.uploader)
        GROUP BY projects.id, projects.index_id, projects.name, users.id
        """
    )
