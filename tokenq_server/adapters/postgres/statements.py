"""Statements on the ledger's tables, each composed once at import."""

from typing import LiteralString

from psycopg.sql import SQL, Composable, Identifier, Literal

from tokenq.contract.enums import LIVE, TokenState
from tokenq_server.adapters.postgres.department_rows import DEPARTMENT, HEAD_COLUMNS
from tokenq_server.adapters.postgres.log_rows import LOG_COLUMNS
from tokenq_server.adapters.postgres.rows import COUNTER
from tokenq_server.domain.policy import RANK
from tokenq_server.domain.token import CHANGING_FIELDS, TOKEN_FIELDS


def names(columns: tuple[str, ...], form: LiteralString = "{}") -> Composable:
    """A list of columns."""
    return SQL(", ").join(SQL(form).format(Identifier(column)) for column in columns)


_LISTS = {
    "token": names(TOKEN_FIELDS),
    "changing": names(CHANGING_FIELDS, "{0} = c.{0}"),
    "log": names(LOG_COLUMNS),
    "counter": names(COUNTER),
    "department": SQL(DEPARTMENT),
    "head": names(HEAD_COLUMNS, "s.{}"),
    "new_head": names(HEAD_COLUMNS, "{} = %s"),
    # Literals, not parameters: the partial indexes over live tokens are only used if the planner sees the states.
    "live": SQL(", ").join(Literal(str(state)) for state in TokenState if state in LIVE),
    "classes": SQL(", ").join(Literal(str(priority)) for priority in RANK),
}


def statement(text: LiteralString, **parts: Composable) -> str:
    """Return a statement with the column lists that it names in braces."""
    return SQL(text).format(**_LISTS, **parts).as_string()


# Lock the departments' rows in id order, so that two processes cannot deadlock. Whoever locks more locks departments
# first, then accounts, then counters.
LOCK = """
SELECT department_id FROM dept_state WHERE department_id = ANY(%s) ORDER BY department_id FOR UPDATE
"""

COUNTERS_OF_BRANCH = statement("SELECT {counter} FROM counter WHERE branch_id = %s")

# Read the heads. A separate statement: it sees what was committed while waiting for the lock.
LOCKED = statement("""
SELECT {department}, {head}
FROM dept_state s
JOIN department d USING (department_id)
JOIN branch b USING (branch_id)
WHERE s.department_id = ANY(%s) AND (%s OR NOT d.is_archived)
""")

# The database's clock, read once the locks are held.
NOW = "SELECT clock_timestamp() AS now"

# What a batch names is looked up one by one, each by its unique key. Of a table that grows from nothing within a
# minute, the planner does not know yet that it must not be read as a whole.

# Every token of a batch: by id, by the counter that holds it, by the user who holds it; some of them more than once.
TOKENS_OF_BATCH = statement("""
SELECT {token} FROM token WHERE token_id = ANY(%s)
UNION ALL
SELECT found.* FROM unnest(%s::text[], %s::text[]) AS named(branch_id, counter_id) CROSS JOIN LATERAL (
  SELECT {token} FROM token t
  WHERE t.state IN ('CALLED', 'SERVING') AND (t.branch_id, t.counter_id) = (named.branch_id, named.counter_id) LIMIT 1
) AS found
UNION ALL
SELECT found.* FROM unnest(%s::text[], %s::bigint[]) AS named(department_id, user_id) CROSS JOIN LATERAL (
  SELECT {token} FROM token t
  WHERE t.state IN ({live}) AND (t.department_id, t.user_id) = (named.department_id, named.user_id) LIMIT 1
) AS found
""")

# The counters of a batch; where one of them does not exist, all of its branch.
COUNTERS_OF_BATCH = statement("""
WITH place AS (SELECT * FROM unnest(%s::text[], %s::text[]) AS place(branch_id, counter_id)),
found AS (
  SELECT found.* FROM place CROSS JOIN LATERAL (
    SELECT {counter} FROM counter c WHERE (c.branch_id, c.counter_id) = (place.branch_id, place.counter_id) LIMIT 1
  ) AS found
)
SELECT {counter} FROM found
UNION
SELECT {counter} FROM counter
WHERE branch_id IN (SELECT branch_id FROM (TABLE place EXCEPT SELECT branch_id, counter_id FROM found) AS missing)
""")

# Parked tokens that are due.
DUE_PARKED = statement("""
SELECT {token} FROM token
WHERE department_id = ANY(%s) AND state = 'PARKED' AND parked_until <= clock_timestamp()
ORDER BY parked_until, token_id
""")

