"""Who wrote the reason of a counter's pause: it may stay while others claim the counter, and is erased with its author.

Made while the release before is at work, which does not write the column: a reason whose author is not known goes with
anybody who is erased.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE counter ADD COLUMN IF NOT EXISTS reason_by text")


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
