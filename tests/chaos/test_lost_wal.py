"""A PostgreSQL that acknowledges before it writes: the checker must detect what a crash loses."""

import os
import signal
from pathlib import Path

from tests.chaos.history import History
from tests.chaos.mutants import Stores, assert_seen, both_ways
from tests.servers import Running, Servers, running_postgres
from tests.waiting import until
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.embedded.postgres import Postgres


@both_ways
async def test_synchronous_commit_off(tmp_path: Path, servers: Servers, is_mutant: bool) -> None:
    """Acknowledged data is only in memory when all PostgreSQL processes are killed."""
    with running_postgres(f"synchronous_commit={'off' if is_mutant else 'on'}", "wal_writer_delay=10s") as postgres:
        migrate(postgres.server.url)
        with History(tmp_path / "history.jsonl") as history:
            stores = Stores(postgres.server.url, servers.redis_url, history)
            async with stores.office() as office:
                name = await office.department()
                await stores.rows("SET synchronous_commit = on; CREATE TABLE flushed ()")
                for _ in range(5):
                    await office.issue(name)
                kill_all(postgres)
                postgres.start()
                await office.issue(name)
                await office.issue(name)
            report = await stores.check()

    assert_seen(report, "N5", is_mutant)


def kill_all(postgres: Running[Postgres]) -> None:
    """kill -9 for the postmaster and all its children at the same moment: nothing can flush."""
    assert postgres.process is not None
    family = [postgres.process.pid, *children_of(postgres.process.pid)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    for pid in family:
        os.kill(pid, signal.SIGKILL)
    postgres.process.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), lambda: f"{family} live on")


def children_of(parent: int) -> list[int]:
    """The processes that a process has started."""
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
