"""The SQL of the verifier."""

from dataclasses import fields

from psycopg.sql import SQL

from tokenq.contract.notifications import EMAIL
from tokenq_server.adapters.postgres.event_log import REFILL_STARTS
from tokenq_server.adapters.postgres.log_rows import ADDRESS_EDITED
from tokenq_server.adapters.postgres.statements import names, statement
from tokenq_server.domain.invariants.entries import TokenRow
from tokenq_server.domain.notification_rules import NOTIFYING_EVENTS

HEADS = "SELECT department_id, day, last_seq FROM dept_state"

DEPARTMENTS = statement(
    """
SELECT x.*, (o.payload::json->>'businessDay')::date AS rewound_day FROM (
SELECT {department}, {head}, d.is_archived, s.rewritten_seq, s.log_floor, s.log_floor_day,
       coalesce(c.seq, 0) AS published, c.partition, c.kafka_offset, r.seq AS refilled_from,
       coalesce((SELECT max(o.seq) FROM outbox o
                 WHERE o.department_id = s.department_id AND o.event_type = 'DEPARTMENT_CHANGED'), 0) AS changed_seq,
       (SELECT max(o.seq) FROM outbox o
        WHERE o.department_id = s.department_id AND o.event_type = 'LOG_REWOUND') AS rewound_seq
FROM dept_state s
JOIN department d USING (department_id)
JOIN branch b USING (branch_id)
LEFT JOIN relay_cursor c USING (department_id)
JOIN ({refill_starts}) AS r USING (department_id)
) AS x
LEFT JOIN outbox o ON (o.department_id, o.seq) = (x.department_id, x.rewound_seq)
ORDER BY x.department_id
""",
    refill_starts=SQL(REFILL_STARTS),
)

LOG = """
SELECT seq, event_type, token_id, payload, joins, priority, place, at FROM outbox WHERE department_id = %s ORDER BY seq
"""

NUMBERS = "SELECT day, number FROM token WHERE issued_in = %s ORDER BY day, number"

_ROW = names(tuple(field.name for field in fields(TokenRow)))
ROWS = statement("SELECT {row} FROM token WHERE token_id = ANY(%s)", row=_ROW)

PAYLOADS = """
SELECT department_id, seq, payload, is_erased FROM outbox
JOIN unnest(%s::text[], %s::bigint[]) AS u(department_id, seq) USING (department_id, seq)
"""

# Of tokens of these days, entries may have been deleted, in one of their departments.
_DELETED_DAYS = "(SELECT max(log_floor_day) FROM dept_state)"

LETTERS = f"""
SELECT j.department_id, j.seq, j.kind, j.channel, j.token_id, j.recipient, j.state, j.sent_at, j.ambiguous,
       (SELECT count(*) FROM mail_dlq q
        WHERE (q.department_id, q.seq, q.kind, q.channel) = (j.department_id, j.seq, j.kind, j.channel)),
       o.payload, t.email,
       o.is_erased OR t.day <= {_DELETED_DAYS}
         OR EXISTS (SELECT FROM outbox e WHERE e.token_id = j.token_id AND e.at >= o.at AND {ADDRESS_EDITED}),
       j.seq <= s.log_floor
FROM mail_job j
JOIN dept_state s USING (department_id)
LEFT JOIN outbox o USING (department_id, seq)
LEFT JOIN token t ON t.token_id = j.token_id AND t.token_id = o.token_id
WHERE j.department_id = ANY(%s)
ORDER BY j.token_id, j.channel, j.department_id, j.seq
"""  # noqa: S608 (nothing in it comes from outside)

# What happened before the address was edited may have had none.
MAILABLES = f"""
SELECT o.department_id, o.seq, o.payload,
       EXISTS (SELECT FROM mail_job j WHERE (j.department_id, j.seq, j.channel) = (o.department_id, o.seq, '{EMAIL}'))
FROM outbox o JOIN token t USING (token_id)
WHERE o.department_id = ANY(%s) AND t.email IS NOT NULL AND t.day > {_DELETED_DAYS}
  AND o.event_type IN ({", ".join(f"'{kind}'" for kind in NOTIFYING_EVENTS)})
  AND NOT EXISTS (SELECT FROM outbox e WHERE e.token_id = o.token_id AND e.at >= o.at AND {ADDRESS_EDITED})
"""  # noqa: S608 (nothing in it comes from outside)

# Those that are only counted by now, being too many, are behind the last offset in the count's row.
BURIED = """
SELECT u.partition, u."offset",
  greatest(count(*) FILTER (WHERE q."offset" = u."offset"), count(*) FILTER (WHERE q."offset" = -1)) AS count
FROM unnest(%s::int[], %s::bigint[]) AS u(partition, "offset")
JOIN mail_dlq q ON q.partition = u.partition
  AND (q."offset" = u."offset" OR q."offset" = -1 AND q.seq >= u."offset")
WHERE q.topic = %s
GROUP BY u.partition, u."offset"
"""
