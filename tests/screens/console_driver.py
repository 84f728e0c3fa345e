"""What the console's tests share: a console on a fake API, and the requests it made."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from tests.screens.console_seeds import NOON, FakeApi, busy_api
from tests.screens.reading import until, until_shown
from tokenq_tui.console.app import ConsoleApp

LooksLike = Callable[[App[None], str], None]
SMALL, MIDDLE = (80, 24), (120, 36)


def console(api: FakeApi, counter: str | None = "3") -> ConsoleApp:
    return ConsoleApp(api, api, api.feed, (), counter, clock=lambda: NOON)


def done(api: FakeApi) -> list[tuple[Any, ...]]:
    """What was asked of the server, without the idempotency keys."""
    return [request[:-1] for request in api.requests]


@asynccontextmanager
async def at_work(
    api: FakeApi | None = None,
    counter: str | None = "3",
    *,
    size: tuple[int, int] = (100, 30),
    words: str = "Noor Haddad",
    clock: Callable[[], datetime] = lambda: NOON,
) -> AsyncIterator[tuple[FakeApi, ConsoleApp, Pilot[None]]]:
    """A console that has fetched everything and shows these words. ``api`` is the busy fake by default."""
    api = api or busy_api()
    app = ConsoleApp(api, api, api.feed, (), counter, clock=clock)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: len(app.main.state.queues) == 3)
        for shown in ("LIVE", words):
            await until_shown(pilot, shown)
        yield api, app, pilot


async def settled(app: ConsoleApp, pilot: Pilot[None]) -> None:
    """Until everything is fetched and drawn."""
    await until(pilot, lambda: len(app.main.state.queues) == 3)
    for words in ("LIVE", "XR 2", "q Quit"):
        await until_shown(pilot, words)


def id_of(api: FakeApi, number: str) -> int:
    return next(each["tokenId"] for each in api.known.values() if each["displayNumber"] == number)
