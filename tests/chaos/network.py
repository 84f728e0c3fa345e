"""A network between tokenq and a store that cuts, swallows, drops responses, is slow or narrow."""

import asyncio
import random

from tests.chaos.campaign import Fault
from tests.chaos.proxy import Weather
from tests.chaos.system import LINKS, System
from tests.chaos.workload import Workload

_BAD_SECONDS = {
    Weather.CUT: (0.1, 1.0),
    Weather.BLACKHOLE: (0.5, 4.0),
    Weather.DEAF: (0.1, 1.0),
    Weather.SLOW: (1.5, 2.5),
    Weather.NARROW: (1.5, 2.5),
}

_FORGETFUL = (Weather.CUT, Weather.BLACKHOLE, Weather.DEAF)
"""Faults that can lose a response."""


def bad_weather(weather: Weather, link: str) -> Fault:
    """That fault on that link for a few seconds."""

    async def inject(system: System, workload: Workload) -> None:
        if link == "smtp" and weather in _FORGETFUL:
            system.doubts.add(f"{weather} {link}", senders=system.plan.notifies)
        system.proxies[link].become(weather)
        await asyncio.sleep(random.uniform(*_BAD_SECONDS[weather]))
        system.proxies[link].clear_up()

    return Fault(f"{weather} {link}", inject, waits_for_relay=link == "kafka")


CUTS = [bad_weather(weather, link) for weather in (Weather.CUT, Weather.BLACKHOLE, Weather.DEAF) for link in LINKS]
SLOWNESS = [bad_weather(weather, link) for weather in (Weather.SLOW, Weather.NARROW) for link in LINKS]
