"""The SQL of the notification queues."""

from tokenq.contract.notifications import EMAIL
from tokenq_server.adapters.postgres.log_rows import ADDRESS_EDITED
from tokenq_server.domain.notification_rules import OVERTAKABLE

# The log decides who is notified of what: a record that differs from its entry is not ours, and the address is the
# token's (TOKENQ_EVENTS_EMAIL may omit it from the topic). If the log was rewritten, a record may still have the
# removed free text; if a person was erased from an entry, their user id.
# Nearly always the record is the entry, letter by letter; only else both are read as JSON.
KNOWN = """
SELECT r.position, found.*
FROM json_to_recordset(%(records)s)
  AS r(position int, department_id text, seq bigint, token_id bigint, kind text, raw text)
CROSS JOIN LATERAL (
  SELECT t.token_id, o.department_id, t.email, t.user_id,
    d.rules->'letters' IS NULL OR jsonb_exists(d.rules->'letters', r.kind) AS is_switched_on
  FROM outbox o JOIN token t ON t.token_id = o.token_id
  JOIN dept_state s ON s.department_id = o.department_id JOIN department d ON d.department_id = o.department_id
  CROSS JOIN LATERAL (
    SELECT CASE WHEN o.is_erased THEN '{email,userId}' ELSE '{email}' END::text[] AS keys,
      CASE WHEN o.seq <= s.rewritten_seq THEN '{data,reason}' ELSE '{}' END::text[] AS words
  ) AS removed
  WHERE o.department_id = r.department_id AND o.seq = r.seq AND o.token_id = r.token_id
    AND (o.payload = r.raw
         OR (o.payload::jsonb - removed.keys) #- removed.words = (CAST(r.raw AS jsonb) - removed.keys) #- removed.words)
  LIMIT 1
) AS found
"""

# What is deleted from the log as too old can be compared with nothing, and is no news to anybody.
DELETED = """
SELECT r.position
FROM json_to_recordset(%(records)s) AS r(position int, department_id text, seq bigint)
JOIN dept_state s USING (department_id) WHERE r.seq BETWEEN 1 AND s.log_floor
"""

KNOWN_DEPARTMENTS = "SELECT department_id FROM department WHERE department_id = ANY(%(ids)s)"

ENQUEUE = """
INSERT INTO mail_job (department_id, seq, kind, channel, token_id, recipient, event)
SELECT r.department_id, r.seq, r.kind, r.channel, o.token_id, r.recipient, o.payload::jsonb
FROM json_to_recordset(%(rows)s) AS r(department_id text, seq bigint, kind text, channel text, recipient text)
CROSS JOIN LATERAL (
  SELECT token_id, payload FROM outbox e WHERE e.department_id = r.department_id AND e.seq = r.seq LIMIT 1
) AS o
ORDER BY r.department_id, r.seq
ON CONFLICT DO NOTHING
"""

BAD = """
INSERT INTO mail_dlq (reason, error, topic, partition, "offset", raw, channel)
VALUES (%(reason)s, %(error)s, %(topic)s, %(partition)s, %(offset)s, %(raw)s, NULL) ON CONFLICT DO NOTHING
"""

# Whoever can write to the topic can make any number of dead letters. Of the oldest only their count stays, one row per
# partition, whose seq is the last offset that was removed.
LIMIT_RECORDS = """
WITH beyond AS (
  SELECT dlq_id FROM mail_dlq WHERE topic IS NOT NULL AND "offset" >= 0 ORDER BY dlq_id DESC OFFSET %(most)s
), removed AS (
  DELETE FROM mail_dlq q USING beyond b WHERE q.dlq_id = b.dlq_id RETURNING q.topic, q.partition, q."offset", q.state
)
INSERT INTO mail_dlq (reason, error, topic, partition, "offset", seq, state, copied)
SELECT 'not kept', count(*) FILTER (WHERE state = 'open'), topic, partition, -1, max("offset"), 'dropped', true
FROM removed GROUP BY topic, partition
ON CONFLICT (topic, partition, "offset") DO UPDATE SET at = clock_timestamp(),
  error = mail_dlq.error::bigint + EXCLUDED.error::bigint, seq = greatest(mail_dlq.seq, EXCLUDED.seq)
"""

