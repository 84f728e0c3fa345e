"""End to end: one command starts everything; a token goes from front desk to mailbox and board."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.stack import Stack, start, up_folder
from tests.waiting import until
from tokenq.board.state import Fold
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.stream import Arrived
from tokenq.stream.event_stream import EventStream
from tokenq_server.embedded import down
from tokenq_server.embedded.ports import free_port


class Mailbox:
    """A mail server that keeps subjects and recipients."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        lines = (envelope.original_content or b"").decode().splitlines()
        subject = next(line for line in lines if line.startswith("Subject: "))
        self.letters.append((envelope.rcpt_tos[0], subject.removeprefix("Subject: ")))
        return "250 taken"


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    monkeypatch.setenv("TOKENQ_SMTP_URL", f"smtp://127.0.0.1:{controller.port}")
    yield box
    controller.stop()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with up_folder() as path:
        yield path


def tokenq(stack: Stack, *words: str) -> dict[str, object]:
    """Run one command; return its JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "tokenq", *words, "--json"],
        env=os.environ | stack.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, object] = json.loads(done.stdout)
    return document


class Board:
    """The state of a lobby board, without its screen."""

    def __init__(self, stack: Stack) -> None:
        self._fold = Fold()
        self._stream = EventStream(KafkaAccess(stack.endpoints.kafka))

    def shows(self, called: list[str], waiting: int) -> bool:
        """Read on, and return whether exactly these numbers are at counters and that many wait."""
        item = self._stream.read(0.1)
        if isinstance(item, Arrived):
            self._fold.apply(item.event)
        for department in self._fold.picture(datetime.now().astimezone()).departments:
            return ([call.number for call in department.at_counters], department.waiting) == (called, waiting)
        return False

    def close(self) -> None:
        self._stream.close()


def test_from_front_desk_to_mailbox_and_board(folder: Path, mailbox: Mailbox) -> None:
    """All real: servers, broker, mail; then a restart, after which everything is still there."""
    stack = start(folder)
    tokenq(stack, "dept", "create", "Cash window", "--id", "CW")
    issued = tokenq(stack, "issue", "CW", "--email", "ada@example.com", "--name", "Ada")
    tokenq(stack, "issue", "CW")
    assert issued["displayNumber"] == "CW-001"

    board = Board(stack)
    until(lambda: board.shows([], 2), seconds=30)
    tokenq(stack, "call", "CW", "--counter", "3")
    until(lambda: board.shows(["CW-001"], 1), seconds=30)
    until(lambda: len(mailbox.letters) == 2, seconds=40)  # once the token is served, nobody is told to come
    tokenq(stack, "serve", "CW-001")
    until(lambda: board.shows([], 1), seconds=30)
    until(lambda: len(mailbox.letters) == 3, seconds=40)
    assert mailbox.letters == [
        ("ada@example.com", "Your number: CW-001"),
        ("ada@example.com", "It is your turn: CW-001"),
        ("ada@example.com", "You have been served: CW-001"),
    ]
    board.close()

    assert down(folder)
    stack = start(folder)
    queue = tokenq(stack, "queue", "CW")
    assert [token["displayNumber"] for token in queue["waiting"]] == ["CW-002"]  # type: ignore[attr-defined]
    assert tokenq(stack, "issue", "CW")["displayNumber"] == "CW-003"
    board = Board(stack)
    until(lambda: board.shows([], 2), seconds=30)
    board.close()
    assert len(mailbox.letters) == 3
