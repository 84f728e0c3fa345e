"""A lobby, played: customers, staff, a terminal board that speaks, a browser's board, phones and a printer.

TOKENQ_LOBBY_MINUTES plays it for longer. Whatever was called must have been seen, heard and printed: each call once on
each board and in each language, though the network goes away meanwhile.
"""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import TELEVISION, Branch, Open, Visitor
from tests.escpos_decoder import decode
from tests.forwarder import forwarder
from tests.skew.terminal import on_terminal
from tests.waiting import eventually

MINUTES = float(os.environ.get("TOKENQ_LOBBY_MINUTES", "0.7"))
HEARING = """
window.said = [];
localStorage.setItem("tokenq-sound", "on");
const speak = (words) => {
  window.said.push([words.lang, words.text]);
  setTimeout(() => words.dispatchEvent(new Event("end")));
};
Object.defineProperty(window, "speechSynthesis", {value: {speak}});
"""
SAY = "import os, sys; open({file!r}, 'a').write(f\"{{os.environ['TOKENQ_LANGUAGE']}}\\t{{sys.argv[1]}}\\n\")"


@dataclass
class Sink:
    """A receipt printer on the network that is never out of paper."""

    port: int = 0
    jobs: list[bytes] = field(default_factory=list)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one ticket; answer that all is well."""
        data = b""
        while more := await reader.read(65536):
            data += more
            for _ in range(more.count(b"\x10\x04")):
                writer.write(b"\x12")
        if b"\x1b@" in data:
            self.jobs.append(data)
        writer.close()


@asynccontextmanager
async def printer() -> AsyncIterator[Sink]:
    sink = Sink()
    server = await asyncio.start_server(sink.take, "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    yield sink
    server.close()


@dataclass
class Played:
    """What happened, as staff and customers know it."""

    calls: list[tuple[str, str, str]] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    phones: list[tuple[Visitor, Any]] = field(default_factory=list)


async def issue(branch: Branch, sink: Sink, played: Played) -> None:
    """A clerk types a command, and a ticket is printed."""
    environment = {**os.environ, **branch.stack.environment, "TOKENQ_PRINTER": f"tcp://127.0.0.1:{sink.port}"}
    command = [sys.executable, "-m", "tokenq", "issue", branch.first, "--print"]
    done = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await done.communicate()
    assert done.returncode == 0, err
    played.printed.append(out.decode().split()[0] if out else "")


async def play(branch: Branch, visit: Open, sink: Sink, played: Played, until: float) -> None:
    """People come, two counters call and serve."""
    turn = 0
    while time.monotonic() < until:
        turn += 1
        if turn % 4 == 1:
            await issue(branch, sink, played)
        for department in (branch.first, branch.second):
            token = await asyncio.to_thread(branch.issue, department)
            if len(played.phones) < 2:
                link = branch.ask("GET", f"/tokens/{token['tokenId']}/ticket")["url"]
                played.phones.append((await visit(link), token))
        for department, counter in ((branch.first, "1"), (branch.second, "Room 4")):
            called = await asyncio.to_thread(branch.call, department, counter)
            played.calls.append((department, called["displayNumber"], counter))
            await asyncio.sleep(1.0)
            path, claim = f"/tokens/{called['tokenId']}/serve", {"claimVersion": called["claimVersion"]}
            if any(token["tokenId"] == called["tokenId"] for _, token in played.phones):
                await asyncio.sleep(5.0)  # until the phone has asked again
            await asyncio.to_thread(branch.ask, "POST", path, claim)


def said(played: Played, language: str, word: str, number: str = "Number") -> set[str]:
    """The sentences that must have been said in a language."""
    return {
        f"{number} {' '.join(display.partition('-')[0])} {int(display.rpartition('-')[2])}, "
        f"{counter if len(counter) > 2 else f'{word} {counter}'}"
        for _, display, counter in played.calls
    }


@pytest.mark.timeout(MINUTES * 60 + 180)
async def test_nothing_is_missed_while_the_network_comes_and_goes(visit: Open, branch: Branch, tmp_path: Path) -> None:
    branch.settings(languages=["en", "de"])
    for department in (branch.first, branch.second):
        letters = "".join(secrets.choice("ABCDEFGHKLMNPRSTUVWXYZ") for _ in range(5))
        branch.ask("PATCH", f"/departments/{department}", {"prefix": letters})
    port, played, heard = int(branch.stack.endpoints.api.rpartition(":")[2]), Played(), tmp_path / "heard.txt"
    say = tmp_path / "say.py"
    say.write_text(SAY.format(file=str(heard)))
    board = [sys.executable, "-m", "tokenq", "board", "--server", "--branch", branch.name, "--quiet"]
    board += ["--on-call", f"{sys.executable} {say}"]
    environment = {**os.environ, "TOKENQ_URL": branch.stack.endpoints.api, "TOKENQ_TOKEN": branch.board_key()}
    until = time.monotonic() + MINUTES * 60
    async with forwarder(port) as network, printer() as sink:
        with on_terminal(board, environment, (36, 120)) as terminal:
            screen = await visit("about:blank", TELEVISION)
            await screen.page.add_init_script(HEARING)
            key = branch.board_key()
            await screen.page.goto(f"http://127.0.0.1:{network.port}/board?branch={branch.name}#key={key}")
            await screen.sees("#site", "Town hall")
            await eventually(lambda: "LIVE" in terminal.text(), terminal.text)
            playing = asyncio.create_task(play(branch, visit, sink, played, until))
            while not playing.done():
                await asyncio.wait([playing], timeout=12)
                network.point_at(1)  # the network is gone for some seconds
                await asyncio.wait([playing], timeout=4)
                network.point_at(port)
            await playing
            english, german = said(played, "en", "Counter"), said(played, "de", "Schalter", "Nummer")
            await eventually(lambda: heard.exists() and len(heard.read_text().splitlines()) >= 2 * len(played.calls))
            await screen.page.wait_for_function(
                "(number) => window.said.length >= number", arg=2 * len(played.calls), timeout=30_000
            )
            spoken = [tuple(each) for each in await screen.page.evaluate("() => window.said")]
    lines = [tuple(line.split("\t")) for line in heard.read_text().splitlines()]
    for found in (lines, spoken):
        assert {text for tag, text in found if tag == "en"} == english
        assert {text for tag, text in found if tag == "de"} == german
        assert len(found) == 2 * len(played.calls), "each call once in each language"
    tickets = [decode(job) for job in sink.jobs]
    assert len(tickets) == len(played.printed) >= 1
    assert all(any("/t/" in code for code in ticket.codes) for ticket in tickets)
    for phone, token in played.phones:
        state = branch.ask("GET", f"/tokens/{token['tokenId']}")["state"]
        if state == "SERVED":
            await phone.sees("#sentence", "Done.")
