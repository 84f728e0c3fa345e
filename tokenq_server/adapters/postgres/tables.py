"""The tables as the statements expect them, for Alembic: a test checks that the migrations make them.

No program loads this but the one that migrates.
"""

from dataclasses import Field, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tokenq_server.adapters.postgres.token_rows import KINDS
from tokenq_server.domain.token import Token, Undo

metadata = MetaData()


def moment(name: str, *, nullable: bool = True, now: bool = False) -> Column[object]:
    """A column that holds a moment; ``now``: the database's clock unless something else is said."""
    return Column(
        name, DateTime(timezone=True), nullable=nullable, server_default=func.clock_timestamp() if now else None
    )


_TYPES: dict[type, Any] = {int: Integer, bool: Boolean, date: Date, Undo: JSONB(none_as_null=True)}
"""What holds a field of a token; its moments are moments, and all else is text."""
_WIDTHS = {"near_turn": SmallInteger} | dict.fromkeys(("token_id", "user_id", "place", "original_place"), BigInteger)


def _of_token(field: Field[Any]) -> Column[object]:
    """The column of a field of a token; one that may be ``None`` may be null."""
    is_nullable = field.default is None
    if KINDS[field.name] is datetime:
        return moment(field.name, nullable=is_nullable)
    kind = _WIDTHS.get(field.name) or _TYPES.get(KINDS[field.name], Text)
    more = [ForeignKey("department.department_id")] if field.name == "department_id" else []
    return Column(field.name, kind, *more, primary_key=field.name == "token_id", nullable=is_nullable)


