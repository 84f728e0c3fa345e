"""Runs board or console in a real terminal on data of which every text is hostile or harmless, then leaves.

``failing``: a console of which everything fails for a while.
"""

import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.pilot import Pilot

from tests.screens import console_seeds as seeds
from tests.screens.board_seeds import NOON, FakeStream, Log, replay, tell
from tests.waiting import eventually
from tokenq_tui.board.app import BoardApp
from tokenq_tui.console.app import ConsoleApp
from tokenq_tui.console.messages import QueueArrived

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
SECONDS = 50.0
SEEN = {"hostile": "]52;c", "harmless": "Text 3"}
"""What tells that the texts stand on the terminal."""


class Watched(LinuxDriver):
    """Writes to the terminal and remembers what: a screen may be ready long before it is painted."""

    painted = ""

    def write(self, data: str) -> None:
        Watched.painted += data
        super().write(data)


def board(texts: tuple[str, ...]) -> BoardApp:
    log = Log(NOON - timedelta(hours=1))
    log.issue("CW", *range(1, 40))
    for number, text in enumerate(texts, 1):
        log.add("TOKEN_CALLED", "CW", number, text, display_number=text, actor=text, priority=text, branch_id=text)
        tell(log, {f"D{number}": text}, branchName=texts[number % 3], counterWords={"en": text})
    stream = FakeStream(replay(log))
    return BoardApp(lambda: stream, calls=20, quiet=True, clock=lambda: NOON)


def console(texts: tuple[str, ...]) -> ConsoleApp:
    fields = [{"name": text, "displayNumber": text, "counterId": text, "priority": text} for text in texts]
    called = {"state": "CALLED", "calledAt": seeds.stamp(NOON), "moves": seeds.MOVES["CALLED"], "reason": "x"}
    tokens = [seeds.token("CW", number, **each) for number, each in enumerate(fields)]
    tokens += [seeds.token("CW", 100 + number, **{**each, **called}) for number, each in enumerate(fields)]
    api = seeds.FakeApi(tokens)
    api.names = {"CW": "".join(texts)}
    api.fault = None
    return ConsoleApp(api, api, api.feed, (), texts[0], clock=lambda: NOON)


async def use_board(pilot: Pilot[None]) -> None:
    await until_painted(SEEN[sys.argv[2]])
    pilot.app.exit()


async def use_console(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    await settle(lambda: app.main.state.held)
    await until_painted(SEEN[sys.argv[2]])
    for key in ("r", "x", "escape", "down", "delete", "escape", "v"):
        await pilot.press(key)
        await settle(lambda: not app.main.is_busy)
    await settle(lambda: app.main.state.held is None)
    await pilot.press("down", "enter")
    await until_painted("out of order?")
    await pilot.press("escape", "k")
    await until_painted("Which counter")
    await pilot.press("escape")
    app.exit()


async def use_failing(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    api = app.main._api
    assert isinstance(api, seeds.FakeApi)
    await until_painted("Noor Haddad")
    api.fault = ZeroDivisionError("odd")
    api.feed.put(ZeroDivisionError("odd"))
    app.main.set_timer(0.01, lambda: 1 // 0)
    app.main.post_message(QueueArrived({}, 0.0))  # type: ignore[typeddict-item]
    await pilot.press("v")
    await settle(lambda: not app.main.is_busy)
    await until_painted("failed in this console")
    api.fault = None
    await pilot.press("v")
    await until_painted("is served.")
    app.exit()


async def until_painted(words: str) -> None:
    await settle(lambda: words in Watched.painted)


async def settle(holds: Callable[[], object]) -> None:
    await eventually(holds, lambda: Watched.painted[-2000:], SECONDS)


def failing() -> ConsoleApp:
    api = seeds.busy_api()
    return ConsoleApp(api, api, api.feed, (), "3", clock=lambda: NOON)


SCREENS: dict[str, Callable[[tuple[str, ...]], tuple[App[None], Callable[[Pilot[None]], Awaitable[None]]]]] = {
    "board": lambda texts: (board(texts), use_board),
    "console": lambda texts: (console(texts), use_console),
    "failing": lambda _: (failing(), use_failing),
}


def main(screen: str, texts: tuple[str, ...]) -> None:
    app, use = SCREENS[screen](texts)
    app.driver_class = Watched
    app.run(auto_pilot=use)
    sys.exit(app.return_code)


if __name__ == "__main__":
    main(sys.argv[1], HOSTILE if sys.argv[2] == "hostile" else HARMLESS)
