"""``tokenq board --server`` on a terminal: what it refuses before the screen, and what it waits for."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Cli
from tests.programs import Api
from tests.skew.terminal import Terminal, on_terminal
from tests.waiting import until
from tokenq_server.embedded.ports import free_port


def board(home: Path, *arguments: str, **variables: str) -> AbstractContextManager[Terminal]:
    return screen(home, "board", *arguments, **variables)


@contextmanager
def screen(home: Path, *arguments: str, **variables: str) -> Iterator[Terminal]:
    """A command on a terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOKENQ_")}
    settings = {"XDG_CONFIG_HOME": str(home), "TOKENQ_DATA_DIR": str(home / "data"), "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-m", "tokenq", *arguments]
    with on_terminal(argv, {**kept, **settings, **variables}, (24, 80)) as terminal:
        yield terminal


def ended(terminal: Terminal) -> int:
    until(lambda: terminal.process.poll() is not None, terminal.text)
    return terminal.process.returncode


@pytest.fixture
def key(tokenq: Cli, dept: str) -> str:
    return tokenq("key", "create", "lobby", "--role", "board").out.strip()


def test_a_board_key_is_enough(home: Path, api: Api, tokenq: Cli, dept: str, key: str) -> None:
    """By flag, or as the server of TOKENQ_URL; a department by its name, too."""
    assert tokenq("dept", "update", dept, "--name", f"Desk of {dept}").code == 0
    assert tokenq("issue", dept).code == 0
    assert tokenq("call", dept, "--counter", f"{dept}-1").code == 0
    with (
        board(home, dept, "--server", api.url, TOKENQ_TOKEN=key) as by_flag,
        board(home, dept, "--server", "--quiet", TOKENQ_URL=api.url, TOKENQ_TOKEN=key) as by_setting,
        board(home, dept, TOKENQ_URL=api.url, TOKENQ_TOKEN=key) as by_default,
    ):
        for terminal in (by_flag, by_setting, by_default):
            until(lambda terminal=terminal: f"{dept}-001" in terminal.text() and "LIVE" in terminal.text())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--server"], 5, "login is invalid"),
        (["--server", "--branch", "west"], 3, "There is no branch west."),
        (["--server", "NOSUCH"], 2, "'NOSUCH' is not the address of a server."),
        (["NOSUCH", "--server"], 3, "There is no department NOSUCH."),
    ],
)
def test_what_can_never_work_is_said_instead_of_shown(
    home: Path, api: Api, key: str, arguments: list[str], code: int, words: str
) -> None:
    token = "tq_wrong" if code == 5 else key
    with board(home, *arguments, TOKENQ_URL=api.url, TOKENQ_TOKEN=token) as terminal:
        assert ended(terminal) == code
        assert words in terminal.text()


def test_a_server_that_is_not_there_yet_is_waited_for(home: Path) -> None:
    """After a power cut the Pi is faster than the server."""
    url = f"http://127.0.0.1:{free_port()}"
    with board(home, "--server", url, TOKENQ_TOKEN="tq_x") as terminal:
        until(lambda: "OFFLINE" in terminal.text(), terminal.text)
        until(lambda: "Please ask at the front desk." in " ".join(terminal.text().split()), terminal.text)
        assert terminal.process.poll() is None
