"""The screens of one release: the board on the topic, the console on the server of the other."""

import re

import pytest

from tests.skew.conftest import only
from tests.skew.releases import Client
from tests.skew.terminal import Terminal, on_terminal
from tests.waiting import until

pytestmark = pytest.mark.skew

_BOARD = (16, 80)
"""A height at which counts are plain digits."""
_CONSOLE = (30, 110)
_DAY = [
    ("issue {D}", "3 waiting"),
    ("call {D} --counter {D}1", "{D}-001 → {D}1", "2 waiting"),
    ("recall {D}-001", "{D}-001 → {D}1", "2 waiting"),
    ("park {D}-001", "2 waiting"),
    ("resume {D}-001", "3 waiting"),
    ("transfer {D}-001 --to {E}", "2 waiting"),
    ("call --token {D}-003 --counter {D}1 --reason hurry", "{D}-003 → {D}1", "1 waiting"),
    ("requeue {D}-003", "2 waiting"),
    ("priority {D}-003 urgent", "2 waiting"),
    ("cancel {D}-002", "1 waiting"),
    ("reinstate {D}-002", "2 waiting"),
    ("undo {D}-002", "1 waiting"),
    ("call {D} --counter {D}2", "{D}-003 → {D}2", "0 waiting"),
    ("start {D}-003", "{D}-003 → {D}2", "0 waiting"),
    ("serve {D}-003", "0 waiting"),
    ("undo {D}-003", "{D}-003 → {D}2", "0 waiting"),
]
"""Commands, and what the board shows afterwards."""


def reads(terminal: Terminal, *words: str) -> None:
    """Wait until the screen shows all of these words."""

    def holds() -> bool:
        text = terminal.text()
        # The previous board has an arrow between number and counter, this one the word for a counter, if any.
        patterns = [re.escape(word).replace(r"\ →\ ", r"\W+(?:Counter )?") for word in words]
        return all(re.search(rf"(?<!\w){pattern}", text) for pattern in patterns)

    until(holds, lambda: f"not to be read together: {words}\n{terminal.text()}", 30)


def test_the_board_shows_calls_and_the_number_waiting(client: Client, native: Client) -> None:
    """It folds the other release's topic: the day so far, and each new event."""
    names = {"D": native.new_department(), "E": native.new_department()}
    native.ask("issue {D}".format(**names))
    native.ask("issue {D}".format(**names))
    settings = client.environment(TOKENQ_KAFKA_BOOTSTRAP=client.floor.kafka, TOKENQ_URL="", TOKENQ_TOKEN="")
    typed = [client.release.tokenq, "board", names["D"], "--quiet"]
    with on_terminal(typed, settings, _BOARD) as board:
        reads(board, "LIVE", "2 waiting")
        for words, *texts in _DAY:
            native.ask(words.format(**names))
            reads(board, "LIVE", *(text.format(**names) for text in texts))


@only("new_client_old_server")
def test_a_board_of_a_server_that_has_none_says_so(client: Client) -> None:
    """The previous server has no state for boards: one sentence instead of an empty screen."""
    settings = client.environment()
    with on_terminal([client.release.tokenq, "board", "--server", settings["TOKENQ_URL"]], settings, _BOARD) as board:
        until(lambda: board.process.poll() is not None, board.text)
        until(lambda: "Update the server" in board.written, lambda: board.written)
    assert board.process.returncode == 1
    assert "older release" in board.written


def test_the_console_calls_and_serves(client: Client, native: Client) -> None:
    """The console may be of the other release."""
    name = native.new_department()
    native.ask(f"issue {name} --name Ada")
    typed = [client.release.tokenq, "console", name, "--counter", f"{name}1"]

    def is_now(state: str) -> bool:
        token = native.ask(f"status {name}-001")
        return bool((token["state"], token["counterId"]) == (state, f"{name}1"))

    with on_terminal(typed, client.environment(), _CONSOLE) as desk:
        reads(desk, "LIVE", f"{name}-001", "Ada")
        for key, state in (("n", "CALLED"), ("s", "SERVING"), ("v", "SERVED")):
            desk.press(key)
            until(lambda state=state: is_now(state), desk.text)
        native.ask(f"issue {name}")
        reads(desk, "LIVE", f"{name}-002")
