"""The PostgreSQL of a data folder, with the passwords that are kept there."""

from collections.abc import Sequence

from tokenq_server import store_users
from tokenq_server.embedded.binaries import Binaries
from tokenq_server.embedded.folder import DataFolder
from tokenq_server.embedded.postgres import Postgres
from tokenq_server.embedded.privileges import RunAs


def own_database(
    folder: DataFolder, binaries: Binaries, port: int, run_as: RunAs | None, keep_open: Sequence[int]
) -> Postgres:
    """Return it, whether it has been created yet or not."""
    return Postgres(
        binaries.postgres,
        folder.path / "postgres",
        folder.log("postgres"),
        port,
        folder.secret("postgres.admin"),
        folder.secret("postgres.tokenq"),
        run_as,
        keep_open,
        {role: folder.secret(f"postgres.{role}") for role in store_users.PROGRAMS},
    )
