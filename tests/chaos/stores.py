"""Stores that lose data, fill up, drop connections or block."""

import asyncio
import shutil
import signal

import psycopg
from redis.asyncio import Redis

from tests.chaos.campaign import Fault
from tests.chaos.fixtures import DEPARTMENTS
from tests.chaos.system import System
from tests.chaos.workload import Workload

_TERMINATE_ALL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'tokenq' AND pid <> pg_backend_pid()
"""


async def _flush(system: System, workload: Workload) -> None:
    async with Redis.from_url(system.valkey.url) as redis:
        await redis.flushall()


async def _forget_functions(system: System, workload: Workload) -> None:
    async with Redis.from_url(system.valkey.url) as redis:
        await redis.function_flush("SYNC")


async def _wrong_members(system: System, workload: Workload) -> None:
    """Foreign entries in the queue, with correct counts: only the tokens' own state reveals them."""
    async with Redis.from_url(system.valkey.url, decode_responses=True) as redis:
        async for key in redis.scan_iter(f"tq:{{{DEPARTMENTS[0]}}}:*:q"):
            for member, score in await redis.zrange(key, 0, 4, withscores=True):
                await redis.zrem(key, member)
                await redis.zadd(key, {f"{10**15 + int(member):019d}": score})


async def _old_file(system: System, workload: Workload) -> None:
    """Restore Redis from an old copy of its files: consistent, and behind."""
    data = system.valkey.folder / "appendonlydir"
    copy = system.folder / "old-appendonlydir"
    part = system.parts["valkey"]
    await system.until(lambda: part.ready and part.is_alive and data.exists(), "valkey keeps its file")
    before = part.pid
    shutil.rmtree(copy, ignore_errors=True)
    await asyncio.to_thread(shutil.copytree, data, copy)
    if system.valkey.run_as is not None:
        for path in (copy, *copy.iterdir()):
            shutil.chown(path, system.valkey.run_as.uid, system.valkey.run_as.gid)
    await asyncio.sleep(1.0)
    system.send(part, signal.SIGSTOP)
    shutil.rmtree(data)
    shutil.move(copy, data)
    system.send(part, signal.SIGKILL)
    await system.until(lambda: part.pid not in (None, before) and part.ready, "valkey is back")


async def _full_memory(system: System, workload: Workload) -> None:
    """Redis accepts no writes for a while."""
    async with Redis.from_url(system.valkey.url) as redis:
        await redis.config_set("maxmemory", 1)
        await asyncio.sleep(1.0)
        await redis.config_set("maxmemory", 0)


async def _no_backends(system: System, workload: Workload) -> None:
    async with await psycopg.AsyncConnection.connect(system.postgres.admin_url, autocommit=True) as connection:
        await connection.execute(_TERMINATE_ALL)


async def _locked(system: System, workload: Workload) -> None:
    """Lock a department's row for longer than any request waits."""
    async with await psycopg.AsyncConnection.connect(system.postgres.url) as connection:
        await connection.execute("SELECT 1 FROM dept_state WHERE department_id = %s FOR UPDATE", [DEPARTMENTS[0]])
        await asyncio.sleep(3.0)
        await connection.rollback()


async def _no_connections(system: System, workload: Workload) -> None:
    """Take all remaining connections."""
    held: list[psycopg.AsyncConnection[object]] = []
    try:
        while True:
            held.append(await psycopg.AsyncConnection.connect(system.postgres.url))
    except psycopg.OperationalError:
        await asyncio.sleep(1.0)
    finally:
        for connection in held:
            await connection.close()


REDIS = [
    Fault("FLUSHALL", _flush),
    Fault("Redis functions gone", _forget_functions),
    Fault("strangers in the line", _wrong_members),
    Fault("old copy of Redis restored", _old_file),
    Fault("Redis memory full", _full_memory),
]
POSTGRES = [
    Fault("every backend terminated", _no_backends, waits_for_relay=True),
    Fault("a row locked for 3 s", _locked),
    Fault("no connection left", _no_connections, waits_for_relay=True),
]
