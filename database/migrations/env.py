"""Alembic's entry: runs the migrations on the connection that ``database.schema`` hands over."""

from alembic import context

import database.identity_models
import database.index_models
import database.upstream_models  # noqa: F401 - their tables belong to the metadata
from database.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
