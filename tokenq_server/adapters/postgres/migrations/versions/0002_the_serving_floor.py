"""Rules and hours of departments, counters, and what the newer verbs need of a token."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("branch", sa.Column("hours", postgresql.JSONB(), nullable=True))
    op.add_column("department", sa.Column("rules", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False))
    _counters()
    _tokens()


def _counters() -> None:
    op.create_table(
        "counter",
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("counter_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("operator", sa.Text(), nullable=True),
        sa.Column("operator_identity", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("departments", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("is_declared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "changed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("state IN ('OPEN', 'PAUSED', 'CLOSED')", name="counter_state"),
        sa.ForeignKeyConstraint(["branch_id"], ["branch.branch_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("branch_id", "counter_id"),
    )


def _tokens() -> None:
    op.add_column("token", sa.Column("issued_in", sa.Text(), nullable=True))
    # In the release before, a token never left the department that issued it.
    op.execute("UPDATE token SET issued_in = department_id")
    op.alter_column("token", "issued_in", nullable=False)
    for name in ("last_call_at", "parked_at", "parked_until"):
        op.add_column("token", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE token SET last_call_at = called_at WHERE state IN ('CALLED', 'SERVING')")
    op.add_column("token", sa.Column("near_turn", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("token", sa.Column("is_near_told", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    for name in ("estimate_low", "estimate_high"):
        op.add_column("token", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("token", sa.Column("undo", postgresql.JSONB(), nullable=True))
    op.drop_constraint("token_number", "token")
    op.create_unique_constraint("token_number", "token", ["issued_in", "day", "number"])
    op.create_index("token_day", "token", ["department_id", "day"])
    op.create_index(
        "token_near",
        "token",
        ["department_id"],
        postgresql_where=sa.text("state = 'WAITING' AND near_turn > 0 AND NOT is_near_told"),
    )
