"""The limits of a machine: full disks, exhausted memory, and clock jumps."""

import asyncio
import signal
from contextlib import suppress

from tests.chaos.campaign import Fault
from tests.chaos.kills import any_of
from tests.chaos.machine import memory_cap, set_clock
from tests.chaos.system import System
from tests.chaos.workload import Workload


def full_disk(store: str) -> Fault:
    """The store's disk is full for two seconds."""

    async def inject(system: System, workload: Workload) -> None:
        filler = system.folder / store / "filler"
        with suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        await asyncio.sleep(2.0)
        filler.unlink()
        if store == "valkey":
            # It stopped accepting writes when it could not save its file; it may not recover by itself.
            await asyncio.sleep(1.0)

    return Fault(f"disk full: {store}", inject, waits_for_relay=store == "postgres")


def out_of_memory(kind: str, *, waits_for_relay: bool = False) -> Fault:
    """For two seconds a part may use one more megabyte: the kernel kills it if it needs more."""

    async def inject(system: System, workload: Workload) -> None:
        part = any_of(kind)(system)
        await system.until(lambda: part.ready and part.is_alive, f"{part.name} runs")
        with memory_cap(system.family(part), 1):
            await asyncio.sleep(2.0)

    return Fault(f"out of memory: {kind}", inject, waits_for_relay)


def jump(said: str, offset: str) -> Fault:
    """The database's clock jumps, and stays there until the next fault."""

    async def inject(system: System, workload: Workload) -> None:
        set_clock(system.folder, offset)
        await asyncio.sleep(1.0)

    return Fault(f"clock {said}", inject)


async def _restart_postgres(system: System, workload: Workload) -> None:
    part = system.parts["postgres"]
    before = part.pid
    system.send(part, signal.SIGKILL)
    await system.until(lambda: part.pid not in (None, before) and part.ready, "postgres is back")


JUMPS = [
    jump("two hours ahead", "+2h"),
    jump("back again", "+0"),
    jump("a day ahead: the next business day", "+1d"),
    jump("back by a day", "+0"),
    jump("an hour behind", "-1h"),
    jump("a second a second", "+0 x2"),
    jump("right again", "+0"),
    Fault("kill -9 postgres after all that", _restart_postgres),
]
MEMORY = [
    out_of_memory("api"),
    out_of_memory("relay", waits_for_relay=True),
    out_of_memory("notify"),
    out_of_memory("postgres", waits_for_relay=True),
    out_of_memory("valkey"),
    out_of_memory("broker", waits_for_relay=True),
]
DISKS = [full_disk("valkey"), full_disk("postgres")]
