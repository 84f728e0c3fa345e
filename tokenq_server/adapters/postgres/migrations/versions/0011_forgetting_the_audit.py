"""Old entries of the audit are deleted by a function of the tables' owner: the API cannot remove its own traces.

Made while the release before is at work.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_FORGET = """
CREATE OR REPLACE FUNCTION delete_old_audit(days integer, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  deleted bigint;
BEGIN
  DELETE FROM audit a WHERE a.audit_id IN (
    SELECT o.audit_id FROM audit o
    WHERE o.at < clock_timestamp() - make_interval(days => greatest(days, 1)) ORDER BY o.at LIMIT most
  );
  GET DIAGNOSTICS deleted = ROW_COUNT;
  RETURN deleted;
END
$$
"""
_NOT_FOR_ALL = "REVOKE ALL ON FUNCTION delete_old_audit(integer, integer) FROM PUBLIC"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in (_FORGET, _NOT_FOR_ALL):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
