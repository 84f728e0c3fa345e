"""The real board on a real terminal, from both of its sources."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.security.test_board_keys import CANARIES, CANARY, Lobby
from tests.security.test_board_keys import lobby as lobby
from tests.skew.terminal import Terminal, on_terminal
from tests.stack import Stack, kill_part
from tests.waiting import until
from tokenq.contract.events import TOPIC

SIZE = (24, 80)
_HEADER = 4
"""Rows with the clock and the badge."""
TOKENQ = [sys.executable, "-m", "tokenq"]
_CLOCK = re.compile(r"\d\d:\d\d")


def environment(stack: Stack, home: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TOKENQ_DATA_DIR": str(home / "nothing"),
        **more,
    }


@pytest.fixture
def boards(lobby: Lobby, tmp_path: Path) -> Iterator[dict[str, Terminal]]:
    """One that reads the topic and has no login, one that has a board's key and no broker."""
    topic = environment(lobby.stack, tmp_path, TOKENQ_KAFKA_BOOTSTRAP=lobby.stack.endpoints.kafka)
    server = environment(lobby.stack, tmp_path, TOKENQ_TOKEN=lobby.key)
    by_server = ["--server", lobby.stack.endpoints.api, "--branch", lobby.branch]
    with ExitStack() as opened:
        yield {
            "topic": opened.enter_context(on_terminal([*TOKENQ, "board", lobby.department], topic, SIZE)),
            "server": opened.enter_context(on_terminal([*TOKENQ, "board", *by_server], server, SIZE)),
        }


def until_both_show(boards: dict[str, Terminal], *words: str) -> None:
    def text() -> str:
        return "\n".join(terminal.text() for terminal in boards.values())

    def fits() -> bool:
        return all(word in terminal.text() for terminal in boards.values() for word in words)

    until(fits, text)


def test_both_show_the_same_and_name_nobody(lobby: Lobby, boards: dict[str, Terminal]) -> None:
    """Row 56. After traffic with names and addresses, everything ever written to both terminals."""
    admin, name = lobby.admin, lobby.department
    for number in range(1, 5):
        admin.issue(name, email="canary@example.com", name=CANARY)
        token = admin.call(name, f"canary-room {number}"[-4:])
        admin.move(token, ("recall", "start", "no-show", "requeue")[number - 1])
    admin.issue(name, email="canary@example.com", name=CANARY)
    admin.call(name, "9")
    until_both_show(boards, f"{name}-004", "Counter 9", "LIVE")
    until(
        lambda: _still(boards["topic"]) == _still(boards["server"]),
        lambda: f"{boards['topic'].text()}\n{boards['server'].text()}",
    )
    for terminal in boards.values():
        assert not [canary for canary in CANARIES if canary in terminal.written]
        assert "example.com" not in terminal.written


def _still(terminal: Terminal) -> str:
    """The screen below the rows with clock and badge."""
    return "\n".join(_CLOCK.sub("", row).rstrip() for row in terminal.text().split("\n")[_HEADER:])


def test_a_board_of_the_server_goes_through_the_server_s_death(lobby: Lobby, boards: dict[str, Terminal]) -> None:
    lobby.admin.issue(lobby.department)
    lobby.admin.call(lobby.department, "1")
    until_both_show(boards, f"{lobby.department}-001", "LIVE")
    kill_part(lobby.stack.data_dir, "tokenq_server api")
    until(lambda: "STALE" in boards["server"].text(), boards["server"].text)
    assert "LIVE" in boards["topic"].text()
    until(lambda: "LIVE" in boards["server"].text(), boards["server"].text, 60)
    lobby.admin.attempts = 100
    lobby.admin.issue(lobby.department)
    lobby.admin.call(lobby.department, "2")
    until_both_show(boards, f"{lobby.department}-002", "LIVE")


FORGERIES: dict[str, tuple[dict[str, Any], bytes | None]] = {
    "far ahead": ({"seq": 2**63 - 1}, None),
    "a rewind far ahead": ({"seq": 2**62, "eventType": "LOG_REWOUND", "tokenId": 0}, None),
    "the next one, under another key": ({}, b"OTHER"),
    "without a number": ({"seq": 0}, None),
    "an old one": ({"seq": 1}, None),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_records_hide_no_real_call(lobby: Lobby, boards: dict[str, Terminal], forgery: str) -> None:
    """Row 61, on the real topic. A jump is said to whoever waits, until the next real number disproves it."""
    name = lobby.department
    lobby.admin.issue(name)
    called = lobby.admin.call(name, "1")
    until_both_show(boards, f"{name}-001", "LIVE")
    history = lobby.stack.ask("GET", f"/api/v1/tokens/{called['tokenId']}/events")[1]["items"]
    (real,) = [event for event in history if event["eventType"] == "TOKEN_CALLED"]
    changes, key = FORGERIES[forgery]
    lie = {**real, "seq": real["seq"] + 1, "tokenId": 666, "displayNumber": "XX-666", **changes}
    lie["event"] = lie["eventType"]
    producer = Producer({"bootstrap.servers": lobby.stack.endpoints.kafka, "partitioner": "murmur2_random"})
    producer.produce(TOPIC, json.dumps(lie).encode(), key or name.encode())
    assert producer.flush(10) == 0
    board = boards["topic"]
    if "far ahead" in forgery:
        until(lambda: "Some calls of" in board.text() and "STALE" in board.text(), board.text)
    lobby.admin.issue(name)
    lobby.admin.call(name, "2")
    until_both_show(boards, f"{name}-002", "LIVE")
    assert "Some calls of" not in board.text()
    assert not [terminal for terminal in boards.values() if "XX-666" in terminal.written]
