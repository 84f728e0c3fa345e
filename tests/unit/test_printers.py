"""The ways to a printer: what is sent, what it tells, and that nobody waits for ever."""

import errno
import os
import pty
import socket
import stat
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tokenq.contract.printers import PrinterAddress, parse_printer
from tokenq.errors import PrinterFailed
from tokenq.paper import connections, printing
from tokenq.paper.printing import LOW_ON_PAPER, send

TICKET = b"\x1b@CW-012\n\x1dVB\x00"
ONLINE, OFFLINE = 0x12, 0x1A
PAPER, LOW, OUT = 0x12, 0x1E, 0x7E


class Printer:
    """Takes what is sent; answers to the status commands of the reference, if it has ``states``."""

    def __init__(self, states: dict[int, int] | None = None, done: int | None = 0) -> None:
        self.states, self.done = states, done
        self.content = b""
        self.turns_into: dict[int, int] | None = None

    def take(self, content: bytes) -> bytes:
        self.content += content
        answer = b""
        while self.states is not None and (at := self.content.find(b"\x10\x04")) >= 0:
            answer += bytes([self.states.get(self.content[at + 2], ONLINE)])
            self.content = self.content[:at] + self.content[at + 3 :]
        if b"\x1dr\x01" in self.content:
            self.content = self.content.replace(b"\x1dr\x01", b"")
            if self.turns_into:
                self.states = self.turns_into
            elif self.done is not None:
                answer += bytes([self.done])
        return answer


@contextmanager
def on_network(printer: Printer, *, takes: bool = True) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    while takes and (content := connection.recv(4096)):
                        if answer := printer.take(content):
                            connection.sendall(answer)
                    if not takes:
                        over.wait()

        over = threading.Event()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        over.set()
        thread.join(3)


def failure(address: str) -> str:
    with pytest.raises(PrinterFailed) as failed:
        send(address, TICKET, lambda _: None)
    return str(failed.value)


def test_a_printer_that_says_nothing_is_printed_to() -> None:
    printer = Printer()
    with on_network(printer) as address:
        send(address, TICKET, lambda _: None)
    assert printer.content.replace(b"\x10\x04\x01", b"") == TICKET


def test_a_printer_that_is_ready_prints_without_a_word() -> None:
    notes: list[str] = []
    printer = Printer({1: ONLINE, 4: PAPER})
    with on_network(printer) as address:
        send(address, TICKET, notes.append)
    assert (printer.content, notes) == (TICKET, [])


@pytest.mark.parametrize(
    ("states", "sentence"),
    [
        ({1: OFFLINE, 2: 0x16, 4: PAPER}, "The cover of the printer is open."),
        ({1: OFFLINE, 2: 0x32, 4: OUT}, "The printer is out of paper."),
        ({1: ONLINE, 4: OUT}, "The printer is out of paper."),
        ({1: OFFLINE, 2: 0x52, 4: PAPER}, "The printer reports a fault."),
        ({1: OFFLINE, 2: 0x12, 4: PAPER}, "The printer is offline."),
    ],
)
def test_a_printer_that_cannot_print_says_why_and_gets_no_ticket(states: dict[int, int], sentence: str) -> None:
    printer = Printer(states)
    with on_network(printer) as address:
        assert failure(address) == sentence
    assert printer.content == b""


def test_little_paper_is_told_and_printed_on() -> None:
    notes: list[str] = []
    printer = Printer({1: ONLINE, 4: LOW})
    with on_network(printer) as address:
        send(address, TICKET, notes.append)
    assert (printer.content, notes) == (TICKET, [LOW_ON_PAPER])


def test_paper_that_ends_within_the_ticket_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "_DONE_SECONDS", 0.3)
    printer = Printer({1: ONLINE, 4: PAPER})
    printer.turns_into = {1: OFFLINE, 2: 0x32, 4: OUT}
    with on_network(printer) as address:
        assert failure(address) == "The printer is out of paper."


def test_other_bytes_are_no_state() -> None:
    """Some printers greet, or send automatic status blocks of another form."""
    printer = Printer({1: 0xFF})
    with on_network(printer) as address:
        send(address, TICKET, lambda _: None)
    assert printer.content == TICKET


def test_a_printer_that_takes_nothing_does_not_hold_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_WRITE_SECONDS", 0.5)
    begun = time.monotonic()
    with on_network(Printer(), takes=False) as address, pytest.raises(PrinterFailed, match="it took too long"):
        send(address, bytes(30_000_000), lambda _: None)
    assert time.monotonic() - begun < 5


