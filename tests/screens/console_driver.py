"""What tests of the console share: a console at a made-up desk, and what it asked of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from tests.screens.console_seeds import NOON, FakeDesk, busy_desk
from tests.screens.reading import until, until_shown
from tokenq_tui.console.app import ConsoleApp

LooksLike = Callable[[App[None], str], None]
SMALL, MIDDLE = (80, 24), (120, 36)


def console(desk: FakeDesk, counter: str | None = "3") -> ConsoleApp:
    return ConsoleApp(desk, desk, desk.feed, (), counter, clock=lambda: NOON)


def done(desk: FakeDesk) -> list[tuple[Any, ...]]:
    """What was asked of the server, without the idempotency keys."""
    return [request[:-1] for request in desk.requests]


@asynccontextmanager
async def at_work(
    desk: FakeDesk | None = None,
    counter: str | None = "3",
    *,
    size: tuple[int, int] = (100, 30),
    words: str = "Noor Haddad",
    clock: Callable[[], datetime] = lambda: NOON,
) -> AsyncIterator[tuple[FakeDesk, ConsoleApp, Pilot[None]]]:
    """A console that has fetched everything and shows these words. ``desk`` is a busy one if none is given."""
    desk = desk or busy_desk()
    app = ConsoleApp(desk, desk, desk.feed, (), counter, clock=clock)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: len(app.main.state.queues) == 3)
        for shown in ("LIVE", words):
            await until_shown(pilot, shown)
        yield desk, app, pilot


async def settled(app: ConsoleApp, pilot: Pilot[None]) -> None:
    """Until everything is fetched and drawn."""
    await until(pilot, lambda: len(app.main.state.queues) == 3)
    for words in ("LIVE", "XR 2", "q Quit"):
        await until_shown(pilot, words)


def desk_id(desk: FakeDesk, number: str) -> int:
    return next(each["tokenId"] for each in desk.known.values() if each["displayNumber"] == number)
