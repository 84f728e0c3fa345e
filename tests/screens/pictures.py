"""Draw the README's pictures of board and console: ``python -m tests.screens.pictures deploy/pictures``."""

import asyncio
import os
import sys
import time
from pathlib import Path

from tests.screens import console_seeds
from tests.screens.board_seeds import NOON, FakeStream, named_morning, replay
from tests.screens.drawing import svg_of
from tokenq_tui.board.app import BoardApp
from tokenq_tui.console.app import ConsoleApp

SIZE = (120, 36)


async def board_picture() -> str:
    stream = FakeStream(replay(named_morning()))
    app = BoardApp(lambda: stream, quiet=True, clock=lambda: NOON)
    async with app.run_test(size=SIZE) as pilot:
        while not app.picture.calls:
            await pilot.pause(0.02)
        await pilot.pause()
        return svg_of(app)


async def console_picture() -> str:
    api = console_seeds.busy_api()
    app = ConsoleApp(api, api, api.feed, (), "3", clock=lambda: console_seeds.NOON)
    async with app.run_test(size=SIZE) as pilot:
        while len(app.main.state.queues) < len(api.ids) or not app.main._details.records:
            await pilot.pause(0.02)
        await pilot.pause()
        return svg_of(app)


def main(folder: Path) -> None:
    os.environ["TZ"] = "UTC"
    time.tzset()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "board.svg").write_text(asyncio.run(board_picture()))
    (folder / "console.svg").write_text(asyncio.run(console_picture()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
