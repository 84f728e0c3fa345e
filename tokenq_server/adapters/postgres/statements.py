"""The ledger's SQL, one sentence each."""

from psycopg.sql import SQL, Identifier

from tokenq_server.adapters.postgres.rows import TOKEN_COLUMNS

_TOKENS = SQL(", ").join(map(Identifier, TOKEN_COLUMNS))

# Lock the departments' rows in id order, so that two processes cannot deadlock.
LOCK = """
SELECT department_id FROM dept_state WHERE department_id = ANY(%s) ORDER BY department_id FOR UPDATE
"""

# Read what orders them. A statement of its own: it sees what was committed while the lock was waited for.
LOCKED = """
SELECT d.department_id, d.name, d.branch_id, d.is_open, d.prefix, d.number_format,
       d.ratio_priority, d.ratio_normal, make_interval(mins => d.max_wait_minutes) AS max_wait,
       d.rules::text AS rules, b.timezone, b.rollover_hour, b.hours::text AS branch_hours,
       s.day, s.last_no, s.last_seq, s.turn_priority, s.turn_normal,
       s.waiting_urgent, s.waiting_priority, s.waiting_normal, s.skipped
FROM dept_state s
JOIN department d USING (department_id)
JOIN branch b USING (branch_id)
WHERE s.department_id = ANY(%s) AND (%s OR NOT d.is_archived)
"""

# The database's clock, read when the locks are held.
NOW = "SELECT clock_timestamp() AS now"

# Every token a batch names: by id, by the counter that holds it, by the user who holds it.
TOKENS_WANTED = SQL("""
SELECT {columns} FROM token WHERE token_id = ANY(%s)
UNION
SELECT {columns} FROM token
WHERE state IN ('CALLED', 'SERVING') AND (branch_id, counter_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
UNION
SELECT {columns} FROM token
WHERE state IN ('WAITING', 'CALLED', 'SERVING', 'PARKED')
  AND (department_id, user_id) IN (SELECT * FROM unnest(%s::text[], %s::bigint[]))
""").format(columns=_TOKENS)

COUNTERS_WANTED = """
SELECT branch_id, counter_id, state, reason, operator, operator_identity, lease_until, departments, is_declared
FROM counter WHERE (branch_id, counter_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
"""

# Whose time to come back has come.
DUE_PARKED = SQL("""
SELECT {columns} FROM token
WHERE department_id = ANY(%s) AND state = 'PARKED' AND parked_until <= clock_timestamp()
ORDER BY parked_until, token_id
""").format(columns=_TOKENS)

# A call at a counter that was never seen opens it.
OPEN_COUNTERS = """
INSERT INTO counter (branch_id, counter_id, state)
SELECT branch_id, counter_id, 'OPEN' FROM unnest(%s::text[], %s::text[]) AS u(branch_id, counter_id)
ORDER BY 1, 2
ON CONFLICT (branch_id, counter_id) DO NOTHING
"""

CONTACTS = "SELECT user_id, name, email FROM app_user WHERE user_id = ANY(%s) AND NOT is_disabled"

REMEMBERED = """
SELECT principal, key, fingerprint, status, body FROM idempotency
WHERE (principal, key) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
"""

NEW_IDS = "SELECT nextval('token_id_seq') AS id FROM generate_series(1, %s)"

# Numbers that somebody live carries, by department and as they are printed: they are not given again.
CARRIED = """
SELECT issued_in, display FROM token
WHERE state IN ('WAITING', 'CALLED', 'SERVING', 'PARKED')
  AND (issued_in, display) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
"""

TOKENS_BY_ID = SQL("SELECT {columns} FROM token WHERE token_id = ANY(%s)").format(columns=_TOKENS)

_HEADS_OF = SQL("""
(SELECT {columns} FROM token
 WHERE department_id = %s AND state = 'WAITING' AND priority = {priority}
 ORDER BY place, token_id LIMIT %s)
""")
HEADS = SQL(" UNION ALL ").join(
    _HEADS_OF.format(columns=_TOKENS, priority=priority) for priority in ("urgent", "priority", "normal")
)

LEFTOVERS = SQL("""
SELECT {columns} FROM token
WHERE department_id = %s AND state = ANY(%s)
ORDER BY place, token_id
""").format(columns=_TOKENS)

CHANGES_SINCE = """
SELECT seq, joins, token_id, priority, place FROM outbox WHERE department_id = %s AND seq > %s ORDER BY seq
"""

WAITING = "SELECT token_id, priority, place FROM token WHERE department_id = %s AND state = 'WAITING'"

# What a batch writes goes as one JSON document a table: one parameter to encode, whatever the number of rows.
INSERT_TOKENS = SQL("""
INSERT INTO token ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::token, %s)
""").format(columns=_TOKENS)

UPDATE_TOKENS = """
UPDATE token SET department_id = c.department_id, state = c.state, priority = c.priority, place = c.place,
  original_place = c.original_place, waiting_since = c.waiting_since,
  counter_id = c.counter_id, claim_version = c.claim_version, calls = c.calls, reason = c.reason,
  called_at = c.called_at, started_at = c.started_at, served_at = c.served_at, last_call_at = c.last_call_at,
  parked_at = c.parked_at, parked_until = c.parked_until, is_near_told = c.is_near_told, undo = c.undo
FROM json_populate_recordset(NULL::token, %s) AS c
WHERE token.token_id = c.token_id
"""

INSERT_OUTBOX = """
INSERT INTO outbox (department_id, seq, event_type, token_id, payload, joins, priority, place, at, note)
SELECT department_id, seq, event_type, token_id, payload, joins, priority, place, at, note
FROM json_populate_recordset(NULL::outbox, %s)
"""

REMEMBER = """
INSERT INTO idempotency (principal, key, fingerprint, status, body)
SELECT principal, key, fingerprint, status, body FROM json_populate_recordset(NULL::idempotency, %s)
"""

UPDATE_STANDING = """
UPDATE dept_state SET day = %s, last_no = %s, last_seq = %s, turn_priority = %s, turn_normal = %s,
  waiting_urgent = %s, waiting_priority = %s, waiting_normal = %s, skipped = %s
WHERE department_id = %s
"""
