"""The business day on which a token became final: until it is over, staff can return the customer to the queue.

Made while the release before is at work: each step is a transaction of its own and may be repeated. That release leaves
the column empty, and then the day of the number counts.
"""

from alembic import op

from tokenq_server.adapters.postgres.migrations.indexes import build_concurrently

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COLUMN = "ALTER TABLE token ADD COLUMN IF NOT EXISTS ended_on date"
# Only tokens that outlived the day of their number: hardly any, so that writing it costs nothing.
_INDEX = """
CREATE INDEX CONCURRENTLY IF NOT EXISTS token_ended_later ON token (ended_on, department_id) WHERE ended_on > day
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(_COLUMN)
        build_concurrently("token_ended_later", _INDEX)


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