DEAD_LETTERS = """
SELECT count(*) FILTER (WHERE state = 'open') AS open,
  coalesce(sum(CASE WHEN reason = 'not kept' THEN error::bigint END), 0)::bigint AS not_kept
FROM mail_dlq WHERE state = 'open' OR reason = 'not kept'
"""

_RULES = ", ".join(
    f"('{kind}', '{{{','.join(sorted(rule.true_in or ()))}}}'::text[], {rule.is_local}, '{rule.event}')"
    for kind, rule in OVERTAKABLE.items()
)
_IS_OVERTAKEN = f"""
t.state <> ALL(r.true_in)
OR p.channel = '{EMAIL}' AND t.email IS NULL
OR r.is_local AND (t.department_id <> p.department_id
                   OR EXISTS (SELECT FROM outbox o
                              WHERE o.token_id = p.token_id AND o.department_id = p.department_id AND o.seq > p.seq
                                AND o.event_type = r.event_type))
"""

# Whether a notification is overtaken is judged at each attempt, on the token as it is then. The address may have been
# corrected or removed since it was queued.
# The CTE is materialised so that the lock takes exactly the rows that are updated.
CLAIM = f"""
WITH rule (kind, true_in, is_local, event_type) AS (VALUES {_RULES}),
picked AS MATERIALIZED (
  SELECT department_id, seq, kind, channel, token_id FROM mail_job j
  WHERE channel = ANY(%(channels)s)
    AND (state = 'due' AND due_at <= clock_timestamp() OR state = 'sending' AND lease_until < clock_timestamp())
    AND NOT EXISTS (SELECT 1 FROM mail_job e
                    WHERE e.token_id = j.token_id AND e.channel = j.channel AND e.state IN ('due', 'sending')
                      AND (e.department_id = j.department_id AND e.seq < j.seq
                           -- After a transfer, the seq of another department says nothing about which came first.
                           OR e.department_id <> j.department_id AND e.kind = 'issued'))
    -- Another department's records are in another partition: its 'issued' may not have been read yet.
    -- A partition is read in order: a job of a later entry shows that this one was processed and required none.
    -- The topic may have lost it with nothing after it, so the wait is limited. A token whose address was edited waits
    -- for none: when that record was processed, it may have had no address.
    AND (j.created_at < clock_timestamp() - interval '10 minutes'
         OR NOT EXISTS (SELECT 1 FROM token t JOIN outbox o USING (token_id) JOIN department i
                          ON i.department_id = o.department_id
                        WHERE t.token_id = j.token_id AND t.issued_in <> j.department_id
                          AND o.department_id = t.issued_in AND o.event_type = 'TOKEN_GENERATED'
                          AND (i.rules->'letters' IS NULL OR jsonb_exists(i.rules->'letters', 'issued'))
                          AND NOT EXISTS (SELECT FROM outbox e WHERE e.token_id = j.token_id AND {ADDRESS_EDITED})
                          AND NOT EXISTS (SELECT 1 FROM mail_job e
                                          WHERE e.department_id = o.department_id AND e.seq >= o.seq)))
  ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), judged AS (
  SELECT p.*, t.name, t.email, d.name AS department_name, coalesce({_IS_OVERTAKEN}, false) AS is_overtaken,
    coalesce(t.language, b.settings->'languages'->>0, 'en') AS language,
    coalesce(b.settings->'counterWords', '{{}}') AS counter_words
  FROM picked p JOIN token t USING (token_id) JOIN department d ON d.department_id = p.department_id
    JOIN branch b ON b.branch_id = d.branch_id LEFT JOIN rule r USING (kind)
)
UPDATE mail_job m SET state = CASE WHEN j.is_overtaken THEN 'overtaken' ELSE 'sending' END,
  lease_until = CASE WHEN j.is_overtaken THEN NULL ELSE clock_timestamp() + interval '180 seconds' END,
  lease_owner = %(owner)s, attempts = attempts + (NOT j.is_overtaken)::int,
  ambiguous = ambiguous + (m.state = 'sending')::int,
  recipient = CASE WHEN m.channel = '{EMAIL}' AND NOT j.is_overtaken THEN j.email ELSE m.recipient END
FROM judged j
WHERE (m.department_id, m.seq, m.kind, m.channel) = (j.department_id, j.seq, j.kind, j.channel)
RETURNING m.department_id, m.seq, m.kind, m.channel, m.token_id, m.recipient, m.event, m.attempts, j.name,
  j.department_name, j.is_overtaken, j.email, j.language, j.counter_words
"""  # noqa: S608 (nothing in it comes from outside)

