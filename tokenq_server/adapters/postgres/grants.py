"""What each program's role may do in the database; whoever migrates owns the tables and grants it.

The roles are made once, by ``up`` or by deploy/postgres/roles.sql. A database without them is used by its owner
alone. A new table must be granted here, or the programs are denied access to it.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from tokenq_server.store_users import API, NOTIFY, READ, RELAY

_SEE = "SELECT"
_APPEND = "SELECT, INSERT"
_WRITE = "SELECT, INSERT, UPDATE"
_ALL = "SELECT, INSERT, UPDATE, DELETE"

GRANTS: Mapping[str, Mapping[str, str]] = {
    API: {
        "alembic_version": _SEE,
        "app_user": _ALL,
        "audit": "SELECT, INSERT, UPDATE (count)",
        "branch": _ALL,
        "counter": _ALL,
        "credential": _ALL,
        "department": _WRITE,
        "dept_state": _WRITE,
        "idempotency": _ALL,
        "mail_dlq": "SELECT (state, reason, error)",
        "mail_job": _SEE,
        "outbox": _APPEND,
        "relay_cursor": _APPEND,
        "server_key": _APPEND,
        "token": _WRITE,
        "SEQUENCE token_id_seq": "USAGE",
        "FUNCTION delete_old_audit(integer, integer)": "EXECUTE",
        "FUNCTION delete_old_entries(text, integer, integer)": "EXECUTE",
        "FUNCTION erase_personal(bigint[], bigint[], text, bigint, text)": "EXECUTE",
        "FUNCTION erase_texts(timestamptz, integer)": "EXECUTE",
    },
    RELAY: {
        "alembic_version": _SEE,
        "dept_state": _SEE,
        "outbox": "SELECT (department_id, seq, payload, at)",
        "relay_cursor": "SELECT, UPDATE",
        "relay_epoch": "SELECT, UPDATE",
    },
    NOTIFY: {
        "alembic_version": _SEE,
        "audit": "SELECT (audit_id, at, kind, target, count), INSERT, UPDATE (count)",
        "branch": "SELECT (branch_id, settings)",
        "department": _SEE,
        "dept_state": _SEE,
        "mail_dlq": _ALL,
        "mail_job": _WRITE,
        "outbox": "SELECT (department_id, seq, event_type, token_id, payload, at, is_erased)",
        "relay_cursor": _SEE,
        "token": "SELECT (token_id, department_id, issued_in, state, name, email, user_id, language)",
    },
    READ: {
        "alembic_version": _SEE,
        "branch": _SEE,
        "counter": _SEE,
        "department": _SEE,
        "dept_state": _SEE,
        "mail_dlq": _SEE,
        "mail_job": _SEE,
        "outbox": _SEE,
        "relay_cursor": _SEE,
        "relay_epoch": _SEE,
        "token": _SEE,
    },
}
"""Privileges by role and table."""

_FUNCTIONS = sorted({name for granted in GRANTS.values() for name in granted if name.startswith("FUNCTION ")})
_EXISTING = "SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)"
_OURS = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') AND pg_has_role(relowner, 'USAGE')
"""

# Since PostgreSQL 15 the schema is the database owner's; before that, the superuser's (deploy/postgres/roles.sql).
_OWNS_SCHEMA = "SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'public'"
_NOT_FOR_ALL = "REVOKE CREATE ON SCHEMA public FROM PUBLIC"


def grant(connection: Connection) -> None:
    """Give each role that exists exactly its privileges, in one transaction of the tables' owner.

    Tables that others have made there are left alone, but others can make none from now on, if this user may decide it.
    """
    if connection.execute(text(_OWNS_SCHEMA)).scalar_one_or_none():
        connection.execute(text(_NOT_FOR_ALL))
    ours = connection.execute(text(_OURS)).scalars().all()
    for role in connection.execute(text(_EXISTING), {"names": list(GRANTS)}).scalars().all():
        for statement in statements(role, ours):
            connection.execute(text(statement))
    connection.commit()


def statements(role: str, tables: Sequence[str]) -> list[str]:
    """Return the SQL that takes from a role what it has on these tables and sequences, and gives it what it needs."""
    names = ", ".join(f'"{table}"' for table in tables)
    taken = [f"REVOKE ALL ON TABLE {names} FROM {role}"] if tables else []
    taken += [f"REVOKE ALL ON {function} FROM {role}" for function in _FUNCTIONS]
    return taken + [f"GRANT {privileges} ON {name} TO {role}" for name, privileges in GRANTS[role].items()]
