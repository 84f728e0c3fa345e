"""Languages: the one that a customer reads, and what a branch shows and in which languages.

Made while the release before is at work, which neither reads nor writes the columns.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE token ADD COLUMN IF NOT EXISTS language text")
        op.execute("ALTER TABLE branch ADD COLUMN IF NOT EXISTS settings jsonb NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