# A call at an unknown counter creates and opens it.
OPEN_COUNTERS = """
INSERT INTO counter (branch_id, counter_id, state)
SELECT branch_id, counter_id, 'OPEN' FROM unnest(%s::text[], %s::text[]) AS u(branch_id, counter_id)
ORDER BY 1, 2
ON CONFLICT (branch_id, counter_id) DO NOTHING
"""

# Waits for whoever changes or erases an account, and makes them wait: else a token would keep what is erased meanwhile.
CONTACTS = """
SELECT user_id, name, email FROM app_user WHERE user_id = ANY(%s) AND NOT is_disabled ORDER BY user_id FOR KEY SHARE
"""

REMEMBERED = """
SELECT found.* FROM unnest(%s::text[], %s::text[]) AS named(principal, key) CROSS JOIN LATERAL (
  SELECT principal, key, fingerprint, status, body FROM idempotency i
  WHERE (i.principal, i.key) = (named.principal, named.key) LIMIT 1
) AS found
"""

NEW_IDS = "SELECT nextval('token_id_seq') AS id FROM generate_series(1, %s)"

# Printed numbers, by department, that live tokens carry and that must not be issued.
CARRIED = statement("""
SELECT found.* FROM unnest(%s::text[], %s::text[]) AS named(issued_in, display) CROSS JOIN LATERAL (
  SELECT t.issued_in, t.display FROM token t
  WHERE t.state IN ({live}) AND (t.issued_in, t.display) = (named.issued_in, named.display) LIMIT 1
) AS found
""")

# A token's place is the seq of the entry that brought it to its department. So the last seq there before a token
# arrived elsewhere sorts that token by arrival. If another one has this place, it arrived before and has the lower id.
# The log is bisected, since this runs under the row locks: a token that a department kept may have come days ago.
# The entries of tokens that wait there are never deleted: behind what is deleted is before all of them.
PLACES_BY_ARRIVAL = """
WITH RECURSIVE search (department_id, token_id, issued_at, low, high) AS (
    SELECT a.department_id, a.token_id, t.issued_at, s.log_floor, s.last_seq
    FROM unnest(%s::text[], %s::bigint[]) AS a(department_id, token_id)
    JOIN token t ON t.token_id = a.token_id JOIN dept_state s ON s.department_id = a.department_id
    UNION ALL
    SELECT n.department_id, n.token_id, n.issued_at,
      CASE WHEN o.at <= n.issued_at THEN n.middle ELSE n.low END,
      CASE WHEN o.at <= n.issued_at THEN n.high ELSE n.middle - 1 END
    FROM (SELECT *, (low + high + 1) / 2 AS middle FROM search WHERE low < high) AS n
    LEFT JOIN outbox o ON (o.department_id, o.seq) = (n.department_id, n.middle)
)
SELECT department_id, token_id, low AS place FROM search WHERE low >= high
"""

TOKENS_BY_ID = statement("SELECT {token} FROM token WHERE token_id = ANY(%s)")

_FIRST_OF_CLASS: LiteralString = """
(SELECT {token} FROM token
 WHERE department_id = %(department_id)s AND state = 'WAITING' AND priority = {priority}
 ORDER BY place, token_id LIMIT %(count)s)
"""
HEADS = " UNION ALL ".join(statement(_FIRST_OF_CLASS, priority=Literal(str(priority))) for priority in RANK)

LEFTOVERS = statement("""
SELECT {token} FROM token
WHERE department_id = %s AND state = ANY(%s)
ORDER BY place, token_id
""")

CHANGES_SINCE = """
SELECT seq, joins, token_id, priority, place FROM outbox WHERE department_id = %s AND seq > %s ORDER BY seq
"""

WAITING = "SELECT token_id, priority, place FROM token WHERE department_id = %s AND state = 'WAITING'"

# What a batch writes goes as one JSON document a table: one parameter to encode, whatever the number of rows.
INSERT_TOKENS = statement("INSERT INTO token ({token}) SELECT {token} FROM json_populate_recordset(NULL::token, %s)")

UPDATE_TOKENS = statement("""
UPDATE token SET {changing} FROM json_populate_recordset(NULL::token, %s) AS c WHERE token.token_id = c.token_id
""")

APPEND_TO_LOG = statement("INSERT INTO outbox ({log}) SELECT {log} FROM json_populate_recordset(NULL::outbox, %s)")

REMEMBER = """
INSERT INTO idempotency (principal, key, fingerprint, status, body)
SELECT principal, key, fingerprint, status, body FROM json_populate_recordset(NULL::idempotency, %s)
"""

UPDATE_HEAD = statement("UPDATE dept_state SET {new_head} WHERE department_id = %s")