_RESULTS = """json_to_recordset(%(rows)s) AS r(
  department_id text, seq bigint, kind text, channel text, error text, reason text, seconds float, uncertain int)
WHERE (m.department_id, m.seq, m.kind, m.channel) = (r.department_id, r.seq, r.kind, r.channel)
  AND m.lease_owner = %(owner)s AND m.state = 'sending'"""

SENT = f"""
UPDATE mail_job m SET state = 'sent', sent_at = clock_timestamp(), lease_until = NULL, last_error = NULL
FROM {_RESULTS}
"""  # noqa: S608 (nothing in it comes from outside)

RETRY = f"""
UPDATE mail_job m SET state = 'due', due_at = clock_timestamp() + make_interval(secs => r.seconds), lease_until = NULL,
  last_error = r.error, ambiguous = m.ambiguous + r.uncertain
FROM {_RESULTS}
"""  # noqa: S608 (nothing in it comes from outside)

DEAD = f"""
WITH job AS (
  UPDATE mail_job m SET state = 'dead', lease_until = NULL, last_error = r.error
  FROM {_RESULTS}
  RETURNING r.reason, r.error, m.department_id, m.seq, m.kind, m.channel
)
INSERT INTO mail_dlq (reason, error, department_id, seq, kind, channel)
SELECT reason, error, department_id, seq, kind, channel FROM job
"""  # noqa: S608 (nothing in it comes from outside)

GIVE_BACK = f"""
UPDATE mail_job m SET state = 'due', lease_until = NULL, attempts = m.attempts - 1
FROM {_RESULTS}
"""  # noqa: S608 (nothing in it comes from outside)

UNCOPIED = """
SELECT q.dlq_id, q.reason, q.error,
  coalesce(q.topic || '/' || q.partition || '/' || q."offset",
           concat_ws('.', q.department_id, q.seq, q.kind, nullif(q.channel, 'email'))) AS source,
  coalesce(q.raw, convert_to(j.event::text, 'UTF8')) AS raw, j.channel
FROM mail_dlq q LEFT JOIN mail_job j USING (department_id, seq, kind, channel)
WHERE NOT q.copied ORDER BY q.dlq_id LIMIT %(limit)s
"""

MARK_COPIED = "UPDATE mail_dlq SET copied = true WHERE dlq_id = ANY(%(ids)s)"

_LIST = """
SELECT q.dlq_id, q.reason, q.error, q.at, q.state, q.topic, q.partition, q."offset", q.raw,
  q.department_id, q.seq, q.kind, j.channel, j.token_id
FROM mail_dlq q LEFT JOIN mail_job j USING (department_id, seq, kind, channel)
"""
OPEN = _LIST + "WHERE q.state = 'open' ORDER BY q.dlq_id"
ONE = _LIST + "WHERE q.dlq_id = %(dlq_id)s"

CLOSE = """
WITH entry AS (
  UPDATE mail_dlq SET state = %(state)s WHERE dlq_id = %(dlq_id)s AND state = 'open'
  RETURNING department_id, seq, kind, channel
), job AS (
  UPDATE mail_job m SET state = %(job_state)s, attempts = 0, due_at = clock_timestamp() FROM entry e
  WHERE (m.department_id, m.seq, m.kind, m.channel) = (e.department_id, e.seq, e.kind, e.channel)
    AND m.state = 'dead'
)
SELECT count(*) FROM entry
"""
