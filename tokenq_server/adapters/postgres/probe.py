"""The doctor's check of Postgres."""

from collections.abc import Mapping
from dataclasses import replace

import psycopg

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import SettingReason
from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_statements import DEAD_LETTERS
from tokenq_server.adapters.postgres.pooling import Pooling, pooling
from tokenq_server.adapters.postgres.schema import HEAD, refuse_other, revision
from tokenq_server.database_access import DatabaseAccess
from tokenq_server.services.findings import Finding

_OLDEST = 140000
_VERSION = "SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS name"
_IS_OPEN = """
SELECT EXISTS (
  SELECT FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS granted
  WHERE n.nspname = 'public' AND granted.grantee = 0 AND granted.privilege_type = 'CREATE'
) AS is_open
"""
_FATAL, _UNKNOWN_HOST = "FATAL:", "failed to resolve host"


async def probe(access: str | DatabaseAccess) -> list[Finding]:
    """Check whether Postgres answers, is recent enough, is durable, and has this release's schema."""
    access = DatabaseAccess.of(access)
    database = Database(access, size=1)
    try:
        found = await pooling(access)
        if found is Pooling.STATEMENT:  # nothing else can be asked
            return _sessions(found, access.setting)
        async with database.begin() as connection:
            (server,) = await connection.rows(_VERSION)
            current = await revision(connection)
            (public,) = await connection.rows(_IS_OPEN)
            dead = await _dead(connection) if current == HEAD else None
        unsafe = await database.unsafe_settings()
    except Refused as refusal:
        return [_unreachable(refusal.__cause__, access.setting)]
    except psycopg.Error as error:
        return [_unreachable(error, access.setting)]
    finally:
        await database.close()
    is_new_enough = server["number"] >= _OLDEST
    return [
        Finding(
            "postgres", is_new_enough, f"version {server['name']}", "" if is_new_enough else "Use version 14 or newer."
        ),
        Finding(
            "postgres durability",
            not unsafe,
            "keeps what it acknowledges" if not unsafe else f"off: {', '.join(unsafe)}",
            "" if not unsafe else "Switch these on; otherwise acknowledged tokens can be lost.",
        ),
        *_sessions(found, access.setting),
        _schema(current),
        *_open_schema(public["is_open"]),
        *_dead_letters(dead),
    ]


async def probe_owner(owner: DatabaseAccess) -> list[Finding]:
    """Check whether Postgres answers its tables' owner, too, in sessions that do not change."""
    try:
        found = await pooling(owner)
    except psycopg.Error as error:
        return [replace(_unreachable(error, owner.setting), name="postgres owner")]
    return [Finding("postgres owner", True, "answers"), *_sessions(found, owner.setting)]


async def _dead(connection: Connection) -> Mapping[str, int] | None:
    """Return the counts of dead letters, or ``None`` if this program's user may not see them."""
    row = await connection.row("SELECT has_any_column_privilege('mail_dlq', 'SELECT') AS may_see")
    return await connection.row(DEAD_LETTERS) if row and row["may_see"] else None


def _dead_letters(dead: Mapping[str, int] | None) -> list[Finding]:
    """Tell if there were too many dead letters to keep: somebody writes to the topic who should not."""
    if dead is None or not dead["not_kept"]:
        return []
    seen = f"{dead['open']} open; {dead['not_kept']} older ones were not kept"
    return [Finding("dead letters", False, seen, "Limit who can write to token-events, or raise TOKENQ_DEAD_LETTERS.")]


def _unreachable(error: BaseException | None, setting: str) -> Finding:
    """Return the reason in the driver's or server's words, which contain no secret."""
    message = str(error or "").rpartition(" failed: ")[2].strip()
    first = next(iter(message.splitlines()), "")
    if first.startswith(_FATAL):
        why = f"refuses: {first.removeprefix(_FATAL).strip()}"
        return Finding("postgres", False, why, f"Correct {setting}, or fix it on the server.")
    if first.startswith(_UNKNOWN_HOST):
        host = first.removeprefix(_UNKNOWN_HOST).partition(": ")[0].strip("' ")
        return Finding("postgres", False, f"no such host: {host}", f"Correct {setting}.")
    why = f"does not answer: {first}" if first else "does not answer"
    return Finding("postgres", False, why, f"Start it, or correct {setting}.")


def _sessions(found: Pooling, setting: str) -> list[Finding]:
    if found is Pooling.NONE:
        return []
    if not found.changes_sessions:
        return [Finding("postgres sessions", True, f"a pooler in {found} mode")]
    problem = refuse(SettingReason.SESSIONS_CHANGE, name=setting, mode=str(found)).problem
    return [Finding("postgres sessions", False, problem.detail, problem.hint)]


def _open_schema(is_open: bool) -> list[Finding]:
    """Tell if every user of the server may create tables and functions among ours, as before PostgreSQL 15."""
    if not is_open:
        return []
    seen = "everybody with a login may create objects in the schema public"
    hint = "In this database, run as a superuser: psql -f deploy/postgres/roles.sql"
    return [Finding("postgres public schema", True, seen, hint, warning=True)]


def _schema(current: str | None) -> Finding:
    try:
        refuse_other(current)
    except Refused as refusal:
        problem = refusal.problem
        seen = f"revision {current or 'none'}, this release needs {HEAD}"
        return Finding("postgres schema", False, seen, problem.hint, problem.advice)
    return Finding("postgres schema", True, f"revision {current}")
