"""Dead letters are found by an index: those of a letter, those to copy, and the open ones among all that ever were.

Made while the release before is at work.
"""

from alembic import op

from tokenq_server.adapters.postgres.migrations.indexes import build_concurrently

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_INDEXES = {
    "mail_dlq_letter": "(department_id, seq, kind, channel) WHERE department_id IS NOT NULL",
    "mail_dlq_uncopied": "(dlq_id) WHERE NOT copied",
    "mail_dlq_open": "(dlq_id) WHERE state = 'open' OR reason = 'not kept'",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, rows in _INDEXES.items():
            build_concurrently(name, f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON mail_dlq {rows}")


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
