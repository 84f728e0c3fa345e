"""The tables of the notifications, the primary queue and the dead-letter queue; their metadata knows all tables."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tokenq.contract.notifications import EMAIL
from tokenq_server.adapters.postgres.tables import metadata, moment

mail_job = Table(
    "mail_job",
    metadata,
    Column("department_id", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    # The default is for the release before, which knew e-mail only.
    Column("channel", Text, nullable=False, server_default=EMAIL),
    Column("token_id", BigInteger, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("event", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default="due"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("ambiguous", Integer, nullable=False, server_default="0"),
    moment("due_at", nullable=False, now=True),
    moment("lease_until"),
    Column("lease_owner", Text),
    Column("last_error", Text),
    moment("created_at", nullable=False, now=True),
    moment("sent_at"),
    PrimaryKeyConstraint("department_id", "seq", "kind", "channel"),
    CheckConstraint("state IN ('due', 'sending', 'sent', 'dead', 'dropped')", name="mail_job_state"),
    Index("mail_job_due", "due_at", postgresql_where=text("state IN ('due', 'sending')")),
    Index("mail_job_token", "token_id", "seq"),
)

mail_dlq = Table(
    "mail_dlq",
    metadata,
    Column("dlq_id", BigInteger, Identity(), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("error", Text, nullable=False),
    # A record that could not be read …
    Column("topic", Text),
    Column("partition", Integer),
    Column("offset", BigInteger),
    Column("raw", LargeBinary),
    # … or a letter that could not be sent.
    Column("department_id", Text),
    Column("seq", BigInteger),
    Column("kind", Text),
    Column("channel", Text, server_default=EMAIL),
    Column("state", Text, nullable=False, server_default="open"),
    Column("copied", Boolean, nullable=False, server_default=text("false")),
    moment("at", nullable=False, now=True),
    UniqueConstraint("topic", "partition", "offset", name="mail_dlq_record"),
    ForeignKeyConstraint(
        ["department_id", "seq", "kind", "channel"],
        ["mail_job.department_id", "mail_job.seq", "mail_job.kind", "mail_job.channel"],
        name="mail_dlq_job",
    ),
    CheckConstraint("state IN ('open', 'retried', 'dropped')", name="mail_dlq_state"),
)
