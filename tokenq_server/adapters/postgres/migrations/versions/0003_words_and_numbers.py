"""Words about people leave the log's payloads, and no number is carried by two live tokens.

Made while the release before is at work: each step is a transaction of its own and may be repeated. What that release
writes after its department was done keeps its words, so end it before the new one starts.
"""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from tokenq_server.adapters.postgres.migrations.locks import LONG_LOCKS, SHORT_LOCKS

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_PIECE = 2_000
"""Entries that are looked at, and rewritten, at once."""
_TRIES = 20
_BY_HAND = "called out of order"
_RULES = ("TOKEN_CALLED", "TOKEN_RESUMED")
"""Events in which ``data.reason`` is the system's own; all that follows ``called out of order: `` is a person's."""

_COLUMNS = (
    "ALTER TABLE dept_state ADD COLUMN IF NOT EXISTS skipped integer NOT NULL DEFAULT 0",
    "ALTER TABLE dept_state ADD COLUMN IF NOT EXISTS rewritten_seq bigint NOT NULL DEFAULT 0",
    "ALTER TABLE outbox ADD COLUMN IF NOT EXISTS note text",
)
_WITH_WORDS = """
SELECT seq, event_type, payload FROM outbox
WHERE department_id = %(department)s AND seq > %(after)s AND seq <= %(to)s AND payload LIKE '%%"reason":%%'
ORDER BY seq LIMIT %(limit)s
"""
_REWRITE = """
UPDATE outbox SET payload = r.payload, note = r.note
FROM json_to_recordset(%(rows)s) AS r(seq bigint, payload text, note text)
WHERE outbox.department_id = %(department)s AND outbox.seq = r.seq
"""
_HEAD = "SELECT last_seq FROM dept_state WHERE department_id = %(department)s"
_MARK = "UPDATE dept_state SET rewritten_seq = last_seq WHERE department_id = %(department)s"

# The views of other departments show a token's rule, so its words go as well; they are in the log's notes now.
_TOKENS = """
UPDATE token SET reason = 'called out of order' WHERE reason LIKE 'called out of order: %%'
"""
_UNDO = """
UPDATE token SET undo = jsonb_set(undo, '{was,reason}', '"called out of order"')
WHERE undo #>> '{was,reason}' LIKE 'called out of order: %%'
"""
# A letter that failed is copied to a topic with its event.
_LETTERS = """
UPDATE mail_job SET event = CASE
  WHEN kind = 'called' THEN jsonb_set(event, '{data,reason}', '"called out of order"')
  ELSE event #- '{data,reason}' END
WHERE event #>> '{data,reason}' IS NOT NULL
  AND (kind <> 'called' OR event #>> '{data,reason}' LIKE 'called out of order: %%')
"""

# The release before gave a number again while somebody was still served under it. Both have the paper, so both keep the
# number; a blank behind the older one's tells them apart for the index, and whoever types the number is asked whom they
# mean.
_TELL_APART = """
WITH twin AS (
  SELECT token_id, count(*) OVER (PARTITION BY issued_in, rtrim(display) ORDER BY token_id DESC) - 1 AS later
  FROM token WHERE state IN ('WAITING', 'CALLED', 'SERVING', 'PARKED')
)
UPDATE token SET display = rtrim(display) || repeat(' ', twin.later::int)
FROM twin WHERE twin.token_id = token.token_id AND later > 0
"""
_INDEX = """
CREATE UNIQUE INDEX CONCURRENTLY token_live_number ON token (display, issued_in)
WHERE state IN ('WAITING', 'CALLED', 'SERVING', 'PARKED')
"""
_IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('token_live_number')"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(SHORT_LOCKS)  # a try before this one may have ended anywhere
        for statement in _COLUMNS:
            op.execute(statement)
        departments = op.get_bind().exec_driver_sql("SELECT department_id FROM dept_state ORDER BY 1")
        for department in departments.scalars().all():
            _take_words_out(department)
        for statement in (_TOKENS, _UNDO, _LETTERS):
            op.get_bind().exec_driver_sql(statement, {})
        _judge_numbers()


def _take_words_out(department: str) -> None:
    """A department's log, piece by piece; the last one under its lock, with the mark."""
    bind, after, to = op.get_bind(), 0, 0
    while (head := bind.exec_driver_sql(_HEAD, {"department": department}).scalar_one()) > to + _PIECE:
        to = head
        after = _rewrite(bind, department, after, to)
    bind.exec_driver_sql("BEGIN")
    bind.exec_driver_sql(_HEAD + " FOR UPDATE", {"department": department})
    _rewrite(bind, department, after, 2**62)
    bind.exec_driver_sql(_MARK, {"department": department})
    bind.exec_driver_sql("COMMIT")


def _rewrite(bind: sa.Connection, department: str, after: int, to: int) -> int:
    while True:
        values = {"department": department, "after": after, "to": to, "limit": _PIECE}
        rows = bind.exec_driver_sql(_WITH_WORDS, values).all()
        _rewrite_piece(bind, department, rows)
        if len(rows) < _PIECE:
            return to
        after = rows[-1][0]


def _rewrite_piece(bind: sa.Connection, department: str, rows: Sequence[Any]) -> None:
    changed = []
    for seq, event_type, payload in rows:
        told, note = _without_words(event_type, payload)
        if told != payload:
            changed.append({"seq": seq, "payload": told, "note": note})
    if changed:
        bind.exec_driver_sql(_REWRITE, {"department": department, "rows": json.dumps(changed)})


def _without_words(event_type: str, payload: str) -> tuple[str, str | None]:
    """The payload without what a person wrote, and that."""
    event: Any = json.loads(payload)
    data = event.get("data") if isinstance(event, dict) else None
    if not isinstance(data, dict) or "reason" not in data:
        return payload, None
    reason = data["reason"]
    if event_type in _RULES:
        if event_type != "TOKEN_CALLED" or not str(reason).startswith(f"{_BY_HAND}: "):
            return payload, None
        data["reason"], note = _BY_HAND, str(reason).removeprefix(f"{_BY_HAND}: ")
    else:
        del data["reason"]
        note = reason
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")), note


def _judge_numbers() -> None:
    """The index that refuses a number which somebody live carries; what would break it is told apart before."""
    bind = op.get_bind()
    bind.exec_driver_sql(LONG_LOCKS)
    try:
        for left in range(_TRIES, 0, -1):
            valid = bind.exec_driver_sql(_IS_VALID).scalar_one_or_none()
            if valid:
                return
            if valid is False:
                bind.exec_driver_sql("DROP INDEX CONCURRENTLY token_live_number")
            bind.exec_driver_sql(_TELL_APART)
            try:
                bind.exec_driver_sql(_INDEX)
            except sa.exc.IntegrityError:
                if left == 1:
                    raise
    finally:
        bind.exec_driver_sql(SHORT_LOCKS)


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
