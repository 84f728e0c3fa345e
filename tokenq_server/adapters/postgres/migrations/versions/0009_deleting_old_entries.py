"""Deleting old entries of the log: up to which entry and day they are deleted, and the function that deletes them.

The API may only append to the log. It deletes by a function of the tables' owner, which takes nothing but the beginning
of a department's log. Made while the release before is at work, which does not know it.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COLUMNS = (
    "ALTER TABLE dept_state ADD COLUMN IF NOT EXISTS log_floor bigint NOT NULL DEFAULT 0",
    "ALTER TABLE dept_state ADD COLUMN IF NOT EXISTS log_floor_day date NOT NULL DEFAULT '0001-01-01'",
)

# Deletes at most ``most`` entries, and returns how many: NULL if others hold the department's row, since this can wait.
# What stays: the last entry, what is not published, the last business day, and whatever comes after an entry that
# stays. An entry's business day is that of its time; of a token, those of its number and of its end count, too. An
# entry whose token is missing, and what follows a hole, stay as evidence. Of tokens from before a rewind that are still
# live, the log may have no other trace than the rewind.
_DELETE = """
CREATE OR REPLACE FUNCTION delete_old_entries(chosen text, days integer, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  floor bigint;
  top bigint;
  zone text;
  night interval;
  first_day date;
  stays bigint;
  last_day date;
BEGIN
  SELECT s.log_floor, least(s.log_floor + most, s.last_seq - 1, c.seq), b.timezone,
    make_interval(hours => b.rollover_hour)
  INTO floor, top, zone, night
  FROM dept_state s JOIN relay_cursor c USING (department_id)
  JOIN department d USING (department_id) JOIN branch b USING (branch_id)
  WHERE s.department_id = chosen FOR UPDATE OF s SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  first_day := (clock_timestamp() AT TIME ZONE zone - night)::date - greatest(days, 1);

  SELECT o.seq INTO stays FROM outbox o LEFT JOIN token t ON t.token_id = o.token_id
  WHERE o.department_id = chosen AND o.seq > floor AND o.seq <= top AND (
    (o.at AT TIME ZONE zone - night)::date >= first_day
    OR o.token_id <> 0 AND (t.token_id IS NULL OR t.state IN ('WAITING', 'CALLED', 'SERVING', 'PARKED')
                            OR greatest(t.day, t.ended_on) >= first_day)
    OR o.event_type = 'LOG_REWOUND' AND EXISTS (
      SELECT FROM token l WHERE l.department_id = chosen AND l.state IN ('WAITING', 'CALLED', 'SERVING', 'PARKED')
      AND l.issued_at <= o.at))
  ORDER BY o.seq LIMIT 1;
  top := coalesce(stays - 1, top);
  SELECT max(e.seq), max(e.day) INTO top, last_day FROM (
    SELECT o.seq, greatest(t.day, (o.at AT TIME ZONE zone - night)::date) AS day,
      floor + row_number() OVER (ORDER BY o.seq) AS expected
    FROM outbox o LEFT JOIN token t ON t.token_id = o.token_id
    WHERE o.department_id = chosen AND o.seq > floor AND o.seq <= top
  ) AS e WHERE e.seq = e.expected;
  IF top IS NULL THEN
    RETURN 0;
  END IF;
  DELETE FROM outbox o WHERE o.department_id = chosen AND o.seq > floor AND o.seq <= top;
  UPDATE dept_state s SET log_floor = top, log_floor_day = greatest(s.log_floor_day, last_day)
  WHERE s.department_id = chosen;
  RETURN top - floor;
END
$$
"""
_NOT_FOR_ALL = "REVOKE ALL ON FUNCTION delete_old_entries(text, integer, integer) FROM PUBLIC"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in (*_COLUMNS, _DELETE, _NOT_FOR_ALL):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
