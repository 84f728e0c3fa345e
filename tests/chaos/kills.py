"""Processes that are killed, and processes that are paused."""

import asyncio
import random
import signal
from collections.abc import Callable

import psutil

from tests.chaos.campaign import Fault
from tests.chaos.system import System
from tests.chaos.workload import Workload
from tokenq_server.embedded.supervised_process import SupervisedProcess

Choice = Callable[[System], SupervisedProcess]


def any_of(kind: str) -> Choice:
    """Any process of a kind."""
    return lambda system: random.choice(system.named(kind))


def kill(kind: str, *, waits_for_relay: bool = False) -> Fault:
    """``kill -9``, and wait until the part was started again."""

    async def inject(system: System, workload: Workload) -> None:
        await died(system, any_of(kind)(system))

    return Fault(f"kill -9 {kind}", inject, waits_for_relay)


async def died(system: System, part: SupervisedProcess) -> None:
    """Kill a part and wait until another process has replaced it."""
    await system.until(lambda: part.ready and part.is_alive, f"{part.name} runs")
    before = part.pid
    system.send(part, signal.SIGKILL)
    await system.until(lambda: part.pid not in (None, before), f"{part.name} is started again")


def pause(kind: str, *, longest: float = 3.0, waits_for_relay: bool = False) -> Fault:
    """SIGSTOP for a while: to others it is there and does not answer."""

    async def inject(system: System, workload: Workload) -> None:
        part = any_of(kind)(system)
        await system.until(lambda: part.ready and part.is_alive, f"{part.name} runs")
        system.send(part, signal.SIGSTOP)
        await asyncio.sleep(random.uniform(0.3, longest))
        system.send(part, signal.SIGCONT)

    return Fault(f"SIGSTOP {kind} 0.3-{longest:.0f} s", inject, waits_for_relay)


def hand_over() -> Fault:
    """SIGTERM, under load."""

    async def inject(system: System, workload: Workload) -> None:
        part = any_of("api")(system)
        await system.until(lambda: part.ready and part.is_alive, f"{part.name} runs")
        before = part.pid
        system.restart(part.name)
        await system.until(lambda: part.pid not in (None, before), f"{part.name} is started again")

    return Fault("SIGTERM api, restarted", inject)


def zombie_relay() -> Fault:
    """The active relay is paused, replaced by another one, and wakes up again."""

    async def inject(system: System, workload: Workload) -> None:
        await system.until(lambda: all(part.is_alive for part in system.named("relay")), "relays run")
        epoch = await _epoch(system)
        ((backend, port),) = await system.query(_HOLDER)
        holder = next(part for part in system.named("relay") if part.pid and int(str(port)) in _ports(part.pid))
        system.send(holder, signal.SIGSTOP)
        await system.query("SELECT pg_terminate_backend(%s)", backend)
        while await _epoch(system) == epoch:
            await asyncio.sleep(0.02)
        system.send(holder, signal.SIGCONT)

    return Fault("zombie relay (SIGSTOP, place lost, SIGCONT)", inject, waits_for_relay=True)


_HOLDER = """
SELECT a.pid, a.client_port FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND a.application_name = 'tokenq-relay'
"""


async def _epoch(system: System) -> object:
    return (await system.query("SELECT epoch FROM relay_epoch"))[0][0]


def _ports(pid: int) -> set[int]:
    """The local TCP ports of a process."""
    return {connection.laddr.port for connection in psutil.Process(pid).net_connections("tcp4") if connection.laddr}