branch = Table(
    "branch",
    metadata,
    Column("branch_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("rollover_hour", SmallInteger, nullable=False, server_default="4"),
    # Null: always open.
    Column("hours", JSONB(none_as_null=True)),
    CheckConstraint("rollover_hour BETWEEN 0 AND 23", name="branch_rollover_hour"),
)

department = Table(
    "department",
    metadata,
    Column("department_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("branch_id", Text, ForeignKey("branch.branch_id"), nullable=False),
    Column("is_open", Boolean, nullable=False, server_default=text("true")),
    Column("prefix", Text, nullable=False),
    Column("number_format", Text, nullable=False),
    Column("ratio_priority", SmallInteger, nullable=False, server_default="2"),
    Column("ratio_normal", SmallInteger, nullable=False, server_default="1"),
    Column("max_wait_minutes", Integer, nullable=False, server_default="60"),
    # What domain/rules.py knows, in the API's spelling; what is missing has its default. The column's own default is
    # for the release before, which knew two letters and no rules.
    Column("rules", JSONB, nullable=False, server_default=text("""'{"letters": ["issued", "served"]}'""")),
    # A department with history is hidden, not deleted: its tokens and events stay explainable.
    Column("is_archived", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("department_id ~ '^[A-Z][A-Z0-9]{0,7}$'", name="department_id_shape"),
    CheckConstraint("ratio_priority BETWEEN 1 AND 99 AND ratio_normal BETWEEN 1 AND 99", name="department_ratio"),
    CheckConstraint("max_wait_minutes BETWEEN 1 AND 1440", name="department_max_wait"),
)

dept_state = Table(
    "dept_state",
    metadata,
    Column("department_id", Text, ForeignKey("department.department_id"), primary_key=True),
    Column("day", Date, nullable=False, server_default=text("'0001-01-01'")),
    Column("last_no", Integer, nullable=False, server_default="0"),
    Column("last_seq", BigInteger, nullable=False, server_default="0"),
    Column("turn_priority", SmallInteger, nullable=False, server_default="0"),
    Column("turn_normal", SmallInteger, nullable=False, server_default="0"),
    Column("waiting_urgent", Integer, nullable=False, server_default="0"),
    Column("waiting_priority", Integer, nullable=False, server_default="0"),
    Column("waiting_normal", Integer, nullable=False, server_default="0"),
    # Numbers of the day that were left out, since somebody live carries them.
    Column("skipped", Integer, nullable=False, server_default="0"),
    # Up to this entry the log may have been rewritten since it was published: words about people were taken out.
    Column("rewritten_seq", BigInteger, nullable=False, server_default="0"),
    # Updated at every batch: room on the page keeps the update in place (HOT).
    postgresql_with={"fillfactor": "50"},
)

app_user = Table(
    "app_user",
    metadata,
    Column("user_id", BigInteger, Identity(), primary_key=True),
    Column("username", Text, unique=True),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("role", Text, nullable=False),
    Column("departments", ARRAY(Text), nullable=False, server_default="{}"),
    Column("password_hash", Text),
    Column("must_change_password", Boolean, nullable=False, server_default=text("false")),
    Column("is_disabled", Boolean, nullable=False, server_default=text("false")),
    moment("created_at", nullable=False, now=True),
    CheckConstraint("role IN ('admin', 'staff', 'desk', 'customer')", name="app_user_role"),
)

credential = Table(
    "credential",
    metadata,
    Column("credential_id", BigInteger, Identity(), primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("user_id", BigInteger, ForeignKey("app_user.user_id", ondelete="CASCADE")),
    Column("label", Text, nullable=False),
    Column("role", Text),
    Column("departments", ARRAY(Text), nullable=False, server_default="{}"),
    moment("created_at", nullable=False, now=True),
    moment("expires_at"),
    moment("last_used_at"),
    CheckConstraint("(kind = 'session') = (user_id IS NOT NULL)", name="credential_owner"),
    CheckConstraint("(kind = 'key') = (role IS NOT NULL)", name="credential_role"),
    Index("credential_user", "user_id"),
)

token_id_seq = Sequence("token_id_seq", metadata=metadata)

token = Table(
    "token",
    metadata,
    *map(_of_token, fields(Token)),
    UniqueConstraint("issued_in", "day", "number", name="token_number"),
    CheckConstraint("priority IN ('normal', 'priority', 'urgent')", name="token_priority"),
    Index(
        "token_live_user",
        "department_id",
        "user_id",
        unique=True,
        postgresql_where=text("state IN ('WAITING', 'CALLED', 'SERVING', 'PARKED')"),
    ),
    Index(
        "token_at_counter",
        "branch_id",
        "counter_id",
        unique=True,
        postgresql_where=text("state IN ('CALLED', 'SERVING')"),
    ),
    Index(
        "token_waiting",
        "department_id",
        "priority",
        "place",
        "token_id",
        postgresql_where=text("state = 'WAITING'"),
    ),
    Index(
        "token_live",
        "department_id",
        postgresql_where=text("state IN ('CALLED', 'SERVING', 'PARKED')"),
    ),
    Index(
        "token_live_number",
        "display",
        "issued_in",
        unique=True,
        postgresql_where=text("state IN ('WAITING', 'CALLED', 'SERVING', 'PARKED')"),
    ),
    Index("token_user", "user_id", postgresql_where=text("user_id IS NOT NULL")),
    Index("token_day", "department_id", "day"),
    Index(
        "token_near",
        "department_id",
        postgresql_where=text("state = 'WAITING' AND near_turn > 0 AND NOT is_near_told"),
    ),
    postgresql_with={"fillfactor": "80"},
)

counter = Table(
    "counter",
    metadata,
    Column("branch_id", Text, ForeignKey("branch.branch_id", ondelete="CASCADE"), nullable=False),
    Column("counter_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    # Who has claimed it, by name and by credential, until the lease ends.
    Column("operator", Text),
    Column("operator_identity", Text),
    moment("lease_until"),
    # The work profile: what it serves, in order; empty means every department of the branch.
    Column("departments", ARRAY(Text), nullable=False, server_default="{}"),
    Column("is_declared", Boolean, nullable=False, server_default=text("false")),
    moment("changed_at", nullable=False, now=True),
    PrimaryKeyConstraint("branch_id", "counter_id"),
    CheckConstraint("state IN ('OPEN', 'PAUSED', 'CLOSED')", name="counter_state"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("principal", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("body", Text, nullable=False),
    moment("created_at", nullable=False, now=True),
    PrimaryKeyConstraint("principal", "key"),
    Index("idempotency_age", "created_at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("department_id", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("token_id", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),
    # What this entry does to the waiting line: true joins, false leaves, null neither.
    Column("joins", Boolean),
    Column("priority", Text, nullable=False),
    Column("place", BigInteger, nullable=False),
    moment("at", nullable=False),
    # What somebody wrote about it, for the staff of the department only: the payload is published, this is not.
    Column("note", Text),
    PrimaryKeyConstraint("department_id", "seq"),
    Index("outbox_token", "token_id"),
    Index("outbox_age", "at"),
)

relay_cursor = Table(
    "relay_cursor",
    metadata,
    Column("department_id", Text, ForeignKey("department.department_id"), primary_key=True),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    # Where the last published record went: a topic that ends before it has lost records.
    Column("partition", Integer),
    Column("kafka_offset", BigInteger),
)

relay_epoch = Table(
    "relay_epoch",
    metadata,
    Column("is_only", Boolean, primary_key=True, server_default=text("true")),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("is_only", name="relay_epoch_one_row"),
)
