"""The only home of SQLAlchemy: tables, queries, the journal."""
