"""The lobby: languages of customers and branches, and the key of the links on tickets.

Made while the release before is at work, which neither reads nor writes any of it.
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
        op.execute("CREATE TABLE IF NOT EXISTS server_key (name text PRIMARY KEY, value bytea NOT NULL)")


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
