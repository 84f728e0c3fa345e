"""The schema revision of this release, and the refusal of others."""

from pathlib import Path

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq_server.adapters.postgres.connection import Connection

HEAD = max(script.name[:4] for script in Path(__file__).parent.glob("migrations/versions/[0-9]*.py"))
"""The revision of this release's newest script: revisions sort by name."""


async def revision(connection: Connection) -> str | None:
    """Return the database's revision, or ``None`` if it has no tables of tokenq."""
    if await connection.row("SELECT 1 WHERE to_regclass('alembic_version') IS NULL"):
        return None
    row = await connection.row("SELECT version_num FROM alembic_version")
    return row["version_num"] if row else None


def refuse_other(current: str | None) -> None:
    """Return if it is this release's revision.

    Raises:
        Refused: ``schema_behind`` or ``schema_ahead``.
    """
    if current is None or current < HEAD:
        raise schema_behind(current)
    if current > HEAD:
        raise refuse(StoreReason.SCHEMA_AHEAD, found=current, needed=HEAD)


def schema_behind(current: str | None = None) -> Refused:
    """The refusal of a schema that is older or missing."""
    return refuse(StoreReason.SCHEMA_BEHIND if current else StoreReason.TABLES_MISSING, found=current, needed=HEAD)
