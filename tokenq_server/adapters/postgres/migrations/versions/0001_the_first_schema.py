"""The first schema, with the branch ``main`` and the relay's epoch in place."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("token_id_seq")))
    op.create_table(
        "app_user",
        sa.Column("user_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("departments", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("role IN ('admin', 'staff', 'desk', 'customer')", name="app_user_role"),
        sa.PrimaryKeyConstraint("user_id"),
        sa.UniqueConstraint("username"),
    )
    op.create_table(
        "branch",
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("rollover_hour", sa.SmallInteger(), server_default="4", nullable=False),
        sa.CheckConstraint("rollover_hour BETWEEN 0 AND 23", name="branch_rollover_hour"),
        sa.PrimaryKeyConstraint("branch_id"),
    )
    op.create_table(
        "idempotency",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("principal", "key"),
    )
    op.create_index("idempotency_age", "idempotency", ["created_at"], unique=False)
    op.create_table(
        "mail_job",
        sa.Column("department_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("event", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default="due", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ambiguous", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('due', 'sending', 'sent', 'dead', 'dropped')", name="mail_job_state"),
        sa.PrimaryKeyConstraint("department_id", "seq", "kind"),
    )
    op.create_index(
        "mail_job_due", "mail_job", ["due_at"], unique=False, postgresql_where=sa.text("state IN ('due', 'sending')")
    )
    op.create_index("mail_job_token", "mail_job", ["token_id", "seq"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("department_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("joins", sa.Boolean(), nullable=True),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("department_id", "seq"),
    )
    op.create_index("outbox_age", "outbox", ["at"], unique=False)
    op.create_index("outbox_token", "outbox", ["token_id"], unique=False)
    op.create_table(
        "relay_epoch",
        sa.Column("is_only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("is_only", name="relay_epoch_one_row"),
        sa.PrimaryKeyConstraint("is_only"),
    )
    op.create_table(
        "credential",
        sa.Column("credential_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("departments", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(kind = 'key') = (role IS NOT NULL)", name="credential_role"),
        sa.CheckConstraint("(kind = 'session') = (user_id IS NOT NULL)", name="credential_owner"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.user_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("credential_id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("credential_user", "credential", ["user_id"], unique=False)
    op.create_table(
        "department",
        sa.Column("department_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("number_format", sa.Text(), nullable=False),
        sa.Column("ratio_priority", sa.SmallInteger(), server_default="2", nullable=False),
        sa.Column("ratio_normal", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("max_wait_minutes", sa.Integer(), server_default="60", nullable=False),
        sa.Column("is_archived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("department_id ~ '^[A-Z][A-Z0-9]{0,7}$'", name="department_id_shape"),
        sa.CheckConstraint("max_wait_minutes BETWEEN 1 AND 1440", name="department_max_wait"),
        sa.CheckConstraint(
            "ratio_priority BETWEEN 1 AND 99 AND ratio_normal BETWEEN 1 AND 99", name="department_ratio"
        ),
        sa.ForeignKeyConstraint(
            ["branch_id"],
            ["branch.branch_id"],
        ),
        sa.PrimaryKeyConstraint("department_id"),
    )
    op.create_table(
        "mail_dlq",
        sa.Column("dlq_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("partition", sa.Integer(), nullable=True),
        sa.Column("offset", sa.BigInteger(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("department_id", sa.Text(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("copied", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("state IN ('open', 'retried', 'dropped')", name="mail_dlq_state"),
        sa.ForeignKeyConstraint(
            ["department_id", "seq", "kind"],
            ["mail_job.department_id", "mail_job.seq", "mail_job.kind"],
            name="mail_dlq_job",
        ),
        sa.PrimaryKeyConstraint("dlq_id"),
        sa.UniqueConstraint("topic", "partition", "offset", name="mail_dlq_record"),
    )
    op.create_table(
        "dept_state",
        sa.Column("department_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), server_default=sa.text("'0001-01-01'"), nullable=False),
        sa.Column("last_no", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("turn_priority", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("turn_normal", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("waiting_urgent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("waiting_priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("waiting_normal", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["department.department_id"],
        ),
        sa.PrimaryKeyConstraint("department_id"),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "relay_cursor",
        sa.Column("department_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("partition", sa.Integer(), nullable=True),
        sa.Column("kafka_offset", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["department.department_id"],
        ),
        sa.PrimaryKeyConstraint("department_id"),
    )
    op.create_table(
        "token",
        sa.Column("token_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("display", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("original_place", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("counter_id", sa.Text(), nullable=True),
        sa.Column("claim_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("priority IN ('normal', 'priority', 'urgent')", name="token_priority"),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["department.department_id"],
        ),
        sa.PrimaryKeyConstraint("token_id"),
        sa.UniqueConstraint("department_id", "day", "number", name="token_number"),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "token_at_counter",
        "token",
        ["branch_id", "counter_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('CALLED', 'SERVING')"),
    )
    op.create_index(
        "token_live",
        "token",
        ["department_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('CALLED', 'SERVING', 'PARKED')"),
    )
    op.create_index(
        "token_live_user",
        "token",
        ["department_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('WAITING', 'CALLED', 'SERVING', 'PARKED')"),
    )
    op.create_index("token_user", "token", ["user_id"], unique=False, postgresql_where=sa.text("user_id IS NOT NULL"))
    op.create_index(
        "token_waiting",
        "token",
        ["department_id", "priority", "place", "token_id"],
        unique=False,
        postgresql_where=sa.text("state = 'WAITING'"),
    )
    op.execute("INSERT INTO branch (branch_id, name, timezone) VALUES ('main', 'Main branch', 'UTC')")
    op.execute("INSERT INTO relay_epoch DEFAULT VALUES")


def downgrade() -> None:
    raise RuntimeError("There is no way back: restore the back-up that was made before the upgrade.")
