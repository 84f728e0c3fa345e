"""The SQL about what is known about people."""

PATIENT = "SET LOCAL statement_timeout = '5min'"
"""Looking for an address reads the whole log."""

TOKEN_EXISTS = "SELECT 1 FROM token WHERE token_id = %s"

USERS_WITH_ADDRESS = "SELECT user_id FROM app_user WHERE lower(email) = %s AND user_id <> %s ORDER BY user_id"

# How far each log is, and what it was about since: whatever is done with a token is in its log.
HEADS = "SELECT department_id, last_seq FROM dept_state"
TOUCHED_SINCE = """
SELECT DISTINCT o.token_id
FROM dept_state s LEFT JOIN unnest(%s::text[], %s::bigint[]) AS known(department_id, seq) USING (department_id)
JOIN outbox o ON o.department_id = s.department_id AND o.seq > coalesce(known.seq, 0)
WHERE o.token_id > 0
"""

# A token that has the address but belongs to another user is the other's.
_TOKENS_OF_PERSON = """
SELECT token_id FROM token WHERE user_id = %(user_id)s{among}
UNION
SELECT token_id FROM token
WHERE lower(email) = %(address)s AND (user_id IS NULL OR user_id = %(user_id)s OR %(user_id)s::bigint IS NULL){among}
ORDER BY token_id
"""

_MENTIONED = """
SELECT token_id FROM mail_job WHERE lower(recipient) = %(address)s AND token_id <> ALL(%(tokens)s){among}
UNION
SELECT token_id FROM outbox
WHERE strpos(lower(payload), '"email":"' || %(address)s || '"') > 0 AND token_id <> ALL(%(tokens)s){among}
ORDER BY token_id
"""

_AMONG = " AND token_id = ANY(%(among)s)"


def tokens_of_person(*, is_among: bool) -> str:
    """Return the statement that finds whose token it is; ``is_among`` looks only at some of them, by their index."""
    return _TOKENS_OF_PERSON.format(among=_AMONG if is_among else "")


def mentioned(*, is_among: bool) -> str:
    """Return the statement that finds where else the address was; ``is_among`` looks only at some of them."""
    return _MENTIONED.format(among=_AMONG if is_among else "")


# Where it is now counts even if its entries there are deleted.
DEPARTMENTS_OF_TOKENS = """
SELECT department_id FROM outbox WHERE token_id = ANY(%(tokens)s)
UNION
SELECT department_id FROM token WHERE token_id = ANY(%(tokens)s)
ORDER BY department_id
"""

LIVE = "SELECT display FROM token WHERE token_id = ANY(%s) AND state = ANY(%s) ORDER BY token_id"

ERASE = """
SELECT tokens, entries, letters, records, answers
FROM erase_personal(%s::bigint[], %s::bigint[], %s::text, %s::bigint, %s::text)
"""

# Names that are somebody else's now are left alone: which of the notes are whose is not known any more.
FORMER_NAMES = """
SELECT DISTINCT actor FROM audit
WHERE actor_id = %(identity)s AND actor <> %(customer)s
  AND NOT EXISTS (SELECT FROM app_user u WHERE u.username = actor AND u.user_id <> %(user_id)s)
"""

ERASE_TEXTS = "SELECT erase_texts(clock_timestamp() - %s, %s) AS count"

# Of a pause from before migration 0010 nobody knows who wrote its reason: it may be this person's. A claim made by a
# screen names the screen, too: user:7#3f2a.
FORGET_PAUSES = """
UPDATE counter SET reason = NULL, reason_by = NULL WHERE (branch_id, counter_id) IN (
  SELECT branch_id, counter_id FROM counter
  WHERE reason IS NOT NULL
    AND (%(identity)s IN (reason_by, split_part(operator_identity, '#', 1)) OR reason_by IS NULL)
  ORDER BY branch_id, counter_id FOR UPDATE
)
"""

# The business day of each branch is that of its clock: a department that was deleted begins no further day.
OLD_TOKENS = """
SELECT t.token_id FROM token t JOIN branch b USING (branch_id)
WHERE NOT t.is_erased AND t.state IN ('SERVED', 'NO_SHOW', 'CANCELLED', 'EXPIRED')
  AND t.day < current_date - %(days)s::int + 1
  AND greatest(t.day, t.ended_on)
    < (clock_timestamp() AT TIME ZONE b.timezone - make_interval(hours => b.rollover_hour))::date - %(days)s::int
ORDER BY t.day, t.token_id LIMIT %(most)s
"""

TOKENS = """
SELECT token_id, display, department_id, day, state, user_id, name, email, issued_at, served_at
FROM token WHERE token_id = ANY(%(tokens)s) ORDER BY token_id
"""

EVENTS = """
SELECT payload, note FROM outbox
WHERE token_id = ANY(%(tokens)s)
   OR token_id = ANY(%(mentioned)s) AND strpos(lower(payload), '"email":"' || %(address)s::text || '"') > 0
ORDER BY at, department_id, seq
"""

LETTERS = """
SELECT department_id, seq, kind, channel, recipient, state, created_at, sent_at, last_error FROM mail_job
WHERE token_id = ANY(%(tokens)s) OR token_id = ANY(%(mentioned)s) AND lower(recipient) = %(address)s::text
ORDER BY created_at, department_id, seq, kind, channel
"""
