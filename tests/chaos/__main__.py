"""``python -m tests.chaos [ci|soak] [--only NAME] [--times N]``: the fault matrix on a complete running system.

Prints a Markdown table of injected faults and recovery times; exits with 1 if any rule was violated.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from tests.chaos import concurrent_retries, kills, limits, mail, network, stores, watchers
from tests.chaos.campaign import Campaign, Fault, Result, carry_out, table
from tests.chaos.crash_points import crash_at_every_point
from tests.chaos.machine import can_cap_memory, can_fake_time, can_mount
from tests.chaos.system import Plan

Script = Callable[[Campaign, int], Awaitable[None]]


@dataclass(frozen=True)
class Chapter:
    """A campaign of the matrix: its system, its script, and the count of each fault in CI and in a soak."""

    plan: Plan
    script: Script
    ci: int
    soak: int
    mail_share: float = 0.02
    is_possible: Callable[[], bool] = lambda: True


def _each(*faults: Fault) -> Script:
    async def script(campaign: Campaign, times: int) -> None:
        for fault in faults:
            await campaign.suffer(fault, times)

    return script


CHAPTERS = {
    "crash points": Chapter(Plan(), crash_at_every_point, ci=1, soak=50, mail_share=0.05),
    "kills": Chapter(
        Plan(),
        _each(
            kills.kill("api"),
            kills.kill("relay", waits_for_relay=True),
            kills.kill("notify"),
            kills.kill("postgres", waits_for_relay=True),
            kills.kill("valkey"),
            kills.kill("broker", waits_for_relay=True),
            kills.hand_over(),
        ),
        ci=1,
        soak=40,
    ),
    "pauses": Chapter(
        Plan(),
        _each(
            kills.pause("api"),
            kills.pause("relay", waits_for_relay=True),
            kills.pause("notify"),
            kills.pause("postgres"),
            kills.pause("valkey"),
            kills.pause("broker", waits_for_relay=True),
        ),
        ci=1,
        soak=20,
    ),
    "stores": Chapter(Plan(), _each(*stores.REDIS, *stores.POSTGRES), ci=1, soak=20),
    "network": Chapter(Plan(proxied=True), _each(*network.CUTS, *network.SLOWNESS), ci=1, soak=15, mail_share=0.1),
    "concurrent-retries": Chapter(Plan(apis=2), _each(*concurrent_retries.FAULTS), ci=2, soak=30),
    "watchers": Chapter(Plan(), _each(*watchers.FAULTS), ci=1, soak=10),
    "disks": Chapter(Plan(small_disks=True), _each(*limits.DISKS), ci=1, soak=10, is_possible=can_mount),
    "memory": Chapter(Plan(), _each(*limits.MEMORY), ci=1, soak=10, is_possible=can_cap_memory),
    # After a jump of a day no e-mail waits for one of another department, so their order proves nothing.
    "clock": Chapter(
        Plan(fake_clock=True), _each(*limits.JUMPS), ci=1, soak=6, mail_share=0, is_possible=can_fake_time
    ),
    "mail": Chapter(Plan(), _each(*mail.FAULTS), ci=1, soak=20, mail_share=0.3),
    "many": Chapter(
        Plan(apis=2, relays=2),
        _each(
            kills.zombie_relay(),
            kills.kill("api"),
            kills.kill("relay", waits_for_relay=True),
            kills.kill("notify"),
            kills.hand_over(),
        ),
        ci=1,
        soak=20,
        mail_share=0.05,
    ),
}


async def _times(script: Script, times: int, campaign: Campaign) -> None:
    await script(campaign, times)


async def _all(profile: str, only: list[str], times: int | None) -> list[Result]:
    results = []
    for name, chapter in CHAPTERS.items():
        if only and name not in only:
            continue
        if not chapter.is_possible():
            print(f"{name}: not possible on this machine", flush=True)
            continue
        script = partial(_times, chapter.script, times or getattr(chapter, profile))
        result = await carry_out(name, chapter.plan, script, mail_share=chapter.mail_share)
        print(table([result]), flush=True)
        if result.violations:
            print(result.report, flush=True)
        results.append(result)
    return results


def main() -> int:
    """Run the matrix."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("profile", choices=["ci", "soak"], nargs="?", default="ci")
    parser.add_argument("--only", action="append", default=[], choices=list(CHAPTERS))
    parser.add_argument("--times", type=int, help="how often each fault comes")
    given = parser.parse_args()
    results = asyncio.run(_all(given.profile, given.only, given.times))
    return 1 if any(result.violations for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
