"""What somebody reads who opens a second terminal and types ``tokenq`` alone."""

import os
import socket
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.http_fake import Step, fake_server, says
from tests.skew.terminal import on_terminal
from tests.waiting import until
from tokenq.cli.next_step import next_step, next_step_in_time

NOBODY = "http://127.0.0.1:1"
EMPTY = says(200, {"items": [], "nextCursor": None})
ONE = says(200, {"items": [{"departmentId": "CW", "name": "Customer window"}], "nextCursor": None})
STRANGER = says(401, {"code": "unauthenticated", "detail": "No."})


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TOKENQ_URL", "TOKENQ_TOKEN", "TOKENQ_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (EMPTY, "  An admin makes the first one: tokenq dept create 'Customer window' --id CW"),
        (ONE, "  See who waits: 'tokenq queue CW'. Serve them: 'tokenq console CW'."),
    ],
)
def test_a_server_that_answers(monkeypatch: pytest.MonkeyPatch, answer: Step, line: str) -> None:
    with fake_server(answer) as server:
        monkeypatch.setenv("TOKENQ_URL", server.url)
        assert next_step().splitlines()[1:] == [line]


def test_a_server_that_hangs_does_not_hold_the_menu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever time other commands give it."""
    monkeypatch.setattr("tokenq.cli.next_step._SECONDS", 0.2)
    with fake_server(EMPTY) as server:
        server.steps = [server.is_silent]
        monkeypatch.setenv("TOKENQ_URL", server.url)
        monkeypatch.setenv("TOKENQ_TIMEOUT", "3600")
        assert next_step().startswith(f"No server answers at {server.url}.")


def test_a_name_that_nobody_resolves_does_not_hold_the_menu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenq.cli.next_step._MOST_SECONDS", 0.2)
    monkeypatch.setenv("TOKENQ_URL", "https://queue.example.org")
    over = threading.Event()
    searched: list[str] = []

    def search(host: str, *_: object, **__: object) -> None:
        searched.append(host)
        over.wait()

    monkeypatch.setattr(socket, "getaddrinfo", search)
    try:
        assert next_step_in_time() == ""
        assert searched == ["queue.example.org"]
    finally:
        over.set()


def test_a_menu_says_nothing_of_settings_that_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next command will."""
    monkeypatch.setenv("TOKENQ_URL", "no address")
    assert next_step_in_time() == ""


def test_a_stranger_is_told_to_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_server(STRANGER) as server:
        monkeypatch.setenv("TOKENQ_URL", server.url)
        assert next_step().splitlines()[1:] == [f"  Sign in: 'tokenq login {server.url}'."]


def test_without_a_server_the_menu_ends_with_how_to_start_one(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment = {**kept, "TOKENQ_URL": NOBODY, "XDG_CONFIG_HOME": str(tmp_path)}
    with on_terminal([sys.executable, "-m", "tokenq"], environment, (80, 100)) as terminal:
        until(lambda: "Start one here: 'tokenq up', or 'tokenq up --demo'" in terminal.text(), terminal.text)
        assert "Front desk:" in terminal.text()


def test_a_script_gets_the_menu_alone(cli: Cli) -> None:
    done = cli(TOKENQ_URL=NOBODY)
    assert done == cli("--help", TOKENQ_URL=NOBODY)
    assert "No server" not in done.out


def test_a_number_where_there_is_no_department_yet(cli: Cli) -> None:
    refused = says(404, {"code": "unknown_department", "detail": "There is no department CW."})
    with fake_server(refused, EMPTY) as server:
        done = cli("issue", "CW", TOKENQ_URL=server.url, TOKENQ_TOKEN="tq_any")
    assert done.err.splitlines() == [
        "tokenq: There is no department CW: there is none at all yet.",
        "  An admin makes the first one: tokenq dept create 'Customer window' --id CW",
    ]
