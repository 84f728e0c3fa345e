"""Runs board or console in a real terminal on data of which every text is hostile or harmless, then leaves."""

import asyncio
import sys
from collections.abc import Callable
from datetime import timedelta

from textual.pilot import Pilot

from tests.screens import console_seeds as seeds
from tests.screens.board_seeds import NOON, FakeStream, Log, replay
from tokenq_tui.board.app import BoardApp
from tokenq_tui.console.app import ConsoleApp

HOSTILE = (
    "A\x1b]52;c;cHduZWQ=\x1b\\",
    "\x1b]0;pwned\x1b\\",
    "\x1b[2J\x1b[H",
    "\x1b[?1049l",
    "\x1bc",
    "\x9b31m\x9d0;x\x9c\x90q",
    "\x00\x07\x08\r\n\t\x0b\x0c",
    "\x1b]8;;http://evil\x1b\\link",
    "\x1b[6n\x1b[>c\x1bP$q\x1b\\",
    "\u202eABC\u2066\u2067\u2069\u200f\u200b",
    "\U000e0041\U000e0042tag",
    "e" + "\u0301" * 500,
    "x" * 10_000,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\ufdfd\ufdfd\ufdfd",
    "[bold red]X[/] [@click=app.quit]y[/]",
    "\ud800",
)
HARMLESS = tuple(f"Text {number}" for number in range(len(HOSTILE)))


def board(texts: tuple[str, ...]) -> BoardApp:
    log = Log(NOON - timedelta(hours=1))
    log.issue("CW", *range(1, 40))
    for number, text in enumerate(texts, 1):
        log.add("TOKEN_CALLED", "CW", number, text, display_number=text, actor=text, priority=text, branch_id=text)
    stream = FakeStream(replay(log))
    return BoardApp(lambda: stream, calls=20, quiet=True, clock=lambda: NOON)


def console(texts: tuple[str, ...]) -> ConsoleApp:
    fields = [{"name": text, "displayNumber": text, "counterId": text, "priority": text} for text in texts]
    called = {"state": "CALLED", "calledAt": seeds.stamp(NOON), "moves": seeds.MOVES["CALLED"], "reason": "x"}
    tokens = [seeds.token("CW", number, **each) for number, each in enumerate(fields)]
    tokens += [seeds.token("CW", 100 + number, **{**each, **called}) for number, each in enumerate(fields)]
    desk = seeds.FakeDesk(tokens)
    desk.names = {"CW": "".join(texts)}
    desk.fault = None
    return ConsoleApp(desk, desk, desk.feed, (), texts[0], clock=lambda: NOON)


async def use_board(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, BoardApp)
    await settle(lambda: app.picture.calls)
    await pilot.pause(0.6)
    app.exit()


async def use_console(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    await settle(lambda: app.main.state.held)
    for key in ("r", "x", "escape", "down", "delete", "escape", "v"):
        await pilot.press(key)
        await settle(lambda: not app.main.is_busy)
    await settle(lambda: app.main.state.held is None)
    await pilot.press("down", "enter", "escape", "k", "escape")
    await pilot.pause(0.6)
    app.exit()


async def settle(holds: Callable[[], object]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    texts = HOSTILE if sys.argv[2] == "hostile" else HARMLESS
    if sys.argv[1] == "board":
        board(texts).run(auto_pilot=use_board)
    else:
        console(texts).run(auto_pilot=use_console)
