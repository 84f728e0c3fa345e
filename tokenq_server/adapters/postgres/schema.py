"""Which revision of the schema this release works with, and what to say of another one."""

from pathlib import Path

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq_server.adapters.postgres.connection import Connection

HEAD = max(script.name[:4] for script in Path(__file__).parent.glob("migrations/versions/[0-9]*.py"))
"""The revision this release works with, that of its newest script: revisions sort by their names."""


async def revision(connection: Connection) -> str | None:
    """The database's revision; nothing if it has no tables of tokenq."""
    if await connection.row("SELECT 1 WHERE to_regclass('alembic_version') IS NULL"):
        return None
    found = await connection.row("SELECT version_num FROM alembic_version")
    return found["version_num"] if found else None


def refuse_other(found: str | None) -> None:
    """Return if it is this release's revision.

    Raises:
        Refused: ``schema_behind`` or ``schema_ahead``.
    """
    if found is None or found < HEAD:
        raise schema_behind(found)
    if found > HEAD:
        raise refuse(StoreReason.SCHEMA_AHEAD, found=found, needed=HEAD)


def schema_behind(found: str | None = None) -> Refused:
    """The refusal of a schema that is older or not there."""
    return refuse(StoreReason.SCHEMA_BEHIND if found else StoreReason.TABLES_MISSING, found=found, needed=HEAD)
