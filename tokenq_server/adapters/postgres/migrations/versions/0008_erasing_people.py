"""Erasing people: what is marked as erased, and the functions that erase.

The API may only append to the log. It erases by two functions of the tables' owner, which remove what tells who
somebody is and can write nothing else. Made while the release before is at work, which does not know them.
"""

from alembic import op

from tokenq_server.adapters.postgres.migrations.indexes import build_concurrently

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COLUMNS = (
    "ALTER TABLE token ADD COLUMN IF NOT EXISTS is_erased boolean NOT NULL DEFAULT false",
    "ALTER TABLE outbox ADD COLUMN IF NOT EXISTS is_erased boolean NOT NULL DEFAULT false",
)
# For housekeeping: old tokens that are not erased yet, and old notes.
_TOKENS = """
CREATE INDEX CONCURRENTLY IF NOT EXISTS token_not_erased ON token (day)
WHERE NOT is_erased AND state IN ('SERVED', 'NO_SHOW', 'CANCELLED', 'EXPIRED')
"""
_NOTES = "CREATE INDEX CONCURRENTLY IF NOT EXISTS outbox_note ON outbox (at) WHERE note IS NOT NULL"

# ``erased`` are tokens of which everything personal goes; only final ones are touched. Of the ``mentioned`` ones only
# ``address`` goes, which they had before it was corrected. ``account`` is the user whose records of the topic go,
# ``staff`` the user name whose notes about counters go. An entry with a letter is marked, too: its letter has no
# recipient any more. Payloads are changed as text: what stays, stays byte for byte.
_ERASE = r"""
CREATE OR REPLACE FUNCTION erase_personal(
  erased bigint[], mentioned bigint[], address text, account bigint, staff text,
  OUT tokens bigint, OUT entries bigint, OUT letters bigint, OUT records bigint, OUT answers bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  email CONSTANT text := '"email": ?"(?:[^"\\]|\\.)*"';
  person CONSTANT text := '"userId": ?[0-9]+';
  words CONSTANT text := '"(name|email|reason)": ?"(?:[^"\\]|\\.)*"';
  wanted CONSTANT text := lower(address);
  -- In a record of the topic, which need not be JSON: as it is, and not as the end or the beginning of a longer one.
  alone CONSTANT text := '(^|[^a-z0-9._+-])'
    || regexp_replace(encode(convert_to(wanted, 'UTF8'), 'escape'), '([^a-z0-9])', '\\\1', 'g')
    || '($|[^a-z0-9.-]|\.($|[^a-z0-9]))';
  final bigint[];
  ids text;
  more bigint;
BEGIN
  SELECT coalesce(array_agg(t.token_id), '{}') INTO final FROM token t
  WHERE t.token_id = ANY(erased) AND t.state IN ('SERVED', 'NO_SHOW', 'CANCELLED', 'EXPIRED');
  ids := '"tokenId": ?(?:' || array_to_string(final, '|') || ')[,}]';

  SELECT count(*) INTO tokens FROM token t
  WHERE t.token_id = ANY(final) AND (t.name IS NOT NULL OR t.email IS NOT NULL OR t.user_id IS NOT NULL);
  UPDATE token t SET name = NULL, email = NULL, user_id = NULL, near_turn = 0, undo = NULL, is_erased = true
  WHERE t.token_id = ANY(final) AND (NOT t.is_erased OR t.undo IS NOT NULL);

  SELECT count(*) INTO entries FROM outbox o
  WHERE o.token_id = ANY(final) AND (o.note IS NOT NULL OR o.payload ~ email OR o.payload ~ person);
  UPDATE outbox o SET note = NULL, is_erased = true,
    payload = regexp_replace(regexp_replace(o.payload, email, '"email":null', 'g'), person, '"userId":null', 'g')
  WHERE o.token_id = ANY(final) AND (o.note IS NOT NULL OR o.payload ~ email OR o.payload ~ person
    OR NOT o.is_erased AND EXISTS (SELECT FROM mail_job j
                                   WHERE (j.department_id, j.seq) = (o.department_id, o.seq)));
  UPDATE outbox o SET is_erased = true, payload = regexp_replace(o.payload, email, '"email":null', 'g')
  WHERE o.token_id = ANY(mentioned) AND o.token_id <> ALL(final) AND strpos(lower(o.payload), '"' || wanted || '"') > 0;
  GET DIAGNOSTICS more = ROW_COUNT;
  entries := entries + more;
  UPDATE outbox o SET note = NULL
  WHERE o.note IS NOT NULL AND o.token_id = 0 AND strpos(o.payload, '"actor":"' || staff || '"') > 0;
  GET DIAGNOSTICS more = ROW_COUNT;
  entries := entries + more;

  UPDATE mail_dlq q SET error = 'erased' FROM mail_job j
  WHERE (q.department_id, q.seq, q.kind, q.channel) = (j.department_id, j.seq, j.kind, j.channel)
    AND (j.token_id = ANY(final) OR j.token_id = ANY(mentioned) AND lower(j.recipient) = wanted);
  UPDATE mail_job j SET recipient = '', event = j.event || '{"email": null, "userId": null}', last_error = NULL,
    lease_until = NULL, state = CASE WHEN j.state IN ('due', 'sending') THEN 'overtaken' ELSE j.state END
  WHERE j.token_id = ANY(final) AND (j.recipient <> '' OR j.last_error IS NOT NULL OR j.state IN ('due', 'sending'));
  GET DIAGNOSTICS letters = ROW_COUNT;
  UPDATE mail_job j SET recipient = '', event = j.event || '{"email": null}', last_error = NULL
  WHERE j.token_id = ANY(mentioned) AND j.token_id <> ALL(final) AND lower(j.recipient) = wanted;
  GET DIAGNOSTICS more = ROW_COUNT;
  letters := letters + more;

  UPDATE mail_dlq q SET raw = '', error = 'erased', state = CASE q.state WHEN 'open' THEN 'dropped' ELSE q.state END
  WHERE length(q.raw) > 0 AND (
    lower(encode(q.raw, 'escape')) ~ alone
    OR encode(q.raw, 'escape') ~ ('"userId": ?' || account || '[,}]')
    OR final <> '{}' AND encode(q.raw, 'escape') ~ ids);
  GET DIAGNOSTICS records = ROW_COUNT;

  UPDATE idempotency i
  SET body = regexp_replace(regexp_replace(i.body, words, '"\1":null', 'g'), person, '"userId":null', 'g')
  WHERE (i.body ~ words OR i.body ~ person)
    AND (final <> '{}' AND i.body ~ ids OR strpos(lower(i.body), '"' || wanted || '"') > 0);
  GET DIAGNOSTICS answers = ROW_COUNT;
END
$$
"""

