"""Rules and hours of departments, counters, and what the newer verbs need of a token.

Made while the release before is at work: each step is a transaction of its own and may be repeated, no table is
rewritten, and what the old release writes meanwhile, and afterwards, is completed by a trigger.
"""

import time

import sqlalchemy as sa
from alembic import op

from tokenq_server.adapters.postgres.migrations.locks import LONG_LOCKS, SHORT_LOCKS

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PIECE = 5_000
"""Tokens that are completed in one transaction: a fraction of a second."""

_PAUSE = 0.2
"""Seconds between two rounds, while somebody holds a token that is not complete."""

# The release before knew these two letters; an upgrade makes nobody write others. As the default it is also for the
# departments which that release makes meanwhile and afterwards: this one always says which letters it wants.
_RULES = """
ALTER TABLE department
  ADD COLUMN IF NOT EXISTS rules jsonb NOT NULL DEFAULT '{"letters": ["issued", "served"]}'
"""
_COUNTER = """
CREATE TABLE IF NOT EXISTS counter (
  branch_id text NOT NULL REFERENCES branch ON DELETE CASCADE,
  counter_id text NOT NULL,
  state text NOT NULL CONSTRAINT counter_state CHECK (state IN ('OPEN', 'PAUSED', 'CLOSED')),
  reason text,
  operator text,
  operator_identity text,
  lease_until timestamptz,
  departments text[] NOT NULL DEFAULT '{}',
  is_declared boolean NOT NULL DEFAULT false,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (branch_id, counter_id)
)
"""
_TOKEN_COLUMNS = """
ALTER TABLE token
  ADD COLUMN IF NOT EXISTS issued_in text,
  ADD COLUMN IF NOT EXISTS last_call_at timestamptz,
  ADD COLUMN IF NOT EXISTS parked_at timestamptz,
  ADD COLUMN IF NOT EXISTS parked_until timestamptz,
  ADD COLUMN IF NOT EXISTS near_turn smallint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS is_near_told boolean NOT NULL DEFAULT false,
  ADD COLUMN IF NOT EXISTS estimate_low integer,
  ADD COLUMN IF NOT EXISTS estimate_high integer,
  ADD COLUMN IF NOT EXISTS undo jsonb
"""
# In the release before, a token never left the department that issued it, and was called once.
_COMPLETE = """
CREATE OR REPLACE FUNCTION token_of_0001() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.issued_in := coalesce(NEW.issued_in, NEW.department_id);
  NEW.last_call_at := coalesce(NEW.last_call_at, NEW.called_at);
  RETURN NEW;
END $$
"""
_TRIGGER = """
CREATE OR REPLACE TRIGGER token_of_0001 BEFORE INSERT OR UPDATE ON token FOR EACH ROW
WHEN (NEW.issued_in IS NULL
      OR NEW.last_call_at IS NULL AND NEW.called_at IS NOT NULL AND NEW.state IN ('CALLED', 'SERVING'))
EXECUTE FUNCTION token_of_0001()
"""
# The trigger does it; a row that somebody holds is left for the next round, so nobody waits for anybody.
_FILL = """
WITH piece AS (
  SELECT token_id FROM token WHERE token_id > %(after)s AND issued_in IS NULL
  ORDER BY token_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), filled AS (UPDATE token SET issued_in = department_id FROM piece WHERE token.token_id = piece.token_id
              RETURNING token.token_id)
SELECT max(token_id) FROM filled
"""
_NOT_NULL = (
    "ALTER TABLE token DROP CONSTRAINT IF EXISTS token_issued_in",
    "ALTER TABLE token ADD CONSTRAINT token_issued_in CHECK (issued_in IS NOT NULL) NOT VALID",
    "ALTER TABLE token VALIDATE CONSTRAINT token_issued_in",
    "ALTER TABLE token ALTER issued_in SET NOT NULL",  # believes the constraint, and does not look
    "ALTER TABLE token DROP CONSTRAINT token_issued_in",
)
_INDEXES = {
    "token_issued": "UNIQUE INDEX CONCURRENTLY token_issued ON token (issued_in, day, number)",
    "token_day": "INDEX CONCURRENTLY token_day ON token (department_id, day)",
    "token_near": "INDEX CONCURRENTLY token_near ON token (department_id)"
    " WHERE state = 'WAITING' AND near_turn > 0 AND NOT is_near_told",
}
_NUMBER_IS_OLD = """
SELECT pg_get_constraintdef(oid) LIKE '%%(department_id,%%' FROM pg_constraint
WHERE conname = 'token_number' AND conrelid = 'token'::regclass
"""
_SWAP = """
ALTER TABLE token DROP CONSTRAINT token_number, ADD CONSTRAINT token_number UNIQUE USING INDEX token_issued
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(SHORT_LOCKS)  # a try before this one may have ended anywhere
        op.execute("ALTER TABLE branch ADD COLUMN IF NOT EXISTS hours jsonb")
        op.execute(_RULES)
        op.execute(_COUNTER)
        op.execute(_TOKEN_COLUMNS)
        op.execute(_COMPLETE)
        op.execute(_TRIGGER)
        _fill()
        for statement in _NOT_NULL:
            op.execute(statement)
        if op.get_bind().exec_driver_sql(_NUMBER_IS_OLD).scalar_one():
            _index("token_issued")
            op.execute(_SWAP)
        _index("token_day")
        _index("token_near")


def _fill() -> None:
    bind, after = op.get_bind(), 0
    while True:
        found = bind.exec_driver_sql(_FILL, {"after": after, "limit": _PIECE}).scalar_one()
        if found is not None:
            after = found
        elif bind.exec_driver_sql("SELECT EXISTS (SELECT FROM token WHERE issued_in IS NULL)").scalar_one():
            time.sleep(_PAUSE)
            after = 0
        else:
            break
    op.execute(
        "UPDATE token SET last_call_at = called_at WHERE state IN ('CALLED', 'SERVING') AND last_call_at IS NULL"
    )


def _index(name: str) -> None:
    """Build it beside everything else; one that was left half-built is thrown away first."""
    bind = op.get_bind()
    bind.exec_driver_sql(LONG_LOCKS)
    try:
        valid = bind.exec_driver_sql(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%(name)s)", {"name": name}
        ).scalar_one_or_none()
        if valid is False:
            op.execute(sa.text(f"DROP INDEX CONCURRENTLY {name}"))
        if not valid:
            op.execute(sa.text(f"CREATE {_INDEXES[name]}"))
    finally:
        bind.exec_driver_sql(SHORT_LOCKS)


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
