"""Where Alembic finds the connection: the one that `index_file.migrate` hands over."""

from alembic import context

from lamppost.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite can roll back DDL; a half-made schema would stop every later start.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
