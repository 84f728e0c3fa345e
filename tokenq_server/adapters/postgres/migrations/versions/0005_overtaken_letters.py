"""A letter may be overtaken: what it says is no longer true, and it is not sent.

Made while the release before is at work: each step is a transaction of its own and may be repeated. The wider
constraint admits whatever that release writes, and its notify passes over states that it does not know.
"""

from alembic import op

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


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(_STATES)
        op.execute(_VALIDATE)


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
