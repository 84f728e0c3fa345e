"""The audit: security events.

Made while the release before is at work, which does not know the table: what happens in it meanwhile is not audited.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE IF NOT EXISTS audit (
  audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  actor text,
  actor_id text,
  source text,
  target text NOT NULL,
  result text NOT NULL CONSTRAINT audit_result CHECK (result IN ('done', 'refused')),
  code text,
  detail text,
  request_id text,
  count bigint NOT NULL DEFAULT 1
)
"""
_BY_TIME = "CREATE INDEX IF NOT EXISTS audit_at ON audit (at)"
_BY_KIND = "CREATE INDEX IF NOT EXISTS audit_kind ON audit (kind, audit_id)"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(_TABLE)
        op.execute(_BY_TIME)
        op.execute(_BY_KIND)


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
