"""Indexes made while the release before is at work."""

from alembic import op

from tokenq_server.adapters.postgres.migrations.locks import LONG_LOCKS, SHORT_LOCKS


def build_concurrently(name: str, statement: str) -> None:
    """Build an index by ``CREATE INDEX CONCURRENTLY IF NOT EXISTS``; an invalid one, of an attempt that failed, anew.

    Call it in an autocommit block.
    """
    bind = op.get_bind()
    bind.exec_driver_sql(LONG_LOCKS)
    try:
        is_valid = f"SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{name}')"  # noqa: S608 (our name)
        if bind.exec_driver_sql(is_valid).scalar_one_or_none() is False:
            bind.exec_driver_sql(f"DROP INDEX CONCURRENTLY {name}")
        bind.exec_driver_sql(statement)
    finally:
        bind.exec_driver_sql(SHORT_LOCKS)
