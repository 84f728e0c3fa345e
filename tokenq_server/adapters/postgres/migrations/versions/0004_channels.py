"""A letter's key has a channel; whatever names none is e-mail.

Made while the release before is at work: each step is a transaction of its own and may be repeated. What that release
goes on writing gets its channel by the columns' defaults, and its statements name no constraint.
"""

from alembic import op

from tokenq_server.adapters.postgres.migrations.indexes import build_concurrently

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COLUMNS = (
    "ALTER TABLE mail_job ADD COLUMN IF NOT EXISTS channel text NOT NULL DEFAULT 'email'",
    "ALTER TABLE mail_dlq ADD COLUMN IF NOT EXISTS channel text DEFAULT 'email'",
)
_INDEX = """
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS mail_job_with_channel ON mail_job (department_id, seq, kind, channel)
"""
_IS_SWAPPED = """
SELECT 1 FROM pg_constraint WHERE conname = 'mail_job_pkey' AND cardinality(conkey) = 4
"""
# One transaction, as whatever is sent at once. Its patience is shorter than deadlock_timeout (1 s): where a notify
# holds one table and waits for the other, it is the migration that gives up, and is tried again.
_SWAP = """
SET LOCAL lock_timeout = '400ms';
LOCK TABLE mail_job, mail_dlq IN ACCESS EXCLUSIVE MODE;
ALTER TABLE mail_dlq DROP CONSTRAINT mail_dlq_job;
ALTER TABLE mail_job DROP CONSTRAINT mail_job_pkey,
  ADD CONSTRAINT mail_job_pkey PRIMARY KEY USING INDEX mail_job_with_channel;
ALTER TABLE mail_dlq ADD CONSTRAINT mail_dlq_job FOREIGN KEY (department_id, seq, kind, channel)
  REFERENCES mail_job (department_id, seq, kind, channel) NOT VALID
"""
_VALIDATE = "ALTER TABLE mail_dlq VALIDATE CONSTRAINT mail_dlq_job"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        bind = op.get_bind()
        for statement in _COLUMNS:
            op.execute(statement)
        if not bind.exec_driver_sql(_IS_SWAPPED).scalar_one_or_none():
            build_concurrently("mail_job_with_channel", _INDEX)
            bind.exec_driver_sql(_SWAP)
        op.execute(_VALIDATE)


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
