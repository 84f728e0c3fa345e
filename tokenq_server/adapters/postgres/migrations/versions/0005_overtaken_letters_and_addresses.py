"""A letter may be overtaken: what it says is no longer true, and it is not sent. Live tokens are found by address.

Made while the release before is at work: each step is a transaction of its own and may be repeated. The wider
constraint admits whatever that release writes, and its notify passes over states that it does not know.
"""

from alembic import op

from tokenq_server.adapters.postgres.migrations.indexes import build_concurrently

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# One statement, so that at no time a row is written unchecked. Only the second looks at the rows, and blocks nobody.
_STATES = """
ALTER TABLE mail_job DROP CONSTRAINT IF EXISTS mail_job_state,
  ADD CONSTRAINT mail_job_state
    CHECK (state IN ('due', 'sending', 'sent', 'overtaken', 'dead', 'dropped')) NOT VALID
"""
_VALIDATE = "ALTER TABLE mail_job VALIDATE CONSTRAINT mail_job_state"
_INDEX = """
CREATE INDEX CONCURRENTLY IF NOT EXISTS token_live_address ON token (branch_id, lower(email))
WHERE state IN ('WAITING', 'CALLED', 'SERVING', 'PARKED') AND email IS NOT NULL
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(_STATES)
        op.execute(_VALIDATE)
        build_concurrently("token_live_address", _INDEX)


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