# Free text and records of the topic from before ``older``, except free text about live tokens. Never of the last day.
_ERASE_TEXTS = """
CREATE OR REPLACE FUNCTION erase_texts(older timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  latest CONSTANT timestamptz := least(older, clock_timestamp() - interval '1 day');
  notes bigint;
  records bigint;
BEGIN
  UPDATE outbox SET note = NULL WHERE (department_id, seq) IN (
    SELECT o.department_id, o.seq FROM outbox o
    WHERE o.note IS NOT NULL AND o.at < latest
      AND NOT EXISTS (SELECT FROM token t WHERE t.token_id = o.token_id
                      AND t.state IN ('WAITING', 'CALLED', 'SERVING', 'PARKED'))
    ORDER BY o.at LIMIT most
  );
  GET DIAGNOSTICS notes = ROW_COUNT;
  UPDATE mail_dlq SET raw = '', error = 'erased', state = CASE state WHEN 'open' THEN 'dropped' ELSE state END
  WHERE dlq_id IN (SELECT dlq_id FROM mail_dlq WHERE length(raw) > 0 AND at < latest ORDER BY dlq_id LIMIT most);
  GET DIAGNOSTICS records = ROW_COUNT;
  RETURN notes + records;
END
$$
"""
_NOT_FOR_ALL = (
    "REVOKE ALL ON FUNCTION erase_personal(bigint[], bigint[], text, bigint, text) FROM PUBLIC",
    "REVOKE ALL ON FUNCTION erase_texts(timestamptz, integer) FROM PUBLIC",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in _COLUMNS:
            op.execute(statement)
        build_concurrently("token_not_erased", _TOKENS)
        build_concurrently("outbox_note", _NOTES)
        for statement in (_ERASE, _ERASE_TEXTS, *_NOT_FOR_ALL):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
