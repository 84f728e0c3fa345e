"""Alembic's entry: runs the scripts on the connection that migrate() opened."""

from alembic import context

from tokenq_server.adapters.postgres.notification_tables import mail_job

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=mail_job.metadata, compare_type=True, transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
