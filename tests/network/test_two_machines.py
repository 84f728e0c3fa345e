"""The most usual floor: everything on one machine by ``up --lan``, and a board, a console and a desk on another."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.network.machines import TOKENQ, Machine, two_machines
from tests.skew.terminal import Terminal, on_terminal
from tests.waiting import until

pytestmark = [pytest.mark.network, pytest.mark.timeout(400)]

PORT = "8443"
SIZE = (24, 80)


@dataclass(frozen=True)
class Place:
    """The server with its address and fingerprint, and the machine in the lobby."""

    server: Machine
    lobby: Machine
    fingerprint: str

    @property
    def url(self) -> str:
        return f"https://{self.server.address}:{PORT}"

    def start(self) -> dict[str, object]:
        done = self.server.tokenq("up", "--lan", "--detach", "--port", PORT, "--json")
        assert done.returncode == 0, done.stderr
        endpoints: dict[str, object] = json.loads(done.stdout)
        return endpoints

    def stop(self) -> None:
        self.server.tokenq("down")

    @contextmanager
    def screen(self, *words: str) -> Iterator[Terminal]:
        """A screen of the machine in the lobby."""
        with on_terminal(self.lobby.command(*TOKENQ, *words), self.lobby.environment(TERM="xterm"), SIZE) as terminal:
            yield terminal


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with two_machines() as (server, lobby):
        place = Place(server, lobby, "")
        try:
            endpoints = place.start()
            assert endpoints["network"] == [place.url]
            assert server.tokenq("dept", "create", "Customer window", "--id", "CW").returncode == 0
            yield Place(server, lobby, str(endpoints["fingerprint"]))
        finally:
            place.stop()


def test_only_the_api_is_on_the_network(place: Place) -> None:
    """Stores and broker stay on the server's loopback."""
    listening = place.server.command("ss", "-Hltn")
    lines = subprocess.run(listening, capture_output=True, text=True, check=True).stdout.splitlines()
    outside = [line.split()[3] for line in lines if not re.match(r"(127\.|\[::1\])", line.split()[3])]
    assert outside == [f"0.0.0.0:{PORT}"]


def test_the_lobby_asks_once_and_then_works(place: Place) -> None:
    password = (place.server.home / "data" / "secrets" / "admin.password").read_text()
    asked = place.lobby.tokenq("login", place.url, "-u", "admin", stdin=password)
    assert asked.returncode == 2
    assert place.fingerprint in asked.stderr
    known = place.lobby.tokenq("login", place.url, "-u", "admin", "--fingerprint", place.fingerprint, stdin=password)
    assert known.returncode == 0, known.stderr
    key = json.loads(place.server.tokenq("key", "create", "desk", "--role", "desk", "--dept", "CW", "--json").stdout)
    assert place.lobby.tokenq("login", "--key", stdin=key["key"] + "\n").returncode == 0
    issued = place.lobby.tokenq("issue", "CW")
    assert issued.returncode == 0, issued.stderr
    assert "CW-001" in issued.stdout


def test_board_and_console_there_go_through_the_server_s_restart(place: Place) -> None:
    """Nothing is missed and nothing is shown twice; they say what they know, and are live again by themselves."""
    board_key = json.loads(place.server.tokenq("key", "create", "lobby", "--role", "board", "--json").stdout)["key"]
    staff_key = json.loads(
        place.server.tokenq("key", "create", "staff", "--role", "staff", "--dept", "CW", "--json").stdout
    )["key"]
    assert place.lobby.tokenq("login", "--key", place.url, stdin=staff_key + "\n").returncode == 0
    lobby = place.lobby.environment(TERM="xterm", TOKENQ_TOKEN=board_key)
    board_command = place.lobby.command(*TOKENQ, "board", "--server", place.url)
    with on_terminal(board_command, lobby, SIZE) as board, place.screen("console", "CW", "--counter", "1") as console:
        until(lambda: "LIVE" in board.text() and "CW-001" in console.text(), lambda: board.text() + console.text())
        assert place.lobby.tokenq("call", "CW", "--counter", "2").returncode == 0
        until(lambda: "CW-001" in board.text() and "Counter 2" in board.text(), board.text)
        place.stop()
        until(lambda: "LIVE" not in board.text(), board.text)
        until(lambda: "OFFLINE" in console.text(), console.text)
        assert "CW-001" in board.text()
        assert place.lobby.tokenq("issue", "CW").returncode == 6
        assert place.start()["fingerprint"] == place.fingerprint
        until(lambda: "LIVE" in board.text(), board.text, seconds=60)
        assert place.lobby.tokenq("issue", "CW").returncode == 0
        assert place.lobby.tokenq("serve", "CW", "--counter", "2").returncode == 0
        assert place.lobby.tokenq("call", "CW", "--counter", "3").returncode == 0
        until(lambda: "CW-002" in board.text() and "Counter 3" in board.text(), board.text)
        until(lambda: "OFFLINE" not in console.text(), console.text, seconds=30)
    done = place.server.tokenq("verify")
    assert done.returncode == 0, done.stdout


def test_a_server_with_another_certificate_gets_nothing(place: Place) -> None:
    """An impostor under the server's address: the lobby's commands, console and board send it no key."""
    place.stop()
    own = place.server.home / "data" / "secrets" / "tls.pem"
    kept = own.read_bytes()
    own.unlink()
    place.start()
    try:
        refused = place.lobby.tokenq("issue", "CW")
        assert refused.returncode == 1
        assert "has changed" in refused.stderr
        assert "Nothing was sent" in refused.stderr
        with place.screen("board", "--server", place.url) as board:
            until(lambda: "has changed" in board.written or "changed" in board.text(), board.text)
    finally:
        place.stop()
        own.write_bytes(kept)
        place.start()
    assert place.lobby.tokenq("issue", "CW").returncode == 0
