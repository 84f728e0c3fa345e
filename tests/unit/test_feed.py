"""The live feed: from its first word on, a watcher misses nothing."""

import asyncio
from collections.abc import Mapping

from tokenq_server.services.feed import Arrival, Feed
from tokenq_server.services.publishing import Entry


class Log:
    """A log of one department in memory."""

    def __init__(self) -> None:
        self.entries = [Entry("CW", 1, "{}")]

    async def heads(self) -> dict[str, int]:
        return {"CW": len(self.entries)}

    async def since(self, positions: Mapping[str, int], limit: int) -> list[Entry]:
        return self.entries[positions["CW"] :][:limit]

    async def close(self) -> None:
        return


async def test_what_is_committed_after_the_first_word_arrives() -> None:
    """A console that showed LIVE before it was would miss the call that comes right then."""
    log = Log()
    feed = Feed(log)
    feed.start()
    watching = feed.watch(("CW",), None)
    try:
        assert await anext(watching) is None
        log.entries.append(Entry("CW", 2, "{}"))
        feed.wake()
        async with asyncio.timeout(10):
            arrival = await anext(watching)
            while arrival is None:
                arrival = await anext(watching)
        assert isinstance(arrival, Arrival)
        assert arrival.positions == {"CW": 2}
    finally:
        await watching.aclose()
        await feed.close()