def test_a_printer_that_never_stops_talking_does_not_hold_anybody() -> None:
    """Some send their state again and again."""
    hung_up = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            connection, _ = server.accept()
            with connection:
                for _ in range(500):
                    try:
                        connection.sendall(b"\xff")
                    except OSError:
                        hung_up.set()
                        return
                    time.sleep(0.02)

        talking = threading.Thread(target=talk, daemon=True)
        talking.start()
        send(f"tcp://127.0.0.1:{server.getsockname()[1]}", TICKET, lambda _: None)
        talking.join()
    assert hung_up.is_set()


def test_a_printer_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert failure(f"tcp://127.0.0.1:{port}") == f"The printer 127.0.0.1:{port} does not answer: Connection refused."


def test_a_device_gets_the_ticket_and_is_asked_for_its_state() -> None:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    printer = Printer({1: ONLINE, 4: LOW})

    def serve() -> None:
        with suppress(OSError):
            while content := os.read(ours, 4096):
                if answer := printer.take(content):
                    os.write(ours, answer)

    threading.Thread(target=serve, daemon=True).start()
    notes: list[str] = []
    send(os.ttyname(theirs), TICKET, notes.append)
    os.close(theirs)
    assert (printer.content, notes) == (TICKET, [LOW_ON_PAPER])


def test_a_device_that_takes_nothing_does_not_hold_anybody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(connections, "_WRITE_SECONDS", 0.3)
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    with pytest.raises(PrinterFailed, match="takes no data: it took too long"):
        send(os.ttyname(theirs), bytes(1_000_000), lambda _: None)
    os.close(ours)
    os.close(theirs)


def test_a_device_that_is_missing_or_none_is_named_and_no_file_is_touched(tmp_path: Path) -> None:
    assert failure("/dev/usb/lp99") == "The printer /dev/usb/lp99 cannot be opened: No such file or directory."
    file = tmp_path / "important"
    file.write_text("kept")
    assert failure(str(file)) == f"{file} is not a printer."
    assert file.read_text() == "kept"


@pytest.fixture
def lp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command ``lp`` that keeps what it gets."""
    program = tmp_path / "lp"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >{tmp_path}/words\ncat >{tmp_path}/content\n. {tmp_path}/end\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "end").write_text("")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path


def test_a_queue_gets_the_ticket_as_it_is(lp: Path) -> None:
    send("lp:Front_desk", TICKET, lambda _: None)
    assert (lp / "words").read_text() == "-d|Front_desk|-o|raw|"
    assert (lp / "content").read_bytes() == TICKET


def test_a_queue_that_fails_or_hangs_is_told(lp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (lp / "end").write_text('echo "lp: The printer or class does not exist\033[2J." >&2; exit 1')
    assert failure("lp:desk") == (
        "The print queue desk does not print: lp: The printer or class does not exist\ufffd[2J."
    )
    monkeypatch.setattr(connections, "_QUEUE_SECONDS", 0.3)
    (lp / "end").write_text("exec sleep 20")
    assert failure("lp:desk") == "The print queue desk does not answer: it took too long."
    monkeypatch.setenv("PATH", "/nowhere")
    assert "'lp' is missing" in failure("lp:desk")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://10.0.0.5:9100", PrinterAddress(host="10.0.0.5", port=9100)),
        (" tcp://printer.local/ ", PrinterAddress(host="printer.local", port=9100)),
        ("tcp://[fe80::1]:9101", PrinterAddress(host="fe80::1", port=9101)),
        ("tcp://[fe80::1]", PrinterAddress(host="fe80::1", port=9100)),
        ("/dev/usb/lp0", PrinterAddress(device="/dev/usb/lp0")),
        ("lp:Front-desk.2", PrinterAddress(queue="Front-desk.2")),
    ],
)
def test_addresses_are_read_and_written(text: str, address: PrinterAddress) -> None:
    assert parse_printer(text) == address
    assert parse_printer(str(address)) == address


@pytest.mark.parametrize(
    "text",
    ["", "printer", "tcp://", "tcp://a:0", "tcp://a:70000", "tcp://a b", "lp:", "lp:-d", "lp:a b", "lp:a;b", "/a\x1b"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"tcp://HOST:9100"):
        parse_printer(text)


def test_an_error_without_words_has_its_own() -> None:
    assert connections._why(OSError(errno.ENOSPC, "No space left on device")) == "No space left on device"
