"""Which revision of the schema this release works with, and what to say of another one."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tokenq.contract.advice import Action, advise
from tokenq.contract.problems import ProblemCode, Refused, refuse

HEAD = "0004"
"""The revision this release works with; a test compares it with the newest script. Revisions sort by their names."""

UNDEFINED = ("42P01", "42703")
"""What Postgres says of a table or a column that is not there."""


async def revision(connection: AsyncConnection) -> str | None:
    """The database's revision; nothing if it has no tables of tokenq."""
    if not (await connection.execute(text("SELECT to_regclass('alembic_version')"))).scalar_one():
        return None
    found: str | None = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
    return found


def refuse_other(found: str | None) -> None:
    """Return if it is this release's revision.

    Raises:
        Refused: ``schema_behind`` or ``schema_ahead``.
    """
    if found is None or found < HEAD:
        raise schema_behind(found)
    if found > HEAD:
        raise refuse(
            ProblemCode.SCHEMA_AHEAD,
            f"The database was made by a newer release of tokenq (its schema is {found}, this release knows {HEAD}).",
            "Install that release, or restore the back-up that was made before the upgrade.",
        )


def schema_behind(found: str | None = None) -> Refused:
    """The refusal of a schema that is older or not there."""
    said = f"The database's schema is {found}, this release needs {HEAD}." if found else "The database lacks tables."
    return refuse(ProblemCode.SCHEMA_BEHIND, said, advise(Action.MIGRATE))
